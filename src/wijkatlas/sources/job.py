"""Fetching one table: page by page into the store, asking only for what may have changed."""

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any, Literal, TypeVar
from urllib.parse import urljoin

import orjson

from wijkatlas.catalog import Catalogue, Protocol, Source
from wijkatlas.snapshots import Reply, Snapshot, SnapshotStore, sha256
from wijkatlas.sources.documents import Page
from wijkatlas.sources.http import Client, Place

Format = Literal["json", "geojson", "csv", "gpkg"]
T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One table of one source, and what is needed to fetch it."""

    source: Source
    catalogue: Catalogue
    year: int
    protocol: Protocol
    address: str
    client: Client
    store: SnapshotStore
    today: date

    @property
    def table(self) -> str:
        """The table, collection or file that serves the year."""
        return self.source.tables[self.year]

    def place(self, part: str, number: int = 1) -> Place:
        """Name one page of one part, for errors."""
        return Place(self.source.id, self.table, part, number)

    def fetch(
        self,
        place: Place,
        address: str,
        decode: Callable[[bytes], T],
        *,
        form: Format,
        version: str = "",
        extract: Callable[[bytes], bytes] = lambda content: content,
        gist: Callable[[T], object] | None = None,
        always: bool = False,
    ) -> tuple[Snapshot, T]:
        """
        Return one page: from the store if that is the newest, else from its address and into the store.

        Parameters
        ----------
        decode
            Turns the kept bytes into what the caller needs; a ValueError makes the page count as failed.
        version
            The publisher's own stamp of the table. While it is what it was, nothing is asked. Without one
            the request is conditional on the reply's own ETag or Last-Modified; a reply that had neither is
            trusted for as many days as the settings say.
        extract
            Takes what is kept out of what is sent.
        gist
            What a page says, where its bytes differ each time it is asked for: a page that says the same as
            the one that is held is no news.
        always
            Ask at every run, for a page that tells whether the others are news.
        """
        self.client.tally.pages += 1
        known = self.store.recall(self.source.id, address)
        if known and known.pin.place != astuple(place):
            known = None
        if known and not always and self._still_holds(known, version):
            return self._kept(known, decode)

        def unpack(content: bytes) -> tuple[bytes, T]:
            kept = extract(content)
            return kept, decode(kept)

        if known and not version and (known.etag or known.modified):
            changed = self.client.get_if_changed(
                address, place, unpack, etag=known.etag, modified=known.modified
            )
            if changed is None:
                return self._kept(known, decode)
            answer = changed
        else:
            answer = self.client.get(address, place, unpack)
        content, decoded = answer.decoded
        if known and gist and gist(decoded) == gist(decode(self.store.read(known.pin))):
            snapshot = self.store.describe(known.pin)
        else:
            snapshot = self._keep(place, content, address, form)
        self.store.remember(
            Reply(
                address=address,
                pin=snapshot,
                asked=self.today,
                etag=answer.etag,
                modified=version or answer.modified,
            )
        )
        return snapshot, decoded

    def _still_holds(self, known: Reply, version: str) -> bool:
        """Whether nothing needs to be asked: the same stamp, or no way to ask and asked not long ago."""
        if version:
            return known.modified == version
        recent = (self.today - known.asked).days < self.client.network.trust_days
        return recent and not (known.etag or known.modified)

    def _keep(self, place: Place, content: bytes, address: str, form: Format) -> Snapshot:
        snapshot = Snapshot(
            source=place.source,
            table=place.table,
            part=place.part,
            page=place.page,
            format=form,
            sha256=sha256(content),
            address=address,
            licence=self.source.licence,
            attribution=self.source.attribution,
            retrieved=self.today,
            size=len(content),
        )
        self.client.tally.news += not self.store.holds(snapshot)
        return self.store.add(snapshot, content)

    def _kept(self, known: Reply, decode: Callable[[bytes], T]) -> tuple[Snapshot, T]:
        return self.store.describe(known.pin), decode(self.store.read(known.pin))

    def follow(
        self,
        part: str,
        address: str,
        *,
        form: Format,
        items: str,
        next_of: Callable[[Page], str | None],
        count_of: Callable[[Page], int | None] = lambda _page: None,
        version: str = "",
        gist: Callable[[Page], object] | None = None,
    ) -> list[Snapshot]:
        """
        Fetch all pages of one part, each page retried by itself.

        Parameters
        ----------
        items
            The key under which a page lists its items.
        next_of
            The link to the next page, if a page has one.
        count_of
            How many items there are in all, by the source's own count, as the first page tells it.

        Raises
        ------
        SourceError
            A page cannot be had, links back or off the host, or the items are not as many as expected.
        """
        snapshots: list[Snapshot] = []
        seen: set[str] = set()
        rows, expected = 0, None
        following: str | None = address
        while following:
            address, place = following, self.place(part, len(snapshots) + 1)
            if address in seen:
                raise place.error("the pages link back to each other", address)
            seen.add(address)
            snapshot, page = self.fetch(place, address, listing(items), form=form, version=version, gist=gist)
            snapshots.append(snapshot)
            expected = count_of(page) if len(snapshots) == 1 else expected
            rows += len(page[items])
            link = next_of(page)
            following = urljoin(address, link) if link else None
            if following and not page[items]:
                raise place.error("an empty page links to a next one", address)
        if expected is not None and rows != expected:
            raise place.error(
                f"{rows} rows came in and the source itself counts {expected}; try again later", address
            )
        self.client.tally.rows = rows  # of the part that came last: the figures themselves
        self.client.progress(self.client.tally)
        return snapshots

    def read_items(self, snapshots: Iterable[Snapshot], items: str) -> list[dict[str, Any]]:
        """Return all items of fetched pages."""
        return [item for snapshot in snapshots for item in listing(items)(self.store.read(snapshot))[items]]


def listing(items: str) -> Callable[[bytes], Page]:
    """Return a function that decodes a JSON object with a list of objects under `items`."""

    def decode(content: bytes) -> Page:
        page = orjson.loads(content)
        listed = page.get(items) if isinstance(page, dict) else None
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise ValueError(f"no list {items!r} of objects in it")
        decoded: Page = page
        return decoded

    return decode
