"""`gcloud` and `terraform` of an invented project: started under either name, with the project in a file beside it.

It behaves as the platform does where a setup could go wrong: an API that is not enabled refuses, what exists cannot be
made again, what is imported must exist, an account must exist before anything is granted on it, and an entry of a
log takes its time. `fail` holds the beginnings of command lines that fail once. It reads nothing but its own folder.
"""

import fcntl
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

World = dict[str, Any]
"""As `empty_project` of world.py makes it."""
NUMBER = "417002331"
READ_ONLY = ("record", "investigate", "verify")
FUNCTIONS = ("record", "investigate", "decide", "redeploy", "check", "verify", "github")


class Refused(Exception):
    """The sentence after `ERROR:`."""


def option(args: list[str], name: str, default: str = "") -> str:
    return next((item.partition("=")[2] for item in args if item.startswith(f"--{name}=")), default)


def require_api(world: World, api: str) -> None:
    if f"{api}.googleapis.com" not in world["apis"]:
        raise Refused(f"PERMISSION_DENIED: {api} API has not been used in project {NUMBER} before or it is disabled.")


def run_gcloud(world: World, args: list[str], stdin: str) -> str:
    for words, action in GCLOUD:
        known = words.split()
        if args[: len(known)] == known:
            return str(action(world, args[len(known) :], stdin))
    raise Refused(f"Invalid choice: {' '.join(args)}")


def describe_project(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    if args[0] not in world["projects"]:
        raise Refused(f"(gcloud.projects.describe) NOT_FOUND: Project {args[0]} not found")
    return NUMBER


def describe_billing(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    return str(world["projects"][args[0]]["billing"])


def print_token(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    if not world["signed_in"]:
        raise Refused("(gcloud.auth.application-default.print-access-token) Your default credentials were not found.")
    return "a-token"


def sign_in(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    world["signed_in"] = True
    return ""


def set_quota_project(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    if not world["signed_in"]:
        raise Refused("Application default credentials have not been set up.")
    return ""


def enable(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    world["apis"] = sorted({*world["apis"], *(item for item in args if not item.startswith("--"))})
    return ""


def make_identity(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    require_api(world, "pubsub")
    world["identities"] = ["pubsub"]
    return ""


def make_bucket(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    require_api(world, "storage")
    if args[0] in world["buckets"]:
        raise Refused("HTTPError 409: Your previous request to create the named bucket succeeded and you own it.")
    world["buckets"][args[0]] = {"versioning": False}
    return ""


def describe_bucket(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    if args[0] not in world["buckets"]:
        raise Refused(f"{args[0]} not found: 404.")
    return args[0]


def update_bucket(world: World, args: list[str], stdin: str) -> str:
    describe_bucket(world, args, stdin)
    world["buckets"][args[0]]["versioning"] = "--versioning" in args
    return ""


def remove_bucket(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    bucket = next(item for item in args if item.startswith("gs://"))
    if bucket not in world["buckets"]:
        raise Refused(f"The following URLs matched no objects or files: {bucket}")
    del world["buckets"][bucket]
    return ""


def make_secret(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    require_api(world, "secretmanager")
    if args[0] in world["secrets"]:
        raise Refused(f"(gcloud.secrets.create) ALREADY_EXISTS: Secret [{args[0]}] already exists.")
    world["secrets"][args[0]] = {"locations": option(args, "locations"), "versions": []}
    return ""


def require_secret(world: World, name: str) -> dict[str, Any]:
    if name not in world["secrets"]:
        raise Refused(f"NOT_FOUND: Secret [projects/{NUMBER}/secrets/{name}] not found.")
    secret: dict[str, Any] = world["secrets"][name]
    return secret


def describe_secret(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    require_secret(world, args[0])
    return args[0]


def delete_secret(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    require_secret(world, args[0])
    del world["secrets"][args[0]]
    return ""


def add_version(world: World, args: list[str], stdin: str) -> str:
    secret = require_secret(world, args[0])
    if "--data-file=-" not in args or not stdin:
        raise Refused("The value of a secret is read from a pipe alone.")
    secret["versions"].append(stdin)
    return f"projects/{NUMBER}/secrets/{args[0]}/versions/{len(secret['versions'])}"


def access_version(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    versions = require_secret(world, option(args, "secret"))["versions"]
    return str(versions[int(args[0]) - 1])


def list_services(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    watched = world["services"].get(option(args, "project"), {})
    return json.dumps(
        [
            {"metadata": {"name": name, "labels": {"cloud.googleapis.com/location": region}}}
            for name, region in watched.items()
        ]
    )


def describe_service(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    watched = world["services"].get(option(args, "project"), {})
    if watched.get(args[0]) != option(args, "region"):
        raise Refused(f"Cannot find service [{args[0]}]")
    return f"{args[0]}-00007-abc"


def bind_account(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    verb, account = args[0], args[1]
    if account.partition("@")[0] not in world["accounts"]:
        raise Refused(f"NOT_FOUND: Unknown service account {account}")
    binding = [account, option(args, "member"), option(args, "role"), option(args, "condition")]
    if verb.startswith("add"):
        world["bindings"].append(binding)
        world["granted"] += 1
    elif binding in world["bindings"]:
        world["bindings"].remove(binding)
    else:
        raise Refused("Policy bindings with the specified member, role, and condition not found!")
    return ""


def write_entry(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    labels = dict(item.split("=") for item in option(args, "monitored-resource-labels").split(","))
    world["entries"].append({"labels": labels, "text": args[-1], "severity": option(args, "severity")})
    return ""


def read_lines(world: World, args: list[str], stdin: str) -> str:  # noqa: ARG001
    """The second look finds the entry's end, below that of a failure which the service had on its own just then."""
    world["looks"] += 1
    assert re.search(r'function="investigate" timestamp>="\d{4}-\d\d-\d\dT[\d:.]+Z"$', args[0]), args[0]
    if not world["entries"] or not world["applied"] or world["looks"] < 2:
        return "[]"
    ends = [("i-9999", "proposed", "fix_merged_not_deployed"), ("i-0001", "reported", "file_not_found")]
    lines = [
        {"function": "investigate", "outcome": outcome, "incident": incident, "detail": detail}
        for incident, outcome, detail in ends
    ]
    return json.dumps([{"jsonPayload": {"provenfix": line}} for line in lines])


GCLOUD: list[tuple[str, Callable[[World, list[str], str], Any]]] = [
    ("config get-value account", lambda world, *_: world["account"]),
    ("projects list", lambda world, *_: "\n".join(sorted(world["projects"]))),
    ("projects describe", describe_project),
    ("billing projects describe", describe_billing),
    ("auth application-default print-access-token", print_token),
    ("auth application-default login", sign_in),
    ("auth application-default set-quota-project", set_quota_project),
    ("services enable", enable),
    ("beta services identity create", make_identity),
    ("storage buckets create", make_bucket),
    ("storage buckets describe", describe_bucket),
    ("storage buckets update", update_bucket),
    ("storage rm", remove_bucket),
    ("secrets create", make_secret),
    ("secrets describe", describe_secret),
    ("secrets delete", delete_secret),
    ("secrets versions add", add_version),
    ("secrets versions access", access_version),
    ("run services list", list_services),
    ("run services describe", describe_service),
    ("run regions list", lambda *_: "us-central1\neurope-west1\nasia-east1"),
    ("iam service-accounts", bind_account),
    ("logging write", write_entry),
    ("logging read", read_lines),
]


def run_terraform(world: World, args: list[str], _stdin: str) -> str:
    folder = Path(next(item for item in args if item.startswith("-chdir=")).partition("=")[2])
    verb = next(item for item in args if not item.startswith("-"))
    module = json.loads((folder / "main.tf.json").read_text())
    if verb == "init":
        if f"gs://{module['terraform']['backend']['gcs']['bucket']}" not in world["buckets"]:
            raise Refused("Failed to get existing workspaces: storage: bucket doesn't exist")
        (folder / ".terraform").mkdir(exist_ok=True)
    elif not (folder / ".terraform").is_dir():
        raise Refused("Backend initialization required, please run terraform init")
    actions = {"plan": plan, "apply": apply, "state": list_state, "output": output, "destroy": destroy}
    return actions[verb](world, args, folder, module) if verb in actions else ""


def plan(world: World, args: list[str], folder: Path, module: dict[str, Any]) -> str:  # noqa: ARG001
    given = module["module"]["provenfix"]
    if not Path(given["config"]).exists() or not all(Path(item).exists() for item in given["bundles"].values()):
        raise Refused("Invalid function argument: no file exists")
    for item in module["import"]:
        if item["id"].rpartition("/")[2] not in world["secrets"]:
            raise Refused(f"Cannot import non-existent remote object {item['id']}")
    (folder / "setup.plan").write_text(Path(given["config"]).read_text())
    return "Plan: 4 to import, 180 to add, 4 to change, 0 to destroy."


def apply(world: World, args: list[str], folder: Path, module: dict[str, Any]) -> str:  # noqa: ARG001
    if "-var=keep_data=false" in args:
        world["released"] = True
        return ""
    config = (folder / "setup.plan").read_text()
    read_only = "read_only:" in config
    world["accounts"] = [f"provenfix-{name}" for name in (READ_ONLY if read_only else FUNCTIONS)]
    world["applied"] += 1
    world["config"] = config
    return "Apply complete!"


def list_state(world: World, args: list[str], folder: Path, module: dict[str, Any]) -> str:  # noqa: ARG001
    return "module.provenfix.google_firestore_database.state" if world["applied"] else ""


def output(world: World, args: list[str], folder: Path, module: dict[str, Any]) -> str:  # noqa: ARG001
    return str(world["config"])


def destroy(world: World, args: list[str], folder: Path, module: dict[str, Any]) -> str:  # noqa: ARG001
    if world["applied"] and not world["released"]:
        raise Refused("Cannot destroy database: delete protection is enabled")
    if world["applied"]:
        world["secrets"] = {}
    world["accounts"], world["applied"], world["config"] = [], 0, ""
    return ""


def answer(world: World, name: str, args: list[str], stdin: str = "") -> tuple[int, str, str]:
    """Exit code, output and errors of one call; `world` is changed."""
    line = " ".join((name, *args))
    world["calls"].append(line)
    if world["fail"] and line.startswith(world["fail"][0]):
        world["fail"].pop(0)
        return 1, "", "ERROR: The service is currently unavailable.\n"
    try:
        return 0, (run_gcloud if name == "gcloud" else run_terraform)(world, args, stdin), ""
    except Refused as refused:
        return 1, "", f"ERROR: {refused}\n"


def main() -> int:
    """As a program, with the project in a file."""
    with (Path(os.environ["SETUP_WORLD"]) / "world.json").open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        world = json.load(file)
        stdin = "" if sys.stdin.isatty() else sys.stdin.read()
        code, output, errors = answer(world, Path(sys.argv[0]).name, sys.argv[1:], stdin)
        file.seek(0)
        file.truncate()
        json.dump(world, file)
    print(output)
    print(errors, file=sys.stderr, end="")
    return code


if __name__ == "__main__":
    sys.exit(main())
