# One account for each function, with exactly the roles that its calls need: `functions`, `google` and `roles` of
# access.yaml, which a test holds against what the functions really call.

resource "google_service_account" "function" {
  for_each = local.functions

  project      = var.project
  account_id   = "${local.prefix}${each.key}"
  display_name = "provenfix: ${each.key}"

  depends_on = [google_project_service.own]
}

locals {
  # function => the names of its roles
  roles = {
    for name, function in local.access.functions : name => toset(flatten([for call in function.google : keys(local.access.google[call])]))
  }

  # The roles that are bound to a kind of thing, for each function: `on["service"]` is a list of { function, role }.
  on = {
    for kind in toset([for role in local.access.roles : role.bound_to]) : kind => flatten([
      for name, roles in local.roles : [for role in roles : { function = name, role = role } if local.access.roles[role].bound_to == kind]
    ])
  }

  used_roles = setunion([], values(local.roles)...)

  # A custom role is made in each project that binds it.
  custom_roles = merge(
    { for id, role in local.access.roles : "${var.project} ${id}" => merge(role, { project = var.project }) if try(role.custom, null) != null && contains(local.used_roles, id) && role.bound_to == "database" },
    merge([
      for project in local.projects : { for id, role in local.access.roles : "${project} ${id}" => merge(role, { project = project }) if try(role.custom, null) != null && contains(local.used_roles, id) && !contains(["database", "trigger"], role.bound_to) }
    ]...),
    merge([
      for project in local.log_projects : { "${project} log_reader" = merge(local.access.roles.log_reader, { project = project }) }
    ]...),
    merge([
      for project in local.trigger_projects : { for id, role in local.access.roles : "${project} ${id}" => merge(role, { project = project }) if try(role.custom, null) != null && contains(local.used_roles, id) && role.bound_to == "trigger" }
    ]...),
  )
}

resource "google_project_iam_custom_role" "role" {
  for_each = local.custom_roles

  project     = each.value.project
  role_id     = each.value.custom
  title       = each.value.custom
  description = "provenfix: ${each.value.why}"
  permissions = each.value.permissions
}

locals {
  # project and role => what a binding names
  bound_roles = merge(
    { for id, role in local.access.roles : "${var.project} ${id}" => role.role if try(role.role, null) != null },
    merge([for project in local.projects : { for id, role in local.access.roles : "${project} ${id}" => role.role if try(role.role, null) != null }]...),
    { for key, role in google_project_iam_custom_role.role : key => role.name },
  )
}
