"""Values of the wrong type, judged by the real checker: what it reports, and what its silence is worth."""

from collections.abc import Iterator

import pytest

from shared.adapters.checkers.ty_checker import TyChecker
from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.checking.two_witnesses import TwoWitnesses
from shared.proof.claims.checking.value_judge import ValueJudge
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from tests.support.listed_modules import ListedModules
from tests.support.type_checker import FakeTypeChecker

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
STORE = """
class User:
    name: str = ''
def find(key: str) -> User | None: ...
def get(key: str) -> User: ...
"""
ATTRIBUTE = "'NoneType' object has no attribute 'name'"
AWAIT = "object int can't be used in 'await' expression"


@pytest.fixture(scope="module")
def checker() -> Iterator[TyChecker]:
    with TyChecker() as opened:
        yield opened


def judge(
    checker: TyChecker, body: str, message: str, text: str, *, store: str = STORE, owner: str = "NoneType"
) -> ClaimVerdict:
    name = "name" if "attribute" in message else ""
    claim = Claim(ClaimFamily.VALUE, "app/main.py", 1, "TypeError", message, "f", text, "", name, owner)
    main = f"import third\nfrom app.store import User, find, get\n\n\n{body}\n"
    files = {"app/__init__.py": "", "app/store.py": store, "app/main.py": main}
    return ValueJudge(checker).judge(claim, ListedModules(files, outside=("third",)))


@pytest.mark.parametrize(
    ("body", "state", "lines"),
    [
        ("def f(k):\n    return find(k).name", FAILS, (6,)),
        ("def f(k):\n    u = find(k)\n    return u.name", FAILS, (7,)),
        ("def f(k):\n    u = find(k)\n    if u is None:\n        return ''\n    return u.name", HOLDS, ()),
        ("def f(k):\n    u = find(k)\n    return u.name if u else ''", HOLDS, ()),
        ("def f(k):\n    u = find(k)\n    return u and u.name", HOLDS, ()),
        ("def f(k):\n    u = find(k) or User()\n    return u.name", HOLDS, ()),
        ("def f(k):\n    u = find(k)\n    assert u\n    return u.name", HOLDS, ()),
        ("def f(k):\n    if (u := find(k)) is not None:\n        return u.name", HOLDS, ()),
        ("def f(k):\n    u = find(k)\n    if u is not None:\n        print(u)\n    return u.name", FAILS, (9,)),
        ("def f(k):\n    return get(k).name", UNKNOWN, ()),
        ("def f(k):\n    u: User = third.find(k)\n    return u.name", UNKNOWN, ()),
        ("def f(k):\n    u = third.find(k)\n    return u.name", UNKNOWN, ()),
        ("def f(k):\n    u = third.find(k)\n    return u.name if u else ''", UNKNOWN, ()),
        ("def f(k):\n    return str(find(k))", HOLDS, ()),
        ("def f(k):\n    return getattr(find(k), 'name')", UNKNOWN, ()),
        ("def f(k):\n    return f'{find(k).name}'", FAILS, (6,)),
        ("def f(k):\n    u = find(k)\n    return f'{u.name}' if u else ''", UNKNOWN, ()),
        ("def f(k):\n    if False:\n        return find(k).name", HOLDS, ()),
        ("import sys\ndef f(k):\n    if sys.platform == 'win32':\n        return find(k).name", UNKNOWN, ()),
        ("from typing import no_type_check\n@no_type_check\ndef f(k):\n    return find(k).name", UNKNOWN, ()),
        ("def f(k):\n    return find(k).name  # type: ignore", FAILS, (6,)),
        ("def g(k):\n    return get(k).name", UNKNOWN, ()),
    ],
)
def test_an_attribute_of_none(checker: TyChecker, body: str, state: ClaimState, lines: tuple[int, ...]) -> None:
    verdict = judge(checker, body, ATTRIBUTE, "return u.name")
    assert (verdict.state, tuple(verdict.lines)) == (state, lines)
    assert verdict.checked_by == checker.checked_by


@pytest.mark.parametrize(
    ("body", "message", "text", "state"),
    [
        ("async def f():\n    await count()", AWAIT, "await count()", FAILS),
        ("async def f():\n    count()", AWAIT, "await count()", HOLDS),
        ("async def f():\n    await third.count()", AWAIT, "await count()", UNKNOWN),
        ("def f():\n    find('')[0]", "'NoneType' object is not subscriptable", "find('')[0]", FAILS),
        ("def f():\n    for x in find(''): ...", "'NoneType' object is not iterable", "for x in find(''): ...", FAILS),
        ("def f():\n    a, b = find('')", "cannot unpack non-iterable NoneType object", "a, b = find('')", FAILS),
        ("def f():\n    find('')()", "'NoneType' object is not callable", "find('')()", FAILS),
        ("def f():\n    find('')()", "'str' object is not callable", "find('')()", UNKNOWN),
        ("def f():\n    find('') + 1", "unsupported operand type(s)", "find('') + 1", UNKNOWN),
    ],
)
def test_other_operations(checker: TyChecker, body: str, message: str, text: str, state: ClaimState) -> None:
    store = STORE + "def count() -> int: return 1\n"
    owner = "int" if message == AWAIT else "str" if "'str'" in message else "NoneType"
    body = f"from app.store import count\n{body}"
    assert judge(checker, body, message, text, store=store, owner=owner).state is state


def test_an_awaited_function_that_is_a_coroutine_now_holds(checker: TyChecker) -> None:
    body = "from app.store import count\nasync def f():\n    await count()"
    mended = STORE + "async def count() -> int: return 1\n"
    assert judge(checker, body, AWAIT, "await count()", store=mended, owner="int").state is HOLDS


def test_without_a_checker_nothing_is_known() -> None:
    claim = Claim(ClaimFamily.VALUE, "main.py", 1, "TypeError", ATTRIBUTE, "f", "u.name", "", "name", "NoneType")
    modules = ListedModules({"main.py": "def f(u):\n    u.name\n"})
    assert ValueJudge(FakeTypeChecker(is_installed=False)).judge(claim, modules).state is UNKNOWN


@pytest.mark.parametrize(
    ("conf", "state"),
    [("maximum = 1\n", FAILS), ("limit = 1\n", HOLDS), ("def __getattr__(name: str) -> int: ...\n", UNKNOWN)],
)
def test_the_checker_confirms_what_the_rules_say_of_a_module(checker: TyChecker, conf: str, state: ClaimState) -> None:
    claim = Claim(
        ClaimFamily.MODULE_ATTRIBUTE, "main.py", 2, "AttributeError", "", "", "conf.limit", "app.conf", "limit"
    )
    files = {"main.py": "from app import conf\nconf.limit\n", "app/__init__.py": "", "app/conf.py": conf}
    verdict = TwoWitnesses(AttributeJudge(), checker).judge(claim, ListedModules(files))
    assert verdict.state is state
    assert (checker.checked_by in verdict.checked_by) is (state is not UNKNOWN)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("class Cart: ...", FAILS),
        ("class Cart:\n    total = 1", HOLDS),
        ("class Cart:\n    total: int", UNKNOWN),
        ("class Cart:\n    def __init__(self): self.total = 1", HOLDS),
    ],
)
def test_the_checker_and_the_rules_on_a_class(checker: TyChecker, body: str, state: ClaimState) -> None:
    message = "'Cart' object has no attribute 'total'"
    claim = Claim(
        ClaimFamily.CLASS_ATTRIBUTE, "main.py", 9, "AttributeError", message, "f", "c.total", "", "total", "Cart"
    )
    files = {"main.py": f"{body}\n\n\ndef f(c: Cart):\n    c.total\n"}
    assert TwoWitnesses(AttributeJudge(), checker).judge(claim, ListedModules(files)).state is state
