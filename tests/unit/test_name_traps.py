"""What names do behind a checker's back is unknown or right; what Python's scope rules settle is decided."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.scopes.name_judge import NameJudge
from tests.support.fake_service_modules import FakeServiceModules

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
PATH = "app/main.py"


def judge(
    source: str,
    *,
    python: str = "3.11",
    family: ClaimFamily = ClaimFamily.NAME,
    function: str = "",
    files: Mapping[str, str] | None = None,
    text: str = "",
    name: str = "n",
) -> ClaimVerdict:
    claim = Claim(family, PATH, 1, "NameError", "", function, text, name=name)
    return NameJudge().judge(claim, FakeServiceModules({PATH: source, **(files or {})}, python))


USE = "def f():\n    return n\n"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("exec", "exec('n = 1')\n" + USE),
        ("globals", "globals()['n'] = 1\n" + USE),
        ("setattr on the module", "import app.main as me\nsetattr(me, 'n', 1)\n" + USE),
        ("setattr through sys.modules", "import sys\nsetattr(sys.modules[__name__], 'n', 1)\n" + USE),
        ("setattr through modules of sys", "from sys import modules\nsetattr(modules[__name__], 'n', 1)\n" + USE),
        ("setattr through sys by another name", "import sys as s\nsetattr(s.modules[__name__], 'n', 1)\n" + USE),
        ("a module of sys.modules, kept", "import sys\nme = sys.modules[__name__]\nadd(me)\n" + USE),
        ("modules of sys.modules", "import sys\nfor m in sys.modules.values():\n    m.n = 1\n" + USE),
        ("asked for and kept", "import sys\nif 'x' in sys.modules:\n    add(sys.modules)\n" + USE),
        ("assignment to the module", "import app.main\napp.main.n = 1\n" + USE),
        ("assignment to the builtins", "import builtins\nbuiltins.n = 1\n" + USE),
        ("vars of the module", "vars()['n'] = 1\n" + USE),
        ("gettext", "import gettext\ngettext.install('app')\n" + USE),
        ("star import from outside", "from requests import *\n" + USE),
        ("star import of a list made at run time", "from app.lib import *\n" + USE),
        ("bound by a function", "def start():\n    global n\n    n = 1\n" + USE),
        ("unbound by a function", "n = 1\ndef stop():\n    global n\n    del n\n" + USE),
        ("condition of the environment", "import os\nif os.environ:\n    n = 1\n" + USE),
        ("a condition of one's own", "from app.flags import TYPE_CHECKING\nif TYPE_CHECKING:\n    n = 1\n" + USE),
        ("a constant that another module may set", "READY = False\nif not READY:\n    n = 1\n" + USE),
        ("optional import", "try:\n    import n\nexcept ImportError:\n    pass\n" + USE),
        ("deleted again", "n = 1\ndef f():\n    return n\nkeep(f)\ndel n\n"),
        ("taken out of globals", "n = 1\n" + USE + "globals().pop('n')\n"),
    ],
)
def test_is_unknown_where_names_are_bound_behind_the_scenes(name: str, source: str) -> None:
    files = {"app/lib.py": "n = 1\n__all__ = make()\n"}
    assert judge(source, files=files).state is UNKNOWN, name


@pytest.mark.parametrize(
    ("name", "source", "state", "lines"),
    [
        ("nothing binds it", USE, FAILS, (2,)),
        ("only the first use on a path fails", "def f():\n    n.a()\n    n.b()\n", FAILS, (2,)),
        ("bound by the module", "import n\n" + USE, HOLDS, ()),
        ("bound behind the function", USE + "n = 1\n", HOLDS, ()),
        ("called before it is bound", USE + "f()\nn = 1\n", FAILS, (2,)),
        ("called before, through another", USE + "def g():\n    return f()\ng()\nn = 1\n", UNKNOWN, ()),
        ("used before it is bound", "print(n)\nn = 1\n", FAILS, (1,)),
        (
            "only for type checkers",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import n\n" + USE,
            FAILS,
            (5,),
        ),
        ("else of that", "import typing\nif typing.TYPE_CHECKING:\n    n = 1\nelse:\n    n = 2\n" + USE, HOLDS, ()),
        ("by version", "import sys\nif sys.version_info >= (3, 12):\n    n = 1\n" + USE, FAILS, (5,)),
        ("star import", "from app.lib import *\n" + USE, HOLDS, ()),
        ("star import without it", "from app.other import *\n" + USE, FAILS, (3,)),
        ("star import through another", "from app.again import *\n" + USE, HOLDS, ()),
        ("star import hides underscores", "from app.lib import *\ndef f():\n    return _n\n", FAILS, (3,)),
        ("only in a class", "class C:\n    n = 1\n    def m(self):\n        return n\n", FAILS, (4,)),
        ("in its own class", "class C:\n    n = 1\n    m = n\n", HOLDS, ()),
        ("a comprehension in a class", "class C:\n    n = 1\n    m = [n for _ in (1,)]\n", FAILS, (3,)),
        ("first iterable of that", "class C:\n    n = [1]\n    m = [x for x in n]\n", HOLDS, ()),
        ("a comprehension's variable", "x = [n for n in (1,)]\nprint(n)\n", FAILS, (2,)),
        ("a walrus in a comprehension", "x = [(n := y) for y in (1,)]\ndef f():\n    return 1\n", HOLDS, ()),
        ("handled", "try:\n    n\nexcept NameError:\n    n = 1\n" + USE, HOLDS, ()),
        ("behind its handler", "try:\n    x = 1\nexcept OSError as n:\n    pass\nprint(n)\n", FAILS, (5,)),
        ("a parameter", "def f(n):\n    return n\n", HOLDS, ()),
        ("used no more", "def f():\n    return 1\n", HOLDS, ()),
        ("unreachable", "def f():\n    return 1\n    return n\n", HOLDS, ()),
        ("in a decorator", "@n\ndef f():\n    pass\n", FAILS, (1,)),
        ("bound behind a route", "from web import app\n@app.get('/')\n" + USE + "n = 1\n", HOLDS, ()),
        ("bound behind a hook", "from web import app\n@app.before_request\n" + USE + "def n(): pass\n", HOLDS, ()),
        ("bound behind what may call it", "from web import get\n@get('/')\n" + USE + "n = 1\n", UNKNOWN, ()),
        ("bound behind what may call", "from web import app\n@app.call\n" + USE + "n = 1\n", UNKNOWN, ()),
        ("bound nowhere, behind a route", "from web import app\n@app.get('/')\n" + USE, FAILS, (4,)),
        ("in a default", "def f(x=n):\n    pass\n", FAILS, (1,)),
        ("sys.modules is asked", "import sys\nx = 'x' in sys.modules\ny = 'y' not in sys.modules\n" + USE, FAILS, (5,)),
        ("sys.modules is listed", "import sys\nx = sorted(m for m in sys.modules if m)\n" + USE, FAILS, (4,)),
        ("its names are listed", "import sys\nfor m in list(sys.modules.keys()):\n    print(m)\n" + USE, FAILS, (5,)),
        ("an annotation of a local", "def f():\n    x: n = 1\n", HOLDS, ()),
    ],
)
def test_scope_rules(name: str, source: str, state: ClaimState, lines: tuple[int, ...]) -> None:
    files = {
        "app/lib.py": "n = 1\n_n = 1\n",
        "app/other.py": "__all__ = ['m']\nn = m = 1\n",
        "app/again.py": "from app.lib import *\n",
    }
    verdict = judge(source, files=files, name="_n" if "_n" in source else "n")
    assert (verdict.state, tuple(verdict.lines)) == (state, lines), name


class TestAnnotations:
    SOURCE = "def f(x: n) -> None:\n    pass\n"

    def test_are_evaluated_at_the_definition(self) -> None:
        assert judge(self.SOURCE).state is FAILS

    def test_are_not_with_the_future_import(self) -> None:
        assert judge("from __future__ import annotations\n" + self.SOURCE).state is HOLDS

    def test_are_not_since_3_14(self) -> None:
        assert judge(self.SOURCE, python="3.14").state is HOLDS

    @pytest.mark.parametrize("text", ["@app.get('/')\n", ""])
    def test_may_be_by_what_is_handed_the_function(self, text: str) -> None:
        source = f"from __future__ import annotations\nimport app\n{text}" + self.SOURCE
        assert judge(source).state is (UNKNOWN if text else HOLDS)

    def test_in_quotes_may_be_by_a_base_class(self) -> None:
        assert judge("from pydantic import BaseModel\nclass C(BaseModel):\n    x: 'n'\n").state is UNKNOWN

    def test_of_a_model_are_evaluated(self) -> None:
        verdict = judge("from pydantic import BaseModel\nclass C(BaseModel):\n    x: n\n")
        assert (verdict.state, tuple(verdict.lines)) == (FAILS, (3,))


class TestBuiltins:
    def test_are_those_of_the_images_python(self) -> None:
        assert judge("ExceptionGroup\n", name="ExceptionGroup", python="3.10").state is FAILS
        assert judge("ExceptionGroup\n", name="ExceptionGroup", python="3.11").state is HOLDS

    def test_that_programs_add_are_not_known(self) -> None:
        assert judge("_('x')\n", name="_").state is UNKNOWN


class TestSources:
    def test_that_are_gone_hold(self) -> None:
        claim = Claim(ClaimFamily.NAME, "gone.py", 1, "NameError", "", name="n")
        assert NameJudge().judge(claim, FakeServiceModules({})).state is HOLDS

    def test_that_do_not_parse_are_unknown(self) -> None:
        assert judge("def broken(:\n").state is UNKNOWN

    def test_name_their_inputs(self) -> None:
        modules = FakeServiceModules({PATH: "from app.lib import *\nn\n", "app/lib.py": "n = 1\n", "app/x.py": ""})
        NameJudge().judge(Claim(ClaimFamily.NAME, PATH, 1, "NameError", "", name="n"), modules)
        assert {PATH, "app/lib.py"} <= modules.tree.recorded_paths
        assert "app/x.py" not in modules.tree.recorded_paths

    def test_whose_logged_line_does_not_name_it_are_unknown(self) -> None:
        assert judge("def f():\n    return render('{{ n }}')\n", text="return render('{{ n }}')").state is HOLDS
        assert judge("def f():\n    return render('x')\n", text="return render('x')").state is UNKNOWN

    def test_with_mangled_names_are_unknown(self) -> None:
        assert judge("class C:\n    def f(self):\n        return __n\n", name="_C__n").state is UNKNOWN


def judge_local(source: str, function: str = "f") -> ClaimVerdict:
    return judge(source, family=ClaimFamily.LOCAL_NAME, function=function)


@pytest.mark.parametrize(
    ("name", "body", "state", "lines"),
    [
        ("one branch", "if x:\n    n = 1\nreturn n", FAILS, (4,)),
        ("both branches", "if x:\n    n = 1\nelse:\n    n = 2\nreturn n", HOLDS, ()),
        ("the other branch leaves", "if x:\n    n = 1\nelse:\n    raise E\nreturn n", HOLDS, ()),
        ("the other branch may leave", "if x:\n    n = 1\nelse:\n    abort(404)\nreturn n", UNKNOWN, ()),
        ("two conditions", "if x:\n    n = 1\nif y:\n    return n", UNKNOWN, ()),
        ("a call that raises", "try:\n    n = g()\nexcept Exception:\n    pass\nreturn n", FAILS, (6,)),
        ("a handler that leaves", "try:\n    n = g()\nexcept Exception:\n    return\nreturn n", HOLDS, ()),
        ("a handler that binds", "try:\n    n = g()\nexcept Exception:\n    n = 0\nreturn n", HOLDS, ()),
        ("bound before", "n = None\ntry:\n    n = g()\nexcept Exception:\n    pass\nreturn n", HOLDS, ()),
        ("finally uses it", "try:\n    n = g()\nfinally:\n    n.close()", FAILS, (5,)),
        ("else uses it", "try:\n    n = g()\nexcept E:\n    pass\nelse:\n    return n", HOLDS, ()),
        ("loop", "for _ in x:\n    n = 1\nreturn n", FAILS, (4,)),
        ("loop over something", "for _ in (1, 2):\n    n = 1\nreturn n", HOLDS, ()),
        ("loop with else", "for _ in x:\n    n = 1\n    break\nelse:\n    n = 2\nreturn n", HOLDS, ()),
        ("endless loop", "while True:\n    n = g()\n    if n: break\nreturn n", HOLDS, ()),
        (
            "retry",
            "while True:\n    try:\n        n = g()\n        break\n    except E:\n        continue\nreturn n",
            HOLDS,
            (),
        ),
        ("match", "match x:\n    case 1:\n        n = 1\n    case _:\n        n = 2\nreturn n", HOLDS, ()),
        ("match without rest", "match x:\n    case 1:\n        n = 1\nreturn n", FAILS, (5,)),
        ("match with a guard", "match x:\n    case n if y:\n        pass\nreturn n", HOLDS, ()),
        ("with", "with open(x) as n:\n    pass\nreturn n", HOLDS, ()),
        ("suppressed", "with suppress(E):\n    n = g()\nreturn n", FAILS, (4,)),
        ("may be suppressed", "with guard():\n    n = g()\nreturn n", UNKNOWN, ()),
        ("deleted", "n = 1\ndel n\nreturn n", FAILS, (4,)),
        ("handler's name", "try:\n    g()\nexcept E as n:\n    pass\nreturn n", FAILS, (6,)),
        ("before its own binding", "print(n)\nn = 1", FAILS, (2,)),
        ("exits", "if x:\n    n = 1\nelse:\n    sys.exit(1)\nreturn n", HOLDS, ()),
        ("closure called too early", "def g():\n    return n\ng()\nn = 1", FAILS, (3,)),
        ("closure called later", "def g():\n    return n\nn = 1\ng()", HOLDS, ()),
        ("closure given away", "def g():\n    return n\nkeep(g)\nn = 1", UNKNOWN, ()),
        ("closure may fail first", "if x:\n    n = 1\ndef g():\n    yield n\nlist(g())\ndel n", UNKNOWN, ()),
        ("closure comes later", "if x:\n    n = 1\nprint(n)\ndef g():\n    return n", FAILS, (4,)),
        ("global now", "global n\nreturn n", UNKNOWN, ()),
    ],
)
def test_definite_assignment(name: str, body: str, state: ClaimState, lines: tuple[int, ...]) -> None:
    source = "def f(x, y):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    verdict = judge_local(source)
    assert (verdict.state, tuple(verdict.lines)) == (state, lines), name


def test_a_local_variable_that_is_global_now_holds_where_the_module_binds_it() -> None:
    assert judge_local("n = 1\ndef f():\n    return n\n").state is HOLDS


def test_functions_of_other_names_do_not_count() -> None:
    other = "def g(x):\n    if x:\n        n = 1\n    return n\n"
    assert judge_local("def f():\n    n = 1\n    return n\n" + other).state is HOLDS
    assert judge_local("def f():\n    return 1\n" + other).state is UNKNOWN
    assert judge_local(other).state is FAILS
