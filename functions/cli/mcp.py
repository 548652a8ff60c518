"""`provenfix mcp`: serves the proof to agents by the Model Context Protocol over standard input and output."""

from typing import Annotated

import typer

from functions.cli import proof_server
from functions.cli.arguments import check_local_repository
from shared.local_sources import open_local_history


def mcp(repo: Annotated[str, typer.Option(metavar="PATH", help="The repository that is asked about.")] = ".") -> int:
    """Answer the questions of agents by the proof (MCP).

    Speaks the Model Context Protocol over standard input and output. Reads only this repository, and changes nothing.
    """
    check_local_repository(repo)
    with open_local_history(repo) as history:
        history.branch(None)  # a folder that is no repository is reported before the first question
    proof_server.serve(repo)
    return 0
