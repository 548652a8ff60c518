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
    """Raises QueryError for what is no query."""
    return evaluate(_parsed(query), entry)


_parsed = cache(parse)
