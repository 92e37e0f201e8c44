"""The server for a look on one's own machine: ranges, types, gzip copies, and nothing outside its folder."""

import gzip
import http.client
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wijkatlas.errors import SettingsError
from wijkatlas.serve import (
    CONTENT_TYPES,
    SECURITY_HEADERS,
    accepts_gzip,
    address_of,
    make_server,
    parse_range,
)

CONTENT = bytes(range(256)) * 1000


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()


class Client:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            pieces = iter(lambda: connection.recv(1 << 16), b"")
            return b"".join(pieces)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    around = tmp_path_factory.mktemp("around")
    (around / "secret.txt").write_text("secret")
    shelf = around / "outputs"
    edition = shelf / "editions" / "een"
    edition.mkdir(parents=True)
    (edition / "index.html").write_text("<title>Een</title>")
    for ending in (
        ".geojson",
        ".gpkg",
        ".parquet",
        ".jsonld",
        ".csv",
        ".json",
        ".lock",
        ".css",
        ".js",
        ".xyz",
    ):
        (edition / f"file{ending}").write_bytes(CONTENT)
    (edition / "SHA256SUMS").write_text("0  file\n")
    (edition / "packed.geojson").write_bytes(CONTENT)
    (edition / "packed.geojson.gz").write_bytes(gzip.compress(CONTENT))
    (edition / "met spatie.csv").write_text("a")
    (edition / "leeg.csv").write_text("")
    (edition / "zonder-index").mkdir()
    (shelf / ".lock").write_text("hidden")
    (shelf / "latest").symlink_to("editions/een", target_is_directory=True)
    (shelf / "escape").symlink_to(around, target_is_directory=True)
    (shelf / "escape.txt").symlink_to(around / "secret.txt")
    (edition / "leeg.csv.gz").symlink_to(around / "secret.txt")
    (shelf / "ring").symlink_to("ring")
    return shelf


@pytest.fixture(scope="module")
def client(shelf: Path) -> Iterator[Client]:
    with make_server(shelf, host="127.0.0.1", port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Client(server.server_address[1])
        server.shutdown()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("file.geojson", "application/geo+json"),
        ("file.gpkg", "application/geopackage+sqlite3"),
        ("file.parquet", "application/vnd.apache.parquet"),
        ("file.jsonld", "application/ld+json"),
        ("file.csv", "text/csv; charset=utf-8"),
        ("file.css", "text/css; charset=utf-8"),
        ("file.js", "text/javascript; charset=utf-8"),
        ("file.json", "application/json"),
        ("file.xyz", "application/octet-stream"),
        ("packed.geojson.gz", "application/gzip"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
    ],
)
def test_content_type_and_bytes(client: Client, shelf: Path, name: str, kind: str) -> None:
    answer = client.ask(f"/latest/{name}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.body == (shelf / "latest" / name).read_bytes()


def test_every_kind_of_file_of_an_edition_has_a_type(edition: Path) -> None:
    assert {path.suffix for path in edition.rglob("*") if path.is_file()} <= set(CONTENT_TYPES)


def test_an_edition_is_served_as_it_is(edition: Path) -> None:
    with make_server(edition, host="127.0.0.1", port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client(server.server_address[1])
        for name in ("index.html", "downloads/buurten.geojson", "manifest.json"):
            assert client.ask(f"/{name}").body == (edition / name).read_bytes()
        assert client.ask("/").body == (edition / "index.html").read_bytes()
        server.shutdown()


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=255990-", 255990, 255999),
        ("bytes=-5", 255995, 255999),
        ("bytes=-999999999", 0, 255999),
        ("bytes=100-999999999", 100, 255999),
    ],
)
def test_a_range_is_just_those_bytes(client: Client, wanted: str, first: int, last: int) -> None:
    answer = client.ask("/latest/file.parquet", Range=wanted)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.body == CONTENT[first : last + 1]


@pytest.mark.parametrize("wanted", ["bytes=256000-", "bytes=999999-1000000", "bytes=-0"])
def test_a_range_beyond_the_file_is_refused(client: Client, wanted: str) -> None:
    answer = client.ask("/latest/file.parquet", Range=wanted)
    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize(
    "wanted", ["bytes=5-1", "bytes=-", "rows=1-2", "bytes=0-1,4-5", "bytes=a-b", "bytes=1"]
)
def test_a_range_without_sense_gives_the_whole(client: Client, wanted: str) -> None:
    answer = client.ask("/latest/file.parquet", Range=wanted)
    assert (answer.status, answer.body) == (200, CONTENT)


@given(st.integers(0, 50), st.one_of(st.none(), st.integers(0, 60)), st.one_of(st.none(), st.integers(0, 60)))
def test_a_parsed_range_lies_within_the_file(size: int, first: int | None, last: int | None) -> None:
    part = parse_range(f"bytes={'' if first is None else first}-{'' if last is None else last}", size)
    asked = [
        n
        for n in range(size)
        if (n >= first if first is not None else n >= size - (last or 0))
        and (last is None or first is None or n <= last)
    ]
    if part is None:
        assert last is None if first is None else last is not None and last < first
    else:
        assert list(part) == asked


def test_if_range_with_another_version_gives_the_whole(client: Client) -> None:
    tag = client.ask("/latest/file.parquet").headers["ETag"]
    assert client.ask("/latest/file.parquet", Range="bytes=0-4", If_Range=tag).status == 206
    assert client.ask("/latest/file.parquet", Range="bytes=0-4", If_Range='"other"').status == 200


def test_gzip_copy_is_sent_to_who_accepts_it(client: Client) -> None:
    plain = client.ask("/latest/packed.geojson")
    packed = client.ask("/latest/packed.geojson", Accept_Encoding="br, gzip;q=0.5")
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"] == "application/geo+json"
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body == CONTENT
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_a_range_is_always_of_the_file_itself(client: Client) -> None:
    answer = client.ask("/latest/packed.geojson", Accept_Encoding="gzip", Range="bytes=3-5")
    assert "Content-Encoding" not in answer.headers
    assert answer.body == CONTENT[3:6]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("gzip", True),
        ("*", True),
        ("GZIP;q=1", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("br", False),
        ("", False),
    ],
)
def test_accepts_gzip(accepted: str, expected: bool) -> None:  # noqa: FBT001
    assert accepts_gzip(accepted) is expected


def test_head_tells_the_same_without_content(client: Client) -> None:
    get, head = (client.ask("/latest/file.csv", method) for method in ("GET", "HEAD"))
    assert head.status == 200
    assert head.body == b""
    told = ("Content-Length", "Content-Type", "ETag", "Accept-Ranges")
    assert [head.headers[name] for name in told] == [get.headers[name] for name in told]


def test_a_known_version_is_not_sent_again(client: Client) -> None:
    first = client.ask("/latest/file.csv")
    again = client.ask("/latest/file.csv", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_the_shelf_leads_to_the_latest_edition(client: Client) -> None:
    answer = client.ask("/")
    assert (answer.status, answer.headers["Location"]) == (302, "/latest/")
    assert client.ask("/latest/").body == b"<title>Een</title>"
    assert client.ask("/latest").headers["Location"] == "/latest/"
    assert client.ask("/latest/met%20spatie.csv?v=1").body == b"a"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent(client: Client, method: str) -> None:
    assert client.ask("/latest/file.csv", method).status == 501


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/latest/../../secret.txt",
        "/latest/../../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/latest/..;/secret.txt",
        "/escape/secret.txt",
        "/escape/",
        "/escape.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/.lock",
        "/latest/./file.csv",
        "/ring",
        "/ring/file.csv",
        "/file%00.csv",
        "/" + "a" * 5000,
        "/latest/file.csv/",
        "/latest/file.csv/more",
        "/editions/",
        "/latest/zonder-index/",
        "/absent.html",
    ],
)
def test_nothing_outside_nothing_hidden_and_no_listing(client: Client, path: str) -> None:
    answer = client.ask(path)
    assert answer.status == 404
    assert b"secret" not in answer.body.replace(path.encode(), b"")


def test_a_gzip_copy_that_leads_outside_is_not_sent(client: Client) -> None:
    answer = client.ask("/latest/leeg.csv", Accept_Encoding="gzip")
    assert (answer.status, answer.body) == (200, b"")
    assert "Content-Encoding" not in answer.headers


def test_no_redirect_leads_to_another_site(client: Client) -> None:
    told = client.raw(b"GET //latest HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"Location: /latest/\r\n" in told
    told = client.raw(
        b"GET /latest%0d%0aSet-Cookie:x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert told.startswith(b"HTTP/1.1 404")
    assert b"Set-Cookie:x=1\r\n" not in told


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::bad", "[::2]"]
)
def test_another_sites_name_for_this_machine_is_refused(client: Client, host: str) -> None:
    assert client.ask("/latest/file.csv", Host=host).status == 421


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "127.1.2.3"])
def test_this_machines_own_names_are_served(client: Client, host: str) -> None:
    assert client.ask("/latest/file.csv", Host=host).status == 200


@pytest.mark.parametrize("path", ["/latest/", "/latest/file.csv", "/absent", "/", "/../x"])
def test_security_headers_are_in_every_answer(client: Client, path: str) -> None:
    answer = client.ask(path)
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert answer.headers["Server"] == "wijkatlas"


def test_many_at_once(client: Client) -> None:
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(client.ask("/latest/file.gpkg").body))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [CONTENT] * 20


def test_one_connection_serves_many_requests(client: Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=20)
    for path, status in (("/latest/file.csv", 200), ("/latest/leeg.csv", 200), ("/latest/file.js", 200)):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_a_folder_that_is_absent_and_a_port_in_use_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such folder"):
        make_server(tmp_path / "absent", host="127.0.0.1", port=0)
    with make_server(tmp_path, host="127.0.0.1", port=0) as server:
        assert address_of(server) == f"http://127.0.0.1:{server.server_address[1]}/"
        with pytest.raises(SettingsError, match="choose another"):
            make_server(tmp_path, host="127.0.0.1", port=server.server_address[1])
    with pytest.raises(SettingsError, match="choose another"):
        make_server(tmp_path, host="127.0.0.1", port=99999)


def test_the_command_serves_until_it_is_interrupted(shelf: Path) -> None:
    command = [sys.executable, "-m", "wijkatlas", "serve", str(shelf), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        assert Client(int(address.rstrip("/").rpartition(":")[2])).ask("/latest/").status == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0
