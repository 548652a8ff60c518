"""The version of an installed distribution: its name goes in, the version comes out, without reading its metadata.

`importlib.metadata` loads the parser of e-mails to say so, which takes longer than a small proof's other modules.
"""

import sys
from contextlib import suppress
from pathlib import Path

_SUFFIX = ".dist-info"


def find_installed_version(name: str) -> str:
    """The version by the name of the folder that every installer writes; "" where the distribution is not installed.

    Source: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    beginning = f"{name}-"
    for folder in sys.path:
        with suppress(OSError):  # what is no folder holds no distribution
            for entry in Path(folder).iterdir():
                if entry.name.startswith(beginning) and entry.name.endswith(_SUFFIX):
                    return entry.name[len(beginning) : -len(_SUFFIX)]
    return ""
