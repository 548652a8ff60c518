"""Reports as the terminal shows them, without colours."""

import io

from rich.console import Console

from functions.cli.terminal import render_reports
from shared.report.report import Report


def print_reports(*reports: Report, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    render_reports(reports, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
