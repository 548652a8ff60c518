# The zips, under names that their content decides: the same content is the same object and changes nothing, other content
# is another object, which is what makes Cloud Functions build anew.

resource "google_storage_bucket" "source" {
  # checkov:skip=CKV_GCP_62:nothing private: the zips are built from public sources, and holds of them are in Terraform's state
  # checkov:skip=CKV_GCP_78:objects are never overwritten, their names are their content
  name                        = "${var.project}-provenfix-source"
  project                     = var.project
  location                    = var.region
  force_destroy               = true # `make bundle` makes them again
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.own, time_sleep.key]
}

resource "google_storage_bucket_object" "functions" {
  name   = "functions-${filesha256(var.bundles.functions)}.zip"
  bucket = google_storage_bucket.source.name
  source = var.bundles.functions

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_storage_bucket_object" "compile" {
  name   = "compile-${filesha256(var.bundles.compile)}.zip"
  bucket = google_storage_bucket.source.name
  source = var.bundles.compile

  lifecycle {
    create_before_destroy = true
  }
}
