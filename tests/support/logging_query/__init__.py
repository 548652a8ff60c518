"""Cloud Logging's query language, evaluated: a query and a log entry as JSON go in, whether it matches comes out.

https://cloud.google.com/logging/docs/view/logging-query-language. `NOT` binds tightest, then `OR`, then `AND`; terms
beside each other are joined by `AND`. What the page leaves open is refused with a `QueryError` and not guessed.
"""

from collections.abc import Mapping
from functools import cache

from tests.support.logging_query.evaluation import evaluate
from tests.support.logging_query.query_parser import parse
from tests.support.logging_query.tokens import QueryError

__all__ = ["QueryError", "matches"]


def matches(query: str, entry: Mapping[str, object]) -> bool:
    """Raises QueryError for what is no query: every part of a query is evaluated on the first entry that it meets."""
    if query not in _CHECKED:
        is_match = evaluate(_parse(query), entry, is_every_part=True)
        _CHECKED.add(query)
        return is_match
    return evaluate(_parse(query), entry)


_parse = cache(parse)
_CHECKED: set[str] = set()
