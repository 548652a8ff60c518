"""What a decision leads to, from service and kind of proposal: a phrase for the message, lines for its thread."""

from collections.abc import Iterator

from shared.proof.model.recommendation import ActionKind
from shared.proposal.proposal import Label
from shared.proposal.trial import REQUIRED_ROUNDS
from shared.service import RolloutMode, Service
from shared.text.phrases import quote_untrusted


def summarise_rollout(service: Service, kind: ActionKind) -> str:
    """What follows an approval, in a few words."""
    if service.rollout_mode is RolloutMode.COMMAND:
        program = quote_untrusted(service.deploy_command[0], 80)
        return f"runs your deploy_command (`{program}`), then watches the log for a day"
    if kind is ActionKind.TRIAL:
        return f"gets no traffic; it is probed {REQUIRED_ROUNDS} times beside the serving revision"
    steps = ", ".join(map(str, service.traffic_steps))
    probed = "probed if it can be reached without traffic, then " if service.probe_url else ""
    return f"{probed}traffic in steps of {steps} %, rolled back automatically if the failure recurs"


def list_consequences(service: Service, kind: ActionKind, *, has_alternative: bool) -> Iterator[str]:
    """What each button leads to, and who may press it; each of one line."""
    if service.rollout_mode is RolloutMode.MANUAL:
        return
    yield f"{Label.APPROVE}: all checks run again. {_describe_approval(service, kind)}"
    if has_alternative:
        yield f"{Label.ROLL_BACK}: deploys the earlier commit in the same way, without the commits merged since then."
    yield f"{Label.DENY}: nothing is deployed. You are asked for a reason."
    yield f"{Label.WHO_DECIDES}: {_describe_approvers(service, kind)}"


def _describe_approval(service: Service, kind: ActionKind) -> str:
    if kind is ActionKind.TRIAL:
        return (
            f"The commit is deployed without traffic, and probed at its own address {REQUIRED_ROUNDS} times beside the "
            "serving revision. Only if it holds and the serving one fails, each time, another question asks for the "
            "traffic."
        )
    if service.rollout_mode is RolloutMode.COMMAND:
        return _describe_command(service)
    steps = ", ".join(map(str, service.traffic_steps[:-1]))
    traffic = f"gets its traffic in steps ({steps}, 100 %)" if steps else "gets all of the traffic"
    probed = "probed at its own address if that can be reached, " if service.probe_url else ""
    which = "The earlier commit" if kind is ActionKind.ROLLBACK else "The commit"
    return (
        f"{which} is deployed without traffic, {probed}then {traffic}, is watched for a day, and is rolled back "
        "automatically if the failure recurs."
    )


def _describe_command(service: Service) -> str:
    probed = f", {quote_untrusted(service.probe_url, 120)} is probed" if service.probe_url else ""
    return (
        f"Then the deploy_command is run ({quote_untrusted(service.deploy_command[0], 80)}): it controls the traffic. "
        f"When the log shows a new revision, it is watched for a day{probed}. provenfix does not roll back: if the "
        "failure recurs, it reports that."
    )


def _describe_approvers(service: Service, kind: ActionKind) -> str:
    needs = f"; {service.quorum} approvals by different users are needed" if service.quorum > 1 else ""
    is_author_excluded = service.not_author and kind is not ActionKind.ROLLBACK
    author = "; the author of the fix cannot approve it" if is_author_excluded else ""
    return f"only this service's approvers, and only in this channel{needs}{author}."
