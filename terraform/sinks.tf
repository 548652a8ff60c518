# Two sinks for each watched service, in the service's project: what may be a failure goes to `record`; a revision that
# became ready, or failed to, makes `verify` look at once. The filters are those that the tests evaluate; both leave out
# provenfix's own functions by the identity that the platform sets.

locals {
  sinks = merge([
    for id, service in local.services : {
      "${id} signals"   = { service = service, filter = "signals", topic = "log-entries" }
      "${id} revisions" = { service = service, filter = "revisions", topic = "tick" }
    }
  ]...)
}

resource "google_logging_project_sink" "sink" {
  for_each = local.sinks

  project                = each.value.service.project
  name                   = "${local.prefix}${each.value.service.name}-${each.value.filter}"
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
      condition     = length(self.filter) <= 20000
      error_message = "Cloud Logging takes filters of at most 20,000 characters."
    }
  }
}

resource "google_pubsub_topic_iam_member" "sink" {
  for_each = local.sinks

  project = var.project
  topic   = google_pubsub_topic.topic[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.sink[each.key].writer_identity
}
