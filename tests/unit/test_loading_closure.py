"""Which files of a commit the service loads: by the start command of its image, along the imports."""

from shared.domain.loading.closure import Closure, find_closure
from shared.domain.loading.imports import Imports, load_imports
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
            memory[blob] = load_imports(tree.read(path) or b"")
        return memory[blob]

    first = find_closure(tree, "app/routes.py", imports=remember)
    tree.reads.clear()
    assert find_closure(tree, "app/routes.py", imports=remember) == first
    assert not [path for path in tree.reads if path.endswith(".py")]


def test_a_dynamic_import_that_no_text_tells_is_said() -> None:
    files = {
        "Dockerfile": "FROM x\nCOPY . .\nCMD python main.py",
        "main.py": "import importlib\nimportlib.import_module(sys.argv[1])\n",
    }
    assert [reason.partition(":")[0] for reason in closure("main.py", files).unfollowed] == ["main.py"]
