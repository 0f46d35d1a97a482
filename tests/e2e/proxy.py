# SPDX-License-Identifier: Apache-2.0
"""proxy.py - Debian's nginx in front of several kuryed, with what docs/nginx.conf tells operators."""

import os
import re
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

from process import WAIT

TEMPLATE = Path(__file__).parents[2] / "docs" / "nginx.conf"
MAIN = """\
user root;   # counts only for root, whose folders are nobody else's
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
        client_body_temp_path {folder}/body;
        proxy_temp_path {folder}/proxy;
        fastcgi_temp_path {folder}/fastcgi;
        uwsgi_temp_path {folder}/uwsgi;
        scgi_temp_path {folder}/scgi;
{site}}}
"""


def site(servers, **places):
    """The operators' file with other addresses and files; each of them stands there once."""
    text = TEMPLATE.read_text(encoding="utf-8")
    found = dict(zip(sorted(set(re.findall(r"server ([\d.:]+)", text))), servers, strict=True))
    text = re.sub(r"(?<=server )[\d.:]+", lambda match: found[match[0]], text)
    for there, here in {"listen 443 ": "listen {plain} sndbuf=64k;\n        listen {secure} ", "listen 80;": "listen {insecure};",
                        "/etc/ssl/certs/kuryed.pem": "{certificate}", "/etc/ssl/private/kuryed.key": "{key}",
                        "/var/log/nginx/kuryed.log": "{log}"}.items():
        assert text.count(there) == 1, there
        text = text.replace(there, here.format(**places))
    return text


class Proxy:
    """`secure` is its address for TLS, by a certificate for kurye.example and 127.0.0.1 in the file `certificate`;
    `address` one more of the same server, without TLS, and `insecure` the one that sends people away."""

    def __init__(self, folder, servers):
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if not program:
            raise RuntimeError("there is no nginx (Debian: nginx-light)")
        self.folder = Path(folder, "nginx")
        self.folder.mkdir()
        self.certificate, self.access_log = self.folder / "cert.pem", self.folder / "access.log"
        self._certify()
        with ExitStack() as stack:
            listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=512)) for _ in range(3)]
            self.address, self.secure, self.insecure = ("%s:%d" % one.getsockname() for one in listeners)
            config = self.folder / "nginx.conf"
            text = site(servers, plain=self.address, secure=self.secure, insecure=self.insecure, log=self.access_log,
                        certificate=self.certificate, key=self.folder / "key.pem")
            config.write_text(MAIN.format(folder=self.folder, site=text), encoding="utf-8")
            self.log = open(self.folder / "error.log", "w+b")
            # nginx takes over listening sockets that are named so, as it does from its predecessor when it is upgraded.
            files = [one.fileno() for one in listeners]
            self.process = subprocess.Popen(
                [program, "-p", self.folder, "-c", config, "-e", "stderr"], stdin=subprocess.DEVNULL,
                stdout=self.log, stderr=self.log, pass_fds=files,
                env={"NGINX": "".join(f"{file};" for file in files)})

    def _certify(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=kurye.example", "-addext", "subjectAltName=DNS:kurye.example,IP:127.0.0.1",
             "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature",
             "-keyout", self.folder / "key.pem", "-out", self.certificate], check=True, capture_output=True)

    def close(self):
        self.process.terminate()
        status = self.process.wait(WAIT)
        self.log.close()
        assert status == 0
