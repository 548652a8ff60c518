# Two sinks for each project with watched services, or for the one folder that holds these projects: what may be a failure
# goes to `record`; a revision that became ready, or failed to, makes `verify` look at once. A project may have 200 sinks, so
# their services share them, as long as they have room in a filter. The filters are those that the tests evaluate; both leave
# out provenfix's own functions by the identity that the platform sets.

locals {
  services_per_sink = 20 # as shared/filters/rendering.py says
  sink_parents      = var.sink_folder == null ? { for project in local.projects : project => "projects/${project}" } : { "folders/${var.sink_folder}" = "folders/${var.sink_folder}" }
  sink_topics       = { signals = "log-entries", revisions = "tick" }

  sink_parts = merge([
    for key, parent in local.sink_parents : {
      for index, ids in chunklist(sort([for id, service in local.services : id if var.sink_folder != null || service.project == key]), local.services_per_sink) :
      "${key} ${index}" => { key = key, services = [for id in ids : local.services[id]], number = index > 0 ? index + 1 : null }
    }
  ]...)
  sinks = merge([
    for part in local.sink_parts : {
      for kind, topic in local.sink_topics : join(" ", compact([part.key, kind, part.number])) => {
        key  = part.key
        name = "${local.prefix}${join("-", compact([kind, part.number]))}"
        # The names are those of the watched services; nothing else stands in for them in a filter.
        filter = templatefile("${path.module}/../shared/filters/${kind}.tftpl", {
          services = join("\n  OR ", [
            for place, names in { for service in part.services : "${service.project} ${service.region}" => service.name... } :
            "(resource.labels.project_id=\"${split(" ", place)[0]}\" AND resource.labels.location=\"${split(" ", place)[1]}\" AND resource.labels.service_name=(${join(" OR ", [for name in sort(names) : "\"${name}\""])}))"
          ])
          own_project   = var.project
          own_functions = join(" OR ", [for name in local.own_functions : "\"${name}\""])
        })
        topic = topic
      }
    }
  ]...)

  project_sinks = { for key, sink in local.sinks : key => sink if var.sink_folder == null }
  folder_sinks  = { for key, sink in local.sinks : key => sink if var.sink_folder != null }
}

resource "google_logging_project_sink" "sink" {
  for_each = local.project_sinks

  project                = each.value.key
  name                   = each.value.name
  description            = "provenfix: ${each.key}"
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.topic[each.value.topic].id}"
  unique_writer_identity = true
  filter                 = each.value.filter

  lifecycle {
    create_before_destroy = true # an entry that arrives twice is one; one that does not arrive is lost

    postcondition {
      condition     = self.writer_identity == local.log_writers[each.value.key]
      error_message = "The sink publishes as another account than its project's: ${self.writer_identity}."
    }
    postcondition {
      condition     = length(self.filter) <= 20000
      error_message = "Cloud Logging takes filters of at most 20,000 characters."
    }
  }
}

# For all projects of a folder at once, also those of which services are watched only later.
resource "google_logging_folder_sink" "sink" {
  for_each = local.folder_sinks

  folder           = each.value.key
  include_children = true
  name             = each.value.name
  description      = "provenfix: ${each.key}"
  destination      = "pubsub.googleapis.com/${google_pubsub_topic.topic[each.value.topic].id}"
  filter           = each.value.filter

  lifecycle {
    create_before_destroy = true

    postcondition {
      condition     = self.writer_identity == local.log_writers[each.value.key]
      error_message = "The sink publishes as another account than its folder's: ${self.writer_identity}."
    }
    postcondition {
      condition     = length(self.filter) <= 20000
      error_message = "Cloud Logging takes filters of at most 20,000 characters."
    }
  }
}

# All sinks of a project publish as one account, and so do those of a folder. So there is one grant for each of them and each
# topic, the canary's included: one for each sink would take it from all others with the first sink that goes.
# https://cloud.google.com/logging/docs/export/configure_export_v2#dest-auth, read 2026-11-26
data "google_logging_project_settings" "watched" {
  for_each = setunion(var.sink_folder == null ? local.projects : [], [var.project])

  project = each.key
}

data "google_logging_folder_settings" "watched" {
  for_each = var.sink_folder == null ? {} : local.sink_parents

  folder = var.sink_folder
}

locals {
  log_writers = merge(
    { for project, settings in data.google_logging_project_settings.watched : project => "serviceAccount:${settings.logging_service_account_id}" },
    { for folder, settings in data.google_logging_folder_settings.watched : folder => "serviceAccount:${settings.logging_service_account_id}" },
  )

  sink_grants = merge(
    { for sink in local.sinks : "${sink.key} ${sink.topic}" => { writer = sink.key, topic = sink.topic }... },
    { "${var.project} log-entries" = [{ writer = var.project, topic = "log-entries" }] },
  )
}

resource "google_pubsub_topic_iam_member" "sink" {
  for_each = local.sink_grants

  project = var.project
  topic   = google_pubsub_topic.topic[each.value[0].topic].name
  role    = "roles/pubsub.publisher"
  member  = local.log_writers[each.value[0].writer]
}
