"""The rules by which an exception's class, message and file tell the class of its cause; the first that fits decides.

A rule names what public libraries raise for one kind of cause and for nothing else. What may have several causes has no
rule: `unknown`, with the exception quoted, is better than a guess.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.detection.causes.cause import CauseClass
from shared.detection.logged_exception import LoggedException


@dataclass(frozen=True, slots=True)
class CauseRule:
    """Patterns on class and message. `error_class` has to match the whole dotted name; messages are searched."""

    cause_class: CauseClass
    error_class: re.Pattern[str]
    message: re.Pattern[str] | None = None

    def fits(self, exception: LoggedException) -> bool:
        """Whether the exception is of this kind."""
        if self.error_class.fullmatch(exception.error_class) is None:
            return False
        return self.message is None or self.message.search(exception.message) is not None


def make_rule(cause_class: CauseClass, error_class: str, message: str = "") -> CauseRule:
    """`error_class`: alternatives of a dotted name's end, or of a whole name that begins with `^`."""
    name = error_class[1:] if error_class.startswith("^") else rf"(?:\w{{1,80}}\.){{0,12}}(?:{error_class})"
    return CauseRule(cause_class, re.compile(name), re.compile(message, re.IGNORECASE) if message else None)


_SQL_DRIVERS = (
    r"asyncpg|psycopg\d?|psycopg_pool|pg8000|MySQLdb|pymysql|aiomysql|asyncmy|mysql|sqlite3|aiosqlite|pyodbc|oracledb"
)
_STORES = (
    r"redis|aioredis|valkey|pymongo|motor|cassandra|elasticsearch|elastic_transport|opensearchpy"
    r"|neo4j|kombu|amqp|pika"
    r"|aio_pika|aiormq|aiokafka|kafka|confluent_kafka|nats|channels_redis|aiomcache|pymemcache|celery"
)
_REFUSED = (
    r"\b(?:401|403)\b|unauthori[sz]ed|forbidden|permission.?denied|PERMISSION_DENIED|UNAUTHENTICATED|unauthenticated"
    r"|invalid.{0,20}(?:api.?key|credential|token)|api key (?:not valid|expired|invalid)"
    r"|access.?denied|not authori[sz]ed"
)
_LOGIN_REFUSED = (
    r"password authentication failed|authentication (?:failed|required)|bad auth|NOAUTH|WRONGPASS"
    r"|invalid.{0,20}password"
    r"|access denied for user|no pg_hba\.conf entry|role \"[^\"]{1,80}\" does not exist|permission denied for"
)

_CONFIGURATION = (
    make_rule(CauseClass.CONFIGURATION, "ImproperlyConfigured", r"setting|environment variable|must (?:not )?be"),
    make_rule(CauseClass.CONFIGURATION, "UndefinedValueError|EnvError|EnvValidationError|SettingsError"),
    make_rule(
        CauseClass.CONFIGURATION, "OpenAIError|AnthropicError|DeepgramApiKeyError", r"api_key|environment variable"
    ),
    make_rule(CauseClass.CONFIGURATION, "NotFound", r"\bsecrets?\b.{0,200}\b(?:not found|versions)|secret version"),
    make_rule(
        CauseClass.CONFIGURATION,
        "DefaultCredentialsError",
        r"project was not (?:passed|found)|File .{1,200} was not found",
    ),
    make_rule(
        CauseClass.CONFIGURATION,
        "FileNotFoundError",
        r"'[^']{0,200}(?:/secrets?/|/\.env\b|\.env'|credentials?\.json'"
        r"|service[-_]account[\w-]{0,40}\.json'|key\.json')",
    ),
)
_CREDENTIALS = (
    make_rule(
        CauseClass.CREDENTIALS,
        r"^google\.auth\.exceptions\.(?:DefaultCredentialsError|RefreshError|MutualTLSChannelError)",
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        "DefaultCredentialsError|NoCredentialsError|PartialCredentialsError|CredentialRetrievalError",
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        r"^google\.api_core\.exceptions\.(?:PermissionDenied|Forbidden|Unauthenticated|Unauthorized)",
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        r"^(?:openai|anthropic|groq|mistralai)\.(?:\w{1,40}\.){0,4}(?:AuthenticationError|PermissionDeniedError)",
    ),
    make_rule(CauseClass.CREDENTIALS, r"^google\.genai\.errors\.(?:ClientError|APIError)", _REFUSED),
    make_rule(
        CauseClass.CREDENTIALS,
        r"^botocore\.exceptions\.ClientError",
        r"AccessDenied|ExpiredToken|InvalidClientTokenId|UnauthorizedOperation",
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        "InvalidStatus|InvalidStatusCode|WSServerHandshakeError|WebSocketBadStatusException",
        _REFUSED,
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        r"^(?:httpx|requests|aiohttp|urllib)\.(?:\w{1,40}\.){0,4}(?:HTTPStatusError|HTTPError|ClientResponseError)",
        _REFUSED,
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        "InvalidPasswordError|InvalidAuthorizationSpecificationError|InsufficientPrivilege(?:Error)?",
    ),
    make_rule(
        CauseClass.CREDENTIALS,
        rf"^(?:{_SQL_DRIVERS}|{_STORES}|sqlalchemy)\.(?:\w{{1,40}}\.){{0,6}}\w{{1,80}}",
        _LOGIN_REFUSED,
    ),
    make_rule(CauseClass.CREDENTIALS, "AioRpcError|_InactiveRpcError|RpcError", r"PERMISSION_DENIED|UNAUTHENTICATED"),
    make_rule(CauseClass.CREDENTIALS, "PermissionError", r"\[Errno 13\]"),
)
_DEPENDENCY = (
    make_rule(
        CauseClass.DEPENDENCY,
        "DistributionNotFound|VersionConflict|ContextualVersionConflict|PackageNotFoundError|PydanticImportError",
    ),
    make_rule(
        CauseClass.DEPENDENCY,
        "ImportError|ModuleNotFoundError|AttributeError",
        r"\([^()]{0,300}(?:site|dist)-packages[^()]{0,300}\)",
    ),
    make_rule(
        CauseClass.DEPENDENCY,
        "ImportError|ValueError",
        r"numpy\.(?:core\.multiarray failed|dtype size changed)|binary incompatib|compiled using NumPy",
    ),
    make_rule(CauseClass.DEPENDENCY, "PydanticUserError", r"has been (?:moved|removed)"),
    make_rule(
        CauseClass.DEPENDENCY,
        "RuntimeError",
        r"(?:requires?|need) [\"'`]?[\w.-]{1,60}[\"'`]? (?:to be|is not) installed|no supported websocket library",
    ),
)
_IMAGE = (
    make_rule(
        CauseClass.IMAGE,
        "ImportError|OSError",
        r"cannot open shared object file|cannot load library|\[E050\] Can't find model",
    ),
    make_rule(
        CauseClass.IMAGE,
        "FileNotFoundError",
        r"No such file or directory: '(?:/(?:app|workspace|srv|code|usr/src|opt)/[^']{1,300}"
        r"|(?!/)[^']{0,300}\.(?:html?|json|ya?ml|toml|sql|txt|md|j2|jinja2?|proto|onnx|pt|pkl|csv|css"
        r"|js|pem|ini|cfg)|(?!/)[a-z][a-z0-9_-]{1,30})'",
    ),
    make_rule(CauseClass.IMAGE, "TemplateNotFound|TemplateDoesNotExist"),
    make_rule(CauseClass.IMAGE, "RuntimeError", r"^Directory '[^']{1,200}' does not exist"),
)
_PAYLOAD = (
    make_rule(CauseClass.PAYLOAD, "PayloadTooBig|WSMessageTooBig|RequestDataTooBig|HTTPRequestEntityTooLarge"),
    make_rule(
        CauseClass.PAYLOAD,
        r"ConnectionClosed\w{0,10}|WebSocketDisconnect|WebSocketError|APIError|ProtocolError",
        r"\b1009\b|message too big|exceeds limit",
    ),
    make_rule(CauseClass.PAYLOAD, "ValueError", r"too many packets in payload|payload (?:is )?too large"),
)
_RESTART = (
    make_rule(
        CauseClass.RESTART,
        r"ConnectionClosed\w{0,10}|WebSocketDisconnect",
        r"\b(?:received|sent) 1012\b|service restart|^sent 1001\b|code=1012|^\(?1012\b",
    ),
    make_rule(CauseClass.RESTART, "ClientDisconnected|ConnectionClosed", r"server shut(?:ting)? ?down"),
)
_CLOSED_CONNECTION = (
    make_rule(
        CauseClass.CLOSED_CONNECTION,
        "RuntimeError",
        r"cannot call \"?(?:send|receive|write|recv)\"? (?:once|after|while)"
        r"|after sending 'websocket\.close'|websocket is not connected\. need to call"
        r"|concurrent call to (?:receive|send)|response already completed"
        r"|(?:un)?expected asgi message 'websocket\.(?:send|close)'|another coroutine is already",
    ),
    make_rule(
        CauseClass.CLOSED_CONNECTION,
        "ConcurrencyError|SocketIsClosedError|WebSocketClosedError|StreamClosedError|ClientConnectionResetError",
    ),
    make_rule(
        CauseClass.CLOSED_CONNECTION, r"^autobahn\.exception\.Disconnected|^socketio\.exceptions\.DisconnectedError"
    ),
    make_rule(CauseClass.CLOSED_CONNECTION, "Disconnected", r"closed protocol|closed connection"),
    make_rule(CauseClass.CLOSED_CONNECTION, "WebSocketDisconnect|ClientDisconnected|ConnectionClosedOK"),
    make_rule(
        CauseClass.CLOSED_CONNECTION,
        "AssertionError|RuntimeError|InvalidState",
        r"websocket connection (?:is|has been) closed",
    ),
)
_BACKING_SERVICE = (
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^sqlalchemy\.exc\.(?:OperationalError|InterfaceError|TimeoutError|DisconnectionError|DBAPIError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^sqlalchemy\.exc\.ProgrammingError",
        r"Undefined(?:Table|Column)|does not exist|no such (?:table|column)|Unknown column",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        rf"^(?:{_SQL_DRIVERS}|django\.db(?:\.utils)?)\.(?:\w{{1,40}}\.){{0,5}}(?:OperationalError|InterfaceError|PoolTimeout|ConnectionTimeout|TooManyConnections(?:Error)?|CannotConnectNowError|ConnectionDoesNotExistError|ConnectionFailureError|PostgresConnectionError|QueryCanceled(?:Error)?|DeadlockDetected(?:Error)?|AdminShutdown(?:Error)?|IdleInTransactionSessionTimeoutError|UndefinedTable(?:Error)?|UndefinedColumn(?:Error)?|InternalServerError|DiskFullError|OutOfMemoryError|ReadOnlySQLTransactionError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        rf"^(?:{_STORES})\.(?:\w{{1,40}}\.){{0,5}}(?:ConnectionError|ConnectionTimeout|TimeoutError|BusyLoadingError|ReadOnlyError|OutOfMemoryError|MaxConnectionsError|ClusterDownError|MasterDownError|ServerSelectionTimeoutError|AutoReconnect|NetworkTimeout|NotPrimaryError|ConnectionFailure|ConnectionInterrupted|ExecutionTimeout|WaitQueueTimeoutError|NoHostAvailable|ServiceUnavailable|TransportError|OperationalError|AMQPConnectionError|ConnectionClosedByBroker|KafkaConnectionError|KafkaTimeoutError|NoBrokersAvailable|NoServersError|ChannelFull)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^google\.api_core\.exceptions\.(?:ServiceUnavailable|DeadlineExceeded|GatewayTimeout"
        r"|InternalServerError|ResourceExhausted|TooManyRequests|RetryError|Aborted|Unknown)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^google\.genai\.errors\.(?:ServerError|ClientError|APIError)",
        r"\b(?:429|500|502|503|504)\b|RESOURCE_EXHAUSTED|UNAVAILABLE|DEADLINE_EXCEEDED|overloaded",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^(?:openai|anthropic|groq|mistralai)\.(?:\w{1,40}\.){0,4}(?:RateLimitError"
        r"|InternalServerError|APIConnectionError|APITimeoutError|OverloadedError"
        r"|ServiceUnavailableError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^(?:httpx|httpcore)\.(?:ConnectError|ConnectTimeout|ReadTimeout|PoolTimeout|WriteTimeout"
        r"|RemoteProtocolError|ReadError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^(?:requests|urllib3)\.exceptions\.(?:ConnectionError|ConnectTimeout|ReadTimeout|Timeout"
        r"|SSLError|MaxRetryError|NewConnectionError|ReadTimeoutError|ProtocolError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^(?:httpx|requests|aiohttp)\.(?:\w{1,40}\.){0,4}(?:HTTPStatusError|HTTPError|ClientResponseError)",
        r"\b(?:429|500|502|503|504)\b",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^aiohttp\.(?:\w{1,40}\.){0,3}(?:ClientConnector\w{0,30}Error|ServerDisconnectedError"
        r"|ServerTimeoutError|ClientOSError|ConnectionTimeoutError|SocketTimeoutError)",
    ),
    make_rule(CauseClass.BACKING_SERVICE, r"^(?:socket\.)?gaierror"),
    make_rule(
        CauseClass.BACKING_SERVICE,
        "ConnectionRefusedError|TimeoutError|OSError",
        r"connect call failed|connection refused|multiple exceptions: \[errno"
        r"|name or service not known|temporary failure in name resolution",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        "AioRpcError|_InactiveRpcError|RpcError",
        r"UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED",
    ),
)
SOCKET_RULES: Sequence[CauseRule] = (
    make_rule(CauseClass.CLOSED_CONNECTION, "BrokenPipeError|ClosedResourceError|BrokenResourceError"),
    make_rule(
        CauseClass.CLOSED_CONNECTION, "ConnectionResetError", r"cannot write to closing transport|connection lost"
    ),
    make_rule(CauseClass.CLOSED_CONNECTION, "RuntimeError", r"unable to perform operation on .{0,120}closed"),
)
"""For a socket that may be anybody's: the frames tell whose it is, and a link that another rule names says more."""
_STORE_FRAME = re.compile(rf"[/\\](?:{_SQL_DRIVERS}|{_STORES}|sqlalchemy|databases|httpcore|urllib3|grpc)[/\\]")


def classify_socket(exception: LoggedException) -> CauseClass | None:
    """The class of an error of a socket, by whose socket it is; None for any other exception."""
    if not any(rule.fits(exception) for rule in SOCKET_RULES):
        return None
    is_stores = any(_STORE_FRAME.search(frame.path) for frame in exception.frames)
    return CauseClass.BACKING_SERVICE if is_stores else CauseClass.CLOSED_CONNECTION


_MEMORY = (make_rule(CauseClass.MEMORY, "MemoryError"),)

RULES: Sequence[CauseRule] = (
    *_PAYLOAD, *_RESTART, *_CLOSED_CONNECTION, *_CONFIGURATION, *_CREDENTIALS, *_DEPENDENCY, *_IMAGE, *_BACKING_SERVICE,
    *_MEMORY,
)  # fmt: skip
