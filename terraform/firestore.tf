resource "google_firestore_database" "state" {
  project                           = var.project
  name                              = "provenfix" # not `(default)`, which something else in the project may have
  location_id                       = var.region
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC" # claims are creations, changes are compared with an update time; no locks
  app_engine_integration_mode       = "DISABLED"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED" # the last seven days, to the minute
  delete_protection_state           = var.keep_data ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.keep_data ? "ABANDON" : "DELETE"

  dynamic "cmek_config" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      kms_key_name = cmek_config.value
    }
  }

  depends_on = [google_project_service.own, time_sleep.key]
}

# Firestore has no policy of its own: the condition on the project's names the one database.
resource "google_project_iam_member" "database" {
  for_each = { for pair in local.on["database"] : "${pair.function} ${pair.role}" => pair }

  project = var.project
  role    = local.bound_roles["${var.project} ${each.value.role}"]
  member  = google_service_account.function[each.value.function].member

  condition {
    title      = "provenfix's database"
    expression = "resource.name == \"projects/${var.project}/databases/${google_firestore_database.state.name}\""
  }
}

# Every query is one equality on `fields.…` in the order of names, which the indexes of single fields answer: no composite
# index is needed, and a test says so. The document's text is never asked for: an index of it costs more than the document.
resource "google_firestore_field" "text" {
  for_each = toset([
    "branch_states", "caps", "causes", "decisions", "defects", "deliveries", "effects", "fork_tallies", "incidents",
    "proposals", "radars", "rejections", "reports", "rollouts", "serving_states", "trial_candidates", "trials",
  ])

  project    = var.project
  database   = google_firestore_database.state.name
  collection = each.key
  field      = "json"

  index_config {}
}

# What is of use for a while only. Deleted some time after it expired, so nothing relies on it.
resource "google_firestore_field" "expires" {
  for_each = toset(["caps", "deliveries", "fork_tallies", "rejections"])

  project    = var.project
  database   = google_firestore_database.state.name
  collection = each.key
  field      = "expires"

  ttl_config {}
  index_config {} # values that only grow would make one place of the index hot
}
