"""Which imports run whenever a file is loaded, and which may not run."""

import pytest

from shared.proof.loading.startup_chain import parse_statements

ALWAYS = [
    "import relay\n",
    "a = 1; import relay\n",
    "import relay.pipe as relay_pipe\n",
    "class Service:\n    import relay\n",
    "try:\n    import relay\nexcept KeyError:\n    pass\n",
    "try:\n    import relay\nexcept (AttributeError, ValueError) as error:\n    pass\n",
    "try:\n    import relay\nfinally:\n    pass\n",
    "try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import relay\n",
    "try:\n    pass\nexcept ImportError:\n    pass\nimport relay\n",
    "try:\n    pass\nfinally:\n    import relay\n",
    "def run():\n    pass\n\nimport relay\n",
    'def run():\n    """Says\nif x:\n    what it does."""\n\n\nimport relay\n',
    "if ready(\n    1,\n): pass\nimport relay\n",
    "import os, \\\n    relay\n",
    "with warnings.catch_warnings():\n    import relay\n",
    "from relay import (\n    send,\n)\n",
    "from . import relay\r\n",
    "table = {\n'if': 1}\nimport relay\n",
    "match = 1\nimport relay\n",
]
PERHAPS = [
    "def run():\n    import relay\n",
    "async def run():\n    import relay\n",
    "class Service:\n    def run(self):\n        import relay\n",
    "if ready:\n    import relay\n",
    "if ready: import relay\n",
    "if ready:\n    pass\nelse:\n    import relay\n",
    "for each in all():\n    import relay\n",
    "while ready:\n\timport relay\n",
    "try:\n    import other\nexcept ImportError:\n    import relay\n",
    "try:\n    import relay\nexcept ABSENT:\n    relay = None\n",
    "with guard():\n    import relay\n",
    "match ready:\n    case 1:\n        import relay\n",
    "if __name__ == '__main__':\n    import relay\n",
]
EXPECTED = [
    "try:\n    import relay\nexcept ImportError:\n    relay = None\n",
    "try:\n    import relay\nexcept (KeyError, ModuleNotFoundError):\n    relay = None\n",
    "try:\n    import relay\nexcept Exception as error:\n    relay = None\n",
    "try:\n    import relay\nexcept:\n    relay = None\n",
    "try: import relay\nexcept ImportError: relay = None\n",
    "try:\n    import relay\nexcept KeyError:\n    pass\nexcept ImportError:\n    pass\n",
    "try:\n    if ready:\n        import relay\nexcept ImportError:\n    pass\n",
    "with contextlib.suppress(ImportError):\n    import relay\n",
    "with suppress(KeyError, ModuleNotFoundError): import relay\n",
    "if TYPE_CHECKING:\n    import relay\n",
    "if typing.TYPE_CHECKING:\n    from relay import Sender\n",
    "# import relay\n",
    "'''\nimport relay\n'''\n",
]


def imports(source: str) -> list[tuple[int, bool]]:
    """Line and certainty of each statement that names `relay`."""
    return [
        (each.line, each.always_runs)
        for each in parse_statements(source.encode())
        if each.imported.module.startswith("relay") or "relay" in each.imported.names
    ]


@pytest.mark.parametrize("source", ALWAYS)
def test_what_stands_at_the_level_of_the_module_always_runs(source: str) -> None:
    lines = source.replace("\r", "").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "import" in text and "relay" in text) if (
        "\\\n" not in source
    ) else 1  # fmt: skip
    assert imports(source) == [(line, True)]


@pytest.mark.parametrize("source", PERHAPS)
def test_what_stands_in_a_function_or_a_branch_may_not_run(source: str) -> None:
    assert [always for _, always in imports(source)] == [False]


@pytest.mark.parametrize("source", EXPECTED)
def test_what_reckons_with_a_failing_import_is_left_out(source: str) -> None:
    assert imports(source) == []


def test_many_imports_of_one_function_are_told_from_the_one_behind_it() -> None:
    source = "def run():\n" + "    import relay\n" * 4_000 + "import relay\n"
    found = imports(source)
    assert found[-1] == (4_002, True)
    assert len(found) == 4_001
