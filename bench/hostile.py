# SPDX-License-Identifier: Apache-2.0
"""hostile.py - clients that mean ill beside good ones: sockets that never finish, sockets that never begin, keys that are guessed.

What the server cuts is opened anew at once, so that there are always as many.
"""
import contextlib, hashlib, pathlib, resource, secrets, select, socket, subprocess, tempfile, threading

import disk
import load
from figures import Figure, Group
from server import BUILD, RESTAURANT, kuryed

RATE, CONNECTIONS = 200, 20  # good webhooks a second
SLOW, IDLE = 500, 2000  # at any time
DRIP_S = 2  # a byte of each slow one
GUESSERS, PAUSE_MS = 64, 64  # connections that guess: 1000 keys a second, each well made and from an address of its own
KEYS = 10000
HALF = b"POST /api/v1/webhook/courier/status-update HTTP/1.1\r\nHost: kuryed\r\nX-Drip: "


class Sockets(threading.Thread):
    """Holds them until it is stopped."""

    def __init__(self, address):
        super().__init__(daemon=True)
        host, port = address.rsplit(":", 1)
        self.to, self.poll, self.open = (host, int(port)), select.epoll(), {}
        self.over, self.ready = threading.Event(), threading.Event()

    def _add(self, is_slow):
        one = socket.create_connection(self.to)
        if is_slow:
            one.sendall(HALF)
        self.open[one.fileno()] = one, is_slow
        self.poll.register(one.fileno(), select.EPOLLIN | select.EPOLLRDHUP)

    def _drip(self):
        for one, is_slow in list(self.open.values()):
            if is_slow:
                with contextlib.suppress(OSError):
                    one.send(b"x")

    def run(self):
        for number in range(SLOW + IDLE):
            self._add(number < SLOW)
        self.ready.set()
        while not self.over.wait(DRIP_S):
            self._drip()
            for fd, _ in self.poll.poll(0):
                one, is_slow = self.open.pop(fd)
                one.close()
                self._add(is_slow)
        for one, _ in self.open.values():
            one.close()


def key():
    """One with a checksum that is right: it has to be looked up."""
    text = "krk_" + secrets.token_hex(20)
    return text + hashlib.sha256(text.encode()).hexdigest()[:8]


@contextlib.contextmanager
def clients(url, restaurant, folder):
    """While inside, they are there."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    keys = pathlib.Path(folder, "keys")
    keys.write_text("".join(key() + "\n" for _ in range(KEYS)))
    sockets = Sockets(url.removeprefix("http://"))
    sockets.start()
    sockets.ready.wait()
    script = pathlib.Path(__file__).with_name("guesses.lua")
    guesser = subprocess.Popen(["wrk", "-t1", f"-c{GUESSERS}", "-d600s", "-s", script, url, "--", keys, str(PAUSE_MS), restaurant],
                               stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        guesser.terminate()
        guesser.wait()
        sockets.over.set()
        sockets.join()


def measure(seconds, folder):
    """The 99th percentiles of good webhooks, by themselves, then beside the others."""
    with kuryed(f"sqlite:{folder}/bench.db", KURYE_TRUSTED_PROXIES="127.0.0.1/32") as server:
        token, key = server.provision()
        load.orders(server, token, 2)
        disk.settle(folder)

        def p99(turn):
            return load.paced(server, key, CONNECTIONS, seconds, RATE, first=turn * 2 * RATE * seconds)["p99"]
        p99(0)  # the disk still has to do with the seeding
        alone = p99(1)
        with clients(server.url, RESTAURANT, folder):
            return {"alone": alone, "beside": p99(2)}


def runs(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            yield measure(run.pick(5, 8), folder)


GROUPS = [Group("hostile", [Figure(f"p99 at {RATE}/s, hostile clients beside it", "ms", "the same without them",
                                   lambda run: (run["beside"], run["alone"]), "≤ 2.0")], runs)]
