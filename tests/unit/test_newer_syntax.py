"""Sources that are written for a newer Python than the one that reads them: unknown with that reason, never decided."""

import ast

import pytest

from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.calls.call_judge import CallJudge
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.importing.import_judge import ImportJudge
from shared.proof.claims.ports import ClaimJudge
from shared.proof.claims.scopes.name_judge import NameJudge
from tests.support.listed_modules import ListedModules

NEWER = {
    "type parameters of a function": "def find[T](berths: list[T]) -> T: ...\n",
    "type parameters of a class": "class Berths[T]:\n    size = 1\n",
    "type alias": "type Berth = dict[str, int]\n",
    "defaults of type parameters": "class Lock[T = int]: ...\n",
    "nested quotes": 'name = f"{\', \'.join(f"{part}" for part in ())}"\n',
    "line break in a field": "size = f'{1 +\n 1}'\n",
    "handler without brackets": "try:\n    size = 1\nexcept KeyError, ValueError:\n    size = 2\n",
    "template string": "name = t'{1}'\n",
}
ASKING = {
    ClaimFamily.IMPORT_NAME: "from quay.conf import limit\n",
    ClaimFamily.MODULE_ATTRIBUTE: "from quay import conf\nconf.limit\n",
    ClaimFamily.CALL: "from quay.conf import limit\nlimit(deck=1)\n",
    ClaimFamily.NAME: "print(limit)\n",
}
JUDGES: dict[ClaimFamily, ClaimJudge] = {
    ClaimFamily.IMPORT_NAME: ImportJudge(),
    ClaimFamily.MODULE_ATTRIBUTE: AttributeJudge(),
    ClaimFamily.CALL: CallJudge(),
    ClaimFamily.NAME: NameJudge(),
}


def judge(family: ClaimFamily, main: str, conf: str) -> ClaimVerdict:
    message = {
        ClaimFamily.MODULE_ATTRIBUTE: "module 'quay.conf' has no attribute 'limit'",
        ClaimFamily.CALL: "limit() got an unexpected keyword argument 'deck'",
    }.get(family, "")
    lines = main.splitlines()
    claim = Claim(
        family, "main.py", len(lines), "TypeError", message, "<module>", lines[-1], "quay.conf", "limit", "limit"
    )
    return JUDGES[family].judge(claim, ListedModules({"quay/__init__.py": "", "quay/conf.py": conf, "main.py": main}))


def is_newer(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return True
    return False


@pytest.mark.parametrize("family", list(ASKING))
@pytest.mark.parametrize("name", NEWER)
def test_a_failing_file_of_newer_syntax_is_not_decided(family: ClaimFamily, name: str) -> None:
    if not is_newer(NEWER[name]):
        pytest.skip("this Python reads it")
    verdict = judge(family, NEWER[name] + ASKING[family], "depth = 1\n")
    assert verdict.state is ClaimState.UNKNOWN
    assert verdict.reason.startswith("main.py ")


@pytest.mark.parametrize("family", [family for family in ASKING if family is not ClaimFamily.NAME])
@pytest.mark.parametrize("name", NEWER)
def test_a_module_of_newer_syntax_is_not_decided(family: ClaimFamily, name: str) -> None:
    if not is_newer(NEWER[name]):
        pytest.skip("this Python reads it")
    verdict = judge(family, ASKING[family], NEWER[name])
    assert verdict.state is ClaimState.UNKNOWN
    assert "quay/conf.py" in verdict.reason


def test_a_file_of_newer_syntax_that_asks_no_more_is_not_called_a_fix() -> None:
    if not is_newer(NEWER["type alias"]):
        pytest.skip("this Python reads it")
    assert judge(ClaimFamily.IMPORT_NAME, NEWER["type alias"], "").state is ClaimState.UNKNOWN
