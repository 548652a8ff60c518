"""The emulators, started once for all tests of a run and only if one of them asks."""

import os
from collections.abc import Iterator

import pytest

from functions.local.stack.emulators import Emulators, emulating
from shared.errors import Unreadable


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Both emulators on free ports of the loopback. Without them a test skips; where `CI=true` it fails."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            running = emulating(tmp_path_factory.mktemp("emulators"))
            there = running.__enter__()
        except Unreadable as missing:
            if os.environ.get("CI") == "true":
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))
        try:
            for name, value in there.environment.items():
                patch.setenv(name, value)
            yield there
        finally:
            running.__exit__(None, None, None)
