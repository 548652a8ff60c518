"""What test_remote_compiler and other tests share."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CompileServer(ThreadingHTTPServer):
    """Answers as it is set to, in order, and the last of it again and again; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CompileHandler)
        self.answers: list[tuple[int, bytes]] = [(200, b"")]
        self.asked: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class CompileHandler(BaseHTTPRequestHandler):
    server: CompileServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self._answer(body)

    def do_GET(self) -> None:
        self.server.asked.append({"path": self.path})
        self._answer({})

    def _answer(self, body: dict[str, list[object]]) -> None:
        self.server.headers.append(dict(self.headers))
        answers = self.server.answers
        status, text = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url + "/elsewhere")
        self.end_headers()
        self.wfile.write(text or verdicts(len(body["sources"])))

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def verdicts(count: int, version: str = "3.11.9", implementation: str = "cpython") -> bytes:
    told = {"implementation": implementation, "version": version, "verdicts": [{"ok": True}] * count}
    return json.dumps(told).encode()
