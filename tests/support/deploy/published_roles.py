"""What Google's predefined roles may, reviewed: no package of the registries carries their list.

Taken from the published reference of roles and permissions in November 2026, each role's own API alone.
https://cloud.google.com/iam/docs/roles-permissions
"""

PUBLISHED = {
    "roles/pubsub.publisher": {"pubsub.topics.publish"},
    "roles/secretmanager.secretAccessor": {"secretmanager.versions.access"},
    "roles/run.invoker": {"run.jobs.run", "run.routes.invoke"},
    "roles/cloudbuild.builds.viewer": {
        "cloudbuild.builds.get",
        "cloudbuild.builds.list",
        "cloudbuild.operations.get",
        "cloudbuild.operations.list",
    },
    "roles/artifactregistry.reader": {
        "artifactregistry.dockerimages.get",
        "artifactregistry.dockerimages.list",
        "artifactregistry.files.get",
        "artifactregistry.files.list",
        "artifactregistry.packages.get",
        "artifactregistry.packages.list",
        "artifactregistry.repositories.downloadArtifacts",
        "artifactregistry.repositories.get",
        "artifactregistry.repositories.list",
        "artifactregistry.tags.get",
        "artifactregistry.tags.list",
        "artifactregistry.versions.get",
        "artifactregistry.versions.list",
    },
    "roles/iam.serviceAccountUser": {
        "iam.serviceAccounts.actAs",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.list",
    },
}
