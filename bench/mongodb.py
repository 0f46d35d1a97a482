# SPDX-License-Identifier: Apache-2.0
"""mongodb.py - the MongoDB that bench/run measures on: whether one runs, and databases with orders in them."""
import contextlib, os, secrets, subprocess, threading

import bson, pymongo

UNAVAILABLE = 69  # EX_UNAVAILABLE: what tools/mongodb says where none can be had
BATCH = 10000     # orders in a command; FerretDB takes 25,000


@contextlib.contextmanager
def running(tool):
    """Its URI, or None where none can be had. One that is started waits for the disk, and is stopped again."""
    ran = subprocess.run([tool, "uri"], capture_output=True).returncode == 0
    status = subprocess.run([tool, "start"], env=os.environ | {"KURYE_TEST_MONGODB_DURABLE": "1"}).returncode
    if status not in (0, UNAVAILABLE):
        raise SystemExit("bench: MongoDB does not start")
    try:
        yield subprocess.check_output([tool, "uri"], text=True).strip() if status == 0 else None
    finally:
        if not ran:
            subprocess.run([tool, "stop"], check=True)


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
        return self.orders.find_one({"_id": bson.ObjectId(f"{n:024x}")})

    def add(self, order, numbers):
        """Copies of an order; the store's uniqueness stands on these two members."""
        for at in range(0, len(numbers), BATCH):
            self.orders.insert_many([order | {"_id": bson.ObjectId(f"{n:024x}"), "platformOrderId": str(n)}
                                     for n in numbers[at:at + BATCH]], ordered=False)

    def fill(self, like, order, n):
        """Nothing but the first n copies, with the other's indexes."""
        indexes = [{key: index[key] for key in ("name", "key", "unique", "partialFilterExpression") if key in index}
                   for index in like.orders.list_indexes() if index["name"] != "_id_"]
        self.orders.drop()
        self.orders.database.command("createIndexes", "orders", indexes=indexes)
        self.add(order, range(1, n + 1))

    def moved(self):
        """How many were moved, when no more are: the load ends with some unanswered."""
        before, now = -1, 0
        while now != before:
            threading.Event().wait(0.1)
            before, now = now, self.orders.count_documents({"rev": {"$gt": 1}})
        return now
