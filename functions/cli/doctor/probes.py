"""Checks that the probe reaches each service from here, as it would from a function."""

from collections.abc import Iterator, Sequence

from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, build_missing_result, build_ok_result
from shared.adapters import probe
from shared.service import Service
from shared.text.redaction import redact


def list_probe_checks(accounts: Accounts, services: Sequence[Service]) -> Iterator[Check]:
    """Yields one check for each service. One without a probe fails: nothing would show that it answers."""
    for service in services:
        yield Check("probe", service.id, lambda at=service: _check_probe(accounts, at))  # type: ignore[misc]


def _check_probe(accounts: Accounts, service: Service) -> CheckResult:
    if not service.probe_url:
        return build_missing_result("It has no probe_url: a redeployment would be verified by its log alone.",
                       f"add probe_url to {service.name} in provenfix.yaml")  # fmt: skip
    result = probe.NetworkProbe().check(service)
    if result.ok:
        reason = _find_unprobeable_reason(accounts, service)
        return build_ok_result(f"but no revision can be probed before it has traffic: {reason}" if reason else "")
    where = f"--region={service.region} --project={service.project}"
    return build_missing_result(
        f"The probe fails: {redact(result.detail)[:200]}.", f"gcloud run services describe {service.name} {where}"
    )


def _find_unprobeable_reason(accounts: Accounts, service: Service) -> str:
    """See `shared.adapters.google.cloud_run_revisions.find_unprobeable_reason`: what answers may be a load balancer."""
    path = f"/v2/projects/{service.project}/locations/{service.region}/services/{service.name}"
    answer = accounts.user_client.get("run.googleapis.com", path)
    told = answer.value if answer.is_success else {}
    if told.get("defaultUriDisabled"):
        return "the service's run.app address is switched off"
    if told.get("iapEnabled"):
        return "Identity-Aware Proxy is in front of it"
    ingress = str(told.get("ingress") or "INGRESS_TRAFFIC_ALL")
    return "" if ingress == "INGRESS_TRAFFIC_ALL" else f"the service takes no requests from outside ({ingress})"
