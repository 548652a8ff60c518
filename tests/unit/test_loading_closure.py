"""Which files of a commit the service loads: by the start command of its image, along the imports."""

import pytest

from shared.proof.loading.commit_tree import is_affected_by
from shared.proof.loading.import_closure import ImportClosure, find_import_closure
from shared.proof.loading.imports import Imports, parse_imports
from tests.support.source_tree import FakeSourceTree

BROKEN = "def run(:\n    pass\n"


def closure(failing: str, files: dict[str, str], traced: tuple[str, ...] = ()) -> ImportClosure:
    return find_import_closure(FakeSourceTree(files), failing, traced)


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
    assert (found.is_exact, found.image_path, found.ambiguous_images) == (True, "Dockerfile", ())
    assert "uvicorn main:app" in found.start_command
    assert "Dockerfile line 4" in found.rule


def test_a_change_elsewhere_touches_nothing_that_was_asked() -> None:
    asked = closure("app/routes.py", SERVICE).recorded_paths
    assert not is_affected_by(asked, "scripts/other.py")
    assert not is_affected_by(asked, "docs/new/page.md")
    assert is_affected_by(asked, "app/chat/run.py", is_added_or_removed=False)
    assert is_affected_by(asked, "plugins/b.py")
    assert is_affected_by(asked, "os.py")
    assert is_affected_by(asked, "start.sh", is_added_or_removed=False)
    assert is_affected_by(asked, "services/other/Dockerfile")


DJANGO = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nENV DJANGO_SETTINGS_MODULE=site1.settings\n"
    "CMD python manage.py migrate && gunicorn site1.wsgi\n",
    "manage.py": "from django.core.management import execute_from_command_line\n",
    "site1/__init__.py": "",
    "site1/wsgi.py": "",
    "site1/urls.py": "urlpatterns = [path('', include('users.urls'))]\n",
    "site1/settings.py": "INSTALLED_APPS = ['users', 'shop.apps.ShopConfig']\nROOT_URLCONF = 'site1.urls'\n"
    "MIDDLEWARE = ['site1.middle.Timer']\n",
    "site1/middle.py": "",
    "users/__init__.py": "",
    "users/models.py": "",
    "users/urls.py": "from . import views",
    "users/views.py": BROKEN,
    "users/unused.py": BROKEN,
    "users/migrations/__init__.py": "",
    "users/migrations/0001_initial.py": "",
    "shop/__init__.py": "",
    "shop/apps.py": "",
    "shop/templatetags/money.py": "",
}


def test_what_django_loads_by_its_settings_is_in_the_closure() -> None:
    found = closure("users/views.py", DJANGO)
    assert set(DJANGO) - set(found.files) == {"Dockerfile", "users/unused.py"}


def test_without_migrate_in_the_start_no_migration_is_loaded() -> None:
    lines = DJANGO["Dockerfile"].replace("python manage.py migrate && ", "")
    found = closure("users/views.py", {**DJANGO, "Dockerfile": lines})
    assert not [path for path in found.files if "migrations/0" in path]


def test_imports_are_taken_from_a_memory_by_blob() -> None:
    tree = FakeSourceTree(SERVICE)
    memory: dict[str, Imports] = {}

    def remember(path: str, blob: str) -> Imports:
        if blob not in memory:
            memory[blob] = parse_imports(tree.read(path) or b"")
        return memory[blob]

    first = find_import_closure(tree, "app/routes.py", imports_loader=remember)
    tree.reads.clear()
    assert find_import_closure(tree, "app/routes.py", imports_loader=remember) == first
    assert not [path for path in tree.reads if path.endswith(".py")]


def test_a_dynamic_import_that_no_text_tells_is_said() -> None:
    files = {
        "Dockerfile": "FROM x\nCOPY . .\nCMD python main.py",
        "main.py": "import importlib\nimportlib.import_module(sys.argv[1])\n",
    }
    assert [reason.partition(":")[0] for reason in closure("main.py", files).unresolved_imports] == ["main.py"]


APP = "FROM python:3.11\nWORKDIR /app\nCOPY . .\n"


@pytest.mark.parametrize(
    ("main", "wanted"),
    [
        ("from importlib import import_module as load\nload('jobs')", {"jobs.py"}),
        ("runpy.run_module('jobs')", {"jobs.py"}),
        ("runpy.run_path(os.path.join(here, 'parts/one.py'))", {"parts/one.py"}),
        ("spec_from_file_location('one', 'parts/one.py')", {"parts/one.py"}),
        ("for path in Path('parts').glob('*.py'):\n    spec_from_file_location(path.stem, path)", {"parts/one.py"}),
        ("subprocess.run([sys.executable, '-m', 'jobs'])", {"jobs.py"}),
        ("subprocess.run([sys.executable, '-m', 'tool', 'x'])", {"tool/__init__.py", "tool/__main__.py"}),
        ("os.system('python jobs.py --now')", {"jobs.py"}),
        ("shlex.split('exec gunicorn -w 2 jobs:app')", {"jobs.py"}),
        ("PACKAGE = 'parts'\nimport_module(f'{PACKAGE}.{name}')", {"parts/one.py"}),
        ("base = 'parts'\nimport_module(base + '.' + name)", {"parts/one.py"}),
        ("for name in ['jobs', 'gone']:\n    import_module(name)", {"jobs.py"}),
        ("import_module('.'.join(['parts', 'one']))", {"parts/one.py"}),
        ("__getattr__, __dir__, __all__ = lazy.attach(__name__, submodules={'jobs'})", {"jobs.py", "rest"}),
        ("import lib", {"lib/__init__.py", "lib/inner.py"}),
        ("from lib import *", {"lib/__init__.py", "lib/inner.py", "lib/outer.py"}),
        ("sys.path.insert(0, 'kept')\nimport deep", {"kept/deep.py"}),
        ("sys.path.append(str(Path(__file__).parent / 'far' / 'off'))\nimport away", {"far/off/away.py"}),
        ("KEPT = os.path.join(here, 'kept')\nsys.path.append(KEPT)\nimport deep", {"kept/deep.py"}),
        (
            "from alembic import command\ncommand.upgrade(Config('alembic.ini'), 'head')",
            {"m/env.py", "m/versions/1.py"},
        ),
    ],
)
def test_loading_by_other_means_than_a_statement_is_followed(main: str, wanted: set[str]) -> None:
    others = {
        "jobs.py": "", "parts/one.py": "", "tool/__init__.py": "", "tool/__main__.py": "", "kept/deep.py": "",
        "lib/__init__.py": "from . import inner\n__all__ = inner.__all__ + ['outer']\n", "lib/inner.py": "",
        "lib/outer.py": "", "far/off/away.py": "", "alembic.ini": "[alembic]\nscript_location = m\n", "m/env.py": "",
        "m/versions/1.py": "", "scripts/never.py": BROKEN,
    }  # fmt: skip
    files = {**others, "Dockerfile": f"{APP}CMD python main.py\n", "main.py": main}
    found = closure("main.py", files).files
    if "rest" in wanted:  # every module of its own package
        assert wanted - {"rest"} <= found
    else:
        assert found >= wanted | {"main.py"}
    assert "scripts/never.py" not in found


@pytest.mark.parametrize(
    ("install", "files"),
    [
        ("pip install -r requirements.txt", {"requirements.txt": "-e libs/inner\n"}),
        ("pip install -r requirements.txt", {"requirements.txt": "inner @ file:///app/libs/inner\n"}),
        ("uv sync", {"pyproject.toml": "[tool.uv.workspace]\nmembers = ['libs/*']\n"}),
        ("uv sync", {"pyproject.toml": "[tool.uv.workspace]\nmembers = ['libs/inner']\n"}),
        ("poetry install", {"pyproject.toml": "[tool.poetry.group.main.dependencies]\ni = {path = 'libs/inner'}\n"}),
        ("pip install .", {"pyproject.toml": "[project]\ndependencies = ['inner @ file:libs/inner']\n"}),
    ],
)
def test_installed_library_of_the_same_repository_is_found(install: str, files: dict[str, str]) -> None:
    files |= {
        "Dockerfile": f"{APP}RUN {install}\nCMD python main.py\n",
        "main.py": "import inner\n",
        "libs/inner/pyproject.toml": "[project]\nname = 'inner'\n",
        "libs/inner/src/inner/__init__.py": BROKEN,
    }
    assert closure("main.py", files).files == {"main.py", "libs/inner/src/inner/__init__.py"}


def test_what_python_imports_by_itself_from_its_path_is_loaded() -> None:
    files = {
        "Dockerfile": f"{APP}ENV PYTHONPATH=/app/boot\nCMD python main.py\n",
        "main.py": "",
        "boot/sitecustomize.py": "import hooks\n",
        "boot/hooks.py": BROKEN,
    }
    assert closure("main.py", files).files == {"main.py", "boot/sitecustomize.py", "boot/hooks.py"}


@pytest.mark.parametrize("name", ["'app.unused'", 'name="app.unused"'])
def test_the_name_of_a_logger_loads_nothing(name: str) -> None:
    files = {
        "Dockerfile": f"{APP}CMD python main.py\n",
        "main.py": f"logging.getLogger({name}).setLevel(10)\n",
        "app/unused.py": BROKEN,
    }
    assert closure("main.py", files).files == {"main.py"}


def test_the_rule_says_what_could_not_be_followed() -> None:
    files = {"Dockerfile": f"{APP}CMD python main.py\n", "main.py": "x = 1\n"}
    plain = closure("main.py", files)
    dynamic = closure("main.py", {**files, "main.py": "import_module(sys.argv[1])\n"})
    assert plain.unresolved_imports == ()
    assert dynamic.rule.startswith(plain.rule)
    assert dynamic.unresolved_imports[0] in dynamic.rule
