"""The other files of the incident's repository: a small chat backend as plain ASGI, so that only uvicorn is needed.

Written for the deployed minor version of Python. They carry the plausible reasons why nobody caught the break: checks
run on newer versions only, and no test imports the module that `main.py` loads late.
"""

from collections.abc import Mapping

# The service's own code stays within what every Python since 3.8 can read.
_MAIN = '''\
"""The chat backend: a socket for conversations, and plain HTTP for health and transcripts."""

import json
import logging

from chat import sessions

log = logging.getLogger("chat")


async def app(scope, receive, send):
    """The ASGI entry point."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await converse(scope, receive, send)
    else:
        await answer(scope, send)


async def lifespan(receive, send):
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def converse(scope, receive, send):
    """Accepts the socket, then streams what the agents do."""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        # The agents are slow to load: only the first conversation pays for them.
        from chat import agents_execute

        run = agents_execute.Run(id=sessions.open_session())
        async for text in agents_execute.stream(run):
            await send({"type": "websocket.send", "text": text})
        await send({"type": "websocket.send", "text": json.dumps({"session": run.id})})
        while (await receive())["type"] != "websocket.disconnect":
            pass  # the browser asks again, or leaves
    except Exception as error:
        log.error("Uncaught exception: %s: %s", type(error).__name__, error)
        await send({"type": "websocket.close", "code": 1011, "reason": "internal error"})
        log.error("WebSocket %s closed: code=1011", scope["path"])
        raise


async def answer(scope, send):
    """Health for the platform; a transcript for whoever holds an open session."""
    status, body = 200, {"status": "ok"}
    if scope["path"] == "/transcript":
        try:
            body = {"messages": sessions.transcript(scope["query_string"].decode())}
        except sessions.Denied as error:
            log.error("Database session error: %s", error)
            status, body = 403, {"error": str(error)}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
'''

_MAIN_HEALTH = ('body = 200, {"status": "ok"}', 'body = 200, {"status": "ok", "sessions": sessions.count()}')

_SESSIONS = '''\
"""Sessions: only a conversation that came up opens one, and only an open one may read its transcript."""

import secrets

_open: dict = {}


class Denied(Exception):
    """The caller holds no open session."""


def open_session() -> str:
    session = secrets.token_hex(8)
    _open[session] = []
    return session


def transcript(session: str) -> list:
    if session not in _open:
        raise Denied("403: Not authenticated")
    return _open[session]


def count() -> int:
    return len(_open)
'''

_LIMIT = (
    "def open_session() -> str:\n",
    """\
def open_session() -> str:
    if len(_open) >= 2:
        raise RuntimeError("no more than two open sessions")
""",
)

_DOCKERFILE = """\
FROM python:@deployed@-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY chat chat
CMD ["uvicorn", "chat.main:app", "--host", "0.0.0.0", "--port", "8080"]
"""

_WORKFLOW = """\
name: ci
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python-version: ["@tested@", "@newest@"]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{ matrix.python-version }}
      - run: pip install -r requirements.txt pytest
      - run: pytest tests
"""

_PROJECT = """\
[project]
name = "harbour-chat"
version = "2.14.0"
requires-python = ">=@deployed@"
dependencies = ["uvicorn[standard]"]
"""

_TESTS = '''\
"""Health answers, and a stranger reads no transcript."""

import pytest

from chat import main, sessions


def test_the_application_can_be_imported():
    assert callable(main.app)


def test_a_stranger_reads_no_transcript():
    with pytest.raises(sessions.Denied):
        sessions.transcript("unknown")
'''

_EVENTS = """\
# Events

`<topic>.<moment>`, for instance `plan.started`. Topics come in the order in which the browser shows them.
"""

TEST_OF_SESSIONS = """

def test_an_open_session_reads_its_own_transcript():
    assert sessions.transcript(sessions.open_session()) == []
"""


def build_initial_files(deployed_python: str) -> Mapping[str, str]:
    """All files but the incident's module. `deployed` is a minor version such as `3.11`; checks run on the next two."""
    minor = int(deployed_python.partition(".")[2])
    versions = {"@deployed@": deployed_python, "@tested@": f"3.{minor + 1}", "@newest@": f"3.{minor + 2}"}
    texts = {
        ".dockerignore": ".git\ntests\ndocs\n",
        ".github/workflows/ci.yml": _WORKFLOW,
        ".python-version": "@tested@\n",
        "Dockerfile": _DOCKERFILE,
        "README.md": "# Harbour chat\n\nA chat backend whose agents stream their steps.\n",
        "chat/__init__.py": "",
        "chat/main.py": _MAIN,
        "chat/sessions.py": _SESSIONS,
        "docs/events.md": _EVENTS,
        "pyproject.toml": _PROJECT,
        "requirements.txt": "uvicorn[standard]\n",
        "tests/test_main.py": _TESTS,
    }
    return {path: _fill_placeholders(text, versions) for path, text in texts.items()}


def build_files_with_more_tests(tree: Mapping[str, str]) -> Mapping[str, str]:
    """What a later commit adds to the tests."""
    return {"tests/test_main.py": tree["tests/test_main.py"] + TEST_OF_SESSIONS}


def build_files_with_session_count(tree: Mapping[str, str]) -> Mapping[str, str]:
    """What a later commit adds to the health answer."""
    return {"chat/main.py": tree["chat/main.py"].replace(*_MAIN_HEALTH)}


def build_files_with_session_limit(tree: Mapping[str, str]) -> Mapping[str, str]:
    """What a later commit adds instead, in the story where it fails: nobody gives a session back."""
    return {"chat/sessions.py": tree["chat/sessions.py"].replace(*_LIMIT)}


def _fill_placeholders(text: str, versions: Mapping[str, str]) -> str:
    for name, value in versions.items():
        text = text.replace(name, value)
    return text
