# What could not be delivered. The subscription is what keeps it: a topic without one drops all that it is given.

resource "google_pubsub_topic" "dead_letters" {
  # checkov:skip=CKV_GCP_83:the same messages as in the other topics
  project = var.project
  name    = "${local.prefix}dead-letters"

  kms_key_name = var.kms_key

  depends_on = [google_project_service.own, time_sleep.key]
}

resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project
  name                       = "${local.prefix}dead-letters" # `provenfix dlq` reads it
  topic                      = google_pubsub_topic.dead_letters.id
  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s" # 31 days, the most: somebody has to come and look

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves a message: it publishes the copy, and then acknowledges the original.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = var.project
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = { for function, topic in local.triggers : function => topic if !contains(local.repeated, topic) }

  project      = var.project
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
