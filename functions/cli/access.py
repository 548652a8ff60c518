"""Reads `terraform/access.yaml`: what each function calls, and the roles, permissions and scopes that it needs.

Terraform makes the service accounts from the same file, a test run's calls are compared with it (tests/support/access),
and `provenfix doctor` looks for what it names.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from functions.local.topology import READ_ONLY_FUNCTIONS
from shared.errors import InputError
from shared.workflow.flow import CHECK_REQUESTED, REDEPLOY_APPROVED

ACCESS_FILE = Path(__file__).parents[2] / "terraform" / "access.yaml"
_LEVELS = ("read", "write", "admin")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same in C where it is built in, which takes a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of a service account: a predefined one, or a custom one with exactly `permissions`."""

    key: str
    api: str
    bound_to: str
    permissions: Sequence[str]
    role: str = ""
    custom: str = ""
    why: str = ""

    def full_name(self, project: str) -> str:
        """As an IAM policy writes it; `project` is where a custom role is kept."""
        return self.role or f"projects/{project}/roles/{self.custom}"


@dataclass(frozen=True, slots=True)
class FunctionAccess:
    """What one function calls, and the names of what it publishes to and which secrets it reads."""

    google: Sequence[str]
    github: Sequence[str]
    slack: Sequence[str]
    topics: Sequence[str]
    secrets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Access:
    """The whole file. `google` maps a method to what it needs: permissions, by the key of the role that gives them."""

    roles: Mapping[str, Role]
    google: Mapping[str, Mapping[str, Sequence[str]]]
    github: Mapping[str, Mapping[str, str]]
    slack: Mapping[str, Sequence[str]]
    functions: Mapping[str, FunctionAccess]
    only: Mapping[str, str] = field(default_factory=dict)
    """The `deploy_method`, or the switch, without which a call is never made, by call."""
    acting: Sequence[str] = ()
    """The calls that act on what others run, or follow such an act."""

    def required_permissions(self, function: str) -> Mapping[str, Sequence[str]]:
        """What a function needs, by the key of the role."""
        needed: dict[str, set[str]] = {}
        for method in self.functions[function].google:
            for role, permissions in self.google[method].items():
                needed.setdefault(role, set()).update(permissions)
        return {role: sorted(needed[role]) for role in self.roles if role in needed}

    def calls_for_role(self, function: str, role: str) -> Sequence[str]:
        """The methods for which a function needs a role."""
        return [method for method in self.functions[function].google if role in self.google[method]]

    def for_profile(self, read_only: str) -> "Access":
        """What is left of the table with `read_only` of provenfix.yaml; all of it for ""."""
        if not read_only:
            return self
        functions = {}
        for name in READ_ONLY_FUNCTIONS:
            use = self.functions[name]
            google, github = ([call for call in calls if call not in self.acting] for calls in (use.google, use.github))
            functions[name] = replace(
                use,
                secrets=[key for key in use.secrets if not key.startswith("slack.")],
                topics=[topic for topic in use.topics if topic not in {REDEPLOY_APPROVED, CHECK_REQUESTED}],
                slack=[],
                google=google,
                github=[call for call in github if read_only == "issue" or not call.startswith("issues/")],
            )
        used = {role for use in functions.values() for call in use.google for role in self.google[call]}
        roles = {key: role for key, role in self.roles.items() if key in used}
        return replace(self, roles=roles, functions=functions)

    def without_function(self, name: str) -> "Access":
        """What is left of the table where a function is not deployed."""
        return replace(self, functions={key: use for key, use in self.functions.items() if key != name})

    def list_apis(self) -> Sequence[str]:
        """Every API that is called."""
        return sorted({role.api for role in self.roles.values()})

    def required_repository_permissions(self, methods: Collection[str]) -> Mapping[str, str]:
        """What GitHub has to allow on a repository whose services are deployed so: the highest level of each."""
        highest: dict[str, str] = {}
        for use in self.functions.values():
            for operation in (
                operation_name for operation_name in use.github if self.only.get(operation_name, "") in {"", *methods}
            ):
                for name, level in self.github[operation].items():
                    highest[name] = max(highest.get(name, "read"), level, key=_LEVELS.index)
        return dict(sorted(highest.items()))

    def required_slack_scopes(self) -> Sequence[str]:
        """What the token of Slack needs."""
        return sorted(
            {scope for use in self.functions.values() for method in use.slack for scope in self.slack[method]}
        )


def read_access(file: Path = ACCESS_FILE) -> Access:
    """Returns the table of the file. Raises InputError."""
    try:
        document = yaml.load(file.read_text("utf-8"), Loader=_LOADER)  # noqa: S506  # a safe loader
        return Access(
            {key: Role(key, **role) for key, role in document["roles"].items()},
            document["google"],
            document["github"],
            document["slack"],
            {name: FunctionAccess(**use) for name, use in document["functions"].items()},
            document["only"],
            document["acting"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise InputError(f"{file} cannot be read ({type(error).__name__}); take the one of the release.") from None


def render_access_table(access: Access) -> Iterator[str]:
    """The table of the README, line by line."""
    yield "| function | role | on | because it calls |"
    yield "| --- | --- | --- | --- |"
    for function, use in access.functions.items():
        for key in access.required_permissions(function):
            role = access.roles[key]
            calls = access.calls_for_role(function, key)
            methods = ", ".join(
                f"`{method.rpartition('.')[2]}`{_deploy_method_note(access, method)}" for method in calls
            )
            what = {"topic": use.topics, "secret": use.secrets}.get(role.bound_to, ())
            on = f"{role.bound_to} {', '.join(f'`{name}`' for name in what)}".strip()
            yield f"| `{function}` | `{role.role or role.custom}` | {on} | {methods} |"
        for host, called in (("GitHub", use.github), ("Slack", use.slack)):
            if called:
                methods = ", ".join(f"`{name}`{_deploy_method_note(access, name)}" for name in called)
                yield f"| `{function}` | {host}: {_describe_required(access, host, called)} | | {methods} |"


def _deploy_method_note(access: Access, method: str) -> str:
    return f" (`{access.only[method]}` only)" if method in access.only else ""


def _describe_required(access: Access, host: str, methods: Sequence[str]) -> str:
    if host == "Slack":
        required = sorted({scope for method in methods for scope in access.slack[method]})
    else:
        required = sorted({f"{name}:{level}" for call in methods for name, level in access.github[call].items()})
    return ", ".join(f"`{call}`" for call in required) or "no scope"
