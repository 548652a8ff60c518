# Two sinks for each watched service, in the service's project: what may be a failure goes to `record`; a revision that
# became ready, or failed to, makes `verify` look at once. The filters are those that the tests evaluate; both leave out
# provenfix's own functions by the identity that the platform sets.

locals {
  sinks = merge([
    for id, service in local.services : {
      "${id} signals"   = { id = id, service = service, filter = "signals", topic = "log-entries" }
      "${id} revisions" = { id = id, service = service, filter = "revisions", topic = "tick" }
    }
  ]...)
}

resource "google_logging_project_sink" "sink" {
  for_each = local.sinks

  project                = each.value.service.project
  name                   = "${local.prefix}${trimprefix(each.value.id, "${each.value.service.project}.")}-${each.value.filter}"
  description            = "provenfix: ${each.value.filter} of ${each.value.service.name}"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.topic[each.value.topic].id}"
  unique_writer_identity = true

  filter = templatefile("${path.module}/../shared/filters/${each.value.filter}.tftpl", {
    project       = each.value.service.project
    region        = each.value.service.region
    service       = each.value.service.name
    own_project   = var.project
    own_functions = join(" OR ", [for name in local.own_functions : "\"${name}\""])
  })

  lifecycle {
    postcondition {
      condition     = self.writer_identity == local.log_writers[each.value.service.project]
      error_message = "The sink publishes as another account than its project's: ${self.writer_identity}."
    }
    postcondition {
      condition     = length(self.filter) <= 20000
      error_message = "Cloud Logging takes filters of at most 20,000 characters."
    }
  }
}

# All sinks of a project publish as one account. So there is one grant for each project and topic, the canary's included:
# one for each sink would take it from all others with the first sink that goes.
# https://cloud.google.com/logging/docs/export/configure_export_v2#dest-auth, read 2026-11-26
data "google_logging_project_settings" "watched" {
  for_each = setunion(local.projects, [var.project])

  project = each.key
}

locals {
  log_writers = { for project, settings in data.google_logging_project_settings.watched : project => "serviceAccount:${settings.logging_service_account_id}" }

  sink_grants = merge(
    { for sink in local.sinks : "${sink.service.project} ${sink.topic}" => { project = sink.service.project, topic = sink.topic }... },
    { "${var.project} log-entries" = [{ project = var.project, topic = "log-entries" }] },
  )
}

resource "google_pubsub_topic_iam_member" "sink" {
  for_each = local.sink_grants

  project = var.project
  topic   = google_pubsub_topic.topic[each.value[0].topic].name
  role    = "roles/pubsub.publisher"
  member  = local.log_writers[each.value[0].project]
}
