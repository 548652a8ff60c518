"""Which modules a distribution provides, where that is certain: its own name, a documented other one, or a namespace.

Takes normalised names of distributions. What is not listed and not called like the module is not known.
"""

from collections.abc import Iterable, Mapping

from shared.proof.claims.packages.distribution_table import MODULES
from shared.proof.loading.module_providers import normalise_name

_NO_MODULE_OF_THEIR_NAME = frozenset(
    ("google", "sklearn", "google-cloud", "yaml", "pil", "cv2", "flake8-docstrings", "slackclient")
)
"""Distributions that exist, or may, and do not provide the module that is called like them."""
_OWN_NAMES = frozenset((
    "aiofiles", "aiohttp", "alembic", "anthropic", "asyncpg", "bcrypt", "boto3", "botocore", "celery", "certifi",
    "click", "cryptography", "django", "fastapi", "flask", "gunicorn", "httpx", "itsdangerous", "jinja2", "langchain",
    "loguru", "lxml", "markupsafe", "msgpack", "numpy", "onnxruntime", "openai", "orjson", "pandas", "passlib",
    "pinecone", "polars", "pydantic", "pydantic_settings", "pymongo", "pynvml", "quart", "redis", "requests", "scipy",
    "slack_sdk", "slowapi", "sqlalchemy", "sqlmodel", "starlette", "stripe", "structlog", "tenacity", "tensorflow",
    "tiktoken", "torch", "tornado", "tqdm", "transformers", "trio", "urllib3", "uvicorn", "uvloop", "websockets",
    "werkzeug",
))  # fmt: skip
"""Modules that come from the distribution of their own name, and else only from those of the table."""
_NAMES_OF_OTHERS = frozenset(
    name
    for distribution, modules in MODULES.items()
    for module in modules
    if "." not in module and (name := normalise_name(module)) != distribution
)
"""Names of modules, of which a distribution of that name may be another project's, or an empty one."""
_CLOUD_PREFIX = "google-cloud-"
_CLOUD_PRODUCTS = frozenset((
    "bigquery", "bigtable", "compute", "container", "datastore", "dialogflow", "discoveryengine", "dlp", "documentai",
    "error-reporting", "eventarc", "firestore", "kms", "language", "logging", "ndb", "pubsub", "run", "scheduler",
    "spanner", "speech", "storage", "tasks", "texttospeech", "translate", "videointelligence", "vision", "workflows",
))  # fmt: skip
"""Those whose module is called like the product."""
_INSTRUMENTATION_PREFIX = "opentelemetry-instrumentation-"
_INSTRUMENTED = frozenset((
    "aiohttp-client", "asgi", "asyncpg", "celery", "django", "fastapi", "flask", "grpc", "httpx", "jinja2", "logging",
    "psycopg", "psycopg2", "pymongo", "redis", "requests", "sqlalchemy", "starlette", "threading", "urllib", "urllib3",
    "wsgi",
))  # fmt: skip
"""Likewise, of OpenTelemetry."""
_FAMILIES = (
    (_CLOUD_PREFIX, _CLOUD_PRODUCTS, "google.cloud"),
    (_INSTRUMENTATION_PREFIX, _INSTRUMENTED, "opentelemetry.instrumentation"),
)
_OWN_NAMESPACES = ("azure-", "google-", "opentelemetry-", "types-", "zope-")
_OWN_ENDINGS = ("-binaries", "-binary", "-py", "-python", "-stubs")
"""Of names that say little of the module."""
_EXTRAS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("celery", "redis"): ("redis",),
    ("fastapi", "all"): ("uvicorn", "httpx", "jinja2", "python-multipart", "email-validator"),
    ("fastapi", "standard"): ("uvicorn", "httpx", "jinja2", "python-multipart", "email-validator"),
    ("httpx", "http2"): ("h2",),
    ("passlib", "bcrypt"): ("bcrypt",),
    ("psycopg", "binary"): ("psycopg-binary",),
    ("pydantic", "email"): ("email-validator",),
    ("python-jose", "cryptography"): ("cryptography",),
    ("redis", "hiredis"): ("hiredis",),
    ("sqlalchemy", "asyncio"): ("greenlet",),
    ("starlette", "full"): ("httpx", "itsdangerous", "jinja2", "python-multipart", "pyyaml"),
    ("uvicorn", "standard"): ("httptools", "python-dotenv", "pyyaml", "uvloop", "watchfiles", "websockets"),
}
"""What an extra brings, by the projects' own documentation."""
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "aiohttp": ("multidict", "yarl"),
    "fastapi": ("starlette", "pydantic"),
    "flask": ("werkzeug", "jinja2", "click", "itsdangerous"),
    "httpx": ("httpcore", "certifi", "idna"),
    "jinja2": ("markupsafe",),
    "pandas": ("numpy", "python-dateutil"),
    "requests": ("urllib3", "certifi", "idna"),
    "scikit-learn": ("numpy", "scipy"),
    "starlette": ("anyio",),
    "uvicorn": ("click", "h11"),
}
"""What every version of a distribution that is in use needs."""


def list_provided_modules(distribution: str) -> tuple[str, ...]:
    """The dotted modules that a distribution of a normalised name provides for certain."""
    if distribution in MODULES:
        return MODULES[distribution]
    for prefix, parts, package in _FAMILIES:
        if distribution.startswith(prefix):
            part = distribution.removeprefix(prefix)
            return (f"{package}.{part.replace('-', '_')}",) if part in parts else ()
    if distribution.startswith(_OWN_NAMESPACES) or distribution.endswith(_OWN_ENDINGS):
        return ()
    module = distribution.replace("-", "_")
    is_other = distribution in _NAMES_OF_OTHERS and module not in _OWN_NAMES
    return () if is_other or distribution in _NO_MODULE_OF_THEIR_NAME else (module,)


def list_needed_distributions(distribution: str, extras: Iterable[str] = ()) -> tuple[str, ...]:
    """The distributions that another one brings for certain, along all of their needs."""
    names: dict[str, None] = {}
    waiting = [name for extra in extras for name in _EXTRAS.get((distribution, extra), ())]
    waiting += _NEEDS.get(distribution, ())
    while waiting:
        name = waiting.pop()
        if name not in names:
            names[name] = None
            waiting += _NEEDS.get(name, ())
    return tuple(names)


def list_known_distributions(module: str) -> tuple[str, ...]:
    """The distributions that are known to provide a dotted module; () where others may."""
    others = [name for name, modules in MODULES.items() if module in modules]
    for prefix, parts, package in _FAMILIES:
        part = module.removeprefix(f"{package}.").replace("_", "-")
        others += [f"{prefix}{part}"] if part in parts and module.startswith(f"{package}.") else []
    return (module.replace("_", "-"), *others) if module in _OWN_NAMES else tuple(others)
