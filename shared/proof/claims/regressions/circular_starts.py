"""The claim that the start of a service makes where an import takes a name out of a half-loaded module."""

from shared.proof.claims.claim import Claim, ClaimFamily
from shared.proof.claims.importing.import_order import ImportOrder
from shared.proof.claims.importing.import_outcomes import Undecided
from shared.proof.claims.importing.started_modules import StartedModules
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.regressions.complaints import add_message


def find_circular_claim(modules: ServiceModules, path: str) -> Claim | None:
    """None where the start loads everything, or where it is not decidable; `path`: any file of the image."""
    steps = modules.list_start_steps() if isinstance(modules, StartedModules) else ()
    if not steps or not isinstance(modules, StartedModules):
        return None
    try:
        circular = ImportOrder(modules, modules.is_outside).follow(steps, path)
    except Undecided:
        return None
    if circular is None:
        return None
    module = circular.target.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    claim = Claim(
        ClaimFamily.CIRCULAR_IMPORT, circular.path, circular.line, "", "", "<module>", module=module, name=circular.name
    )
    return add_message(claim)
