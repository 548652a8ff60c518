resource "google_pubsub_topic" "topic" {
  # checkov:skip=CKV_GCP_83:log entries that Cloud Logging keeps under Google's keys, too
  for_each = toset(values(local.triggers))

  project                    = var.project
  name                       = "${local.prefix}${each.key}"
  kms_key_name               = var.kms_key
  message_retention_duration = "604800s" # a week, so that a subscription can be wound back after a mistake of ours

  depends_on = [google_project_service.own, time_sleep.key]
}

# Which function publishes what: `topics` in access.yaml.
resource "google_pubsub_topic_iam_member" "publisher" {
  for_each = merge([
    for name, function in local.access.functions : { for topic in function.topics : "${name} ${topic}" => { function = name, topic = topic } }
  ]...)

  project = var.project
  topic   = google_pubsub_topic.topic[each.value.topic].name
  role    = local.access.roles.publisher.role
  member  = google_service_account.function[each.value.function].member
}
