# SPDX-License-Identifier: Apache-2.0
"""embedded.py - durable webhooks on the embedded store, as many as it takes.

Beside them, in the same minute: an echo on the same kind of loop that only parses and answers (bench/echo.c), and the same
updates of rows as narrow written straight into SQLite, in commits of the size seen (bench/updates.c).
"""
import tempfile

import disk
import load
from figures import Figure, Group
from server import BUILD, kuryed

SEED = 5  # times as long as the webhooks: an order takes about twice what a webhook takes


def counted(connections, seconds, folder):
    """One burst, and how many moves shared a flush."""
    counter = disk.Counter(folder, BUILD / "bench" / "flushes.so")
    with kuryed(f"sqlite:{folder}/bench.db", **counter.settings) as server:
        token, key = server.provision()
        load.orders(server, token, SEED * seconds)
        disk.settle(folder)
        before, _ = counter.read()
        ours = load.webhooks(server, key, connections, seconds)
        return ours | {"batch": ours["requests"] / max(1, counter.read()[0] - before)}


def runs(run, connections):
    seconds = run.pick(1, 2)
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            echo = load.echo(connections, seconds)
            ours = counted(connections, seconds, folder)
            raw = load.bare("updates", f"{folder}/updates.db", ours["requests"], max(1, round(ours["batch"])))
            yield {"ours": ours, "echo": echo, "raw": raw}


def figures(connections, cpu_goal):
    def rate(run, *limits):
        return run["ours"]["rate"], min(run[limit]["rate"] for limit in limits)
    at = f"{connections} connections"
    return [
        Figure(f"durable webhooks, {at}, and raw SQLite", "/s", "raw SQLite", lambda run: rate(run, "raw")),
        Figure(f"durable webhooks, {at}, and an echo", "/s", "echo", lambda run: rate(run, "echo")),
        Figure(f"durable webhooks, {at}", "/s", "the smaller of both", lambda run: rate(run, "raw", "echo"), "≥ 0.70"),
        Figure(f"CPU per webhook, {at}", "µs", "echo", lambda run: (run["ours"]["cpu"], run["echo"]["cpu"]), cpu_goal),
        Figure(f"p99 of them, {at}", "ms", "echo", lambda run: (run["ours"]["p99"], run["echo"]["p99"])),
        Figure(f"moves a flush, {at}", "", "all that wait", lambda run: (run["ours"]["batch"], connections)),
    ]


GROUPS = [Group(f"embedded-{connections}", figures(connections, goal), lambda run, n=connections: runs(run, n))
          for connections, goal in ((64, "≤ 2.6"), (256, "≤ 2.0"))]
