# SPDX-License-Identifier: Apache-2.0
"""hostile.py - what a server may do to its caller, byte by byte, as tables; and what stands before a server of a test's.

A behaviour is given the connection and ends when there is nothing more to do, or the caller has had enough of it: none of
them ends by itself while the caller stays, but those that close. ANSWERS come in place of an answer, STATUS is theirs where
they have one, so that nobody can take them for a success; GREETINGS before anything could be asked.
"""

import gzip
import socket
import ssl
import threading

from process import WAIT

MARK = "kötü niyetli"  # stands in all that is said: none of it may be found in a log
STATUS = b"HTTP/1.1 500 " + MARK.encode() + b"\r\n"
TICK = 0.05  # seconds between two bytes of who has time
ZEROS = gzip.compress(bytes(64 << 20))


def hears(connection):
    """Whether the caller has said something, or (False) has left."""
    try:
        return bool(connection.recv(65536))
    except OSError:
        return False


def waits(connection):
    while hears(connection):
        pass


def says(connection, *texts):
    """False: the caller has left."""
    try:
        for text in texts:
            connection.sendall(text)
        return True
    except OSError:
        return False


def then_hangs(*texts):
    def act(connection):
        says(connection, *texts)
        waits(connection)
    return act


def then_closes(*texts):
    return lambda connection: says(connection, *texts)


def for_ever(first, again):
    def act(connection):
        there = says(connection, first)
        while there:
            there = says(connection, again)
    return act


def drips(text):
    """A byte at a time, over and over."""
    def act(connection):
        for at in range(1 << 30):
            if not says(connection, text[at % len(text):][:1]):
                return
            threading.Event().wait(TICK)
    return act


def with_body(*headers, body=b""):
    return STATUS + b"".join(header.encode() + b"\r\n" for header in headers) + b"\r\n" + body


CHUNKED = with_body("Transfer-Encoding: chunked")
NOTE = MARK.encode()

HANGS = {  # each takes the caller's whole time
    "nothing": then_hangs(), "half a status line": then_hangs(b"HTTP/1.1 2"), "half a header": then_hangs(STATUS + b"Content-Le"),
    "no body": then_hangs(with_body("Content-Length: 9")), "half a body": then_hangs(with_body("Content-Length: 99", body=NOTE)),
    "half a chunk": then_hangs(CHUNKED + b"ff\r\n" + NOTE), "a byte now and then": drips(STATUS + b"X: " + NOTE * 1000),
    "a body now and then": lambda connection: says(connection, with_body()) and drips(NOTE)(connection),
    "100, and nothing": then_hangs(b"HTTP/1.1 100 Continue\r\n\r\n"), "a chunk's extension without end": for_ever(CHUNKED + b"1;", NOTE * 4096),
}
FLOODS = {  # each is cut
    "a body without end": for_ever(with_body(), NOTE * 4096), "headers without end": for_ever(STATUS, b"X: " + NOTE + b"\r\n"),
    "a header without end": for_ever(STATUS + b"X: ", NOTE * 4096), "chunks without end": for_ever(CHUNKED, b"1\r\nx\r\n" * 999),
    "trailers without end": for_ever(CHUNKED + b"0\r\n", b"X: " + NOTE + b"\r\n"),
    "a chunk's size without end": for_ever(CHUNKED, b"0" * 4096), "100 for ever": for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99),
    "103 for ever": for_ever(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), "a status line without end": for_ever(b"HTTP/1.1 500 ", NOTE * 999),
    "no HTTP without end": for_ever(b"", NOTE * 999),
    "a body that is a bomb": then_closes(with_body("Content-Encoding: gzip", f"Content-Length: {len(ZEROS)}", body=ZEROS)),
    "a transfer that is a bomb": then_closes(with_body("Transfer-Encoding: gzip, chunked", body=b"%x\r\n" % len(ZEROS) + ZEROS + b"\r\n0\r\n\r\n")),
}
LIES = {
    "closes": then_closes(), "closes in the status line": then_closes(b"HTTP/1.1 2"), "closes in the headers": then_closes(STATUS + b"X: "),
    "a length that is too long": then_closes(with_body("Content-Length: 99", body=NOTE)),
    "a length that is too short": then_closes(with_body("Content-Length: 2", body=NOTE)),
    "a length of 64 bits": then_closes(with_body("Content-Length: 9223372036854775807", body=NOTE)),
    "a length of more": then_closes(with_body("Content-Length: 99999999999999999999", body=NOTE)),
    "a length below nothing": then_closes(with_body("Content-Length: -1", body=NOTE)),
    "two lengths": then_closes(with_body("Content-Length: 2", "Content-Length: 99", body=NOTE)),
    "a length and chunks": then_closes(with_body("Content-Length: 2", "Transfer-Encoding: chunked", body=b"1\r\nx\r\n0\r\n\r\n")),
    "a chunk that is cut": then_closes(CHUNKED + b"ff\r\n" + NOTE), "a chunk of no size": then_closes(CHUNKED + b"zz\r\n" + NOTE),
    "another protocol": then_closes(b"SSH-2.0-" + NOTE + b"\r\n"), "no status": then_closes(b"HTTP/1.1 \r\n\r\n"),
    "HTTP/2": then_closes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(99)), "HTTP/3": then_closes(b"HTTP/3 500\r\n\r\n"),
    "NUL in a header": then_closes(STATUS + b"X\0Y: " + NOTE + b"\0\r\n\r\n"), "headers that are none": then_closes(STATUS + NOTE * 9 + b"\r\n\r\n"),
    "101": then_closes(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n" + NOTE),
}
ANSWERS = {**HANGS, **FLOODS, **LIES}

ELSEWHERE = ["http://169.254.169.254/latest/meta-data/", "http://{inside}/", "//{inside}/", "https://{inside}/", "file:///etc/passwd",
             "gopher://{inside}/_", "http://localhost:{port}/", "http://[::ffff:127.0.0.1]:{port}/"]
REDIRECTS = (300, 301, 302, 303, 305, 307, 308)


def redirects(status, to):
    return then_closes(f"HTTP/1.1 {status} {MARK}\r\nLocation: {to}\r\nRefresh: 0; url={to}\r\nContent-Length: 0\r\n\r\n".encode())


# ---- before anything is asked ----

HELLO_REQUEST = bytes.fromhex("1603030004") + bytes(4)  # a record of TLS 1.2 that says: begin anew
GREETINGS = {  # of who is called by https
    "nothing": then_hangs(), "closes": lambda connection: hears(connection), "no TLS": then_hangs(STATUS + b"\r\n"),
    "half a record": then_hangs(bytes.fromhex("16030340")), "an alert": then_hangs(bytes.fromhex("15030300020228")),
    "a byte now and then": drips(HELLO_REQUEST), "HelloRequests for ever": for_ever(b"", HELLO_REQUEST * 4000),
    "warnings for ever": for_ever(b"", bytes.fromhex("1503030002015a") * 4000), "empty records for ever": for_ever(b"", bytes.fromhex("1603030000") * 4000),
}


class Front:
    """A door of a test's own before a server: the next callers meet what stands in `next`, all others are let through; with a
    context of ssl, by TLS."""

    def __init__(self, server=None, context=None):
        self.server, self.context = server, context
        self.next, self.met, self.changed = [], 0, threading.Condition()
        self.open = set()  # what is let through just now
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def meets(self, *behaviours):
        """Those who come next; who is there has to come again."""
        self.next.extend(behaviours)
        for connection in list(self.open):
            connection.shutdown(socket.SHUT_RDWR)
        return self

    def was_met(self, times=1):
        with self.changed:
            assert self.changed.wait_for(lambda: self.met >= times, WAIT), f"{self.met} of {times} came"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        behaviour = self.next.pop(0) if self.next else None
        with self.changed:
            self.met += 1
            self.changed.notify_all()
        with connection:
            try:
                if behaviour:
                    behaviour(connection)
                else:
                    self._lets_through(self.context.wrap_socket(connection, server_side=True) if self.context else connection)
            except OSError:
                pass  # the caller has left: a certificate that is not taken, above all

    def _lets_through(self, connection):
        with connection, socket.create_connection(("127.0.0.1", self.server)) as server:
            self.open.add(connection)
            back = threading.Thread(target=self._copy, args=(server, connection), daemon=True)
            back.start()
            self._copy(connection, server)
            self.open.discard(connection)
            back.join(WAIT)

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except (OSError, ssl.SSLError):
            pass
