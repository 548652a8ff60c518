"""The commands of the stack's servers: functions, platform and page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from functions.local.server_process import LOOPBACK, Server, build_python_command, import_environment

FUNCTIONS_FILE = Path(__file__).with_name("guarded_main.py")


def build_function_server(
    name: str, port: int, environment: Mapping[str, str], source: Path = FUNCTIONS_FILE
) -> Server:
    """`source` is the file that exports the function. What is installed besides comes from this interpreter."""
    command = build_python_command("-m", "functions_framework", "--target", name, "--source", str(source))
    command += ["--signature-type", "http", "--host", LOOPBACK, "--port", str(port)]
    # With a file as its source the framework looks for modules in that file's folder alone.
    return Server(name, command, port, import_environment(environment))


def build_platform_server(folder: Path, port: int, environment: Mapping[str, str]) -> Server:
    """`port` is where the first service is reached: it answers as soon as the platform runs."""
    return _build_module_server("platform", [str(folder / "platform")], port, environment)


def build_page_server(folder: Path, port: int, decide_port: int, environment: Mapping[str, str]) -> Server:
    """`decide_port` is that of the function that takes the clicks."""
    arguments = ["--folder", str(folder), "--port", str(port), "--decide", f"http://{LOOPBACK}:{decide_port}/"]
    return _build_module_server("page", arguments, port, environment)


def _build_module_server(name: str, arguments: Sequence[str], port: int, environment: Mapping[str, str]) -> Server:
    command = build_python_command("-m", f"functions.local.{name}", *arguments)
    return Server(name, command, port, import_environment(environment))
