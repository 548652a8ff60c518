"""Gathers the numbered evidence of an incident and its proof: one fact for everything that a report may say."""

from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.report.evidence import Facts, number_facts
from shared.report.facts.deployed_code import (
    collect_deployed_code_facts,
    collect_environment_facts,
    collect_loading_facts,
)
from shared.report.facts.fix_history import collect_fix_facts
from shared.report.facts.log_entries import collect_log_facts
from shared.report.facts.prevention import collect_prevention_facts
from shared.report.facts.unproven import collect_suspected_facts, collect_trial_facts


def gather_facts(incident: Incident, proof: Finding) -> Facts:
    """All facts, in the order in which a report tells them: logged, failing, fixed, why it was not caught."""
    parts = (
        collect_environment_facts,
        collect_deployed_code_facts,
        collect_loading_facts,
        collect_fix_facts,
        collect_suspected_facts,
        collect_trial_facts,
        collect_prevention_facts,
    )
    return number_facts(
        (*collect_log_facts(incident, proof.raised_frame), *(fact for part in parts for fact in part(incident, proof)))
    )
