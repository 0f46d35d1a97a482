# SPDX-License-Identifier: Apache-2.0
"""mischief.py - who means no good, or is badly made: clients that drip, leave, flood and guess; and platforms and stores that fail."""

import os
import socket
import sqlite3
import struct
import subprocess
import time

import fake
import mongo_relay
import process
from raw import Raw, request
from world import WEBHOOK, from_address

from stage import Actor

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a reset instead of an end
DRIPS = 30
CROWD = 200
STEPS = {"dukkango": ("accept", "on-the-way", "delivered", "cancel", "login", "poll", "acknowledge"),
         "getiryemek": ("accept", "on-the-way", "delivered", "check", "login"),
         "yemeksepeti": ("accept", "on-the-way", "login"),
         "trendyolyemek": ("accept", "ready", "on-the-way", "delivered", "check"),
         "migrosyemek": ("accept", "ready", "on-the-way", "delivered", "check"), "couriers": ("dispatch",)}
TROUBLES = {"500": lambda: fake.fails(500), "503 come in a second": lambda: fake.fails(503, retry_after=1),
            "429": lambda: fake.fails(429, retry_after=1), "closes": fake.closes, "loses the answer": fake.loses,
            "a megabyte": fake.floods, "slow": lambda: fake.takes(0.7)}
GARBAGE = (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 2000,
           b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           request("GET", "/" + "a" * 70000), b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70000, os.urandom(4000))


class Drips(Actor):
    """Requests that come byte by byte, and are never whole."""

    every = 0.5

    def __init__(self, stage):
        super().__init__(stage)
        self.open = []

    def act(self):
        for one in self.open[:]:
            try:
                one.socket.sendall(b"x")
                one.socket.setblocking(False)
                if one.socket.recv(1000) == b"":
                    raise ConnectionError
            except BlockingIOError:
                one.socket.setblocking(True)
            except OSError:
                self.drops(one)
        while len(self.open) < DRIPS:
            self.open.append(Raw(self.stage))
            self.open[-1].send(b"POST %s HTTP/1.1\r\nX-Slow: " % WEBHOOK.encode())
            self.stage.counts("requests dripped")

    def drops(self, one):
        self.open.remove(one)
        one.close()

    def rests(self):
        for one in self.open[:]:
            self.drops(one)


class Rude(Actor):
    """Half requests, garbage, floods of wrong keys, crowds that say nothing, clients that leave before their answer."""

    every = 0.5

    def __init__(self, stage, book):
        super().__init__(stage)
        self.book = book

    def act(self):
        what = self.random.choice((self.leaves_half, self.leaves_half, self.throws, self.guesses, self.crowds, self.leaves,
                                   self.pipelines))
        what()
        self.stage.counts(f"clients: {what.__name__.replace('_', ' ')}")

    def leaves_half(self):
        whole = request("POST", WEBHOOK, b"{" * 4000, x_api_key="kr_x", content_type="application/json")
        for _ in range(10):
            with Raw(self.stage) as one:
                one.send(whole[:self.random.randrange(1, len(whole))])
                if self.random.random() < 0.5:
                    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)

    def throws(self):
        with Raw(self.stage) as one:
            one.send(self.random.choice(GARBAGE))
            one.half_close().ended()

    def guesses(self):
        """From an address of its own, and more than it may."""
        session = from_address(f"127.{self.random.randrange(1, 250)}.{self.random.randrange(250)}.2")
        body = {"restaurantId": "5" * 24, "orderId": "5" * 24, "status": 1}
        for _ in range(70):
            answer = self.stage.call("POST", WEBHOOK, body, session=session, headers={"x-api-key": "kr_wrong"})
            if answer.status_code not in (404, 429, 500, 503):
                self.stage.breaks(f"a wrong key was told {answer.status_code}")
        session.close()

    def crowds(self):
        crowd = [Raw(self.stage) for _ in range(CROWD)]
        for one in crowd:
            one.send(request("GET", "/docs/tr"))
        self.waits(1.0)
        for one in crowd:
            one.close()

    def leaves(self):
        """A good report again, by somebody who does not wait for what it is told."""
        entry = self.book.some(self.random, lambda entry: entry.rank == 5)
        for _ in range(10 if entry else 0):
            place = entry.order.restaurant
            with Raw(self.stage) as one:
                one.send(request("POST", WEBHOOK, {"restaurantId": place.id, "orderId": entry.order.id, "status": 2},
                                 x_api_key=place.firm.key, content_type="application/json"))

    def pipelines(self):
        with Raw(self.stage) as one:
            one.send(request("GET", "/openapi.yaml") * 20)
            for _ in range(self.random.randrange(20)):
                one.reply()


class Platforms(Actor):
    """Each of them has a bad moment now and then."""

    every = 0.7

    def __init__(self, stage):
        super().__init__(stage)
        self.hanging = []

    def act(self):
        for until, hang in self.hanging[:]:
            if until < time.monotonic():
                hang.released.set()
                self.hanging.remove((until, hang))
        name = self.random.choice(list(STEPS))
        platform = self.stage.fakes.get(name, self.stage.firms)
        step, times = self.random.choice(STEPS[name]), self.random.randint(1, 5)
        if self.random.random() < 0.1 and hasattr(platform, "expire_tokens"):
            platform.expire_tokens()
            self.stage.counts("platforms: tokens ended")
        elif self.random.random() < 0.15:
            hang = platform.hang(step, times, done=self.random.random() < 0.5)
            platform.hangs.remove(hang)  # it is let go here, and there are many
            self.hanging.append((time.monotonic() + 4, hang))
            self.stage.counts("platforms: hang", times)
        else:
            what = self.random.choice(list(TROUBLES))
            platform.next(step, TROUBLES[what](), times)
            self.stage.counts(f"platforms: {what}", times)

    def rests(self):
        for _, hang in self.hanging:
            hang.released.set()
        self.hanging.clear()
        for one in self.stage.others:
            one.heals()


class Reader(Actor):
    """Whoever reads the log is away for a while."""

    every = 25.0

    def act(self):
        self.stage.counts("log: nobody reads")
        self.stage.server.reading.clear()
        self.waits(self.random.uniform(1, 5))
        self.stage.server.reading.set()


class Disk(Actor):
    """Of the embedded store: full, locked by somebody, read for long, saved."""

    every = 12.0

    def act(self):
        self.random.choice((self.full, self.locked, self.locked, self.read, self.saved))()

    def full(self):
        server = self.stage.server
        self.stage.trouble("full", self.random.uniform(0.5, 3), server.disk_full, lambda: server.disk_full(False))

    def locked(self):
        stall = self.stage.stalled()
        self.stage.trouble("locked", self.random.uniform(0.3, 4), stall.__enter__, lambda: stall.__exit__(None, None, None))

    def read(self):
        self.stage.counts("store read for long")
        reader = sqlite3.connect(self.stage.store.path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM orders").fetchall()
        self.waits(5)
        reader.close()

    def saved(self):
        to = os.path.join(self.stage.folder, "backup.db")
        done = subprocess.run([process.BINARY, "backup", to], env={"KURYE_STORE": self.stage.store.where}, capture_output=True,
                              timeout=process.WAIT, check=False)
        if done.returncode:
            self.stage.breaks(f"a backup failed: {done.stderr}")
        else:
            os.unlink(to)
        self.stage.counts("store saved")


class Network(Actor):
    """Between the server and its MongoDB: silence, cuts, single answers that are lost."""

    every = 12.0

    def act(self):
        relay = self.stage.store.relay
        relay.forget()  # what went by so far
        kind, begin, end = self.random.choice((
            ("frozen", relay.freeze, relay.thaw), ("down", relay.down, relay.up), ("cut", relay.cut, lambda: None),
            ("faulty", self.spoils, relay.heals), ("slow", lambda: self.slows(0.05), lambda: self.slows(0.0))))
        self.stage.trouble(kind, self.random.uniform(0.5, 4), begin, end)

    def spoils(self):
        for name in ("findAndModify", "update", "insert", "find"):
            then = self.random.choice((mongo_relay.drops(), mongo_relay.loses(), mongo_relay.refuses(189),
                                       mongo_relay.spoils(91)))
            self.stage.store.relay.on(name, times=self.random.randint(1, 5), then=then)

    def slows(self, seconds):
        self.stage.store.relay.delay = seconds
