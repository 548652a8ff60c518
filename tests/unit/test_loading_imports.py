"""What a file imports is read from its text, whether or not it compiles, and as Python's own parser reads it."""

import pytest

from shared.proof.loading.imports import Import, Imports, parse_imports


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import a", [Import("a")]),
        ("import a.b as c, d", [Import("a.b"), Import("d")]),
        ("from a import b as c, d", [Import("a", 0, ("b", "d"))]),
        ("from a import (b, # one\n  c,\n)", [Import("a", 0, ("b", "c"))]),
        ("from a import b, \\\n  c", [Import("a", 0, ("b", "c"))]),
        ("from . import a", [Import("", 1, ("a",))]),
        ("from...a.b import c", [Import("a.b", 3, ("c",))]),
        ("from .a import*", [Import("a", 1, ("*",))]),
        ("if x: import a; from b import c", [Import("a"), Import("b", 0, ("c",))]),
        ("def f():\n    try:\n        import a\n    except ImportError: import b", [Import("a"), Import("b")]),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\nelse:\n    import b",
            [Import("typing", 0, ("TYPE_CHECKING",)), Import("b")],
        ),
        ("if t.TYPE_CHECKING: import a\nimport b", [Import("b")]),
        ('"""\nimport a\n"""\n# import b\nx = "import c"', []),
        ("x.importer = reimport; important = 1", []),
        ("yield from a", []),
    ],
)
def test_each_form_of_an_import_statement_is_read(line: str, expected: list[Import]) -> None:
    assert list(parse_imports(line.encode()).imported) == expected


BROKEN = [
    "def f(:\n    pass\n",
    'x = f"data: {json.dumps({\n    1: 2\n})}\\n\\n"\n',
    "x = 'not closed\n",
    "x = (1, [2, {3: \n",
    '"""not closed\n',
    "x = '''not closed\n",
    "if True:\npass\n\tx = 1\n",
    "print 'two'\n",
    "x = 1 \\ \n",
    "\x00\x01\n",
    "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
    "match x:\n case 1: pass\nexcept* E: type X = int\n",
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("where", ["above", "below"])
def test_an_error_hides_no_import(broken: str, where: str) -> None:
    imports = "import a\nfrom .b import c\n\ndef f():\n    from d import (e,\n        g)\n"
    text = broken + imports if where == "above" else imports + broken
    assert {Import("a"), Import("b", 1, ("c",))} <= set(parse_imports(text.encode()).imported)
    assert "d" in {each.module for each in parse_imports(text.encode()).imported}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("importlib.import_module('a.b')", Imports(imported=(Import("a.b"),), mentioned_modules=("a.b",))),
        ("import_module('.b', package='a')", Imports(imported=(Import("a.b"),))),
        ("import_module('..b', 'a.c')", Imports(imported=(Import("a.b"),), mentioned_modules=("a.c",))),
        ("import_module('.b', __package__)", Imports(imported=(Import("b", 1),))),
        ("__import__('a')", Imports(imported=(Import("a"),))),
        ("import_module(f'plugins.{name}')", Imports(whole_packages=(Import("plugins"),))),
        ("import_module('plugins.' + name)", Imports(whole_packages=(Import("plugins"),))),
        ("import_module('plugins.%s' % name)", Imports(whole_packages=(Import("plugins"),))),
        ("import_module('plugins.{}'.format(name))", Imports(whole_packages=(Import("plugins"),))),
        ("import_module(f'.{name}', __name__)", Imports(whole_packages=(Import("", 1),))),
        ("import_module(f'{__package__}.{name}')", Imports(whole_packages=(Import("", 1),))),
        ("import_module(__name__ + '.' + x)", Imports(whole_packages=(Import("", 1),))),
        ("import_module('.' + x, __package__)", Imports(whole_packages=(Import("", 1),))),
        ("import_module(name)", Imports(unresolved=("import_module(…), line 1",))),
        (
            "name = f'jobs.{x}'\nimport_module(name)",
            Imports(whole_packages=(Import("jobs"),), unresolved=("import_module(…), line 2",)),
        ),
        ("for m in pkgutil.iter_modules(__path__): pass", Imports(whole_packages=(Import("", 1),))),
        (
            "from a import jobs\npkgutil.walk_packages(jobs.__path__)",
            Imports(imported=(Import("a", 0, ("jobs",)),), whole_packages=(Import("a.jobs", 0, ("**",)),)),
        ),
        ("uvicorn.run('main:app')", Imports(mentioned_modules=("main:app",))),
        (
            "INSTALLED_APPS = ['users', 'shop.orders']",
            Imports(mentioned_modules=("shop.orders",), django_applications=("users", "shop.orders")),
        ),
        ("__all__ = ['a', 'b']", Imports(exported_names=("a", "b"))),
        ("sys.path.insert(0, '..')", Imports(changes_import_path=True)),
        ("def import_module(name): ...", Imports()),
    ],
)
def test_a_dynamic_import_is_followed_as_far_as_its_text_tells(line: str, expected: Imports) -> None:
    assert parse_imports(line.encode()) == expected
