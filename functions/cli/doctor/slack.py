"""Checks of Slack: the token's scopes, workspace and app, the channels, the approver groups."""

from collections.abc import Iterator, Sequence

from functions.cli.access import Access
from functions.cli.doctor.check import (
    Check,
    CheckResult,
    CheckState,
    CheckUnavailable,
    build_missing_result,
    build_ok_result,
)
from functions.cli.doctor.secrets import SecretChecks
from functions.cli.error_words import describe_missing_extra
from shared.adapters.slack import single_call
from shared.service import Service

TIMEOUT_SECONDS = 10
_KEY, _APP_TOKEN_KEY = "slack.bot_token", "slack.app_token"
_SOCKET_REMEDY = (
    "switch Socket Mode on under https://api.slack.com/apps > Socket Mode, with an app-level token (xapp-…) that has "
    "the scope connections:write"
)
_SCOPES_REMEDY = "add the scopes under https://api.slack.com/apps > OAuth & Permissions, then reinstall the app"
_APP_REMEDY = "compare with the App ID under https://api.slack.com/apps > Basic Information"
_PRIVATE_CHANNEL_SCOPES = {"channels:history": "groups:history"}
"""Of a private channel the other scope does."""


class SlackChecks:
    """The checks of one workspace. `base` answers in its place, on loopback."""

    def __init__(self, access: Access, secrets: SecretChecks, services: Sequence[Service], base: str = "") -> None:
        self._access, self._secrets, self._services, self._base = access, secrets, services, base

    def checks(self, *, socket_mode: bool = False) -> Iterator[Check]:
        """The token first."""
        yield Check("slack", "scopes of the bot's token", self._check_scopes)
        if socket_mode:
            yield Check("slack", "Socket Mode", self._check_socket)
        for team in dict.fromkeys(service.team for service in self._services if service.team):
            yield Check("slack", f"workspace {team}", lambda at=team: self._check_workspace(at))  # type: ignore[misc]
        for app in dict.fromkeys(service.chat_app for service in self._services if service.chat_app):
            yield Check("slack", f"app {app}", lambda at=app: self._check_app(at))  # type: ignore[misc]
        for channel in dict.fromkeys(service.channel for service in self._services):
            yield Check("slack", f"channel {channel}", lambda at=channel: self._check_channel(at))  # type: ignore[misc]
        for group in dict.fromkeys(service.approver_group for service in self._services if service.approver_group):
            yield Check("slack", f"user group {group}", lambda at=group: self._check_group(at))  # type: ignore[misc]
        for service in self._services:
            if not (service.approvers or service.approver_group):
                yield Check("slack", f"approvers of {service.id}", _report_no_approvers)

    def _call(self, method: str, key: str = _KEY, **given: str) -> "single_call.SlackAnswer":
        token = self._secrets.read_secret(key)
        try:
            answer = single_call.call_method(self._base, method, token, given, TIMEOUT_SECONDS)
        except ModuleNotFoundError as error:
            raise CheckUnavailable(describe_missing_extra(error) or f"{error}.") from None
        except single_call.SlackUnreachable as error:
            raise CheckUnavailable(f"Slack did not answer ({error}).") from None
        if not answer.is_success:
            raise CheckUnavailable(f"Slack answered {answer.status}; try again.")
        return answer

    def _check_scopes(self) -> CheckResult:
        answer = self._call("auth.test")
        if not answer.is_ok:
            return build_missing_result(f"Slack refuses the token: {answer.error_code}.", _SCOPES_REMEDY)
        held = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}
        lacking = [
            scope
            for scope in self._access.required_slack_scopes()
            if scope not in held and _PRIVATE_CHANNEL_SCOPES.get(scope, scope) not in held
        ]
        return (
            build_missing_result(f"It lacks {', '.join(lacking)}.", _SCOPES_REMEDY)
            if lacking
            else build_ok_result(", ".join(self._access.required_slack_scopes()))
        )

    def _check_socket(self) -> CheckResult:
        """Slack gives an address; none is connected to, so that no click is led here."""
        answer = self._call("apps.connections.open", _APP_TOKEN_KEY)
        if answer.is_ok:
            return build_ok_result()
        return build_missing_result(f"Slack answers {answer.error_code}.", _SOCKET_REMEDY)

    def _check_workspace(self, team: str) -> CheckResult:
        """Clicks come from the workspace of the token, or from the organisation that it is installed for."""
        whose = self._ask_token_owner().value
        owners = [str(whose[key]) for key in ("team_id", "enterprise_id") if whose.get(key)]
        if team in owners:
            return build_ok_result()
        return build_missing_result(
            f"The token belongs to {_format_id(owners[0] if owners else '')}.",
            f"correct team in provenfix.yaml ({team})",
        )

    def _check_app(self, app: str) -> CheckResult:
        """https://docs.slack.dev/reference/methods/bots.info takes `users:read`, which no function needs."""
        whose = self._ask_token_owner().value
        owner = str(whose.get("app_id") or "")
        if not owner:
            answer = self._call("bots.info", bot=str(whose.get("bot_id", "")))
            if not answer.is_ok:
                return CheckResult(
                    CheckState.UNSEEN,
                    f"The token cannot see its app: Slack answers {answer.error_code}.",
                    _APP_REMEDY,
                )
            owner = str((answer.value.get("bot") or {}).get("app_id") or "")
        if owner == app:
            return build_ok_result()
        return build_missing_result(
            f"The token belongs to {_format_id(owner)}.", f"correct chat_app in provenfix.yaml ({app})"
        )

    def _ask_token_owner(self) -> "single_call.SlackAnswer":
        answer = self._call("auth.test")
        if not answer.is_ok:
            raise CheckUnavailable(f"Slack refuses the token: {answer.error_code}.", _SCOPES_REMEDY)
        return answer

    def _check_channel(self, channel: str) -> CheckResult:
        answer = self._call("conversations.history", channel=channel, limit="1")
        if answer.is_ok:
            return build_ok_result()
        return build_missing_result(
            f"Slack answers {answer.error_code}.",
            f"in that channel of Slack: /invite @provenfix  ({channel})",
        )

    def _check_group(self, group: str) -> CheckResult:
        answer = self._call("usergroups.users.list", usergroup=group)
        if not answer.is_ok:
            return build_missing_result(
                f"Slack answers {answer.error_code}.", f"correct approver_group in provenfix.yaml ({group})"
            )
        if not answer.value.get("users"):
            return build_missing_result(
                "It has no members, so nobody can approve.", "add members to the group in Slack"
            )
        return build_ok_result(f"{len(answer.value['users'])} members")


def _format_id(identity: str) -> str:
    return identity if identity.isalnum() and len(identity) < 30 else "an unknown id"


def _report_no_approvers() -> CheckResult:
    return build_missing_result(
        "No approvers are configured, so nobody can approve.",
        "add approvers or approver_group to the service in provenfix.yaml",
    )
