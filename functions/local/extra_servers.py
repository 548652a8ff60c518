"""What a stack of one machine runs beside its functions: the platform of the services, and the page.

In: a folder, a port and an environment. Out: the server to start.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from functions.local.python_child import module_environment, python_command
from functions.local.server_process import LOOPBACK, Server


def platform(folder: Path, port: int, environment: Mapping[str, str]) -> Server:
    """`port` is where the first service is reached: it answers as soon as the platform runs."""
    return _module("platform", [str(folder / "platform")], port, environment)


def page(folder: Path, port: int, decide: int, environment: Mapping[str, str]) -> Server:
    """`decide` is the port of the function that takes the clicks."""
    arguments = ["--folder", str(folder), "--port", str(port), "--decide", f"http://{LOOPBACK}:{decide}/"]
    return _module("page", arguments, port, environment)


def _module(name: str, arguments: Sequence[str], port: int, environment: Mapping[str, str]) -> Server:
    command = python_command("-m", f"functions.local.{name}", *arguments)
    return Server(name, command, port, module_environment(environment))
