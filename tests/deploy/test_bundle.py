"""The zips that are deployed: what is in them, that they are the same each time, and that every function starts."""

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.cli.bundle import (
    COMPILE_FILES,
    ROOT,
    build_bundles,
    build_zip,
    collect_compile_files,
    collect_functions_files,
    has_identities,
)
from functions.demo.build_repository import ExampleRepository, build_incident
from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, sign
from shared.errors import InputError
from shared.secret import Secret
from tests.support.deploy.unpacked_bundle import (
    EPOCH,
    UnpackedBundle,
    compile_bytecode,
    install_requirements,
    serve_bundle,
    unpack_bundle,
)
from tests.support.function_requests import SECRET, bench_configuration, click_request, event_request, log_entry

MOST_BYTES = 10 << 20
HOOK = "5eaf0am"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return dict(build_bundles(ROOT))


def listing(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.namelist()


class TestContent:
    def test_the_functions_and_what_they_share_and_nothing_else(self, made: dict[str, bytes]) -> None:
        names = listing(made["functions.zip"])
        assert names == sorted(names)
        entry_points = {
            "check",
            "decide",
            "investigate",
            "record",
            "redeploy",
            "schedule",
            "slack_socket",
            "verify",
            "webhook",
            "main",
        }
        http = {path.relative_to(ROOT).as_posix() for path in (ROOT / "functions/http").glob("*.py")}
        assert {name for name in names if name.startswith("functions/")} == {
            f"functions/{name}.py" for name in entry_points | {"__init__"}
        } | http
        shared = {path.relative_to(ROOT).as_posix() for path in (ROOT / "shared").rglob("*.py")}
        assert {name for name in names if name.startswith("shared/") and name.endswith(".py")} == shared
        assert [name for name in names if not name.startswith(("functions/", "shared/"))] == ["requirements.txt"]
        assert {Path(name).suffix for name in names} == {".json", ".py", ".txt", ".tftpl"}

    def test_compile_is_alone(self, made: dict[str, bytes]) -> None:
        assert listing(made["compile.zip"]) == sorted([*COMPILE_FILES, "requirements.txt"])
        (requirement,) = collect_compile_files(ROOT)["requirements.txt"].decode().splitlines()
        assert re.fullmatch(r"functions-framework==\d+\.\d+\.\d+", requirement)

    @pytest.mark.parametrize("name", ["functions.zip", "compile.zip"])
    def test_bundles_are_small_and_contain_plain_files(self, made: dict[str, bytes], name: str) -> None:
        """The buildpack prefers a pyproject.toml or breaks on what does not compile; links and modes mean nothing."""
        assert len(made[name]) < MOST_BYTES
        with zipfile.ZipFile(io.BytesIO(made[name])) as archive:
            assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}
            assert archive.testzip() is None

    def test_the_framework_is_named_as_the_buildpack_looks_for_it(self) -> None:
        """Else it would add one of its own choice."""
        text = collect_functions_files(ROOT)["requirements.txt"].decode()
        assert re.search(r"^functions-framework\b([^-]|$)", text, re.MULTILINE)

    @pytest.mark.parametrize("signer", ["public_key", "identity", ""])
    def test_sigstores_library_is_packed_where_an_identity_signs(
        self, tmp_path: Path, made: dict[str, bytes], signer: str
    ) -> None:
        key = "public_key: |\n        -----BEGIN PUBLIC KEY-----\n        AA\n        -----END PUBLIC KEY-----\n"
        identity = "issuer: https://issuer.invalid\n      subject: https://ci.invalid/*\n"
        config = tmp_path / "provenfix.yaml"
        lines = {"public_key": f"signatures:\n  signers:\n    - {key}", "": "version: 1\n"}
        config.write_text(lines.get(signer, f"signatures:\n  signers:\n    - {identity}"), "utf-8")
        assert has_identities(config) is (signer == "identity")
        packed = build_bundles(ROOT, verifies_identities=has_identities(config))
        with zipfile.ZipFile(io.BytesIO(packed["functions.zip"])) as archive:
            pinned = set(re.findall(r"^([a-z0-9-]+)==", archive.read("requirements.txt").decode(), re.MULTILINE))
        assert ("sigstore" in pinned) is (signer == "identity")
        assert (packed == made) is (signer != "identity")
        assert len(pinned) > 50

    def test_python_that_does_not_compile_is_not_packed(self) -> None:
        with pytest.raises(InputError, match=r"shared/quay\.py\b"):
            build_zip({"shared/quay.py": b"x = = 1\n"})
        with pytest.raises(InputError, match=r"shared/quay\.py"):
            build_zip({"shared/quay.py": b"x = '\0'\n"})


class TestSameBytes:
    def test_building_twice_gives_the_same_bytes(self, made: dict[str, bytes]) -> None:
        assert dict(build_bundles(ROOT)) == made

    def test_place_and_time_do_not_change_the_bytes(self, tmp_path: Path, made: dict[str, bytes]) -> None:
        for name, content in collect_functions_files(ROOT).items():
            path = tmp_path / ("functions/requirements.txt" if name == "requirements.txt" else name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (1e9, 1e9))
            path.chmod(0o755)
        (tmp_path / "functions" / "compile.py").write_bytes((ROOT / "functions" / "compile.py").read_bytes())
        (tmp_path / "shared" / "__pycache__").mkdir()
        (tmp_path / "shared" / "__pycache__" / "errors.cpython-311.pyc").write_bytes(b"\0")
        assert dict(build_bundles(tmp_path)) == made

    def test_the_order_of_the_files_does_not_matter_and_their_content_does(self) -> None:
        one = build_zip({"a.txt": b"1", "b.txt": b"2"})
        assert build_zip({"b.txt": b"2", "a.txt": b"1"}) == one
        assert build_zip({"a.txt": b"1", "b.txt": b"3"}) != one

    def test_the_command_writes_them_and_says_their_digests(self) -> None:
        command = [sys.executable, "-m", "functions.cli.bundle"]
        told = subprocess.run(command, cwd=ROOT, check=True, text=True, capture_output=True).stdout.splitlines()
        found = {path: digest for digest, _, path in (line.split() for line in told)}
        digests = subprocess.run(
            ["sha256sum", "build/functions.zip", "build/compile.zip"],
            cwd=ROOT,
            check=True,
            text=True,
            capture_output=True,
        ).stdout.splitlines()
        assert {path: digest for digest, path in (line.split() for line in digests)} == found


class TestCompiled:
    """What the buildpack does with the source."""

    def test_every_file_compiles(self, made: dict[str, bytes], tmp_path: Path) -> None:
        for name, content in made.items():
            assert compile_bytecode(unpack_bundle(content, tmp_path / name), EPOCH) == ""

    def test_bytecode_outlives_the_times_of_an_image(self, made: dict[str, bytes], tmp_path: Path) -> None:
        """An image gives every file the same time; only .pyc files that name the content are then still used."""
        source = unpack_bundle(made["compile.zip"], tmp_path)
        used: dict[str, bool] = {}
        for name, variables in (("content", EPOCH), ("time", {})):
            (source / "pipe.py").touch()
            compile_bytecode(source, variables)
            os.utime(source / "pipe.py", (315532801, 315532801))
            kept = importlib.util.cache_from_source(str(source / "pipe.py"))
            command = [sys.executable, "-v", "-c", "import pipe"]
            told = subprocess.run(command, cwd=source, check=True, text=True, capture_output=True).stderr
            used[name] = f"{kept} matches" in told
        assert used == {"content": True, "time": False}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployed")


@pytest.fixture(scope="module")
def functions(made: dict[str, bytes], home: Path) -> UnpackedBundle:
    source = unpack_bundle(made["functions.zip"], home)
    assert compile_bytecode(source, EPOCH) == ""
    return install_requirements(source, home)


@pytest.fixture(scope="module")
def story(home: Path) -> ExampleRepository:
    return build_incident(home / "chat.git")


@pytest.fixture(scope="module")
def environment(functions: UnpackedBundle, home: Path, story: ExampleRepository) -> dict[str, str]:
    path = bench_configuration(home, story)
    told = json.loads(path.read_text("utf-8"))
    told["github"] = {"token": {"env": "TOKEN"}, "webhook_secret": {"env": "HOOK"}}
    path.write_text(json.dumps(told), "utf-8")
    variables = {"PROVENFIX_CONFIG": str(path), "PROVENFIX_EMBEDDED": str(home / "state")}
    secrets = {"SIGNING": SECRET, "HOOK": HOOK, "TOKEN": "t"}
    return {**variables, **secrets, "PYTHONPATH": str(functions.source)}


def outcomes(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text("utf-8").splitlines():
        if line.startswith("{"):
            yield json.loads(line)["provenfix"]


def hook() -> urllib.request.Request:
    body = b'{"zen": "All lines are tied."}'
    headers = {
        EVENT_HEADER: "ping",
        DELIVERY_HEADER: "0b0e7f0e-2222-4d4d-8c8c-aaaaaaaaaaaa",
        SIGNATURE_HEADER: sign(body, Secret(HOOK)),
    }
    return urllib.request.Request("http://127.0.0.1/", body, headers)


def test_every_function_starts_and_answers_a_real_message(
    functions: UnpackedBundle, environment: dict[str, str], home: Path, story: ExampleRepository
) -> None:
    """In one story: an entry opens an incident, which is investigated; the others find nothing to do, and say so."""
    said: dict[str, list[str]] = {}
    incident = ""

    def ask(target: str, request: Callable[[], urllib.request.Request]) -> str:
        with serve_bundle(functions, target, environment, home, "functions/main.py") as function:
            assert function.ask(request()) in {200, 204}
            told = list(outcomes(function.log))
        said[target] = [str(each["outcome"]) for each in told]
        return str(told[-1].get("incident", ""))

    incident = ask("record", lambda: event_request(json.dumps(log_entry(story)).encode()))
    ask("investigate", lambda: event_request(json.dumps({"incident": incident}).encode()))
    ask("decide", click_request)
    ask("redeploy", lambda: event_request(b'{"proposal": "none"}'))
    ask("check", lambda: event_request(b'{"kind": "push"}'))
    ask("schedule", lambda: event_request(b""))
    ask("verify", lambda: event_request(b'{"incident": "none"}'))
    ask("github", hook)
    assert said == {
        "record": ["opened"],
        "investigate": ["proposed"],
        "decide": ["unknown_proposal"],
        "redeploy": ["rejected:unknown_proposal"],
        "check": ["rejected:malformed_message"],
        "schedule": ["ticked"],
        "verify": ["rejected:unknown_incident"],
        "github": ["means_nothing"],
    }


def test_compile_starts_and_judges(made: dict[str, bytes], tmp_path: Path) -> None:
    function = install_requirements(unpack_bundle(made["compile.zip"], tmp_path), tmp_path)
    sources = [{"path": "a.py", "content": base64.b64encode(b"x = = 1").decode()}]
    request = urllib.request.Request("http://127.0.0.1/", json.dumps({"sources": sources}).encode())
    with serve_bundle(function, "compile", {}, tmp_path) as compile_function:
        request.full_url = compile_function.url
        with urllib.request.urlopen(request, timeout=60) as answer:
            judged = json.load(answer)
    assert [verdict["ok"] for verdict in judged["verdicts"]] == [False]
    assert judged["version"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
