"""The door to the network: what is tried again, what is not, and that nothing is without a limit."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
import pytest

from standins.server import NOT_FOUND, Request, Response, StandIn, reply_json
from standins.world import quick
from wijkatlas.errors import SourceError
from wijkatlas.sources.http import Client, Place, Tally, retry_after

PLACE = Place("kwb", "85984NED", "TypedDataSet", 2)
BODY = {"value": [{"ID": number} for number in range(40_000)]}  # half a megabyte: comes in several reads


def service(request: Request) -> Response:
    if request.path.startswith("/to/"):
        return Response(302, b"", {"Location": f"http://{request.path.removeprefix('/to/')}"})
    return reply_json(BODY) if request.path == "/page" else NOT_FOUND


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn({"/v3": service}) as server:
        yield server


class Waits(list[float]):
    """Sleeps that took no time."""

    def client(self, server: StandIn, **network: Any) -> Client:
        tally = Tally("kwb", "85984NED")
        return Client(server.root, quick(**network), tally, sleep=self.append)


@pytest.fixture
def waits() -> Waits:
    return Waits()


def read(client: Client, address: str) -> Any:
    with client:
        return client.get(address, PLACE, orjson.loads).decoded


@pytest.mark.parametrize("kind", ["reset", "short", "cut", "html", "status"])
@pytest.mark.parametrize("times", [1, 2])
def test_passing_trouble_is_overcome(server: StandIn, waits: Waits, kind: str, times: int) -> None:
    server.fail(kind, times=times)
    client = waits.client(server)
    assert read(client, f"{server.root}/v3/page") == BODY
    assert (client.tally.requests, client.tally.retries, len(waits)) == (times + 1, times, times)


@pytest.mark.parametrize(
    ("kind", "how", "problem"),
    [
        ("reset", {}, r"the connection failed \((.*reset by peer|IncompleteRead)"),
        ("short", {}, r"the connection failed \(IncompleteRead"),
        ("cut", {}, r"an unusable reply \(unexpected end of data"),
        ("html", {}, r"an unusable reply \("),
        ("status", {"status": 500}, r"answered 500 Internal Server Error"),
        ("status", {"status": 503}, r"answered 503 Service Unavailable"),
        ("status", {"status": 429}, r"answered 429 Too Many Requests"),
    ],
)
def test_lasting_trouble_is_told_in_full(
    server: StandIn, waits: Waits, kind: str, how: dict[str, Any], problem: str
) -> None:
    server.fail(kind, times=9, **how)
    address = f"{server.root}/v3/page"
    with pytest.raises(SourceError, match=problem) as caught:
        read(waits.client(server), address)
    text = str(caught.value)
    assert text.startswith(f"kwb, table 85984NED: TypedDataSet, page 2, {address}: ")
    assert text.endswith("; tried 3 times")
    assert "\n" not in text
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_refusal_is_not_tried_again(server: StandIn, waits: Waits, status: int) -> None:
    server.fail("status", times=9, status=status)
    with pytest.raises(SourceError, match=rf"answered {status} [^;]*$"):
        read(waits.client(server), f"{server.root}/v3/page")
    assert (len(server.asked), waits) == (1, [])


def test_server_that_is_not_there(waits: Waits) -> None:
    with StandIn({}) as gone:
        pass
    with pytest.raises(SourceError, match=r"the connection failed \(.*Connection refused\); tried 3 times"):
        read(waits.client(gone), f"{gone.root}/v3/page")


def test_waits_double_and_spread_and_can_be_repeated(server: StandIn) -> None:
    def waited(seed: int) -> list[float]:
        waits = Waits()
        server.fail("status", times=4)
        read(waits.client(server, backoff=2, attempts=5, jitter_seed=seed), f"{server.root}/v3/page")
        return waits

    waits = waited(1)
    assert all(2**n <= wait <= 2 ** (n + 1) for n, wait in enumerate(waits))
    assert waited(1) == waits
    assert waited(2) != waits


def test_server_decides_how_long_to_wait(server: StandIn, waits: Waits) -> None:
    server.fail("status", status=503, headers={"Retry-After": "17"})
    server.fail("status", status=429, headers={"Retry-After": "3"})
    read(waits.client(server, backoff=100), f"{server.root}/v3/page")
    assert waits == [17, 3]


def test_server_that_asks_for_too_much_patience(server: StandIn, waits: Waits) -> None:
    server.fail("status", status=503, headers={"Retry-After": "86400"})
    with pytest.raises(SourceError, match=r"503 Service Unavailable, asks to wait 86400 s; try later"):
        read(waits.client(server, longest_wait=300), f"{server.root}/v3/page")
    assert (len(server.asked), waits) == (1, [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        ("", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_as_it_is_written(header: str, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_retry_after_as_a_date() -> None:
    tomorrow = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)
    assert retry_after(tomorrow) == pytest.approx(86400, abs=60)


def test_silence_ends(server: StandIn, waits: Waits) -> None:
    server.fail("stall")
    client = waits.client(server, read_timeout=0.2)
    assert read(client, f"{server.root}/v3/page") == BODY
    assert client.tally.retries == 1


def test_dripping_ends_at_the_deadline(server: StandIn) -> None:
    server.fail("drip", times=9)
    seconds = itertools.count(0, 100)  # a clock on which every look takes 100 seconds
    client = Client(
        server.root, quick(deadline=250), Tally("kwb", "x"), sleep=lambda _: None, clock=lambda: next(seconds)
    )
    with pytest.raises(SourceError, match=r"not finished within 250 s, \d+ bytes came in; tried 3 times"):
        read(client, f"{server.root}/v3/page")


def test_size_has_a_limit(server: StandIn, waits: Waits) -> None:
    with pytest.raises(SourceError, match=r"more than the 1000 bytes that network\.max_reply allows"):
        read(waits.client(server, max_reply=1000), f"{server.root}/v3/page")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.org/v3/page",
        "http://evil.example.org/v3/page",
        "http://127.0.0.1:9/v3/page",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_asked_of_another_host(server: StandIn, waits: Waits, address: str) -> None:
    with pytest.raises(SourceError, match=r"not on the source's own host|only https is allowed|adapters"):
        read(waits.client(server), address)
    assert server.asked == []


@pytest.mark.parametrize("target", ["evil.example.org/x", "127.0.0.1:9/x"])
def test_redirect_to_another_host_is_not_followed(server: StandIn, waits: Waits, target: str) -> None:
    with pytest.raises(SourceError, match=r"not on the source's own host|only https is allowed"):
        read(waits.client(server), f"{server.root}/v3/to/{target}")
    assert len(server.asked) == 1


def test_redirect_on_the_same_host_is_followed(server: StandIn, waits: Waits) -> None:
    target = server.root.removeprefix("http://") + "/v3/page"
    assert read(waits.client(server), f"{server.root}/v3/to/{target}") == BODY


def test_redirects_in_circles_end(server: StandIn, waits: Waits) -> None:
    here = f"{server.root.removeprefix('http://')}/v3/to/"
    server.services["/v3"] = lambda _request: Response(302, b"", {"Location": f"http://{here}x"})
    with pytest.raises(SourceError, match=r"redirects"):
        read(waits.client(server), f"{server.root}/v3/to/x")
