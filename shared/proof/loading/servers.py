"""The programs that load a Python application, and how each is told which one.

In: the words behind the program's name, and the environment. Out: a `Target`, None where the words name none.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

_APPLICATION = re.compile(r"[A-Za-z_][\w.]{0,200}+:[A-Za-z_][\w.]{0,200}+(?:\(.*\))?", re.DOTALL)
_MODULE = re.compile(r"[A-Za-z_]\w{0,100}+(?:\.[A-Za-z_]\w{0,100}+){0,20}+")
_FLAGS = frozenset(
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

NO_RUNNERS = frozenset(
    {"echo", "printf", "which", "type", "hash", "test", "[", "[[", "pip", "pip3", "pipx", "apt", "apt-get", "apk"}
    | {"yum", "dnf", "pkill", "killall", "kill", "pgrep", "rm", "cp", "mv", "ln", "mkdir", "touch", "chmod", "chown"}
    | {
        "cat",
        "grep",
        "sed",
        "awk",
        "tee",
        "ls",
        "set",
        "unset",
        "trap",
        "sleep",
        "wait",
        "exit",
        "return",
        "node",
        "npm",
    }
)
"""Programs that run no other command: what stands behind them starts nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """Paths are below `folder`, which is below the working directory.

    `first`: the first of these files that exists is loaded. `optional`: loaded where they exist. `folders`: every
    Python file in them is loaded. `roots`: import roots besides `folder`.
    """

    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    folder: str = "."
    roots: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


Reader = Callable[[Sequence[str], Mapping[str, str]], Target | None]


def option(words: Sequence[str], *names: str) -> str:
    """The value of the last such option: `--name value`, `--name=value`, `-n value`; "" without one."""
    found = ""
    for place, word in enumerate(words):
        if word in names and place + 1 < len(words):
            found = words[place + 1]
        for name in names:
            if name.startswith("--") and word.startswith(name + "="):
                found = word[len(name) + 1 :]
    return found


def application(words: Sequence[str]) -> str:
    """The word that names the application: `package.module:name`, else the first that is no option nor its value."""
    found = [word for word in words if _APPLICATION.fullmatch(word)]
    return found[0] if found else next(iter(positional(words)), "")


def positional(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = "=" not in word and word not in _FLAGS
        else:
            found.append(word)
    return found


def module_target(spec: str) -> Target | None:
    """`package.module:name`, `package/module.py:name` or `package/module.py`."""
    module = spec.partition(":")[0]
    if module.endswith(".py"):
        return Target(files=(module,))
    module = module.replace("/", ".")
    return Target(modules=(module,)) if _MODULE.fullmatch(module) else None


def _plain(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    target = module_target(application(words))
    folder = option(words, "--app-dir", "--chdir", "--working-dir", "--workdir")
    return replace(target, folder=folder) if target and folder else target


def _uvicorn(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    spec = application(words) or variables.get("UVICORN_APP", "")
    target = module_target(spec)
    folder = option(words, "--app-dir")
    return replace(target, roots=(folder,)) if target and folder else target


def _gunicorn(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    given = [*shlex_words(variables.get("GUNICORN_CMD_ARGS", "")), *words]
    config = option(given, "-c", "--config").removeprefix("file:")
    target = module_target(application(words) or variables.get("WSGI_APP", "") or variables.get("APP_MODULE", ""))
    if not target:  # the configuration may name it: `wsgi_app = "main:app"`
        return Target(files=(config or "gunicorn.conf.py",))
    folder = option(given, "--chdir") or "."
    roots = tuple(option(given, "--pythonpath").split(",")) if option(given, "--pythonpath") else ()
    read = () if config.startswith("python:") else (config or "gunicorn.conf.py",)
    outside = tuple(
        posixpath.relpath(path, folder) if not path.startswith("/") and folder[:1] != "/" else path for path in read
    )
    modules = (*target.modules, config.removeprefix("python:")) if config.startswith("python:") else target.modules
    classes = (option(given, "-k", "--worker-class"), option(given, "--logger-class"))
    modules += tuple(each.rpartition(".")[0] for each in classes if "." in each)
    return replace(target, modules=modules, folder=folder, roots=roots, optional=outside)


def shlex_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _celery(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    spec = option(words, "-A", "--app") or next((w[2:] for w in words if w.startswith("-A") and len(w) > 2), "")
    target = module_target(spec or variables.get("CELERY_APP", ""))
    if not target or not target.modules:
        return target
    folder = option(words, "--workdir") or "."
    module = target.modules[0]
    included = tuple(filter(None, option(words, "-I", "--include").split(",")))
    holder = tuple(filter(None, (module.rpartition(".")[0],)))  # the last name may be what the module holds
    return Target(modules=(module, f"{module}.celery", *holder, *included), folder=folder)


def flask_target(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    """`flask --app x run`, `FLASK_APP`, else `wsgi.py` or `app.py`."""
    if not {"run", "db", "shell"} & set(words):
        return None
    spec = option(words, "--app", "-A") or variables.get("FLASK_APP", "")
    target = module_target(spec) if spec else Target(first=("wsgi.py", "app.py"))
    return replace(target, folders=("migrations", "migrations/versions")) if target and "db" in words else target


def _fastapi(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    if not {"run", "dev"} & set(words):
        return None
    spec = option(words, "--entrypoint", "-e")
    if spec:
        return module_target(spec)
    given = [word for word in positional(words) if word not in {"run", "dev"}]
    if given:
        return Target(first=(given[0], *(f"{given[0]}/{name}.py" for name in ("main", "app", "api"))))
    names = ("main.py", "app.py", "api.py", "app/main.py", "app/app.py", "app/api.py")
    return Target(first=names)


def _functions(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    source = option(words, "--source") or variables.get("FUNCTION_SOURCE", "") or "main.py"
    return Target(files=(source,))


def _streamlit(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    given = [word for word in positional(words) if word.endswith(".py")]
    if not given:
        return Target(files=("streamlit_app.py",)) if "run" in words else None
    return Target(files=(given[0],), folders=(posixpath.join(posixpath.dirname(given[0]), "pages"),))


def _locust(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    file = option(words, "-f", "--locustfile") or variables.get("LOCUST_LOCUSTFILE", "")
    return Target(files=(file or "locustfile.py",))


def _script(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    given = [word for word in words if word.partition(":")[0].endswith(".py")]
    return module_target(given[0]) if given else _plain([w for w in words if w not in {"run", "worker"}], {})


def _uwsgi(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    file = option(words, "--wsgi-file", "--file")
    folder = option(words, "--chdir") or "."
    roots = tuple(filter(None, (option(words, "--pythonpath", "--pp"),)))
    module = option(words, "--module", "-w", "--wsgi")
    target = Target(files=(file,)) if file else module_target(module) if module else None
    return replace(target, folder=folder, roots=roots) if target else None


def _worker_class(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    """`arq worker.WorkerSettings`, `huey_consumer tasks.huey`: the last name is what the module holds."""
    given = next(iter(positional(words)), "")
    module = given.rpartition(".")[0]
    return Target(modules=(module,)) if _MODULE.fullmatch(module) else None


def _modules(words: Sequence[str], _: Mapping[str, str]) -> Target | None:
    given = tuple(word.partition(":")[0] for word in positional(words))
    found = tuple(word for word in given if _MODULE.fullmatch(word))
    return Target(modules=found) if found else None


def _application_option(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    spec = option(words, "--app", "-A") or variables.get("LITESTAR_APP", "")
    return module_target(spec) if spec else Target(first=("app.py", "asgi.py", "application.py", "main.py"))


def _django(words: Sequence[str], variables: Mapping[str, str]) -> Target | None:
    settings = option(words, "--settings") or variables.get("DJANGO_SETTINGS_MODULE", "")
    roots = tuple(filter(None, (option(words, "--pythonpath"),)))
    return Target(modules=(settings,), roots=roots) if _MODULE.fullmatch(settings) else None


SERVERS: Mapping[str, Reader] = {
    "uvicorn": _uvicorn,
    "gunicorn": _gunicorn,
    **dict.fromkeys(("hypercorn", "daphne", "granian", "sanic", "waitress-serve", "bjoern", "aiohttp.web"), _plain),
    "celery": _celery,
    "flask": flask_target,
    "fastapi": _fastapi,
    "functions-framework": _functions,
    "streamlit": _streamlit,
    **dict.fromkeys(("chainlit", "gradio", "panel", "faststream", "taskiq", "robyn", "mesop", "marimo"), _script),
    "uwsgi": _uwsgi,
    "locust": _locust,
    **dict.fromkeys(("arq", "huey_consumer", "huey_consumer.py", "huey-consumer"), _worker_class),
    "dramatiq": _modules,
    "litestar": _application_option,
    "django-admin": _django,
}
