output "decide_url" {
  description = "Slack's interactivity request URL; empty with `read_only` and with `slack.socket_mode`."
  value       = local.decide_url
}

output "github_url" {
  description = "The GitHub App's webhook URL; empty with `read_only`."
  value       = try(google_cloud_run_v2_service.public["github"].uri, "")
}

output "slack_manifest" {
  description = "The Slack app, to be pasted where Slack asks for a manifest."
  value       = replace(local.slack_app, "    request_url: \n", "") # with Socket Mode there is none
}

output "github_manifest" {
  description = "The GitHub App, to be posted where GitHub asks for a manifest."
  value = jsonencode(merge(local.github_app, {
    default_permissions = merge(local.github_app.default_permissions, local.workflows ? { actions = "write" } : {})
  }))
}

locals {
  decide_url = contains(local.public, "decide") ? google_cloud_run_v2_service.public["decide"].uri : ""
  slack_app  = templatefile("${path.module}/manifests/slack.yaml", { decide_url = local.decide_url, socket_mode = local.socket_mode })

  github_app = jsondecode(templatefile("${path.module}/manifests/github-app.json", { github_url = try(google_cloud_run_v2_service.public["github"].uri, "") }))

  # Only to start a workflow that deploys may anything be changed in GitHub Actions.
  workflows = length([for service in local.config.services : service if try(service.deploy_method, "") == "github_workflow"]) > 0
}

output "secrets_to_fill" {
  description = "Secrets that a person has to give a version, by their key in provenfix.yaml."
  value       = { for key, secret in google_secret_manager_secret.secret : key => secret.id }
}

output "config" {
  description = "The file as the functions have it: for `provenfix doctor --config`."
  value       = local.config_file
}
