"""Make the pictures of the README from an edition: `python docs/make_screenshots.py outputs/latest`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def shoot(page: Page, address: str, name: str, *, height: int = 800) -> None:
    """Open one page as a reader does, and keep what is seen first."""
    page.set_viewport_size({"width": 1200, "height": height})
    page.goto(address)
    page.wait_for_timeout(1500)  # the map is painted after the page is loaded
    page.screenshot(path=IMAGES / f"{name}.png")


def main(edition: Path) -> None:
    """Take every picture, offline and from the folder itself."""
    root = edition.resolve().as_uri()
    gemeente = next((edition / "gemeenten").iterdir()).name
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_context(offline=True, reduced_motion="reduce").new_page()
        shoot(page, f"{root}/index.html", "index")
        shoot(page, f"{root}/kaart.html", "kaart", height=900)
        shoot(page, f"{root}/kaart.html#gebied=BU05991575", "kaart-gebied", height=900)
        shoot(page, f"{root}/gemeenten/{gemeente}/index.html", "gemeente", height=1000)
        shoot(page, f"{root}/methode.html", "methode", height=1000)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
