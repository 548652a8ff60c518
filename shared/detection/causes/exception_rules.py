"""The rules by which an exception's class, message and file show the class of its cause; the first that fits decides.

A rule names what public libraries raise for one kind of cause and for nothing else. What may have several causes has no
rule: `unknown`, with the exception quoted, is better than a guess.
"""

from collections.abc import Sequence

from shared.detection.causes.cause import CauseClass, CauseRule, make_rule
from shared.detection.causes.service_rules import CREDENTIAL_RULES, SERVICE_RULES

_CONFIGURATION = (
    make_rule(CauseClass.CONFIGURATION, "ImproperlyConfigured", r"setting|environment variable|must (?:not )?be"),
    make_rule(CauseClass.CONFIGURATION, "UndefinedValueError|EnvError|EnvValidationError|SettingsError"),
    make_rule(
        CauseClass.CONFIGURATION, "OpenAIError|AnthropicError|DeepgramApiKeyError", r"api_key|environment variable"
    ),
    make_rule(CauseClass.CONFIGURATION, "TypeError", r"could not resolve authentication method\. expected"),
    make_rule(CauseClass.CONFIGURATION, "ValueError", r"^missing key inputs argument!"),
    make_rule(
        CauseClass.CONFIGURATION,
        r"^sqlalchemy\.exc\.ArgumentError",
        r"expected string or url object, got none|could not parse sqlalchemy url",
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
    make_rule(CauseClass.DEPENDENCY, "AttributeError", r"was removed in the numpy \d"),
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
    make_rule(CauseClass.CLOSED_CONNECTION, "UnexpectedMessageError", r"given the state .{0,60}\bCLOSED\b"),
    make_rule(
        CauseClass.CLOSED_CONNECTION,
        "LocalProtocolError",
        r"cannot be sent in state ConnectionState\.(?:CLOSED|LOCAL_CLOSING|REMOTE_CLOSING)",
    ),
)
_MEMORY = (make_rule(CauseClass.MEMORY, "MemoryError|_ArrayMemoryError"),)
_OWN_CODE = (
    make_rule(
        CauseClass.OWN_CODE_UNPROVABLE,
        r"^sqlalchemy\.(?:orm\.)?exc\.(?:IntegrityError|MissingGreenlet|DetachedInstanceError|MultipleResultsFound"
        r"|NoResultFound|DataError)",
    ),
    make_rule(CauseClass.OWN_CODE_UNPROVABLE, "SynchronousOnlyOperation|UniqueViolation(?:Error)?|DoesNotExist"),
    make_rule(
        CauseClass.OWN_CODE_UNPROVABLE,
        r"^(?:jwt|jose|firebase_admin)\.(?:\w{1,40}\.){0,3}(?:ExpiredSignatureError|ExpiredIdTokenError|DecodeError"
        r"|InvalidTokenError|InvalidIdTokenError|InvalidSignatureError|InvalidAudienceError|JWTError|JWTClaimsError)",
    ),
    make_rule(CauseClass.OWN_CODE_UNPROVABLE, "InterfaceError", r"another operation is in progress"),
    make_rule(CauseClass.OWN_CODE_UNPROVABLE, r"^(?:requests\.exceptions|simplejson\.\w{1,20})\.JSONDecodeError"),
)
"""What a library raises for data, or a use of it, for which its caller has no answer."""
_NOT_TOLD = (
    make_rule(CauseClass.UNKNOWN, "OSError", r"\[Errno (?:24|28|30)\]"),
    make_rule(CauseClass.UNKNOWN, "RuntimeError", r"can't start new thread"),
    make_rule(CauseClass.UNKNOWN, "CancelledError"),
)
"""What the service's own line meets and does not cause: files, threads or a disk that the instance has no more of."""

RULES: Sequence[CauseRule] = (
    *_PAYLOAD,
    *_RESTART,
    *_CLOSED_CONNECTION,
    *_CONFIGURATION,
    *_OWN_CODE,
    *_NOT_TOLD,
    *CREDENTIAL_RULES,
    *_DEPENDENCY,
    *_IMAGE,
    *SERVICE_RULES,
    *_MEMORY,
)
