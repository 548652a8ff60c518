"""Judges claims on circular imports, by the order in which the start of the service loads its modules.

Takes a claim and the modules of a service at one commit. A name that a module takes from a half-loaded one is missing
where the order says so; where a run may take another way, it is unknown.
"""

from shared.proof.claims.claim import Claim, ClaimState, ClaimVerdict
from shared.proof.claims.importing.import_order import ImportOrder
from shared.proof.claims.importing.import_requests import ImportRequest, list_import_requests
from shared.proof.claims.importing.started_modules import StartedModules, Undecided
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import describe_unparsed

_CHECKED_BY = "the order of the imports from the start command"


class CircularJudge:
    """Judges `CIRCULAR_IMPORT`."""

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        source = modules.tree.read(claim.path)
        if source is None:
            return _conclude(ClaimState.HOLDS, f"{claim.path} does not exist any more")
        code = parse_module(source)
        if code is None:
            return _conclude(ClaimState.UNKNOWN, describe_unparsed(claim.path))
        requests = list_import_requests(code.tree, modules.python, "ImportError")
        if any(request.is_dynamic for request in requests):
            return _conclude(ClaimState.UNKNOWN, f"{claim.path} imports modules that no text names")
        if not any(_asks(claim, request) for request in requests):
            return _conclude(ClaimState.HOLDS, f"nothing in {claim.path} asks for it any more")
        if claim.error_class.rpartition(".")[2] != "ImportError" or claim.function not in {"", "<module>"}:
            return _conclude(ClaimState.UNKNOWN, "when the name is looked up depends on a run")
        return _judge_order(claim, modules)


def _asks(claim: Claim, request: ImportRequest) -> bool:
    """Whether a statement takes the claimed name, or its module, from anywhere."""
    last = claim.module.rpartition(".")[2]
    if claim.error_class.rpartition(".")[2] == "ImportError":
        return request.name in {claim.name, "*"}
    return last in request.parts or request.name in {last, "*"}


def _judge_order(claim: Claim, modules: ServiceModules) -> ClaimVerdict:
    steps = modules.list_start_steps() if isinstance(modules, StartedModules) else ()
    if not steps or not isinstance(modules, StartedModules):
        return _conclude(ClaimState.UNKNOWN, "what the start loads first is not known")
    order = ImportOrder(modules, modules.is_outside)
    try:
        circular = order.follow(steps, claim.path)
    except Undecided as undecided:
        return _conclude(ClaimState.UNKNOWN, str(undecided))
    if circular is not None:
        where = f"line {circular.line} of {circular.path} takes {circular.name} from {circular.target}"
        if (circular.path, circular.name) != (claim.path, claim.name):
            return _conclude(ClaimState.UNKNOWN, f"another circular import ends the start: {where}")
        return _conclude(ClaimState.FAILS, f"{where}, which is still being loaded by then", (circular.line,))
    if all(module.path != claim.path for module in order.loaded.values()):
        return _conclude(ClaimState.UNKNOWN, f"the start does not load {claim.path}")
    return _conclude(ClaimState.HOLDS, "every module is loaded when a name is taken out of it")


def _conclude(state: ClaimState, reason: str, lines: tuple[int, ...] = ()) -> ClaimVerdict:
    return ClaimVerdict(state, reason, lines, _CHECKED_BY)
