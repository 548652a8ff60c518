"""Where alembic keeps its migrations.

In: a reader of the image's texts, the folder of the project. Out: the folder with `env.py` and `versions`.
"""

import posixpath
import re
from collections.abc import Callable

_LOCATION = re.compile(
    r"^script_location[ \t]{0,20}+=[ \t]{0,20}+[\"']?(?:%\(here\)s/)?([^\r\n\"';#]{1,400}+)", re.MULTILINE
)


def find_migration_folder(read_text: Callable[[str], str], folder: str, settings_file: str = "alembic.ini") -> str:
    """The folder with `env.py` and `versions`, as the settings name it."""
    text = read_text(posixpath.join(folder, settings_file)) + read_text(posixpath.join(folder, "pyproject.toml"))
    match = _LOCATION.search(text)
    return posixpath.normpath(posixpath.join(folder, match[1].strip() if match else "alembic"))
