"""Which third-party modules an image has: what its Dockerfile installs, by the manifests of the tree."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.claim import ClaimState, ModuleKind
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.service_modules import open_service_modules
from tests.support.import_claims import FAILS, HOLDS, PATH, UNKNOWN, judge_import
from tests.support.source_tree import FakeSourceTree

PIP = "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nRUN {}\nCMD uvicorn app.main:app\n"
PIP_FILE = PIP.format("pip install --no-cache-dir -r requirements.txt")


def kind_of(module: str, files: Mapping[str, str], dockerfile: str = PIP_FILE) -> ModuleKind:
    tree = {"Dockerfile": dockerfile, "app/__init__.py": "", "app/main.py": "", **files}
    modules = open_service_modules(FakeSourceTree(tree), TracedFiles("app/main.py"), "3.11")
    return modules.find_module("app/main.py", module).kind


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("redis", "redis"),
        ("redis==5.0.1  # the cache", "redis"),
        ("PyYAML>=6 ; python_version >= '3.8'", "yaml"),
        ("python-jose[cryptography]==3.3.0", "jose"),
        ("python-jose[cryptography]==3.3.0", "cryptography"),
        ("pillow", "PIL"),
        ("google-cloud-storage", "google.cloud.storage"),
        ("google-cloud-storage", "google.cloud"),
        ("google-cloud-secret-manager", "google.cloud.secretmanager"),
        ("opencv-python-headless", "cv2"),
        ("Flask_Sock", "flask_sock"),
        ("uvicorn[standard]", "websockets"),
        ("fastapi", "starlette"),
        ("django-storages", "storages"),
        ("python-decouple", "decouple"),
        ("google-cloud-discoveryengine", "google.cloud.discoveryengine"),
        ("opentelemetry-api\nopentelemetry-sdk", "opentelemetry.sdk"),
        ("opentelemetry-instrumentation-aiohttp-client", "opentelemetry.instrumentation.aiohttp_client"),
        ("slack-sdk", "slack_sdk"),
        ("tensorflow", "tensorflow"),
        ("redis \\\n    --hash=sha256:00", "redis"),
        ("git+https://example.org/x.git#egg=other\nredis", "redis"),
    ],
)
def test_a_requirement_provides_its_module(line: str, module: str) -> None:
    assert kind_of(module, {"requirements.txt": f"# what we need\n{line}\n"}) is ModuleKind.OUTSIDE


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("redis; python_version < '3.8'", "redis"),
        ("redis; sys_platform == 'win32'", "redis"),
        ("redis; extra == 'cache'", "redis"),
        ("redis", "redis.asyncio"),
        ("google", "google"),
        ("dateutil", "dateutil"),
        ("jwt", "jwt"),
        ("opentelemetry-api", "opentelemetry.instrumentation.fastapi"),
        ("setuptools", "pkg_resources"),
        ("-c constraints.txt", "redis"),
        ("httpx", "redis"),
        ("# redis", "redis"),
    ],
)
def test_what_is_not_declared_for_certain_is_unknown(line: str, module: str) -> None:
    files = {"requirements.txt": f"{line}\n", "constraints.txt": "redis==5\n"}
    assert kind_of(module, files) is ModuleKind.UNKNOWN


@pytest.mark.parametrize(
    ("command", "files"),
    [
        (
            "pip install -r requirements/base.txt",
            {"requirements/base.txt": "-r more.txt\n", "requirements/more.txt": "redis\n"},
        ),
        ("pip install --upgrade pip && pip install 'redis>=5' httpx", {}),
        ("python -m pip install redis", {}),
        (
            "--mount=type=cache,target=/root/.cache uv pip install --system -r requirements.txt",
            {"requirements.txt": "redis"},
        ),
        (
            "--mount=type=bind,source=deploy/all.txt,target=/tmp/all.txt pip install -r /tmp/all.txt",
            {"deploy/all.txt": "redis"},
        ),
        ("pip install .", {"pyproject.toml": "[project]\nname='app'\ndependencies=['redis>=5']\n"}),
        (
            "pip install '.[cache]'",
            {"pyproject.toml": "[project]\nname='app'\n[project.optional-dependencies]\ncache=['redis']\n"},
        ),
        ("pip install -e .", {"setup.py": "from setuptools import setup\nsetup(install_requires=['redis'])\n"}),
        ("poetry install --no-root", {"pyproject.toml": "[tool.poetry.dependencies]\npython='^3.11'\nredis='^5'\n"}),
        (
            "uv sync --frozen",
            {
                "pyproject.toml": "[project]\nname='app'\ndependencies=['redis']\n",
                "uv.lock": "[[package]]\nname='redis'\n",
            },
        ),
        (
            "uv sync",
            {
                "pyproject.toml": "[project]\nname='app'\ndependencies=['cache-kit']\n",
                "uv.lock": "[[package]]\nname='cache-kit'\ndependencies=[{name='redis'}]\n[[package]]\nname='redis'\n",
            },
        ),
        (
            "poetry install",
            {
                "pyproject.toml": "[tool.poetry.dependencies]\ncache-kit='^1'\n",
                "poetry.lock": "[[package]]\nname='cache-kit'\n[package.dependencies]\nredis='>=5'\n",
            },
        ),
        (
            "pipenv install --system --deploy",
            {"Pipfile.lock": '{"_meta": {}, "default": {"redis": {"version": "==5"}}}'},
        ),
    ],
)
def test_every_way_to_install_is_read(command: str, files: dict[str, str]) -> None:
    assert kind_of("redis", files, PIP.format(command)) is ModuleKind.OUTSIDE


def test_an_installation_in_an_earlier_stage_counts_where_it_reaches_the_image() -> None:
    dockerfile = (
        "FROM python:3.11 AS build\nWORKDIR /build\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"
        "FROM python:3.11-slim\nWORKDIR /srv\n{}COPY . .\nCMD uvicorn app.main:app\n"
    )
    files = {"requirements.txt": "redis\n"}
    copied = dockerfile.format("COPY --from=build /usr/local /usr/local\n")
    assert kind_of("redis", files, copied) is ModuleKind.OUTSIDE
    absolute = copied.replace("requirements.txt .\n", "requirements.txt /tmp/\n").replace("-r ", "-r /tmp/")
    assert kind_of("redis", files, absolute) is ModuleKind.OUTSIDE
    assert kind_of("redis", files, dockerfile.format("")) is ModuleKind.UNKNOWN


def test_a_lock_file_names_all_that_is_installed() -> None:
    dockerfile = PIP.format("uv sync --frozen")
    files = {
        "pyproject.toml": "[project]\nname='app'\ndependencies=['httpx']\n",
        "uv.lock": "[[package]]\nname='httpx'\n",
    }
    assert kind_of("yaml", files, dockerfile) is ModuleKind.MISSING
    assert kind_of("yaml", files, dockerfile.replace("python:3.11", "tools/own:1")) is ModuleKind.UNKNOWN
    assert kind_of("heard_of_nowhere", files, dockerfile) is ModuleKind.UNKNOWN


def test_a_package_that_is_uninstalled_is_unknown() -> None:
    assert kind_of("redis", {}, PIP.format("pip install redis && pip uninstall -y redis")) is ModuleKind.UNKNOWN


def test_a_buildpack_installs_the_requirements() -> None:
    tree = {"main.py": "import redis\n", "requirements.txt": "redis\n"}
    modules = open_service_modules(FakeSourceTree(tree), TracedFiles("main.py"), "3.11")
    assert modules.find_module("main.py", "redis").kind is ModuleKind.OUTSIDE


def test_a_buildpack_installs_what_unlocked_requirements_depend_on() -> None:
    """`fastapi` itself once needed `uvicorn`, and later did not."""
    files = {
        "app/__init__.py": "",
        "app/main.py": "",
        "requirements.txt": "fastapi\nredis\n",
        "Procfile": "web: python -m app.main\n",
    }
    modules = open_service_modules(FakeSourceTree(files), TracedFiles("app/main.py"), "3.11")
    assert modules.find_module("app/main.py", "uvicorn").kind is ModuleKind.UNKNOWN


@pytest.mark.parametrize(
    ("source", "requirements", "state"),
    [
        ("import redis\n", "redis\n", HOLDS),
        ("import redis\n", "httpx\n", UNKNOWN),
        ("import httpx\n", "httpx\n", HOLDS),
        ("try:\n    import redis\nexcept ImportError:\n    redis = None\n", "httpx\n", HOLDS),
        ("from app import redis\n", "redis\n", UNKNOWN),
    ],
)
def test_a_claim_on_a_package(source: str, requirements: str, state: ClaimState) -> None:
    files = {PATH: source, "requirements.txt": requirements, "Dockerfile": PIP_FILE}
    assert judge_import(files, "redis").state is state


def test_a_claim_on_a_package_that_a_lock_file_lacks() -> None:
    files = {
        PATH: "import yaml\n",
        "Dockerfile": PIP.format("uv sync"),
        "pyproject.toml": "[project]\nname='app'\ndependencies=['httpx']\n",
        "uv.lock": "[[package]]\nname='httpx'\n",
    }
    assert judge_import(files, "yaml").state is FAILS


@pytest.mark.parametrize(
    ("command", "requirements", "kind"),
    [
        ("pip install --no-deps -r requirements.txt", "httpx==0.27\n", ModuleKind.MISSING),
        ("pip install --require-hashes -r requirements.txt", "httpx==0.27\n", ModuleKind.MISSING),
        ("pip install -r requirements.txt", "httpx==0.27 \\\n    --hash=sha256:00\n", ModuleKind.MISSING),
        ("uv pip sync requirements.txt", "httpx==0.27\n", ModuleKind.MISSING),
        ("pip install -r requirements.txt", "httpx==0.27  # --hash=sha256:00\n", ModuleKind.UNKNOWN),
        ("uv pip install -r requirements.txt", "httpx==0.27 \\\n    --hash=sha256:00\n", ModuleKind.UNKNOWN),
        ("pip install -r requirements.txt && pip install pandas", "httpx \\\n --hash=sha256:00\n", ModuleKind.UNKNOWN),
    ],
)
def test_requirements_name_all_that_is_installed_where_pip_takes_nothing_else(
    command: str, requirements: str, kind: ModuleKind
) -> None:
    assert kind_of("yaml", {"requirements.txt": requirements}, PIP.format(command)) is kind


def test_nothing_that_a_distribution_needs_comes_without_its_dependencies() -> None:
    files = {"requirements.txt": "fastapi\n", "pyproject.toml": "[project]\nname='app'\ndependencies=['redis']\n"}
    assert kind_of("starlette", files, PIP.format("pip install --no-deps -r requirements.txt")) is ModuleKind.MISSING
    assert kind_of("redis", files, PIP.format("pip install --no-deps .")) is ModuleKind.UNKNOWN


LOCKED = {"pyproject.toml": "[project]\nname='app'\ndependencies=['httpx']\n", "uv.lock": "[[package]]\nname='httpx'\n"}
QUIET = "RUN apt-get update && apt-get install -y libpq5 && rm -rf /var/lib/apt/lists/*\nRUN useradd -m app\n"


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        ("", ModuleKind.MISSING),
        (QUIET, ModuleKind.MISSING),
        ("COPY --from=tools/uv:1 /uv /usr/local/bin/\n", ModuleKind.MISSING),
        ("COPY --from=tools/libs:1 /site /usr/local/lib/python3.11/\n", ModuleKind.UNKNOWN),
        ("RUN ./deploy/prepare.sh\n", ModuleKind.UNKNOWN),
        ("RUN pip --no-cache-dir install pyyaml\n", ModuleKind.OUTSIDE),
        ("RUN pip3.11 install -q httpx\n", ModuleKind.UNKNOWN),
        ("RUN conda install yaml\n", ModuleKind.UNKNOWN),
        ("RUN python setup.py install\n", ModuleKind.UNKNOWN),
        ("RUN python -m deploy.prepare\n", ModuleKind.UNKNOWN),
        ("RUN curl -sS https://example.org/x | bash\n", ModuleKind.UNKNOWN),
    ],
)
def test_a_command_that_nobody_reads_may_install_more(before: str, kind: ModuleKind) -> None:
    dockerfile = PIP.format("uv sync --frozen").replace("RUN ", f"{before}RUN ", 1)
    assert kind_of("yaml", LOCKED, dockerfile) is kind


def test_a_stage_that_another_is_built_on_is_no_base_image() -> None:
    stages = PIP.format("uv sync --frozen").replace("FROM python:3.11", "FROM python:3.11 AS tools\nFROM tools")
    assert kind_of("yaml", LOCKED, stages) is ModuleKind.MISSING


def test_a_distribution_of_another_project_may_bring_the_module_of_its_name() -> None:
    files = {"requirements.txt": "jwt==1.3\n"}
    assert kind_of("jwt", files, PIP.format("pip install --no-deps -r requirements.txt")) is ModuleKind.UNKNOWN


def test_a_product_that_a_lock_file_lacks_is_missing() -> None:
    dockerfile = PIP.format("uv sync --frozen")
    assert kind_of("google.cloud.firestore", LOCKED, dockerfile) is ModuleKind.MISSING
    assert kind_of("google.cloud.heard_of_nowhere", LOCKED, dockerfile) is ModuleKind.UNKNOWN
