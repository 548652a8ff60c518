"""Takes what a function without credentials has handed over: a log entry or a user's command, as frozen values."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from functions.http.delivery import Delivery, parse_json_object, read_text_field
from shared.adapters.logs import log_json
from shared.errors import Reject
from shared.ports import IssueCommand, IssueEvent

if TYPE_CHECKING:
    from shared.detection.entry import LogEntry

NOT_AN_ENTRY = "not_a_log_entry"
"""Why a delivery of the sink is refused."""


def read_log_entry(logged: Mapping[str, object]) -> "tuple[LogEntry, str]":
    """The region is "" where the entry does not say. Raises Reject."""
    entry = log_json.parse_json_entry(logged, 0)
    if not (entry.log_name and entry.timestamp and entry.insert_id):
        # Together they name an entry: without one of them its copies could not be distinguished from others.
        raise Reject("incomplete_entry", "logName, timestamp and insertId are needed")
    return entry, log_json.read_location(logged)


def read_entry(delivery: Delivery) -> "tuple[LogEntry, str] | None":
    """The entry of a message of `record`; None for a message about an incident. Raises Reject."""
    text = parse_json_object(delivery.data, "not_a_message_of_ours").get("entry")
    if text is None:
        return None
    if not isinstance(text, str):
        raise Reject("wrong_fields", "no usable entry")
    return read_log_entry(parse_json_object(text.encode("utf-8", "replace"), NOT_AN_ENTRY))


def read_command(delivery: Delivery) -> IssueEvent | None:
    """The command of a message of `github`; None for any other message. Raises Reject."""
    if "command" not in parse_json_object(delivery.data, "not_a_message_of_ours"):
        return None
    command, number = read_text_field(delivery, "command"), read_text_field(delivery, "issue")
    if command not in set(IssueCommand) or not number.isascii() or not number.isdecimal():
        raise Reject("wrong_fields", "no usable command")
    return IssueEvent(
        command=IssueCommand(command),
        delivery_id=read_text_field(delivery, "delivery"),
        repository=read_text_field(delivery, "repository"),
        issue_number=int(number),
        incident_id=read_text_field(delivery, "incident"),
        actor=read_text_field(delivery, "actor"),
    )
