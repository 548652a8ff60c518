# A key of your own (`kms_key`) for all that is kept: topics, images, zips, documents, secrets, and the functions themselves.
# Each is encrypted by the agent of its platform service, which needs the key before anything is made with it. What was made
# without a key is made anew with one, but for the database, which keeps its incidents and cannot change its key.

locals {
  # https://cloud.google.com/functions/docs/securing/cmek, and the page of each service on customer-managed keys
  key_agents = var.kms_key == null ? {} : {
    for service, agent in {
      artifactregistry = "gcp-sa-artifactregistry"
      firestore        = "gcp-sa-firestore"
      functions        = "gcf-admin-robot"
      pubsub           = "gcp-sa-pubsub"
      run              = "serverless-robot-prod"
      secretmanager    = "gcp-sa-secretmanager"
      storage          = "gs-project-accounts"
    } : service => "serviceAccount:service-${data.google_project.own.number}@${agent}.iam.gserviceaccount.com"
  }
}

resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = local.key_agents

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value

  depends_on = [google_project_service.own]
}

resource "time_sleep" "key" {
  count = var.kms_key == null ? 0 : 1

  create_duration = "120s"
  triggers        = { agents = join(" ", [for grant in google_kms_crypto_key_iam_member.agent : grant.member]) }
}
