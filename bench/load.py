# SPDX-License-Identifier: Apache-2.0
"""load.py - load on a server, from wrk on one thread; the server has what is left of the machine.

Every request must be answered 200, or the figures would mean nothing.
"""
import os, subprocess

from figures import Failed
from server import BUILD, RESTAURANT, ROOT, cpu_seconds, running

ALL = 10 ** 9  # orders: as many as there is time for


def wrk(script, url, connections, seconds, *args, pid=None):
    """Requests, how many a second, percentiles of the latency in ms; and of the process, µs of CPU a request."""
    before = cpu_seconds(pid) if pid else 0
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", ROOT / "bench" / f"{script}.lua", url, "--", *map(str, args)]
    out = subprocess.run(command, check=True, capture_output=True, text=True,
                         env=os.environ | {"LUA_PATH": f"{ROOT}/bench/?.lua;;"}).stdout
    requests, duration_us, errors, p50_us, p99_us = (
        int(field) for line in out.splitlines() if line.startswith("result ") for field in line.split()[1:])
    if errors or not requests:
        raise Failed(f"{errors} of {requests} {script} were not answered 200")
    return {"requests": requests, "rate": requests / duration_us * 1e6, "p50": p50_us / 1000, "p99": p99_us / 1000,
            "cpu": (cpu_seconds(pid) - before) / requests * 1e6 if pid else None}


def webhooks(server, key, connections, seconds, first=0, count=ALL):
    """Moves orders, from behind the first."""
    return wrk("webhooks", server.url, connections, seconds, key, RESTAURANT, first, 0, count, pid=server.pid)


def paced(server, key, connections, seconds, rate, first=0):
    """So many a second, each connection by itself and at random."""
    pause_ms = 1000 * connections // rate
    return enough(wrk("webhooks", server.url, connections, seconds, key, RESTAURANT, first, pause_ms, ALL, pid=server.pid), rate)


def enough(done, rate):
    """What was done, if it was at about that rate."""
    if done["rate"] < 0.8 * rate:
        raise Failed(f"{done['rate']:.0f} requests a second, not {rate}")
    return done


def orders(server, token, seconds, platform="phone"):
    """Makes orders with the ids 1, 2, … for so long."""
    return wrk("orders", server.url, 64, seconds, token, platform)


def echo(connections, seconds):
    """The same webhooks, answered by bench/echo.c."""
    with running([BUILD / "bench" / "echo"], stdout=subprocess.PIPE) as process:
        url = "http://127.0.0.1:" + process.stdout.readline().strip()
        return wrk("webhooks", url, connections, seconds, "none", RESTAURANT, 0, 0, ALL, pid=process.pid)


def bare(program, *args):
    """What a loop without a server prints of itself."""
    out = subprocess.run([BUILD / "bench" / program, *map(str, args)], check=True, stdout=subprocess.PIPE, text=True).stdout
    rate, cpu = map(float, out.split())
    return {"rate": rate, "cpu": cpu}
