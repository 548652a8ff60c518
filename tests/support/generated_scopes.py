"""Modules drawn at random that bind and miss the name `n` in every scope, and a program that runs them.

`generate_module` gives a source whose conditions are the parameters `a`, `b` and `c` of its functions and the flags of
the module. `RUNNER` imports each source in every state of the flags, calls every function with every combination, and
prints where `n` was missed.
"""

from random import Random

CONDITIONS = ("a", "b", "c", "not a", "not b")
BINDINGS = (
    "n = 1",
    "n: int = 1",
    "n, m = 1, 2",
    "import os as n",
    "from os import path as n",
    "use((n := 1))",
    "def n(): pass",
    "class n: pass",
    "with null() as n: pass",
    "for n in (1, 2): pass",
    "for n in items(a): pass",
    "n = may(a)",
    "n = m = [n for n in (1,)]",
    "try:\n    may(b)\nexcept ValueError as n:\n    use(n)",
    "del n",
)
USES = (
    "use(n)",
    "use([n for _ in (1,)])",
    "use(n if a else 0)",
    "use(a and n)",
    "use(f'{n}')",
    "use({k: n for k in (1,)})",
    "use(sum(1 for _ in (1,) if n))",
    "use((lambda: n)())",
    "use((lambda n: n)(1))",
    "use([n for n in (1,)])",
    "keep(lambda: n)",
    "n.x = 1" if False else "use(n, key=n)",
    "n += 1" if False else "use(1 if 0 else n)",
    "g{k}: n = 1",
    "def g{k}(x: n): pass",
    "def g{k}(x=n): pass",
    "def g{k}():\n    return n\ng{k}()",
    "def g{k}():\n    return use(n)\nkeep(g{k})",
    "def g{k}():\n    if a: use(n)\ng{k}()",
    "class G{k}:\n    n = 1\n    m = n\n    x = [n for _ in (1,)]",
    "class G{k}:\n    m = n",
    "class G{k}:\n    def m(self):\n        return n\nG{k}().m()",
    "class G{k}:\n    m = n\n    n = 2",
    "def g{k}(n):\n    return n\ng{k}(1)",
    "def g{k}():\n    yield n\nlist(g{k}())",
    "def g{k}():\n    def h(): return n\n    return h\nkeep(g{k}())",
)
RUNNER = r"""
import ast, builtins, contextlib, itertools, json, sys, traceback, warnings
warnings.simplefilter("ignore")
class Stop(BaseException): pass
class Null:
    def __enter__(self): return 1
    def __exit__(self, *_): return False
state = {}
def may(flag):
    fault()
    if flag: raise ValueError
    return 1
def more(flag):
    fault()
    state["more"] = state.get("more", 0) + 1
    return bool(flag) and state["more"] % 3 != 0
def tick():
    state["tick"] = state.get("tick", 0) + 1
    if state["tick"] > 40: raise Stop
def flag(position): return bool(state["mask"] >> position & 1)
def keep(function):
    fault()
    state["kept"].append(function)
def trace(frame, event, argument):
    if frame.f_code.co_filename != state["file"]: return None
    if event == "line": state["lines"].add(frame.f_lineno)
    if event == "exception" and isinstance(argument[1], NameError) and "'n'" in str(argument[1]):
        state["raised"].add((argument[0].__name__, str(argument[1]), frame.f_lineno))
    return trace
def run(call, file, seen, partial):
    sys.settrace(trace)
    try: return run_traced(call, file, seen, partial)
    finally: sys.settrace(None)
def run_traced(call, file, seen, partial):
    state["kept"] = []
    state["tick"] = state["more"] = state["calls"] = 0
    is_complete = True
    try: call()
    except BaseException as error: note(error, file, seen); is_complete = False
    for function in list(state["kept"])[:4]:
        try: function()
        except BaseException as error: note(error, file, seen if is_complete else partial)
    return is_complete
def note(error, file, seen):
    for _ in range(20):
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        if isinstance(error, NameError) and "'n'" in str(error) and frames:
            seen.add((type(error).__name__, str(error), frames[-1].lineno))
        error = error.__context__
        if error is None: return
def fault():
    state["calls"] = state.get("calls", 0) + 1
    if state["calls"] == state.get("fault"): raise ValueError
def use(*_, **__): fault()
def items(flag):
    fault()
    return (1, 2) if flag else ()
def null():
    fault()
    return Null()
for function in (use, items, null): setattr(builtins, function.__name__, function)
for function in (may, more, tick, flag, keep): setattr(builtins, function.__name__, function)
answers = []
for position, source in enumerate(json.load(sys.stdin)):
    seen, partial, file = set(), set(), "module%d.py" % position
    try:
        code = compile(source, file, "exec", dont_inherit=True)
        tree = ast.parse(source)
        imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    except SyntaxError as error:
        answers.append(None); continue
    state["file"], state["lines"], state["raised"] = file, set(), partial
    for mask in range(4 if "flag(" in source else 1):
        state["mask"] = mask
        values = {"__name__": "service"}
        is_complete = run(lambda: exec(code, values), file, seen, partial)
        target = seen if is_complete else partial
        for name in [name for name in values if name[0] == "f" and callable(values[name])]:
            for flags in itertools.product((False, True), repeat=3):
                values2 = {"__name__": "service"}
                state["kept"] = []; state["tick"] = state["more"] = 0
                try: exec(code, values2)
                except BaseException: pass
                if name in values2:
                    for state["fault"] in (0, 2, 3): run(lambda: values2[name](*flags), file, target, partial)
                    state["fault"] = 0
        for statement in tree.body:
            if isinstance(statement, ast.FunctionDef) and statement.name[0] == "f":
                alone = compile(ast.Module(body=imports + [statement], type_ignores=[]), file, "exec")
                for flags in itertools.product((False, True), repeat=3):
                    values3 = {"__name__": "service"}
                    try: exec(alone, values3)
                    except BaseException: continue
                    for state["fault"] in range(7):
                        run(lambda: values3[statement.name](*flags), file, partial, partial)
                    state["fault"] = 0
    answers.append((sorted(seen), sorted(partial | seen), sorted(state["lines"])))
json.dump(answers, sys.stdout)
"""


class _Writer:
    def __init__(self, random: Random, *, has_match: bool) -> None:
        self._random = random
        self._has_match = has_match
        self._count = 0
        self.conditions: tuple[str, ...] = ("flag(0)", "flag(1)", "not flag(0)")
        self._is_in_loop = False

    def write_block(self, depth: int, length: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self._random.randint(1, length)):
            lines += self._write_statement(depth)
        return lines

    def _write_statement(self, depth: int) -> list[str]:
        draw = self._random.random()
        if draw < 0.22:
            return self._fill(self._random.choice(BINDINGS))
        if draw < 0.5:
            return self._fill(self._random.choice(USES))
        if draw < 0.6 or depth <= 0:
            return self._write_noise()
        return self._write_compound(depth - 1)

    def _fill(self, text: str) -> list[str]:
        self._count += 1
        for name in ("a", "b") if self.conditions[0] != "a" else ():
            text = text.replace(f"({name})", f"({self._condition()})").replace(f" {name} ", f" {self._condition()} ")
        text = text.replace("if a:", f"if {self._condition()}:").replace("use(a and", f"use({self._condition()} and")
        return text.replace("{k}", str(self._count)).split("\n")

    def _condition(self) -> str:
        return self._random.choice(self.conditions)

    def _write_noise(self) -> list[str]:
        noise = ["use(0)", f"may({self._condition()})", "pass"]
        if self._is_in_loop:
            noise += [f"if {self._condition()}: break", f"if {self._condition()}: continue", "break"]
        if self.conditions[0] == "a":
            noise += [f"if {self._condition()}: return", "return", f"if {self._condition()}: raise ValueError"]
        return [self._random.choice(noise)]

    def _write_compound(self, depth: int) -> list[str]:
        kinds = ["if", "if", "for", "while", "try", "try", "with", "forever", "static"] + ["match"] * self._has_match
        return getattr(self, f"_write_{self._random.choice(kinds)}")(depth)  # type: ignore[no-any-return]

    def _write_if(self, depth: int) -> list[str]:
        lines = [f"if {self._condition()}:", *self._indent(depth)]
        if self._random.random() < 0.3:
            lines += [f"elif {self._condition()}:", *self._indent(depth)]
        return lines + (["else:", *self._indent(depth)] if self._random.random() < 0.5 else [])

    def _write_static(self, depth: int) -> list[str]:
        test = self._random.choice(
            ("TYPE_CHECKING", "sys.version_info >= (3, 6)", "False", "True", "not TYPE_CHECKING")
        )
        return [f"if {test}:", *self._indent(depth), "else:", *self._indent(depth)]

    def _write_for(self, depth: int) -> list[str]:
        iterable = self._random.choice((f"items({self._condition()})", "(1, 2)", "range(2)", "()"))
        lines = [f"for {self._random.choice(('i', 'i', 'n'))} in {iterable}:", *self._loop(depth)]
        return lines + (["else:", *self._indent(depth)] if self._random.random() < 0.3 else [])

    def _write_while(self, depth: int) -> list[str]:
        lines = [f"while more({self._condition()}):", "    tick()", *self._loop(depth)]
        return lines + (["else:", *self._indent(depth)] if self._random.random() < 0.2 else [])

    def _write_forever(self, depth: int) -> list[str]:
        return [
            "while True:",
            "    tick()",
            *self._loop(depth),
            *([] if self._random.random() < 0.3 else ["    break"]),
        ]

    def _write_with(self, depth: int) -> list[str]:
        manager = self._random.choice(("null()", "contextlib.nullcontext()", "contextlib.suppress(ValueError)"))
        return [f"with {manager}{self._random.choice(('', '', ' as n'))}:", *self._indent(depth)]

    def _write_try(self, depth: int) -> list[str]:
        lines = ["try:", *self._indent(depth)]
        caught = self._random.choice(("ValueError", "Exception", "", "(ValueError, KeyError)", "NameError"))
        name = " as n" if caught and self._random.random() < 0.15 else ""
        handled = self._random.random() < 0.85
        if handled:
            lines += [f"except {caught}{name}:".replace("except :", "except:"), *self._indent(depth)]
            lines += ["else:", *self._indent(depth)] if self._random.random() < 0.3 else []
        return lines + (["finally:", *self._indent(depth)] if not handled or self._random.random() < 0.3 else [])

    def _write_match(self, depth: int) -> list[str]:
        lines = [f"match {self._condition()}:", "    case True:", *(f"    {line}" for line in self._indent(depth))]
        if self._random.random() < 0.5:
            pattern = self._random.choice(("_", "n", "False", f"n if {self._condition()}"))
            lines += [f"    case {pattern}:", *(f"    {line}" for line in self._indent(depth))]
        return lines

    def _indent(self, depth: int) -> list[str]:
        return [f"    {line}" for line in self.write_block(depth, 3)]

    def _loop(self, depth: int) -> list[str]:
        is_in_loop, self._is_in_loop = self._is_in_loop, True
        lines = self._indent(depth)
        self._is_in_loop = is_in_loop
        return lines

    def write_function(self, number: int) -> list[str]:
        outer, self.conditions = self.conditions, CONDITIONS
        is_in_loop, self._is_in_loop = self._is_in_loop, False
        parameters = self._random.choice(("a, b, c",) * 6 + ("a, b, n, c=0",))
        body = self.write_block(2, 4)
        if self._random.random() < 0.12 and "n" not in parameters:
            body.insert(0, "global n")
        self.conditions, self._is_in_loop = outer, is_in_loop
        return [f"def f{number}({parameters}):", *(f"    {line}" for line in body)]


def generate_module(random: Random, *, has_match: bool) -> str:
    """One module; most functions stand before and behind the module's own statements."""
    writer = _Writer(random, has_match=has_match)
    lines = ["from __future__ import annotations"] if random.random() < 0.2 else []
    lines += ["import sys, contextlib", "from typing import TYPE_CHECKING"]
    for number in range(random.randint(1, 3)):
        if random.random() < 0.6:
            lines += writer.write_block(1, 2)
        lines += writer.write_function(number)
        if random.random() < 0.3:
            lines += [random.choice((f"f{number}(0, 0, 0)", f"keep(f{number})", f"x = f{number}", "n = 1"))]
    if random.random() < 0.5:
        lines += writer.write_block(1, 2)
    return "\n".join([*lines, ""])
