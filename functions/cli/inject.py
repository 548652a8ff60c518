"""`provenfix inject FILE`: publishes log entries on the topic that the log sink writes to."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from functions.local.private_files import make_private, write_private
from functions.local.stack_folder import load_named_environment, override_environ
from shared import state_stores
from shared.config.settings import Settings, read_settings
from shared.errors import InputError
from shared.workflow import flow


def run_inject(file: str, folder: Path) -> int:
    """Publishes the entries. Raises InputError if the file is no export, UsageError if no stack is known."""
    text = _read_text(file)
    bodies = [json.dumps(entry).encode() for entry in parse_entries(text, file)]
    with override_environ(load_named_environment(folder)):
        settings = read_settings()
        _store_log_file(settings, text)
        bus = state_stores.create_publisher(settings)
        bus.publish_raw(flow.LOG_ENTRIES, bodies)
        bus.close()
    noun = "entry" if len(bodies) == 1 else "entries"
    print(f"{len(bodies)} log {noun} published", file=sys.stderr)
    return 0


def parse_entries(text: str, name: str) -> Iterator[dict[str, object]]:
    """Yields the entries of an array, or of one JSON object on each line. Raises InputError with the line's number."""
    if text.lstrip().startswith("["):
        entries = [(number, entry) for number, entry in enumerate(_parse_json(text, name, "the array"), start=1)]
        what = "entry"
    else:
        # Not `splitlines`: it also splits at characters that JSON need not escape.
        lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
        entries = [(number, _parse_json(line, name, f"line {number}")) for number, line in lines]
        what = "line"
    for number, entry in entries:
        if not isinstance(entry, dict):
            raise InputError(f"{name}: {what} {number} is not a log entry but a JSON {type(entry).__name__}")
        yield entry


def _parse_json(text: str, name: str, where: str) -> "list[object]":
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as error:
        hint = "give the output of `gcloud logging read --format=json`"
        raise InputError(f"{name}: {where} is not JSON ({error}); {hint}") from None


def _read_text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file; give the path of an existing one.") from None
    except IsADirectoryError:
        raise InputError(f"{file} is a folder; name a file in it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read ({error})") from None


def _store_log_file(settings: Settings, text: str) -> None:
    if settings.local_folder is None:
        return
    logs = settings.local_folder / "logs"
    make_private(logs)
    write_private(logs / f"{len(list(logs.iterdir())) + 1:05}.json", text)


def inject(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Output of `gcloud logging read --format=json`; - is stdin.")
    ],
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Stack directory.")] = Path(".provenfix"),
) -> int:
    """Publish the log entries of a file, as the log sink does."""
    return run_inject(file, folder)
