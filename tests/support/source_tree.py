"""A commit's tree in memory: paths and contents in, the answers of `SourceTree` out; it counts what was read."""

from collections.abc import Mapping
from hashlib import sha256


class FakeSourceTree:
    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
        self.reads: list[str] = []

    def blob(self, path: str) -> str | None:
        return sha256(self.files[path]).hexdigest() if path in self.files else None

    def folder(self, path: str) -> Mapping[str, str] | None:
        prefix = f"{path}/" if path else ""
        entries: dict[str, str] = {}
        for file in self.files:
            if file.startswith(prefix):
                name, deeper, _ = file[len(prefix) :].partition("/")
                entries[name] = "folder" if deeper else "file"
        return entries or None

    def read(self, path: str) -> bytes | None:
        self.reads.append(path)
        return self.files.get(path)
