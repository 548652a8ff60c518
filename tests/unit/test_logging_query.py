"""The query language as its page describes it, rule by rule."""

import pytest

from tests.support.logging_query import QueryError, matches
from tests.support.logging_query.query_parser import And, Comparison, Node, Not, Or, parse

ENTRY: dict[str, object] = {
    "logName": "projects/harbour-dev/logs/run.googleapis.com%2Fstderr",
    "resource": {"type": "cloud_run_revision", "labels": {"service_name": "ferry", "project_id": "harbour-dev"}},
    "labels": {"instanceId": "00a2", "tide.example.com/gauge": "high"},
    "timestamp": "2026-03-01T03:43:43.000000789Z",
    "severity": "ERROR",
    "insertId": "abc-1",
    "textPayload": 'The Cat in the "hat"\nleft C:\\quay',
    "httpRequest": {"status": 503, "latency": "1.25s", "requestSize": "2048", "cacheHit": True},
    "errorGroups": [{"id": "CNi"}, {"id": "Dq7"}],
}
JSON: dict[str, object] = {
    "severity": "INFO",
    "jsonPayload": {
        "message": "moored",
        "berth": 7,
        "late": False,
        "none": None,
        "pilot": {"name": "Nora", "licences": ["harbour", "river"]},
        "crew": [{"name": "Ada"}, {"name": "Bo"}],
        "a.b": "dotted",
    },
}


def letters(tree: Node) -> str:
    """A tree with its parentheses, for reading."""
    if isinstance(tree, Comparison):
        return tree.value
    if isinstance(tree, Not):
        return f"!{letters(tree.part)}"
    sign = "&" if isinstance(tree, And) else "|" if isinstance(tree, Or) else "?"
    return "(" + sign.join(letters(part) for part in tree.parts) + ")"


@pytest.mark.parametrize(
    ("query", "means"),
    [
        ("a", "a"),
        ("a b", "(a&b)"),
        ("a AND b", "(a&b)"),
        ("a\nb", "(a&b)"),
        ("a OR b", "(a|b)"),
        ("a OR b AND c", "((a|b)&c)"),
        ("a AND b OR c", "(a&(b|c))"),
        ("a b OR c", "(a&(b|c))"),
        ("a OR b c OR d", "((a|b)&(c|d))"),
        ("NOT a OR b", "(!a|b)"),
        ("NOT a b", "(!a&b)"),
        ('"a" OR NOT "b" AND NOT "c" OR "d"', "((a|!b)&(!c|d))"),
        ("NOT (a OR b)", "!(a|b)"),
        ("-a", "!a"),
        ("-a OR b", "(!a|b)"),
        ("NOT -a", None),
        ("(a)", "a"),
        ("((a OR b))", "(a|b)"),
        ("a (b OR c)", "(a&(b|c))"),
        ("a AND (b OR (c d))", "(a&(b|(c&d)))"),
        ("x=(a OR b)", "(a|b)"),
        ("x=(a OR b) c", "((a|b)&c)"),
        ("x=(a AND NOT b)", "(a&!b)"),
        ("NOT x=(a OR b)", "!(a|b)"),
        ("a -- the rest is a comment OR b", "a"),
        ("-- a\nb -- c\nOR d", "(b|d)"),
        ("and", "and"),
        ("a or b", "(a&or&b)"),
        ("", "(&)"),
        ("a--b", "a--b"),
    ],
)
def test_operators_bind_in_the_documented_order(query: str, means: str | None) -> None:
    if means is None:
        with pytest.raises(QueryError):
            parse(query)
    else:
        assert letters(parse(query)).replace("()", "(&)") == means


@pytest.mark.parametrize(
    "query",
    [
        *("(", ")", "a)", "(a", "a OR", "a AND", "OR a", "AND a", "NOT", "-", "a = ", "= a", "a == b", "a = b = c"),
        *('"open', 'a = "open', "a = (b", "a = ()", "a = (b = c)", "'single'", "a.. = b", "a. = b", '"a" = b'),
        *("thud = 1", "thud.x = 1", "textPayload.thud = 1", "severity = LOUD", "timestamp > soon"),
        *('textPayload =~ "("', 'textPayload =~ "(?=a)"', 'textPayload =~ "(a)\\1"', "sample(insertId, 0.5)"),
        *("log_id(x)", "log_id()", "insertId = abc:def", "a" * 20_001, "httpRequest.latency > fast"),
    ],
)
def test_malformed_query_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        matches(query, ENTRY)


@pytest.mark.parametrize(
    "query",
    [
        "",
        'severity = "ERROR"',
        "severity = error",
        "severity >= WARNING",
        "severity > 400",
        "severity < CRITICAL",
        'resource.type = "cloud_run_revision"',
        'resource.type = "CLOUD_RUN_REVISION"',
        'resource.labels.service_name = ("gull" OR "ferry")',
        'resource.labels.service_name : ("fer" AND "ry")',
        'NOT resource.labels.service_name = ("gull" OR "tide")',
        'resource.labels."service_name" = ferry',
        'labels."tide.example.com/gauge" = "high"',
        'labels."tide.example.com/gauge" : *',
        'textPayload : "cat IN the"',
        'textPayload : "\\"hat\\""',
        'textPayload : "C:\\\\quay"',
        'textPayload : "hat\\"\\nleft"',
        'textPayload =~ "Cat"',
        'textPayload =~ "(?i)cAT"',
        'textPayload =~ "^The Cat.*\\"hat\\"\nleft"',
        'textPayload =~ "quay$"',
        'textPayload =~ "C:\\\\quay"',
        'textPayload =~ "[Z-^]quay"',
        'textPayload !~ "cat"',
        'textPayload !~ "hat.*left"',
        'textPayload =~ "(?s)hat.*left"',
        'textPayload =~ ("dog" OR "Cat")',
        '"cat in"',
        "hat",
        "503",
        "true",
        'log_id("run.googleapis.com/stderr")',
        'log_id("run.googleapis.com%2Fstderr")',
        'logName : "run.googleapis.com%2Fstderr"',
        'timestamp >= "2026-03-01T03:43:43Z"',
        'timestamp > "2026-03-01T04:43:42+01:00"',
        'timestamp < "2026-03-02"',
        "timestamp > 2026-02-28",
        "httpRequest.status >= 500",
        'httpRequest.status = "503"',
        "httpRequest.status : 50",
        "httpRequest.requestSize > 999",
        'httpRequest.latency > "1s"',
        "httpRequest.latency < 1.3s",
        "httpRequest.cacheHit = true",
        "httpRequest.cacheHit != false",
        "errorGroups.id = Dq7",
        "errorGroups.id : cni",
        "insertId = abc-1",
        "-insertId = abc-2",
        'operation.id = ""',
        "NOT operation.id : *",
        "httpRequest.cacheLookup = false",
        "split.index = 0",
        "split.index > -1",
        "NOT jsonPayload.message = x",
        "NOT labels.other != x",
    ],
)
def test_query_matches_the_entry(query: str) -> None:
    assert matches(query, ENTRY)


@pytest.mark.parametrize(
    "query",
    [
        "severity > ERROR",
        "severity != ERROR",
        "severity < 500",
        'textPayload = "cat"',
        'textPayload =~ "cat"',
        'textPayload =~ "The$"',
        'textPayload =~ "Cat.*left"',
        'textPayload : "dog"',
        '"cat dog"',
        "cat dog",
        "cat -hat",
        "timestamp > 2026-03-01T04",
        "2026-03",
        'log_id("run.googleapis.com/stdout")',
        "errorGroups.id = CN",
        "labels.other = x",
        "labels.other != x",
        "labels.other !~ x",
        "labels.other : *",
        "jsonPayload.message != moored",
        "jsonPayload : moored",
        "httpRequest.cacheHit = maybe",
        "httpRequest.status > many",
        "httpRequest.latency > 2s",
    ],
)
def test_query_does_not_match_the_entry(query: str) -> None:
    assert not matches(query, ENTRY)


@pytest.mark.parametrize(
    ("query", "matched"),
    [
        ("jsonPayload.message = MOORED", True),
        ("jsonPayload.Message = moored", False),
        ("jsonPayload.berth = 7", True),
        ("jsonPayload.berth = 7.0", True),
        ('jsonPayload.berth > "6"', True),
        ("jsonPayload.berth > six", False),
        ("jsonPayload.late = false", True),
        ("jsonPayload.late = true", False),
        ("-jsonPayload.gone = true", True),
        ("jsonPayload.gone != false", False),
        ("jsonPayload.none = NULL_VALUE", True),
        ("jsonPayload.message = NULL_VALUE", False),
        ("jsonPayload.pilot.name = nora", True),
        ("jsonPayload.pilot : nora", True),
        ("jsonPayload : nora", True),
        ("jsonPayload : pilot", False),
        ("jsonPayload.pilot = nora", False),
        ('jsonPayload.pilot =~ "Nora"', False),
        ("jsonPayload.pilot.licences = river", True),
        ("jsonPayload.pilot.licences = (river AND harbour)", True),
        ("jsonPayload.crew.name = bo", True),
        ("jsonPayload.crew.name = cy", False),
        ('jsonPayload.crew.name =~ "^A"', True),
        ('jsonPayload."a.b" = dotted', True),
        ("jsonPayload.a.b = dotted", False),
        ("severity = INFO", True),
        ("textPayload : moored", False),
        ("NOT textPayload : moored", True),
        ("river", True),
        ("sea", False),
    ],
)
def test_each_json_payload_is_read(query: str, matched: bool) -> None:  # noqa: FBT001  # a row of the table
    assert matches(query, JSON) is matched


def test_a_missing_severity_is_the_default_one() -> None:
    assert matches("severity = DEFAULT", {})
    assert matches("severity < DEBUG", {})


def test_a_mistake_shows_whatever_the_other_terms_say() -> None:
    with pytest.raises(QueryError):
        matches('cat OR textPayload =~ "("', ENTRY)
    with pytest.raises(QueryError):
        matches("dog AND thud = 1", ENTRY)


def test_patterns_take_linear_time_and_texts_that_no_encoding_can_write() -> None:
    assert not matches('textPayload =~ "(a|a)*b$"', {"textPayload": "a" * 50_000})
    assert matches('textPayload =~ "quay"', {"textPayload": "\ud800 quay"})
