"""The google provider's schema: the npm package that carries it comes in; blocks as plain JSON go out, for named types.

`@cdktf/provider-google` is generated from the real provider's schema: `index.js` tells each argument's type,
`index.d.ts` which are required and, in the published documentation, which values an argument may have.
"""

import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.deploy.tools import download_wheel
from tests.support.npm import install_packages

PACKAGE = "@cdktf/provider-google"
VERSION = "6.50.0"
"""Of the provider; the package's own number is another."""
WHEELS = {"7.43.0": "google_7", "8.7.0": "google_8"}
"""The wheel that carries the schema of a later version, in a tarball of the same form."""

_ENTRY = re.compile(r'(\w+): \{\s*value: .*,\s*isBlock: (\w+),\s*type: "(\w+)",\s*storageClassType: "(\w+)"')
_TO_HCL = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.M | re.S)
_SYNTHESIZED = re.compile(r"^    synthesizeHclAttributes\(\) \{\n(.*?)^    \}", re.M | re.S)
_CLASS = re.compile(r"^class (\w+) extends cdkt[fn]\.(\w+) \{\n(.*?)^\}", re.M | re.S)
_COMPUTED = re.compile(r"// (\w+) - computed: true, optional: false, required: false(?=\n +(.*\n.*))")
_READ_AS = re.compile(r"this\.get(\w+)Attribute")
_HELD_AS = re.compile(r"= new ([\w.]+)\(this, \"\w+\"(?:, (\w+))?")
_INTERFACE = re.compile(r"^export interface (\w+)(?: extends [\w.]+)? \{\n(.*?)^\}", re.M | re.S)
_ARGUMENT = re.compile(r"/\*\*(.*?)\*/\s*readonly (\w+)(\??): (.*?);\n", re.S)
_VALUES = re.compile(r'Possible values: (\["[^\]]*"\])')
_SIMPLE = {"string": "string", "number": "number", "boolean": "bool"}
_READ: dict[str, Any] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
}
_MAPS = {
    f"{library}.{kind}Map": simple
    for library in ("cdktf", "cdktn")
    for kind, simple in (("String", "string"), ("Boolean", "bool"), ("Number", "number"))
}

Block = dict[str, Any]
"""`{"attributes": {NAME: {"type", "mode", "values"}}, "blocks": {NAME: {"nesting", "required", "single", "block"}}}`"""


def render_schema(resources: Iterable[str], data: Iterable[str], version: str = VERSION) -> Mapping[str, Any]:
    """`resources` and `data` are names such as `google_pubsub_topic`. Raises FileNotFoundError for an unknown one."""
    folders = {name: _folder(name) for name in sorted(resources)}
    data_folders = {name: f"data-google-{_folder(name)}" for name in sorted(data)}
    lib = _find_library(version, ("provider", *folders.values(), *data_folders.values()))
    return {
        "provider": _Library(lib / "provider").root(),
        "resources": {name: _Library(lib / folder).root() for name, folder in folders.items()},
        "data": {name: _Library(lib / folder).root() for name, folder in data_folders.items()},
    }


def _find_library(version: str, folders: Iterable[str]) -> Path:
    """Where the package's folder `lib` is, with at least these folders in it."""
    if version == VERSION:
        return install_packages("terraform") / PACKAGE / "lib"
    wheel = download_wheel(WHEELS[version])
    root = wheel.parent / version
    wanted = {
        f"package/lib/{folder}/{name}": root / "lib" / folder / name
        for folder in folders
        for name in ("index.js", "index.d.ts")
    }
    missing = {member: path for member, path in wanted.items() if not path.exists()}
    if missing:
        with zipfile.ZipFile(wheel) as archive:
            (held,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
            packed = archive.read(held)
        with tarfile.open(fileobj=io.BytesIO(packed)) as package:
            for member in package:
                path, content = missing.get(member.name), package.extractfile(member)
                if path is not None and content is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())
    return root / "lib"


def _folder(name: str) -> str:
    return name.removeprefix("google_").replace("_", "-")


class _Library:
    """What one folder of the package tells about one type."""

    def __init__(self, folder: Path) -> None:
        script, types = ((folder / name).read_text("utf-8") for name in ("index.js", "index.d.ts"))
        self._structs = {name[0].upper() + name[1:]: body for name, body in _TO_HCL.findall(script)}
        self._classes = {name: (kind, body) for name, kind, body in _CLASS.findall(script)}
        self._told = {name: list(_arguments(body)) for name, body in _INTERFACE.findall(types)}
        self._synthesized = _SYNTHESIZED.findall(script)[0]

    def root(self) -> Block:
        kinds = ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        (name,) = (name for name, (kind, _) in self._classes.items() if kind in kinds)
        block = self._block(f"{name}Config", self._synthesized, self._classes[name][1])
        if "id" in block["attributes"]:
            block["attributes"]["id"]["mode"] = "id"
        return block

    def _block(self, interface: str, body: str, class_body: str) -> Block:
        told = {snake: (required, several, values) for snake, required, several, values in self._told[interface]}
        block: Block = {"attributes": {}, "blocks": {}}
        for name, is_block, kind, held in _ENTRY.findall(body):
            required, several, values = told[name]
            if is_block == "true":
                block["blocks"][name] = self._nested(kind, held, required=required, single=not several)
            else:
                mode = "required" if required else "optional"
                block["attributes"][name] = {"type": _type(kind, held), "mode": mode, "values": values}
        for name, getter in _COMPUTED.findall(class_body):
            block["attributes"][name] = {"type": self._computed(getter), "mode": "computed", "values": []}
        return block

    def _computed(self, code: str) -> Any:
        """The type of what only the provider tells: a value, a map, or a list or set of objects of these."""
        held = _HELD_AS.search(code)
        if held is None:
            read = _READ_AS.search(code)
            return _READ[read[1] if read else "String"]
        if held[1] in _MAPS:
            return ["map", _MAPS[held[1]]]
        _, inner = self._classes[held[1].removesuffix("List") + "OutputReference"]
        told = {name: self._computed(getter) for name, getter in _COMPUTED.findall(inner)}
        return ["set" if held[2] == "true" else "list", ["object", told]]

    def _nested(self, kind: str, held: str, *, required: bool, single: bool) -> dict[str, Any]:
        struct = held.removesuffix("List") if kind in {"list", "set"} else held
        _, class_body = self._classes.get(f"{struct}OutputReference", ("", ""))
        nesting = "single" if kind == "struct" else kind
        inner = self._block(struct, self._structs[struct], class_body)
        return {"nesting": nesting, "required": required, "single": single, "block": inner}


def _arguments(body: str) -> Iterator[tuple[str, bool, bool, list[str]]]:
    """Name, whether it is required, whether it may stand several times, and the values that it may have."""
    for comment, camel, optional, kind in _ARGUMENT.findall(body):
        named = re.search(r"#(\w+) \w+#\w+\}", comment)
        snake = named[1] if named else re.sub(r"([A-Z])", r"_\1", camel).lower()
        values = _VALUES.search(comment)
        yield snake, not optional, "[]" in kind, json.loads(values[1]) if values else []


def _type(kind: str, held: str) -> Any:
    if kind == "simple":
        return _SIMPLE[held]
    return [kind, _SIMPLE[held.removesuffix("List").removesuffix("Map")]]
