"""Tracebacks of servers that could not load a ferry company's application, and of WebSockets that it failed.

The frames of the servers are as they print them; the application does not exist.
"""

FROZEN = '  File "<frozen importlib._bootstrap>", line 1176, in _find_and_load\n'
HEADER = "Traceback (most recent call last):\n"
_LIBRARY = "/usr/local/lib/python3.11"
PACKAGES = f"{_LIBRARY}/site-packages"

GUNICORN = (
    f'  File "{PACKAGES}/gunicorn/arbiter.py", line 608, in spawn_worker\n    worker.init_process()\n'
    f'  File "{PACKAGES}/gunicorn/workers/base.py", line 135, in init_process\n    self.load_wsgi()\n'
    f'  File "{PACKAGES}/gunicorn/util.py", line 371, in import_app\n    mod = importlib.import_module(module)\n'
    f'  File "{_LIBRARY}/importlib/__init__.py", line 126, in import_module\n'
)
UVICORN = (
    '  File "/usr/local/bin/uvicorn", line 8, in <module>\n    sys.exit(main())\n'
    f'  File "{PACKAGES}/click/core.py", line 1157, in __call__\n    return self.main(*args, **kwargs)\n'
    f'  File "{PACKAGES}/uvicorn/main.py", line 587, in run\n    server.run()\n'
    f'  File "{PACKAGES}/uvicorn/server.py", line 61, in run\n    return asyncio.run(self.serve(sockets=sockets))\n'
    f'  File "{_LIBRARY}/asyncio/base_events.py", line 653, in run_until_complete\n    return future.result()\n'
    f'  File "{PACKAGES}/uvicorn/importer.py", line 19, in import_from_string\n'
    f'  File "{_LIBRARY}/importlib/__init__.py", line 126, in import_module\n'
)
SPAWNED = (
    f'  File "{_LIBRARY}/multiprocessing/process.py", line 314, in _bootstrap\n    self.run()\n'
    f'  File "{PACKAGES}/uvicorn/_subprocess.py", line 80, in subprocess_started\n    target(sockets=sockets)\n'
)
FUNCTIONS_FRAMEWORK = (
    '  File "/layers/google.python.pip/pip/bin/functions-framework", line 8, in <module>\n    sys.exit(_cli())\n'
    f'  File "{PACKAGES}/functions_framework/__init__.py", line 387, in create_app\n'
)
CELERY = (
    '  File "/usr/local/bin/celery", line 8, in <module>\n    sys.exit(main())\n'
    f'  File "{PACKAGES}/celery/app/utils.py", line 384, in find_app\n    sym = symbol_by_name(app, imp=imp)\n'
)
RUN_AS_MODULE = '  File "<frozen runpy>", line 198, in _run_module_as_main\n'
MODULE_LEVEL = (
    f'{FROZEN}  File "/app/ferry/main.py", line 4, in <module>\n    from ferry import settings\n'
    '  File "/app/ferry/settings.py", line 9, in <module>\n    BERTHS = read_berths()\n'
)
CALLED = '  File "/app/ferry/settings.py", line 21, in read_berths\n    return os.environ["BERTHS"]\n'
KEY_ERROR = "  File \"<frozen os>\", line 679, in __getitem__\nKeyError: 'BERTHS'\n"

LOADERS = (GUNICORN, UVICORN, SPAWNED + UVICORN, FUNCTIONS_FRAMEWORK, CELERY, RUN_AS_MODULE, "")
"""What stands above the service's own frames; "" for a start file that Python runs itself."""

OWN_WEBSOCKET = (
    '  File "/app/ferry/socket.py", line 31, in berth\n    lamp(await socket.receive_text())\n'
    '  File "/app/ferry/lamps.py", line 12, in lamp\n    return lamps["red"]\nKeyError: \'red\'\n'
)
_ASGI = (
    f'  File "{PACKAGES}/fastapi/applications.py", line 1054, in __call__\n'
    "    await super().__call__(scope, receive, send)\n"
    f'  File "{PACKAGES}/starlette/routing.py", line 363, in handle\n    await self.app(scope, receive, send)\n'
)
ROUTED = (
    _ASGI + f'  File "{PACKAGES}/fastapi/routing.py", line 201, in app\n'
    "    await wrap_app_handling_exceptions(app, session)(scope, receive, send)\n"
)
ROUTED_REQUEST = _ASGI + (
    f'  File "{PACKAGES}/fastapi/routing.py", line 175, in app\n'
    "    await wrap_app_handling_exceptions(app, request)(scope, receive, send)\n"
)


def uvicorn_protocol(implementation: str) -> str:
    """The outermost frame of what uvicorn logs; `websockets/wsproto_impl`, `http/h11_impl`."""
    return (
        f'  File "{PACKAGES}/uvicorn/protocols/{implementation}.py", line 244, in run_asgi\n'
        "    result = await self.app(self.scope, self.asgi_receive, self.asgi_send)\n"
    )
