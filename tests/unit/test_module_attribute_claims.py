"""Verdicts on attributes of modules: what fails, what holds, and what must stay unknown."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from tests.support.listed_modules import ListedModules

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN


def judge_module(main: str, files: Mapping[str, str], module: str = "app.conf", name: str = "limit") -> ClaimVerdict:
    """The claim that `main.py` asks a module in vain, on its last line."""
    lines = main.splitlines()
    claim = Claim(
        ClaimFamily.MODULE_ATTRIBUTE,
        "main.py",
        len(lines),
        "AttributeError",
        f"module '{module}' has no attribute '{name}'",
        "<module>",
        lines[-1].strip(),
        module,
        name,
    )
    return AttributeJudge().judge(claim, ListedModules({"app/__init__.py": "", **files, "main.py": main}))


@pytest.mark.parametrize(
    "main",
    [
        "from app import conf\nconf.limit",
        "import app.conf\napp.conf.limit",
        "import app.conf as settings\nsettings.limit",
        "import app as a\nfrom app import conf\nconf.limit",
        "from app import conf\ndef f():\n    from app import conf as c\n    return c.limit",
    ],
)
def test_a_module_that_does_not_bind_the_name_fails_on_every_line_that_asks(main: str) -> None:
    verdict = judge_module(main, {"app/conf.py": "maximum = 1\n"})
    assert verdict.state is FAILS
    assert verdict.lines == (len(main.splitlines()),)
    assert judge_module(main, {"app/conf.py": "limit = 1\n"}).state is HOLDS


@pytest.mark.parametrize(
    ("conf", "state"),
    [
        ("limit = 1", HOLDS),
        ("import os as limit", HOLDS),
        ("def limit(): ...", HOLDS),
        ("class limit: ...", HOLDS),
        ("try:\n    from fast import limit\nexcept ImportError:\n    limit = 1", HOLDS),
        ("if x:\n    limit = 1\nelse:\n    limit = 2", HOLDS),
        ("limit: int = 1", HOLDS),
        ("limit: int", UNKNOWN),
        ("if x:\n    limit = 1", UNKNOWN),
        ("for limit in range(3): ...", UNKNOWN),
        ("limit = 1\ndel limit", UNKNOWN),
        ("try:\n    limit = 1\n    del limit\n    raise ValueError\nexcept ValueError: ...", UNKNOWN),
        ("try: ...\nexcept ValueError as limit: ...", UNKNOWN),
        ("def f():\n    global limit\n    limit = 1", UNKNOWN),
        ("def f():\n    limit = 1", FAILS),
        ("class C:\n    limit = 1", FAILS),
        ("def __getattr__(name): return 1", UNKNOWN),
        ("globals()['limit'] = 1", UNKNOWN),
        ("from app.other import *", UNKNOWN),
        ("import sys\nsys.modules[__name__] = object()", UNKNOWN),
        ("from sys import modules", UNKNOWN),
        ("import sys\nsetattr(sys.modules[__name__], 'limit', 1)", UNKNOWN),
        ("exec('limit = 1')", UNKNOWN),
        ("def broken(:", UNKNOWN),
    ],
)
def test_what_a_module_binds(conf: str, state: ClaimState) -> None:
    assert judge_module("from app import conf\nconf.limit", {"app/conf.py": conf}).state is state


@pytest.mark.parametrize(
    ("main", "state"),
    [
        ("from app import conf\nconf.maximum", HOLDS),
        ("from app import conf\nimport json\njson.limit", HOLDS),
        ("from app import conf\nclass C:\n    def f(self): return self.limit", HOLDS),
        ("from app import conf\nother().limit", UNKNOWN),
        ("from app import conf\nconf = other\nconf.limit", UNKNOWN),
        ("from app import conf\ntry:\n    conf.limit\nexcept AttributeError: ...", UNKNOWN),
        ("from app import conf\nif hasattr(conf, 'limit'):\n    conf.limit", UNKNOWN),
        ("from app import conf\ngetattr(conf, 'limit', 1)", UNKNOWN),
        ("from app import conf\nif False:\n    conf.limit", HOLDS),
        ("from typing import TYPE_CHECKING\nfrom app import conf\nif TYPE_CHECKING:\n    x: conf.limit", HOLDS),
        ("from __future__ import annotations\nfrom app import conf\ndef f(x: conf.limit): ...", HOLDS),
        ("from app import conf\ndef f():\n    x: conf.limit = 1", HOLDS),
        ("from app import conf\ndef f(x: conf.limit): ...", FAILS),
        ("import importlib\nconf = importlib.import_module('app.conf')\nconf.limit", UNKNOWN),
        ("from app import conf\nconf.limit = 1\nconf.limit", UNKNOWN),
        ("from app import conf\nimport app.patches\nconf.limit", UNKNOWN),
        ("def f(conf): return conf.limit", UNKNOWN),
    ],
)
def test_what_a_file_asks(main: str, state: ClaimState) -> None:
    files = {"app/conf.py": "maximum = 1\n", "app/patches.py": "from app import conf\nconf.limit = 1\n"}
    claim = Claim(
        ClaimFamily.MODULE_ATTRIBUTE, "main.py", 1, "AttributeError", "", "", "conf.limit", "app.conf", "limit"
    )
    verdict = AttributeJudge().judge(claim, ListedModules({"app/__init__.py": "", **files, "main.py": main}))
    assert verdict.state is state


@pytest.mark.parametrize(
    ("package", "main", "state"),
    [
        ("", "import app\napp.conf", UNKNOWN),
        ("from app import conf", "import app\napp.conf", HOLDS),
        ("from . import conf", "import app\napp.conf", HOLDS),
        ("from .conf import limit", "import app\napp.conf", HOLDS),
        ("import app.conf", "import app\napp.conf", HOLDS),
        ("def f():\n    import app.conf", "import app\napp.conf", UNKNOWN),
        ("", "import app.conf\napp.conf", HOLDS),
        ("", "import app\napp.conf\nimport app.conf\napp.conf", UNKNOWN),
        ("", "import app\nimport app.other\napp.gone", FAILS),
    ],
)
def test_a_submodule_is_an_attribute_once_it_is_imported(package: str, main: str, state: ClaimState) -> None:
    name = main.rpartition(".")[2]
    files = {"app/__init__.py": package, "app/conf.py": "limit = 1\n", "app/other.py": ""}
    assert judge_module(main, files, "app", name).state is state


@pytest.mark.parametrize("files", [{}, {"app/conf.pyi": "limit: int\n"}, {"app/conf.so": ""}])
def test_a_stub_or_an_extension_is_no_source(files: Mapping[str, str]) -> None:
    assert judge_module("from app import conf\nconf.limit", files).state is UNKNOWN


def test_a_module_that_the_image_installs_is_not_known() -> None:
    assert judge_module("import requests\nrequests.gone", {}, "requests", "gone").state is UNKNOWN


def test_the_inputs_are_what_was_read() -> None:
    modules = ListedModules({"main.py": "from app import conf\nconf.limit\n", "app/__init__.py": "", "app/conf.py": ""})
    claim = Claim(
        ClaimFamily.MODULE_ATTRIBUTE, "main.py", 2, "AttributeError", "", "", "conf.limit", "app.conf", "limit"
    )
    assert AttributeJudge().judge(claim, modules).state is FAILS
    assert {"main.py", "app/__init__.py", "app/conf.py"} <= modules.tree.recorded_paths


@pytest.mark.parametrize("main", ["def f(:", "x = " + "(" * 300, "\0", "# coding: utf-16\n"])
def test_a_file_that_cannot_be_parsed_is_unknown(main: str) -> None:
    assert judge_module(main, {"app/conf.py": ""}).state is UNKNOWN
