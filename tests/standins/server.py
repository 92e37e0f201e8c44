"""A web server on loopback that stands in for the real services, and fails on demand."""

import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson


@dataclass(frozen=True)
class Request:
    """What a service is asked: the path below its own prefix, the query, the headers."""

    root: str  # the service's own address, for links
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_FOUND = Response(404, b"not found")
Service = Callable[[Request], Response]


def reply_json(content: object, **headers: str) -> Response:
    return Response(200, orjson.dumps(content), {"Content-Type": "application/json", **headers})


@dataclass
class Fault:
    """What goes wrong with requests whose address matches, so many times, after some that go well."""

    kind: str  # status, reset, short, cut, html, stall or drip
    match: str = "*"  # a pattern of the path and query
    times: int = 1
    after: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)

    def strikes(self, address: str) -> bool:
        if not fnmatchcase(address, self.match) or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


class StandIn:
    """A server with a service under each prefix. `asked` lists every address; `faults` are used up."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self.services = dict(services)
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.sent = 0  # bytes
        self.over = threading.Event()
        standin = self

        class Handler(_Handler):
            owner = standin

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def fail(self, kind: str, match: str = "*", **how: Any) -> None:
        self.faults.append(Fault(kind, match, **how))

    def answer(self, address: str, headers: Mapping[str, str]) -> Response:
        parts = urlsplit(address)
        for prefix, service in self.services.items():
            if parts.path.startswith(prefix + "/"):
                path = unquote(parts.path.removeprefix(prefix))
                return service(
                    Request(
                        self.root + prefix,
                        path,
                        dict(parse_qsl(parts.query, keep_blank_values=True)),
                        headers,
                    )
                )
        return NOT_FOUND


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: StandIn

    def do_GET(self) -> None:
        address = unquote(self.path)
        self.owner.asked.append(address)
        fault = next((fault for fault in self.owner.faults if fault.strikes(address)), None)
        if fault and fault.kind == "status":
            self.give(Response(fault.status, b"trouble", fault.headers))
            return
        response = self.owner.answer(self.path, self.headers)
        if fault is None or response.status != 200:
            self.give(response)
            return
        half = response.body[: len(response.body) // 2]
        match fault.kind:
            case "reset":
                self.head(response, len(response.body))
                self.wfile.write(half)
                # close with a reset instead of a farewell
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            case "short":
                self.head(response, len(response.body))
                self.wfile.write(half)
                self.close_connection = True
            case "cut":
                self.give(Response(200, half, response.headers))
            case "html":
                self.give(Response(200, b"<html>Even geduld, wij werken aan de website</html>"))
            case "stall":
                self.head(response, len(response.body))
                self.wfile.write(half)
                self.owner.over.wait(20)
                self.close_connection = True
            case "drip":
                self.head(response, len(response.body))
                for start in range(0, len(response.body), 100):
                    self.wfile.write(response.body[start : start + 100])
                    self.wfile.flush()

    def give(self, response: Response) -> None:
        self.head(response, len(response.body))
        self.wfile.write(response.body)
        self.owner.sent += len(response.body)

    def head(self, response: Response, length: int) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Stay silent."""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the client went away, which a test may want
            self.close_connection = True
