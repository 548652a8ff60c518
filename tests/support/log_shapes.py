"""Logs of one failure in the shapes in which frameworks and loggers write it: invented texts, all of one lamp.

Each shape has a name; what is to be read from it stands in the test.
"""
# ruff: noqa: E501

import json

PACKAGES = "/usr/local/lib/python3.13/site-packages"
HEADER = "Traceback (most recent call last):\n"
OWN = '  File "/app/harbour/berths.py", line 41, in moor\n    lamp = lamps[name]\n           ~~~~~^^^^^^\n'
SOCKET = f'  File "{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py", line 244, in run_asgi\n    result = await self.app(self.scope, self.asgi_receive, self.asgi_send)  # type: ignore[func-returns-value]\n             ^^^^^^^^^^^^^^^^^^^^\n  File "{PACKAGES}/starlette/routing.py", line 76, in app\n    await wrap_app_handling_exceptions(app, session)(scope, receive, send)\n'
REQUEST = (
    f'  File "{PACKAGES}/uvicorn/protocols/http/httptools_impl.py", line 409, in run_asgi\n    result = await app(\n'
)
LAST = "KeyError: 'red'"
SHAPES: dict[str, str] = {}
SHAPES["loguru"] = f"""2026-03-01 03:43:43.123 | ERROR    | harbour.main:socket:88 - socket failed
Traceback (most recent call last):

  File "/usr/local/bin/uvicorn", line 8, in <module>
    sys.exit(main())
    │   │    └ <Command main>
    │   └ <built-in function exit>
    └ <module 'sys' (built-in)>

  File "{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py", line 244, in run_asgi
    result = await self.app(self.scope, self.asgi_receive, self.asgi_send)
                   │    │   │    │      │    │             │    └ <function>
> File "/app/harbour/berths.py", line 41, in moor
    lamp = lamps[name]
           │     └ 'red'
           └ {{'green': 1}}

KeyError: 'red'
2026-03-01 03:43:44.123 | INFO     | harbour.main:socket:90 - WebSocket closed with code 1011"""
SHAPES[
    "loguru start"
] = """2026-03-01 03:43:43.123 | ERROR    | __main__:<module>:12 - An error has been caught in function '<module>', process 'MainProcess' (1), thread 'MainThread' (139):
Traceback (most recent call last):

> File "/app/main.py", line 12, in <module>
    run()
    └ <function run at 0x7f>

  File "/app/harbour/berths.py", line 4, in run
    from harbour import tides

ImportError: cannot import name 'tides' from 'harbour' (/app/harbour/__init__.py)"""
SHAPES[
    "rich box"
] = """╭─────────────────────────────── Traceback (most recent call last) ────────────────────────────────╮
│ /app/harbour/berths.py:41 in moor                                                                │
│                                                                                                  │
│   38 async def moor(socket: WebSocket, name: str) -> None:                                       │
│   39     await socket.accept()                                                                   │
│   40     # the lamp                                                                              │
│ ❱ 41     lamp = lamps[name]                                                                      │
│   42                                                                                             │
│ ╭──── locals ────╮                                                                               │
│ │ name = 'red'   │                                                                               │
│ ╰────────────────╯                                                                               │
╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
KeyError: 'red'
WebSocket /ws closed: code=1011"""
SHAPES[
    "rich start"
] = """╭─────────────────────────────── Traceback (most recent call last) ────────────────────────────────╮
│ /app/main.py:3 in <module>                                                                       │
│                                                                                                  │
│   1 import asyncio                                                                               │
│   2                                                                                              │
│ ❱ 3 from harbour import tides                                                                    │
│   4                                                                                              │
╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
ImportError: cannot import name 'tides' from 'harbour' (/app/harbour/__init__.py)
Container called exit(1)."""
SHAPES["py313 colour"] = (
    "\x1b[31mERROR\x1b[0m:    Exception in ASGI application\nTraceback (most recent call last):\n"
    + f'  File \x1b[35m"{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py"\x1b[0m, line \x1b[35m244\x1b[0m, in \x1b[35mrun_asgi\x1b[0m\n    result = await \x1b[1;31mself.app\x1b[0m\n  File \x1b[35m"/app/harbour/berths.py"\x1b[0m, line \x1b[35m41\x1b[0m, in \x1b[35mmoor\x1b[0m\n    lamp = \x1b[31mlamps\x1b[0m\x1b[1;31m[name]\x1b[0m\n           \x1b[31m~~~~~\x1b[0m\x1b[1;31m^^^^^^\x1b[0m\n\x1b[1;35mKeyError\x1b[0m: \x1b[35m\'red\'\x1b[0m'
)
SHAPES["group"] = (
    "ERROR:    Exception in ASGI application\n  + Exception Group Traceback (most recent call last):\n"
    + "".join("  | " + line + "\n" for line in SOCKET.splitlines())
    + "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n"
    + "".join("    | " + line + "\n" for line in OWN.splitlines())
    + "    | KeyError: 'red'\n    +------------------------------------"
)
SHAPES["uvicorn ws"] = (
    f"ERROR:    Exception in ASGI application\n{HEADER}{SOCKET}{OWN}{LAST}\nINFO:     connection closed"
)
SHAPES["uvicorn http"] = f"ERROR:    Exception in ASGI application\n{HEADER}{REQUEST}{OWN}{LAST}"
SHAPES["websockets"] = (
    f'ERROR:websockets.server:connection handler failed\n{HEADER}  File "{PACKAGES}/websockets/asyncio/server.py", line 376, in conn_handler\n    await self.handler(connection)\n{OWN}{LAST}'
)
SHAPES["websockets closed"] = (
    f'connection handler failed\n{HEADER}  File "{PACKAGES}/websockets/asyncio/server.py", line 376, in conn_handler\n    await self.handler(connection)\n  File "/app/harbour/berths.py", line 41, in moor\n    message = await socket.recv()\n  File "{PACKAGES}/websockets/asyncio/connection.py", line 322, in recv\n    raise self.protocol.close_exc from self.recv_exc\nwebsockets.exceptions.ConnectionClosedError: received 1011 (internal error) upstream model unavailable; then sent 1011 (internal error) upstream model unavailable'
)
SHAPES["aiohttp"] = (
    f'ERROR:aiohttp.server:Error handling request from 10.0.0.1\n{HEADER}  File "{PACKAGES}/aiohttp/web_protocol.py", line 510, in _handle_request\n    resp = await request_handler(request)\n  File "{PACKAGES}/aiohttp/web_app.py", line 569, in _handle\n    return await handler(request)\n  File "/app/harbour/berths.py", line 41, in socket_handler\n    ws = web.WebSocketResponse()\n    async for message in ws:\n{LAST}'
)
SHAPES["aiohttp ws"] = (
    f'Error handling request\n{HEADER}  File "{PACKAGES}/aiohttp/web_protocol.py", line 510, in _handle_request\n    resp = await request_handler(request)\n  File "/app/harbour/berths.py", line 41, in berth_socket\n    await ws.send_json(lamps[name])\n  File "{PACKAGES}/aiohttp/web_ws.py", line 414, in send_json\n    await self.send_str(dumps(data), compress=compress)\nTypeError: Object of type Lamp is not JSON serializable'
)
SHAPES["aiohttp code"] = "closing socket with WSCloseCode.INTERNAL_ERROR"
SHAPES["ws name"] = "websocket closed by handler: WS_1011_INTERNAL_ERROR"
SHAPES["ws name2"] = "closing connection, code=status.WS_1011_INTERNAL_ERROR"
SHAPES["ws name src"] = "    await websocket.close(code=status.WS_1011_INTERNAL_ERROR)"
SHAPES["daphne"] = (
    f'2026-03-01 03:43:43,123 ERROR    Exception inside application: \'red\'\n{HEADER}  File "{PACKAGES}/channels/staticfiles.py", line 44, in __call__\n    return await self.application(scope, receive, send)\n  File "{PACKAGES}/channels/consumer.py", line 58, in __call__\n    await await_many_dispatch(\n  File "{PACKAGES}/channels/utils.py", line 57, in await_many_dispatch\n    await task\n  File "{PACKAGES}/channels/generic/websocket.py", line 193, in websocket_receive\n    await self.receive(text_data=message["text"])\n{OWN}{LAST}'
)
SHAPES["daphne ws"] = (
    f'ERROR    Exception inside application: \'red\'\n{HEADER}  File "{PACKAGES}/channels/consumer.py", line 58, in __call__\n    await await_many_dispatch(\n  File "{PACKAGES}/channels/utils.py", line 57, in await_many_dispatch\n    await task\n{OWN}{LAST}'
)
SHAPES["daphne disconnect"] = "WebSocket DISCONNECT /ws/berths/ [10.0.0.1:51234]"
SHAPES["socketio"] = (
    f"ERROR:asyncio:Task exception was never retrieved\nfuture: <Task finished name='Task-17' coro=<AsyncServer._handle_event_internal() done, defined at {PACKAGES}/socketio/async_server.py:606> exception=KeyError('red')>\n{HEADER}  File \"{PACKAGES}/socketio/async_server.py\", line 612, in _handle_event_internal\n    r = await server._trigger_event(data[0], namespace, sid, *data[1:])\n  File \"{PACKAGES}/socketio/async_server.py\", line 634, in _trigger_event\n    ret = await handler(*args)\n{OWN}{LAST}"
)
SHAPES["socketio threading"] = (
    f'Exception in thread Thread-9 (_handle_event_internal):\n{HEADER}  File "/usr/local/lib/python3.13/threading.py", line 1041, in _bootstrap_inner\n    self.run()\n  File "{PACKAGES}/socketio/server.py", line 590, in _handle_event_internal\n    r = server._trigger_event(data[0], namespace, sid, *data[1:])\n{OWN}{LAST}'
)
SHAPES["engineio"] = (
    f'engineio.server - ERROR - message handler error\n{HEADER}  File "{PACKAGES}/engineio/async_server.py", line 505, in run_async_handler\n    return await self.handlers[event](*args)\n{OWN}{LAST}'
)
SHAPES["engineio msg"] = "ERROR:engineio.server:post request handler error"
SHAPES["hypercorn"] = (
    f'[2026-03-01 03:43:43 +0000] [7] [ERROR] Error in ASGI Framework\n{HEADER}  File "{PACKAGES}/hypercorn/asyncio/task_group.py", line 27, in _handle\n    await app(scope, receive, send, sync_spawn, call_soon)\n  File "{PACKAGES}/quart/app.py", line 1370, in full_dispatch_websocket\n    result = await self.dispatch_websocket(websocket_context)\n{OWN}{LAST}'
)
SHAPES["quart"] = (
    f'[2026-03-01 03:43:43,123] ERROR in app: Exception on websocket /ws\n{HEADER}  File "{PACKAGES}/quart/app.py", line 1345, in handle_websocket\n    return await self.full_dispatch_websocket(websocket_context)\n{OWN}{LAST}'
)
SHAPES["hypercorn fastapi"] = (
    f'[2026-03-01 03:43:43 +0000] [7] [ERROR] Error in ASGI Framework\n{HEADER}  File "{PACKAGES}/hypercorn/asyncio/task_group.py", line 27, in _handle\n    await app(scope, receive, send, sync_spawn, call_soon)\n  File "{PACKAGES}/starlette/routing.py", line 76, in app\n    await wrap_app_handling_exceptions(app, session)(scope, receive, send)\n{OWN}{LAST}'
)
SHAPES["gunicorn uvw"] = (
    f"[2026-03-01 03:43:43 +0000] [8] [ERROR] Exception in ASGI application\n{HEADER}{SOCKET}{OWN}{LAST}"
)
SHAPES["gunicorn boot"] = (
    f'[2026-03-01 03:43:43 +0000] [8] [ERROR] Exception in worker process\n{HEADER}  File "{PACKAGES}/gunicorn/arbiter.py", line 608, in spawn_worker\n    worker.init_process()\n  File "{PACKAGES}/uvicorn/workers.py", line 75, in init_process\n    super().init_process()\n  File "{PACKAGES}/gunicorn/util.py", line 371, in import_app\n    mod = importlib.import_module(module)\n  File "/app/main.py", line 3, in <module>\n    from harbour import tides\nImportError: cannot import name \'tides\' from \'harbour\' (/app/harbour/__init__.py)\n[2026-03-01 03:43:44 +0000] [8] [INFO] Worker exiting (pid: 8)\n[2026-03-01 03:43:44 +0000] [1] [ERROR] Worker (pid:8) exited with code 3\n[2026-03-01 03:43:44 +0000] [1] [ERROR] Shutting down: Master\n[2026-03-01 03:43:44 +0000] [1] [ERROR] Reason: Worker failed to boot.'
)
SHAPES["starlette close"] = "DEBUG:    > CLOSE 1011 (internal error) [2 bytes]"
SHAPES["starlette close json"] = json.dumps(
    {
        "severity": "ERROR",
        "message": "asgi",
        "event": {"type": "websocket.close", "code": 1011, "reason": "lamp is broken"},
    }
)
SHAPES["starlette close dict"] = "sending {'type': 'websocket.close', 'code': 1011, 'reason': ''}"
SHAPES["structlog json"] = json.dumps(
    {
        "event": "socket failed",
        "level": "error",
        "exception": [
            {
                "exc_type": "KeyError",
                "exc_value": "'red'",
                "syntax_error": None,
                "is_cause": False,
                "frames": [
                    {
                        "filename": f"{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py",
                        "lineno": 244,
                        "name": "run_asgi",
                        "line": "",
                        "locals": {},
                    },
                    {
                        "filename": "/app/harbour/berths.py",
                        "lineno": 41,
                        "name": "moor",
                        "line": "",
                        "locals": {"name": "'red'"},
                    },
                ],
            }
        ],
        "timestamp": "2026-03-01T03:43:43Z",
    }
)
SHAPES["structlog console"] = (
    f"2026-03-01T03:43:43.123Z [error    ] socket failed                  [harbour.main] close_code=1011\n{HEADER}{SOCKET}{OWN}{LAST}"
)
SHAPES["json logger"] = json.dumps(
    {
        "message": "Exception in ASGI application",
        "levelname": "ERROR",
        "name": "uvicorn.error",
        "exc_info": f"{HEADER}{SOCKET}{OWN}{LAST}",
    }
)
SHAPES["otel"] = json.dumps(
    {
        "body": "socket failed",
        "severityText": "ERROR",
        "attributes": {
            "exception.type": "KeyError",
            "exception.message": "'red'",
            "exception.stacktrace": f"{HEADER}{SOCKET}{OWN}{LAST}",
        },
        "resource": {"service.name": "harbour"},
    }
)
SHAPES["otel event"] = json.dumps(
    {
        "name": "websocket",
        "events": [
            {
                "name": "exception",
                "attributes": {
                    "exception.type": "KeyError",
                    "exception.message": "'red'",
                    "exception.stacktrace": f"{HEADER}{SOCKET}{OWN}{LAST}",
                },
            }
        ],
    }
)
SHAPES["sentry"] = json.dumps(
    {
        "level": "error",
        "exception": {
            "values": [
                {
                    "type": "KeyError",
                    "value": "'red'",
                    "mechanism": {"type": "asgi", "handled": False},
                    "stacktrace": {
                        "frames": [
                            {
                                "filename": "uvicorn/protocols/websockets/websockets_impl.py",
                                "abs_path": f"{PACKAGES}/uvicorn/protocols/websockets/websockets_impl.py",
                                "lineno": 244,
                                "function": "run_asgi",
                                "in_app": False,
                            },
                            {
                                "filename": "harbour/berths.py",
                                "abs_path": "/app/harbour/berths.py",
                                "lineno": 41,
                                "function": "moor",
                                "context_line": "    lamp = lamps[name]",
                                "in_app": True,
                            },
                        ]
                    },
                }
            ]
        },
    }
)
SHAPES["datadog"] = json.dumps(
    {
        "status": "error",
        "message": "Exception in ASGI application",
        "dd.trace_id": "17",
        "error": {"kind": "KeyError", "message": "'red'", "stack": f"{HEADER}{SOCKET}{OWN}{LAST}"},
    }
)
SHAPES["datadog flat"] = json.dumps(
    {
        "status": "error",
        "message": "Exception in ASGI application",
        "error.kind": "KeyError",
        "error.message": "'red'",
        "error.stack": f"{HEADER}{SOCKET}{OWN}{LAST}",
    }
)
SHAPES["gcl structured"] = json.dumps(
    {
        "message": f"Exception in ASGI application\n{HEADER}{SOCKET}{OWN}{LAST}",
        "severity": "ERROR",
        "logging.googleapis.com/labels": {"python_logger": "uvicorn.error"},
        "logging.googleapis.com/trace": "",
        "logging.googleapis.com/sourceLocation": {"line": "411", "file": "x.py", "function": "run_asgi"},
        "httpRequest": {},
    }
)
SHAPES["gcl export"] = json.dumps(
    [
        {
            "insertId": "a",
            "timestamp": "2026-03-01T03:43:43Z",
            "severity": "ERROR",
            "logName": "projects/h/logs/python",
            "resource": {
                "type": "cloud_run_revision",
                "labels": {
                    "service_name": "harbour",
                    "project_id": "h",
                    "location": "europe-west1",
                    "revision_name": "harbour-00002-abc",
                },
            },
            "jsonPayload": {
                "message": f"Exception in ASGI application\n{HEADER}{SOCKET}{OWN}{LAST}",
                "python_logger": "uvicorn.error",
            },
        }
    ]
)
SHAPES["disconnect"] = (
    f'ERROR:    Exception in ASGI application\n{HEADER}{SOCKET}  File "/app/harbour/berths.py", line 41, in moor\n    text = await socket.receive_text()\n  File "{PACKAGES}/starlette/websockets.py", line 106, in _raise_on_disconnect\n    raise WebSocketDisconnect(message["code"], message.get("reason"))\nstarlette.websockets.WebSocketDisconnect: (1001, None)'
)
SHAPES["disconnect 1011"] = "starlette.websockets.WebSocketDisconnect: (1011, 'internal error')"
SHAPES["disconnect 1011b"] = "starlette.websockets.WebSocketDisconnect: (<CloseCode.INTERNAL_ERROR: 1011>, '')"
SHAPES["keepalive"] = (
    "websockets.exceptions.ConnectionClosedError: sent 1011 (internal error) keepalive ping timeout; no close frame received"
)
SHAPES["python main"] = (
    f"{HEADER}  File \"/app/main.py\", line 3, in <module>\n    from harbour import tides\nImportError: cannot import name 'tides' from 'harbour' (/app/harbour/__init__.py)"
)
SHAPES["python -m"] = (
    f'{HEADER}  File "<frozen runpy>", line 198, in _run_module_as_main\n  File "<frozen runpy>", line 88, in _run_code\n  File "/app/harbour/__main__.py", line 3, in <module>\n    from harbour import tides\nImportError: cannot import name \'tides\' from \'harbour\' (/app/harbour/__init__.py)'
)
SHAPES["thread"] = (
    f'Exception in thread Thread-3 (watch):\n{HEADER}  File "/usr/local/lib/python3.13/threading.py", line 1041, in _bootstrap_inner\n    self.run()\n{OWN}{LAST}'
)
SHAPES["task never"] = (
    f"Task exception was never retrieved\nfuture: <Task finished name='Task-12' coro=<moor() done, defined at /app/harbour/berths.py:30> exception=KeyError('red')>\n{HEADER}{OWN}{LAST}\nwebsocket closed: 1011"
)
SHAPES["logged exception"] = f"ERROR:harbour.main:closing socket with 1011\n{HEADER}{OWN}{LAST}"
SHAPES["litellm repr"] = (
    "ERROR:harbour:WebSocket error: KeyError('red')\nINFO:harbour:closed with code 1011 (internal error)"
)
SHAPES["tornado"] = (
    f"ERROR:tornado.application:Uncaught exception GET /ws (10.0.0.1)\nHTTPServerRequest(protocol='http', host='x', method='GET', uri='/ws', version='HTTP/1.1', remote_ip='10.0.0.1')\n{HEADER}  File \"{PACKAGES}/tornado/websocket.py\", line 638, in _run_callback\n    result = callback(*args, **kwargs)\n{OWN}{LAST}"
)
SHAPES["sanic"] = (
    f'[2026-03-01 03:43:43 +0000] [7] [ERROR] Exception occurred while handling uri: \'ws://x/ws\'\n{HEADER}  File "handle_request", line 97, in handle_request\n  File "{PACKAGES}/sanic/app.py", line 1204, in _websocket_handler\n    await fut\n{OWN}{LAST}'
)
SHAPES["lifespan"] = (
    f'ERROR:    Traceback (most recent call last):\n  File "{PACKAGES}/starlette/routing.py", line 693, in lifespan\n    async with self.lifespan_context(app) as maybe_state:\n  File "/usr/local/lib/python3.13/contextlib.py", line 214, in __aenter__\n    return await anext(self.gen)\n  File "/app/main.py", line 14, in lifespan\n    await pool.connect()\n{LAST}\n\nERROR:    Application startup failed. Exiting.'
)
SHAPES["docker compose"] = "\n".join(
    "web-1  | " + line for line in f"ERROR:    Exception in ASGI application\n{HEADER}{SOCKET}{OWN}{LAST}".splitlines()
)
SHAPES["journald"] = "\n".join(
    "Mar 01 03:43:43 pier uvicorn[812]: " + line
    for line in f"ERROR:    Exception in ASGI application\n{HEADER}{SOCKET}{OWN}{LAST}".splitlines()
)
SHAPES["cloudflare"] = "error code: 1011 Ray ID: 88"
SHAPES["syntax rich"] = """╭──────────────── Traceback (most recent call last) ────────────────╮
│ /app/main.py:3 in <module>                                        │
│ ❱ 3 from harbour import tides                                     │
╰───────────────────────────────────────────────────────────────────╯
  File "/app/harbour/tides.py", line 7
    def moor(
            ^
SyntaxError: '(' was never closed"""
SHAPES["loguru serialize"] = json.dumps(
    {
        "text": f"2026-03-01 03:43:43.123 | ERROR | m:f:1 - socket failed\n{HEADER}{SOCKET}{OWN}{LAST}\n",
        "record": {
            "exception": {"type": "KeyError", "value": "'red'", "traceback": True},
            "level": {"name": "ERROR"},
            "message": "socket failed",
            "time": {"repr": "2026-03-01 03:43:43+00:00", "timestamp": 1772336623.1},
        },
    }
)
SHAPES["better exceptions"] = (
    f"{HEADER}  File \"/app/main.py\", line 3, in <module>\n    from harbour import tides\n    │       └ <module>\nImportError: cannot import name 'tides' from 'harbour' (/app/harbour/__init__.py)"
)
SHAPES["ecs"] = json.dumps(
    {
        "@timestamp": "2026-03-01T03:43:43Z",
        "log.level": "error",
        "message": "Exception in ASGI application",
        "error": {"message": "'red'", "stack_trace": f"{SOCKET}{OWN}", "type": "KeyError"},
    }
)
SHAPES["litestar"] = (
    f'ERROR - 2026-03-01 03:43:43,123 - litestar - config - Uncaught exception (connection_type=websocket, path=\'/ws\'):\n{HEADER}  File "{PACKAGES}/litestar/middleware/_internal/exceptions/middleware.py", line 158, in __call__\n    await self.app(scope, receive, capture_response_started)\n  File "{PACKAGES}/litestar/routes/websocket.py", line 72, in handle\n    await self.route_handler.fn(**parsed_kwargs)\n{OWN}{LAST}'
)
SHAPES["granian"] = (
    f'[ERROR] Application callable raised an exception\n{HEADER}  File "{PACKAGES}/granian/asgi.py", line 50, in future_handler\n    await self.callback(self.scope, self.receive, self.send)\n  File "{PACKAGES}/starlette/routing.py", line 76, in app\n    await wrap_app_handling_exceptions(app, session)(scope, receive, send)\n{OWN}{LAST}'
)
SHAPES["program that the image lacks"] = "/bin/sh: 1: uvicorn: not found"
SHAPES["program that a script does not find"] = "bash: line 3: exec: gunicorn: command not found"
SHAPES["entry point that the image lacks"] = "exec ./start.sh: no such file or directory"
SHAPES["module that the image lacks"] = (
    "/usr/local/bin/python: Error while finding module specification for 'ferry.main' (ModuleNotFoundError: No module named 'ferry')"
)
SHAPES["port that is taken"] = (
    "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use"
)
_CHANNELS = f"ERROR    Exception inside application: 'red'\n{HEADER}"
_CONSUMER = f'  File "{PACKAGES}/channels/consumer.py", line 73, in dispatch\n    await handler(message)\n{OWN}{LAST}'
SHAPES["channels own consumer"] = (
    f'{_CHANNELS}  File "{PACKAGES}/channels/sessions.py", line 47, in __call__\n    return await self.inner(dict(scope, cookies=cookies), receive, send)\n{_CONSUMER}'
)
SHAPES["channels without sessions"] = (
    f'{_CHANNELS}  File "{PACKAGES}/channels/routing.py", line 134, in __call__\n    return await application(\n{_CONSUMER}'
)
SHAPES["channels worker"] = (
    f'{_CHANNELS}  File "{PACKAGES}/channels/routing.py", line 165, in __call__\n    return await application(scope, receive, send)\n{_CONSUMER}'
)
