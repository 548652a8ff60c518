"""Reads `provenfix.yaml` into a validated `Configuration`, or raises with one sentence for each mistake.

Every sentence names file, line and key, and says what to write. None repeats a value.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.config import model, yaml_lines
from shared.config.field_types import OWN_ERROR_TYPE
from shared.config.model import Configuration
from shared.config.yaml_lines import YamlDocument
from shared.errors import ConfigurationError, InputError
from shared.service import PAGER, Service

DEFAULT_FILE = "provenfix.yaml"
_MAX_MISTAKES = 20
_TYPE_SENTENCES = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be keys with values",
    "model_type": "must be keys with values",
}
_REQUIRED_BY_METHOD = {"cloud_build": "deploy_trigger", "github_workflow": "deploy_workflow"}
"""The key that a deploy method needs."""
_WORD = re.compile(r"[A-Za-z_]{1,40}")


def read_configuration(path: Path) -> Configuration:
    """Reads and validates one file. Raises InputError, of which ConfigurationError is one."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        remedy = "create it, or name another file with --config or PROVENFIX_CONFIG"
        raise InputError(f"{path}: file not found; {remedy}.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name the file with --config or PROVENFIX_CONFIG.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text in UTF-8; save it as such.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    return parse_configuration(text, str(path))


def parse_configuration(text: str, name: str = DEFAULT_FILE) -> Configuration:
    """`name` is the file's name for messages. Raises InputError, of which ConfigurationError is one."""
    document = yaml_lines.parse_yaml(text, name)
    try:
        configuration = Configuration.model_validate({} if document.value is None else document.value)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        sentences = [_describe_error(error, document, name) for error in errors]
        raise ConfigurationError(_join_mistakes(list(dict.fromkeys(sentences)))) from None
    contradictions = _find_contradictions(configuration, document)
    sentences = [f"{name}, line {document.line(path)}: {sentence}." for path, sentence in contradictions]
    if sentences:
        raise ConfigurationError(_join_mistakes(sentences))
    return configuration


def _join_mistakes(sentences: list[str]) -> str:
    """One mistake per line; above the limit, the last line counts the rest."""
    more = len(sentences) - _MAX_MISTAKES
    return "\n".join([*sentences[:_MAX_MISTAKES], *([f"and {more} more."] if more > 0 else [])])


def _find_contradictions(
    configuration: Configuration, document: YamlDocument
) -> Iterator[tuple[yaml_lines.KeyPath, str]]:
    """Yields what only the file as a whole shows to be wrong: the path, and the sentence without its full stop."""
    first_index: dict[tuple[str, str, str], int] = {}
    own = _list_own_function_names(configuration)
    for index, entry in enumerate(configuration.services):
        service = entry.service
        key_of_service = (service.project, service.region, service.name)
        if key_of_service in first_index:
            at = first_index[key_of_service]
            first = f"services[{at}] (line {document.line(('services', at))})"
            yield ("services", index), f"services[{index}] is the same service as {first}; remove one of them"
        if not (entry.channel or configuration.read_only):
            yield ("services", index, "channel"), f"services[{index}].channel is missing"
        if (service.project, service.name) in own:
            yield ("services", index), f"services[{index}] is one of provenfix's own functions, which are not watched"
        needed = _REQUIRED_BY_METHOD.get(service.deploy_method)
        if needed and not getattr(service, needed):
            sentence = f"services[{index}] is deployed by {service.deploy_method}, which needs {needed}"
            yield ("services", index, "deploy_method"), sentence
        first_index[key_of_service] = index
        problems = (*_find_impossible_approvals(service), *_find_impossible_reminders(service, configuration))
        for key, problem in problems:
            yield ("services", index, key), f"services[{index}].{key} {problem}"


def _list_own_function_names(configuration: Configuration) -> set[tuple[str, str]]:
    own = configuration.own
    return {(own.project, name) for name in own.functions} if own else set()


def _find_impossible_approvals(service: Service) -> Iterator[tuple[str, str]]:
    """Yields rules that nobody can satisfy: the key, and the end of the sentence."""
    approvers = len(set(service.approvers))
    if not service.approver_group and 0 < approvers < service.quorum:
        yield "quorum", f"must be at most {approvers}, the number of approvers; no proposal could be approved"
    if service.not_author and not service.authors:
        yield "not_author", "needs authors, the names under which approvers commit; nobody could approve a fix"


def _find_impossible_reminders(service: Service, configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yields rules by which nobody would be reminded: the key, and the end of the sentence."""
    if service.escalate_to == PAGER and configuration.pager is None:
        yield "escalate_to", "is 'pager', which needs the section pager with its routing_key"
    if service.remind_after >= service.proposal_ttl:
        yield "remind_after", "must be shorter than proposal_ttl, after which the question expires"


def _describe_error(error: ErrorDetails, document: YamlDocument, name: str) -> str:
    path = tuple(part for part in error["loc"] if part != "[key]")
    key = _format_key_path(path)
    position = f"{name}, line {document.line(path)}"
    if error["type"] == "missing":
        return f"{position}: {key} is missing."
    if error["type"] == "extra_forbidden":
        return f"{position}: {key} is not a known key; {_suggest_key(path)}"
    return f"{position}: {key} {_describe_expected(error)}."


def _describe_expected(error: ErrorDetails) -> str:
    if error["type"] == OWN_ERROR_TYPE:
        return error["msg"]
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}"
    expected = error["msg"].removeprefix("Input should be ")
    return _TYPE_SENTENCES.get(error["type"], f"must be {expected}")


def _suggest_key(path: yaml_lines.KeyPath) -> str:
    known = sorted(_list_allowed_keys(path[:-1]))
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}."


def _list_allowed_keys(path: yaml_lines.KeyPath) -> Mapping[str, Any]:
    """Returns the keys that are known at `path`."""
    entry: type[BaseModel] = Configuration
    for part in path:
        if isinstance(part, str):
            entry = model.MODELS_BY_KEY[part]
    return entry.model_fields


def _format_key_path(path: yaml_lines.KeyPath) -> str:
    """Returns `services[0].channel`. A key that is no plain word is left out: it may be a secret in the wrong place."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += "." + (part if _WORD.fullmatch(part) else repr(part) if re.fullmatch(r"[\d.]+", part) else "…")
    return text.removeprefix(".") or "the file"
