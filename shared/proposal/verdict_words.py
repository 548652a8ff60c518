"""Why a rollout or a trial ended, in one sentence for each verdict."""

from collections.abc import Mapping

from shared.proposal.rollout import RolloutVerdict
from shared.proposal.trial import TrialVerdict

VERDICT_SENTENCES: Mapping[RolloutVerdict, str] = {
    RolloutVerdict.PROVEN: "{requests} requests in {lasted}{probes}, and the failure was not logged{again}.",
    RolloutVerdict.FAILED_PROBE: "{failed_probes} probes in a row failed.",
    RolloutVerdict.FAILED_REVISION: "The new revision was ready, and is no longer: {failure}",
    RolloutVerdict.RECURRED: "Revision {recurred} contains the fix and logged the failure again.",
    RolloutVerdict.CHANGED: "A user changed the service by hand: {split}.",
    RolloutVerdict.INCONCLUSIVE: "Inconclusive: no requests in {lasted}, so the fix could not be verified.",
}
"""Why a rollout ended, with the figures; one that holds goes on, and needs no words."""

TRIAL_SENTENCES: Mapping[TrialVerdict, str] = {
    TrialVerdict.PROVEN: "{rounds} times in a row the serving revision failed and the tried one held.",
    TrialVerdict.NO_DIFFERENCE: "No difference: the tried revision fails as the serving one does.",
    TrialVerdict.REVISION_FAILS: "The tried revision fails in a way of its own.",
    TrialVerdict.SERVING_HOLDS: "The serving revision did not fail, so there was nothing to compare with.",
    TrialVerdict.UNCLEAR: "In {rounds} rounds too many probes did not reach a revision.",
}
"""The result of a trial, with the number of its rounds; a running one needs no words."""
