"""The history of a service that fails at run time: every commit compiles, and one of them closes the sockets.

Planned for the deployed minor version of Python: one commit for each role that the story needs.
"""

from collections.abc import Mapping

from functions.demo.example_files import (
    build_files_with_more_tests,
    build_files_with_session_count,
    build_initial_files,
)
from functions.demo.fast_import import CommitSpec
from functions.demo.history_plan import CommitTimes, Role

GREETING = "chat/greeting.py"
LATER_COMMITS = (Role.FIX, Role.HEAD)
"""What is committed after the deployment."""

_CONVERSE_BEGIN, _CONVERSE_END = "async def converse(", "async def answer("
_CONVERSE = '''\
async def converse(scope, receive, send):
    """Accepts the socket, then greets whoever came."""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        session = sessions.open_session()
        await send({"type": "websocket.send", "text": json.dumps({"session": session})})
        await send({"type": "websocket.send", "text": greeting.greet(scope)})
        while (await receive())["type"] != "websocket.disconnect":
            pass  # the browser asks again, or leaves
    except Exception:
        log.exception("The conversation failed")
        log.error("WebSocket %s closed: code=1011", scope["path"])
        await send({"type": "websocket.close", "code": 1011, "reason": "internal error"})


'''
_HEADER = '''\
"""The first words of every conversation."""

WORDS = {"de": "Moin", "en": "Hello", "fr": "Bonjour"}


def greet(scope) -> str:
'''
_PLAIN = '''\
    """Says hello."""
    return WORDS["en"]
'''
_FAILING = '''\
    """Says hello in the language that the browser asks for."""
    headers = dict(scope["headers"])
    language = headers[b"accept-language"].decode()[:2]
    return WORDS[language]
'''
_FIXED = '''\
    """Says hello in the language that the browser asks for, if it asks for one."""
    headers = dict(scope["headers"])
    language = headers.get(b"accept-language", b"en").decode()[:2]
    return WORDS.get(language, WORDS["en"])
'''


def plan_runtime_failure(python: str, commit_times: CommitTimes) -> Mapping[Role, CommitSpec]:
    """One commit for each role of the story, oldest first."""
    tree = dict(build_initial_files(python))
    main = tree["chat/main.py"].replace("from chat import sessions\n", "from chat import greeting, sessions\n")
    before, after = main.partition(_CONVERSE_BEGIN)[0], main.partition(_CONVERSE_END)[2]
    tree["chat/main.py"] = f"{before}{_CONVERSE}{_CONVERSE_END}{after}"
    mira, jonas, ada = "Mira Holm", "Jonas Brandt", "Ada Okafor"
    story = (
        (Role.FIRST, mira, "Greet whoever opens a conversation", {**tree, GREETING: _HEADER + _PLAIN}),
        (
            Role.GOOD,
            ada,
            "Say in the documents how events are named",
            {"docs/events.md": tree["docs/events.md"] + "\n"},
        ),
        (Role.INTRODUCED, jonas, "Greet visitors in their own language", {GREETING: _HEADER + _FAILING}),
        (Role.CLAIMED_FIX, ada, "Test that a session reads its own transcript", build_files_with_more_tests(tree)),
        (Role.FIX, mira, "Greet those in English who ask for no language", {GREETING: _HEADER + _FIXED}),
        (Role.HEAD, jonas, "Count the open sessions in the health answer", build_files_with_session_count(tree)),
    )
    return {role: CommitSpec(subject, commit_times[role], author, files) for role, author, subject, files in story}
