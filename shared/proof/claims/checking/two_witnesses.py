"""Two witnesses for each verdict: a judge's own rules, and a type checker's report on the same file.

Where both have an opinion on the same name and lines and they differ, the verdict is unknown. A checker that knows
nothing of a value, as of all that installed packages give, has no opinion: the verdict of the rules stays, and what the
rules read are its inputs. Else every commit to a file that the checker saw would count as an attempt to fix the claim.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from shared.proof.claims.attributes.attribute_uses import find_uses
from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.checking.checked_files import ProbedSource, collect_files, insert_probes
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.ports import ClaimJudge, ServiceModules, WitnessedJudge
from shared.proof.model.checker_report import CheckerDiagnostic, CheckerReport, CheckerRule
from shared.proof.model.ports import TypeChecker

_FAILING: Mapping[ClaimFamily, frozenset[CheckerRule]] = {
    ClaimFamily.IMPORT_NAME: frozenset((CheckerRule.MODULE_MEMBER,)),
    ClaimFamily.NAME: frozenset((CheckerRule.NAME,)),
    ClaimFamily.MODULE_ATTRIBUTE: frozenset((CheckerRule.ATTRIBUTE,)),
    ClaimFamily.CLASS_ATTRIBUTE: frozenset((CheckerRule.ATTRIBUTE, CheckerRule.UNION_ATTRIBUTE)),
    ClaimFamily.CALL: frozenset((CheckerRule.CALL,)),
}
"""What a checker reports where a claim of the family fails; it has no opinion on the others."""


_BY_PYTHON = frozenset((ClaimFamily.IMPORT_NAME, ClaimFamily.MODULE_ATTRIBUTE))
"""What may be missing from the standard library of one Python and not from that of another."""


class TwoWitnesses:
    """Implements `shared.proof.claims.ports.ClaimJudge`: the verdicts of another judge, held against the checker's."""

    def __init__(self, judge: ClaimJudge, checker: TypeChecker) -> None:
        self._judge = judge
        self._checker = checker

    def with_witness(self, witness: ServiceModules) -> ClaimJudge:
        """The same two, where the judge believes the log for the commit of `witness`; itself where it cannot."""
        if not isinstance(self._judge, WitnessedJudge):
            return self
        return TwoWitnesses(self._judge.with_witness(witness), self._checker)

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The judge's verdict, unless the checker says the opposite. `checked_by` names both where both were asked."""
        verdict = self._judge.judge(claim, modules)
        if verdict.state is ClaimState.UNKNOWN or claim.family not in _FAILING:
            return verdict
        inputs = frozenset(modules.tree.recorded_paths)
        try:
            compared = self._compare(claim, MeaningFinder(modules, claim.path), verdict)
        except (RecursionError, ValueError):
            compared = verdict  # the checker has no opinion
        if compared.state is verdict.state:
            modules.tree.recorded_paths.intersection_update(inputs)
        return compared

    def _compare(self, claim: Claim, finder: MeaningFinder, verdict: ClaimVerdict) -> ClaimVerdict:
        files = collect_files(finder, claim.path)
        if claim.path not in files.contents:
            return verdict
        probed = self._probe(claim, finder, files.contents[claim.path])
        contents = {**files.contents, claim.path: probed.content}
        image = finder.modules.image_python.version if claim.family in _BY_PYTHON else ""
        python = image or finder.modules.python
        report = self._checker.check(contents, python, files.roots, [claim.path])
        if claim.path not in report.judged_paths:
            return verdict
        witnessed = replace(verdict, checked_by=", ".join(filter(None, (verdict.checked_by, report.checked_by))))
        reported = [entry for entry in report.diagnostics if _is_about(entry, claim)]
        if verdict.state is ClaimState.FAILS:
            doubt = _find_silence(claim, verdict.lines, report, reported, probed)
        else:
            doubt = _find_contradiction(reported)
        return replace(witnessed, state=ClaimState.UNKNOWN, reason=doubt, lines=()) if doubt else witnessed

    @staticmethod
    def _probe(claim: Claim, finder: MeaningFinder, content: bytes) -> ProbedSource:
        """For attributes the checker is asked what it takes the value for: else its silence says nothing."""
        source = finder.get_source(claim.path)
        if source is None or claim.family not in {ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE}:
            return ProbedSource(content, {})
        uses = find_uses(source, claim.name, finder.modules.python)
        return insert_probes(content, [use.value for use in uses if not use.is_indirect])


def _is_about(entry: CheckerDiagnostic, claim: Claim) -> bool:
    """Whether a diagnostic is the claim's failure: of its family, with its name, about its module or class."""
    if entry.path != claim.path or entry.rule not in _FAILING[claim.family]:
        return False
    if claim.family is ClaimFamily.CALL:
        return _names_same(entry.subject, claim.owner)
    if claim.family is ClaimFamily.CLASS_ATTRIBUTE:
        return entry.name == claim.name and _names_class(entry.subject, claim.owner)
    if claim.family is ClaimFamily.MODULE_ATTRIBUTE:
        return entry.name == claim.name and entry.subject == claim.module
    is_named = entry.name == claim.name
    return is_named and (claim.family is ClaimFamily.NAME or _names_same(entry.subject, claim.module))


def _names_same(left: str, right: str) -> bool:
    """Whether two dotted names end alike, as far as the shorter one goes."""
    pairs = zip(reversed(left.split(".")), reversed(right.split(".")), strict=False)
    return all(part == counterpart for part, counterpart in pairs)


def _names_class(subject: str, owner: str) -> bool:
    members = (member.strip() for member in subject.split(" | "))
    return any(member in {owner, f"type[{owner}]", f"<class '{owner}'>"} for member in members)


def _find_silence(
    claim: Claim,
    lines: Iterable[int],
    report: CheckerReport,
    reported: Sequence[CheckerDiagnostic],
    probed: ProbedSource,
) -> str:
    """Why a checker that reports nothing contradicts a failure; "" where it does not."""
    if reported:
        return ""
    failing = frozenset(lines)
    if claim.family is ClaimFamily.NAME:
        return f"{report.checked_by} does not miss {claim.name}" if failing else ""
    asked = {position for position in probed.positions.values() if position[0] in failing}
    types = {
        entry.subject
        for entry in report.diagnostics
        if entry.rule is CheckerRule.REVEALED and (entry.line, entry.column) in asked
    }
    known = [name for name in types if _names_class(name, claim.owner) or name == f"<module '{claim.module}'>"]
    return f"{report.checked_by} takes the value for {known[0]} and reports nothing" if known else ""


def _find_contradiction(reported: Sequence[CheckerDiagnostic]) -> str:
    """Why what a checker reports contradicts that nothing fails; "" where it does not."""
    return f"line {reported[0].line}: {reported[0].message}" if reported else ""
