"""Takes a shell text apart into its simple commands, with the variables filled in that it knows.

Returns the commands in their order, each as its words.
Every branch of an `if` or a `case` is among them: which one runs is not known.

Some programs start another command: for these it says where in their words that command begins.
"""

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence

MAX_COMMANDS = 400
MAX_WORDS = 2_000
MAX_TEXT = 10_000
MAX_VALUE = 2_000
_TOKEN = re.compile(
    r"(?P<gap>(?:[ \t\r]|\\\r?\n)++)|(?P<end>\n|&&|\|\||;;|[;&|()])"
    r"|(?P<redirect>\d?[<>]{1,3}&?(?:[ \t]*+[^\s;&|()<>]++)?)"
    r"|(?P<comment>\#[^\n]*+)|'(?P<single>[^']*+)'|\"(?P<double>(?:[^\"\\]|\\.)*+)\"|\\(?P<escaped>.)"
    r"|(?P<variable>\$(?:\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}|\w++|[@*]))|(?P<plain>[^\s;&|()<>'\"\\$#]++|.)",
    re.DOTALL,
)
_VARIABLE = re.compile(
    r"\$(?:(?P<name>\w++|[@*#?!])|\{(?P<braced>\w++|[@*])(?:(?P<how>:?[-+=?])(?P<other>[^{}]*+))?\})"
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,200}+)=(.*)", re.DOTALL)
_SCRIPT_FOLDER = re.compile(r"\$\(dirname\s{1,20}+(?:--\s)?\"?\$(?:0|\{0\}|\{?BASH_SOURCE(?:\[0\])?\}?)\"?\)")
_OWN_FOLDER = re.compile(r"\$\(\s{0,20}+pwd\s{0,20}+\)|`pwd`|\$PWD\b|\$\{PWD\}")
_CHANGED_FOLDER = re.compile(r"\$\(cd\s{1,20}+(?:--\s)?\"?([\w./-]{1,200}+)\"?\s{0,20}+&&\s{0,20}+pwd(?:\s-P)?\)")
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_KEYWORDS = frozenset(
    {"then", "else", "do", "if", "elif", "while", "until", "!", "{", "}", "time", "fi", "done", "esac"}
)
_SEPARATORS = frozenset({"gap", "end", "comment", "redirect"})
ShellVariables = MutableMapping[str, str]


def expand_folders(text: str, script: str) -> str:
    """A text with `$(dirname "$0")`, `$(cd … && pwd)` and `$(pwd)` filled in; `script`: the folder of the script."""
    text = _SCRIPT_FOLDER.sub(lambda _: script or ".", text)
    return _OWN_FOLDER.sub(".", _CHANGED_FOLDER.sub(r"\1", text))


def split_commands(text: str, variables: ShellVariables, arguments: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """The simple commands of a text; assignments on their own and `export` change `variables` on the way."""
    for count, words in enumerate(_split_words(text, variables, arguments)):
        if count >= MAX_COMMANDS:
            return
        command = _strip_keywords(words)
        assigned, command = split_assignments(command)
        if command and command[0] in {"export", "declare", "local", "readonly"}:
            variables.update(split_assignments(command[1:])[0])
        elif command:
            yield (*(f"{name}={value}" for name, value in assigned.items()), *command)
        else:
            variables.update(assigned)


def split_assignments(words: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The `NAME=value` words at the beginning, and the rest."""
    assigned: dict[str, str] = {}
    for index, word in enumerate(words):
        match = _ASSIGNMENT.fullmatch(word)
        if not match:
            return assigned, tuple(words[index:])
        assigned[match[1]] = match[2]
    return assigned, ()


def get_shell_arguments(name: str, words: Sequence[str]) -> Sequence[str]:
    """What a shell is given, whatever starts it: `sh -c …`, `su user -c …`, `eval …`; () where none is started."""
    if name in _SHELLS:
        return words
    if name == "eval":
        return ("-c", " ".join(words))
    return words[list(words).index("-c") :] if name in {"su", "runuser"} and "-c" in words else ()


def expand_shell_variables(text: str, variables: ShellVariables) -> str:
    """A text with `$NAME`, `${NAME}`, `${NAME:-default}` filled in; what is not known is empty."""

    def value(match: re.Match[str]) -> str:
        known = variables.get(match["name"] or match["braced"], "")[:MAX_VALUE]
        how = (match["how"] or "").lstrip(":")
        if how in {"-", "="}:
            return known or match["other"]
        return (match["other"] if known else "") if how == "+" else known

    for _ in range(4):  # a default that is a variable itself
        if "$" not in text:
            break
        text = _VARIABLE.sub(value, text[:MAX_TEXT])[:MAX_TEXT]
    return text


def _strip_keywords(words: Sequence[str]) -> tuple[str, ...]:
    index = 0
    while index < len(words) and words[index] in _KEYWORDS:
        index += 1
    return tuple(words[index:])


def _split_words(text: str, variables: ShellVariables, arguments: Sequence[str]) -> Iterator[list[str]]:
    words: list[str] = []
    word: str | None = None
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind in _SEPARATORS and not (kind == "comment" and word is not None):  # `a#b` is a word
            words += [] if word is None else [word]
            word = None
            if kind == "end" and words:
                yield words
                words = []
            continue
        added = _expand_token(token, kind or "", variables, arguments)
        if len(added) > 1 or (kind == "variable" and word is None):
            words += [] if word is None else [word]
            words += added[:-1]
            word = added[-1] if added else None
        else:
            word = ((word or "") + "".join(added))[:20_000]
        if len(words) > MAX_WORDS:
            return
    words += [] if word is None else [word]
    if words:
        yield words


def _expand_token(token: re.Match[str], kind: str, variables: ShellVariables, arguments: Sequence[str]) -> list[str]:
    """The words that a token gives: one, but for `$@` and for a variable outside of quotes."""
    text = token[kind]
    if kind == "double":
        if text in {"$@", "$*", "${@}"}:
            return list(arguments)
        return [expand_shell_variables(re.sub(r"\\([\"\\`])", r"\1", text), variables)]
    if kind == "variable":
        return list(arguments) if text in {"$@", "$*", "${@}"} else expand_shell_variables(text, variables).split()
    return [text]


# Words that start another command: with the options that take a value, and how many words are before the command.
WRAPPERS: Mapping[str, tuple[frozenset[str], int]] = {
    **dict.fromkeys(
        ("exec", "nohup", "tini", "catchsegv", "setsid", "command", "builtin", "time"), (frozenset({"-a"}), 0)
    ),
    **dict.fromkeys(
        ("dumb-init", "opentelemetry-instrument", "ddtrace-run", "launcher", "stdbuf"), (frozenset({"-r"}), 0)
    ),
    **dict.fromkeys(("gosu", "su-exec", "timeout", "chroot", "setpriv", "flock"), (frozenset({"-s", "-k"}), 1)),
    **dict.fromkeys(("nice", "ionice", "env", "sudo", "xvfb-run"), (frozenset({"-n", "-u", "-g", "-c", "-C"}), 0)),
    **dict.fromkeys(("doppler", "infisical", "op", "chamber", "dotenv", "aws-vault"), (frozenset({"-f", "-e"}), 0)),
    **dict.fromkeys(
        ("wait-for-it", "wait-for-it.sh", "wait-for", "dockerize", "chpst", "watchmedo"), (frozenset({"-t"}), 0)
    ),
}
RUNNERS = frozenset({"poetry", "uv", "pipenv", "pdm", "hatch", "rye", "pixi", "conda", "mamba", "micromamba"})
_RUNNER_VALUE_OPTIONS = frozenset(
    {"--with", "--extra", "--group", "--python", "-p", "--project", "--directory", "--env-file", "-n", "-e", "--name"}
    | {"--package", "--only-group", "-C", "--with-requirements", "--index-url", "--prefix"}
)
WRAPPER_MODULES = frozenset({"debugpy", "coverage", "cProfile", "memray", "viztracer", "ddtrace.commands.ddtrace_run"})

NON_LAUNCHERS = frozenset(
    {"echo", "printf", "which", "type", "hash", "test", "[", "[[", "pip", "pip3", "pipx", "apt", "apt-get", "apk"}
    | {"yum", "dnf", "pkill", "killall", "kill", "pgrep", "rm", "cp", "mv", "ln", "mkdir", "touch", "chmod", "chown"}
    | {
        "cat",
        "grep",
        "sed",
        "awk",
        "tee",
        "ls",
        "set",
        "unset",
        "trap",
        "sleep",
        "wait",
        "exit",
        "return",
        "node",
        "npm",
    }
)
"""Programs that run no other command: what follows them starts nothing."""


def skip_wrapper(name: str, words: Sequence[str]) -> Sequence[str]:
    """The command behind a wrapper's options and operands."""
    if "--" in words:
        return words[list(words).index("--") + 1 :]
    valued, operand_count = WRAPPERS.get(name, (frozenset({"--listen", "--host", "--port", "-o"}), 0))
    index = 0
    while index < len(words) and words[index].startswith("-") and words[index] != "-m":
        index += 2 if words[index] in valued else 1
    rest = words[index + operand_count :]
    return rest[1:] if rest and rest[0] == "run" and name in {"doppler", "infisical", "op", "dotenv"} else rest


def skip_runner(words: Sequence[str]) -> Sequence[str]:
    """The command behind `run` and its options: `poetry run …`, `uv run …`; () without `run`."""
    if "run" not in words:
        return ()
    rest = words[list(words).index("run") + 1 :]
    if "--" in rest and not any(re.match(r"\w", word) for word in rest[: list(rest).index("--")]):
        rest = rest[list(rest).index("--") + 1 :]
    index = 0
    while index < len(rest) and rest[index].startswith("-") and rest[index] not in {"-m", "--module"}:
        index += 2 if rest[index] in _RUNNER_VALUE_OPTIONS else 1
    command = rest[index:]
    return ("python", "-m", *command[1:]) if command and command[0] in {"-m", "--module"} else command
