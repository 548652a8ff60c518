"""What a module asks for while it is loaded: sources in, claims with their lines out."""

from shared.proof.claims.claim import ClaimFamily
from shared.proof.claims.start_claims import list_start_claims


def list_claimed(source: str) -> list[tuple[str, int, str, str]]:
    return [(claim.family, claim.line, claim.module, claim.name) for claim in list_start_claims(source.encode())]


def test_absolute_and_relative_imports_of_the_top_level_are_claims() -> None:
    source = "import quay.cranes\nfrom .tides import flow, ebb\nfrom . import moorings\nfrom quay import *\n"
    assert list_claimed(source) == [
        (ClaimFamily.MODULE, 1, "quay.cranes", ""),
        (ClaimFamily.IMPORT_NAME, 2, "tides", "flow"),
        (ClaimFamily.IMPORT_NAME, 2, "tides", "ebb"),
        (ClaimFamily.IMPORT_NAME, 3, "", "moorings"),
    ]


def test_a_name_that_nothing_binds_is_a_claim_where_loading_uses_it() -> None:
    source = (
        "limit = depth + 1\n"
        "class Berth(Base):\n"
        "    size: int = field(default=Query)\n"
        "@routed\n"
        "def moor(at=harbour):\n"
        "    return nothing_yet\n"
        "late = lambda pier=jetty: unknown\n"
    )
    assert [(line, name) for family, line, _, name in list_claimed(source) if family is ClaimFamily.NAME] == [
        (1, "depth"),
        (2, "Base"),
        (3, "field"),
        (3, "Query"),
        (4, "routed"),
        (5, "harbour"),
        (7, "jetty"),
    ]


def test_what_a_file_binds_somewhere_or_may_take_with_a_star_is_no_claim() -> None:
    bound = (
        "import a.b as first, c.d\n"
        "for step in range(3):\n    with open(__file__) as log:\n        pass\n"
        "try:\n    pass\nexcept OSError as problem:\n    pass\n"
        "def tell():\n    global told\n    told = 1\n"
        "print(first, c, step, log, problem, tell, told, __name__)\n"
    )
    assert all(family is not ClaimFamily.NAME for family, *_ in list_claimed(bound))
    assert list_claimed("from quay import *\nprint(berth)\n") == []


def test_what_does_not_parse_claims_nothing() -> None:
    assert list_claimed("def (:\n") == []
