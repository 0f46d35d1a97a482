# SPDX-License-Identifier: Apache-2.0
"""stores.py - where a world keeps its orders: a file in its folder, or a database of its own on the tests' MongoDB."""

import functools
import glob
import json
import json
import os
import secrets
import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta

import bson
import pymongo
from bson import ObjectId

from mongo_relay import Relay
from process import WAIT
from questions import strange

STORE = os.environ.get("KURYE_TEST_STORE", "sqlite")
MONGODB_URI = os.environ.get("KURYE_TEST_MONGODB_URI", "")


class Embedded:
    def __init__(self, folder):
        self.path = os.path.join(folder, "kurye.db")
        self.where = f"sqlite:{self.path}"

    @contextmanager
    def stalled(self):
        """Writes wait: somebody else holds the write lock."""
        lock = sqlite3.connect(self.path, isolation_level=None, timeout=WAIT)
        lock.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            lock.execute("ROLLBACK")
            lock.close()

    def opened(self):
        """The file beside the server; what is written in there is committed at the end of the block."""
        base = sqlite3.connect(self.path, timeout=WAIT)
        base.row_factory = sqlite3.Row

        @contextmanager
        def transaction():
            try:
                with base:
                    yield base
            finally:
                base.close()
        return transaction()

    def documents(self):
        """What is kept, as (collection, document) and called as a MongoDB has it."""
        columns = {"doc": "document", "hist": "history", "p_log": "out", "c_log": "out"}
        with self.opened() as base:
            for table, name in {"orders": "orders", "documents": "orders", "records": "records"}.items():
                for row in base.execute(f"SELECT * FROM {table}"):
                    yield name, {columns.get(column, column): json.loads(value) if column in columns and value else value
                                 for column, value in dict(row).items()}

    def contents(self):
        """All that is kept, in pieces of bytes."""
        for name in glob.glob(f"{self.path}*"):
            with open(name, "rb") as file:
                yield file.read()

    def age(self, days, *orders):
        """Makes orders older, by their ids, with all that happened to them."""
        ms = days * 24 * 3600 * 1000
        with closing(sqlite3.connect(self.path, timeout=WAIT)) as db, db:
            db.execute("BEGIN IMMEDIATE")
            for which in map(bytes.fromhex, orders):
                [[history]] = db.execute("SELECT hist FROM orders WHERE id = ?", [which])
                history = json.dumps([{**row, "at": row["at"] - ms} for row in json.loads(history)])
                db.execute("UPDATE orders SET made = made - ?1, seen = seen - ?1, hist = ?2 WHERE id = ?3", [ms, history, which])

    def heals(self):
        pass

    def close(self):
        pass


class MongoDB:
    """Its server is reached through a relay, which stands still when the store shall."""

    def __init__(self, _folder):
        self.relay = Relay(MONGODB_URI)
        self.database = direct()[f"kuryed_e2e_{secrets.token_hex(8)}"]
        self.where = self.relay.uri(self.database.name)
        self.stalled = self.relay.frozen

    def documents(self):
        for name in self.database.list_collection_names():
            for document in self.database[name].find():
                yield name, document

    def contents(self):
        for name in self.database.list_collection_names():
            for document in self.database[name].find():
                yield bson.encode(document)

    def age(self, days, *orders):
        for which in map(ObjectId, orders):
            there = self.database.orders.find_one({"_id": which})
            older = {name: there[name] - timedelta(days=days) for name in ("createdAt", "updatedAt")}
            rows = [{**row, "at": row["at"] - timedelta(days=days)} for row in there["history"]]
            self.database.orders.update_one({"_id": which}, {"$set": {**older, "history": rows}})

    def heals(self):
        self.relay.thaw()
        self.relay.heals()

    def close(self):
        self.relay.close()
        direct().drop_database(self.database.name)
        unplanned = strange(self.relay.seen())
        assert not unplanned, f"no index is meant for it: {unplanned}"


@functools.cache
def direct():
    """The tests' own connection, past all relays."""
    return pymongo.MongoClient(MONGODB_URI)


def make(folder):
    return {"sqlite": Embedded, "mongodb": MongoDB}[STORE](folder)
