# Remote state, and a label on all that can have one: copy beside the other files as backend.tf. The bucket is made by hand once, with versions kept:
#   gcloud storage buckets create gs://shop-ops-terraform --project=shop-ops --location=europe-west1 \
#       --uniform-bucket-level-access --public-access-prevention
#   gcloud storage buckets update gs://shop-ops-terraform --versioning
# The state holds provenfix.yaml and no secret.
terraform {
  backend "gcs" {
    bucket = "shop-ops-terraform"
    prefix = "provenfix"
  }
}

provider "google" {
  default_labels = {
    application = "provenfix"
  }
}
