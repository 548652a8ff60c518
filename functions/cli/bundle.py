"""Writes the deployed zips, `functions.zip` and `compile.zip`, and prints their digests.

    functions.zip   the functions (source `functions/main.py`), what they share, requirements.txt at the root
    compile.zip     the `compile` function alone, for every Python runtime: main.py, what is beside it, requirements

Same content, same bytes, so that a digest in an object's name changes with the content and with nothing else: sorted
names, one time for all, and stored without compression, whose result depends on the version of zlib.

No .pyc is shipped: it would hold for one minor version of Python, and Google's buildpack compiles the source itself
(`compileall -f`) and overwrites what it finds. Its .pyc files name the time of their source, and an image gives each
file another time, so that they would be thrown away at every start. With `SOURCE_DATE_EPOCH` among the build's
variables the same command writes .pyc files that name the content instead: set it wherever these zips are built.
https://docs.python.org/3/library/py_compile.html#py_compile.compile
"""

import sys
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from shared.config.loader import read_configuration
from shared.errors import InputError

ROOT = Path(__file__).parents[2]
COMPILE_FILES = {
    "main.py": "functions/compile.py",
    "pipe.py": "shared/adapters/compilers/pipe.py",
    "worker.py": "shared/adapters/compilers/worker.py",
}
"""What `compile` consists of, by the name that it has in its zip."""
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644


def main() -> None:
    """Writes both into `build/` and prints a line for each: digest, bytes, path. May be given the path of the file."""
    try:
        write_bundles(Path(*sys.argv[1:2] or ["provenfix.yaml"]))
    except InputError as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise SystemExit(3) from None


def write_bundles(config: Path, target: Path = ROOT / "build") -> None:
    """The same. `config` need not exist. Raises InputError for it, and for Python that does not compile."""
    for name, content in build_bundles(ROOT, verifies_identities=has_identities(config)).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        sys.stdout.write(f"{sha256(content).hexdigest()}  {len(content)}  {shown}\n")


def has_identities(config: Path) -> bool:
    """Whether a signer is named by its identity, so that the functions need Sigstore's library. Raises InputError."""
    signatures = read_configuration(config).signatures if config.exists() else None
    return signatures is not None and any(signer.is_keyless for signer in signatures.policy.signers)


def build_bundles(root: Path, *, verifies_identities: bool = False) -> Mapping[str, bytes]:
    """Both zips by their names. Raises InputError for Python that does not compile."""
    files = collect_functions_files(root)
    if verifies_identities:
        more = (root / "functions" / "signatures.txt").read_text("utf-8")
        files["requirements.txt"] = join_pins(files["requirements.txt"].decode(), more).encode()
    return {
        "functions.zip": build_zip(files),
        "compile.zip": build_zip(collect_compile_files(root)),
    }


def collect_functions_files(root: Path) -> dict[str, bytes]:
    """By the path within the zip. Of `functions`, the entry points and `http`; `compile` has a zip of its own."""
    files = {"requirements.txt": (root / "functions" / "requirements.txt").read_bytes()}
    for path in _list_shipped_files(root):
        files[path.relative_to(root).as_posix()] = path.read_bytes()
    return files


def join_pins(pins: str, more: str) -> str:
    """Two lists of pinned requirements as one; what both hold stays as it is in the first."""
    names = {pin.partition("==")[0] for pin in _split_pins(pins)}
    return "".join(sorted([*_split_pins(pins), *(p for p in _split_pins(more) if p.partition("==")[0] not in names)]))


def _split_pins(text: str) -> list[str]:
    """Each with its hashes, which follow on lines that are indented."""
    pins: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.startswith(" ") and pins:
            pins[-1] += line
        elif not line.startswith("#"):
            pins.append(line)
    return pins


def collect_compile_files(root: Path) -> dict[str, bytes]:
    """Without hashes: what the framework itself needs differs from one Python to the next."""
    pins = (root / "functions" / "requirements.txt").read_text("utf-8").splitlines()
    framework = next(line.partition(" ")[0] for line in pins if line.startswith("functions-framework=="))
    return {"requirements.txt": f"{framework}\n".encode()} | {
        name: (root / path).read_bytes() for name, path in COMPILE_FILES.items()
    }


def build_zip(files: Mapping[str, bytes]) -> bytes:
    """The zip. Raises InputError for Python that does not compile: the build in the cloud would fail on it."""
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            _check_compiles(name, files[name])
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = _MODE << 16
            archive.writestr(entry, files[name])
    return whole.getvalue()


def _list_shipped_files(root: Path) -> Iterator[Path]:
    yield from (path for path in (root / "functions").glob("*.py") if path.name != "compile.py")
    yield from (root / "functions/http").glob("*.py")
    for pattern in ("*.py", "*.tftpl", "*.json"):
        yield from (root / "shared").rglob(pattern)


def _check_compiles(name: str, content: bytes) -> None:
    if not name.endswith(".py"):
        return
    try:
        compile(content, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{name} does not compile and cannot be deployed: {error}") from None


if __name__ == "__main__":
    main()
