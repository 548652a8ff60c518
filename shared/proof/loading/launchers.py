"""The programs that start another command, and where in their words that command begins."""

import re
from collections.abc import Mapping, Sequence

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
