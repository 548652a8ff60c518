"""Sizes and depths: what is long, deep or many."""


def sources() -> dict[str, bytes]:
    """Depths stay clear of the limits that depend on the stack of the machine."""
    shapes = {
        f"{depth} parentheses": b"x = " + b"(" * depth + b"1" + b")" * depth + b"\n" for depth in (50, 150, 201, 1000)
    }
    shapes |= {f"{depth} unclosed": b"y = 1\nx = " + b"(" * depth + b"\n" for depth in (3, 90, 300)}
    shapes |= {f"{depth} brackets in brackets": b"x = " + b"[" * depth + b"]" * depth + b"\n" for depth in (80, 250)}
    shapes |= {f"{depth} ifs": _nested(b"if 1:\n", depth) for depth in (20, 99, 101)}
    shapes |= {f"{depth} fors": _nested(b"for x in y:\n", depth) for depth in (20, 21, 30)}
    shapes |= {f"{depth} withs": _nested(b"with x:\n", depth) for depth in (19, 25)}
    shapes |= {f"{depth} functions": _nested(b"def f():\n", depth) for depth in (10, 60)}
    shapes |= {f"{count} arguments": b"f(" + b"a, " * count + b")\n" for count in (255, 256, 5000)}
    shapes |= {f"{count} parameters": _parameters(count) for count in (255, 256, 300)}
    shapes |= {
        "long line": b"x = [" + b"1, " * 100_000 + b"]\n",
        "long line with fault": b"y = 1\nx = [" + b"1, " * 100_000 + b")\n",
        "long string": b"x = '" + b"a" * 500_000 + b"'\n",
        "long comment": b"#" + b"-" * 500_000 + b"\nx = (]\n",
        "long name": b"a" * 100_000 + b" = 1\n",
        "many lines": b"x = 1\n" * 20_000 + b"return\n",
        "many blank lines": b"\n" * 100_000 + b"x = )\n",
        "many continued lines": b"x = 1 + \\\n" * 300 + b"1\n",
        "many functions with fault": b"def f(a, b):\n    return a + b\n\n" * 2_000 + b"def f(a, a): pass\n",
        "many elifs": b"if x: pass\n" + b"elif y: pass\n" * 60,
        "sum of sixty": b"x = " + b" + ".join([b"1"] * 60) + b"\n",
        "twenty comprehensions": b"x = " + b"[" * 20 + b"1" + b" for y in z]" * 20 + b"\n",
        "twenty-one comprehensions": b"x = [1" + b" for y in z" * 21 + b"]\n",
        "far too deep": b"x = " + b"-" * 100_000 + b"1\n",
    }
    return {f"shape: {name}": source for name, source in shapes.items()}


def _nested(head: bytes, depth: int) -> bytes:
    return b"".join(b" " * level + head for level in range(depth)) + b" " * depth + b"pass\n"


def _parameters(count: int) -> bytes:
    return b"def f(" + b", ".join(b"a%d" % n for n in range(count)) + b"): pass\n"
