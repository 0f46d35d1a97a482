# SPDX-License-Identifier: Apache-2.0
"""proxy.py - Debian's nginx in front of several kuryed, with what docs/nginx.conf tells operators."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from process import WAIT

TEMPLATE = Path(__file__).parents[2] / "docs" / "nginx.conf"
MAIN = """\
user root;   # counts only for root, whose folders are nobody else's
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
        access_log off;
        client_body_temp_path {folder}/body;
        proxy_temp_path {folder}/proxy;
        fastcgi_temp_path {folder}/fastcgi;
        uwsgi_temp_path {folder}/uwsgi;
        scgi_temp_path {folder}/scgi;
{site}}}
"""


def site(own, servers):
    """The operators' file with other addresses, and without TLS."""
    text = TEMPLATE.read_text(encoding="utf-8")
    found = dict(zip(sorted(set(re.findall(r"server ([\d.:]+)", text))), servers, strict=True))
    text = re.sub(r"(?<=server )[\d.:]+", lambda match: found[match[0]], text)
    text, changed = re.subn(r"listen 443 ssl;", f"listen {own};", text)
    assert changed == 1
    return re.sub(r"ssl_\w+ .*;", "", text)


class Proxy:
    def __init__(self, folder, servers):
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if not program:
            raise RuntimeError("there is no nginx (Debian: nginx-light)")
        self.folder = Path(folder, "nginx")
        self.folder.mkdir()
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            self.address = "%s:%d" % listener.getsockname()
            config = self.folder / "nginx.conf"
            config.write_text(MAIN.format(folder=self.folder, site=site(self.address, servers)), encoding="utf-8")
            self.log = open(self.folder / "error.log", "w+b")
            # nginx takes over listening sockets that are named so, as it does from its predecessor when it is upgraded.
            self.process = subprocess.Popen(
                [program, "-p", self.folder, "-c", config, "-e", "stderr"], stdin=subprocess.DEVNULL,
                stdout=self.log, stderr=self.log, pass_fds=[listener.fileno()],
                env={"NGINX": f"{listener.fileno()};"})

    def close(self):
        self.process.terminate()
        status = self.process.wait(WAIT)
        self.log.close()
        assert status == 0
