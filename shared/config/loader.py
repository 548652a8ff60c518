"""The text of `provenfix.yaml` comes in; a validated `Configuration` goes out, or one sentence for each mistake.

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
from shared.service import Service

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
"""What a way to deploy cannot do without."""
_WORD = re.compile(r"[A-Za-z_]{1,40}")


def read_configuration(path: Path) -> Configuration:
    """Reads and validates one file. Raises Unreadable."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        mend = "write it, or name another with --config or PROVENFIX_CONFIG"
        raise InputError(f"{path}: there is no such file; {mend}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    return parse_configuration(text, str(path))


def parse_configuration(text: str, name: str = DEFAULT_FILE) -> Configuration:
    """`name` is what the file is called in messages. Raises Unreadable."""
    marked = yaml_lines.parse_yaml(text, name)
    try:
        found = Configuration.model_validate({} if marked.value is None else marked.value)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        sentences = [_describe_error(error, marked, name) for error in errors]
        raise ConfigurationError(_join_mistakes(list(dict.fromkeys(sentences)))) from None
    wrong = [f"{name}, line {marked.line(path)}: {told}." for path, told in _find_contradictions(found)]
    if wrong:
        raise ConfigurationError(_join_mistakes(wrong))
    return found


def _join_mistakes(sentences: list[str]) -> str:
    """A mistake a line; how many more there are where they are too many to be read."""
    more = len(sentences) - _MAX_MISTAKES
    return "\n".join([*sentences[:_MAX_MISTAKES], *([f"and {more} more."] if more > 0 else [])])


def _find_contradictions(found: Configuration) -> Iterator[tuple[yaml_lines.KeyPath, str]]:
    """What is wrong about the file as a whole: where, and the end of the sentence."""
    seen: dict[str, int] = {}
    own = {(found.own.project, name) for name in found.own.functions} if found.own else set()
    for index, entry in enumerate(found.services):
        service = entry.service
        if service.id in seen:
            first = f"services[{seen[service.id]}]"
            yield ("services", index), f"services[{index}] is the same service as {first}; remove one of them"
        if (service.project, service.name) in own:
            yield ("services", index), f"services[{index}] is one of provenfix's own functions, which are not watched"
        needed = _REQUIRED_BY_METHOD.get(service.deploy_method)
        if needed and not getattr(service, needed):
            told = f"services[{index}] is deployed by {service.deploy_method}, which needs {needed}"
            yield ("services", index, "deploy_method"), told
        seen[service.id] = index
        for key, told in _find_impossible_approvals(service):
            yield ("services", index, key), f"services[{index}].{key} {told}"


def _find_impossible_approvals(service: Service) -> Iterator[tuple[str, str]]:
    """Questions that nobody could ever answer with yes: the key, and the end of the sentence."""
    approvers = len(set(service.approvers))
    if not service.approver_group and 0 < approvers < service.quorum:
        yield "quorum", f"must be at most {approvers}, the number of approvers; no proposal could be approved"
    if service.not_author and not service.authors:
        yield "not_author", "needs authors, the names under which approvers commit; nobody could approve a fix"


def _describe_error(error: ErrorDetails, marked: YamlDocument, name: str) -> str:
    path = tuple(part for part in error["loc"] if part != "[key]")
    key = _format_key_path(path)
    place = f"{name}, line {marked.line(path)}"
    if error["type"] == "missing":
        return f"{place}: {key} is missing."
    if error["type"] == "extra_forbidden":
        return f"{place}: {key} is not a known key; {_suggest_key(path)}"
    return f"{place}: {key} {_describe_expected(error)}."


def _describe_expected(error: ErrorDetails) -> str:
    if error["type"] == OWN_ERROR_TYPE:
        return error["msg"]
    if error["type"] == "literal_error":
        return f"must be {error['ctx']['expected']}"
    told = error["msg"].removeprefix("Input should be ")
    return _TYPE_SENTENCES.get(error["type"], f"must be {told}")


def _suggest_key(path: yaml_lines.KeyPath) -> str:
    known = sorted(_allowed_keys(path[:-1]))
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."


def _allowed_keys(path: yaml_lines.KeyPath) -> Mapping[str, Any]:
    """The keys that may stand at a path."""
    at: type[BaseModel] = Configuration
    for part in path:
        if isinstance(part, str):
            at = model.MODELS_BY_KEY[part]
    return at.model_fields


def _format_key_path(path: yaml_lines.KeyPath) -> str:
    """`services[0].channel`. A key that is no plain word is not repeated: it may be a secret in the wrong place."""
    told = ""
    for part in path:
        if isinstance(part, int):
            told += f"[{part}]"
        else:
            told += "." + (part if _WORD.fullmatch(part) else repr(part) if re.fullmatch(r"[\d.]+", part) else "…")
    return told.removeprefix(".") or "the file"
