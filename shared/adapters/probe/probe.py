"""The probe of a service, by the scheme of its URL: a service in, what a client of it sees out."""

from shared.adapters.probe.http import probe_http
from shared.adapters.probe.patience import ProbeTimeouts
from shared.adapters.probe.websocket import probe_websocket
from shared.proposal.verdict import ProbeResult, ProbeOutcome
from shared.service import Service


class NetworkProbe:
    """Implements `shared.ports.Probe`: `ws` and `wss` must connect and stay open, `http` and `https` answer well.

    `patience` is for all services; None waits as long as each service's own settings say.
    """

    def __init__(self, timeouts: ProbeTimeouts | None = None) -> None:
        self._timeouts = timeouts

    def check(self, service: Service) -> ProbeResult:
        """See `shared.ports.Probe`. Ends within `Patience.longest`."""
        url = service.probe_url
        patience = self.timeouts_for(service)
        if url.startswith(("ws://", "wss://")):
            return probe_websocket(url, service.probe_message, patience)
        if url.startswith(("http://", "https://")):
            return probe_http(url, patience, service.probe_status)
        return ProbeResult(ok=False, detail="there is no URL to probe", outcome=ProbeOutcome.NO_URL)

    def timeouts_for(self, service: Service) -> ProbeTimeouts:
        """How long this service is waited for."""
        return self._timeouts or ProbeTimeouts(stay_open_seconds=float(service.probe_seconds))
