"""A look at a shelf or an edition on one's own machine: a small file server that keeps to one folder."""

import logging
import os
import re
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from wijkatlas.errors import SettingsError
from wijkatlas.settings import is_loopback

log = logging.getLogger("wijkatlas")

INDEX = "index.html"
LATEST = "latest"
PIECE = 1 << 16  # bytes sent at once
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".lock": "application/json",
    ".geojson": "application/geo+json",
    ".jsonld": "application/ld+json",
    ".ttl": "text/turtle; charset=utf-8",
    ".gpkg": "application/geopackage+sqlite3",
    ".parquet": "application/vnd.apache.parquet",
    ".gz": "application/gzip",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    "": "text/plain; charset=utf-8",  # SHA256SUMS
}
UNKNOWN_TYPE = "application/octet-stream"
# The pages ask nothing of the network: should one try all the same, the browser refuses.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def make_server(folder: Path, *, host: str, port: int) -> ThreadingHTTPServer:
    """
    Return a server of the files under `folder`: it listens, and answers once `serve_forever` is called.

    Parameters
    ----------
    folder
        A shelf of editions, or one edition.
    host, port
        Where to listen; port 0 takes any that is free.

    Raises
    ------
    SettingsError
        There is no such folder, or nothing can listen there.
    """
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no such folder; make an edition first, with `wijkatlas run`")
    try:
        return _Server((host, port), partial(Handler, root=folder.resolve()))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise SettingsError(f"cannot listen on {host}, port {port} ({why}); choose another") from error


def address_of(server: ThreadingHTTPServer) -> str:
    """Return what to type in a browser."""
    host, port = server.server_address[:2]
    return f"http://{host!s}:{port}/"


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # an open connection does not keep the program alive


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with a file under `root`: whole, in part, or its gzip copy."""

    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a silent connection may last
    server: ThreadingHTTPServer

    def __init__(self, *args: Any, root: Path) -> None:  # noqa: ANN401  the standard library's
        self.root = root
        super().__init__(*args)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the content."""
        self._answer()

    def do_GET(self) -> None:
        """Answer with the file that the address names."""
        self._answer()

    def version_string(self) -> str:
        """Tell no versions."""
        return "wijkatlas"

    def end_headers(self) -> None:
        """Add to every answer, errors too, what keeps a page to itself."""
        for name, value in SECURITY_HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, form: str, *args: object) -> None:
        """Log requests where the program logs, as one printable line each."""
        log.debug("%r", form % args)

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        found = find(self.root, path)
        if not self._is_meant_for_us():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif found.is_file():
            self._send_file(found)
        elif not path.endswith("/"):
            self._redirect(quote(unquote(path)) + "/")
        elif page := find(self.root, path + INDEX):
            self._send_file(page)
        elif found == self.root and find(self.root, f"/{LATEST}/{INDEX}"):
            self._redirect(f"/{LATEST}/")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)  # a folder is never listed

    def _is_meant_for_us(self) -> bool:
        """Refuse a name that another site lets lead to this machine, to read along in the browser."""
        try:
            asked = urlsplit(f"//{self.headers.get('Host', 'localhost')}").hostname or ""
        except ValueError:
            return False
        return is_loopback(asked) or not is_loopback(str(self.server.server_address[0]))

    def _redirect(self, place: str) -> None:
        self._begin(HTTPStatus.FOUND, {"Location": place, "Content-Length": "0"})

    def _send_file(self, path: Path) -> None:
        packed = find(path.parent, f"/{path.name}.gz")
        wanted = self.headers.get("Range")
        use_copy = packed and wanted is None and accepts_gzip(self.headers.get("Accept-Encoding", ""))
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-cache",  # ask again each time: `latest` may lead elsewhere by then
            "Content-Type": CONTENT_TYPES.get(path.suffix, UNKNOWN_TYPE),
        }
        if packed:
            headers["Vary"] = "Accept-Encoding"
        if packed and use_copy:
            headers["Content-Encoding"] = "gzip"
            path = packed
        try:
            file = path.open("rb")
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with file:
            about = os.fstat(file.fileno())
            headers["ETag"] = f'"{about.st_mtime_ns:x}-{about.st_size:x}{"-gz" if use_copy else ""}"'
            self._send(file, about.st_size, headers, wanted)

    def _send(self, file: BinaryIO, size: int, headers: dict[str, str], wanted: str | None) -> None:
        """Send a file of `size` bytes, or the part of it that is wanted and not known already."""
        if headers["ETag"] in self.headers.get("If-None-Match", ""):
            self._begin(HTTPStatus.NOT_MODIFIED, headers)
            return
        if self.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
            wanted = None
        part = parse_range(wanted, size) if wanted else None
        status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
        if part is None:
            part = range(size)
        elif part:
            headers["Content-Range"] = f"bytes {part[0]}-{part[-1]}/{size}"
        else:
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            headers["Content-Range"] = f"bytes */{size}"
        self._begin(status, {**headers, "Content-Length": str(len(part))})
        if self.command == "GET":
            self._copy(file, part)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _copy(self, file: BinaryIO, part: range) -> None:
        file.seek(part.start)
        left = len(part)
        try:
            while left and (piece := file.read(min(left, PIECE))):
                self.wfile.write(piece)
                left -= len(piece)
        except ConnectionError:  # the reader has seen enough
            self.close_connection = True
        if left:  # the file was cut short meanwhile: the reader must not wait for the rest
            self.close_connection = True


def find(root: Path, path: str) -> Path | None:
    """
    Return the file or folder under `root` that an address's path names, or None.

    Nothing hidden is found, and nothing outside `root`, whether by `..`, by another spelling of it, or by a
    symbolic link; a link that stays inside, such as `latest`, is followed.
    """
    names = [unquote(name) for name in path.split("/") if name]
    if any(name.startswith(".") or re.search(r"[/\\\0]", name) for name in names):
        return None
    try:
        found = root.joinpath(*names).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # absent, a ring of links, no name that a file can have
        return None
    if not found.is_relative_to(root) or (path.endswith("/") and not found.is_dir()):
        return None
    return found if found.is_file() or found.is_dir() else None


def accepts_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for item in accepted.lower().split(","):
        name, _, weight = item.partition(";")
        if name.strip() in {"gzip", "*"}:
            return not re.fullmatch(r"q=0(\.0*)?", weight.strip())
    return False


def parse_range(wanted: str, size: int) -> range | None:
    """
    Return the bytes that a Range header asks of a file of `size` bytes (RFC 9110, section 14).

    Returns
    -------
    part
        Empty where there are no such bytes. None where the header must be ignored: another unit, no
        sensible numbers, or more than one part, which a server may answer with the whole file.
    """
    match = re.fullmatch(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", wanted)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(int(last) + 1, size) if last else size)
