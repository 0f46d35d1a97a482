# SPDX-License-Identifier: Apache-2.0
"""watchers.py - ten thousand screens on one kuryed: what they weigh, how soon they hear, what telling them costs.

No load generator that Debian has (wrk, ab, siege, hey) opens WebSockets and listens, so this one does: sockets without a
library, one epoll set, no more than the head of each frame and two members of each message are looked at.
"""
import base64, http.client, json, os, re, resource, select, socket, tempfile, threading, time

from figures import Failed, Figure, Group, within
from server import ADMIN, BUILD, ORDER, cpu_seconds, kuryed, memory

WATCHERS, MIB = 10000, 280
RATE, P99_MS = 1000, 1000  # changes a second over them
SCREENS = 10  # of each restaurant
STEPS = ("hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek", "teslim-edildi")
ABOUT = re.compile(rb'"at":"([^"]+)".*"orderId":"(\w+)".*"rev":(\d+)', re.S)
DRIVERS = 32  # connections that move orders: each waits for its commit


class Screens:
    """Sockets that listen; what each message was about, and when the last socket had it."""

    def __init__(self, address, tokens, each):
        host, port = address.rsplit(":", 1)
        self.poll, self.sockets, self.rest = select.epoll(), {}, {}
        self.told, self.count = {}, {}
        self.over = threading.Event()
        for number in range(len(tokens) * each):
            one = socket.create_connection((host, int(port)))
            key = base64.b64encode(os.urandom(16)).decode()
            one.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
                        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                        f"Authorization: Bearer {tokens[number % len(tokens)]}\r\n\r\n".encode())
            data = b""
            while b"hello" not in data:
                got = one.recv(4096)
                if not got:
                    raise RuntimeError(f"screen {number} was refused: {data[:60]}")
                data += got
            one.setblocking(False)
            self.sockets[one.fileno()], self.rest[one.fileno()] = one, b""
            self.poll.register(one.fileno(), select.EPOLLIN)
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self):
        while not self.over.is_set():
            for fd, _ in self.poll.poll(0.1, 1024):
                self._take(fd, self.sockets[fd].recv(262144))

    def _take(self, fd, data):
        if not data:
            raise RuntimeError("a screen was let go")
        now, data = time.time(), self.rest[fd] + data
        while len(data) >= 4:
            size, head = data[1], 2
            if size == 126:
                size, head = int.from_bytes(data[2:4], "big"), 4
            if len(data) < head + size:
                break
            if data[0] == 0x89:
                self.sockets[fd].send(b"\x8a\x80\0\0\0\0")
            elif found := ABOUT.search(data, head, head + size):
                about = found[2], found[3]
                self.told[about] = now, found[1]
                self.count[about] = self.count.get(about, 0) + 1
            data = data[head + size:]
        self.rest[fd] = data

    def waits(self, messages, seconds=60):
        until = time.monotonic() + seconds
        while sum(self.count.values()) < messages:
            if time.monotonic() > until:
                raise RuntimeError(f"{sum(self.count.values())} of {messages} messages came")
            self.over.wait(0.05)

    def delays(self):
        """ms from the move's own time, which is before its commit, to the last screen."""
        def began(text):
            whole = time.strptime(text[:19].decode(), "%Y-%m-%dT%H:%M:%S")
            return (time.mktime(whole) - time.timezone) + int(text[20:23]) / 1000
        return sorted(1000 * (now - began(at)) for now, at in self.told.values())

    def close(self):
        self.over.set()
        self.thread.join()
        for one in self.sockets.values():
            one.close()


def moves(address, jobs, rate):
    """Moves orders at this rate in all, (token, order, status) each."""
    began, lock, feed = time.monotonic(), threading.Lock(), iter(enumerate(jobs))

    def drive():
        link = http.client.HTTPConnection(address)
        while True:
            with lock:
                number, job = next(feed, (None, None))
            if job is None:
                return
            token, order, status = job
            wait = began + number / rate - time.monotonic()
            if wait > 0:
                threading.Event().wait(wait)
            link.request("PUT", f"/api/v1/orders/{order}/status", json.dumps({"status": status}),
                         {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            answer = link.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"a move was answered {answer.status}")
    threads = [threading.Thread(target=drive) for _ in range(DRIVERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def measure(server, watchers, rate, seconds):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    address = server.url.removeprefix("http://")
    new = {name: value for name, value in ORDER.items() if name not in ("platformOrderId", "orderId")} | {"status": "yeni"}

    def order(token):
        return token, server.call("POST", "/orders", token, new)["orderId"]
    tokens = [server.call("POST", "/restaurants", ADMIN, {"name": "Bench"})["token"] for _ in range(watchers // SCREENS)]
    orders = [order(token) for token in tokens]
    orders += [order(token) for token in tokens[:max(0, rate * seconds // len(STEPS) - len(tokens))]]
    screens = Screens(address, tokens, SCREENS)
    try:
        full = memory(server.pid)
        jobs = [(token, order, step) for step in STEPS for token, order in orders][:rate * seconds]
        cpu = cpu_seconds(server.pid)
        took = moves(address, jobs, rate)
        screens.waits(len(jobs) * SCREENS)
        cpu = cpu_seconds(server.pid) - cpu
        delays = screens.delays()
    finally:
        screens.close()
    return {"memory": full, "rate": len(jobs) / took, "cpu": 100 * cpu / took,
            "p50": delays[len(delays) // 2], "p99": delays[len(delays) * 99 // 100]}


def runs(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder, kuryed(f"sqlite:{folder}/bench.db") as server:
            seen = measure(server, WATCHERS, RATE, run.pick(3, 10))
        if seen["rate"] < 0.9 * RATE:
            raise Failed("the orders of watched restaurants could not be moved fast enough")
        yield seen


GROUPS = [Group("watchers", [
    within(f"memory with {WATCHERS:,} watchers", "MiB", MIB, lambda run: run["memory"]),
    within(f"p99 from a change to the last of its {SCREENS} watchers", "ms", P99_MS, lambda run: run["p99"]),
    Figure(f"CPU at {RATE:,} changes/s over them", "%", "one core", lambda run: (run["cpu"], 100))], runs)]
