# What is public, what is protected, and which mistakes of a person are told before anything is made. Run by
# tests/deploy/test_terraform.py, which puts a provenfix.yaml and the zips where they are looked for.

variables {
  project = "shop-ops"
  region  = "europe-west1"

  alert_emails = ["oncall@shop.example"]
}

run "only_signed_requests_come_from_outside" {
  command = plan

  assert {
    condition     = local.public == toset(["decide", "github"])
    error_message = "Only decide and github verify signatures."
  }
  assert {
    condition     = keys(google_cloud_run_v2_service.public) == tolist(local.public) && alltrue([for function in google_cloudfunctions2_function.function : function.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"])
    error_message = "A function that Pub/Sub calls is reached from inside alone."
  }
}

run "every_function_ends_before_its_message_is_delivered_again" {
  command = plan

  assert {
    condition     = alltrue([for name, topic in local.triggers : local.functions[name].timeout < google_pubsub_subscription.push[name].ack_deadline_seconds])
    error_message = "One delivery would be two."
  }
}

run "data_is_protected" {
  command = plan

  assert {
    condition     = google_firestore_database.state.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.state.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "The ledger is what keeps effects from being repeated."
  }
}

run "nothing_is_kept_warm_unless_it_is_asked_for" {
  command = plan

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : function.service_config[0].min_instance_count == 0]) && alltrue([for service in google_cloud_run_v2_service.public : service.template[0].scaling[0].min_instance_count == 0])
    error_message = "An idle installation costs next to nothing."
  }
}

run "decide_can_be_kept_warm" {
  command = plan
  variables {
    warm_decide = true
  }

  assert {
    condition     = [for name, service in google_cloud_run_v2_service.public : name if service.template[0].scaling[0].min_instance_count == 1] == ["decide"]
    error_message = "Only for clicks somebody waits."
  }
}

run "the_kill_switch_reaches_every_function" {
  command = plan
  variables {
    kill_switch = true
  }
  expect_failures = [check.kill_switch]

  assert {
    condition     = alltrue([for name, variables in local.environment : variables["PROVENFIX_KILL_SWITCH"] == "on"])
    error_message = "One that does not know of it could still deploy."
  }
}

run "more_versions_of_python" {
  command = plan
  variables {
    pythons = ["3.13"]
  }

  assert {
    condition     = keys(google_cloudfunctions2_function.compile) == ["3.11", "3.13"] && google_cloudfunctions2_function.compile["3.13"].build_config[0].runtime == "python313"
    error_message = "Those of the services and those that are asked for."
  }
}

run "a_python_that_the_platform_has_not" {
  command = plan
  variables {
    pythons = ["3.9"]
  }
  expect_failures = [var.pythons]
}

run "nobody_is_told" {
  command = plan
  variables {
    alert_emails = []
  }
  expect_failures = [check.somebody_is_told]
}

run "through_a_network" {
  command = plan
  variables {
    vpc_connector         = "projects/shop-net/locations/europe-west1/connectors/out"
    notification_channels = ["projects/shop-ops/notificationChannels/7"]
    alert_emails          = []
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.function : function.service_config[0].vpc_connector_egress_settings == "ALL_TRAFFIC"]) && alltrue([for service in google_cloud_run_v2_service.public : service.template[0].vpc_access[0].egress == "ALL_TRAFFIC"])
    error_message = "Everything that a function reaches is reached through the network."
  }
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.threshold : toset(alert.notification_channels) == var.notification_channels])
    error_message = "Channels that exist are told as well."
  }
}
