"""The rules for what databases, caches, upstream APIs and their clients raise, and for identities that they refuse."""

import re
from collections.abc import Sequence

from shared.detection.causes.cause import CauseClass, CauseRule, make_rule
from shared.detection.logged_exception import LoggedException

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
    r"|invalid.{0,20}(?:username-)?password|has no permissions to"
    r"|access denied for user|no pg_hba\.conf entry|role \"[^\"]{1,80}\" does not exist|permission denied for"
)

_MODEL_CLIENTS = r"openai|anthropic|groq|mistralai|litellm|together|cohere"
_GENERATED_CLIENTS = r"elevenlabs|cohere|cartesia|deepgram|hume|assemblyai"
"""Clients whose one class of errors names the status that the API answered."""

CREDENTIAL_RULES: Sequence[CauseRule] = (
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
        rf"^(?:{_MODEL_CLIENTS})\.(?:\w{{1,40}}\.){{0,4}}(?:AuthenticationError|PermissionDeniedError)",
    ),
    make_rule(CauseClass.CREDENTIALS, r"^google\.genai\.errors\.(?:ClientError|APIError)", _REFUSED),
    make_rule(
        CauseClass.CREDENTIALS,
        rf"^(?:{_GENERATED_CLIENTS})\.(?:\w{{1,40}}\.){{0,4}}ApiError",
        r"\bstatus_code: (?:401|403)\b",
    ),
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
SERVICE_RULES: Sequence[CauseRule] = (
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
        rf"^(?:{_MODEL_CLIENTS})\.(?:\w{{1,40}}\.){{0,4}}(?:RateLimitError|InternalServerError|APIConnectionError"
        r"|APITimeoutError|Timeout|OverloadedError|ServiceUnavailableError|BadGatewayError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        rf"^(?:{_MODEL_CLIENTS}|{_GENERATED_CLIENTS})\.(?:\w{{1,40}}\.){{0,4}}(?:APIStatusError|APIError|ApiError)",
        r"\b(?:429|500|502|503|504|529)\b|overloaded|server had an error",
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
    make_rule(CauseClass.BACKING_SERVICE, r"^psycopg2\.pool\.PoolError", r"exhausted"),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^mysql\.connector\.errors\.(?:DatabaseError|InterfaceError)",
        r"^(?:1040|1203|2002|2003|2006|2013|2055)\b",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^redis\.exceptions\.ResponseError",
        r"^(?:OOM|MISCONF|LOADING|CLUSTERDOWN|MASTERDOWN|BUSY|READONLY)\b",
    ),
    make_rule(CauseClass.BACKING_SERVICE, r"^channels\.exceptions\.ChannelFull"),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^botocore\.exceptions\.(?:EndpointConnectionError|ConnectTimeoutError|ReadTimeoutError|HTTPClientError"
        r"|ConnectionClosedError|ProxyConnectionError|SSLError)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        r"^botocore\.exceptions\.ClientError",
        r"throttl|too ?many ?requests|service ?unavailable|internal ?(?:server|failure)|slow ?down"
        r"|provisionedthroughputexceeded|requesttimeout|\(5\d\d\)",
    ),
    make_rule(
        CauseClass.BACKING_SERVICE,
        "InvalidStatus|InvalidStatusCode|WSServerHandshakeError|WebSocketBadStatusException",
        r"\b(?:429|500|502|503|504)\b",
    ),
    make_rule(CauseClass.BACKING_SERVICE, "TimeoutError", r"timed out during opening handshake"),
    make_rule(CauseClass.BACKING_SERVICE, r"^socketio\.exceptions\.ConnectionError"),
    make_rule(CauseClass.BACKING_SERVICE, "SSLCertVerificationError|SSLEOFError|SSLZeroReturnError"),
    make_rule(
        CauseClass.BACKING_SERVICE,
        "ConnectionRefusedError|TimeoutError|OSError",
        r"connect call failed|connection refused|multiple exceptions: \[errno"
        r"|name or service not known|temporary failure in name resolution|\[errno (?:101|110|113)\]",
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
"""For a socket of unknown purpose: the frames show whose it is, and a link that another rule names says more."""
_STORE_FRAME = re.compile(rf"[/\\](?:{_SQL_DRIVERS}|{_STORES}|sqlalchemy|databases|httpcore|urllib3|grpc)[/\\]")


def classify_socket(exception: LoggedException) -> CauseClass | None:
    """The class of an error of a socket, by whose socket it is; None for any other exception."""
    if not any(rule.fits(exception) for rule in SOCKET_RULES):
        return None
    is_stores = any(_STORE_FRAME.search(frame.path) for frame in exception.frames)
    return CauseClass.BACKING_SERVICE if is_stores else CauseClass.CLOSED_CONNECTION
