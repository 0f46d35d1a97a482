# SPDX-License-Identifier: Apache-2.0
"""light.py - how long a durable webhook waits when there are few: 200 a second, embedded store.

Beside it the disk's flushes, on the same file system, as large, as many a second and as irregular (disk.py), before and after.
"""
import tempfile

import disk
import load
from figures import Figure, Group
from server import BUILD, kuryed

RATE, CONNECTIONS = 200, 20


def measure(seconds, folder):
    counter = disk.Counter(folder, BUILD / "bench" / "flushes.so")
    with kuryed(f"sqlite:{folder}/bench.db", **counter.settings) as server:
        token, key = server.provision()
        load.orders(server, token, 2)
        disk.settle(folder)
        before = counter.read()
        load.paced(server, key, CONNECTIONS, 1, RATE)
        flushes, written = (now - then for now, then in zip(counter.read(), before))
        size = written // flushes
        first = disk.flushes_ms(folder, RATE, seconds, size)
        ours = load.paced(server, key, CONNECTIONS, 2 * seconds, RATE, first=2 * RATE)
        last = disk.flushes_ms(folder, RATE, seconds, size)
    return ours | {"flush p50": (first[0] + last[0]) / 2, "flush p99": (first[1] + last[1]) / 2, "flush bytes": size}


def runs(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            yield measure(run.pick(4, 6), folder)


GROUPS = [Group("light", [
    Figure(f"p99 of a durable webhook at {RATE}/s", "ms", "the disk's flush p99, paced the same", lambda run: (run["p99"], run["flush p99"]), "≤ 3"),
    Figure(f"p50 of a durable webhook at {RATE}/s", "ms", "the disk's flush p50", lambda run: (run["p50"], run["flush p50"]))], runs)]
