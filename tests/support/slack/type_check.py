"""Slack's types and a stand-in for it, as published on npm: installed once into `build/npm/slack`, outside of git."""

import json
import os
import subprocess
from typing import Any

from tests.support.npm import NODE, install_folder, install_packages

PACKAGE_FOLDER = install_folder("slack")


def type_errors(statements: str, name: str) -> str:
    """What `tsc --noEmit --strict` says about a file that imports `@slack/types`; "" where it has nothing to say."""
    install_packages("slack")
    source = PACKAGE_FOLDER / f"{name}-{os.getpid()}.ts"  # another run of the tests may be at it, too
    source.write_text(f'import type {{ KnownBlock, ModalView }} from "@slack/types";\n{statements}', "utf-8")
    options = {"noEmit": True, "strict": True, "module": "node16", "target": "es2022", "lib": ["es2022"], "types": []}
    project = source.with_suffix(".json")
    project.write_text(json.dumps({"compilerOptions": options, "files": [source.name]}), "utf-8")
    tsc = [NODE, str(install_packages("slack") / "typescript/bin/tsc"), "--project", str(project)]
    try:
        return subprocess.run(tsc, cwd=PACKAGE_FOLDER, capture_output=True, text=True, timeout=120, check=False).stdout
    finally:
        source.unlink()
        project.unlink()


_PARSE = """
import { JSDOM } from "jsdom";
import { readFileSync } from "node:fs";
const page = new JSDOM("<!doctype html><body></body>");
globalThis.window = page.window;
globalThis.document = page.window.document;
const { default: mermaid } = await import("mermaid");
const told = [];
for (const source of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    told.push((await mermaid.parse(source)).diagramType);
  } catch (error) {
    told.push(`refused: ${error.message}`);
  }
}
console.log(JSON.stringify(told));
"""


def parse_diagrams(sources: list[str]) -> list[str]:
    """The type of each diagram as Mermaid itself names it, or `refused: …`."""
    install_packages("slack")
    program = PACKAGE_FOLDER / "parse.mjs"
    program.write_text(_PARSE, "utf-8")
    ran = subprocess.run(
        [NODE, program],
        input=json.dumps(sources),
        cwd=PACKAGE_FOLDER,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told: Any = json.loads(ran.stdout)
    return [str(kind) for kind in told]
