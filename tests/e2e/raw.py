# SPDX-License-Identifier: Apache-2.0
"""raw.py - one TCP connection, byte by byte, for what no HTTP library would send."""

import json
import socket
from collections import namedtuple

from process import WAIT

Reply = namedtuple("Reply", "status headers body")


class Raw:
    def __init__(self, world, timeout=2 * WAIT, ops=False):
        host, port = world.ops_address.rsplit(":", 1) if ops else (world.host, world.port)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *parts):
        """Sends; a peer that has stopped listening is no error here, its answer is what counts."""
        try:
            for part in parts:
                self.socket.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has gone altogether
        return self

    def reply(self, head=False):
        """Reads one reply; None where the connection ended instead."""
        try:
            line = self.file.readline()
        except ConnectionResetError:
            line = b""
        if not line:
            return None
        status = int(line.split()[1])
        headers = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        size = 0 if head or status < 200 else int(headers.get("content-length", 0))
        return Reply(status, headers, self.file.read(size))

    def ended(self):
        """Waits for the peer's end of the connection; whatever came before it is returned."""
        try:
            return self.file.read()
        except ConnectionResetError:
            return b""


def request(method, path, body=b"", **headers):
    """A request as bytes; header names are given with underscores, None leaves a default out."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = {"host": "kuryed", "content_length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n"
                   for name, value in lines.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
