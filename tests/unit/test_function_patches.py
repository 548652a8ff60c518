"""`setattr` with a name that is put together at run time patches what may be a module or a class, and no object."""

import ast

import pytest

from shared.proof.claims.calls.call_judge import CallJudge
from shared.proof.claims.calls.function_patches import patches_function
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from tests.support.fake_service_modules import FakeServiceModules

UPDATE = "    for key, value in changes.items():\n        setattr(order, key, value)\n"


@pytest.mark.parametrize(
    "head",
    [
        "def update(order: Order, changes):\n",
        "def update(*, order: models.Order, changes):\n",
        "def update(order: 'Order', changes):\n",
        "def update(order: Order | None, changes):\n",
        "def update(order: Optional[Order], changes):\n",
        "def update(order: Annotated[Order, Depends(find)], changes):\n",
        "def update(session, changes):\n    order = session.query(Order).filter(Order.id == 1).first()\n",
        "async def update(session, changes):\n    order = await session.get(Order, 1)\n",
        "def update(changes):\n    order = Order()\n",
        "def update(session, changes, order: Order):\n    order = session.merge(order)\n",
    ],
)
def test_an_object_is_changed_and_no_function_of_a_module(head: str) -> None:
    tree = ast.parse(head + UPDATE)
    assert not patches_function(tree, "f", is_method=False)
    assert patches_function(tree, "f", is_method=True)


@pytest.mark.parametrize(
    "head",
    [
        "def update(order, changes):\n",
        "def update(order: Any, changes):\n",
        "def update(order: ModuleType, changes):\n",
        "def update(order: type[Order], changes):\n",
        "def update(order: T, changes):\n",
        "def update(order: Order | Any, changes):\n",
        "def update(changes):\n    order = importlib.import_module('app.orders')\n",
        "def update(changes):\n    order = sys.modules.get('app.orders')\n",
        "def update(changes):\n    order = globals().get('orders')\n",
        "def update(changes):\n    order = getattr(app, 'orders')\n",
        "def update(changes):\n    order = load_module('orders')\n",
        "def update(changes):\n    order = orders\n",
        "def update(changes, order: Order):\n    order = orders\n",
        "def update(changes, order: Order):\n    global order\n",
        "def update(changes):\n    import app.orders as order\n",
        "def update(changes, all_orders):\n    order = Order()\n    for order in all_orders:\n        pass\n",
        "if True:\n",
    ],
)
def test_what_may_be_a_module_may_be_patched(head: str) -> None:
    source = head + UPDATE
    tree = ast.parse(source if "global order" not in head else source.replace(", order: Order", ""))
    assert patches_function(tree, "f", is_method=False)


def test_a_name_that_is_spelled_out_is_the_one_that_is_patched() -> None:
    tree = ast.parse("def update(order: Order):\n    setattr(order, 'f', 1)\n    order.g = 2\n")
    assert [patches_function(tree, name, is_method=False) for name in "fgh"] == [True, True, False]


def test_a_service_that_updates_its_rows_has_its_calls_judged() -> None:
    library = "def find(*, order_id): pass\ndef update(order: Order, changes):\n" + UPDATE
    source = "from app.lib import find\ndef show(key):\n    return find(key=key)\n"
    claim = Claim(ClaimFamily.CALL, "app/main.py", 3, "TypeError", "find() got an unexpected keyword argument 'key'")
    verdict = CallJudge().judge(claim, FakeServiceModules({"app/main.py": source, "app/lib.py": library}, "3.11"))
    assert (verdict.state, tuple(verdict.lines)) == (ClaimState.FAILS, (3,))
