"""Takes a push or a pull request, and asks for a check of its commit by each service that is deployed from it."""

from shared.pushes import PushEvent, PushMessage
from shared.service import Service
from shared.workflow import check_effects
from shared.workflow.context import Context, StepResult


def request_checks(context: Context, event: PushEvent) -> StepResult:
    """`requested`, or `nothing` where no service is deployed from the branch. Raises Retry."""
    concerned = [service for service in context.services.values() if is_concerned(service, event)]
    for service in concerned:
        message = build_message(service, event)
        check_effects.publish_check_requested(context, message, f"{build_check_key(message)}.{event.delivery_id}")
    names = " ".join(service.id for service in concerned)
    return StepResult("requested" if concerned else "nothing", detail=names or event.repository)


def is_concerned(service: Service, event: PushEvent) -> bool:
    """Whether a service is deployed from the branch that an event is about, and wants its pushes checked."""
    if not service.check_pushes or service.repository.lower() != event.repository.lower():
        return False
    return event.branch == (service.branch or event.default_branch)


def build_message(service: Service, event: PushEvent) -> PushMessage:
    """As it travels to the function that checks."""
    return {
        "kind": event.kind.value,
        "service": service.id,
        "branch": event.branch,
        "commit": event.commit,
        "before": event.before,
        "fork": "yes" if event.is_from_fork else "",
    }


def build_check_key(message: PushMessage) -> str:
    """The external id of the check run: two deliveries about one commit have the same."""
    return f"{message['kind']}.{message['service']}.{message['commit']}"
