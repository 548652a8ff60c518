"""The imports at the proposed commit whose module vanished, each with the reason why it refuses no commit."""

from collections.abc import Iterator

from shared.proof.model.finding import LoadedSummary
from shared.proof.model.missing_import import ImportDoubt, MissingImport
from shared.report.evidence import EvidenceKind, Fact, FactTopic
from shared.text.phrases import quote_untrusted

_DOUBT_PHRASES = {
    ImportDoubt.MAY_NOT_RUN: "the import may not run when the service starts",
    ImportDoubt.START_UNREAD: "no start command could be read, so whether the file is loaded is unknown",
    ImportDoubt.PATH_CHANGED: "a loaded file changes the import path",
    ImportDoubt.IMPORT_HOOK: "a file on the way changes what an import finds",
    ImportDoubt.DEPENDENCY: "a declared dependency has that name",
    ImportDoubt.GENERATED: "the build may generate that file",
    ImportDoubt.ATTRIBUTE: "the package may define that name itself",
    ImportDoubt.LINK: "a link stands in its place",
}


def collect_missing_imports(loaded: LoadedSummary, commit: str) -> Iterator[Fact]:
    """One fact for each import at a commit whose module vanished."""
    for missing in loaded.missing_imports:
        ref = f"{commit}:{quote_untrusted(missing.path)}"
        yield Fact(FactTopic.MISSING_IMPORT, EvidenceKind.FILE, ref, describe_missing_import(missing))


def describe_missing_import(missing: MissingImport) -> str:
    """An import of a module that vanished, with the reason why it may do no harm."""
    imported = f"{quote_untrusted(missing.path)}, line {missing.line} imports {quote_untrusted(missing.module)}"
    doubt = f"; not refused: {_DOUBT_PHRASES[missing.doubt]}" if missing.doubt else ""
    return (
        f"Missing module: {imported}, which was {quote_untrusted(missing.former_path)} at the deployed commit "
        f"and no longer exists{doubt}"
    )
