"""What a check of a commit does to the outside, each through the ledger; beside `effects`, which acts for incidents."""

from collections.abc import Mapping

from shared.ports import Document
from shared.pushes import CheckRun
from shared.service import Service
from shared.workflow import flow
from shared.workflow.context import Context
from shared.workflow.ledger import read_result, run_once
from shared.workflow.records import documents


def publish_check_requested(context: Context, message: Mapping[str, str], key: str) -> None:
    """Asks for a check. A second copy of a message does no harm."""

    def do() -> Document:
        context.bus.publish(flow.CHECK_REQUESTED, message)
        return {}

    run_once(context, f"publish.{flow.CHECK_REQUESTED}.{key}", do)


def create_check_run(context: Context, service: Service, run: CheckRun) -> str:
    """The check run on the commit; its address."""

    def do() -> Document:
        return {"url": context.check_runs.create_run(service, run), "conclusion": run.conclusion.value}

    def find() -> Document | None:
        url = context.check_runs.find_run(service, run)
        return {"url": url, "conclusion": run.conclusion.value} if url else None

    return documents.read_text(run_once(context, _check_run_key(run.external_id), do, find), "url")


def is_check_run_created(context: Context, external_id: str) -> bool:
    """Whether the ledger holds the check run as written."""
    return read_result(context, _check_run_key(external_id)) is not None


def _check_run_key(external_id: str) -> str:
    return f"check_run.{external_id}"
