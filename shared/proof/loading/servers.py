"""The programs that load a Python application, the arguments that name it, and where alembic keeps its migrations.

A parser returns a `LoadTarget` for the words behind the program's name, or None where the words name none.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

_APPLICATION = re.compile(r"[A-Za-z_][\w.]{0,200}+:[A-Za-z_][\w.]{0,200}+(?:\(.*\))?", re.DOTALL)
_MODULE = re.compile(r"[A-Za-z_]\w{0,100}+(?:\.[A-Za-z_]\w{0,100}+){0,20}+")
_VALUELESS_OPTIONS = frozenset(
    {
        "--reload",
        "--preload",
        "--preload-app",
        "-D",
        "--daemon",
        "--factory",
        "--proxy-headers",
        "--no-proxy-headers",
        "--access-log",
        "-q",
        "--no-access-log",
        "--use-colors",
        "--no-use-colors",
        "--server-header",
        "--no-server-header",
        "--date-header",
        "--no-date-header",
        "-R",
        "--enable-stdio-inheritance",
        "--capture-output",
        "--spew",
        "--check-config",
        "--debug",
        "--call",
        "--no-call",
        "--no-sendfile",
        "--reuse-port",
        "--insecure",
        "--dev",
        "--fast",
        "--single-process",
        "--auto-reload",
        "-B",
        "--beat",
        "--headless",
        "--verbose",
        "-v",
        "--lazy",
        "--master",
        "--enable-threads",
        "--die-on-term",
        "--vacuum",
        "--no-input",
        "--noinput",
    }
)


@dataclass(frozen=True, slots=True)
class LoadTarget:
    """Paths are below `folder`, which is below the working directory.

    `alternative_files`: the first of them that exists is loaded. `optional_files`: loaded where they exist. `folders`:
    every Python file in them is loaded. `roots`: import roots besides `folder`.
    """

    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folder: str = "."
    roots: tuple[str, ...] = ()
    optional_files: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    alternative_files: tuple[str, ...] = ()


TargetParser = Callable[[Sequence[str], Mapping[str, str]], LoadTarget | None]


def get_option(words: Sequence[str], *names: str) -> str:
    """The value of the last such option: `--name value`, `--name=value`, `-n value`; "" without one."""
    value = ""
    for index, word in enumerate(words):
        if word in names and index + 1 < len(words):
            value = words[index + 1]
        for name in names:
            if name.startswith("--") and word.startswith(name + "="):
                value = word[len(name) + 1 :]
    return value


def find_application(words: Sequence[str]) -> str:
    """The word that names the application: `package.module:name`, else the first that is no option nor its value."""
    applications = [word for word in words if _APPLICATION.fullmatch(word)]
    return applications[0] if applications else next(iter(list_positionals(words)), "")


def list_positionals(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    values: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = "=" not in word and word not in _VALUELESS_OPTIONS
        else:
            values.append(word)
    return values


def parse_module_target(spec: str) -> LoadTarget | None:
    """`package.module:name`, `package/module.py:name` or `package/module.py`."""
    module = spec.partition(":")[0]
    if module.endswith(".py"):
        return LoadTarget(files=(module,))
    module = module.replace("/", ".")
    return LoadTarget(modules=(module,)) if _MODULE.fullmatch(module) else None


def _parse_plain(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    target = parse_module_target(find_application(words))
    folder = get_option(words, "--app-dir", "--chdir", "--working-dir", "--workdir")
    return replace(target, folder=folder) if target and folder else target


def _parse_uvicorn(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    spec = find_application(words) or variables.get("UVICORN_APP", "")
    target = parse_module_target(spec)
    folder = get_option(words, "--app-dir")
    return replace(target, roots=(folder,)) if target and folder else target


def _parse_gunicorn(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    given = [*split_shell_words(variables.get("GUNICORN_CMD_ARGS", "")), *words]
    config = get_option(given, "-c", "--config").removeprefix("file:")
    target = parse_module_target(
        find_application(words) or variables.get("WSGI_APP", "") or variables.get("APP_MODULE", "")
    )
    if not target:  # the configuration may name it: `wsgi_app = "main:app"`
        return LoadTarget(files=(config or "gunicorn.conf.py",))
    folder = get_option(given, "--chdir") or "."
    roots = tuple(get_option(given, "--pythonpath").split(",")) if get_option(given, "--pythonpath") else ()
    read = () if config.startswith("python:") else (config or "gunicorn.conf.py",)
    outside = tuple(
        posixpath.relpath(path, folder) if not path.startswith("/") and folder[:1] != "/" else path for path in read
    )
    modules = (*target.modules, config.removeprefix("python:")) if config.startswith("python:") else target.modules
    classes = (get_option(given, "-k", "--worker-class"), get_option(given, "--logger-class"))
    modules += tuple(name.rpartition(".")[0] for name in classes if "." in name)
    return replace(target, modules=modules, folder=folder, roots=roots, optional_files=outside)


def split_shell_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _parse_celery(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    spec = get_option(words, "-A", "--app") or next((w[2:] for w in words if w.startswith("-A") and len(w) > 2), "")
    target = parse_module_target(spec or variables.get("CELERY_APP", ""))
    if not target or not target.modules:
        return target
    folder = get_option(words, "--workdir") or "."
    module = target.modules[0]
    included = tuple(filter(None, get_option(words, "-I", "--include").split(",")))
    holder = tuple(filter(None, (module.rpartition(".")[0],)))  # the last name may be what the module holds
    return LoadTarget(modules=(module, f"{module}.celery", *holder, *included), folder=folder)


def parse_flask_target(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    """`flask --app x run`, `FLASK_APP`, else `wsgi.py` or `app.py`."""
    if not {"run", "db", "shell"} & set(words):
        return None
    spec = get_option(words, "--app", "-A") or variables.get("FLASK_APP", "")
    target = parse_module_target(spec) if spec else LoadTarget(alternative_files=("wsgi.py", "app.py"))
    return replace(target, folders=("migrations", "migrations/versions")) if target and "db" in words else target


def _parse_fastapi(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    if not {"run", "dev"} & set(words):
        return None
    spec = get_option(words, "--entrypoint", "-e")
    if spec:
        return parse_module_target(spec)
    given = [word for word in list_positionals(words) if word not in {"run", "dev"}]
    if given:
        return LoadTarget(alternative_files=(given[0], *(f"{given[0]}/{name}.py" for name in ("main", "app", "api"))))
    names = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
    return LoadTarget(alternative_files=names)


def _parse_functions_framework(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    source = get_option(words, "--source") or variables.get("FUNCTION_SOURCE", "") or "main.py"
    return LoadTarget(files=(source,))


def _parse_streamlit(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    given = [word for word in list_positionals(words) if word.endswith(".py")]
    if not given:
        return LoadTarget(files=("streamlit_app.py",)) if "run" in words else None
    return LoadTarget(files=(given[0],), folders=(posixpath.join(posixpath.dirname(given[0]), "pages"),))


def _parse_locust(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    file = get_option(words, "-f", "--locustfile") or variables.get("LOCUST_LOCUSTFILE", "")
    return LoadTarget(files=(file or "locustfile.py",))


def _parse_script(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    given = [word for word in words if word.partition(":")[0].endswith(".py")]
    return (
        parse_module_target(given[0]) if given else _parse_plain([w for w in words if w not in {"run", "worker"}], {})
    )


def _parse_uwsgi(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    file = get_option(words, "--wsgi-file", "--file")
    folder = get_option(words, "--chdir") or "."
    roots = tuple(filter(None, (get_option(words, "--pythonpath", "--pp"),)))
    module = get_option(words, "--module", "-w", "--wsgi")
    target = LoadTarget(files=(file,)) if file else parse_module_target(module) if module else None
    return replace(target, folder=folder, roots=roots) if target else None


def _parse_worker_class(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    """`arq worker.WorkerSettings`, `huey_consumer tasks.huey`: the last name is what the module holds."""
    given = next(iter(list_positionals(words)), "")
    module = given.rpartition(".")[0]
    return LoadTarget(modules=(module,)) if _MODULE.fullmatch(module) else None


def _parse_modules(words: Sequence[str], _: Mapping[str, str]) -> LoadTarget | None:
    given = tuple(word.partition(":")[0] for word in list_positionals(words))
    modules = tuple(word for word in given if _MODULE.fullmatch(word))
    return LoadTarget(modules=modules) if modules else None


def _parse_application_option(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    spec = get_option(words, "--app", "-A") or variables.get("LITESTAR_APP", "")
    return (
        parse_module_target(spec)
        if spec
        else LoadTarget(alternative_files=("app.py", "asgi.py", "application.py", "main.py"))
    )


def _parse_django(words: Sequence[str], variables: Mapping[str, str]) -> LoadTarget | None:
    settings = get_option(words, "--settings") or variables.get("DJANGO_SETTINGS_MODULE", "")
    roots = tuple(filter(None, (get_option(words, "--pythonpath"),)))
    return LoadTarget(modules=(settings,), roots=roots) if _MODULE.fullmatch(settings) else None


SERVERS: Mapping[str, TargetParser] = {
    "uvicorn": _parse_uvicorn,
    "gunicorn": _parse_gunicorn,
    **dict.fromkeys(
        ("hypercorn", "daphne", "granian", "sanic", "waitress-serve", "bjoern", "aiohttp.web"), _parse_plain
    ),
    "celery": _parse_celery,
    "flask": parse_flask_target,
    "fastapi": _parse_fastapi,
    "functions-framework": _parse_functions_framework,
    "streamlit": _parse_streamlit,
    **dict.fromkeys(("chainlit", "gradio", "panel", "faststream", "taskiq", "robyn", "mesop", "marimo"), _parse_script),
    "uwsgi": _parse_uwsgi,
    "locust": _parse_locust,
    **dict.fromkeys(("arq", "huey_consumer", "huey_consumer.py", "huey-consumer"), _parse_worker_class),
    "dramatiq": _parse_modules,
    "litestar": _parse_application_option,
    "django-admin": _parse_django,
}


_LOCATION = re.compile(
    r"^script_location[ \t]{0,20}+=[ \t]{0,20}+[\"']?(?:%\(here\)s/)?([^\r\n\"';#]{1,400}+)", re.MULTILINE
)


def find_migration_folder(read_text: Callable[[str], str], folder: str, settings_file: str = "alembic.ini") -> str:
    """The folder with `env.py` and `versions`, as the settings name it."""
    text = read_text(posixpath.join(folder, settings_file)) + read_text(posixpath.join(folder, "pyproject.toml"))
    match = _LOCATION.search(text)
    return posixpath.normpath(posixpath.join(folder, match[1].strip() if match else "alembic"))
