"""One function as a server of the stack: its name and a port go in, a functions-framework process comes out."""

from collections.abc import Mapping
from pathlib import Path

from functions.local.python_child import import_environment, python_command
from functions.local.server_process import LOOPBACK, Server

FUNCTIONS_FILE = Path(__file__).with_name("guarded_main.py")


def function_server(name: str, port: int, environment: Mapping[str, str], source: Path = FUNCTIONS_FILE) -> Server:
    """`source` is the file that exports the function. What is installed besides comes from this interpreter."""
    command = python_command("-m", "functions_framework", "--target", name, "--source", str(source))
    command += ["--signature-type", "http", "--host", LOOPBACK, "--port", str(port)]
    # With a file as its source the framework looks for modules in that file's folder alone.
    return Server(name, command, port, import_environment(environment))
