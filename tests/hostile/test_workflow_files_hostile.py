"""Malformed workflow files are a fact, and aliases that double are walked once."""

import pytest

from shared.proof.declared.deployed_python import find_ci_pythons

PATH = ".github/workflows/test.yml"


@pytest.mark.parametrize("text", ["a: [", "\t:", "a: &a [*a]\nb: *c", "{" * 5000, "x" * 300_000, "\0"])
def test_malformed_workflows_are_a_fact_and_no_error(text: str) -> None:
    found = find_ci_pythons({PATH: text})
    assert found.workflows == (PATH,)
    assert found.has_unresolved
    assert [fact.path for fact in found.unreadable_files] == [PATH]


def test_aliases_are_walked_once() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert find_ci_pythons({PATH: bomb + "python-version: 3.12\n"}).versions[0].version == "3.12"
    assert find_ci_pythons({PATH: "a: &a [*a]\n"}).versions == ()
