"""Which files of a commit the service loads: by the start command of its image, along the imports."""

from shared.domain.loading.closure import Closure, find_closure
from shared.domain.loading.tree import touches
from tests.fakes.source_tree import FakeSourceTree

BROKEN = "def run(:\n    pass\n"


def closure(failing: str, files: dict[str, str], traced: tuple[str, ...] = ()) -> Closure:
    return find_closure(FakeSourceTree(files), failing, traced)


SERVICE = {
    "Dockerfile": 'FROM python:3.11-slim\nWORKDIR /app\nCOPY . .\nENTRYPOINT ["./start.sh"]\n',
    "start.sh": "#!/bin/sh\nset -e\nexec uvicorn ${APP:-main:app} --port $PORT\n",
    "main.py": "from app import routes\nimport os\n",
    "app/__init__.py": "",
    "app/routes.py": "from .chat import run\n" + BROKEN,
    "app/chat/__init__.py": "",
    "app/chat/run.py": "import importlib\n\ndef load(x):\n    importlib.import_module(f'plugins.{x}')\n",
    "plugins/a.py": "",
    "scripts/clean.py": BROKEN,
}


def test_a_script_that_no_start_command_reaches_is_not_in_the_closure() -> None:
    found = closure("app/routes.py", SERVICE)
    assert found.files == {
        "main.py",
        "app/__init__.py",
        "app/routes.py",
        "app/chat/__init__.py",
        "app/chat/run.py",
        "plugins/a.py",
    }
    assert (found.exact, found.image, found.ambiguous) == (True, "Dockerfile", ())
    assert "uvicorn main:app" in found.start
    assert "Dockerfile line 4" in found.rule


def test_a_change_elsewhere_touches_nothing_that_was_asked() -> None:
    asked = closure("app/routes.py", SERVICE).asked
    assert not touches(asked, "scripts/other.py")
    assert not touches(asked, "docs/new/page.md")
    assert touches(asked, "app/chat/run.py", listed=False)
    assert touches(asked, "plugins/b.py")
    assert touches(asked, "os.py")
    assert touches(asked, "start.sh", listed=False)
    assert touches(asked, "services/other/Dockerfile")
