"""How much two versions of a file share, and which of several is the same: bytes in, a share or a path out."""

import pytest

from shared.proof.searching.file_history import RENAME_THRESHOLD, find_best_match, measure_similarity


@pytest.mark.parametrize(
    ("old", "new", "share"),
    [
        (b"", b"", 1.0),
        (b"a\n", b"", 0.0),
        (b"a\nb\n", b"a\nb\n", 1.0),
        (b"a\r\nb\r\n", b"a\nb\n", 1.0),
        (b"a\nb\n", b"b\na\n", 1.0),
        (b"aaa\naaa\nb\nb\n", b"aaa\naaa\n", 8 / 12),
        (b"aaa\naaa\n", b"aaa\naaa\nb\nb\n", 8 / 12),
        (b"aaa\nb\n", b"aaa\nc\n", 4 / 6),
    ],
)
def test_similarity_is_the_share_of_the_larger_files_bytes(old: bytes, new: bytes, share: float) -> None:
    assert measure_similarity(old, new) == pytest.approx(share)


def test_the_most_similar_file_is_the_same_one_if_it_is_similar_enough() -> None:
    content = b"first\nsecond\nthird\nlast\n"
    near, far = content.replace(b"last", b"next"), b"first\nnothing of it\n"
    assert measure_similarity(content, near) > RENAME_THRESHOLD > measure_similarity(content, far)
    assert find_best_match("quay.py", content, {"far.py": far, "near.py": near}) == "near.py"
    assert find_best_match("quay.py", content, {"far.py": far}) is None
    assert find_best_match("chat/quay.py", content, {"berth.py": near, "port/quay.py": near}) == "port/quay.py"
