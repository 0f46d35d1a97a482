# SPDX-License-Identifier: Apache-2.0
"""crash.py - a world whose server dies at random instants under load, and those who go on all the same.

KURYE_TEST_SEED is what everything random comes of; it is printed, so that a run can be had again, as far as threads allow.
KURYE_TEST_KILLS says how often it dies, whatever the test would have.
"""

import os
import queue
import random
import secrets
import signal
import sqlite3
import threading
import time
from datetime import datetime

import requests
import websocket

from fake import closes, fails, loses, takes
from fake_getiryemek import REASON
from ledger import RANKS, Ledger, milliseconds, tally
from mongo_relay import drops
from mongo_relay import loses as loses_command
from process import Kuryed
from stores import STORE
from test_servers import Server
from watcher import Watcher
from world import FAKES, World, data, eventually

CALL = 1.0  # seconds until a call is given up; for so long what is in doubt is left alone after a start
SETTINGS = {"outbound_timeout": f"{int(CALL * 1000)}ms", "lease_slack": "200ms", "step_wait": 0.05, "trendyolyemek_pause": "1s"}
REASONS = {"getiryemek": REASON, "migrosyemek": "1"}  # where a cancel needs one
ROW_8 = "Sipariş zaten teslim edildi veya iptal edildi"


def chance(seed=None):
    """What everything random comes of."""
    seed = seed or os.environ.get("KURYE_TEST_SEED") or str(secrets.randbelow(1 << 32))
    print(f"KURYE_TEST_SEED={seed}")
    return random.Random(seed)


class Mortal(World):
    """`up`: somebody may answer."""

    def __init__(self, **settings):
        self.up = threading.Event()
        super().__init__(**{**SETTINGS, **settings})

    def start(self, **changes):
        super().start(**changes)
        self.up.set()

    def ends(self):
        self.up.clear()
        assert self.server.stop()[0] == 0

    def owed(self):
        """How many targets somebody must look at, and how many have failed."""
        if hasattr(self.store, "database"):
            orders = self.store.database.orders
            return tuple(sum(orders.count_documents({f"out.{party}.{field}": {"$gt": least}})
                             for party in ("platform", "courier"))
                         for field, least in (("at", datetime(1970, 1, 1)), ("dead", "")))
        file = sqlite3.connect(f"file:{self.store.path}?mode=ro", uri=True, timeout=10)
        try:
            return file.execute("SELECT coalesce(sum(ifnull(p_at > 0, 0) + ifnull(c_at > 0, 0)), 0),"
                                " count(p_dead) + count(c_dead) FROM orders").fetchone()
        finally:
            file.close()

    def comes_to_rest(self):
        """Nothing is owed any more; what has failed is tried anew."""
        def left():
            owed, failed = self.owed()
            if failed:
                data(self.admin("POST", "/api/v1/deliveries/replay", {"state": "failed"}))
            return owed + failed
        eventually(left, lambda count: count == 0, timeout=60, pause=0.1)


class Pair(Mortal):
    """Two servers on one database; whoever asks, asks either."""

    def start(self):
        self.all = [Server(self) for _ in range(2)]
        self.session = self.lone()
        self.up.set()

    @property
    def address(self):
        return random.choice([server for server in self.all if not server.killed] or self.all).address

    def doubt(self):
        for fake in self.others:
            fake.doubt()

    def ends(self):
        self.up.clear()
        assert [server.close() for server in self.all] == [0, 0]
        self.server = self.all[0].process


class Load:
    """Restaurants and couriers at their work; each goes on until somebody has answered."""

    def __init__(self, world, ledger, rng, places=4, workers=6):
        self.world, self.ledger = world, ledger
        self.over, self.in_vain = threading.Event(), False
        self.echoes = queue.Queue()
        self.places, self.watched = [], None
        for number in range(places):
            place = world.restaurant().connected(*FAKES)
            self.places.append((place, [place.courier(dispatch=number % 2 == 0, notifyCancel=True), place.courier()]))
        self.watched = self.places[0][0]
        ledger.watched.add(self.watched.id)
        self.threads = [threading.Thread(target=self._work, args=(random.Random(rng.random()),), daemon=True)
                        for _ in range(workers)]
        self.threads += [threading.Thread(target=self._echo, daemon=True) for _ in range(2)]
        self.watching = threading.Thread(target=self._watch, daemon=True)
        self.hears = threading.Event()

    def __enter__(self):
        self.watching.start()
        assert self.hears.wait(20)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, failed, *_):
        self.in_vain = bool(failed)
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _work(self, rng):
        session = self.world.lone()
        try:
            while not self.over.is_set():
                self._order(rng, session)
        except Exception as why:  # pylint: disable=broad-except
            self.ledger.breaks(f"a courier met {why!r}")
            raise

    def _echo(self):
        """Says at the same time, by another connection, what another says."""
        session = self.world.lone()
        while not self.over.is_set():
            try:
                self._report(session, *self.echoes.get(timeout=0.1))
            except queue.Empty:
                pass

    def _watch(self):
        ledger, since = self.ledger, None

        class Screen(Watcher):
            def _take(self, message):
                super()._take(message)
                ledger.hears(message)
        while not self.in_vain and (not self.over.is_set() or self.world.up.is_set()):
            try:
                self.world.up.wait(1)
                watcher = Screen(self.watched, since=since)
            except (OSError, websocket.WebSocketException):
                threading.Event().wait(0.02)
                continue
            with watcher.changed:
                watcher.changed.wait_for(lambda: watcher.ended or watcher.messages)
                if watcher.messages:
                    self.hears.set()
                watcher.changed.wait_for(lambda: watcher.ended)
            since = watcher.since or since
            watcher.cut()

    def _ask(self, send):
        """Who has no answer asks again, and who is told that it did not work, too."""
        while True:
            self.world.up.wait(0.5)
            assert not self.in_vain, "nobody is there any more"
            try:
                answer = send()
            except requests.RequestException:
                self.ledger.unanswered += 1
                threading.Event().wait(0.01)
                continue
            if answer.status_code not in (500, 503):
                return answer
            self.ledger.refused += 1
            threading.Event().wait(0.02)

    def _order(self, rng, session):
        place, couriers = rng.choice(self.places)
        platform, status = rng.choice([*FAKES, *FAKES, "phone"]), rng.choice(["yeni", "hazirlanacak", "hazir"])
        number = {} if platform in FAKES else {"platformOrderId": f"fiş {rng.random()}"}
        body = place.draft(platform, status, **number)
        answer = self._ask(lambda: place.call("POST", "/api/v1/orders", body, session=session))
        if answer.status_code not in (200, 201):
            self.ledger.breaks(f"a new order was answered {answer.status_code} {answer.text}")
            return
        order = place.ours(answer.json()["data"])
        self.ledger.created(order, platform, couriers[0].firm)
        self.ledger.says(answer, order.id, RANKS[status], milliseconds(order.made["createdAt"]))
        if rng.random() < 0.15:
            if rng.random() < 0.5:
                self._put(session, place, order, "hazirlanacak")
            self._put(session, place, order, "cancelled")
        else:
            if status == "yeni" and rng.random() < 0.5:
                self._put(session, place, order, "hazirlanacak")
            for report in rng.choice([(1, 2), (1, 2), (1, 2), (2,), (1,), ()]):
                self._reports(rng, session, rng.choice(couriers), order, report)
        if rng.random() < 0.2:
            self._look(session, couriers[0], order)

    def _put(self, session, place, order, word):
        body = {"status": word, **({"reasonId": REASONS.get(order.platform)} if word == "cancelled" else {})}
        answer = self._ask(lambda: place.call("PUT", f"{order.path}/status", body, session=session))
        if answer.status_code == 200:
            self.ledger.says(answer, order.id, RANKS[word])
        elif answer.json()["message"] == ROW_8:
            self.ledger.says(answer, order.id, None, final=True)
        elif answer.status_code != 409:  # it is further already
            self.ledger.breaks(f"{word} of {order.id} was answered {answer.status_code} {answer.text}")

    def _reports(self, rng, session, courier, order, status):
        headers = {"Idempotency-Key": f"{order.id}-{status}"} if rng.random() < 0.5 else {}
        if rng.random() < 0.2:
            self.echoes.put((courier, order, status, headers))
        for _ in range(rng.choice([1, 1, 2])):
            self._report(session, courier, order, status, headers)

    def _report(self, session, courier, order, status, headers):
        answer = self._ask(lambda: courier.post(order, status, headers=headers, session=session))
        if answer.status_code == 200:
            self.ledger.says(answer, order.id, 3 + status, milliseconds(answer.json()["data"]["updatedAt"]))
        elif answer.status_code == 400 and answer.json()["message"] == ROW_8 and not (headers and status == 2):
            self.ledger.says(answer, order.id, None, final=True)
        else:
            self.ledger.breaks(f"{status} of {order.id} was answered {answer.status_code} {answer.text}")

    def _look(self, session, courier, order):
        answer = self._ask(lambda: self.world.call("GET", f"/api/v1/webhook/courier/orders/{order.id}", session=session,
                                                   headers={"x-api-key": courier.key}))
        self.ledger.says(answer, order.id, RANKS[answer.json()["data"]["status"]])


class Moods:
    """Platforms on an ordinary bad day; and what is to happen at the next call to one of them, or after it."""

    def __init__(self, world, rng):
        self.rng, self.lock = rng, threading.Lock()
        self.at_call, self.at_answer = None, None
        self.fakes = world.others
        for fake in self.fakes:
            fake.mood = self._mood

    def end(self):
        for fake in self.fakes:
            fake.mood = lambda call: None

    def _taken(self, name):
        with self.lock:
            act = getattr(self, name)
            setattr(self, name, None)
        if act:
            act()

    def _mood(self, _):
        self._taken("at_call")
        with self.lock:
            lot, seconds = self.rng.random(), 0.45 * CALL * self.rng.random() ** 3
        trouble = (fails(500) if lot < 0.02 else closes() if lot < 0.04 else loses() if lot < 0.07
                   else takes(seconds) if lot < 0.5 else None)
        if self.at_answer is None:
            return trouble

        def answered(apply):
            answer = trouble(apply) if trouble else apply()
            self._taken("at_answer")
            return answer
        return answered


class Killer:
    """Ends the server at random instants, writes down what it left, and starts it again."""

    how = {"soon": 6, "later": 4, "answering": 4, "calling": 4, "settling": 5, "starting": 4, "stopping": 3}

    def __init__(self, world, ledger, rng):
        self.world, self.ledger, self.rng = world, ledger, rng
        self.moods = Moods(world, random.Random(rng.random()))
        self.done = []

    def goes_on(self, count):
        while len(self.done) < count:
            how = self.rng.choices(list(self.how), self.how.values())[0]
            self.done.append(how)
            getattr(self, f"_{how}")()
        print(f"{len(self.done)} times: {', '.join(self.done)}")

    def _waits(self, most, least=0.0):
        threading.Event().wait(self.rng.uniform(least, most))

    def _soon(self):
        self._waits(0.5)
        self._dies()

    def _later(self):
        """Not before what is in doubt may be told."""
        self._waits(1.8 * CALL, 1.1 * CALL)
        self._dies()

    def _at(self, holder, name, delay=0):
        """When somebody has been answered, within the next call to a platform, or after it."""
        self._waits(0.4)
        met, process = threading.Event(), self.world.server.process

        def act():
            if delay:
                threading.Event().wait(delay)
            process.kill()
            met.set()
        setattr(holder, name, act)
        met.wait(2)
        setattr(holder, name, None)
        self._dies()

    def _answering(self):
        self._at(self.ledger, "at_answer")

    def _calling(self):
        self._at(self.moods, "at_call")

    def _settling(self):
        self._at(self.moods, "at_answer", self.rng.uniform(0, 0.006))

    def _stopping(self):
        self._waits(0.4)
        self.world.server.signal(signal.SIGTERM)
        self._waits(0.12)
        self._dies()

    def _starting(self):
        self._waits(0.5)
        self._dies(self.rng.randint(1, 3))

    def _dies(self, again=0):
        """And so many times more before it has come up."""
        self.world.up.clear()
        began = time.monotonic()
        self.world.kill()
        self._writes_down(began - 0.01, {self.world.address})
        for _ in range(again):
            began = time.monotonic()
            server = Kuryed(self.world.environment())
            self._waits(0.08)
            server.kill()
            self.done.append("again")
            self._writes_down(began)
        self.world.start()

    def _writes_down(self, began, dead=()):
        if self.world.below:
            self.world.below.power_cut(self.world.store)
        self.ledger.trouble(began)
        self.ledger.moment(dead)


class Outages(Killer):
    """The store, too, has bad days."""

    how = {"soon": 3, "later": 2, "calling": 2, "settling": 2, "starting": 1, "stopping": 1,
           "down": 3, "frozen": 3, "cut": 3, "lost": 4, "gone": 2}

    def _away(self, relay, how):
        begin, end = {"down": (relay.down, relay.up), "freeze": (relay.freeze, relay.thaw)}[how]
        began = time.monotonic()
        begin()
        self._waits(0.8, 0.05)
        end()
        self.ledger.trouble(began)
        self.ledger.moment()

    def _down(self):
        self._waits(0.5)
        self._away(self.world.store.relay, "down")

    def _frozen(self):
        self._waits(0.5)
        self._away(self.world.store.relay, "freeze")

    def _cut(self):
        """Its connections alone: no reason to call anybody twice."""
        self._waits(0.5)
        self.world.store.relay.cut()

    def _lost(self):
        """Some commands, or their answers; nor is that one."""
        relay = self.world.store.relay
        for command in ("findAndModify", "update", "insert"):
            relay.on(command, nth=self.rng.randint(1, 20), then=self.rng.choice([loses_command, drops])())
        self._waits(0.5)
        relay.heals()

    def _gone(self):
        """The server dies while the store is away, and comes before it is back."""
        relay = self.world.store.relay
        self._waits(0.5)
        began = time.monotonic()
        relay.down()
        self._waits(0.2)
        self.world.up.clear()
        self.world.kill()
        self.world.start()
        self._waits(0.3)
        relay.up()
        self.ledger.trouble(began)
        self.ledger.moment()


class OneOfTwo(Outages):
    """One of two servers dies, or is cut off, while the other goes on."""

    how = {"dies": 5, "down": 2, "freeze": 2, "cut": 1}

    def _dies(self):
        self._waits(0.6)
        server, began = self.rng.choice(self.world.all), time.monotonic()
        server.kill()
        self.ledger.trouble(began - 0.01)
        self.ledger.moment()
        self._waits(1.5)
        server.start()

    def _down(self):
        self._waits(0.4)
        self._away(self.rng.choice(self.world.all).relay, "down")

    def _freeze(self):
        self._waits(0.4)
        self._away(self.rng.choice(self.world.all).relay, "freeze")

    def _cut(self):
        self._waits(0.4)
        self.rng.choice(self.world.all).relay.cut()


def plays(count, world=Mortal, killer=None, **settings):
    """A whole run: load and trouble, then rest, then what came of it."""
    rng = chance()
    killer = killer or {"sqlite": Killer, "mongodb": Outages}[STORE]
    with world(**settings) as made:
        ledger = Ledger(made, CALL)
        load = Load(made, ledger, rng)
        trouble = killer(made, ledger, rng)
        with load:
            trouble.goes_on(int(os.environ.get("KURYE_TEST_KILLS", count)))
        trouble.moods.end()
        try:
            made.comes_to_rest()
        except AssertionError as why:
            ledger.breaks(f"it comes to no rest: {why}")
        ledger.moment()
        eventually(ledger.not_heard, lambda left: not left)
        made.ends()
        load.watching.join()
        ledger.moment()
        print(tally(ledger))
        wrong = ledger.check()
        assert not wrong, "\n".join([f"{len(wrong)} breaches", *wrong[:20]])
