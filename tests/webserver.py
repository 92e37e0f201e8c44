"""The shipped nginx configuration, on a free port of loopback and another shelf."""

import os
from pathlib import Path

from conftest import ROOT

SITE = ROOT / "deploy" / "nginx" / "wijkatlas.conf"


def configuration(folder: Path, shelf: Path, port: int, program: str) -> list[str]:
    """Write what nginx needs into `folder`; return the command that starts it in the foreground."""
    site = SITE.read_text(encoding="utf-8")
    for shipped, here in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "listen [::]:80;": "",
        "root /var/lib/wijkatlas/outputs;": f"root {shelf};",
    }.items():
        assert site.count(shipped) == 1
        site = site.replace(shipped, here)
    (folder / "site.conf").write_text(site)
    # workers of the same user as the test: its folders are its own
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} worker_processes 2; pid {folder}/pid; error_log {folder}/error.log; daemon off;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log {folder}/access.log; sendfile on; tcp_nopush on;\n{temporary}\n"
        f"include {folder}/site.conf; }}\n"
    )
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
