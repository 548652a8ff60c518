"""Answers why it was not caught before it was deployed, and what the error behind the error is: the process."""

from collections.abc import Sequence

from shared.detection.incident import Incident
from shared.proof.declared.deployed_python import PythonFact
from shared.proof.model.deployed_version import DeployedSource, DeployedVersion, LoggedDeployment
from shared.proof.model.finding import Finding
from shared.report.evidence import Facts, FactTopic
from shared.report.facts.prevention import PreventionAssessment, assess_prevention, describe_python_setting
from shared.report.whys.why import Confidence, Statement, WhyDraft, WhyKey
from shared.text.phrases import join_words, quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339, format_timestamp, format_timestamp_phrase, has_date

_MAX_SETTINGS = 3
_SOURCE_PHRASES = {
    DeployedSource.PROVENANCE: "the build provenance of its image",
    DeployedSource.LABEL: "a label of its revision",
    DeployedSource.TAG: "the tag of its image",
    DeployedSource.ENV: "an environment variable of its revision",
}


def explain_missing_check(proof: Finding, facts: Facts) -> WhyDraft:
    """What the repository's CI and project files let pass."""
    question = "Why was it not caught before it was deployed?"
    assessment = assess_prevention(proof)
    if not assessment.commit:
        answer = "Unknown: no CI configuration and no project file was found."
        return WhyDraft(WhyKey.NOT_CAUGHT, question, answer, Confidence.UNKNOWN, facts.evidence_ids(FactTopic.UNSEEN))
    answer, confidence, state = _explain_checks(proof, assessment)
    states = [state]
    if assessment.allowing_valid_python:
        fact, version = assessment.allowing_valid_python[0]
        states.append(Statement.ADMITS_OTHER)
        answer += (
            f" {describe_python_setting(fact)} admits Python {version}, on which the file compiles, so developers on "
            "that version see no error."
        )
    topics = (
        FactTopic.PYTHON,
        FactTopic.BROKEN,
        FactTopic.ELSEWHERE,
        FactTopic.READ,
        FactTopic.CI,
        FactTopic.DEVELOPMENT,
    )
    return WhyDraft(WhyKey.NOT_CAUGHT, question, answer, confidence, facts.evidence_ids(*topics), tuple(states))


def explain_underlying_error(incident: Incident, proof: Finding, facts: Facts) -> WhyDraft:
    """Why the running source was not known, or not reviewed."""
    early = [
        deployment
        for deployment in proof.deployed.deployments
        if deployment.uncommitted and deployment.commit is not None
    ]
    outlived = _explain_undeployed_fix(incident, proof)
    parts = [
        *(
            (_explain_uncommitted_tree(deployment, incident), (Statement.UNCOMMITTED_TREE,))
            for deployment in early[-1:]
        ),
        _explain_traceability(proof.deployed),
        *([(outlived, (Statement.FIX_OUTLIVED,))] if outlived else []),
    ]
    answer = " ".join(text for text, _ in parts)
    states = tuple(state for _, some in parts for state in some)
    cited = facts.evidence_ids(FactTopic.DEPLOYMENT, FactTopic.DEPLOYED, FactTopic.FIX, FactTopic.COUNT)
    return WhyDraft(WhyKey.BEHIND, "What is the error behind the error?", answer, Confidence.INFERRED, cited, states)


def _explain_traceability(deployed: DeployedVersion) -> tuple[str, tuple[Statement, ...]]:
    """How the deployed commit became known, and what that says of the process."""
    if not deployed.conflict:
        text, state = _explain_deployed_source(deployed)
        return text, (state,)
    contradicted = f"The commit that was named as deployed contradicts the log. {quote_untrusted(deployed.conflict)}"
    text, state = _explain_deployed_source(deployed)
    if deployed.source is DeployedSource.GIVEN:
        return contradicted, (Statement.CONTRADICTED,)
    return f"{contradicted} {text}", (Statement.CONTRADICTED, state)


def _explain_deployed_source(deployed: DeployedVersion) -> tuple[str, Statement]:
    match deployed.source:
        case DeployedSource.INFERRED:
            if deployed.conflict or deployed.has_named_commit:
                text = "The deployed commit had to be inferred from the logged line."
                return text, Statement.NOT_BORNE_OUT
            untied = "Nothing in the log links the image to a commit"
            return f"{untied}: the deployed commit had to be inferred from the logged line.", Statement.UNTIED
        case DeployedSource.GIVEN:
            text = "Nothing in the log links the image to a commit: a user had to name the deployed one."
            return text, Statement.NAMED_BY_PERSON
        case DeployedSource.UNKNOWN:
            if deployed.has_named_commit:
                text = "The commit that the platform names could not be confirmed, so the running source is unknown."
                return text, Statement.NOT_BORNE_OUT
            text = "Nothing links the image to a commit, so the running source is unknown."
            return text, Statement.UNTIED
        case source:
            known = f"What was deployed could be traced, by {_SOURCE_PHRASES[source]}"
            return f"{known}; none of the files that were read shows that it was checked first.", Statement.TRACED


def _explain_checks(proof: Finding, assessment: PreventionAssessment) -> tuple[str, Confidence, Statement]:
    """What is wrong with the checks, from the worst to the best that can be said of them."""
    if not assessment.ci.workflows:
        answer = "The repository holds no CI configuration: no check compiled the change."
        return answer, Confidence.OBSERVED, Statement.CI_ABSENT
    if not assessment.ci.has_compiling_step:
        if assessment.ci.unreadable_files:
            answer = (
                f"The CI configuration could not be read: {describe_python_setting(assessment.ci.unreadable_files[0])}."
            )
            return answer, Confidence.OBSERVED, Statement.CI_UNREADABLE
        answer = "The CI configuration has no step that was recognised as compiling, linting or testing Python sources."
        return answer, Confidence.OBSERVED, Statement.CI_WITHOUT_CHECK
    if assessment.on_deployed_python or (proof.broken is not None and not proof.broken.compiles_on):
        state = Statement.CI_ON_DEPLOYED if assessment.on_deployed_python else Statement.CI_ON_ANY
        return _explain_passed_check(proof, assessment), Confidence.INFERRED, state
    state = Statement.CI_ON_OTHERS if assessment.on_other_pythons else Statement.CI_VERSION_UNKNOWN
    return _explain_other_versions(proof, assessment), Confidence.OBSERVED, state


def _explain_passed_check(proof: Finding, assessment: PreventionAssessment) -> str:
    """There is a check that would have met the error."""
    if assessment.on_deployed_python:
        setting = describe_python_setting(assessment.on_deployed_python[0])
        return (
            f"The CI configuration names Python {proof.deployed.python}: {setting}. The repository does not show "
            "whether that check covered this file, ran on this change and blocked the deployment."
        )
    steps = join_words(_describe_settings(assessment.ci.compiling_steps))
    return (
        f"The CI configuration has a step that reads sources: {steps}. This file fails to compile on every version; "
        "the repository does not show whether the step compiled it, ran on this change and blocked the deployment."
    )


def _explain_other_versions(proof: Finding, assessment: PreventionAssessment) -> str:
    """Sources are checked, and not on the version that is deployed."""
    python = proof.deployed.python or "the deployed version"
    if assessment.on_other_pythons:
        computed = ", as far as its versions can be read" if assessment.ci.has_unresolved else ""
        return (
            f"No check runs on Python {python}{computed}. CI names: "
            f"{join_words(_describe_settings(assessment.on_other_pythons))}."
        )
    steps = join_words(_describe_settings(assessment.ci.compiling_steps))
    return f"CI names no Python version that can be read, so it shows no check on {python}. It runs: {steps}."


def _describe_settings(facts: Sequence[PythonFact]) -> list[str]:
    """Each line once, however many versions it names."""
    return list(dict.fromkeys(map(describe_python_setting, facts)))[:_MAX_SETTINGS]


def _explain_uncommitted_tree(deployment: LoggedDeployment, incident: Incident) -> str:
    assert deployment.commit is not None
    line = f" on line {deployment.line}" if deployment.line is not None else ""
    seen = format_timestamp_phrase(deployment.seen_at, dated=incident.dated)
    committed = f"{short_sha(deployment.commit.id)}, at {format_rfc3339(deployment.commit.committed_at)}"
    if not incident.dated:
        return (
            f"The log carries no date. On the first day that fits, the error{line} was logged {seen}, before the "
            f"version that it comes from was committed: {committed}. If that was the day, the image was built from an "
            "uncommitted working tree, and no review and no check could see what was deployed."
        )
    return (
        f"The error{line} was logged {seen}, before the version that it comes from was committed: {committed}. The "
        "image was built from an uncommitted working tree, so no review and no check could see what was deployed."
    )


def _explain_undeployed_fix(incident: Incident, proof: Finding) -> str:
    """The fix was there and the error went on: merging does not deploy."""
    fix, last = proof.fix, incident.last_seen
    if fix is None or fix.where != "merged" or last is None or not has_date(last) or last <= fix.commit.committed_at:
        return ""
    if incident.is_found_early:
        return f"The fix was committed at {format_rfc3339(fix.commit.committed_at)}: it was merged and not deployed."
    committed, logged = format_rfc3339(fix.commit.committed_at), format_timestamp(last, dated=incident.dated)
    return (
        f"The fix was committed at {committed}, but the error was still logged at {logged}: the fix was merged and not "
        "deployed."
    )
