"""Replies as they were stored: parts, and JSON that comes in pages (OData feeds, OGC API features)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from wijkatlas.errors import SourceError, one_line

Documents = Mapping[str, Sequence[bytes]]  # the pages of each part of a table, in order
Page = dict[str, Any]


@contextmanager
def understood(source: str, table: str) -> Iterator[None]:
    """
    Turn whatever a parser stumbles over in a reply of an unheard-of shape into a SourceError.

    What is likely has an error of its own where it is read; this is for what nobody thought of.
    """
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise SourceError(
            f"the reply has a shape that cannot be read ({one_line(error)}); fetch it again, or report this",
            source=source,
            table=table,
        ) from error


def pages_of(documents: Documents, part: str, *, source: str, table: str) -> Sequence[bytes]:
    """Return the pages of one part, or raise a SourceError where there is none."""
    if not documents.get(part):
        raise SourceError(f"there is no {part}; fetch it again", source=source, table=table)
    return documents[part]


def read_pages(
    documents: Documents,
    part: str,
    *,
    items: str,
    next_of: Callable[[Page], str | None],
    source: str,
    table: str,
) -> list[Page]:
    """
    Decode the JSON pages of one part and check that none is cut short or missing.

    Parameters
    ----------
    items
        The key under which a page lists its items, each an object.
    next_of
        The link to the next page, if a page has one.

    Raises
    ------
    SourceError
        A page is no JSON, lists no items, points to a next one that is absent, or to none while one follows.
    """
    pages = pages_of(documents, part, source=source, table=table)
    decoded: list[Page] = []
    for number, content in enumerate(pages, start=1):
        where = f"{part}, page {number} of {len(pages)}"
        try:
            page = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise SourceError(
                f"{where} is no valid JSON ({error}); fetch it again", source=source, table=table
            ) from error
        listed = page.get(items) if isinstance(page, dict) else None
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise SourceError(f"{where} has no list {items!r} of objects", source=source, table=table)
        if (next_of(page) is not None) != (number < len(pages)):
            problem = "points to no next page" if number < len(pages) else "points to a page that is absent"
            raise SourceError(f"{where} {problem}; fetch it again", source=source, table=table)
        decoded.append(page)
    return decoded


def read_rows(
    documents: Documents, part: str, *, next_of: Callable[[Page], str | None], source: str, table: str
) -> list[dict[str, Any]]:
    """Return all rows of one set of an OData service; see `read_pages`."""
    pages = read_pages(documents, part, items="value", next_of=next_of, source=source, table=table)
    return [row for page in pages for row in page["value"]]
