"""Verdicts on attributes of classes and their objects: what fails, what holds, and what must stay unknown."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from tests.support.listed_modules import ListedModules

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN


def judge_class(
    body: str,
    *,
    use: str = "Cart().total",
    name: str = "total",
    files: Mapping[str, str] | None = None,
    head: str = "",
    on_type: bool = False,
    function: str = "<module>",
) -> ClaimVerdict:
    """The claim that `use`, the last line of `main.py`, asks the class Cart or an object of it in vain."""
    main = f"{head}\n{body}\n{use}"
    lines = main.splitlines()
    message = f"type object 'Cart' has no attribute '{name}'" if on_type else f"'Cart' object has no attribute '{name}'"
    claim = Claim(
        ClaimFamily.CLASS_ATTRIBUTE,
        "main.py",
        len(lines),
        "AttributeError",
        message,
        function,
        lines[-1].strip(),
        "",
        name,
        "Cart",
    )
    return AttributeJudge().judge(claim, ListedModules({**(files or {}), "main.py": main}))


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("class Cart: ...", FAILS),
        ("class Cart:\n    total = 1", HOLDS),
        ("class Cart:\n    def total(self): ...", HOLDS),
        ("class Cart:\n    @property\n    def total(self): ...", HOLDS),
        ("class Cart:\n    total: int", FAILS),
        ("class Cart:\n    def __init__(self): self.total = 1", HOLDS),
        ("class Cart:\n    total: int\n    def __init__(self): self.total = 1", HOLDS),
        ("class Cart:\n    def __init__(self, x):\n        if x: self.total = 1\n        else: self.total = 2", HOLDS),
        ("class Cart:\n    def __init__(self, x):\n        if x: self.total = 1", UNKNOWN),
        ("class Cart:\n    def __init__(self, x):\n        if x: return\n        self.total = 1", UNKNOWN),
        ("class Cart:\n    def __init__(self):\n        self.load()\n        self.total = 1", UNKNOWN),
        ("class Cart:\n    def __init__(self):\n        register(self)\n        self.total = 1", UNKNOWN),
        ("class Cart:\n    def __init__(self):\n        self.a = 1\n        self.total = self.a", HOLDS),
        ("class Cart:\n    def add(self): self.total = 1", UNKNOWN),
        ("class Cart:\n    def drop(self): del self.total\n    def __init__(self): self.total = 1", UNKNOWN),
        ("class Cart:\n    if x:\n        total = 1", UNKNOWN),
        ("class Cart:\n    total = 1\n    del total", UNKNOWN),
        ("class Other:\n    def __init__(self): self.total = 1\nclass Cart: ...", FAILS),
        ("class Base:\n    def __init__(self): self.total = 1\nclass Cart(Base): ...", HOLDS),
        (
            "class Base:\n    def __init__(self): self.total = 1\n"
            "class Cart(Base):\n    def __init__(self):\n        self.x = 1",
            UNKNOWN,
        ),
        (
            "class Base:\n    def __init__(self): self.total = 1\n"
            "class Cart(Base):\n    def __init__(self):\n        super().__init__()",
            HOLDS,
        ),
        (
            "class Base:\n    def __init__(self): self.setup()\n"
            "class Cart(Base):\n    def __init__(self):\n        super().__init__()\n        self.total = 1",
            UNKNOWN,
        ),
        ("class Base:\n    total = 1\nclass Cart(Base): ...", HOLDS),
        ("class Base: ...\nclass Cart(Base): ...", FAILS),
        ("class Cart(Exception): ...", FAILS),
        ("class Cart:\n    def load(self):\n        return 'item' in locals()", FAILS),
        ("class Cart:\n    def load(self, **k):\n        for n in vars(): self.put(n)", FAILS),
        ("class Cart:\n    locals()['total'] = 1", UNKNOWN),
        ("class Cart:\n    def load(self): exec('self.total = 1', {}, locals())", UNKNOWN),
        ("class Cart:\n    def load(self): self.__dict__.update(locals())", UNKNOWN),
        ("class Cart:\n    def load(self): (lambda names=locals: names())()", UNKNOWN),
        ("class Cart:\n    def __new__(cls): ...\n    def __init__(self): self.total = 1", UNKNOWN),
    ],
)
def test_what_a_class_gives_its_objects(body: str, state: ClaimState) -> None:
    assert judge_class(body).state is state


TRAPS = {
    "getattr": "class Cart:\n    def __getattr__(self, name): return 1",
    "getattr of a base": "class Base:\n    def __getattr__(self, name): return 1\nclass Cart(Base): ...",
    "getattribute": "class Cart:\n    total = 1\n    def __getattribute__(self, name): raise AttributeError(name)",
    "setattr in a method": "class Cart:\n    def load(self, **k):\n        for n in k: setattr(self, n, k[n])",
    "setattr from outside": "class Cart: ...\ndef load(cart, name): setattr(cart, name, 1)",
    "setattr by another name": "class Cart: ...\nput = setattr",
    "object.__setattr__": "class Cart:\n    def load(self): object.__setattr__(self, 'total', 1)",
    "the instance's dict": "class Cart:\n    def load(self, k): self.__dict__.update(k)",
    "vars": "class Cart: ...\ndef load(cart, k): vars(cart).update(k)",
    "a monkey patch": "class Cart: ...\nCart.total = 1",
    "a metaclass": "class Meta(type): ...\nclass Cart(metaclass=Meta): ...",
    "a metaclass of a base": "class Meta(type): ...\nclass Base(metaclass=Meta): ...\nclass Cart(Base): ...",
    "slots": "class Cart:\n    __slots__ = ('total',)",
    "slots that refuse": "class Cart:\n    __slots__ = ('x',)\n    def __init__(self): self.total = 1",
    "a slot before what a base binds": "class Base:\n    total = 1\nclass Cart(Base):\n    __slots__ = ('total',)",
    "a made slot": "from dataclasses import dataclass\nclass Base:\n    total = 1\n"
    "@dataclass(slots=True)\nclass Cart(Base):\n    total: int\n    def __init__(self): ...",
    "some computed slots": "class Base:\n    total = 1\nclass Cart(Base):\n    __slots__ = ('x', *NAMES)",
    "computed slots": "class Cart:\n    __slots__ = tuple(NAMES)",
    "a decorator": "def enrich(c): return c\n@enrich\nclass Cart: ...",
    "a decorator from outside": "import requests\n@requests.define\nclass Cart:\n    total: int",
    "a base from outside": "import requests\nclass Cart(requests.Session): ...",
    "an unknown base": "class Cart(make_base()): ...",
    "two classes": "if x:\n    class Cart: ...\nelse:\n    class Cart:\n        total = 1",
    "a rebound class": "class Cart: ...\nCart = wrap(Cart)",
    "exec in the body": "class Cart:\n    exec('total = 1')",
    "init_subclass": "class Base:\n    def __init_subclass__(cls): setattr(cls, 'total', 1)\nclass Cart(Base): ...",
    "set_name": "class D:\n    def __set_name__(self, o, n): o.total = 1\nclass Cart:\n    x = D()",
    "an enumeration's own name": "import enum\nclass Cart(enum.Enum): ...",
    "a stub of a base": "from stubbed import Base\nclass Cart(Base): ...",
    "a keyword of the class": "class Base:\n    def __init_subclass__(cls, **k): ...\nclass Cart(Base, total=1): ...",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_are_unknown(trap: str) -> None:
    name = "value" if trap.startswith("an enumeration") else "total"
    use = "read().total" if name == "total" else "read().value"
    files = {"stubbed.pyi": "class Base:\n    total: int\n"}
    assert judge_class(TRAPS[trap], use=use, name=name, files=files).state is UNKNOWN


def test_a_patch_in_a_module_that_is_named_as_one_is_seen() -> None:
    files = {"cart.py": "class Cart: ...\n", "patches.py": "from cart import Cart\nCart.total = 1\n"}
    assert judge_class("from cart import Cart", files=files).state is FAILS
    assert judge_class("from cart import Cart\nimport patches", files=files).state is UNKNOWN


@pytest.mark.parametrize(
    ("body", "on_type", "state"),
    [
        ("@dataclass\nclass Cart:\n    total: int", False, HOLDS),
        ("@dataclass\nclass Cart:\n    total: int", True, UNKNOWN),
        ("@dataclass\nclass Cart:\n    total: int = 1", True, HOLDS),
        ("@dataclass\nclass Cart:\n    total: list = field(default_factory=list)", False, HOLDS),
        ("@dataclass\nclass Cart:\n    total: list = field(default_factory=list)", True, UNKNOWN),
        ("@dataclass\nclass Cart:\n    total: int = field(init=False)", False, UNKNOWN),
        ("@dataclass\nclass Cart:\n    total: ClassVar[int]", False, UNKNOWN),
        ("@dataclass\nclass Cart:\n    total: InitVar[int]", False, UNKNOWN),
        ("@dataclass(init=False)\nclass Cart:\n    total: int", False, UNKNOWN),
        ("@dataclass\nclass Cart:\n    total: int\n    def __init__(self): ...", False, UNKNOWN),
        ("@dataclass\nclass Cart:\n    x: int", False, FAILS),
        ("@dataclass\nclass Base:\n    total: int\n@dataclass\nclass Cart(Base):\n    x: int", False, HOLDS),
        ("@dataclass(slots=True)\nclass Cart:\n    total: int", False, HOLDS),
        ("@dataclass\nclass Cart:\n    x: int\n    def __post_init__(self): self.total = 1", False, UNKNOWN),
        ("class Cart(NamedTuple):\n    total: int", False, HOLDS),
        ("class Cart(NamedTuple):\n    x: int", False, FAILS),
        ("class Cart(Enum):\n    total = 1", True, HOLDS),
        ("class Cart(Enum):\n    x = 1", True, FAILS),
        ("class Cart(str, Enum):\n    x = 1", True, FAILS),
        ("class Cart(Enum):\n    total = 1", False, UNKNOWN),
        ("class Cart(ABC, Generic[T]): ...", False, FAILS),
        ("class Cart(BaseModel):\n    total: int", False, HOLDS),
        ("class Cart(BaseModel):\n    x: int", False, UNKNOWN),
        ("class Cart(BaseModel):\n    def total(self): ...", False, HOLDS),
        ("class Cart:\n    def __init__(self): self.total = 1", True, UNKNOWN),
        ("class Cart: ...", True, FAILS),
    ],
)
def test_classes_that_the_standard_library_and_pydantic_make(body: str, *, on_type: bool, state: ClaimState) -> None:
    head = (
        "from abc import ABC\nfrom dataclasses import dataclass, field, InitVar\nfrom enum import Enum\n"
        "from typing import ClassVar, Generic, NamedTuple\nfrom pydantic import BaseModel\n"
    )
    use = "Cart.total" if on_type else "Cart().total"
    assert judge_class(body, head=head, use=use, on_type=on_type).state is state


@pytest.mark.parametrize(
    ("use", "state", "function"),
    [
        ("Cart().total", FAILS, "<module>"),
        ("cart = Cart()\ncart.total", FAILS, "<module>"),
        ("def f(cart: Cart):\n    return cart.total", FAILS, "f"),
        ("def f(cart):\n    return cart.total", FAILS, "f"),
        ("class Sub(Cart):\n    def f(self): return self.total", HOLDS, "f"),
        ("class Other:\n    def f(self): return self.total", HOLDS, "f"),
        ("import json\njson.total", HOLDS, "<module>"),
        ("def g(cart):\n    return cart.total", UNKNOWN, "f"),
        ("def f(cart):\n    return getattr(cart, 'total', 0)", UNKNOWN, "f"),
        (
            "def f(cart):\n    try:\n        return cart.total\n    except AttributeError:\n        return 0",
            UNKNOWN,
            "f",
        ),
        ("def f(cart):\n    return cart.sum", HOLDS, "f"),
    ],
)
def test_who_is_asked(use: str, state: ClaimState, function: str) -> None:
    claim = Claim(
        ClaimFamily.CLASS_ATTRIBUTE,
        "main.py",
        9,
        "AttributeError",
        "'Cart' object has no attribute 'total'",
        function,
        "cart.total",
        "",
        "total",
        "Cart",
    )
    files = {"cart.py": "class Cart:\n    sum = 1\n", "main.py": f"from cart import Cart\n{use}\n"}
    assert AttributeJudge().judge(claim, ListedModules(files)).state is state


def test_a_class_that_is_not_imported_is_found_in_what_the_file_imports() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/cart.py": "class Cart: ...\n",
        "shop/build.py": "from shop.cart import Cart\n",
    }
    assert judge_class("from shop import build", use="build.make().total", files=files).state is FAILS
    second = {"shop/form.py": "class Cart:\n    total = 1\n"}
    body = "from shop import build\nfrom shop import form"
    assert judge_class(body, use="build.make().total", files={**files, **second}).state is UNKNOWN


def test_files_that_were_searched_in_vain_are_no_inputs() -> None:
    files = {
        "main.py": "from shop import build, other\nbuild.make().total\n",
        "shop/__init__.py": "",
        "shop/build.py": "from shop.cart import Cart\n",
        "shop/cart.py": "from shop.base import Base\nclass Cart(Base): ...\n",
        "shop/base.py": "class Base: ...\n",
        "shop/other.py": "import shop.last\n",
        "shop/last.py": "",
    }
    claim = Claim(
        ClaimFamily.CLASS_ATTRIBUTE,
        "main.py",
        2,
        "AttributeError",
        "'Cart' object has no attribute 'total'",
        "<module>",
        "build.make().total",
        "",
        "total",
        "Cart",
    )
    modules = ListedModules(files)
    assert AttributeJudge().judge(claim, modules).state is FAILS
    inputs = modules.tree.recorded_paths & files.keys()
    assert {"main.py", "shop/cart.py", "shop/base.py"} <= inputs
    assert not {"shop/other.py", "shop/last.py"} & inputs


def test_a_private_name_is_mangled() -> None:
    body = "class Cart:\n    def __init__(self): self.__total = 1\n    def f(self): return self.__total"
    assert judge_class(body, use="    # self.__total", name="_Cart__total").state is HOLDS
    body = "class Cart:\n    def f(self): return self.__total"
    verdict = judge_class(body, use="    # self.__total", name="_Cart__total", function="f")
    assert (verdict.state, verdict.lines) == (FAILS, (3,))


def test_a_read_that_is_not_spelled_is_not_known_to_be_gone() -> None:
    assert judge_class("class Cart: ...", use="getattr(Cart(), FIELD)").state is UNKNOWN
    assert judge_class("class Cart: ...", use="Cart().sum  # was .total").state is HOLDS


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ("    def total(self): ...\n", HOLDS),
        ("    def __init__(self): self.total = 1\n", HOLDS),
        ("    def sum(self): ...\n", UNKNOWN),
        ("    def total(self): ...\n    def drop(self): del self.total\n", UNKNOWN),
        ("    def total(self): ...\n    def other(self, given): return given.total\n", UNKNOWN),
    ],
)
def test_a_class_that_has_another_name_there_holds_where_it_has_the_attribute(body: str, state: ClaimState) -> None:
    basket = f"class Basket:\n{body}    def show(self):"
    assert judge_class(basket, use="        return self.total", function="show").state is state


def test_what_objects_of_a_renamed_class_have_is_not_what_the_class_has() -> None:
    basket = "class Basket:\n    def __init__(self): self.total = 1\n    @classmethod\n    def show(cls):"
    found = judge_class(basket, use="        return cls.total", function="show", on_type=True)
    assert found.state is UNKNOWN
