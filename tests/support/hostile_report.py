"""What test_issue and other tests share."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared.proof.model.finding import DeclaredFile, Fix, IntroducingCommit
from shared.proof.model.history import Commit, FileChange
from shared.proof.model.target import OtherBrokenFile, RefusedCommit
from shared.report.report import Report, build_report
from tests.support.proof_samples import (
    FIXING,
    HEAD,
    INTRODUCING,
    SHAPES,
)

GITHUB_MARKDOWN = MarkdownIt("gfm-like", {"linkify": False}).enable("table")


@cache
def hostile_report(payload: str) -> Report:
    """The payload wherever another user can put text."""
    whole, proof = SHAPES["design"]
    evil = Commit(
        INTRODUCING.id, INTRODUCING.parents, INTRODUCING.committed_at, INTRODUCING.authored_at, payload, payload
    )
    assert proof.broken is not None
    assert proof.target is not None
    sightings = tuple(
        replace(
            sighting, message=payload, first=replace(sighting.first, text=payload, insert_id=payload), revision=payload
        )
        for sighting in whole.sightings
    )
    symptoms = tuple(replace(symptom, text=payload, revision=payload) for symptom in whole.symptoms)
    fault = replace(proof.broken.fault, message=payload, text=payload)
    head, fixing = replace(evil, id=HEAD.id), replace(evil, id=FIXING.id)
    workflow = f"jobs:\n  a:\n    run: pytest {payload!r}\n"
    return build_report(
        replace(
            whole, service=payload, environment=payload, path=payload, sightings=sightings, symptoms=symptoms,
            fingerprint=f"0123{payload}",
        ),
        replace(
            proof,
            broken=replace(
                proof.broken, path=payload, fault=fault, explanation=payload, second_opinion=payload,
                excerpt=((675, payload), (676, payload)), also_broken=(OtherBrokenFile(payload, 1, payload),),
            ),
            introduced=IntroducingCommit(evil, payload, 7, 611),
            attempts=tuple(replace(attempt, commit=replace(evil, id=attempt.commit.id)) for attempt in proof.attempts),
            fix=Fix(fixing, "open_pull_request", 7, payload, path=payload, excerpt=((1, payload),)),
            target=replace(proof.target, commit=head, shipped_changes=(FileChange(payload, 1, 1),)),
            recommendation=replace(proof.recommendation, detail=payload),
            branch=payload,
            declaring_files=(DeclaredFile(".github/workflows/x.yml", INTRODUCING.id, workflow),),
            refused_commits=(RefusedCommit(evil, "checks", payload),),
            gaps=(payload,),
        ),
    )  # fmt: skip


def markdown_tokens(text: str) -> Iterator[Token]:
    yield from list_all_tokens(GITHUB_MARKDOWN.parse(text))


def list_all_tokens(blocks: Iterable[Token]) -> Iterator[Token]:
    """The blocks, and what stands in them."""
    for token in blocks:
        yield token
        yield from token.children or ()


def assert_text_is_inert(text: str, tokens: list[Token]) -> None:
    """No mention, reference, address or commit that GitHub would act on."""
    prose = [token.content for token in tokens if token.type == "text"]
    everything = [*prose, *(token.content for token in tokens if token.type in {"code_inline", "fence", "code_block"})]
    assert not [words for words in everything if re.search(r"@(?!\u200b|$)", words)]
    assert not [words for words in prose if re.search(r"#\d|(?i:\bgh-\d)|\bwww\.|\w://", words)]
    assert not [words for words in prose if re.search(r"(?<![0-9A-Za-z])[0-9a-f]{7,40}(?![0-9A-Za-z])", words)]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]", text)
