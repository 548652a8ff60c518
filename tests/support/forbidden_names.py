"""`python -m tests.support.forbidden_names [ROOT]`: names that the glossary of shared/README.md replaced.

Parses every file of `shared/`, `functions/` and `tests/support/` for names, and every file of `shared/`, `functions/`
and `tests/` for words of comments and docstrings. Prints one line for each hit, with the successor:
`file:line: word -> instead`. Exits 1 where there is a hit.
"""

import ast
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("shared", "functions", "tests/support")
WORD_ROOMS = ("shared", "functions", "tests")

VARIABLE_ROOMS: tuple[str, ...] = ("",)
"""Where variables are checked, too: beginnings of paths. "" stands for all rooms."""

FUNCTIONS: Mapping[str, str] = {
    "again": "retry_…",
    "asked": "find_…, request_…",
    "asking": "translate_errors",
    "called": "name_…, is_called",
    "chosen": "choose_…",
    "complete": "publish_findings",
    "converse": "probe_websocket",
    "counted": "pluralize",
    "doubt": "verify_signature",
    "drawn": "draw_…, render_…",
    "ended": "end_…, is_ended",
    "fixed": "find_fix",
    "found": "find_…",
    "gathered": "gather_…",
    "given": "read_…",
    "heed": "handle_…",
    "held": "read_…, is_held",
    "introduced": "find_introducing_commit",
    "judged": "judge_…",
    "kept": "read_…, store_…",
    "lasting": "format_duration",
    "led_to": "override_environ",
    "left": "list_remaining_…",
    "listed": "join_words, list_…",
    "logged": "log_…, read_…",
    "lookout": "watch",
    "made": "build_…, create_…",
    "marked": "mark_…, is_marked",
    "mended": "fix_…, is_fixed",
    "mentioned": "find_…",
    "muting": "stop_automation",
    "named": "describe_…",
    "newer": "find_newer",
    "nudge": "republish_…",
    "opened": "open_…, is_open",
    "parsed": "parse_…",
    "passed": "passes_…",
    "posted": "post_…, is_posted",
    "printed": "print_…, render_…",
    "proposed": "propose_…",
    "proven": "prove_…",
    "published": "publish_…",
    "quoted": "quote_…",
    "reached": "endpoint_…, is_reached",
    "read_back": "reread_…",
    "recorded": "record_…",
    "refused": "refuse_…, is_refused",
    "rendered": "render_…",
    "said": "quote_untrusted, format_…",
    "seen": "find_…, has_seen",
    "sent": "send_…",
    "served": "serve_…",
    "short": "short_sha, truncate",
    "shown": "render_…, format_…",
    "spoken": "format_…",
    "started": "start_…",
    "stored": "read_…, store_…",
    "suspected": "find_…",
    "taken": "take_…, is_taken",
    "tell": "post_…, report_…",
    "telling": "print_…, report_…",
    "tending": "supervise",
    "there": "endpoint_…, exists",
    "tied": "find_tie, is_tied",
    "told": "format_…, describe_…",
    "visit": "check_…",
    "wanted": "required_…",
    "whisper": "post_ephemeral",
    "whole": "join_…, is_complete",
    "written": "write_…, format_…",
}
"""Words that are no function's or method's whole name: a verb and its object say what it does."""

CLASSES: Mapping[str, str] = {
    "Answered": "one result type for each question, with a name of its own",
    "Case": "IncidentRecord",
    "Doubt": "SignatureError",
    "Inquiry": "ProofContext",
    "Keeper": "SecretSource",
    "Later": "Lazy",
    "Misused": "UsageError",
    "Outcome": "StepResult",
    "Patience": "ProbeTimeouts",
    "Places": "LinkBuilder",
    "Reached": "Endpoint",
    "Sense": "the result of classify_recurrence",
    "Setting": "Harness",
    "Standing": "ProposalStatus, RunningStack",
    "Turns": "WeightedRoundRobin",
    "Unreadable": "InputError",
    "Wish": "IssueCommand",
    "World": "Context",
}

MODULES: Mapping[str, str] = {
    "allowance": "rollout_limits",
    "asking": "translate_errors, http",
    "belief": "drop_unconfirmed_text",
    "completing": "reassemble_traceback",
    "cruel": "failures",
    "dating": "infer_dates",
    "door": "function_client",
    "doors": "function_clients",
    "dossier": "incident_view",
    "examination": "doctor",
    "examining": "runner",
    "grammar": "compilation",
    "ground": "candidate_files",
    "happenings": "timeline",
    "heed": "issue_commands",
    "house": "environment",
    "journal": "issue_updates",
    "letters": "dlq",
    "lineage": "file_history",
    "lookout": "watch",
    "mending": "line_mapping",
    "moment": "timestamps",
    "muting": "stop_automation",
    "neighbours": "multiline_traceback",
    "nothing_false": "false_positives",
    "odd_trees": "unusual_trees",
    "origin": "introducing_commit",
    "overtaking": "supersede",
    "own_pythons": "target_python",
    "paperwork": "publish_findings",
    "performance": "run",
    "place": "override_environ, stack_folder",
    "platform_says": "platform_evidence",
    "plays": "scenarios",
    "plot": "Scenario",
    "poison": "malformed_messages",
    "possible": "compile_prefilter",
    "sense": "classify_recurrence",
    "setting": "harness",
    "stages": "drivers",
    "staging": "setup",
    "standing": "stack",
    "steps": "workflow",
    "telling": "output",
    "tending": "supervisor",
    "token_form": "secret_pattern",
    "visit": "command",
    "visitor": "ws_client",
    "weather": "soak",
    "wording": "phrases",
}

VARIABLES: Mapping[str, str] = {
    "each": "the noun of the element",
    "found": "the noun of the result",
    "here": "the noun: folder, host, commit",
    "mine": "the noun, with own_ before it",
    "one": "the noun of the element",
    "place": "index, path, address or host",
    "there": "the noun: folder, host, commit",
    "whoever": "the role: approver, caller, user",
}
"""Words that are no parameter and no local: they name no thing."""

WORDS: Mapping[str, str] = {
    "amiss": "wrong, failed",
    "anybody": "any user, every caller",
    "heed": "handle, obey",
    "heeded": "handled, obeyed",
    "mend": "fix",
    "mended": "fixed",
    "mending": "fixing",
    "mends": "fixes",
    "somebody": "the role: approver, caller, user",
    "thereby": "with it",
    "told": "reported, shown, named; or who gets it",
    "whoever": "the role: approver, caller, user",
}
"""Words of no comment and no docstring; between backticks they are names."""
_WORD = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
_QUOTED = re.compile(r"`[^`\n]*`")
_OWN_FILE = "forbidden_names.py"
"""Lists the words."""


def find_forbidden_names(root: Path = ROOT) -> Iterator[str]:
    """One line for each hit, in the order of the files."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            for part in (path.parent.name, path.stem) if path.stem == "__init__" else (path.stem,):
                if part in MODULES:
                    yield f"{name}:1: module {part} -> {MODULES[part]}"
            tree = ast.parse(path.read_text("utf-8"))
            yield from _find_in_definitions(name, tree)
            if name.startswith(VARIABLE_ROOMS):
                yield from _find_in_variables(name, tree)
    for room in WORD_ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            if path.name != _OWN_FILE:
                yield from _find_in_prose(path.relative_to(root).as_posix(), path.read_text("utf-8"))


def _find_in_prose(name: str, source: str) -> Iterator[str]:
    """Each word of a comment or a docstring, once for each line."""
    code = source.split("\n")
    lines = [
        (line, code[line - 1])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    ]
    tokens = tokenize.generate_tokens(StringIO(source).readline)
    lines += [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]
    for line, text in sorted(lines):
        for word in sorted({match[0].lower() for match in _WORD.finditer(_QUOTED.sub("", text))}):
            yield f"{name}:{line}: word {word} -> {WORDS[word]}"


def _find_in_definitions(name: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.strip("_") in FUNCTIONS:
            yield f"{name}:{node.lineno}: function {node.name} -> {FUNCTIONS[node.name.strip('_')]}"
        if isinstance(node, ast.ClassDef) and node.name.strip("_") in CLASSES:
            yield f"{name}:{node.lineno}: class {node.name} -> {CLASSES[node.name.strip('_')]}"
        if isinstance(node, ast.arg) and node.arg in VARIABLES:
            yield f"{name}:{node.lineno}: parameter {node.arg} -> {VARIABLES[node.arg]}"


def _find_in_variables(name: str, tree: ast.Module) -> Iterator[str]:
    """Each word once for each line."""
    hits = {
        (node.lineno, node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in VARIABLES
    }
    yield from (f"{name}:{line}: variable {word} -> {VARIABLES[word]}" for line, word in sorted(hits))


def main(arguments: list[str]) -> int:
    """0 where no forbidden name is left."""
    hits = list(find_forbidden_names(Path(arguments[0]) if arguments else ROOT))
    print(*hits, sep="\n", end="\n" if hits else "")
    return int(bool(hits))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
