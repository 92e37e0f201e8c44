"""Fetching one table: page by page into the store, asking only for what may have changed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar
from urllib.parse import urljoin

import orjson

from wijkatlas.catalog import Catalogue, Source
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
        part: str,
        address: str,
        decode: Callable[[bytes], T],
        *,
        form: Format,
        number: int = 1,
        version: str = "",
        extract: Callable[[bytes], bytes] = lambda content: content,
    ) -> tuple[Snapshot, T]:
        """
        Return one page: from the store if that is the newest, else from its address and into the store.

        Parameters
        ----------
        decode
            Turns the kept bytes into what the caller needs; a ValueError makes the page count as failed.
        version
            The publisher's own stamp of the table. While it is what it was, nothing is asked. Without one
            the request is conditional on the reply's own ETag or Last-Modified.
        extract
            Takes what is kept out of what is sent.
        """
        tally, place = self.client.tally, self.place(part, number)
        tally.pages += 1
        known = self.store.recall(self.source.id, address)
        if known and known.pin.place != (place.source, place.table, place.part, place.page):
            known = None
        if known and version and known.modified == version:
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
        snapshot = Snapshot(
            source=self.source.id,
            table=self.table,
            part=part,
            page=number,
            format=form,
            sha256=sha256(content),
            address=address,
            licence=self.source.licence,
            attribution=self.source.attribution,
            retrieved=self.today,
            size=len(content),
        )
        tally.news += not self.store.holds(snapshot)
        kept = self.store.add(snapshot, content)
        modified = version or answer.modified
        self.store.remember(Reply(address=address, pin=kept, etag=answer.etag, modified=modified))
        return kept, decoded

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
        count_of: Callable[[Page], int | None],
        version: str = "",
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
            address, number = following, len(snapshots) + 1
            if address in seen:
                raise self.place(part, number).error("the pages link back to each other", address)
            seen.add(address)
            snapshot, page = self.fetch(
                part, address, listing(items), form=form, number=number, version=version
            )
            expected = count_of(page) if number == 1 else expected
            snapshots.append(snapshot)
            rows += len(page[items])
            link = next_of(page)
            following = urljoin(address, link) if link else None
            if following and not page[items]:
                raise self.place(part, number).error("an empty page links to a next one", address)
        if expected is not None and rows != expected:
            raise self.place(part, len(snapshots)).error(
                f"{rows} rows came in and the source itself counts {expected}; try again later", address
            )
        self.client.tally.rows += rows
        self.client.progress(self.client.tally)
        return snapshots


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
