"""Whether a commit newly starts what its image lacks: the target of a start command that the deployed commit finds.

Takes the service at both commits; returns the claim, or None. Only what is certain at both counts.
"""

from dataclasses import replace

from shared.proof.claims.claim import Claim, ClaimState
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.regressions.complaints import add_message
from shared.proof.claims.service_modules import ImageModules
from shared.proof.claims.starting.start_judge import StartJudge, build_start_claim


def find_start_claim(modules: ServiceModules, deployed: ServiceModules) -> Claim | None:
    """The claim that a start fails at the commit of `modules`, and does not at the deployed one."""
    dockerfile = _find_dockerfile(deployed)
    if not dockerfile or modules.tree.blob(dockerfile) is None:
        return None
    claim, judge = build_start_claim(dockerfile, 0, "", "", ""), StartJudge().with_baseline(deployed)
    verdict = judge.judge(claim, modules)
    if verdict.state is not ClaimState.FAILS or StartJudge().judge(claim, deployed).state is not ClaimState.HOLDS:
        return None
    missing = judge.list_missing(claim, modules)
    if not missing:
        return None
    target, lacks_name = missing[0].target, missing[0].state.lacks_name
    is_named = bool(target.module) and lacks_name
    name = target.name if is_named else "" if target.module else target.path
    placed = replace(claim, line=verdict.lines[0], module=target.module, name=name, owner=target.program)
    return add_message(placed)


def _find_dockerfile(deployed: ServiceModules) -> str:
    """The one that builds the deployed service; "" where that is not known."""
    layouts = deployed.layouts if isinstance(deployed, ImageModules) else ()
    paths = {layout.dockerfile for layout in layouts}
    return next(iter(paths)) if len(paths) == 1 else ""
