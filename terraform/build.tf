# The builds of the functions' images, by an account of their own: the default one may edit the project.

resource "google_artifact_registry_repository" "images" {
  # checkov:skip=CKV_GCP_84:images of public sources
  project       = var.project
  location      = var.region
  repository_id = "${local.prefix}functions"
  format        = "DOCKER"
  description   = "Images of provenfix's functions"
  kms_key_name  = var.kms_key

  cleanup_policies {
    id     = "old-builds"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }
  cleanup_policies {
    id     = "for-rollbacks"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5
    }
  }

  depends_on = [google_project_service.own, time_sleep.key]
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${local.prefix}build"
  display_name = "provenfix: builds of the functions"

  depends_on = [google_project_service.own]
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project
  location   = var.region
  repository = google_artifact_registry_repository.images.repository_id
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

resource "google_project_iam_member" "build" {
  for_each = {
    log = { role = "roles/logging.logWriter", title = null, expression = null }
    source = {
      role       = "roles/storage.objectViewer"
      title      = "the functions' sources"
      expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.own.number}-\") || resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.source.name}/\")"
    }
  }

  project = var.project
  role    = each.value.role
  member  = google_service_account.build.member

  dynamic "condition" {
    for_each = each.value.expression == null ? [] : [each.value]

    content {
      title      = condition.value.title # Cloud Functions copies a source into a bucket of its own before it builds
      expression = condition.value.expression
    }
  }
}
