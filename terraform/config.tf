# provenfix.yaml, as Terraform and the functions read it. What only Terraform knows (the functions' own names and the
# addresses of the compile functions) is added here, so that nobody has to copy it and it cannot disagree.

locals {
  prefix = "provenfix-" # of topics, functions, accounts and sinks; the functions' default for topics

  config    = yamldecode(file(var.config))
  read_only = try(length(local.config.read_only), 0) > 0

  # Clicks come as signed requests to `decide`, or over a connection that it opens itself and keeps open.
  socket_mode = try(local.config.slack.socket_mode, false)

  # What the functions that are deployed call and read; without questions nobody needs Slack's secrets.
  access_table = yamldecode(file("${path.module}/access.yaml"))
  access = merge(local.access_table, {
    functions = {
      for name, function in local.access_table.functions : name => merge(function, {
        google  = [for call in function.google : call if !local.read_only || !contains(local.access_table.acting, call)]
        secrets = [for key in function.secrets : key if(!local.read_only || !startswith(key, "slack.")) && key != (local.socket_mode ? "slack.signing_secret" : "slack.app_token")]
        topics  = [for topic in function.topics : topic if contains(values(local.triggers), topic)]
      }) if contains(keys(local.functions), name)
    }
  })

  # By the id that the functions give each: the region is part of it where another one has a service of that name.
  service_names = [for service in local.config.services : "${service.project}.${service.name}"]
  services = {
    for index, service in local.config.services :
    "${local.service_names[index]}${length([for name in local.service_names : name if name == local.service_names[index]]) > 1 ? ".${service.region}" : ""}" => service
  }
  projects = toset([for service in local.config.services : service.project])

  # 3.9 was decommissioned in April 2026, older ones before: to create such a function answers 400, DEPLOYS_NOT_ALLOWED.
  # https://cloud.google.com/functions/docs/runtime-support, read 2026-11-26
  named_pythons = setunion(var.pythons, compact([for service in local.config.services : try(service.python, "")]))
  pythons       = toset([for version in local.named_pythons : version if can(regex("^3\\.1[0-4]$", version))])

  # The version that each key of provenfix.yaml refers to. An App's key stands in the place of a token.
  references = {
    for key in toset(flatten([for function in local.access.functions : function.secrets])) : key => try(
      local.config[split(".", key)[0]][split(".", key)[1]].secret,
      key == "github.token" ? local.config.github.app.private_key.secret : null,
      null,
    )
  }
  secrets = {
    for key, reference in local.references : key => regex("^projects/(?P<project>[^/]+)/secrets/(?P<id>[^/]+)/versions/", reference)
    if reference != null
  }

  own_functions = sort(concat(
    [for name in keys(local.functions) : "${local.prefix}${name}"],
    [for version in local.pythons : local.compile_names[version]],
  ))

  config_file = yamlencode(merge(local.config, {
    own       = merge({ project = var.project, functions = local.own_functions }, var.sink_folder == null ? {} : { sink_folder = var.sink_folder })
    compilers = local.compile_urls
  }))
}

resource "google_secret_manager_secret" "config" {
  secret_id = "${local.prefix}config"
  project   = var.project

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.own, time_sleep.key]
}

# The file holds no secret, only where secrets are. It is kept as one because a function can mount a version of it: what
# a revision was deployed with is what it reads, also after a rollback.
resource "google_secret_manager_secret_version" "config" {
  secret          = google_secret_manager_secret.config.id
  secret_data     = local.config_file
  deletion_policy = "ABANDON" # revisions that were deployed with an older version have to start after a rollback

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = alltrue([for function in local.access.functions : alltrue([for key in function.secrets : local.references[key] != null || startswith(key, "github.") || startswith(key, "pager.")])])
      error_message = "provenfix.yaml must refer to Slack's secrets with {secret: projects/P/secrets/S/versions/V}: a variable cannot reach the functions."
    }
    precondition {
      condition     = alltrue([for held in [for key in ["token", "webhook_secret"] : try(local.config.github[key], null)] : try(held.env, null) == null]) && try(local.config.github.app.private_key.env, null) == null && try(local.config.pager.routing_key.env, null) == null
      error_message = "provenfix.yaml must refer to GitHub's secrets with {secret: projects/P/secrets/S/versions/V}, and so to the pager's: a variable cannot reach the functions."
    }
    precondition {
      condition     = local.references["github.token"] != null
      error_message = "provenfix.yaml must refer to github.token or to github.app.private_key: without one no repository can be read and no issue written."
    }
    precondition {
      condition     = length(distinct([for secret in values(local.secrets) : "${secret.project} ${secret.id}"])) == length(local.secrets)
      error_message = "Two keys of provenfix.yaml refer to the same secret; give each its own, so that a function reads no more than it needs."
    }
    precondition {
      condition     = alltrue([for service in local.config.services : can(regex("^(|[TE][A-Z0-9]+)$", try(service.team, ""))) && can(regex("^(|A[A-Z0-9]+)$", try(service.chat_app, "")))])
      error_message = "A service in provenfix.yaml names a Slack workspace or app by something else than its id (T… or E…, A…): every click would be refused."
    }
    precondition {
      condition     = !contains(local.projects, var.project) || length([for name in local.service_names : name if contains([for own in local.own_functions : "${var.project}.${own}"], name)]) == 0
      error_message = "One of the watched services is a function of provenfix itself; remove it from provenfix.yaml."
    }
  }
}

resource "google_secret_manager_secret_iam_member" "config_reader" {
  for_each = local.functions

  project   = var.project
  secret_id = google_secret_manager_secret.config.secret_id
  role      = "roles/secretmanager.secretAccessor" # Cloud Run mounts it as the function's account
  member    = google_service_account.function[each.key].member
}
