"""
Let 200 clients fetch pages and data of an edition at once, for a minute, from Debian's nginx on loopback.

    python -m benchmarks.visitors outputs --clients 200 --seconds 60

The configuration is the shipped one. Prints answers by status, errors, and how long an answer takes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from loading import fetch_at_once
from scheduling import free_port
from webserver import configuration

PAGES = ("", "kaart.html", "methode.html", "downloads/buurten.geojson", "assets/style.css")


def main() -> None:
    """Serve, load, tell."""
    parser = argparse.ArgumentParser(description="Many visitors at once.")
    parser.add_argument("shelf", type=Path)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") or "nginx"
    with tempfile.TemporaryDirectory() as temporary:
        folder, port = Path(temporary), free_port()
        start = configuration(folder, arguments.shelf.resolve(), port, program)
        server = subprocess.Popen([*start, "-e", str(folder / "error.log")])
        time.sleep(1)
        try:
            begin = time.monotonic()
            load = fetch_at_once(
                port,
                [f"/latest/{page}" for page in PAGES],
                clients=arguments.clients,
                rounds=1_000_000,
                until=begin + arguments.seconds,
            )
            seconds = time.monotonic() - begin
        finally:
            server.terminate()
            server.wait()
    waits = sorted(load.waits)
    print(f"{arguments.clients} clients, {seconds:.0f} s: {dict(load.statuses)}, {len(load.errors)} errors")
    half, most = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.99))
    print(f"{len(waits) / seconds:.0f} answers a second, {load.received / seconds / 1e6:.0f} MB/s, ", end="")
    print(f"half within {half:.0f} ms, 99% within {most:.0f} ms")
    raise SystemExit(bool(load.errors) or set(load.statuses) != {200})


if __name__ == "__main__":
    main()
