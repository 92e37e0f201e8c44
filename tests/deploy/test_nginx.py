"""The shelf behind Debian's real nginx, with the configuration that is shipped."""

import gzip
import http.client
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from conftest import skip_or_fail
from loading import fetch_at_once
from scheduling import free_port
from webserver import configuration
from wijkatlas.serve import CONTENT_TYPES, SECURITY_HEADERS


@dataclass
class Answer:
    status: int
    headers: Message
    body: bytes


@dataclass
class Web:
    port: int
    shelf: Path
    edition: str

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def files(self) -> list[str]:
        """Return the address of every file of the edition."""
        folder = self.shelf / "editions" / self.edition
        paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        return sorted(f"/editions/{self.edition}/{path}" for path in paths)


def nginx_program() -> str:
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        skip_or_fail("no nginx on this machine (Debian's package `nginx-light`)")
    return str(found)


@pytest.fixture(scope="module")
def web(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Run nginx as a person would, but on a free port of loopback and a copy of a shelf."""
    program = nginx_program()
    folder = tmp_path_factory.mktemp("nginx")
    shelf = folder / "outputs"
    shutil.copytree(edition.parents[1], shelf, symlinks=True)
    packed = shelf / "editions" / edition.name / "downloads" / "buurten.geojson"
    packed.with_name("buurten.geojson.gz").write_bytes(gzip.compress(packed.read_bytes(), 9, mtime=0))
    (shelf / "editions" / ".wordt-gemaakt-x").mkdir()
    (shelf / "editions" / ".wordt-gemaakt-x" / "index.html").write_text("not yet")
    port = free_port()
    arguments = configuration(folder, shelf, port, program)
    subprocess.run([*arguments, "-e", "stderr", "-t", "-q"], check=True)
    process = subprocess.Popen([*arguments, "-e", str(folder / "error.log")])
    try:
        found = Web(port, shelf, edition.name)
        for _ in range(100):
            try:
                found.ask("/")
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        yield found
    finally:
        process.terminate()
        process.wait(30)
    told = (folder / "error.log").read_text()
    assert not [line for line in told.splitlines() if "[warn]" in line or "[alert]" in line], told


def test_every_file_has_the_type_that_serve_gives_it(web: Web) -> None:
    for path in web.files():
        answer = web.ask(path, "HEAD")  # a type that only one of the two knows is found here
        assert answer.status == 200, path
        assert answer.headers["Content-Type"] == CONTENT_TYPES[Path(path).suffix], path


def test_every_file_arrives_as_it_is(web: Web) -> None:
    for path in web.files():
        content = (web.shelf / path[1:]).read_bytes()
        assert web.ask(path).body == content
        packed = web.ask(path, Accept_Encoding="gzip")
        if packed.headers["Content-Encoding"] == "gzip":
            assert gzip.decompress(packed.body) == content
            assert packed.headers["Vary"] == "Accept-Encoding"
        else:
            assert packed.body == content
    assert web.ask(f"/editions/{web.edition}/index.html", Accept_Encoding="gzip").headers["Content-Encoding"]


def test_copy_that_was_packed_with_the_edition_is_used(web: Web) -> None:
    path = f"/editions/{web.edition}/downloads/buurten.geojson"
    answer = web.ask(path, Accept_Encoding="gzip")
    assert answer.body == (web.shelf / f"{path[1:]}.gz").read_bytes()
    assert answer.headers["Content-Type"] == "application/geo+json"


def test_every_answer_carries_the_security_headers(web: Web) -> None:
    for path in ("/", "/latest/", "/absent", f"/editions/{web.edition}/kaart.html"):
        answer = web.ask(path)
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get_all(name) == [value], (path, name)
        assert answer.headers["Server"] == "nginx"


def test_an_edition_is_kept_for_ever_and_latest_is_asked_again(web: Web) -> None:
    own = web.ask(f"/editions/{web.edition}/downloads/buurten.csv")
    assert own.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    latest = web.ask("/latest/downloads/buurten.csv")
    assert latest.headers["Cache-Control"] == "no-cache"
    assert latest.body == own.body
    again = web.ask("/latest/downloads/buurten.csv", If_None_Match=str(latest.headers["ETag"]))
    assert (again.status, again.body) == (304, b"")
    assert web.ask(f"/editions/{web.edition}/absent").headers["Cache-Control"] is None


def test_data_may_be_read_from_elsewhere_and_pages_not(web: Web) -> None:
    data = web.ask("/latest/downloads/buurten.geojson", Origin="https://example.org")
    assert data.headers["Access-Control-Allow-Origin"] == "*"
    assert data.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    page = web.ask("/latest/", Origin="https://example.org")
    assert page.headers["Access-Control-Allow-Origin"] is None
    assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_part_of_a_file_can_be_asked_for(web: Web) -> None:
    path = "/latest/downloads/gebieden.gpkg"
    answer = web.ask(path, Range="bytes=0-15")
    assert (answer.status, answer.body) == (206, b"SQLite format 3\x00")


def test_the_root_lists_the_editions_or_leads_to_the_newest(web: Web) -> None:
    listed = web.shelf / "index.html"
    assert web.ask("/").body == listed.read_bytes()
    aside = listed.rename(listed.with_name("aside.html"))
    try:
        answer = web.ask("/")
        assert (answer.status, answer.headers["Location"]) == (302, "/latest/")
    finally:
        aside.rename(listed)
    assert b"<html" in web.ask("/latest/").body
    assert web.ask("/editions/").body == (web.shelf / "editions" / "index.html").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/.lock",
        "/editions/.wordt-gemaakt-x/index.html",
        "/latest/downloads/",
        "/../nginx.conf",
        "/latest/../../nginx.conf",
        "/latest/%2e%2e/%2e%2e/nginx.conf",
        "/latest/..%2f..%2fnginx.conf",
        "/latest//..//../nginx.conf",
        "/latest/index.html%00.css",
    ],
)
def test_nothing_else_is_shown(web: Web, path: str) -> None:
    answer = web.ask(path)
    assert answer.status in {400, 404}
    assert b"not yet" not in answer.body
    assert b"worker_processes" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_sent(web: Web, method: str) -> None:
    assert web.ask("/latest/index.html", method).status == 405


def test_link_that_another_user_laid_is_not_followed(web: Web) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a link another owner")
    link = web.shelf / "editions" / "elsewhere"
    link.symlink_to("/etc")
    os.lchown(link, 65534, 65534)
    try:
        assert web.ask("/editions/elsewhere/passwd").status in {403, 404}
    finally:
        link.unlink()


def test_two_hundred_clients_at_once(web: Web) -> None:
    paths = [
        "/latest/",
        "/latest/kaart.html",
        "/latest/downloads/buurten.geojson",
        "/latest/assets/style.css",
    ]
    load = fetch_at_once(web.port, paths, clients=200, rounds=2)
    assert load.statuses == Counter({200: 200 * 2 * len(paths)})
    assert not load.errors
