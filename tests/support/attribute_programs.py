"""Random small programs whose last act is to ask a module, a class or an object for an attribute.

In: a source of randomness. Out: files that can be run, with the claim that their last line would make. Two versions of
one program share the claim: what the first asks, a later one may have, or may not ask any more.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from shared.proof.claims.claim import Claim, ClaimFamily

NAME = "total"


def _read_snippets() -> Mapping[str, Sequence[str]]:
    """The texts of `attribute_snippets.txt`: `[section]`, and between snippets a line with a percent sign."""
    text = Path(__file__).with_name("attribute_snippets.txt").read_text("utf-8")
    sections = re.split(r"^\[(\w+)\]\n", text, flags=re.MULTILINE)[1:]
    return {
        name: body.removesuffix("\n").split("\n%\n") for name, body in zip(sections[::2], sections[1::2], strict=True)
    }


SNIPPETS = _read_snippets()


def _get_only(section: str) -> str:
    [snippet] = SNIPPETS[section]
    return snippet + "\n\n\n"


@dataclass(frozen=True, slots=True)
class Program:
    """One version. `main.py` is run; `message` is what it says where the claim is true."""

    files: Mapping[str, str]
    claim: Claim
    message: str


def make_versions(random: Random) -> tuple[Program, Program]:
    """Two versions of one program, of which the second is judged by the claim of the first, too."""
    return _make_module_versions(random) if random.random() < 0.4 else _make_class_versions(random)


def _indent(text: str, depth: int = 1) -> str:
    return "".join("    " * depth + line + "\n" for line in text.split("\n"))


def _make_module_versions(random: Random) -> tuple[Program, Program]:
    use = random.choice(SNIPPETS["module_uses"])
    parts = [_make_module_body(random) for _ in range(3)]
    first = _build_module_program(use, *parts)
    changed = random.randrange(3)
    other_use = random.choice(SNIPPETS["module_uses"]) if changed == 0 else use
    others = [_make_module_body(random) if index + 1 == changed else part for index, part in enumerate(parts)]
    return first, _build_module_program(other_use, *others)


def _make_module_body(random: Random) -> str:
    kinds = (SNIPPETS["module_lines"], SNIPPETS["quiet_lines"])
    lines = [random.choice(kinds[random.random() < 0.6]) for _ in range(random.randint(1, 3))]
    return "YES, NO = True, False\n" + "\n".join(lines) + "\n"


def _build_module_program(use: str, conf: str, package: str, extra: str) -> Program:
    module = "app" if "app.total" in use.rsplit("\n", maxsplit=1)[-1] else "app.conf"
    files = {
        "app/__init__.py": package if module == "app" else "",
        "app/conf.py": conf,
        "app/extra.py": extra,
        "app/total.py": "x = 1\n",
        "patches.py": "from app import conf\nconf.total = 1\n",
        "main.py": f"YES, NO = True, False\n{use}\n" if "__future__" not in use else f"{use}\n",
    }
    message = f"module '{module}' has no attribute '{NAME}'"
    return Program(files, _make_claim(ClaimFamily.MODULE_ATTRIBUTE, use, message, module, ""), message)


def _make_claim(family: ClaimFamily, use: str, message: str, module: str, owner: str) -> Claim:
    text = next((line.strip() for line in reversed(use.split("\n")) if f".{NAME}" in line or "'total'" in line), "")
    function = "f" if text.startswith("return") else "<module>"
    return Claim(family, "main.py", 1, "AttributeError", message, function, text, module, NAME, owner)


def _make_class_versions(random: Random) -> tuple[Program, Program]:
    use, count = random.choice(SNIPPETS["class_uses"]), random.randint(0, 2)
    names = ["Base", "Middle"][:count]
    classes = [_make_class(random, name, names[:index]) for index, name in enumerate(names)]
    cart, is_split = _make_class(random, "Cart", names), random.random() < 0.5
    first = _build_class_program(use, [*classes, cart], is_split=is_split)
    if random.random() < 0.4:
        return first, _build_class_program(random.choice(SNIPPETS["class_uses"]), [*classes, cart], is_split=is_split)
    if classes and random.random() < 0.5:
        classes[-1] = _make_class(random, names[-1], names[:-1])
    else:
        cart = _make_class(random, "Cart", names)
    return first, _build_class_program(use, [*classes, cart], is_split=is_split)


def _make_class(random: Random, name: str, above: list[str]) -> str:
    bases = (
        f"({random.choice(above)})"
        if above and random.random() < 0.9
        else random.choice(SNIPPETS["roots"])
        if random.random() < 0.5
        else ""
    )
    if len(above) == 2 and random.random() < 0.2:
        bases = "(Middle, Base)"
    lines = [
        random.choice(SNIPPETS["class_lines"] if random.random() < 0.5 else SNIPPETS["quiet_class_lines"])
        for _ in range(random.randint(0, 3))
    ]
    body = "".join(map(_indent, lines))
    if random.random() < 0.5:
        written = "".join(_indent(random.choice(SNIPPETS["init_lines"]), 2) for _ in range(random.randint(1, 3)))
        body += f"    def __init__(self, *a):\n{written}"
    if random.random() < 0.4:
        body += "    def read(self):\n        return self.total\n"
    head = random.choice(SNIPPETS["heads"]) if random.random() < 0.5 else ""
    return f"{head}\nclass {name}{bases}:\n{body or '    pass'}\n"


def _build_class_program(use: str, classes: list[str], *, is_split: bool) -> Program:
    on_type = any(line in {"Cart.total", "f(Cart)"} for line in use.split("\n"))
    message = f"type object 'Cart' has no attribute '{NAME}'" if on_type else f"'Cart' object has no attribute '{NAME}'"
    defined = _get_only("class_head") + "\n".join(classes)
    patch = "from shop import Cart\nCart.total = 1\n" if is_split else "import __main__\n__main__.Cart.total = 1\n"
    files = {"kit.py": _get_only("kit"), "patches.py": patch, "main.py": f"{defined}\n{use}\n"}
    if is_split:
        files |= {"shop.py": defined, "main.py": f"from shop import Cart\nYES, NO = True, False\n{use}\n"}
    return Program(files, _make_claim(ClaimFamily.CLASS_ATTRIBUTE, use, message, "", "Cart"), message)
