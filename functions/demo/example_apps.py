"""The services of the scenarios in which nothing can be proven: their files after each commit, by role.

Planned for the deployed minor version of Python. Each service really fails when it is visited.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.demo.example_files import build_initial_files
from functions.demo.fast_import import CommitSpec
from functions.demo.history_plan import CommitTimes, Role


class ExampleApp(StrEnum):
    """What fails in the service."""

    LANGUAGE = "language"
    """Its own code raises a KeyError."""
    BLOCKED = "blocked"
    """A client answers no keepalive ping."""
    UPSTREAM = "upstream"
    """The service at the other end of its own socket closes with 1011."""


DEPLOYED = (Role.FIRST, Role.GOOD, Role.INTRODUCED, Role.CLAIMED_FIX)
"""Committed when the failing revision is deployed; the last of them is what it runs."""

_MAIN = '''\
"""The chat backend: a socket for conversations, and plain HTTP for health."""

import json
import logging

from chat import @module@

log = logging.getLogger("chat")


async def app(scope, receive, send):
    """The ASGI entry point."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await converse(scope, receive, send)
    else:
        await answer(send)


async def lifespan(receive, send):
    while True:
        message = await receive()
@startup@        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def converse(scope, receive, send):
    """Accepts the socket, then greets whoever opened it."""
    await receive()
    await send({"type": "websocket.accept"})
    try:
@work@
        await send({"type": "websocket.send", "text": json.dumps({"text": text})})
        while (await receive())["type"] != "websocket.disconnect":
            pass  # the browser asks again, or leaves
    except Exception:
        @log@
        await send({"type": "websocket.close", "code": 1011, "reason": "internal error"})
        log.error("WebSocket %s closed: code=1011", scope["path"])


async def answer(send):
    """Health for the platform."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"status": "ok"}).encode()})
'''
_GREETINGS = '''\
"""What a conversation begins with."""

TEXTS = {"en": "Welcome aboard", "da": "Velkommen om bord"}


def open_session(query):
    """A session as the browser asked for it."""
    wanted = dict(part.partition("=")[::2] for part in query.split("&") if part)
    return {"topic": wanted.get("topic", "harbour"), **wanted}


def greet(session):
    """The first text of a conversation."""
    text = TEXTS["en"]
    return f"{text}: {session['topic']}"
'''
_BY_LANGUAGE = ('text = TEXTS["en"]', 'text = TEXTS[session["language"]]')
_WITH_DEFAULT = ('session["language"]', 'session.get("language", "en")')
_GREET = """\
        session = greetings.open_session(scope["query_string"].decode())
        text = greetings.greet(session)"""

_AGENTS = '''\
"""The connection to the agents, which another service runs."""

import logging

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

log = logging.getLogger("chat.agents")
ADDRESS = "wss://agents.harbour.example/v1/converse"
_stand_in = []


async def start_stand_in():
    """Nobody runs that service here: a server in its place, which is as overloaded as the real one was."""

    async def refuse(socket):
        await socket.recv()
        await socket.close(1011, "The service is currently overloaded")

    _stand_in.append(await serve(refuse, "127.0.0.1", 0))


async def ask(text):
    """The agents' answer."""
    host, port = _stand_in[0].sockets[0].getsockname()[:2]
    try:
        async with connect(f"ws://{host}:{port}/", proxy=None) as socket:
            await socket.send(text)
            return await socket.recv()
    except ConnectionClosed as closed:
        log.error("%s: %s", ADDRESS, closed)
        raise
'''
_ASK = '        text = await agents.ask("welcome")'
_START = '        if message["type"] == "lifespan.startup":\n            await agents.start_stand_in()\n'

_SERVER = '''\
"""The chat backend: a socket for conversations, served by websockets itself."""

import asyncio
import json
import os

from websockets.asyncio.server import serve

KEEPALIVE_SECONDS = @seconds@


async def converse(socket):
    """Greets whoever opened the socket, and waits for what they say."""
    await socket.send(json.dumps({"text": "Welcome aboard"}))
    async for message in socket:
        await socket.send(json.dumps({"text": message}))


async def main():
    port = int(os.environ["PORT"])
    seconds = KEEPALIVE_SECONDS
    async with serve(converse, "127.0.0.1", port, ping_interval=seconds, ping_timeout=seconds):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
'''
_SERVER_COMMAND = 'CMD ["python", "chat/server.py"]'


@dataclass(frozen=True, slots=True)
class AppCommit:
    """One commit of such a service."""

    role: Role
    author: str
    subject: str
    files: Mapping[str, str]


def plan_app_commits(app: ExampleApp, python: str, commit_times: CommitTimes) -> Mapping[Role, CommitSpec]:
    """One commit for each role that the service's story has, oldest first."""
    commits = _COMMITS[app](build_initial_files(python))
    return {
        commit.role: CommitSpec(commit.subject, commit_times[commit.role], commit.author, commit.files)
        for commit in commits
    }


def _render_main(module: str, work: str, log: str, startup: str = "") -> str:
    values = {"@module@": module, "@work@": work, "@log@": log, "@startup@": startup}
    text = _MAIN
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _build_base_files(tree: Mapping[str, str]) -> dict[str, str]:
    left_out = {"chat/main.py", "chat/sessions.py", "tests/test_main.py"}
    return {path: text for path, text in tree.items() if path not in left_out}


def _plan_language_commits(tree: Mapping[str, str]) -> tuple[AppCommit, ...]:
    """The break is in one function, a commit that claims to be its end changes another one."""
    main = _render_main("greetings", _GREET, 'log.exception("The conversation failed")')
    by_language = _GREETINGS.replace(*_BY_LANGUAGE)
    claimed = main.replace('"reason": "internal error"', '"reason": "error"')
    mended = by_language.replace(*_WITH_DEFAULT)
    return (
        AppCommit(
            Role.FIRST, "Mira Holm", "Greet whoever opens a conversation",
            {**_build_base_files(tree), "chat/main.py": main, "chat/greetings.py": _GREETINGS},
        ),
        AppCommit(
            Role.GOOD, "Ada Okafor", "Say in the documents how events are named",
            {"docs/events.md": tree["docs/events.md"] + "\nA name is never changed, only added.\n"},
        ),
        AppCommit(
            Role.INTRODUCED, "Jonas Brandt", "Greet in the language of the browser", {"chat/greetings.py": by_language}
        ),
        AppCommit(
            Role.CLAIMED_FIX, "Jonas Brandt", "fix: close failed conversations with a shorter reason",
            {"chat/main.py": claimed},
        ),
        AppCommit(
            Role.FIX, "Mira Holm", "Browsers without a language read English", {"chat/greetings.py": mended}
        ),
        AppCommit(
            Role.TESTS, "Ada Okafor", "Name the harbours in the documents",
            {"docs/events.md": tree["docs/events.md"] + "\nHarbours are topics, too.\n"},
        ),
    )  # fmt: skip


def _plan_upstream_commits(tree: Mapping[str, str]) -> tuple[AppCommit, ...]:
    main = _render_main("agents", _ASK, 'log.error("The agents gave no answer")', _START)
    return (
        AppCommit(
            Role.FIRST, "Mira Holm", "Pass conversations on to the agents",
            {**_build_base_files(tree), "chat/main.py": main, "chat/agents.py": _AGENTS},
        ),
        *_plan_plain_commits(tree, "chat/agents.py", _AGENTS),
    )  # fmt: skip


def _plan_blocked_commits(tree: Mapping[str, str]) -> tuple[AppCommit, ...]:
    server = _SERVER.replace("@seconds@", "1")
    files = _build_base_files(tree)
    files["Dockerfile"] = files["Dockerfile"].rpartition("CMD ")[0] + _SERVER_COMMAND + "\n"
    return (
        AppCommit(
            Role.FIRST, "Mira Holm", "Serve conversations without a framework", {**files, "chat/server.py": server}
        ),
        *_plan_plain_commits(tree, "chat/server.py", server),
    )


def _plan_plain_commits(tree: Mapping[str, str], path: str, text: str) -> tuple[AppCommit, ...]:
    """What goes on beside a failure that no commit causes."""
    events = tree["docs/events.md"]
    claimed = (Role.CLAIMED_FIX, "Jonas Brandt", "fix: name the harbours")
    later = (claimed, (Role.TESTS, "Ada Okafor", "Sort the harbours"))
    return (
        AppCommit(Role.GOOD, "Ada Okafor", "Say in the documents how events are named", {"docs/events.md": events}),
        AppCommit(Role.INTRODUCED, "Jonas Brandt", "Say what the module is for", {path: f"# Conversations.\n{text}"}),
        *(AppCommit(*commit, {"docs/events.md": f"{events}\n{commit[2]}.\n"}) for commit in later),
    )


_COMMITS = {
    ExampleApp.LANGUAGE: _plan_language_commits,
    ExampleApp.UPSTREAM: _plan_upstream_commits,
    ExampleApp.BLOCKED: _plan_blocked_commits,
}
