# Push subscriptions that belong to us, and not Eventarc triggers: Eventarc makes a subscription that Terraform does not
# own, on which neither dead letters nor the pauses between attempts can be set for good, and with retries switched off it
# drops what failed. The functions read a push as it is. A subscription delivers again until it is answered with 2xx.

locals {
  repeated = ["tick", "incident-due"] # by every tick
}

resource "google_service_account" "push" {
  for_each = local.triggers

  project      = var.project
  account_id   = "${local.prefix}push-${each.key}"
  display_name = "provenfix: calls ${each.key}, and nothing else"

  depends_on = [google_project_service.own]
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.triggers

  project  = var.project
  location = var.region
  name     = google_cloudfunctions2_function.function[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.push[each.key].member
}

# Pub/Sub signs its calls as that account. Projects of before April 2021 do not let it by themselves.
resource "google_service_account_iam_member" "push_token" {
  for_each = local.triggers

  service_account_id = google_service_account.push[each.key].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_subscription" "push" {
  for_each = local.triggers

  project                    = var.project
  name                       = "${local.prefix}${each.value}"
  topic                      = google_pubsub_topic.topic[each.value].id
  ack_deadline_seconds       = 600                                                       # more than any function may take
  message_retention_duration = contains(local.repeated, each.value) ? "600s" : "604800s" # the least for what the next tick says again
  retain_acked_messages      = false

  push_config {
    push_endpoint = google_cloudfunctions2_function.function[each.key].service_config[0].uri

    oidc_token {
      service_account_email = google_service_account.push[each.key].email
      audience              = google_cloudfunctions2_function.function[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = contains(local.repeated, each.value) ? "10s" : "20s"
    maximum_backoff = "600s"
  }

  # An answer of 429, where no instance is free, counts as an attempt as well: a storm would make dead letters of the entries
  # that wait for their turn. Fifty attempts last more than seven hours. A tick that fails is followed by another, and an alert tells that they fail.
  dynamic "dead_letter_policy" {
    for_each = contains(local.repeated, each.value) ? [] : [each.value]

    content {
      dead_letter_topic     = google_pubsub_topic.dead_letters.id
      max_delivery_attempts = 50
    }
  }

  expiration_policy {
    ttl = "" # never, however quiet it is
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push, google_service_account_iam_member.push_token]
}
