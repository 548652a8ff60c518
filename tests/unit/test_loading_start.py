"""What a start command loads first: a table of commands as they stand in Dockerfiles and Procfiles."""

import pytest

from shared.proof.loading.import_closure import find_import_closure
from tests.support.source_tree import FakeSourceTree

FILES = {
    "main.py": "",
    "app.py": "",
    "wsgi.py": "",
    "run": "#!/usr/bin/env python3\nimport worker\n",
    "worker.py": "",
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n",
    "gunicorn.conf.py": "",
    "streamlit_app.py": "",
    "pages/1_first.py": "",
    "pkg/__init__.py": "",
    "pkg/__main__.py": "",
    "pkg/main.py": "",
    "pkg/celery.py": "",
    "site1/__init__.py": "",
    "site1/settings.py": "",
    "site1/asgi.py": "",
    "src/server.py": "",
    "src/conf.py": "",
    "src/named.py": "wsgi_app = 'main:app'",
    "setup.py": "from setuptools import setup\nsetup(entry_points={'console_scripts': ['called = pkg.main:run']})\n",
    "pyproject.toml": "[project]\nname = 'x'\n[project.scripts]\nserve = 'pkg.main:run'\n",
    "start.sh": "#!/bin/bash\ncd src\nexport NAME=server\n. ./env.sh\nexec uvicorn ${NAME}:app\n",
    "src/env.sh": "OTHER=1\n",
    "outer.sh": '#!/bin/sh\nset -eu\n./start.sh "$@"\n',
    "entry.sh": '#!/bin/sh\nif [ "$1" = worker ]; then shift; fi\nexec "$@"\n',
    "which.sh": 'case "$ROLE" in\n  web) exec uvicorn main:app ;;\n  *) exec celery -A pkg worker ;;\nesac\n',
    "supervisord.conf": "[program:web]\ncommand=uvicorn main:app --port %(ENV_PORT)s\n"
    "[program:w]\ncommand=python worker.py\n",
    "Procfile": "web: uvicorn main:app\nworker: python worker.py\n",
    "workers.py": "",
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": "",
    "migrations/versions/0001_first.py": "",
    "here.sh": '#!/bin/sh\ncd "$(cd "$(dirname "$0")" && pwd)"\n'
    'export PYTHONPATH="$PYTHONPATH:$(pwd)/migrations"\nexec uvicorn env:app\n',
}
PKG = {"pkg/__init__.py"}
COMMANDS = [
    ('["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8080"]', {"main.py"}),
    ("uvicorn main:app --host 0.0.0.0 --port $PORT", {"main.py"}),
    ("exec uvicorn --host 0.0.0.0 --port ${PORT:-8080} pkg.main:app", {*PKG, "pkg/main.py"}),
    ('["uvicorn", "--app-dir", "src", "server:app"]', {"src/server.py"}),
    ('["uvicorn", "server:app", "--app-dir=src", "--factory"]', {"src/server.py"}),
    ("uvicorn --reload --workers 4 main:app", {"main.py"}),
    ("gunicorn -w 4 -b :8080 main:app", {"main.py", "gunicorn.conf.py"}),
    ("gunicorn -w 4 -k uvicorn.workers.UvicornWorker pkg.main:app", {*PKG, "pkg/main.py", "gunicorn.conf.py"}),
    ("gunicorn --bind 0.0.0.0:$PORT --threads 8 --timeout 0 wsgi", {"wsgi.py", "gunicorn.conf.py"}),
    ("gunicorn --chdir src server:app", {"src/server.py", "gunicorn.conf.py"}),
    ("gunicorn --chdir=src -c src/conf.py server:app", {"src/server.py", "src/conf.py"}),
    ("gunicorn --pythonpath src 'server:create_app()'", {"src/server.py", "gunicorn.conf.py"}),
    ("gunicorn --config src/conf.py main:app", {"main.py", "src/conf.py"}),
    ("hypercorn main:app --bind 0.0.0.0:8080", {"main.py"}),
    ("daphne -b 0.0.0.0 -p 8080 site1.asgi:application", {"site1/__init__.py", "site1/asgi.py"}),
    ("celery -A pkg worker --loglevel=info", {*PKG, "pkg/celery.py"}),
    ("celery --app=pkg.main beat", {*PKG, "pkg/main.py"}),
    ("FLASK_APP=pkg.main flask run --host=0.0.0.0", {*PKG, "pkg/main.py"}),
    ("flask --app main run", {"main.py"}),
    ("flask run", {"wsgi.py"}),
    ("fastapi run", {"main.py"}),
    ("fastapi run pkg/main.py --port 80", {*PKG, "pkg/main.py"}),
    ("functions-framework --target=hello", {"main.py"}),
    ("functions-framework --source=src/server.py --target hello", {"src/server.py"}),
    ("streamlit run streamlit_app.py --server.port 8080", {"streamlit_app.py", "pages/1_first.py"}),
    ("poetry run uvicorn main:app", {"main.py"}),
    ("uv run --no-dev --with x uvicorn main:app", {"main.py"}),
    ("uv run main.py", {"main.py"}),
    ("uv run -- python worker.py", {"worker.py"}),
    ("uv run -m pkg", {*PKG, "pkg/__main__.py"}),
    ("pipenv run python worker.py", {"worker.py"}),
    ("pdm run fastapi run main.py", {"main.py"}),
    ("opentelemetry-instrument --traces_exporter=console python worker.py", {"worker.py"}),
    ("opentelemetry-instrument uvicorn main:app", {"main.py"}),
    ("ddtrace-run gunicorn main:app", {"main.py", "gunicorn.conf.py"}),
    ("newrelic-admin run-program uvicorn main:app", {"main.py"}),
    ('["tini", "--", "python", "-u", "worker.py"]', {"worker.py"}),
    ('["/usr/bin/tini", "-g", "--", "uvicorn", "main:app"]', {"main.py"}),
    ('["dumb-init", "python", "worker.py"]', {"worker.py"}),
    ("gosu nobody python worker.py", {"worker.py"}),
    ("env MODE=x python -W ignore -X dev worker.py", {"worker.py"}),
    ("python src/server.py", {"src/server.py"}),
    ("python3.11 -m pkg", {*PKG, "pkg/__main__.py"}),
    ("python -m pkg.main --x", {*PKG, "pkg/main.py"}),
    ("python -um pkg.main", {*PKG, "pkg/main.py"}),
    ("python -m uvicorn main:app", {"main.py"}),
    ("python -m gunicorn main:app", {"main.py", "gunicorn.conf.py"}),
    ("python -m functions_framework --target x", {"main.py"}),
    ("python -m debugpy --listen 0.0.0.0:5678 -m pkg.main", {*PKG, "pkg/main.py"}),
    ("python -c 'from pkg import main; main.run()'", {*PKG, "pkg/main.py"}),
    ("python manage.py runserver 0.0.0.0:8080", {"manage.py", "site1/__init__.py", "site1/settings.py"}),
    ('["sh", "-c", "exec gunicorn main:app"]', {"main.py", "gunicorn.conf.py"}),
    ('["bash", "-lc", "cd src && uvicorn server:app"]', {"src/server.py"}),
    ("cd /srv/src && exec uvicorn server:app", {"src/server.py"}),
    ("echo start; sleep 1; python worker.py & python -m pkg", {"worker.py", *PKG, "pkg/__main__.py"}),
    ('["./start.sh"]', {"src/server.py"}),
    ('["bash", "outer.sh"]', {"src/server.py"}),
    ('["sh", "./which.sh"]', {"main.py", *PKG, "pkg/celery.py"}),
    ('["./entry.sh", "uvicorn", "main:app"]', {"main.py"}),
    ('["./run"]', {"run", "worker.py"}),
    ("serve --port 8080", {*PKG, "pkg/main.py"}),
    ("supervisord -n -c supervisord.conf", {"main.py", "worker.py"}),
    ("honcho start", {"main.py", "worker.py"}),
    ("uwsgi --http :8080 --module main:app", {"main.py"}),
    ("gunicorn -c src/named.py", {"src/named.py", "main.py"}),
    ("locust --host=http://x --headless -f worker.py", {"worker.py"}),
    ("called", {*PKG, "pkg/main.py"}),
    ("uwsgi --http :8080 --wsgi-file wsgi.py", {"wsgi.py"}),
    ("waitress-serve --port=8080 --call main:create", {"main.py"}),
    ("granian --interface asgi --port 8080 main:app", {"main.py"}),
    ("arq worker.Settings", {"worker.py"}),
    ("dramatiq worker pkg.main --processes 2", {"worker.py", *PKG, "pkg/main.py"}),
    ("${RUNNER:-uvicorn} ${APP_MODULE:-main:app}", {"main.py"}),
    ("./wait-for-it.sh db:5432 -- python worker.py", {"worker.py"}),
    ("timeout 60 python worker.py", {"worker.py"}),
    ('[ "$X" ] || { python worker.py; }', {"worker.py"}),
    ("uvx --with x uvicorn main:app", {"main.py"}),
    ('["runuser", "-u", "app", "--", "uvicorn", "main:app"]', {"main.py"}),
    ('["su", "app", "-c", "exec uvicorn main:app"]', {"main.py"}),
    ('["opentelemetry-instrument", "--service_name", "x", "uvicorn", "main:app"]', {"main.py"}),
    ('["litefs", "mount", "--", "python", "worker.py"]', {"worker.py"}),
    ('["bash", "-euo", "pipefail", "-c", "uvicorn main:app"]', {"main.py"}),
    ('eval "uvicorn main:app"', {"main.py"}),
    ("python pkg", {"pkg/__main__.py"}),
    ("celery -A pkg.main.queue worker", {*PKG, "pkg/main.py"}),
    ("gunicorn -k workers.Worker main:app", {"main.py", "workers.py", "gunicorn.conf.py"}),
    (
        "alembic upgrade head && uvicorn main:app",
        {"main.py", "migrations/env.py", "migrations/versions/0001_first.py"},
    ),
    ("python -m alembic upgrade head", {"migrations/env.py", "migrations/versions/0001_first.py"}),
    ('["./here.sh"]', {"migrations/env.py"}),
    (
        "pip install uvicorn worker; echo python worker.py; command -v uvicorn; python -m pkg.main",
        {*PKG, "pkg/main.py"},
    ),
]


def closure_of(lines: str, failing: str) -> tuple[bool, set[str]]:
    files = {**FILES, "Dockerfile": f"FROM python:3.11\nWORKDIR /srv\nCOPY . .\n{lines}\n"}
    found = find_import_closure(FakeSourceTree(files), failing)
    return found.is_exact, set(found.files)


@pytest.mark.parametrize(("command", "wanted"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_each_command_loads_its_files_and_no_others(command: str, wanted: set[str]) -> None:
    for failing in wanted:  # the failing file is always in: each one shows that the others are reached
        assert closure_of(f"CMD {command}", failing) == (True, wanted)


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ('ENTRYPOINT ["python"]\nCMD ["worker.py"]', {"worker.py"}),
        ('ENTRYPOINT ["./entry.sh"]\nCMD ["uvicorn", "main:app"]', {"main.py"}),
        ('ENTRYPOINT ["./entry.sh"]\nCMD uvicorn main:app', {"main.py"}),
        ('CMD ["python", "worker.py"]\nENTRYPOINT ["uv", "run"]', {"worker.py"}),
        ('ENTRYPOINT exec python worker.py\nCMD ["ignored"]', {"worker.py"}),
        ('CMD ["python", "main.py"]\nCMD ["python", "worker.py"]', {"worker.py"}),
        ("ENV PYTHONPATH=/srv/src\nCMD uvicorn server:app", {"src/server.py"}),
        ("ENV APP=pkg.main:app\nCMD uvicorn $APP", {"pkg/__init__.py", "pkg/main.py"}),
        ("WORKDIR src\nCMD uvicorn server:app", {"src/server.py"}),
        (
            "ENV DJANGO_SETTINGS_MODULE=site1.settings\nCMD python worker.py",
            {"worker.py", "site1/__init__.py", "site1/settings.py"},
        ),
    ],
)
def test_instructions_are_put_together_as_docker_does(lines: str, wanted: set[str]) -> None:
    for failing in wanted:
        assert closure_of(lines, failing) == (True, wanted)


@pytest.mark.parametrize("command", ["./binary", '["node", "server.js"]', "uvicorn missing:app", "", "make run"])
def test_a_command_that_names_nothing_known_leaves_what_the_image_copies(command: str) -> None:
    exact, files = closure_of(f"CMD {command}", "main.py")
    assert not exact
    assert files == {path for path in FILES if path.endswith(".py")}
