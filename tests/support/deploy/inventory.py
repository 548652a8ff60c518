"""A state comes in, one line for each resource with its key attributes goes out, in the order of addresses.

Grants and custom roles are not in it, they follow access.yaml (see grants.py), nor are the places of secrets, which
follow provenfix.yaml. `python -m tests.support.deploy.inventory` writes the lines that the tests expect; read their
difference after a change to Terraform.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.deploy.deployment import ONE_SERVICE, THREE_SERVICES, Resource, apply_deployment, prepare_deployment

EXPECTED = Path(__file__).parents[2] / "deploy/expected"
CONFIGS = {"one": ONE_SERVICE, "three": THREE_SERVICES}

_LONG = frozenset(("filter", "content", "dashboard_json", "secret_data", "body", "description", "display_name"))
"""Judged by tests of their own, or for people."""
_NOT_OURS = frozenset(("description", "effective_labels", "terraform_labels", "timeouts", "google_labels"))


def inventory_lines(state: Iterable[Resource]) -> list[str]:
    """`google_pubsub_topic.topic["tick"] name=provenfix-tick project=shop-ops …`"""
    return sorted(
        " ".join([resource.address, *_flat(resource.values)]) for resource in state if not judged_elsewhere(resource)
    )


def judged_elsewhere(resource: Resource) -> bool:
    """Whether another test than that of the inventory says what a resource must be."""
    return resource.type.endswith(("_iam_member", "_iam_custom_role")) or "_secret.secret[" in resource.address


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    """`name=value` for each argument that was given; what the stand-in invented is left out."""
    told: list[str] = []
    for name, value in sorted(values.items()):
        if name in _LONG | _NOT_OURS or value in (None, "", [], {}, False, 0) or _invented(value):
            continue
        if isinstance(value, list) and isinstance(value[0], dict):
            for index, item in enumerate(value):
                told += _flat(item, f"{prefix}{name}{f'[{index}]' if len(value) > 1 else ''}.")
        elif isinstance(value, dict):
            told += _flat(value, f"{prefix}{name}.")
        else:
            told.append(f"{prefix}{name}={json.dumps(value) if isinstance(value, list) else value}")
    return told


def _invented(value: object) -> bool:
    return isinstance(value, str) and value.startswith("google_") and " of " in value


def main() -> None:
    for name, config in CONFIGS.items():
        with tempfile.TemporaryDirectory() as folder:
            lines = inventory_lines(
                apply_deployment(prepare_deployment(Path(folder), config, alert_emails=["oncall@acme.example"]))
            )
        EXPECTED.mkdir(exist_ok=True)
        (EXPECTED / f"{name}.txt").write_text("\n".join(lines) + "\n", "utf-8")
        print(f"{name}: {len(lines)} resources", file=sys.stderr)


if __name__ == "__main__":
    main()
