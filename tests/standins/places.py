"""Stand-ins for PDOK's OGC API Features (GoKoala) and for a plain download from a file server."""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from standins.server import NOT_FOUND, Request, Response, reply_json

PAGE = 1000


@dataclass
class Features:
    """
    Collections of buurten by year, as GoKoala gives them: a time on every page, no count of the whole.

    `counts` and `etags` are what other servers give.
    """

    collections: dict[str, Sequence[dict[str, Any]]]
    page: int = PAGE
    counts: int | None = None
    etags: bool = False
    asked: int = 0

    def __call__(self, request: Request) -> Response:
        name = request.path.strip("/").split("/")[0]
        if request.path != f"/{name}/ogc/v1/collections/buurten/items" or name not in self.collections:
            return NOT_FOUND
        features = self.collections[name]
        start = int(request.query.get("cursor", 0))
        address = f"{request.root}{request.path}?f=json&limit={request.query['limit']}"
        links = [{"rel": "self", "href": f"{address}&cursor={start}" if start else address}]
        end = start + min(self.page, int(request.query["limit"]))
        if end < len(features):
            links.append({"rel": "next", "href": f"{address}&cursor={end}"})
        self.asked += 1
        content: dict[str, Any] = {"type": "FeatureCollection"}
        if not self.etags:
            content["timeStamp"] = f"2026-11-23T00:00:{self.asked % 60:02}Z"
        content |= {
            "links": links,
            "features": features[start:end],
            "numberReturned": len(features[start:end]),
        }
        if self.counts is not None:
            content["numberMatched"] = self.counts
        return unless_known(reply_json(content), request) if self.etags else reply_json(content)


@dataclass
class Downloads:
    """Files by name, which know when they have not changed."""

    files: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, request: Request) -> Response:
        name = request.path.strip("/")
        return unless_known(Response(200, self.files[name]), request) if name in self.files else NOT_FOUND


def unless_known(response: Response, request: Request) -> Response:
    """Answer "not modified" to who has these bytes already."""
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == etag:
        return Response(304, b"", {"ETag": etag})
    return Response(200, response.body, {**response.headers, "ETag": etag})


def zip_of(members: dict[str, bytes]) -> bytes:
    """Return a zip with these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()
