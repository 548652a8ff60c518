# The functions: one zip, one map. Every figure has its reason beside it.

locals {
  # `read_only` of provenfix.yaml: what looks and reports; nothing that asks, decides or deploys.
  functions = { for name, function in local.all_functions : name => function if !local.read_only || contains(["record", "investigate", "verify"], name) }

  all_functions = {
    record = {
      topic       = "log-entries"
      memory      = "512Mi" # all clients loaded take 155 MB, a message at most 10 MB, twenty of them at once
      concurrency = 20      # waits for Firestore most of the time; see THREADS below
      timeout     = 60      # a claim, a read and a publish; what takes longer is delivered again
      most        = 5       # a storm is told by the throttle that an instance keeps: few instances throttle best
      least       = 0
    }
    investigate = {
      topic       = "incident-opened"
      memory      = "1Gi" # a whole source tree, and every version of the file that broke
      concurrency = 1     # compiles and compares: bound by its processor
      timeout     = 540   # ends before the subscription's 600 s, so that one delivery is never two
      most        = 3     # GitHub's limits are for the whole installation
      least       = 0
    }
    decide = {
      topic       = null
      memory      = "512Mi"
      concurrency = 10
      timeout     = 30 # Slack waits 3 s; the rest is for storing what it asked for
      most        = 3  # one person clicks
      least       = var.warm_decide ? 1 : 0
    }
    redeploy = {
      topic       = "redeploy-approved"
      memory      = "1Gi" # proves the target once more
      concurrency = 1
      timeout     = 540
      most        = 3
      least       = 0
    }
    check = {
      topic       = "check-requested"
      memory      = "1Gi" # two source trees, and what the service loads of them
      concurrency = 1     # compiles and compares: bound by its processor
      timeout     = 540
      most        = 2 # GitHub's limits are for the whole installation, and an incident comes first
      least       = 0
    }
    verify = {
      topic       = "tick"
      memory      = "1Gi" # may run what redeploy or investigate left half done
      concurrency = 1
      timeout     = 540
      most        = 1 # a tick that takes longer than a minute is not overtaken by the next
      least       = 0 # a tick each minute keeps one warm
    }
    github = {
      topic       = null
      memory      = "512Mi" # a webhook has at most 25 MB
      concurrency = 5
      timeout     = 30 # GitHub waits 10 s
      most        = 3
      least       = 0
    }
  }

  # Slack and GitHub sign what they send and have no Google identity: `decide` and `github` verify the signature first.
  # Pub/Sub's pushes count as internal traffic, so nothing else is reached from outside at all.
  public   = toset([for name, function in local.functions : name if function.topic == null])
  triggers = { for name, function in local.functions : name => function.topic if function.topic != null }

  environment = {
    for name, function in local.functions : name => {
      PYTHONPATH            = "/workspace" # where the buildpack puts the zip; `shared` is beside `functions`
      PROVENFIX_CONFIG      = "/etc/provenfix/provenfix.yaml"
      PROVENFIX_DATABASE    = google_firestore_database.state.name
      PROVENFIX_KILL_SWITCH = var.kill_switch ? "on" : "off"
      PROVENFIX_PROJECT     = var.project
      THREADS               = tostring(function.concurrency) # functions-framework serves four a processor otherwise
    }
  }
}

# A grant takes a minute or two to be in effect, and a build or a revision that meets none fails for good.
# https://cloud.google.com/iam/docs/access-change-propagation
resource "time_sleep" "grants" {
  create_duration = "120s"

  triggers = {
    build  = join(" ", [for grant in google_project_iam_member.build : grant.role])
    images = google_artifact_registry_repository_iam_member.build.role
    config = join(" ", [for grant in google_secret_manager_secret_iam_member.config_reader : grant.member])
  }
}

resource "google_cloudfunctions2_function" "function" {
  for_each = local.triggers

  name        = "${local.prefix}${each.key}"
  project     = var.project
  location    = var.region
  description = "provenfix: ${each.key}"

  build_config {
    runtime           = "python311" # what the pins were made and tested with
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = google_service_account.build.id

    environment_variables = {
      GOOGLE_FUNCTION_SOURCE = "functions/main.py" # read by the build alone, as the next is
      SOURCE_DATE_EPOCH      = "1"                 # .pyc files that name their source's content: a time would not hold
    }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.functions.name
      }
    }
  }

  service_config {
    available_memory                 = local.functions[each.key].memory
    available_cpu                    = "1" # the least that serves more than one request, and that is not throttled while it starts
    max_instance_request_concurrency = local.functions[each.key].concurrency
    timeout_seconds                  = local.functions[each.key].timeout
    min_instance_count               = local.functions[each.key].least
    max_instance_count               = local.functions[each.key].most
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    vpc_connector                    = var.vpc_connector
    vpc_connector_egress_settings    = var.vpc_connector == null ? null : "ALL_TRAFFIC"
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.function[each.key].email

    environment_variables = local.environment[each.key]

    secret_volumes {
      mount_path = "/etc/provenfix"
      project_id = var.project
      secret     = google_secret_manager_secret.config.secret_id

      versions {
        version = google_secret_manager_secret_version.config.version
        path    = "provenfix.yaml"
      }
    }
  }

  depends_on = [
    time_sleep.grants,
    google_secret_manager_secret_iam_member.config_reader,
    google_project_iam_member.build,
    google_artifact_registry_repository_iam_member.build, # the build pushes what it made
  ]
}

# Organisations that were made since May 2024 refuse `allUsers`, so these two have the invoker check switched off, as Cloud
# Run recommends for what is public (https://cloud.google.com/run/docs/authenticating/public, read 2026-11-26). A function
# has no argument for that; a service of Cloud Run has. They run the image that was built for the functions, with another
# entry point: it is one zip.
data "google_cloud_run_v2_service" "built" {
  project  = var.project
  location = var.region
  name     = "${local.prefix}record"

  depends_on = [google_cloudfunctions2_function.function]
}

locals {
  built = data.google_cloud_run_v2_service.built.template[0].containers[0]
}

resource "google_cloud_run_v2_service" "public" {
  for_each = local.public

  name                 = "${local.prefix}${each.key}"
  project              = var.project
  location             = var.region
  description          = "provenfix: ${each.key}"
  ingress              = "INGRESS_TRAFFIC_ALL"
  invoker_iam_disabled = true  # what is not signed gets a 401 and nothing else
  deletion_protection  = false # it holds nothing

  template {
    service_account                  = google_service_account.function[each.key].email
    timeout                          = "${local.functions[each.key].timeout}s"
    max_instance_request_concurrency = local.functions[each.key].concurrency

    dynamic "vpc_access" {
      for_each = var.vpc_connector == null ? [] : [var.vpc_connector]

      content {
        connector = vpc_access.value
        egress    = "ALL_TRAFFIC"
      }
    }

    scaling {
      min_instance_count = local.functions[each.key].least
      max_instance_count = local.functions[each.key].most
    }

    containers {
      image          = local.built.image
      base_image_uri = try(length(local.built.base_image_uri), 0) > 0 ? local.built.base_image_uri : null

      ports {
        container_port = 8080
      }

      resources {
        limits            = { cpu = "1", memory = local.functions[each.key].memory }
        startup_cpu_boost = true # a person waits for the first click
      }

      dynamic "env" {
        for_each = merge(local.environment[each.key], { FUNCTION_TARGET = each.key, FUNCTION_SIGNATURE_TYPE = "http" })

        content {
          name  = env.key
          value = env.value
        }
      }

      volume_mounts {
        name       = "config"
        mount_path = "/etc/provenfix"
      }
    }

    volumes {
      name = "config"

      secret {
        secret = google_secret_manager_secret.config.secret_id

        items {
          version = google_secret_manager_secret_version.config.version
          path    = "provenfix.yaml"
        }
      }
    }
  }

  depends_on = [time_sleep.grants, google_secret_manager_secret_iam_member.config_reader]
}
