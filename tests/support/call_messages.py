"""What an interpreter says of calls that do not bind: each complaint with each of its forms, made for real."""

import json
import subprocess

_PROGRAM = r"""
import dataclasses, json, sys, typing
def f0(): pass
def f2(a, b): pass
def fd(a, b=1): pass
def fk(a, *, k): pass
def fm(*, k, l, m): pass
def fo(*, k=1, l=2): pass
def fp(a, b, /): pass
def outer():
    def inner(a): pass
    return inner
class C:
    def __init__(self, a=0): pass
    def m(self, a): pass
class N: pass
@dataclasses.dataclass
class D:
    a: int
    b: int = 1
class P(typing.NamedTuple):
    a: int
    b: int
calls = [
    lambda: f0(1), lambda: f0(1, 2), lambda: f2(1, 2, 3), lambda: fd(1, 2, 3), lambda: f2(), lambda: f2(1),
    lambda: fk(1), lambda: fm(), lambda: fk(1, 2), lambda: fk(1, 2, k=1), lambda: fo(1, k=1), lambda: fo(1, k=1, l=2),
    lambda: f2(1, bb=1), lambda: f2(1, a=1), lambda: fp(a=1, b=2), lambda: fp(1, b=2), lambda: outer()(),
    lambda: C().m(), lambda: C().m(1, 2), lambda: C().m(x=1), lambda: C(1, 2), lambda: N(1), lambda: N(a=1),
    lambda: D(), lambda: D(1, 2, 3), lambda: D(1, c=3), lambda: P(1), lambda: P(1, 2, 3), lambda: (lambda a: a)(),
    lambda: (lambda a, b, c, d: 1)(),
]
messages = []
for call in calls:
    try: call()
    except TypeError as error: messages.append(str(error))
json.dump(messages, sys.stdout)
"""


def list_messages(executable: str) -> list[str]:
    """The texts, in one order for all versions."""
    process = subprocess.run([executable, "-I", "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    messages: list[str] = json.loads(process.stdout)
    return messages
