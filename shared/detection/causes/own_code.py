"""Separates errors of the service's own code from those of installed packages, and provable families from the rest."""

import re

from shared.detection.causes.cause import CauseClass
from shared.detection.logged_exception import Frame, LoggedException, is_package_frame

_SYNTAX_CLASSES = frozenset(("SyntaxError", "IndentationError", "TabError"))
_PROVABLE_CLASSES = frozenset(
    (*_SYNTAX_CLASSES, "ImportError", "ModuleNotFoundError", "NameError", "UnboundLocalError", "AttributeError")
)
_PROVABLE_TYPE_ERROR = re.compile(
    r"\(\) (?:got an unexpected keyword argument|got multiple values for|missing \d{1,3} required|takes (?:from )?"
    r"\d{1,3}|takes no (?:keyword )?arguments|got some positional-only)"
    r"|object is not (?:callable|subscriptable|iterable|an? (?:async )?(?:iterator|iterable)|a mapping)"
    r"|can't be used in 'await' expression|object does not support the (?:asynchronous )?context manager protocol"
    r"|requires an object with __a(?:iter|next|enter)__"
)
_BUILTIN_CLASS = re.compile(
    r"(?:ArithmeticError|AssertionError|EOFError|Exception|FloatingPointError|IndexError|KeyError|LookupError"
    r"|NotImplementedError|OverflowError|RecursionError|RuntimeError|StopAsyncIteration|StopIteration|TypeError"
    r"|UnicodeDecodeError|UnicodeEncodeError|UnicodeError|ValueError|ZeroDivisionError|(?:json\.decoder\.)?JSONDecodeError"
    r"|(?:pydantic_core\._pydantic_core\.|pydantic(?:\.\w{1,40}){0,3}\.)?ValidationError)"
)
_IMPORTS = frozenset(("ImportError", "ModuleNotFoundError"))
_MISSING_MODULE = re.compile(r"No module named '([\w.]{1,200})'")
_PACKAGE_MODULES = frozenset(
    (
        "aiohttp", "alembic", "anthropic", "anyio", "asgiref", "asyncpg", "attr", "bcrypt", "boto3", "botocore", "bs4",
        "celery", "channels", "channels_redis", "certifi", "click", "cryptography", "cv2", "daphne", "dateutil",
        "deepgram", "django", "dotenv", "elevenlabs", "fastapi", "fakeredis", "flask", "flask_socketio", "google",
        "grpc",
        "gunicorn", "h11", "httptools", "httpx", "hypercorn", "jinja2", "jose", "jwt", "langchain", "langchain_core",
        "langchain_openai", "langgraph", "livekit", "loguru", "lxml", "mcp", "motor", "multipart", "mysql", "nats",
        "numpy", "openai", "opentelemetry", "orjson", "pandas", "passlib", "PIL", "pkg_resources", "prometheus_client",
        "psycopg", "psycopg2", "pydantic", "pydantic_core", "pydantic_settings", "pymongo", "pymysql", "pytz", "redis",
        "requests", "scipy", "sentry_sdk", "setuptools", "sklearn", "slowapi", "socketio", "sqlalchemy", "sqlmodel",
        "sse_starlette", "starlette", "stripe", "structlog", "tenacity", "tiktoken", "torch", "tornado", "transformers",
        "twilio", "typing_extensions", "ujson", "uvicorn", "uvloop", "websocket", "websockets", "wsproto", "yaml",
    )
)  # fmt: skip
"""Import names of widely used packages that no service gives its own modules."""
_APP_LOADER = re.compile(
    r"[/\\](?:gunicorn[/\\]util|uvicorn[/\\]importer|hypercorn[/\\]utils|daphne[/\\]cli|asgiref[/\\]server"
    r"|functions_framework[/\\](?:__init__|_function_registry))\.py$"
)
"""Loads the module that the start command names: what it does not find is that module, or a package above it."""
_UNLOCATED_NAME = re.compile(
    r"cannot import name '\w{1,200}' from '([A-Za-z_]\w{0,80})[\w.]{0,160}' \(unknown location\)"
)
_PACKAGE_ATTRIBUTE = re.compile(r"module '([A-Za-z_]\w{0,80})[\w.]{0,160}' has no attribute ")


def classify_code_error(exception: LoggedException) -> CauseClass:
    """The class of an exception that no rule names; UNKNOWN where it was not raised by the service's own code."""
    own = [frame for frame in exception.frames if is_own_frame(frame)]
    last = _find_deepest_frame(exception)
    is_raised_here = last is None or is_own_frame(last)
    if exception.error_class in _PROVABLE_CLASSES or _is_provable_type_error(exception):
        return _classify_provable(exception, own, last, is_raised_here=is_raised_here)
    if not own:
        return CauseClass.UNKNOWN
    if is_raised_here or _BUILTIN_CLASS.fullmatch(exception.error_class):
        return CauseClass.OWN_CODE_UNPROVABLE
    return CauseClass.UNKNOWN


def _classify_provable(
    exception: LoggedException, own: list[Frame], last: Frame | None, *, is_raised_here: bool
) -> CauseClass:
    if exception.error_class in _IMPORTS:
        is_of_start = not own and last is not None and _APP_LOADER.search(last.path) is not None
        return _classify_import(exception.message, is_raised_here=is_raised_here, is_of_start=is_of_start)
    attribute = _PACKAGE_ATTRIBUTE.search(exception.message)
    if attribute is not None and attribute[1] in _PACKAGE_MODULES:
        return CauseClass.DEPENDENCY
    if is_raised_here:
        return CauseClass.OWN_CODE
    if exception.error_class == "TypeError" and "() got an unexpected keyword" in exception.message:
        return CauseClass.DEPENDENCY  # one package calls another as that one cannot be called
    return CauseClass.OWN_CODE_UNPROVABLE if own else CauseClass.UNKNOWN


def _classify_import(message: str, *, is_raised_here: bool, is_of_start: bool) -> CauseClass:
    module = _MISSING_MODULE.search(message) or _UNLOCATED_NAME.search(message)
    if module is not None and module[1].partition(".")[0] in _PACKAGE_MODULES:
        return CauseClass.DEPENDENCY
    if is_raised_here:
        return CauseClass.OWN_CODE
    return CauseClass.IMAGE if is_of_start else CauseClass.DEPENDENCY


def _is_provable_type_error(exception: LoggedException) -> bool:
    return exception.error_class == "TypeError" and _PROVABLE_TYPE_ERROR.search(exception.message) is not None


def is_own_frame(frame: Frame) -> bool:
    """Whether its file may be the service's own."""
    return not is_package_frame(frame)


def _find_deepest_frame(exception: LoggedException) -> Frame | None:
    """Without those of the import system, which are below every import."""
    frames = [frame for frame in exception.frames if not frame.path.startswith("<frozen importlib")]
    frames = [frame for frame in frames if not frame.path.endswith("/importlib/__init__.py")]
    return frames[-1] if frames else None
