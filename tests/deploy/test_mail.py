"""The mail of the morning: sent by a real curl to a relay on loopback, only where the status is not good."""

import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT, skip_or_fail


class Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs (RFC 5321)."""

    def handle(self) -> None:
        """Take one mail."""
        assert isinstance(self.server, Relay)
        self.wfile.write(b"220 relay\r\n")
        while line := self.rfile.readline():
            self.server.said.append(line.decode())
            if line.strip() == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) != b".\r\n":
                    self.server.said.append(line.decode())
            self.wfile.write(b"250 ok\r\n")


class Relay(socketserver.ThreadingTCPServer):
    """A mail relay that keeps what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        self.said: list[str] = []
        super().__init__(("127.0.0.1", 0), Conversation)


@pytest.fixture
def relay() -> Iterator[Relay]:
    if not shutil.which("curl"):
        skip_or_fail("no curl on this machine (Debian's package `curl`)")
    with Relay() as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


def send(relay: Relay, folder: Path, told: str, code: int) -> None:
    """Send the mail where `wijkatlas status` says this."""
    (folder / "told").write_text(told, encoding="utf-8")
    program = folder / "wijkatlas"
    program.write_text(f'#!/bin/sh\ncat "{folder}/told"\nexit {code}\n')
    program.chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "MAIL_RELAY": f"smtp://127.0.0.1:{relay.server_address[1]}",
        "MAIL_FROM": "wijkatlas@example.org",
        "MAIL_TO": "beheer@example.org",
    }
    subprocess.run([ROOT / "deploy" / "mail-status"], env=environment, timeout=60, check=True)


def test_bad_status_is_mailed_as_it_is(relay: Relay, tmp_path: Path) -> None:
    told = "CRITICAL: no run is scheduled\nedition    súdwest-$(id)\n.\nlast error `id`"
    send(relay, tmp_path, told, 2)
    said = "".join(relay.said)
    assert "MAIL FROM:<wijkatlas@example.org>" in said
    assert "RCPT TO:<beheer@example.org>" in said
    header, _, body = said.partition("DATA\r\n")[2].partition("\r\n\r\n")
    assert header.splitlines()[2].startswith("Subject: wijkatlas on ")
    assert header.splitlines()[2].endswith(": CRITICAL")
    assert body.startswith(told.replace("\n.\n", "\n..\n").replace("\n", "\r\n"))


def test_good_status_is_not_mailed(relay: Relay, tmp_path: Path) -> None:
    send(relay, tmp_path, "OK: the edition is whole", 0)
    assert relay.said == []
