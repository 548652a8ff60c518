# The functions: one zip, one map. Every figure has its reason beside it.

locals {
  # `read_only` of provenfix.yaml: what looks and reports; nothing that asks, decides or deploys.
  # Without a secret no webhook could be believed: then nothing takes any, and with `slack.socket_mode` nothing at all is
  # reached from outside.
  functions = {
    for name, function in local.all_functions : name => function
    if(!local.read_only || contains(["record", "investigate", "schedule", "verify"], name)) && (name != "github" || try(length(local.config.github.webhook_secret), 0) > 0)
  }

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
      timeout     = 30                        # Slack waits 3 s; the rest is for storing what it asked for
      most        = local.socket_mode ? 1 : 3 # one person clicks; one connection is enough
      least       = var.warm_decide || local.socket_mode ? 1 : 0
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
    schedule = {
      topic       = "tick"
      memory      = "512Mi"
      concurrency = 1
      timeout     = 120
      most        = 1 # a tick that takes longer than a minute is not overtaken by the next
      least       = 0 # a tick each minute keeps one warm: the one that always runs, with nothing to lose
    }
    verify = {
      topic       = "incident-due"
      memory      = "1Gi" # proves anew whether a newer commit passes
      concurrency = 1     # waits ten seconds for a WebSocket to stay open
      timeout     = 540
      most        = 10 # fifty looks of eleven seconds are done within a minute
      least       = 0
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
  requested = toset([for name, function in local.functions : name if function.topic == null])
  public    = toset([for name in local.requested : name if name != "decide" || !local.socket_mode])
  triggers  = { for name, function in local.functions : name => function.topic if function.topic != null }

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

  kms_key_name = var.kms_key

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
    time_sleep.key,
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

#
# With `slack.socket_mode` nobody reaches `decide`: it keeps a connection to Slack open, and what comes in are the
# platform's own probes. The first one opens the connection; its processor is never taken away.
resource "google_cloud_run_v2_service" "public" {
  for_each = local.requested

  name                 = "${local.prefix}${each.key}"
  project              = var.project
  location             = var.region
  description          = "provenfix: ${each.key}"
  ingress              = contains(local.public, each.key) ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  invoker_iam_disabled = contains(local.public, each.key) # what is not signed gets a 401 and nothing else
  deletion_protection  = false                            # it holds nothing

  template {
    service_account                  = google_service_account.function[each.key].email
    encryption_key                   = var.kms_key
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
        cpu_idle          = contains(local.public, each.key)
      }

      dynamic "startup_probe" {
        for_each = contains(local.public, each.key) ? [] : [each.key]

        content {
          period_seconds    = 10
          timeout_seconds   = 10
          failure_threshold = 12 # two minutes

          http_get {
            path = "/"
          }
        }
      }

      dynamic "liveness_probe" {
        for_each = contains(local.public, each.key) ? [] : [each.key]

        content {
          period_seconds    = 30
          timeout_seconds   = 10
          failure_threshold = 4 # the connection is opened again by itself; another instance helps where it is not

          http_get {
            path = "/"
          }
        }
      }

      dynamic "env" {
        for_each = merge(local.environment[each.key], { FUNCTION_TARGET = contains(local.public, each.key) ? each.key : "decide_socket", FUNCTION_SIGNATURE_TYPE = "http" })

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

  depends_on = [time_sleep.grants, time_sleep.key, google_secret_manager_secret_iam_member.config_reader]
}
