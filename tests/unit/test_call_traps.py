"""What changes a call behind a checker's back is unknown or right; what signatures settle is decided."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.calls.call_judge import CallJudge
from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind, parse_call_message
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from tests.support.fake_service_modules import FakeServiceModules

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
PATH = "app/main.py"
UNEXPECTED = "f() got an unexpected keyword argument 'x'"
MISSING = "f() missing 1 required positional argument: 'b'"
NO_X = "def f(a): pass\n"


def judge(
    source: str,
    message: str = UNEXPECTED,
    *,
    library: str = "",
    python: str = "3.11",
    text: str = "",
    files: Mapping[str, str] | None = None,
    line: int = 1,
    function: str = "",
) -> ClaimVerdict:
    claim = Claim(ClaimFamily.CALL, PATH, line, "TypeError", message, function, text)
    return CallJudge().judge(claim, FakeServiceModules({PATH: source, "app/lib.py": library, **(files or {})}, python))


IMPORT = "from app.lib import f\n"
RENAMING = """\
from functools import wraps
def d(g):
    @wraps(g)
    def w(a, x):
        return g(a)
    return w
@d
"""
FORWARDING = RENAMING.replace("w(a, x)", "w(*a, **k)").replace("g(a)", "g(*a, **k)")
FACTORY = """\
def d(option):
    def e(g):
        def w(*a, **k):
            return g(*a, **k)
        return w
    return e
@d(1)
"""


@pytest.mark.parametrize(
    ("name", "library", "source"),
    [
        ("monkey-patching by the caller", NO_X, "from app import lib\nlib.f = print\nlib.f(1, x=2)\n"),
        ("monkey-patching by the library", NO_X + "import app.lib\napp.lib.f = print\n", IMPORT + "f(1, x=2)\n"),
        ("setattr", NO_X + "import sys\nsetattr(sys.modules[__name__], 'f', print)\n", IMPORT + "f(1, x=2)\n"),
        ("a decorator from outside", "from requests import hook\n@hook\n" + NO_X, IMPORT + "f(1, x=2)\n"),
        (
            "a decorator that adds",
            "def d(g):\n    def w(*a, **k):\n        return g(1, *a, **k)\n    return w\n@d\n" + NO_X,
            "",
        ),
        (
            "a decorator that drops",
            "def d(g):\n    def w(*a, **k):\n        k.pop('x')\n        return g(*a, **k)\n    return w\n@d\n" + NO_X,
            "",
        ),
        (
            "wraps with another signature",
            RENAMING + NO_X,
            "",
        ),
        ("bound twice", NO_X + "if flag:\n    def f(a, x): pass\n", ""),
        ("bound by a function", NO_X + "def start():\n    global f\n    f = print\n", ""),
        ("star import from outside", "from requests import *\n", "from app.lib import *\nf(1, x=2)\n"),
        ("a parameter", "", "def g(f):\n    f(1, x=2)\n"),
        ("arguments made at run time", NO_X, IMPORT + "f(1, **options)\n"),
        ("what a call returns", "", "make().f(1, x=2)\n"),
        ("from outside", "", "from requests import f\nf(1, x=2)\n"),
        ("globals", "", "globals()['f'](1, x=2)\nf(1, x=2)\n"),
    ],
)
def test_is_unknown_where_calls_change_behind_the_scenes(name: str, library: str, source: str) -> None:
    assert judge(source or IMPORT + "f(1, x=2)\n", library=library).state is UNKNOWN, name


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("plain", NO_X),
        ("lru_cache", "from functools import lru_cache\n@lru_cache(maxsize=None)\n" + NO_X),
        ("contextmanager", "import contextlib\n@contextlib.contextmanager\n" + NO_X),
        (
            "forwarding",
            FORWARDING + NO_X,
        ),
        (
            "a factory",
            FACTORY + NO_X,
        ),
        (
            "overload",
            "from typing import overload\n@overload\ndef f(a: int, x: int): ...\n@overload\ndef f(a: str): ...\n"
            + NO_X,
        ),
        ("last definition", "def f(a, x): pass\n" + NO_X),
        ("alias", "def f_(a): pass\nf = f_\n"),
    ],
)
def test_decorators_that_keep_a_signature(name: str, library: str) -> None:
    message = UNEXPECTED.replace("f()", "f_()") if "f_" in library else UNEXPECTED
    verdict = judge(IMPORT + "def call():\n    f(1, x=2)\n", message, library=library, text="f(1, x=2)")
    assert (verdict.state, tuple(verdict.lines)) == (FAILS, (3,)), name


@pytest.mark.parametrize(
    ("name", "library", "message", "call", "state"),
    [
        ("fits now", "def f(a, x=1): pass\n", UNEXPECTED, "f(1, x=2)", HOLDS),
        ("takes any keyword", "def f(a, **k): pass\n", UNEXPECTED, "f(1, x=2)", HOLDS),
        ("is not asked any more", NO_X, UNEXPECTED, "f(1)", HOLDS),
        ("misses", "def f(a, b): pass\n", MISSING, "f(1)", FAILS),
        ("has a default now", "def f(a, b=0): pass\n", MISSING, "f(1)", HOLDS),
        ("misses two", "def f(a, b): pass\n", MISSING, "f()", UNKNOWN),
        ("misses a keyword", "def f(*, k): pass\n", "f() missing 1 required keyword-only argument: 'k'", "f()", FAILS),
        ("too many", NO_X, "f() takes 1 positional argument but 2 were given", "f(1, 2)", FAILS),
        (
            "too many of two",
            "def f(a, b=0): pass\n",
            "f() takes from 1 to 2 positional arguments but 3 were given",
            "f(1, 2, 3)",
            FAILS,
        ),
        ("any number", "def f(*a): pass\n", "f() takes 1 positional argument but 2 were given", "f(1, 2)", HOLDS),
        ("twice", NO_X, "f() got multiple values for argument 'a'", "f(1, a=2)", FAILS),
        (
            "positional-only",
            "def f(a, /): pass\n",
            "f() got some positional-only arguments passed as keyword arguments: 'a'",
            "f(a=1)",
            FAILS,
        ),
    ],
)
def test_signatures(name: str, library: str, message: str, call: str, state: ClaimState) -> None:
    verdict = judge(IMPORT + call + "\n", message, library=library, text=call)
    assert (verdict.state, tuple(verdict.lines)) == (state, (2,) if state is FAILS else ()), name


INIT = "C.__init__() missing 1 required positional argument: 'a'"
CLASS = "class C:\n    def __init__(self, a): pass\n"


@pytest.mark.parametrize(
    ("name", "library", "source", "message", "state"),
    [
        ("constructor", CLASS, "C()", INIT, FAILS),
        ("inherited", CLASS + "class D(C): pass\n", "D()", INIT, FAILS),
        ("super", CLASS, "class D(C):\n    def __init__(self):\n        super().__init__()", INIT, FAILS),
        ("dataclass", "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n", "C()", INIT, FAILS),
        (
            "dataclass default",
            "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 0\n",
            "C()",
            INIT,
            HOLDS,
        ),
        ("own base from outside", "import pydantic\nclass C(pydantic.BaseModel):\n    a: int\n", "C()", INIT, UNKNOWN),
        (
            "metaclass",
            "class M(type): pass\nclass C(metaclass=M):\n    def __init__(self, a): pass\n",
            "C()",
            INIT,
            UNKNOWN,
        ),
        ("class decorator", "import attr\n@attr.s\nclass C:\n    a = 1\n", "C()", INIT, UNKNOWN),
        ("no constructor", "class C: pass\n", "C(1)", "C() takes no arguments", FAILS),
        ("a constructor now", CLASS, "C(1)", "C() takes no arguments", HOLDS),
        (
            "named tuple",
            "import typing\nclass C(typing.NamedTuple):\n    a: int\n",
            "C()",
            "C.__new__() missing 1 required positional argument: 'a'",
            FAILS,
        ),
    ],
)
def test_classes(name: str, library: str, source: str, message: str, state: ClaimState) -> None:
    verdict = judge(
        "from app.lib import *\n" + source + "\n", message, library=library, text=source.rpartition("\n")[2]
    )
    assert verdict.state is state, name


METHOD = "class C:\n    def m(self, a): pass\n"
MISSING_M = "C.m() missing 1 required positional argument: 'a'"


@pytest.mark.parametrize(
    ("name", "source", "state"),
    [
        ("instance", "C().m()", FAILS),
        ("variable", "def f():\n    c = C()\n    c.m()", FAILS),
        ("variable bound twice", "def f(x):\n    y = C()\n    y = x\n    y.m()", UNKNOWN),
        ("annotated parameter", "def f(c: C):\n    c.m()", FAILS),
        ("unknown receiver as logged", "def f(c):\n    c.m()", FAILS),
        ("unknown receiver", "def f(other):\n    other.m()", UNKNOWN),
        ("unknown receiver that fits", "def f(other):\n    other.m(1)", HOLDS),
        (
            "attribute of self",
            "class D:\n    def __init__(self):\n        self.c = C()\n    def run(self):\n        self.c.m()",
            FAILS,
        ),
        ("subclass", "class D(C):\n    def run(self):\n        self.m()", FAILS),
        ("replaced on the instance", "c = C()\nc.m = print\nc.m()", UNKNOWN),
        ("setattr on the class", "setattr(C, 'm', print)\nC().m()", UNKNOWN),
        ("another class's", "class D:\n    def m(self): pass\nD().m()", HOLDS),
    ],
)
def test_methods(name: str, source: str, state: ClaimState) -> None:
    text = {"attribute of self": "self.c.m()", "subclass": "self.m()"}.get(name, "c.m()")
    verdict = judge("from app.lib import C\n" + source + "\n", MISSING_M, library=METHOD, text=text)
    assert verdict.state is state, name


def test_the_log_speaks_of_receivers_in_its_own_function_alone() -> None:
    source = "from app.lib import C\ndef f(c):\n    c.m()\n"
    assert judge(source, MISSING_M, library=METHOD, text="c.m()", function="f").state is FAILS
    assert judge(source, MISSING_M, library=METHOD, text="c.m()", function="g").state is UNKNOWN


def test_bare_names_before_3_10_are_unknown_where_two_classes_differ() -> None:
    message = "m() missing 1 required positional argument: 'a'"
    source = "from app.lib import C\nclass D:\n    def m(self): pass\ndef f(c):\n    c.m()\n"
    assert judge(source, message, library=METHOD, python="3.9", text="c.m()").state is UNKNOWN


def test_re_exports_and_partial_functions_are_followed() -> None:
    files = {"app/api/__init__.py": "from .inner import f as g\n", "app/api/inner.py": "from app.lib import f\n"}
    source = "import functools\nfrom app.api import g\nh = functools.partial(g, x=2)\nh(1)\n"
    verdict = judge(source, library=NO_X, files=files, text="h(1)")
    assert (verdict.state, tuple(verdict.lines)) == (FAILS, (4,))


def test_inputs_are_the_files_on_the_way() -> None:
    modules = FakeServiceModules({PATH: IMPORT + "f(1, x=2)\n", "app/lib.py": NO_X, "app/else.py": ""})
    CallJudge().judge(Claim(ClaimFamily.CALL, PATH, 2, "TypeError", UNEXPECTED), modules)
    assert {PATH, "app/lib.py"} <= modules.tree.recorded_paths
    assert "app/else.py" not in modules.tree.recorded_paths


@pytest.mark.parametrize("text", ["f(1, x=2)", ""])
def test_a_call_that_is_gone_holds_where_the_log_names_it(text: str) -> None:
    assert judge("print(y=1)\n", MISSING, text=text).state is (HOLDS if text else UNKNOWN)


def test_the_line_of_a_long_chain_is_that_of_the_attribute_since_3_10() -> None:
    source = "from app.lib import C\n(\n    C()\n    .m()\n)\n"
    assert tuple(judge(source, MISSING_M, library=METHOD).lines) == (4,)
    bare = MISSING_M.replace("C.", "")
    assert tuple(judge(source, bare, library=METHOD, python="3.9").lines) == (3,)


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (
            "outer.<locals>.f() missing 3 required positional arguments: 'a', 'b', and 'c'",
            CallComplaint(ComplaintKind.MISSING_POSITIONAL, "outer.<locals>.f", ("a", "b", "c")),
        ),
        (
            "f() takes 0 positional arguments but 1 positional argument (and 2 keyword-only arguments) were given",
            CallComplaint(ComplaintKind.TOO_MANY_POSITIONAL, "f", (), 0, 0, 1, 2),
        ),
        (
            "f() got an unexpected keyword argument 'aa'. Did you mean 'a'?",
            CallComplaint(ComplaintKind.UNEXPECTED_KEYWORD, "f", ("aa",)),
        ),
        (
            "<lambda>() got some positional-only arguments passed as keyword arguments: 'a, b'",
            CallComplaint(ComplaintKind.POSITIONAL_ONLY, "<lambda>", ("a", "b")),
        ),
        ("len() takes exactly one argument (0 given)", None),
        ("f() got multiple values for keyword argument 'a'", None),
        ("list.append() takes no keyword arguments", None),
    ],
)
def test_messages_are_read(message: str, complaint: CallComplaint | None) -> None:
    assert parse_call_message(message) == complaint
