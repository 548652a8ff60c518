"""Checks that the probe reaches each service from here, as it would from a function."""

from collections.abc import Iterator, Sequence

from functions.cli.doctor.check import Check, CheckResult, missing_result, ok_result
from shared.adapters import probe
from shared.service import Service
from shared.text.redaction import redact


def list_probe_checks(services: Sequence[Service]) -> Iterator[Check]:
    """Yields one check for each service. One without a probe fails: nothing would show that it answers."""
    for service in services:
        yield Check("probe", service.id, lambda at=service: _check_probe(at))  # type: ignore[misc]


def _check_probe(service: Service) -> CheckResult:
    if not service.probe_url:
        return missing_result("It has no probe_url: a redeployment would be verified by its log alone.",
                       f"add probe_url to {service.name} in provenfix.yaml")  # fmt: skip
    result = probe.NetworkProbe().check(service)
    if result.ok:
        return ok_result()
    where = f"--region={service.region} --project={service.project}"
    return missing_result(
        f"The probe fails: {redact(result.detail)[:200]}.", f"gcloud run services describe {service.name} {where}"
    )
