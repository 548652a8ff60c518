"""Which modules a distribution provides, where that is certain: its own name, a documented other one, or a namespace.

Takes normalised names of distributions. What is not listed and not called like the module is not known.
"""

from collections.abc import Iterable, Mapping

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "amazon-textract-response-parser": ("trp",),
    "antlr4-python3-runtime": ("antlr4",),
    "attrs": ("attr", "attrs"),
    "azure-identity": ("azure.identity",),
    "azure-storage-blob": ("azure.storage.blob",),
    "beautifulsoup4": ("bs4",),
    "confluent-kafka": ("confluent_kafka",),
    "discord-py": ("discord",),
    "django-cors-headers": ("corsheaders",),
    "django-environ": ("environ",),
    "django-filter": ("django_filters",),
    "djangorestframework": ("rest_framework",),
    "djangorestframework-simplejwt": ("rest_framework_simplejwt",),
    "dnspython": ("dns",),
    "email-validator": ("email_validator",),
    "faiss-cpu": ("faiss",),
    "firebase-admin": ("firebase_admin",),
    "flask-cors": ("flask_cors",),
    "google-api-core": ("google.api_core",),
    "google-api-python-client": ("googleapiclient",),
    "google-auth": ("google.auth", "google.oauth2"),
    "google-auth-oauthlib": ("google_auth_oauthlib",),
    "google-cloud-aiplatform": ("google.cloud.aiplatform", "vertexai"),
    "google-cloud-secret-manager": ("google.cloud.secretmanager",),
    "google-genai": ("google.genai",),
    "google-generativeai": ("google.generativeai",),
    "google-re2": ("re2",),
    "googleapis-common-protos": ("google.api", "google.rpc", "google.type"),
    "graphql-core": ("graphql",),
    "grpc-google-iam-v1": ("google.iam",),
    "grpcio": ("grpc",),
    "grpcio-health-checking": ("grpc_health",),
    "grpcio-reflection": ("grpc_reflection",),
    "grpcio-status": ("grpc_status",),
    "grpcio-tools": ("grpc_tools",),
    "gitpython": ("git",),
    "ipython": ("IPython",),
    "import-linter": ("importlinter",),
    "legacy-cgi": ("cgi", "cgitb"),
    "langchain-google-genai": ("langchain_google_genai",),
    "markdown-it-py": ("markdown_it",),
    "mysqlclient": ("MySQLdb",),
    "opencv-contrib-python": ("cv2",),
    "opencv-contrib-python-headless": ("cv2",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "opentelemetry-api": ("opentelemetry",),
    "opentelemetry-semantic-conventions": ("opentelemetry.semconv",),
    "opentelemetry-sdk": ("opentelemetry.sdk",),
    "pillow": ("PIL",),
    "protobuf": ("google.protobuf",),
    "pip-tools": ("piptools",),
    "proto-plus": ("proto",),
    "psycopg2-binary": ("psycopg2",),
    "psycopg-binary": ("psycopg_binary",),
    "py-cpuinfo": ("cpuinfo",),
    "pyasyncore": ("asyncore",),
    "pyaudio": ("pyaudio",),
    "pycryptodome": ("Crypto",),
    "pycryptodomex": ("Cryptodome",),
    "pygithub": ("github",),
    "pyjwt": ("jwt",),
    "pymupdf": ("fitz", "pymupdf"),
    "pynacl": ("nacl",),
    "pyopenssl": ("OpenSSL",),
    "pypdf2": ("PyPDF2",),
    "pyserial": ("serial",),
    "python-dateutil": ("dateutil",),
    "python-docx": ("docx",),
    "python-dotenv": ("dotenv",),
    "python-jose": ("jose",),
    "python-json-logger": ("pythonjsonlogger",),
    "python-magic": ("magic",),
    "python-multipart": ("multipart", "python_multipart"),
    "python-pptx": ("pptx",),
    "python-slugify": ("slugify",),
    "python-socketio": ("socketio",),
    "python-engineio": ("engineio",),
    "python-telegram-bot": ("telegram",),
    "pytorch-lightning": ("pytorch_lightning",),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "rpds-py": ("rpds",),
    "ruamel-yaml": ("ruamel.yaml",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn",),
    "sentry-sdk": ("sentry_sdk",),
    "setuptools": ("setuptools", "pkg_resources"),
    "speechrecognition": ("speech_recognition",),
    "sse-starlette": ("sse_starlette",),
    "standard-imghdr": ("imghdr",),
    "standard-telnetlib": ("telnetlib",),
    "audioop-lts": ("audioop",),
    "tree-sitter": ("tree_sitter",),
    "typing-extensions": ("typing_extensions",),
    "websocket-client": ("websocket",),
    "zope-interface": ("zope.interface",),
}
_NO_MODULE_OF_THEIR_NAME = frozenset(("google", "sklearn", "google-cloud", "yaml", "pil", "cv2", "flake8-docstrings"))
"""Distributions that exist, or may, and do not provide the module that is called like them."""
_OWN_NAMES = frozenset((
    "aiofiles", "aiohttp", "alembic", "anthropic", "asyncpg", "bcrypt", "boto3", "botocore", "celery", "certifi",
    "click", "cryptography", "django", "fastapi", "flask", "gunicorn", "httpx", "itsdangerous", "jinja2", "langchain",
    "loguru", "lxml", "markupsafe", "numpy", "openai", "orjson", "pandas", "passlib", "polars", "pydantic",
    "pydantic_settings", "pymongo", "quart", "redis", "requests", "scipy", "slowapi", "sqlalchemy", "sqlmodel",
    "starlette", "stripe", "structlog", "tenacity", "tiktoken", "torch", "tornado", "tqdm", "transformers", "trio",
    "urllib3", "uvicorn", "uvloop", "websockets", "werkzeug",
))  # fmt: skip
"""Modules that come from the distribution of their own name, and from no other that is in use."""
_CLOUD_PREFIX = "google-cloud-"
_CLOUD_PRODUCTS = frozenset((
    "bigquery", "container", "datastore", "dialogflow", "dlp", "documentai", "error-reporting", "firestore", "kms",
    "language", "logging", "pubsub", "run", "scheduler", "spanner", "speech", "storage", "tasks", "texttospeech",
    "translate", "videointelligence", "vision",
))  # fmt: skip
"""Those whose module is called like the product."""
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
    if distribution in _OTHER_NAMES:
        return _OTHER_NAMES[distribution]
    if distribution.startswith(_CLOUD_PREFIX):
        product = distribution.removeprefix(_CLOUD_PREFIX)
        return (f"google.cloud.{product.replace('-', '_')}",) if product in _CLOUD_PRODUCTS else ()
    if distribution.startswith(_OWN_NAMESPACES) or distribution.endswith(_OWN_ENDINGS):
        return ()
    return () if distribution in _NO_MODULE_OF_THEIR_NAME else (distribution.replace("-", "_"),)


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
    others = tuple(name for name, modules in _OTHER_NAMES.items() if module in modules)
    return (module.replace("_", "-"), *others) if module in _OWN_NAMES else others
