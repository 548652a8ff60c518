terraform {
  required_version = ">= 1.9" # input variables may refer to other values in their validation

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  default_labels = {
    application = "provenfix"
  }
}
