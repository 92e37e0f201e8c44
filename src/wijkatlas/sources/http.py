"""The only door to the network: every request bounded, retried where that can help, and held to its host."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any, Generic, Self, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.exceptions import InvalidURL, MissingSchema, SSLError, TooManyRedirects

from wijkatlas import __version__
from wijkatlas.errors import SourceError
from wijkatlas.settings import NetworkSettings, check_address

AGENT = f"wijkatlas/{__version__}"
CHUNK = 1 << 16  # bytes

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """What is being asked for: one page of one part of a source's table."""

    source: str
    table: str
    part: str
    page: int = 1

    def error(self, problem: object, address: str) -> SourceError:
        """Say what went wrong, and where."""
        return SourceError(
            f"{self.part}, page {self.page}, {address}: {problem}", source=self.source, table=self.table
        )


@dataclass
class Tally:
    """What fetching one table has taken so far."""

    source: str
    table: str
    requests: int = 0
    retries: int = 0
    received: int = 0  # bytes
    rows: int = 0
    pages: int = 0
    news: int = 0  # pages that the store did not have
    done: bool = False


Progress = Callable[[Tally], None]


@dataclass(frozen=True)
class Answer(Generic[T]):
    """A reply that arrived whole and could be decoded."""

    content: bytes
    decoded: T
    etag: str
    modified: str


class TransientError(Exception):
    """A failure that another attempt may cure."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait  # seconds that the server asks for


class RefusedError(Exception):
    """A failure that another attempt cannot cure."""


class NotModifiedError(Exception):
    """The server says that what it gave before still holds."""


class Session(requests.Session):
    """A session that sends nothing, not even after a redirect, to another host than its own."""

    def __init__(self, home: str) -> None:
        super().__init__()
        self.home = home
        self.max_redirects = 5
        self.headers["User-Agent"] = AGENT

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401  as in requests
        """Send a request, if it goes to this session's own host and is safe."""
        check_home(str(request.url), self.home)
        return super().send(request, **kwargs)


def check_home(address: str, home: str) -> None:
    """
    Refuse an address that is not on the host of `home`, or not safe.

    Raises
    ------
    RefusedError
        Naming the address and what is wrong with it.
    """
    try:
        check_address(address)
    except ValueError as error:
        raise RefusedError(error) from error
    if urlsplit(address).netloc.lower() != urlsplit(home).netloc.lower():
        raise RefusedError(f"points to {address}, which is not on the source's own host; set its address")


class Client:
    """
    Reads from one host, patiently and within limits.

    Parameters
    ----------
    home
        An address on the host; no request goes to another one.
    tally
        Where requests, retries and bytes are counted; `progress` is told of each change.
    sleep, clock
        Seconds to wait, seconds now: replaced in tests.
    """

    def __init__(
        self,
        home: str,
        network: NetworkSettings,
        tally: Tally,
        progress: Progress = lambda _tally: None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.network = network
        self.tally = tally
        self.progress = progress
        self.session = Session(home)
        self._timeout = network.connect_timeout, network.read_timeout  # to connect, and between two bytes
        self._sleep, self._clock = sleep, clock
        self._random = random.Random(network.jitter_seed)  # noqa: S311  spreads waits, no secret

    def get(self, address: str, place: Place, decode: Callable[[bytes], T]) -> Answer[T]:
        """
        Return what an address gives.

        Parameters
        ----------
        decode
            Turns the bytes into what is wanted. A ValueError from it counts as a page that did not arrive
            well, and the page is asked for again.

        Raises
        ------
        SourceError
            Every attempt failed, or one did in a way that another cannot cure.
        """
        return self.patiently(lambda: self._ask(address, decode), address, place)

    def get_if_changed(
        self, address: str, place: Place, decode: Callable[[bytes], T], *, etag: str, modified: str
    ) -> Answer[T] | None:
        """Return what an address gives, or None where it says that nothing changed since; see `get`."""
        headers = {"If-None-Match": etag, "If-Modified-Since": modified}
        conditions = {name: value for name, value in headers.items() if value}

        def ask() -> Answer[T] | None:
            try:
                return self._ask(address, decode, conditions)
            except NotModifiedError:
                return None

        return self.patiently(ask, address, place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.session.close()

    def patiently(self, ask: Callable[[], T], address: str, place: Place) -> T:
        """
        Call `ask` until it succeeds, as often and with such waits as the settings allow.

        Raises
        ------
        SourceError
            Every attempt failed, or one did in a way that another cannot cure.
        """
        for attempt in range(1, self.network.attempts + 1):
            self.tally.requests += 1
            try:
                with translated():
                    return ask()
            except RefusedError as error:
                raise place.error(error, address) from error
            except TransientError as error:
                if attempt == self.network.attempts:
                    raise place.error(f"{error}; tried {attempt} times", address) from error
                wait = self._wait(error, attempt)
                if wait > self.network.longest_wait:
                    raise place.error(f"{error}, asks to wait {wait:.0f} s; try later", address) from error
            self.tally.retries += 1
            self.progress(self.tally)
            self._sleep(wait)
        raise AssertionError("attempts is at least 1")

    def whole(self, address: str) -> requests.Response:
        """Return one reply, already read within the limits, to a library that asks by itself."""
        start = self._clock()
        with self.session.get(address, timeout=self._timeout, stream=True, allow_redirects=False) as response:
            content = self._read(response, start)
        response.raw = BytesIO(content)
        return response

    def _wait(self, error: TransientError, attempt: int) -> float:
        """Return the seconds before the next attempt: the server's wish, else a doubling one with jitter."""
        if error.wait is not None:
            return error.wait
        longest: float = self.network.backoff * 2 ** (attempt - 1)
        return min(self._random.uniform(longest / 2, longest), self.network.longest_wait)

    def _ask(
        self, address: str, decode: Callable[[bytes], T], conditions: Mapping[str, str] | None = None
    ) -> Answer[T]:
        start = self._clock()
        with self.session.get(address, headers=conditions, timeout=self._timeout, stream=True) as response:
            if response.status_code == requests.codes.not_modified and conditions:
                raise NotModifiedError
            check_status(response)
            content = self._read(response, start)
        try:
            decoded = decode(content)
        except ValueError as error:
            raise TransientError(f"an unusable reply ({error})") from error
        return Answer(
            content,
            decoded,
            etag=response.headers.get("ETag", ""),
            modified=response.headers.get("Last-Modified", ""),
        )

    def _read(self, response: requests.Response, start: float) -> bytes:
        """Read a body as it comes in, so that neither its size nor its slowness is without a limit."""
        parts, size = [], 0
        while part := response.raw.read1(CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            self.tally.received += len(part)
            if size > self.network.max_reply:
                raise RefusedError(
                    f"more than the {self.network.max_reply} bytes that network.max_reply allows"
                )
            if self._clock() - start > self.network.deadline:
                raise TransientError(f"not finished within {self.network.deadline:g} s, {size} bytes came in")
            self.progress(self.tally)
        return b"".join(parts)


def check_status(response: requests.Response) -> None:
    """Refuse a reply that is no success, and tell what a server in trouble asks for."""
    if response.status_code == requests.codes.ok:
        return
    problem = f"answered {response.status_code} {response.reason}".strip()
    if (
        response.status_code == requests.codes.too_many_requests
        or response.status_code >= requests.codes.server_error
    ):
        raise TransientError(problem, retry_after(response.headers.get("Retry-After", "")))
    raise RefusedError(problem)


def retry_after(header: str) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or the time until its date."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # no date, or one past the end of time
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


@contextmanager
def translated() -> Iterator[None]:
    """Turn what requests, urllib3 and cbsodata raise into what another attempt may cure, and what not."""
    try:
        yield
    except requests.HTTPError as error:
        # cbsodata raises its own one, without the response but from the one that has it
        response = getattr(error.__cause__ or error, "response", None)
        if response is not None:
            check_status(response)
        raise RefusedError(error) from error
    except (SSLError, TooManyRedirects, InvalidURL, MissingSchema) as error:
        raise RefusedError(innermost(error)) from error
    except requests.exceptions.InvalidJSONError as error:
        raise TransientError(f"an unusable reply ({error})") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TransientError(f"the connection failed ({innermost(error)})") from error


def innermost(error: BaseException) -> BaseException:
    """Return the error that started it all, which says in a few words what its wrappers say in many."""
    while (earlier := error.__cause__ or error.__context__) is not None:
        error = earlier
    return error
