# What the functions' own log lines tell, as figures: `jsonPayload.provenfix` with function and outcome; see functions/http/structured_logs.py.

locals {
  own_lines = "resource.type=\"cloud_run_revision\" AND resource.labels.project_id=\"${var.project}\""

  counters = {
    incidents  = { function = null, outcome = "=\"opened\"", told = "incidents that were opened: by record, by investigate where a failure has recurred, by check" }
    storms     = { function = "record", outcome = "=(\"throttled\" OR \"duplicate\" OR \"attached\" OR \"handed_over\")", told = "entries of failures that are known already" }
    canaries   = { function = "record", outcome = "=\"canary\"", told = "canary entries that arrived" }
    proposals  = { function = "investigate", outcome = "=\"proposed\"", told = "questions that were asked" }
    ticks      = { function = "schedule", outcome = "=\"ticked\"", told = "rounds that schedule went" }
    unanswered = { function = "schedule", outcome = "=\"ticked\" AND jsonPayload.provenfix.unanswered>0", told = "rounds that found a question which half of its time has left unanswered" }
    stopped    = { function = "schedule", outcome = "=\"ticked\" AND jsonPayload.provenfix.stopped>0", told = "rounds that found the kill switch on" }
    crowded    = { function = null, outcome = "=\"retry\" AND jsonPayload.provenfix.reason=\"too_many_incidents\"", told = "entries that found no room for one more incident" }
    quota      = { function = null, outcome = "=\"retry\" AND jsonPayload.provenfix.reason=\"log_quota\"", told = "reads of a log that its quota refused" }
    crashes    = { function = null, outcome = "=\"crashed\"", told = "what nobody foresaw" }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  project     = var.project
  name        = "provenfix/${each.key}"
  description = each.value.told
  filter = join(" AND ", compact([
    local.own_lines,
    each.value.function == null ? "" : "resource.labels.service_name=\"${local.prefix}${coalesce(each.value.function, "-")}\"",
    "jsonPayload.provenfix.outcome${each.value.outcome}",
  ]))

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
  }

  depends_on = [google_project_service.own]
}

# `investigate` tells with `proposed` how many seconds the incident had been open.
resource "google_logging_metric" "time_to_proposal" {
  project         = var.project
  name            = "provenfix/time_to_proposal"
  description     = "seconds from an incident's opening to the question"
  filter          = "${google_logging_metric.counter["proposals"].filter} AND jsonPayload.provenfix.seconds>=0"
  value_extractor = "EXTRACT(jsonPayload.provenfix.seconds)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 16 # 1 s to 18 hours
      growth_factor      = 2
      scale              = 1
    }
  }
}

# The metrics of a watched service's sinks and requests are its project's; this lets provenfix's project see them.
resource "google_monitoring_monitored_project" "watched" {
  for_each = setsubtract(local.projects, [var.project])

  metrics_scope = var.project
  name          = each.key
}
