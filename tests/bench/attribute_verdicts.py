"""`python -m tests.bench.attribute_verdicts [PROGRAMS] [SEED]`: verdicts on attributes against a real interpreter.

Prints how many verdicts of each state there are for each family, the share of unknown, and each wrong one; exits 1
where there is one.
"""

import sys

from shared.proof.claims.attributes.attribute_judge import AttributeJudge
from shared.proof.claims.claim import ClaimFamily
from tests.support.attribute_oracle import compare_with_python


def main(arguments: list[str]) -> int:
    """Judge and run so many programs: without the checker, as the checker can only make more of them unknown."""
    programs = int(arguments[0]) if arguments else 5000
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    comparison = compare_with_python(AttributeJudge(), programs, seed)
    print(f"{programs} programs, {comparison.run_count} verdicts that Python can decide, {len(comparison.wrong)} wrong")
    for family in (ClaimFamily.MODULE_ATTRIBUTE, ClaimFamily.CLASS_ATTRIBUTE):
        states = {state.value: count for (other, state), count in sorted(comparison.counts.items()) if other is family}
        print(f"{family}: {states}, unknown {comparison.get_unknown_share(family):.0%}")
    for program, claim, verdict, outcome in comparison.wrong:
        print("-" * 80, claim.message, claim.source_text, verdict, outcome, sep="\n")
        print(*(f"# {path}\n{text}" for path, text in program.files.items()), sep="\n")
    return bool(comparison.wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
