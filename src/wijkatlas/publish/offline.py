"""Offline: what a page must be so that it asks nothing of the network, and cannot."""

import base64
import hashlib
import re
from html.parser import HTMLParser

from wijkatlas.errors import PublishError, some

# Attributes whose address a browser fetches by itself; a plain link (<a href>) is only followed by a reader.
_FETCHED = {"src", "srcset", "poster", "data", "background", "action", "formaction", "manifest", "xlink:href"}
_HREF_IS_A_LINK = {"a", "area"}
_OUTSIDE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//|^\s*(?!data:)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]?([^'\";]+)", re.IGNORECASE)
_INERT = {"application/octet-stream", "application/json", "text/plain"}


class _Page(HTMLParser):
    """Collects what a page would fetch, and its inline scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.addresses: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [value for name, value in given.items() if name in _FETCHED]
        if "href" in given and tag not in _HREF_IS_A_LINK:
            self.addresses.append(given["href"])
        if given.get("http-equiv", "").lower() == "refresh":
            self.addresses.append(given.get("content", "").lower().partition("url=")[2])
        self.addresses += _css_addresses(given.get("style", ""))
        is_code = tag == "script" and "src" not in given and given.get("type") not in _INERT
        self._open = tag if tag == "style" or is_code else None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inline[self._open].append(data)
            if self._open == "style":
                self.addresses += _css_addresses(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = None


def seal(html: str, *, page: str) -> str:
    """
    Forbid a finished page every request to the outside, or refuse the page.

    Parameters
    ----------
    html
        A whole page with a `<head>`, its scripts and styles inline or at relative addresses.
    page
        Its name, for the error's text.

    Returns
    -------
    sealed
        The page with a Content-Security-Policy that allows its own scripts and styles, by their hashes, and
        nothing else.

    Raises
    ------
    PublishError
        The page would fetch something from outside.
    """
    parsed = _Page()
    parsed.feed(html)
    parsed.close()
    outside = {address for address in parsed.addresses if _OUTSIDE.match(address)}
    if outside:
        raise PublishError(f"{page} would fetch {some(outside)}: put it in the page or beside it")
    own = " 'self'" if any(not address.startswith(("data:", "#")) for address in parsed.addresses) else ""
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src{own} {_hashes(parsed.inline['script'])}",
            f"style-src{own} {_hashes(parsed.inline['style'])}",
            f"img-src data:{own}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return html.replace(
        "<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )


def _css_addresses(css: str) -> list[str]:
    return [first or second for first, second in _CSS_ADDRESS.findall(css)]


def _hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests) or "'none'"
