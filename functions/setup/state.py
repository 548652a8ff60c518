"""What is known of a setup between two runs: the answers, the steps that began, and the facts that they found.

No secret is among them: ids, names of versions in Secret Manager, addresses.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from functions.setup.answers import Answers, answers_from_document, answers_to_document
from functions.setup.step import Step, StepName

_VERSION = 1
Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step that began. `fingerprint` is "" until it is done; then it says what was done."""

    fingerprint: str = ""
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetupState:
    """Immutable: each change is a new value, which is written at once."""

    answers: Answers = field(default_factory=Answers)
    steps: Mapping[StepName, StepRecord] = field(default_factory=dict)

    def is_done(self, step: Step) -> bool:
        """Whether the step was done as it is planned now."""
        record = self.steps.get(step.name)
        return record is not None and record.fingerprint == fingerprint_step(step)

    def fact(self, step: StepName, name: str) -> str:
        """ "" where it is not known."""
        record = self.steps.get(step)
        return record.facts.get(name, "") if record else ""

    def with_begun(self, name: StepName, facts: Facts | None = None) -> "SetupState":
        """The step is neither done nor untouched; what it had found is kept."""
        known = self.steps.get(name, StepRecord()).facts
        return replace(self, steps={**self.steps, name: StepRecord("", {**known, **(facts or {})})})

    def with_done(self, step: Step, facts: Facts) -> "SetupState":
        """The step is done."""
        known = self.steps.get(step.name, StepRecord()).facts
        return replace(self, steps={**self.steps, step.name: StepRecord(fingerprint_step(step), {**known, **facts})})

    def without(self, name: StepName) -> "SetupState":
        """The step is undone."""
        return replace(self, steps={key: record for key, record in self.steps.items() if key != name})


def fingerprint_step(step: Step) -> str:
    """Another one where the step would do something else."""
    return hashlib.sha256(repr((step.commands, step.notes)).encode()).hexdigest()[:16]


def state_to_text(state: SetupState) -> str:
    """As JSON."""
    steps = {
        name.value: {"fingerprint": item.fingerprint, "facts": dict(item.facts)} for name, item in state.steps.items()
    }
    document = {"version": _VERSION, "answers": answers_to_document(state.answers), "steps": steps}
    return json.dumps(document, indent=2) + "\n"


def state_from_text(text: str) -> SetupState:
    """The inverse. Raises ValueError for what is none."""
    try:
        document: dict[str, Any] = json.loads(text)
        if document["version"] != _VERSION:
            raise ValueError(f"version {document['version']}")
        steps = {
            StepName(name): StepRecord(str(record["fingerprint"]), dict(record["facts"]))
            for name, record in document["steps"].items()
        }
        return SetupState(answers_from_document(document["answers"]), steps)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
