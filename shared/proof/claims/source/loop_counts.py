"""Whether a loop runs at all, by the source of what it runs over. None: nothing in the source says."""

import ast


def has_iterations(iterable: ast.expr) -> bool | None:
    """Whether a loop over an expression runs at least once: True, False (never), or None."""
    match iterable:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            if any(isinstance(item, ast.Starred) for item in items):
                return None
            return bool(items)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))], keywords=[]):
            return count > 0
    return None
