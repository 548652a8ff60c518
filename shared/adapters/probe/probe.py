"""The probe of a service, by the scheme of its URL: a service in, what a client of it sees out."""

from shared.adapters.probe.http import ask
from shared.adapters.probe.patience import Patience
from shared.adapters.probe.websocket import converse
from shared.domain.service import Service
from shared.domain.verdict import Probed


class NetworkProbe:
    """Implements `shared.ports.Probe`: `ws` and `wss` must connect and stay open, `http` and `https` answer 2xx."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()

    def connect(self, service: Service) -> Probed:
        """See `shared.ports.Probe`. Ends within `Patience.longest`."""
        url = service.probe_url
        if url.startswith(("ws://", "wss://")):
            return converse(url, service.probe_message, self._patience)
        if url.startswith(("http://", "https://")):
            return ask(url, self._patience)
        return Probed(ok=False, detail="there is no URL to probe")
