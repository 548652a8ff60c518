# No provider is configured here, so that this folder can be a module of another configuration as well as a root by itself:
# every resource names its project and its place. Labels for all of them: `default_labels`, as in examples/.
terraform {
  required_version = ">= 1.9" # input variables may refer to other values in their validation

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 9.0"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }
}
