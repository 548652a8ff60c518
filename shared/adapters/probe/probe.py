"""The probe of a service, by the scheme of its URL: a service in, what a client of it sees out."""

from shared.adapters.probe.http import ask
from shared.adapters.probe.patience import Patience
from shared.adapters.probe.websocket import converse
from shared.proposal.verdict import ProbeResult, ProbeOutcome
from shared.service import Service


class NetworkProbe:
    """Implements `shared.ports.Probe`: `ws` and `wss` must connect and stay open, `http` and `https` answer well.

    `patience` is for all services; None waits as long as each service's own settings say.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience

    def connect(self, service: Service) -> ProbeResult:
        """See `shared.ports.Probe`. Ends within `Patience.longest`."""
        url = service.probe_url
        patience = self.patience_with(service)
        if url.startswith(("ws://", "wss://")):
            return converse(url, service.probe_message, patience)
        if url.startswith(("http://", "https://")):
            return ask(url, patience, service.probe_status)
        return ProbeResult(ok=False, detail="there is no URL to probe", end=ProbeOutcome.NO_URL)

    def patience_with(self, service: Service) -> Patience:
        """How long this service is waited for."""
        return self._patience or Patience(staying=float(service.probe_seconds))
