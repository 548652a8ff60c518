"""Which code only reads the table of loaded modules, and which may change what imports find."""

import pytest

from shared.proof.claims.source.module_table import changes_module_table


@pytest.mark.parametrize(
    "code",
    [
        "if 'pytest' in sys.modules:\n    pass",
        "if 'pytest' not in sys.modules and fast:\n    pass",
        "found = sys.modules.get(__name__)",
        "for name, loaded in sys.modules.items():\n    print(name)",
        "own = sys.modules[__name__]",
        "if hasattr(sys.modules['pytest'], 'main'):\n    pass",
        "if sys.modules['a'] == other:\n    pass",
        "# sys.modules is full of them\ntext = 'sys.modules'",
        "if sys.meta_path is None:\n    return_early = True",
        "import modules",
    ],
)
def test_reading_changes_nothing(code: str) -> None:
    assert not changes_module_table(f"import sys\n{code}\n".encode())


@pytest.mark.parametrize(
    "code",
    [
        "sys.modules['a'] = other",
        "sys . modules [name] = other",
        "sys.modules['a'], kept = other, 1",
        "del sys.modules['a']",
        "del kept, sys.modules['a']",
        "sys.modules.pop('a')",
        "sys.modules.update(fakes)",
        "sys.modules.setdefault('a', other)",
        "table = sys.modules",
        "patch(sys.modules)",
        "patch.dict('sys.modules', {})\nfrom sys import modules",
        "sys.modules[__name__].__class__ = Lazy",
        "own = sys.modules[__name__]\nown.__class__ = Lazy",
        "sys.modules[names[0]] = other",
        "sys.meta_path.insert(0, finder)",
        "sys.path_hooks.append(hook)",
    ],
)
def test_what_may_change_it_is_seen(code: str) -> None:
    assert changes_module_table(f"import sys\n{code}\n".encode())
