"""The database and what it deletes by itself: one check for each out."""

from collections.abc import Iterator

from functions.cli.doctor_checks.accounts import Accounts
from functions.cli.doctor_checks.finding import Check, Found, missing, ok

_FIRESTORE = "firestore.googleapis.com"
FLEETING = ("caps", "deliveries", "rejections")
"""Collections whose documents are of use for a while only; as terraform/firestore.tf has them."""
FIELD = "expires"


class Database:
    """The checks of one database."""

    def __init__(self, accounts: Accounts, project: str, database: str) -> None:
        self._ask, self._project, self._database = accounts.person, project, database

    def checks(self) -> Iterator[Check]:
        """The database itself comes first."""
        yield Check("database", self._database, self._exists)
        for collection in FLEETING:
            yield Check("ttl", f"{collection}.{FIELD}", lambda at=collection: self._fleeting(at))  # type: ignore[misc]

    def _exists(self) -> Found:
        answer = self._ask.get(_FIRESTORE, f"/v1/projects/{self._project}/databases/{self._database}")
        if answer.value.get("type") == "FIRESTORE_NATIVE":
            return ok(f"in {answer.value.get('locationId', 'an unknown place')}")
        what = "It is not in native mode." if answer.done else "It does not exist."
        create = f"gcloud firestore databases create --database='{self._database}' --location=REGION"
        return missing(what, f"{create} --project={self._project}")

    def _fleeting(self, collection: str) -> Found:
        groups = f"/v1/projects/{self._project}/databases/{self._database}/collectionGroups"
        answer = self._ask.get(_FIRESTORE, f"{groups}/{collection}/fields/{FIELD}")
        state = (answer.value.get("ttlConfig") or {}).get("state")
        if state in {"ACTIVE", "CREATING"}:
            return ok(str(state).lower())
        enable = f"gcloud firestore fields ttls update {FIELD} --collection-group={collection} --enable-ttl"
        where = f"--database='{self._database}' --project={self._project}"
        return missing("Documents that have expired are kept for ever.", f"{enable} {where}")
