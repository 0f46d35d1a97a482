# SPDX-License-Identifier: Apache-2.0
"""seed.py - an embedded store with as many orders as are asked for: kuryed makes one, and while it is down SQLite copies it.

The copies have the ids 1, 2, … and were made a millisecond after each other.
"""
import contextlib, sqlite3

from server import ORDER, kuryed

COPIES = {"id": "order_id(n)", "pid": "CAST(n AS TEXT)", "made": "made - :orders + n"}


def copy(db, table, orders):
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    db.execute(f"INSERT INTO {table} ({', '.join(columns)}) "
               "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < :orders) "
               f"SELECT {', '.join(COPIES.get(column, column) for column in columns)} FROM numbers, {table} ORDER BY n",
               {"orders": orders})


def embedded(path, orders):
    """A restaurant's token and a courier's key."""
    with kuryed(f"sqlite:{path}") as server:
        token, key = server.provision()
        server.call("POST", "/orders", token, ORDER)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.create_function("order_id", 1, lambda n: bytes.fromhex(f"{n:024d}"))
        db.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
        with db:
            copy(db, "orders", orders)
            copy(db, "documents", orders)
    return token, key
