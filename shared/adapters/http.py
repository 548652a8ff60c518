"""The one HTTP transport for everything that has no client library: sends a request, returns the response.

Connections are kept; time limits and TLS are urllib3's. Nothing is repeated and no redirect is followed: what may be
repeated the caller knows, and a token is meant for one URL. The probe has a transport of its own, because it must cut
off a service that answers byte by byte.
"""

import ssl
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlsplit

import urllib3

_MAX_IDLE_SECONDS = 30.0
"""Seconds of silence after which connections are not trusted: urllib3 sees that one was ended, not that it is lost."""
_MAX_CONNECTIONS = 32
"""Connections that are kept; there may be more at once."""
_MAX_RESPONSE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """`headers` by lower-case name; `body` is cut at the client's limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float:
        """The seconds that the server asks to wait; 0 where it asks for none."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdecimal() else 0.0


class NoResponse(Exception):
    """The server could not be reached, or its response was lost; the text names the host and never holds a header."""

    def __init__(self, host: str, error: urllib3.exceptions.HTTPError) -> None:
        reason = error.__cause__ if isinstance(error.__cause__, OSError) else error  # what the system said, if it did
        super().__init__(f"{host} could not be reached ({type(reason).__name__})")
        self.is_timeout = isinstance(error, urllib3.exceptions.TimeoutError)


class HttpClient:
    """Sends requests from any number of threads. `seconds` is the limit for connecting, and for each wait for bytes.

    With `uses_proxies` the proxies of the environment are used: for commands, which run behind them.
    """

    def __init__(self, seconds: float, *, max_bytes: int = _MAX_RESPONSE_BYTES, uses_proxies: bool = False) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._uses_proxies = uses_proxies
        self._pools: dict[tuple[str, str], urllib3.PoolManager] = {}
        self._lock = Lock()
        self._last_used = time.monotonic()

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> HttpResponse:
        """Sends one request, once. Raises NoResponse."""
        if time.monotonic() - self._last_used > _MAX_IDLE_SECONDS:
            self.close()
        try:
            response = self._pool_for(url).request(
                method, url, body=body, headers=dict(headers or {}), retries=False, redirect=False,
                preload_content=False,
            )  # fmt: skip
            content = response.read(self._max_bytes + 1)
            if len(content) > self._max_bytes:
                response.close()
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise NoResponse(urlsplit(url).netloc, error) from error
        self._last_used = time.monotonic()
        named = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return HttpResponse(response.status, named, content[: self._max_bytes])

    def close(self) -> None:
        """Ends the connections; the next request opens new ones."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()

    def _pool_for(self, url: str) -> urllib3.PoolManager:
        scheme = urlsplit(url).scheme
        key = (scheme, self._proxy_for(url))
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._create_pool(*key)
            return self._pools[key]

    def _create_pool(self, scheme: str, proxy: str) -> urllib3.PoolManager:
        trusted = ssl.create_default_context() if scheme == "https" else None  # once: urllib3 reads it per connection
        if proxy:
            return urllib3.ProxyManager(proxy, timeout=self._seconds, maxsize=_MAX_CONNECTIONS, ssl_context=trusted)
        return urllib3.PoolManager(timeout=self._seconds, maxsize=_MAX_CONNECTIONS, ssl_context=trusted)

    def _proxy_for(self, url: str) -> str:
        parts = urlsplit(url)
        if not self._uses_proxies or urllib.request.proxy_bypass(parts.hostname or ""):
            return ""
        return urllib.request.getproxies().get(parts.scheme, "")
