locals {
  charts = [
    { title = "Incidents opened, a day", metric = "logging.googleapis.com/user/provenfix/incidents", resource = "cloud_run_revision", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "86400s", more = "" },
    { title = "Time from an incident's opening to the question (95th percentile, s)", metric = "logging.googleapis.com/user/provenfix/time_to_proposal", resource = "cloud_run_revision", aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", period = "3600s", more = "" },
    { title = "Storms: entries of known failures, a minute", metric = "logging.googleapis.com/user/provenfix/storms", resource = "cloud_run_revision", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "60s", more = "" },
    { title = "Dead letters", metric = "pubsub.googleapis.com/subscription/num_undelivered_messages", resource = "pubsub_subscription", aligner = "ALIGN_MAX", reducer = "REDUCE_SUM", period = "300s", more = " AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\"" },
    { title = "Rounds, five minutes", metric = "logging.googleapis.com/user/provenfix/ticks", resource = "cloud_run_revision", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "300s", more = "" },
    { title = "Canary entries that arrived, five minutes", metric = "logging.googleapis.com/user/provenfix/canaries", resource = "cloud_run_revision", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", period = "300s", more = "" },
  ]
}

resource "google_monitoring_dashboard" "provenfix" {
  project = var.project

  dashboard_json = jsonencode({
    displayName = "provenfix"
    mosaicLayout = {
      columns = 12
      tiles = [
        for place, chart in local.charts : {
          xPos   = place % 2 * 6
          yPos   = floor(place / 2) * 4
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = "metric.type=\"${chart.metric}\" AND resource.type=\"${chart.resource}\"${chart.more}"
                    aggregation = {
                      alignmentPeriod    = chart.period
                      perSeriesAligner   = chart.aligner
                      crossSeriesReducer = chart.reducer
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.counter, google_logging_metric.time_to_proposal]
}
