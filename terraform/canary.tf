# A log entry, written every five minutes, that must arrive at `record`: it proves that a sink, its writer, the topic, the
# subscription, the caller's identity and the function still work while nothing fails. It goes into a log of provenfix's
# own project and not into that of a watched service, whose owners would see errors that never happened; that a service's
# own sinks deliver is told by the metric of their errors.

locals {
  canary_log = "projects/${var.project}/logs/provenfix-canary"
}

resource "google_service_account" "canary" {
  project      = var.project
  account_id   = "${local.prefix}canary"
  display_name = "provenfix: writes the canary entry"

  depends_on = [google_project_service.own]
}

resource "google_project_iam_member" "canary" {
  project = var.project
  role    = "roles/logging.logWriter" # the least that writes; a log has no policy of its own
  member  = google_service_account.canary.member
}

resource "google_cloud_scheduler_job" "canary" {
  project     = var.project
  region      = var.region
  name        = "${local.prefix}canary"
  description = "provenfix: an entry that must arrive at record"
  schedule    = "*/5 * * * *"
  time_zone   = "Etc/UTC"

  http_target {
    http_method = "POST"
    uri         = "https://logging.googleapis.com/v2/entries:write"
    headers     = { "Content-Type" = "application/json" }
    body = base64encode(jsonencode({
      entries = [{
        logName     = local.canary_log
        resource    = { type = "global", labels = { project_id = var.project } }
        severity    = "INFO"
        jsonPayload = { message = "provenfix: canary" }
      }]
    }))

    oauth_token {
      service_account_email = google_service_account.canary.email
      scope                 = "https://www.googleapis.com/auth/logging.write"
    }
  }

  retry_config {
    retry_count = 1
  }
}

resource "google_logging_project_sink" "canary" {
  project                = var.project
  name                   = "${local.prefix}canary"
  description            = "provenfix: the canary entry"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.topic["log-entries"].id}"
  filter                 = "logName=\"${local.canary_log}\""
  unique_writer_identity = true
}
