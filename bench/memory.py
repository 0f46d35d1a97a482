# SPDX-License-Identifier: Apache-2.0
"""memory.py - what a kuryed weighs on an embedded store with 10,000 orders: just started, and with 1,000 connections, each of
which has moved an order and stays. Resident memory; server.memory() says why."""
import concurrent.futures, http.client, json, tempfile

import seed
from figures import Failed, Group, within
from server import BUILD, RESTAURANT, kuryed, memory

ORDERS, CONNECTIONS, AT_ONCE = 10_000, 1000, 32
IDLE_MIB, MIB = 20, 64


def connection(address, key, number):
    """One that has moved this order."""
    link = http.client.HTTPConnection(address)
    link.request("POST", "/api/v1/webhook/courier/status-update",
                 json.dumps({"restaurantId": RESTAURANT, "orderId": f"{number:024d}", "status": 1}),
                 {"Content-Type": "application/json", "x-api-key": key})
    answer = link.getresponse()
    if answer.status != 200 or b"true" not in answer.read():
        raise Failed(f"a webhook was answered {answer.status}")
    return link


def measure(folder):
    _, key = seed.embedded(f"{folder}/bench.db", ORDERS)
    with kuryed(f"sqlite:{folder}/bench.db") as server, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        idle, address = memory(server.pid), server.url.removeprefix("http://")
        links = list(pool.map(lambda number: connection(address, key, number), range(1, CONNECTIONS + 1)))
        if server.metric("kuryed_http_connections ") != CONNECTIONS:
            raise Failed("connections were closed: the figure would mean nothing")
        full = memory(server.pid)
        for link in links:
            link.close()
    return {"idle": idle, "full": full}


def runs(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            yield measure(folder)


GROUPS = [Group("memory", [
    within("memory idle", "MiB", IDLE_MIB, lambda run: run["idle"]),
    within(f"memory with {CONNECTIONS:,} connections that have moved an order each", "MiB", MIB, lambda run: run["full"])], runs)]
