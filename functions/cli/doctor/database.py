"""Checks of the database and of its expiring collections."""

from collections.abc import Iterator

from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, build_missing_result, build_ok_result

_FIRESTORE = "firestore.googleapis.com"
EXPIRING_COLLECTIONS = ("caps", "deliveries", "fork_tallies", "rejections")
"""Collections whose documents are of use for a while only; as terraform/firestore.tf has them."""
EXPIRY_FIELD = "expires"


class DatabaseChecks:
    """The checks of one database."""

    def __init__(self, accounts: Accounts, project: str, database: str) -> None:
        self._client, self._project, self._database = accounts.user_client, project, database

    def checks(self) -> Iterator[Check]:
        """The database itself comes first."""
        yield Check("database", self._database, self._check_exists)
        for collection in EXPIRING_COLLECTIONS:
            yield Check("ttl", f"{collection}.{EXPIRY_FIELD}", lambda at=collection: self._check_ttl(at))  # type: ignore[misc]

    def _check_exists(self) -> CheckResult:
        answer = self._client.get(_FIRESTORE, f"/v1/projects/{self._project}/databases/{self._database}")
        if answer.value.get("type") == "FIRESTORE_NATIVE":
            return build_ok_result(f"in {answer.value.get('locationId', 'an unknown place')}")
        what = "It is not in native mode." if answer.is_success else "It does not exist."
        create = f"gcloud firestore databases create --database='{self._database}' --location=REGION"
        return build_missing_result(what, f"{create} --project={self._project}")

    def _check_ttl(self, collection: str) -> CheckResult:
        groups = f"/v1/projects/{self._project}/databases/{self._database}/collectionGroups"
        answer = self._client.get(_FIRESTORE, f"{groups}/{collection}/fields/{EXPIRY_FIELD}")
        state = (answer.value.get("ttlConfig") or {}).get("state")
        if state in {"ACTIVE", "CREATING"}:
            return build_ok_result(str(state).lower())
        enable = f"gcloud firestore fields ttls update {EXPIRY_FIELD} --collection-group={collection} --enable-ttl"
        where = f"--database='{self._database}' --project={self._project}"
        return build_missing_result("Expired documents are never deleted.", f"{enable} {where}")
