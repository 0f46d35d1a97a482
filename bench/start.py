# SPDX-License-Identifier: Apache-2.0
"""start.py - from the start of the process until /readyz says 200, on an empty embedded store and on one with 10,000 orders: the
longest of several starts. The program's pages are in memory already."""
import tempfile, time, urllib.request

import seed
from figures import Group, within
from server import BUILD, kuryed

STARTS, ORDERS, MS = 5, 10_000, 100


def start_ms(store):
    began = time.perf_counter()
    with kuryed(store) as server, urllib.request.urlopen(server.ops + "/readyz", timeout=10):  # raises for 503
        return 1000 * (time.perf_counter() - began)


def measure(folder):
    empty = max(start_ms(f"sqlite:{folder}/empty{n}.db") for n in range(STARTS))
    seed.embedded(f"{folder}/full.db", ORDERS)
    return {"empty": empty, "full": max(start_ms(f"sqlite:{folder}/full.db") for _ in range(STARTS))}


def runs(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            yield measure(folder)


GROUPS = [Group("start", [
    within(f"start to ready, empty store, longest of {STARTS}", "ms", MS, lambda run: run["empty"]),
    within(f"start to ready, {ORDERS:,} orders, longest of {STARTS}", "ms", MS, lambda run: run["full"])], runs)]
