# SPDX-License-Identifier: Apache-2.0
"""mongodb.py - durable webhooks on a MongoDB, and that MongoDB: whether one runs, and databases with orders in them.

Beside them, second by second in turns: the same updates, asked by as many threads of bare libmongoc as kuryed has at once
(bench/mongo_updates.c). The MongoDB is the one of tools/mongodb; one that is started waits for the disk, and is stopped again.
"""
import contextlib, os, secrets, subprocess, threading

import bson, pymongo

import disk
import load
from figures import Failed, Figure, Group, Missing
from server import BUILD, ORDER, ROOT, kuryed

UNAVAILABLE = 69  # EX_UNAVAILABLE: what tools/mongodb says where none can be had
BATCH = 100000    # copies in a command: the numbers of all are a document in between
WARMUP = 1000     # updates before the counted ones: MongoDB starts what it needs, and shows how fast it is
TURNS = 3         # of ours and the bare loop's
THREADS = 32      # as many commands at once as kuryed sends; model/store_mongo.c


@contextlib.contextmanager
def running():
    """Its URI."""
    tool = ROOT / "tools" / "mongodb"
    ran = subprocess.run([tool, "uri"], capture_output=True).returncode == 0
    status = subprocess.run([tool, "start"], env=os.environ | {"KURYE_TEST_MONGODB_DURABLE": "1"}).returncode
    if status == UNAVAILABLE:
        raise Missing("no MongoDB")
    if status:
        raise Failed("MongoDB does not start")
    try:
        yield subprocess.check_output([tool, "uri"], text=True).strip()
    finally:
        if not ran:
            subprocess.run([tool, "stop"], check=True)


def version(run):
    """Of the one that was measured on, if any was."""
    if "mongodb" not in vars(run):
        return "none"
    with pymongo.MongoClient(run.mongodb) as client:
        told = client.server_info()
    return f"FerretDB {told['ferretdb']['version']}" if "ferretdb" in told else told["version"]


def order_id(n):
    return bson.ObjectId(f"{n:024d}")


def shape(value):
    """A value without what differs from order to order: times, ids, tokens."""
    if isinstance(value, dict):
        return {key: len(part) if key == "op" else shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return type(value), None if isinstance(value, (bson.ObjectId, bson.datetime.datetime)) else value


class Database:
    """One of its own, gone at the end. Orders have the ids 1, 2, …"""

    def __init__(self, uri):
        base, mark, options = uri.partition("?")
        self.client = pymongo.MongoClient(uri)
        self.name = "kuryed_bench_" + secrets.token_hex(4)
        self.uri = f"{base.rstrip('/')}/{self.name}{mark}{options}"
        self.orders = self.client[self.name]["orders"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.drop_database(self.name)
        self.client.close()

    def order(self, n):
        return self.orders.find_one({"_id": order_id(n)})

    def indexes(self):
        return [{key: index[key] for key in ("name", "key", "unique", "partialFilterExpression") if key in index}
                for index in self.orders.list_indexes() if index["name"] != "_id_"]

    def copy(self, orders):
        """As many copies of order 1 as make so many, by the store itself; the indexes are made afterwards, as it is quicker."""
        indexes, number = self.indexes(), {"$toString": "$number"}
        zeros = {"$substrCP": ["0" * 24, 0, {"$subtract": [24, {"$strLenCP": number}]}]}
        self.orders.drop_indexes()
        for first in range(2, orders + 1, BATCH):
            self.orders.aggregate([
                {"$match": {"_id": order_id(1)}},
                {"$set": {"number": {"$range": [first, min(first + BATCH, orders + 1)]}}},
                {"$unwind": "$number"},
                {"$set": {"_id": {"$toObjectId": {"$concat": [zeros, number]}}, "platformOrderId": number}},
                {"$unset": "number"},
                {"$merge": "orders"}])
        self.index(indexes)

    def index(self, indexes):
        self.orders.database.command("createIndexes", "orders", indexes=indexes)

    def fill(self, like, orders):
        """Nothing but so many copies of the other's first order, with its indexes."""
        self.orders.drop()
        self.orders.insert_one(like.order(1))
        self.index(like.indexes())
        self.copy(orders)

    def moved(self):
        """How many were moved, when no more are: the load ends with some unanswered."""
        before, now = -1, 0
        while now != before:
            threading.Event().wait(0.1)
            before, now = now, self.orders.count_documents({"rev": {"$gt": 1}})
        return now


def in_turns(server, key, raw, connections, threads):
    """Ours and the bare loop, a second each, time and again: MongoDB itself is now quick, now slow. The first turn warms up."""
    first, turns = 0, []
    for _ in range(1 + TURNS):
        ours = load.webhooks(server, key, connections, 1, first)
        disk.settle(BUILD)
        turns.append((ours, load.bare("mongo_updates", raw.uri, ours["requests"], threads, first + 1)))
        disk.settle(BUILD)
        first += ours["requests"] + 2 * connections  # the load ends a little behind what it counts
    requests = [ours["requests"] for ours, _ in turns[1:]]
    return [{"rate": sum(requests) / sum(n / done["rate"] for n, done in zip(requests, side)),
             "cpu": sum(n * done["cpu"] for n, done in zip(requests, side)) / sum(requests)} for side in list(zip(*turns[1:]))]


def measure(uri, connections):
    """Ours and the bare loop, each in a database of its own with as many orders."""
    threads = min(connections, THREADS)
    with Database(uri) as base, Database(uri) as raw, kuryed(base.uri) as server:
        token, key = server.provision()
        server.call("POST", "/orders", token, ORDER)
        raw.fill(base, WARMUP)
        warm = load.bare("mongo_updates", raw.uri, WARMUP, threads)
        orders = round(3 * (1 + TURNS) * warm["rate"])
        raw.fill(base, orders)
        base.copy(orders)
        disk.settle(BUILD)
        server.ping(key)
        before = server.metric("kuryed_store_commands_total{")
        ours, limit = in_turns(server, key, raw, connections, threads)
        moved = base.moved()
        ours["trips"] = (server.metric("kuryed_store_commands_total{") - before) / moved
        if shape(raw.order(2)) != shape(base.order(2)):  # wrk throws its script's first request away
            raise Failed("bench/mongo_updates.c does not make the change that kuryed makes")
    return {"ours": ours, "raw": limit}


def runs(run, connections):
    for _ in range(run.repeats):
        yield measure(run.mongodb, connections)


def figures(connections):
    at = f"on MongoDB, {connections} connections"
    return [
        Figure(f"durable webhooks {at}", "/s", "bare libmongoc", lambda run: (run["ours"]["rate"], run["raw"]["rate"]), "≥ 0.90"),
        Figure(f"CPU per webhook {at}", "µs", "bare libmongoc", lambda run: (run["ours"]["cpu"], run["raw"]["cpu"])),
        Figure(f"store round trips a webhook {at}", "", "one", lambda run: (run["ours"]["trips"], 1), "≤ 1.01"),
    ]


GROUPS = [Group(f"mongodb-{connections}", figures(connections), lambda run, n=connections: runs(run, n))
          for connections in (64, 256)]
