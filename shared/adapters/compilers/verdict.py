"""What a worker answered about one source becomes a `Compilation`, wherever that worker ran."""

from collections.abc import Mapping

from shared.proof.model.compilation import Compilation, Fault, Source, split_source_lines

MAX_QUOTE_LENGTH = 4096


def parse_verdict(answer: Mapping[str, object], source: Source, checked_by: str) -> Compilation:
    """`answer` as the worker's docstring shows it. Raises KeyError where it is not one."""
    script = answer.get("script")
    as_script = parse_verdict(script, source, checked_by) if isinstance(script, Mapping) else None
    if answer["ok"] is True:
        return Compilation(compiles=True, fault=None, checked_by=checked_by, script=as_script)
    line, offset = _parse_line_number(answer["line"]), _parse_line_number(answer["offset"])
    fault = Fault(
        error_class=str(answer["class"]),
        message=str(answer["message"]),
        line=line,
        column=offset if offset and offset > 0 else None,
        text=_quote_line(answer["text"], line, source),
    )
    return Compilation(compiles=False, fault=fault, checked_by=checked_by, script=as_script)


def _parse_line_number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _quote_line(text: object, line: int | None, source: Source) -> str:
    if text is None and line:
        # Errors found after parsing carry no text when the source is not a file: quote it from the bytes.
        lines = split_source_lines(source.content)
        text = lines[line - 1][:MAX_QUOTE_LENGTH] if 0 < line <= len(lines) else ""
    return str(text or "").rstrip("\r\n").encode("utf-8", "replace").decode("utf-8")
