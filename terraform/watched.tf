# What the functions may in the projects of the watched services, on the smallest thing that the platform knows.

# What is deployed now tells which account it runs as and which repository its image comes from.
data "google_cloud_run_v2_service" "watched" {
  for_each = local.services

  project  = each.value.project
  location = each.value.region
  name     = each.value.name
}

locals {
  per_service = {
    for pair in setproduct(keys(local.services), local.on["service"]) :
    "${pair[0]} ${pair[1].function} ${pair[1].role}" => { service = local.services[pair[0]], function = pair[1].function, role = pair[1].role }
  }
  # Where logs are kept that a sink routes to a project which none of the services runs in: they are read there.
  log_projects = setsubtract(toset(compact([for service in local.config.services : try(service.log_project, "")])), local.projects)
  per_project = {
    for pair in setunion(
      setproduct(local.projects, local.on["project"]),
      setproduct(local.log_projects, [for needed in local.on["project"] : needed if needed.role == "log_reader"]),
    ) :
    "${pair[0]} ${pair[1].function} ${pair[1].role}" => { project = pair[0], function = pair[1].function, role = pair[1].role }
  }

  # The container with the port is the one that serves; others are beside it.
  serving_images = {
    for id, service in data.google_cloud_run_v2_service.watched : id => concat(
      [for container in service.template[0].containers : container.image if try(length(container.ports), 0) > 0],
      [for container in service.template[0].containers : container.image],
    )[0]
  }

  # Where an image is kept, maybe in another project: the rule that the functions read as well. Other registries hold no
  # image that could be deployed.
  image_names = jsondecode(file("${path.module}/../shared/adapters/google/image_names.json"))
  image_parts = { for id, image in local.serving_images : id => concat([for form in local.image_names.forms : regexall(form, image)]...) }
  repositories = {
    for id, found in local.image_parts : id => length(found) == 0 ? null : {
      project    = replace(found[0].project, "/", ":")
      location   = try(found[0].location, local.image_names.container_registry_locations[found[0].host])
      repository = try(found[0].repository, found[0].host)
    }
  }
  per_repository = {
    for pair in setproduct(toset([for id, found in local.repositories : "${found.project}/${found.location}/${found.repository}" if found != null]), local.on["repository"]) :
    "${pair[0]} ${pair[1].function} ${pair[1].role}" => { repository = split("/", pair[0]), function = pair[1].function, role = pair[1].role }
  }

  runtimes = toset([for service in data.google_cloud_run_v2_service.watched : service.template[0].service_account])
  # Only a service that a trigger deploys wants anything for triggers.
  build_triggers = {
    for id, service in local.services : id => regex(
      "^projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/triggers/(?P<trigger>.+)$", service.deploy_trigger
    ) if try(service.deploy_method, "") == "cloud_build"
  }
  trigger_projects = toset([for trigger in local.build_triggers : trigger.project])
  per_trigger = {
    for pair in setproduct(local.trigger_projects, local.on["trigger"]) :
    "${pair[0]} ${pair[1].function} ${pair[1].role}" => { project = pair[0], function = pair[1].function, role = pair[1].role }
  }
  # `projects/P/serviceAccounts/EMAIL`; "" where the trigger names none, and nobody has to act as one then.
  builders = toset([for trigger in data.google_cloudbuild_trigger.deploying : basename(trigger.service_account) if try(length(trigger.service_account), 0) > 0])
  per_builder = {
    for pair in setproduct(local.builders, local.on["builder"]) :
    "${pair[0]} ${pair[1].function}" => { account = pair[0], function = pair[1].function, role = pair[1].role }
  }

  per_runtime = {
    for pair in setproduct(local.runtimes, local.on["runtime"]) :
    "${pair[0]} ${pair[1].function}" => { account = pair[0], function = pair[1].function, role = pair[1].role }
  }
}

resource "google_cloud_run_v2_service_iam_member" "watched" {
  for_each = local.per_service

  project  = each.value.service.project
  location = each.value.service.region
  name     = each.value.service.name
  role     = local.bound_roles["${each.value.service.project} ${each.value.role}"]
  member   = google_service_account.function[each.value.function].member
}

# Where IAM asks who calls, the probe says so: a service that is probed lets these two in.
resource "google_cloud_run_v2_service_iam_member" "prober" {
  for_each = {
    for pair in setproduct([for id, service in local.services : id if try(length(service.probe_url), 0) > 0], [for name in ["investigate", "verify"] : name if contains(keys(local.functions), name)]) :
    "${pair[0]} ${pair[1]}" => { service = local.services[pair[0]], function = pair[1] }
  }

  project  = each.value.service.project
  location = each.value.service.region
  name     = each.value.service.name
  role     = "roles/run.invoker"
  member   = google_service_account.function[each.value.function].member
}

resource "google_project_iam_member" "watched" {
  for_each = local.per_project

  project = each.value.project
  role    = local.bound_roles["${each.value.project} ${each.value.role}"]
  member  = google_service_account.function[each.value.function].member
}

# Which account a trigger's builds run as.
data "google_cloudbuild_trigger" "deploying" {
  for_each = local.build_triggers

  project    = each.value.project
  location   = each.value.location
  trigger_id = each.value.trigger
}

resource "google_project_iam_member" "trigger" {
  for_each = local.per_trigger

  project = each.value.project
  role    = local.bound_roles["${each.value.project} ${each.value.role}"]
  member  = google_service_account.function[each.value.function].member
}

# Whoever starts a build must be allowed to act as the account that it runs as.
resource "google_service_account_iam_member" "builder" {
  for_each = local.per_builder

  service_account_id = "projects/-/serviceAccounts/${each.value.account}"
  role               = local.access.roles[each.value.role].role
  member             = google_service_account.function[each.value.function].member
}

resource "google_artifact_registry_repository_iam_member" "watched" {
  for_each = local.per_repository

  project    = each.value.repository[0]
  location   = each.value.repository[1]
  repository = each.value.repository[2]
  role       = local.access.roles[each.value.role].role
  member     = google_service_account.function[each.value.function].member
}

# A new revision runs as the account of the old one, and whoever deploys it must be allowed to act as that.
resource "google_service_account_iam_member" "watched" {
  for_each = local.per_runtime

  service_account_id = "projects/-/serviceAccounts/${each.value.account}"
  role               = local.access.roles[each.value.role].role
  member             = google_service_account.function[each.value.function].member
}

check "images" {
  assert {
    condition     = alltrue([for id, found in local.repositories : found != null])
    error_message = "These services run an image that is not in Artifact Registry, so no other commit of theirs can be deployed by its image: ${join(", ", [for id, found in local.repositories : id if found == null])}."
  }
}
