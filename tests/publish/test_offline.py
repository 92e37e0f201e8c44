"""Pages that ask nothing of the network: what is refused, and what the policy allows."""

import pytest

from wijkatlas.errors import PublishError
from wijkatlas.publish.offline import seal


def _page(body: str) -> str:
    return f"<!DOCTYPE html><html><head><title>t</title></head><body>{body}</body></html>"


@pytest.mark.parametrize(
    "body",
    [
        '<script src="https://cdn.example/leaflet.js"></script>',
        '<script src="//cdn.example/leaflet.js"></script>',
        '<link rel="stylesheet" href="http://cdn.example/a.css">',
        '<img src="https://tiles.example/1.png">',
        '<img srcset="https://tiles.example/1.png 2x">',
        '<form action="https://collect.example/">',
        '<svg><image xlink:href="https://cdn.example/a.svg"/></svg>',
        '<svg><use href="https://cdn.example/a.svg#b"/></svg>',
        "<style>a { background: url(https://cdn.example/a.png) }</style>",
        "<style>@import 'https://cdn.example/a.css';</style>",
        "<p style=\"background: url('//cdn.example/a.png')\">x</p>",
        '<img src="file:///etc/passwd">',
        '<meta http-equiv="refresh" content="0; url=https://elsewhere.example/">',
        '<iframe src="https://elsewhere.example/"></iframe>',
    ],
)
def test_what_would_be_fetched_from_outside_is_refused(body: str) -> None:
    with pytest.raises(PublishError, match=r"kaart\.html"):
        seal(_page(body), page="kaart.html")


@pytest.mark.parametrize(
    "body",
    [
        '<a href="https://www.cbs.nl/">CBS</a>',
        '<link rel="icon" href="data:,">',
        "<p>background: url(https://in.text/)</p>",
        '<script type="application/octet-stream">src="https://in.data/"</script>',
        '<svg><use href="#own"/></svg>',
    ],
)
def test_plain_links_and_what_is_inside_the_page_may_stay(body: str) -> None:
    assert body in seal(_page(body), page="kaart.html")


def test_only_own_scripts_and_styles_may_run() -> None:
    sealed = seal(_page("<script>start()</script><style>a {}</style>"), page="kaart.html")
    policy = sealed.split('content="')[1].split('"')[0]
    # printf 'start()' | openssl dgst -sha256 -binary | base64
    assert "script-src 'sha256-DIm7WJS6ZKDYe5qFLPy+h4JFI9Bol5QmYC57mt3Fb00='" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "'self'" not in policy


def test_files_beside_the_page_are_allowed_where_it_uses_them() -> None:
    sealed = seal(_page('<script src="../leaflet.js"></script>'), page="kaart.html")
    assert "script-src 'self'" in sealed
