# The secrets that provenfix.yaml refers to. Terraform makes the places; a person puts the values in, so that none of
# them is ever in Terraform's state.

resource "google_secret_manager_secret" "secret" {
  for_each = local.secrets

  project   = each.value.project
  secret_id = each.value.id

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null || each.value.project != var.project ? [] : [var.kms_key]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.own, time_sleep.key]
}

# Which function reads which: `secrets` in access.yaml.
resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = merge([
    for name, function in local.access.functions : {
      for key in function.secrets : "${name} ${key}" => { function = name, key = key } if contains(keys(local.secrets), key)
    }
  ]...)

  project   = google_secret_manager_secret.secret[each.value.key].project
  secret_id = google_secret_manager_secret.secret[each.value.key].secret_id
  role      = local.access.roles.secret_reader.role
  member    = google_service_account.function[each.value.function].member
}
