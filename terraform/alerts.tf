# When provenfix itself does not work. Each alert says what to do.

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  project      = var.project
  display_name = "provenfix: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.own]
}

locals {
  channels = concat([for channel in google_monitoring_notification_channel.email : channel.id], sort(var.notification_channels))

  # More than nothing, at once.
  thresholds = {
    dead_letters = {
      title    = "a message could not be delivered"
      severity = "ERROR"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\""
      aligner  = "ALIGN_MAX"
      duration = "0s"
      more     = 0
      todo     = "`provenfix dlq list` shows the messages. When the cause is fixed, `provenfix dlq replay` delivers them again; `provenfix dlq drop` gives them up."
    }
    undelivered = {
      title    = "messages of one subscription become dead letters"
      severity = "ERROR" # each subscription by itself: the alert names it
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/dead_letter_message_count\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=starts_with(\"${local.prefix}\")"
      aligner  = "ALIGN_DELTA"
      duration = "0s"
      more     = 0
      todo     = "`resource.labels.subscription_id` names the topic; the log lines of its function say why."
    }
    waiting = {
      title    = "a message has waited for an hour"
      severity = "ERROR"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=starts_with(\"${local.prefix}\") AND resource.labels.subscription_id!=\"${google_pubsub_subscription.dead_letters.name}\""
      aligner  = "ALIGN_MAX"
      duration = "0s"
      more     = 3600
      todo     = "The function of that subscription answers late or not at all: its log lines with `outcome=\"retry\"` say why."
    }
    refused = {
      title    = "pushes are refused"
      severity = "ERROR"
      filter   = "metric.type=\"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=starts_with(\"${local.prefix}\") AND metric.labels.response_class=\"remote_server_4xx\""
      aligner  = "ALIGN_DELTA"
      duration = "600s"
      more     = 0
      todo     = "401 and 403: the caller's account may not call the function; `terraform plan` shows what differs. 429: no instance is free."
    }
    busy = {
      title    = "a function has no instance free"
      severity = "WARNING"
      filter   = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=starts_with(\"${local.prefix}\") AND metric.labels.response_code=\"429\""
      aligner  = "ALIGN_DELTA"
      duration = "600s"
      more     = 10
      todo     = "Each counts as a delivery attempt. In a storm it passes; else raise `most` of that function in functions.tf."
    }
    quota = {
      title    = "the log's quota of reads is used up"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["quota"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA"
      duration = "600s"
      more     = 0
      todo     = "Cloud Logging answers sixty reads a minute for a project: ask for more quota, or look what else reads there."
    }
    slow_rounds = {
      title    = "a look takes too long"
      severity = "WARNING"
      filter   = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.prefix}verify\""
      aligner  = "ALIGN_PERCENTILE_99"
      duration = "600s"
      more     = 120000 # milliseconds; a round is as many looks side by side as there are instances
      todo     = "The log lines of `verify` name the incident. Where many are watched at once, raise `most` of verify in functions.tf."
    }
    slow_clicks = {
      title    = "clicks are answered late"
      severity = "WARNING"
      filter   = "metric.type=\"run.googleapis.com/request_latencies\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${local.prefix}decide\""
      aligner  = "ALIGN_PERCENTILE_95"
      duration = "0s"
      more     = 2000 # Slack waits 3,000 milliseconds
      todo     = "`warm_decide = true` keeps an instance ready."
    }
    unanswered = {
      title    = "nobody answers a question"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["unanswered"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA"
      duration = "0s"
      more     = 0
      todo     = "Half of the time is over in which somebody can approve or deny it in Slack. `remind_after` and `escalate_to` remind people earlier."
    }
    stopped = {
      title    = "the kill switch is on"
      severity = "WARNING"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["stopped"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA"
      duration = "900s" # who turns it for a moment knows it
      more     = 0
      todo     = "Nothing is deployed, whatever people approve. `provenfix stop` says who turned it on, `provenfix resume` turns it off; `kill_switch = true` in Terraform is another one."
    }
    crashes = {
      title    = "a function crashed"
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["crashes"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA"
      duration = "0s"
      more     = 0
      todo     = "Look for `jsonPayload.provenfix.outcome=\"crashed\"` in the logs: `raised` and `frames` say what and where. The message is delivered again by itself."
    }
    crowded = {
      title    = "a service has too many open incidents for another one"
      severity = "ERROR" # each entry is delivered again ten times; the last one makes it a dead letter
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["crowded"].name}\" AND resource.type=\"cloud_run_revision\""
      aligner  = "ALIGN_DELTA"
      duration = "0s"
      more     = 0
      todo     = "`jsonPayload.provenfix.reason=\"too_many_incidents\"` in the logs: `detail` names the service, and whether its incidents are open or wait for `investigate`. Close the issues that are settled; where they wait, look why `investigate` does not answer."
    }
    failing = {
      title    = "a function keeps answering with 5xx"
      severity = "WARNING"
      filter   = "metric.type=\"run.googleapis.com/request_count\" AND resource.type=\"cloud_run_revision\" AND resource.labels.service_name=starts_with(\"${local.prefix}\") AND metric.labels.response_code_class=\"5xx\""
      aligner  = "ALIGN_DELTA"
      duration = "600s" # an answer that is lost, or a limit that was met, goes away by itself
      more     = 2
      todo     = "`provenfix doctor` says which of GitHub, Slack and Google does not let it in; the function's log lines with `outcome=\"retry\"` say why."
    }
    sinks = {
      title    = "a log sink cannot deliver"
      severity = "ERROR"
      filter   = "metric.type=\"logging.googleapis.com/exports/error_count\" AND resource.type=\"logging_sink\" AND resource.labels.name=starts_with(\"${local.prefix}\")"
      aligner  = "ALIGN_DELTA"
      duration = "0s"
      more     = 0
      todo     = "The sink's writer may not publish to the topic, or the topic is gone: `terraform plan` shows what differs."
    }
  }

  # Nothing, for too long.
  absences = {
    ticks = {
      title    = "no round is begun"
      severity = "CRITICAL" # nothing is watched, expires or is rolled back meanwhile
      duration = "600s"
      todo     = "Is the job provenfix-tick paused? Does provenfix-schedule answer? Messages on the subscription provenfix-tick say which of the two."
    }
    canaries = {
      title    = "the canary entry is late"
      severity = "CRITICAL" # failures of watched services may not arrive either
      duration = "1200s"    # four of them in a row
      todo     = "Follow its way: the job provenfix-canary, the sink provenfix-canary, the topic provenfix-log-entries, the function provenfix-record."
    }
  }
}

# An alert on a metric of the log is refused with 404 until Cloud Monitoring knows the metric, which takes up to ten minutes:
# the second stage of the same apply. https://cloud.google.com/logging/docs/logs-based-metrics, read 2026-11-26
resource "time_sleep" "metrics" {
  create_duration = "600s"
  triggers        = { metrics = join(" ", [for metric in google_logging_metric.counter : metric.name]) }
}

resource "google_monitoring_alert_policy" "threshold" {
  for_each = local.thresholds

  project               = var.project
  display_name          = "provenfix: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.more
      duration        = each.value.duration

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = each.value.aligner
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = each.value.todo
    mime_type = "text/markdown"
  }

  depends_on = [google_monitoring_monitored_project.watched, time_sleep.metrics]
}

resource "google_monitoring_alert_policy" "absence" {
  for_each = local.absences

  project               = var.project
  display_name          = "provenfix: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels

  conditions {
    display_name = each.value.title

    condition_absent {
      filter   = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter[each.key].name}\" AND resource.type=\"cloud_run_revision\""
      duration = each.value.duration

      # Revisions come and go: the sum of all of them is what must not be missing.
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    content   = each.value.todo
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.metrics]
}

check "somebody_is_told" {
  assert {
    condition     = length(var.alert_emails) + length(var.notification_channels) > 0
    error_message = "Nobody is notified when provenfix itself does not work: set alert_emails or notification_channels."
  }
}

check "kill_switch" {
  assert {
    condition     = !var.kill_switch
    error_message = "The kill switch is on: nothing is deployed, whatever people approve."
  }
}
