"""A method of an object from outside is no function of the service, though it has the name of one."""

import pytest

from shared.proof.claims.calls.call_judge import CallJudge
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, FoundModule, ModuleKind
from shared.proof.claims.importing.started_modules import StartStep
from tests.support.fake_service_modules import FakeServiceModules

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
KEYWORD = "remove() got an unexpected keyword argument 'key'"
MISSING = "remove() missing 1 required positional argument: 'order_id'"
HEAD = "from requests import Router, make\nfrom app.lib import remove\n"
ROUTE = "@router.remove('/orders', code=204)\ndef show(a):\n"
GOOD, BAD = "    remove(order_id=a)\n", "    remove(key=a)\n"


def judge(source: str, message: str = KEYWORD, *, python: str = "3.11") -> ClaimState:
    claim = Claim(ClaimFamily.CALL, "app/main.py", 1, "TypeError", message)
    files = {"app/main.py": HEAD + source, "app/lib.py": "def remove(order_id): pass\n"}
    return CallJudge().judge(claim, FakeServiceModules(files, python)).state


@pytest.mark.parametrize(
    "router",
    [
        "router = Router()\n",
        "import requests\nrouter = requests.Router(prefix='/api', tags=['a'])\n",
        "router = Router(__name__)\n",
    ],
)
@pytest.mark.parametrize(("call", "state"), [(GOOD, HOLDS), (BAD, FAILS)])
def test_a_decorator_of_a_router_is_not_called_in_its_place(router: str, call: str, state: ClaimState) -> None:
    assert judge(router + ROUTE + call) is state


def test_neither_is_a_method_of_an_annotated_parameter() -> None:
    source = "def show(router: Router, a):\n    router.remove(a, a)\n"
    assert judge(source + GOOD) is HOLDS
    assert judge(source + "    remove()\n", MISSING) is FAILS


@pytest.mark.parametrize(
    ("name", "router"),
    [
        ("a function may give anything", "router = make()\n"),
        ("it is handed the function", "router = Router(remove)\n"),
        ("it is handed the function by its name", "router = Router(remove=remove)\n"),
        ("it is handed what nobody knows", "router = Router(**options)\n"),
        ("the method is set", "router = Router()\nrouter.remove = remove\n"),
        ("a namespace", "from types import SimpleNamespace\nrouter = SimpleNamespace()\n"),
        ("bound twice", "router = Router()\nrouter = make()\n"),
    ],
)
def test_what_may_hold_the_function_is_unknown(name: str, router: str) -> None:
    source = router + ROUTE.replace("code=204", "2") + GOOD
    assert judge(source, "remove() missing 1 required positional argument: 'key'") is UNKNOWN, name


def test_a_python_that_names_no_class_leaves_it_open() -> None:
    assert judge("router = Router()\n" + ROUTE + GOOD, python="3.9") is UNKNOWN


def test_a_keyword_of_the_log_may_be_one_of_the_method() -> None:
    assert judge("router = Router()\n@router.remove('/orders', key=1)\ndef show(a):\n" + GOOD) is UNKNOWN


class _UndeclaredPackages(FakeServiceModules):
    """Of which nobody knows whether they are installed."""

    def find_module(self, importing_path: str, module: str, level: int = 0) -> FoundModule:
        found = super().find_module(importing_path, module, level)
        is_open = found.kind is ModuleKind.OUTSIDE or module == "lanterns"
        return FoundModule(ModuleKind.UNKNOWN, reason="nothing declares it") if is_open else found

    def is_outside(self, importing_path: str, name: str) -> bool:
        del importing_path
        return name != "lanterns"

    def list_start_steps(self) -> tuple[StartStep, ...]:
        return ()


@pytest.mark.parametrize(("package", "state"), [("requests", HOLDS), ("lanterns", UNKNOWN)])
def test_a_package_that_nothing_declares_is_from_outside_where_the_repository_has_no_such_name(
    package: str, state: ClaimState
) -> None:
    source = HEAD.replace("requests", package) + "router = Router()\n" + ROUTE.replace("code=204", "2") + GOOD
    message = "remove() missing 1 required positional argument: 'key'"
    claim = Claim(ClaimFamily.CALL, "app/main.py", 1, "TypeError", message)
    files = {"app/main.py": source, "app/lib.py": "def remove(order_id): pass\n"}
    assert CallJudge().judge(claim, _UndeclaredPackages(files, "3.11")).state is state
