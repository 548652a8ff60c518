# Many services in two projects. provenfix.yaml lists them; Terraform takes projects, sinks and grants from it. From elsewhere:
#   source = "git::https://github.com/OWNER/provenfix.git//terraform?ref=VERSION"
# and the zips of `make bundle` from where your pipeline keeps them.

provider "google" {
  project = "shop-ops"
  region  = "europe-west1"

  default_labels = {
    application = "provenfix"
  }
}

module "provenfix" {
  source = "../.."

  project      = "shop-ops"
  region       = "europe-west1"
  config       = "${path.root}/provenfix.yaml"
  pythons      = ["3.13"] # besides those that provenfix.yaml names
  alert_emails = ["oncall@shop.example"]

  bundles = {
    functions = "${path.root}/../../../build/functions.zip"
    compile   = "${path.root}/../../../build/compile.zip"
  }
}

output "slack_manifest" {
  value = module.provenfix.slack_manifest
}

output "github_manifest" {
  value = module.provenfix.github_manifest
}

output "config" {
  value = module.provenfix.config
}
