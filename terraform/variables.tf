variable "project" {
  description = "The project in which provenfix itself runs; not one that it watches, so that neither owns the other's rights."
  type        = string
}

variable "region" {
  description = "Where the functions run and the state is kept."
  type        = string
}

variable "config" {
  description = "The file of the watched services; the functions get the same one."
  type        = string
  default     = "../provenfix.yaml"
}

variable "sink_folder" {
  description = "The number of the folder that holds the projects of all watched services: its sinks take their entries, and the projects need none. Null makes two sinks in each project."
  type        = string
  default     = null

  validation {
    condition     = var.sink_folder == null || can(regex("^[0-9]+$", var.sink_folder))
    error_message = "A folder is named by its number, such as 123456789012."
  }
}

variable "bundles" {
  description = "The zips that `make bundle` writes."
  type        = object({ functions = string, compile = string })
  default     = { functions = "../build/functions.zip", compile = "../build/compile.zip" }
}

variable "pythons" {
  description = "Minor versions of Python that watched services run on, besides those that the file names."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for version in var.pythons : can(regex("^3\\.1[0-4]$", version))])
    error_message = "Cloud Functions deploys Python 3.10 to 3.14; for others leave the version out, and ruff judges."
  }
}

variable "alert_emails" {
  description = "Who is notified when provenfix itself does not work."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "Channels of Cloud Monitoring that exist already, such as Slack, PagerDuty or Pub/Sub, by their full names."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for channel in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", channel))])
    error_message = "A notification channel is named projects/P/notificationChannels/N."
  }
}

variable "vpc_connector" {
  description = "A Serverless VPC Access connector through which the functions reach everything, where a network has to be between; by its full name."
  type        = string
  default     = null
}

variable "kill_switch" {
  description = "True stops every deployment by provenfix; questions are still asked."
  type        = bool
  default     = false
}

variable "warm_decide" {
  description = "Keeps one instance of `decide` ready, so that no click in Slack meets a cold start; see the cost table."
  type        = bool
  default     = false
}

variable "keep_data" {
  description = "False lets `terraform destroy` delete incidents, decisions and the ledger; apply it before you destroy."
  type        = bool
  default     = true
}
