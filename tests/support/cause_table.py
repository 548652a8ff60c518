"""Log entries of failures, each with the class of its cause: invented texts in the shapes of public reports.

Each is one entry or several, as the service or the platform logged them; the ferry company's service does not exist.
"""
# ruff: noqa: E501

from collections.abc import Sequence
from dataclasses import dataclass

from shared.detection.causes.cause import CauseClass
from shared.detection.entry import LogEntry
from tests.support.log_samples import time_at

PACKAGES = "/usr/local/lib/python3.11/site-packages"
CLOSED = "WebSocket /ws/berth closed: code=1011"
_ASGI = (
    f'  File "{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py", line 244, in run_asgi\n'
    "    result = await self.app(self.scope, self.asgi_receive, self.asgi_send)\n"
    f'  File "{PACKAGES}/starlette/routing.py", line 363, in handle\n'
    "    await self.app(scope, receive, send)\n"
)
_OWN = '  File "/app/ferry/berths.py", line 41, in moor\n    await harbour.moor(ship)\n'
_START = '  File "/app/main.py", line 6, in <module>\n    from ferry import settings\n'
_HEADER = "Traceback (most recent call last):\n"
_SYSTEM = "run.googleapis.com%2Fvarlog%2Fsystem"


@dataclass(frozen=True, slots=True)
class CauseSample:
    """Entries of one instance, a second apart, and what the last close or failed start of them comes from."""

    name: str
    cause_class: CauseClass
    texts: Sequence[str]
    subject: str = ""
    platform: frozenset[int] = frozenset()
    """Which of them the platform wrote."""


def _raised(last_line: str, *, inside: str = "", own: str = _OWN) -> str:
    """An exception of a WebSocket handler, as the server logs it; `inside` are the frames of a package below it."""
    return f"ERROR:    Exception in ASGI application\n{_HEADER}{_ASGI}{own}{inside}{last_line}"


def build_package_frame(path: str, function: str = "recv", source: str = "return await self._wait()") -> str:
    """A frame of an installed package."""
    return f'  File "{PACKAGES}/{path}", line 88, in {function}\n    {source}\n'


def build_closed_sample(
    name: str, cause_class: CauseClass, last_line: str, subject: str = "", **parts: str
) -> CauseSample:
    """A traceback of a WebSocket's handler, and the close after it."""
    return CauseSample(name, cause_class, (_raised(last_line, **parts), CLOSED), subject)


def build_failed_sample(
    name: str, cause_class: CauseClass, last_line: str, subject: str = "", inside: str = ""
) -> CauseSample:
    """A traceback at the start, and what the platform says of it."""
    platform = "Container called exit(1)."
    return CauseSample(name, cause_class, (f"{_HEADER}{_START}{inside}{last_line}", platform), subject, frozenset({1}))


_ENVIRON = '  File "<frozen os>", line 685, in __getitem__\n'
_SETTINGS = build_package_frame("pydantic_settings/main.py", "__init__", "super().__init__(**values)")
_GENAI = build_package_frame("google/genai/live.py", "_receive", "raw_response = await self._ws.recv(decode=False)")
_OPENAI = build_package_frame(
    "openai/resources/realtime/realtime.py", "recv_bytes", "message = await self._connection.recv()"
)
_DEEPGRAM = build_package_frame(
    "deepgram/clients/listen/v1/websocket/async_client.py", "_listening", "message = await self._socket.recv()"
)
_CLIENT = build_package_frame("websockets/asyncio/client.py", "__await_impl__", "await self.connection.handshake()")
_CONNECTION = build_package_frame(
    "websockets/asyncio/connection.py", "recv", "return await self.recv_messages.get(decode)"
)
_SERVED = build_package_frame(
    "uvicorn/protocols/websockets/websockets_impl.py", "asgi_send", "await self.protocol.send(data)"
)
_LOOP = '  File "/usr/local/lib/python3.11/asyncio/base_events.py", line 1086, in create_connection\n'
_UNAVAILABLE = "received 1011 (internal error) The pier is closed.; then sent 1011 (internal error) The pier is closed."
_PING = "sent 1011 (internal error) keepalive ping timeout; no close frame received"

_RESET = (
    f"{_HEADER}{build_package_frame('redis/asyncio/connection.py', 'send_packed_command')}ConnectionResetError: Connection lost\n\n"
    "The above exception was the direct cause of the following exception:\n\n"
)
_WORKER = (
    f"[7] [ERROR] Exception in worker process\n{_HEADER}{build_package_frame('gunicorn/arbiter.py', 'spawn_worker')}"
    f"{_START}KeyError: 'HARBOUR_URL'".replace("KeyError", '  File "<frozen os>", line 685, in __getitem__\nKeyError')
)
_MASTER = (
    f"{_HEADER}{build_package_frame('gunicorn/arbiter.py', 'reap_workers')}gunicorn.errors.HaltServer: "
    "<HaltServer 'Worker failed to boot.' 3>"
)
_OWN_CODE = (
    build_closed_sample("name", CauseClass.OWN_CODE, "NameError: name 'tides' is not defined"),
    build_closed_sample("attribute of a module", CauseClass.OWN_CODE, "AttributeError: module 'ferry.tides' has no attribute 'now'"),
    build_closed_sample("attribute of None", CauseClass.OWN_CODE, "AttributeError: 'NoneType' object has no attribute 'send_json'"),
    build_closed_sample("local name", CauseClass.OWN_CODE, "UnboundLocalError: cannot access local variable 'pier' where it is not associated with a value"),
    build_closed_sample("call", CauseClass.OWN_CODE, "TypeError: Harbour.moor() got an unexpected keyword argument 'deck'"),
    build_closed_sample("await of no coroutine", CauseClass.OWN_CODE, "TypeError: object dict can't be used in 'await' expression"),
    build_failed_sample("import of a name", CauseClass.OWN_CODE, "ImportError: cannot import name 'Deck' from 'ferry.decks' (/app/ferry/decks.py)"),
    build_failed_sample("own module", CauseClass.OWN_CODE, "ModuleNotFoundError: No module named 'ferry.tides'"),
    build_closed_sample("key", CauseClass.OWN_CODE_UNPROVABLE, "KeyError: 'berth'"),
    build_closed_sample("uppercase key of a dictionary", CauseClass.OWN_CODE_UNPROVABLE, "KeyError: 'BERTH_STATUS'"),
    build_closed_sample("json", CauseClass.OWN_CODE_UNPROVABLE, "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)", inside='  File "/usr/local/lib/python3.11/json/decoder.py", line 355, in raw_decode\n'),
    build_closed_sample("model of a message", CauseClass.OWN_CODE_UNPROVABLE, "pydantic_core._pydantic_core.ValidationError: 2 validation errors for BerthRequest", inside=build_package_frame("pydantic/main.py", "__init__")),
    build_closed_sample("not serialisable", CauseClass.OWN_CODE_UNPROVABLE, "TypeError: Object of type Ship is not JSON serializable", inside='  File "/usr/local/lib/python3.11/json/encoder.py", line 180, in default\n'),
    build_closed_sample("own exception", CauseClass.OWN_CODE_UNPROVABLE, "ferry.errors.NoBerthError: pier 4 is full"),
    build_closed_sample("zero", CauseClass.OWN_CODE_UNPROVABLE, "ZeroDivisionError: division by zero"),
)  # fmt: skip
_DEPENDENCY_AND_IMAGE = (
    build_failed_sample("package not installed", CauseClass.DEPENDENCY, "ModuleNotFoundError: No module named 'redis'"),
    build_failed_sample("name left a package", CauseClass.DEPENDENCY, f"ImportError: cannot import name 'WebSocketClientProtocol' from 'websockets' ({PACKAGES}/websockets/__init__.py)"),
    build_failed_sample("package imports a package", CauseClass.DEPENDENCY, "ModuleNotFoundError: No module named 'quayside_core'", inside=build_package_frame("quayside/__init__.py", "<module>", "import quayside_core")),
    build_closed_sample("package calls a package", CauseClass.DEPENDENCY, "TypeError: AsyncClient.__init__() got an unexpected keyword argument 'proxies'", inside=build_package_frame("openai/_base_client.py", "__init__", "super().__init__(**kwargs)")),
    build_failed_sample("settings moved", CauseClass.DEPENDENCY, "pydantic.errors.PydanticImportError: `BaseSettings` has been moved to the `pydantic-settings` package."),
    build_closed_sample("attribute of a package", CauseClass.DEPENDENCY, "AttributeError: module 'websockets' has no attribute 'serve_forever'"),
    build_failed_sample("numpy", CauseClass.DEPENDENCY, "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header", inside=build_package_frame("pandas/__init__.py", "<module>", "import numpy")),
    build_failed_sample("shared library", CauseClass.IMAGE, "ImportError: libGL.so.1: cannot open shared object file: No such file or directory", inside=build_package_frame("cv2/__init__.py", "<module>", "bootstrap()")),
    build_closed_sample("template", CauseClass.IMAGE, "jinja2.exceptions.TemplateNotFound: berth.html", inside=build_package_frame("jinja2/loaders.py", "get_source")),
    build_closed_sample("file of the repository", CauseClass.IMAGE, "FileNotFoundError: [Errno 2] No such file or directory: '/app/ferry/tides.json'"),
    build_closed_sample("program", CauseClass.IMAGE, "FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", inside='  File "/usr/local/lib/python3.11/subprocess.py", line 1955, in _execute_child\n'),
    CauseSample("start file", CauseClass.IMAGE, ("python: can't open file '/app/serve.py': [Errno 2] No such file or directory",)),
    CauseSample("module of the server", CauseClass.IMAGE, ("ERROR:    Error loading ASGI app. Could not import module \"main\".",)),
    build_closed_sample("temporary file", CauseClass.OWN_CODE_UNPROVABLE, "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/tide-17.wav'"),
)  # fmt: skip
_CONFIGURATION_AND_CREDENTIALS = (
    build_failed_sample("environ", CauseClass.CONFIGURATION, "KeyError: 'HARBOUR_URL'", "HARBOUR_URL", inside=_ENVIRON),
    build_closed_sample("environ by its source", CauseClass.CONFIGURATION, "KeyError: 'PIER_TOKEN'", "PIER_TOKEN", own='  File "/app/ferry/berths.py", line 9, in moor\n    token = os.environ["PIER_TOKEN"]\n'),
    build_failed_sample("settings", CauseClass.CONFIGURATION, "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings\nharbour_url\n  Field required [type=missing, input_value={}, input_type=dict]", "Settings.harbour_url", inside=_SETTINGS),
    build_failed_sample("own words", CauseClass.CONFIGURATION, "RuntimeError: environment variable HARBOUR_KEY is not set", "HARBOUR_KEY"),
    build_failed_sample("value error", CauseClass.CONFIGURATION, "ValueError: HARBOUR_KEY environment variable not set", "HARBOUR_KEY"),
    build_failed_sample("client of a model", CauseClass.CONFIGURATION, "openai.OpenAIError: The api_key client option must be set either by passing api_key to the client or by setting the OPENAI_API_KEY environment variable", "OPENAI_API_KEY", inside=build_package_frame("openai/_client.py", "__init__")),
    build_failed_sample("decouple", CauseClass.CONFIGURATION, "decouple.UndefinedValueError: HARBOUR_URL not found. Declare it as envvar or define a default value.", "HARBOUR_URL", inside=build_package_frame("decouple.py", "get")),
    build_failed_sample("django", CauseClass.CONFIGURATION, "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.", inside=build_package_frame("django/conf/__init__.py", "_setup")),
    CauseSample("worker and master", CauseClass.CONFIGURATION, (_WORKER, _MASTER, "Container called exit(3)."), "HARBOUR_URL", platform=frozenset({2})),
    CauseSample("secret not found", CauseClass.CONFIGURATION, ("Revision 'ferry-00007' is not ready and cannot serve traffic. The user-provided container failed to start. Secret projects/1/secrets/pier/versions/latest was not found",), platform=frozenset({0})),
    build_closed_sample("default credentials", CauseClass.CREDENTIALS, "google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found. To set up Application Default Credentials, see the documentation.", inside=build_package_frame("google/auth/_default.py", "default")),
    build_closed_sample("refresh", CauseClass.CREDENTIALS, "google.auth.exceptions.RefreshError: ('invalid_grant: Bad Request', {'error': 'invalid_grant'})", inside=build_package_frame("google/oauth2/_client.py", "_handle_error_response")),
    build_closed_sample("iam", CauseClass.CREDENTIALS, "google.api_core.exceptions.PermissionDenied: 403 Missing or insufficient permissions.", inside=build_package_frame("google/api_core/grpc_helpers.py", "error_remapped_callable")),
    build_closed_sample("key of a model", CauseClass.CREDENTIALS, "openai.AuthenticationError: Error code: 401 - {'error': {'code': 'invalid_api_key'}}", inside=build_package_frame("openai/_base_client.py", "request")),
    build_closed_sample("handshake", CauseClass.CREDENTIALS, "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 403", inside=_CLIENT),
    build_closed_sample("login", CauseClass.CREDENTIALS, "asyncpg.exceptions.InvalidPasswordError: password authentication failed for user \"ferry\"", inside=build_package_frame("asyncpg/connect_utils.py", "_connect_addr")),
)  # fmt: skip
_SERVICES = (
    build_closed_sample("too many connections", CauseClass.BACKING_SERVICE, "asyncpg.exceptions.TooManyConnectionsError: remaining connection slots are reserved for roles with the SUPERUSER attribute", inside=build_package_frame("asyncpg/connect_utils.py", "_connect_addr")),
    build_closed_sample("sqlalchemy", CauseClass.BACKING_SERVICE, "sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) server closed the connection unexpectedly", inside=build_package_frame("sqlalchemy/engine/default.py", "do_execute")),
    build_closed_sample("pool", CauseClass.BACKING_SERVICE, "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00", inside=build_package_frame("sqlalchemy/pool/impl.py", "_do_get")),
    build_closed_sample("redis", CauseClass.BACKING_SERVICE, "redis.exceptions.ConnectionError: Error 111 connecting to 10.8.0.3:6379. Connection refused.", inside=build_package_frame("redis/asyncio/connection.py", "connect")),
    build_closed_sample("mongo", CauseClass.BACKING_SERVICE, "pymongo.errors.ServerSelectionTimeoutError: pier-shard-00.example.net:27017: timed out, Timeout: 30s", inside=build_package_frame("pymongo/topology.py", "_select_servers_loop")),
    build_closed_sample("names", CauseClass.BACKING_SERVICE, "socket.gaierror: [Errno -2] Name or service not known", inside=_LOOP),
    build_closed_sample("refused", CauseClass.BACKING_SERVICE, "ConnectionRefusedError: [Errno 111] Connect call failed ('10.8.0.5', 5432)", inside=_LOOP),
    build_closed_sample("http client", CauseClass.BACKING_SERVICE, "httpx.ConnectTimeout: timed out", inside=build_package_frame("httpx/_transports/default.py", "handle_async_request")),
    build_closed_sample("quota of a model", CauseClass.BACKING_SERVICE, "openai.RateLimitError: Error code: 429 - {'error': {'code': 'insufficient_quota'}}", inside=build_package_frame("openai/_base_client.py", "request")),
    build_closed_sample("channel layer", CauseClass.BACKING_SERVICE, "redis.exceptions.TimeoutError: Timeout reading from 10.8.0.3:6379", inside=build_package_frame("channels_redis/core.py", "receive")),
    CauseSample("store's socket", CauseClass.BACKING_SERVICE, (_RESET + _raised("redis.exceptions.ConnectionError: Error UNKNOWN while writing to socket. Connection lost."), CLOSED)),
    build_closed_sample("store's socket alone", CauseClass.BACKING_SERVICE, "ConnectionResetError: Connection lost", inside=build_package_frame("redis/asyncio/connection.py", "send_packed_command")),
    build_closed_sample("grpc", CauseClass.BACKING_SERVICE, "grpc.aio._call.AioRpcError: <AioRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNAVAILABLE\n\tdetails = \"failed to connect\"\n>", inside=build_package_frame("grpc/aio/_call.py", "__await__")),
    build_closed_sample("missing table", CauseClass.BACKING_SERVICE, "asyncpg.exceptions.UndefinedTableError: relation \"berths\" does not exist", inside=build_package_frame("asyncpg/connection.py", "_execute")),
    build_closed_sample("gemini live", CauseClass.UPSTREAM_CLOSED, f"websockets.exceptions.ConnectionClosedError: {_UNAVAILABLE}", "Google Gemini (google.genai)", inside=_GENAI + _CONNECTION),
    build_closed_sample("gemini api error", CauseClass.UPSTREAM_CLOSED, "google.genai.errors.APIError: 1011 None. The pier is currently closed.", "Google Gemini (google.genai)", inside=_GENAI),
    build_closed_sample("openai realtime", CauseClass.UPSTREAM_CLOSED, "websockets.exceptions.ConnectionClosedError: no close frame received or sent", "OpenAI (openai)", inside=_OPENAI + _CONNECTION),
    build_closed_sample("deepgram", CauseClass.UPSTREAM_CLOSED, "websockets.exceptions.ConnectionClosedError: received 1011 (internal error) NET-0001; then sent 1011 (internal error) NET-0001", "Deepgram (deepgram)", inside=_DEEPGRAM + _CONNECTION),
    build_closed_sample("own client's socket", CauseClass.UPSTREAM_CLOSED, f"websockets.exceptions.ConnectionClosedError: {_UNAVAILABLE}", inside=_CONNECTION),
    build_closed_sample("own client's socket by its address", CauseClass.UPSTREAM_CLOSED, f"websockets.exceptions.ConnectionClosedError: {_UNAVAILABLE}", "live.pier.example", own='  File "/app/ferry/berths.py", line 41, in moor\n    async with connect("wss://live.pier.example/v1") as live:\n', inside=_CONNECTION),
    build_closed_sample("socket of the server", CauseClass.CLOSED_CONNECTION, f"websockets.exceptions.ConnectionClosedError: {_UNAVAILABLE}", inside=_SERVED + _CONNECTION),
    CauseSample("upstream by its address", CauseClass.UPSTREAM_CLOSED, (f"ERROR relay to wss://live.pier.example/v1/listen: {_UNAVAILABLE}",), "live.pier.example"),
    CauseSample("upstream by its logger", CauseClass.UPSTREAM_CLOSED, (f"ERROR:google_adk.google.adk.flows.llm_flows.base_llm_flow:Connection closed: {_UNAVAILABLE}",), "Google Gemini"),
    CauseSample("upstream alone", CauseClass.UPSTREAM_CLOSED, (f"ERROR live: {_UNAVAILABLE}",)),
)  # fmt: skip
_CONNECTIONS = (
    CauseSample("keepalive", CauseClass.KEEPALIVE, (f"websockets.exceptions.ConnectionClosedError: {_PING}",)),
    CauseSample("keepalive of the other end", CauseClass.KEEPALIVE, ("received 1011 (internal error) keepalive ping timeout; then sent 1011 (internal error) keepalive ping timeout",)),
    CauseSample("memory", CauseClass.MEMORY, ("Memory limit of 512 MiB exceeded with 538 MiB used. Consider increasing the memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits", CLOSED), platform=frozenset({0})),
    CauseSample("memory in a service's own words", CauseClass.UNKNOWN, ("ERROR ferry: Memory limit of 512 MiB exceeded with 538 MiB used, says the guide", CLOSED)),
    build_closed_sample("restart", CauseClass.RESTART, "websockets.exceptions.ConnectionClosedError: sent 1012 (service restart); no close frame received", inside=_CONNECTION),
    build_closed_sample("restart of the upstream", CauseClass.UPSTREAM_CLOSED, "websockets.exceptions.ConnectionClosedError: received 1012 (service restart); then sent 1012 (service restart)", inside=_CLIENT + _CONNECTION),
    build_closed_sample("restart of an end that no frame names", CauseClass.UPSTREAM_CLOSED, "websockets.exceptions.ConnectionClosedError: received 1012 (service restart); then sent 1012 (service restart)", inside=_CONNECTION),
    build_closed_sample("restart of a client", CauseClass.CLOSED_CONNECTION, "websockets.exceptions.ConnectionClosedError: received 1012 (service restart); then sent 1012 (service restart)", own=_SERVED + _CONNECTION),
    build_closed_sample("end of a page", CauseClass.CLOSED_CONNECTION, "websockets.exceptions.ConnectionClosedOK: received 1001 (going away); then sent 1001 (going away)", own=_SERVED + _CONNECTION),
    build_closed_sample("shutdown", CauseClass.RESTART, "websockets.exceptions.ConnectionClosedError: sent 1001 (going away); no close frame received", own=_SERVED + _CONNECTION),
    build_closed_sample("disconnect by a restart", CauseClass.RESTART, "starlette.websockets.WebSocketDisconnect: (1012, None)", inside=build_package_frame("starlette/websockets.py", "receive_text")),
    build_closed_sample("too big", CauseClass.PAYLOAD, "websockets.exceptions.ConnectionClosedError: sent 1009 (message too big) over size limit (1500000 > 1048576 bytes); no close frame received", inside=_CONNECTION),
    build_closed_sample("packets", CauseClass.PAYLOAD, "ValueError: Too many packets in payload", inside=build_package_frame("engineio/payload.py", "decode")),
    build_closed_sample("send after close", CauseClass.CLOSED_CONNECTION, "RuntimeError: Cannot call \"send\" once a close message has been sent.", inside=build_package_frame("starlette/websockets.py", "send")),
    build_closed_sample("asgi message", CauseClass.CLOSED_CONNECTION, "RuntimeError: Unexpected ASGI message 'websocket.send', after sending 'websocket.close' or response already completed.", inside=build_package_frame("uvicorn/protocols/websockets/websockets_impl.py", "asgi_send")),
    build_closed_sample("not accepted", CauseClass.CLOSED_CONNECTION, "RuntimeError: WebSocket is not connected. Need to call \"accept\" first.", inside=build_package_frame("starlette/websockets.py", "receive")),
    build_closed_sample("accepted twice", CauseClass.CLOSED_CONNECTION, "RuntimeError: Expected ASGI message 'websocket.send' or 'websocket.close', but got 'websocket.accept'.", inside=build_package_frame("uvicorn/protocols/websockets/wsproto_impl.py", "send")),
    build_closed_sample("client's socket", CauseClass.CLOSED_CONNECTION, "RuntimeError: unable to perform operation on <TCPTransport closed=True reading=False 0x55ce>; the handler is closed", inside=build_package_frame("uvicorn/protocols/websockets/wsproto_impl.py", "send")),
    build_closed_sample("two receivers", CauseClass.CLOSED_CONNECTION, "websockets.exceptions.ConcurrencyError: cannot call recv while another coroutine is already running recv or recv_streaming", inside=_CONNECTION),
    build_closed_sample("aiohttp transport", CauseClass.CLOSED_CONNECTION, "aiohttp.client_exceptions.ClientConnectionResetError: Cannot write to closing transport", inside=build_package_frame("aiohttp/http_websocket.py", "_send_frame")),
    build_closed_sample("autobahn", CauseClass.CLOSED_CONNECTION, "autobahn.exception.Disconnected: Attempt to send on a closed protocol", inside=build_package_frame("daphne/ws_protocol.py", "serverSend")),
    build_closed_sample("socket.io", CauseClass.CLOSED_CONNECTION, "engineio.exceptions.SocketIsClosedError", inside=build_package_frame("engineio/async_socket.py", "send")),
)  # fmt: skip
_UNKNOWN = (
    CauseSample("close alone", CauseClass.UNKNOWN, (CLOSED,)),
    CauseSample("our own close", CauseClass.UNKNOWN, ("sent 1011 (internal error); then received 1011 (internal error)",)),
    CauseSample("sentence alone", CauseClass.UNKNOWN, ("The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout.",), platform=frozenset({0})),
    CauseSample("end of a browser or of an upstream", CauseClass.UNKNOWN, ("websockets.exceptions.ConnectionClosedError: received 1005 (no status code [internal]); then sent 1005 (no status code [internal])", CLOSED)),
    build_closed_sample("package alone", CauseClass.UNKNOWN, "quayside.errors.SessionLost: berth 4", own="", inside=build_package_frame("quayside/session.py", "run")),
    build_closed_sample("timeout", CauseClass.UNKNOWN, "TimeoutError", own="", inside='  File "/usr/local/lib/python3.11/asyncio/timeouts.py", line 115, in __aexit__\n'),
)  # fmt: skip

SAMPLES: Sequence[CauseSample] = (
    *_OWN_CODE,
    *_DEPENDENCY_AND_IMAGE,
    *_CONFIGURATION_AND_CREDENTIALS,
    *_SERVICES,
    *_CONNECTIONS,
    *_UNKNOWN,
)
PLATFORM_LOG = f"projects/harbour/logs/{_SYSTEM}"


def make_sample_entries(sample: CauseSample) -> list[LogEntry]:
    """The entries of a sample, of one instance of the ferry's service."""
    return [
        LogEntry(
            number, text, time_at(number), log_name=PLATFORM_LOG if number in sample.platform else "stderr",
            severity="ERROR", insert_id=f"i{number}", project="harbour", service="ferry", revision="ferry-00007",
            instance="a",
        )
        for number, text in enumerate(sample.texts)
    ]  # fmt: skip
