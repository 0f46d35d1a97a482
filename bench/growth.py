# SPDX-License-Identifier: Apache-2.0
"""growth.py - what a durable webhook costs in a store with a million orders, and what the same costs in one with ten thousand;
how soon a platform is told, and how long a list of 50 takes, in both. (With --quick: a hundred thousand, and ten.)

The newest orders are moved, as couriers do, 64 at once. Beside it the raw loop's own growth over as many rows (seed.py).
"""
import contextlib, tempfile

import beside
import disk
import load
import mongodb
import seed
from figures import Figure, Group, Missing
from server import BUILD, ORDER, kuryed

SMALL = 10_000
CONNECTIONS = 64
MARGIN = 2 * CONNECTIONS  # the load ends a little behind its last order
LIST_SECONDS = 2
CLAIM_RATE, CLAIM_SECONDS = 100, 3  # as many orders are made by hand


def attempt(measure, *args):
    """What it gives, or why it gives nothing: so that the rest is told all the same."""
    try:
        return measure(*args)
    except RuntimeError as why:
        return str(why)


def given(value):
    if isinstance(value, str):
        raise Missing(value)
    return value


def list_ms(server, token):
    return load.wrk("list", server.url, 1, LIST_SECONDS, token)["p50"]


def claim_ms(uri):
    """The median from a webhook's answer until its platform is called."""
    @contextlib.contextmanager
    def started(settings):
        with kuryed(uri, **settings) as server:
            yield server.url.removeprefix("http://")
    told = beside.delays(0, CLAIM_RATE, CLAIM_SECONDS, started)
    return told[len(told) // 2]


class Embedded:
    """A store that holds so many orders."""
    moved = 9000  # at a time

    def __init__(self, folder, orders):
        self.path, self.orders, self.uri = f"{folder}/{orders}.db", orders, f"sqlite:{folder}/{orders}.db"
        self.folder = folder
        self.token, self.key = seed.embedded(self.path, orders)
        disk.settle(folder)

    def load(self, first):
        counter = disk.Counter(self.folder, BUILD / "bench" / "flushes.so")
        with kuryed(self.uri, **counter.settings) as server:
            server.ping(self.key)
            before, _ = counter.read()
            ours = load.webhooks(server, self.key, CONNECTIONS, 1, first, self.moved)
            self.batch = max(1, round(ours["requests"] / max(1, counter.read()[0] - before)))
            return ours | {"list": attempt(list_ms, server, self.token)}

    def raw(self, _):
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            return load.bare("updates", f"{folder}/raw.db", self.orders, self.batch, self.moved)


class OnMongodb:
    """A database that holds so many."""
    moved = 1500

    def __init__(self, uri, stack, orders):
        self.base, self.orders = stack.enter_context(mongodb.Database(uri)), orders
        self.uri = self.base.uri
        with kuryed(self.uri) as server:
            self.token, self.key = server.provision()
            server.call("POST", "/orders", self.token, ORDER)
        self.base.copy(orders)
        disk.settle(BUILD)

    def load(self, first):
        with kuryed(self.uri) as server:
            server.ping(self.key)
            return load.webhooks(server, self.key, CONNECTIONS, 1, first, self.moved) | {"list": attempt(list_ms, server, self.token)}

    def raw(self, turn):
        """The oldest, by the same loop as in mongodb.py; the newest are ours."""
        return load.bare("mongo_updates", self.uri, self.moved, min(CONNECTIONS, mongodb.THREADS), turn * self.moved + 1)


def measure(store, turn):
    ours = store.load(store.orders - MARGIN - (turn + 1) * store.moved)
    return {"ours": ours, "raw": store.raw(turn), "claim": attempt(claim_ms, store.uri)}


def embedded(run):
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        large = Embedded(folder, run.pick(100_000, 1_000_000))
        for turn in range(run.repeats):
            with tempfile.TemporaryDirectory(dir=BUILD) as small:
                yield {"small": measure(Embedded(small, SMALL), 0), "large": measure(large, turn)}


def on_mongodb(run):
    with contextlib.ExitStack() as stack:
        small, large = (OnMongodb(run.mongodb, stack, orders) for orders in (SMALL, run.pick(100_000, 1_000_000)))
        for turn in range(run.repeats):
            yield {"small": measure(small, turn), "large": measure(large, turn)}


def figures(where, raw):
    def grows(what, measure, run):
        return measure(run["large"][what]) / measure(run["small"][what])

    def growth(name, measure):
        return Figure(f"growth of {name}, 10,000 to 1,000,000 orders, {where}", "times", f"{raw}'s own growth",
                      lambda run: (grows("ours", measure, run), grows("raw", measure, run)), "≤ 1.2")

    def flat(name, get):
        return Figure(f"{name}, 1,000,000 orders, {where}", "ms", "the same of 10,000",
                      lambda run: (given(get(run["large"])), given(get(run["small"]))), "≤ 1.2")
    return [
        growth("a webhook's CPU", lambda done: done["cpu"]),
        growth("a webhook's time (1/rate)", lambda done: 1 / done["rate"]),
        flat("answered to platform called, p50", lambda store: store["claim"]),
        flat("list of 50 orders, p50", lambda store: store["ours"]["list"]),
    ]


GROUPS = [Group("growth", figures("embedded", "raw SQLite"), embedded),
          Group("growth-mongodb", figures("on MongoDB", "bare libmongoc"), on_mongodb)]
