# `compile`, once for each Python version in use, so that the real 3.11 answers for 3.11. It runs as an account that may
# nothing: what it compiles was written by others.

locals {
  compile_names = { for version in local.pythons : version => "${local.prefix}compile-py${replace(version, ".", "")}" }

  # By the address that follows from the name, so that one function that cannot be built keeps nothing else from being
  # made: where it does not answer, ruff judges. https://cloud.google.com/run/docs/triggering/https-request, read 2026-11-26.
  compile_urls = { for version, name in local.compile_names : version => "https://${name}-${data.google_project.own.number}.${var.region}.run.app" }

  # Those whose calls include `compile`; see access.yaml.
  compile_callers = [for name, function in local.access.functions : name if contains(function.google, "compile")]
}

resource "google_cloudfunctions2_function" "compile" {
  # checkov:skip=CKV_GCP_124:its callers have no network of their own, so their requests count as external; IAM lets in no other
  for_each = local.pythons

  name        = local.compile_names[each.key]
  project     = var.project
  location    = var.region
  description = "provenfix: compiles sources with Python ${each.key}"

  kms_key_name = var.kms_key

  build_config {
    runtime           = "python${replace(each.key, ".", "")}"
    entry_point       = "compile"
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.build.id

    environment_variables = {
      SOURCE_DATE_EPOCH = "1" # see functions.tf
    }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.compile.name
      }
    }
  }

  service_config {
    available_memory                 = "1Gi" # the compiling process may take 512 MiB, a request 30 MiB several times over
    available_cpu                    = "1"
    max_instance_request_concurrency = 1  # compiling is all it does
    timeout_seconds                  = 60 # it ends by itself after 45 s, with verdicts for what it reached
    min_instance_count               = 0  # asked a few times for each incident
    max_instance_count               = 3
    ingress_settings                 = "ALLOW_ALL"
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.compile.email
  }

  depends_on = [time_sleep.grants, time_sleep.key, google_project_iam_member.build, google_artifact_registry_repository_iam_member.build]
}

resource "google_service_account" "compile" {
  project      = var.project
  account_id   = "${local.prefix}compile"
  display_name = "provenfix: compile, which may nothing"

  depends_on = [google_project_service.own]
}

resource "google_cloud_run_v2_service_iam_member" "compile_caller" {
  for_each = { for pair in setproduct(local.pythons, local.compile_callers) : "${pair[0]} ${pair[1]}" => { python = pair[0], function = pair[1] } }

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.compile[each.value.python].name
  role     = local.access.roles.compile_caller.role
  member   = google_service_account.function[each.value.function].member
}

check "pythons" {
  assert {
    condition     = length(setsubtract(local.named_pythons, local.pythons)) == 0
    error_message = "Cloud Functions deploys no function of these Pythons any more, so ruff alone judges services that run on them: ${join(", ", setsubtract(local.named_pythons, local.pythons))}."
  }
}

check "compilers" {
  assert {
    condition     = length(local.named_pythons) > 0
    error_message = "No Python version is named, neither by a service in provenfix.yaml nor in `pythons`: no compile function is made, and ruff judges."
  }
}
