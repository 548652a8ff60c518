"""The `compile` function as it is shipped, under every interpreter that can serve it, against that interpreter."""

import base64
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.cli.bundle import ROOT, collect_compile_files
from shared.adapters.compilers.cpython import CPython
from shared.adapters.compilers.interpreters import find_installed_versions, find_interpreter
from shared.adapters.compilers.remote import REQUEST_SECONDS, RemoteCompiler
from shared.adapters.compilers.ruff import Ruff, RuffCompiler
from shared.proof.model.compilation import Source
from shared.secret import Secret
from tests.support.function_process import can_serve_functions, serve_function
from tests.support.syntax_corpus import load_corpus

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


def interpreters() -> Iterator[tuple[str, str]]:
    for python in find_installed_versions():
        found = find_interpreter(python)
        if found is not None:
            found.close()
            if python == RUNNING or can_serve_functions(found.interpreter):
                yield python, found.interpreter


SERVING = dict(interpreters())


def shipped(folder: Path) -> Path:
    """What the zip holds, unpacked."""
    for name, content in collect_compile_files(ROOT).items():
        (folder / name).write_bytes(content)
    return folder / "main.py"


def remote(python: str, url: str) -> RemoteCompiler:
    return RemoteCompiler(python, url, lambda audience: Secret(f"for {audience}"), RuffCompiler(Ruff(), python))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The function under the running interpreter."""
    with serve_function("compile", shipped(tmp_path_factory.mktemp("zip"))) as url:
        yield url


def asked(url: str, body: bytes, method: str = "POST") -> tuple[int, dict[str, object]]:
    request = urllib.request.Request(url, body if method == "POST" else None, method=method)
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def encoded(*contents: bytes) -> bytes:
    sources = [{"path": f"{n}.py", "content": base64.b64encode(content).decode()} for n, content in enumerate(contents)]
    return json.dumps({"sources": sources}).encode()


@pytest.mark.parametrize("python", SERVING)
def test_the_function_says_what_its_interpreter_says(python: str, tmp_path: Path) -> None:
    sources = [Source(f"{name}.py", content) for name, content in load_corpus().items()]
    with (
        serve_function("compile", shipped(tmp_path), interpreter=SERVING[python]) as url,
        CPython(SERVING[python]) as local,
    ):
        compiler = remote(python, url)
        compiler.prepare(sources)
        for source in sources:
            assert (source.path, compiler.compile(source)) == (source.path, local.compile(source))
        assert compiler.checked_by == local.checked_by
    assert compiler.requests_sent == 1


def test_function_runs_under_every_available_interpreter() -> None:
    able = [python for python in find_installed_versions() if python in {"3.10", "3.11", "3.12", "3.13"}]
    assert set(able) <= set(SERVING)


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"", 400, "JSON"),
        (b"\xff\xfe", 400, "JSON"),
        (b"[" * 100_000, 400, "JSON"),
        (b"[]", 400, "list"),
        (b'{"sources": {}}', 400, "list"),
        (b'{"sources": [1]}', 400, "sources[0]"),
        (b'{"sources": [{"path": "a.py", "content": ""}, {"path": 1, "content": ""}]}', 400, "sources[1]"),
        (b'{"sources": [{"path": "a.py", "content": "not base64!"}]}', 400, "base64"),
        (b'{"sources": [{"path": "a.py", "content": "\xc3\xa4"}]}', 400, "base64"),
        (json.dumps({"sources": [{"path": "a" * 4097, "content": ""}]}).encode(), 413, "4096"),
        (json.dumps({"sources": [{"path": "a", "content": ""}] * 2001}).encode(), 413, "2001"),
        (encoded(b"#" * ((8 << 20) + 1)), 413, "8388608"),
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(url: str, body: bytes, status: int, word: str) -> None:
    answered, told = asked(url, body)
    assert answered == status
    assert word in str(told["error"])


def test_only_a_post_is_answered(url: str) -> None:
    assert asked(url, b"", "GET")[0] == 405


def test_an_empty_batch_tells_which_python_it_is(url: str) -> None:
    status, told = asked(url, encoded())
    assert (status, told["verdicts"]) == (200, [])
    assert str(told["version"]).startswith(RUNNING)


def test_memory_hungry_source_gets_no_verdict_but_the_next_one_does(url: str) -> None:
    hungry = b"x = [" + b"a + b, " * 1_100_000 + b"]\n"
    _, told = asked(url, encoded(b"x = 1\n", hungry, b"x = (\n"))
    verdicts = told["verdicts"]
    assert isinstance(verdicts, list)
    assert [verdict["ok"] for verdict in verdicts] == [True, None, False]
    assert "512 MiB" in verdicts[1]["why"]


def test_nothing_of_a_source_runs(url: str, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    source = f"import pathlib\npathlib.Path({str(witness)!r}).write_text('ran')\n"
    _, told = asked(url, encoded(source.encode()))
    assert told["verdicts"] == [{"ok": True, "id": 1}]
    assert not witness.exists()
