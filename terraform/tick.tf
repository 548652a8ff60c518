# Every minute `schedule` asks `verify` for a look at what is not at rest. Cloud Scheduler publishes as its own agent, which may by itself.

resource "google_cloud_scheduler_job" "tick" {
  project     = var.project
  region      = var.region
  name        = "${local.prefix}tick"
  description = "provenfix: a look at every incident that is not at rest"
  schedule    = "* * * * *"
  time_zone   = "Etc/UTC"

  pubsub_target {
    topic_name = google_pubsub_topic.topic["tick"].id
    data       = base64encode("{}") # a message without data cannot be told from a broken one
  }

  retry_config {
    retry_count = 0 # the next minute brings the next one
  }
}
