"""What a stack of one machine runs beside its functions: the platform of the services, and the page.

In: a folder, a port and an environment. Out: the server to start.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from functions.local.python_child import import_environment, python_command
from functions.local.server_process import LOOPBACK, Server


def platform_server(folder: Path, port: int, environment: Mapping[str, str]) -> Server:
    """`port` is where the first service is reached: it answers as soon as the platform runs."""
    return _module_server("platform", [str(folder / "platform")], port, environment)


def page_server(folder: Path, port: int, decide_port: int, environment: Mapping[str, str]) -> Server:
    """`decide` is the port of the function that takes the clicks."""
    arguments = ["--folder", str(folder), "--port", str(port), "--decide", f"http://{LOOPBACK}:{decide_port}/"]
    return _module_server("page", arguments, port, environment)


def _module_server(name: str, arguments: Sequence[str], port: int, environment: Mapping[str, str]) -> Server:
    command = python_command("-m", f"functions.local.{name}", *arguments)
    return Server(name, command, port, import_environment(environment))
