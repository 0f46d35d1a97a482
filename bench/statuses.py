# SPDX-License-Identifier: Apache-2.0
"""statuses.py - how soon Yandex Eats is told how far its orders are: 200 questions a second, each about one of as many orders."""
import json, tempfile, urllib.parse, urllib.request

import load
import mongodb
from figures import Group, within
from server import BUILD, ORDER, RESTAURANT, kuryed

RATE = 200
P99_MS = 50  # it gives up after 5 s


def prepare(server):
    """A token of Yandex, and its orders."""
    token, _ = server.provision()
    account = server.call("PUT", f"/restaurants/{RESTAURANT}/platforms/yandex", token, {"enabled": True})
    form = {"client_id": account["clientId"], "client_secret": account["clientSecret"], "grant_type": "client_credentials"}
    with urllib.request.urlopen(server.url + "/security/oauth/token", urllib.parse.urlencode(form).encode(), timeout=10) as answer:
        access = json.load(answer)["access_token"]
    orders = [server.call("POST", "/orders", token, ORDER | {"platform": "yandex", "platformOrderId": str(n),
                                                            "orderId": f"{n + 1:024d}"})["orderId"]
              for n in range(RATE)]
    return access, ",".join(orders)


def asked(server, seconds):
    access, orders = prepare(server)
    return load.enough(load.wrk("statuses", server.url, RATE, seconds, access, orders), RATE)


def embedded(run):
    for _ in range(run.repeats):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder, kuryed(f"sqlite:{folder}/bench.db") as server:
            yield asked(server, run.pick(5, 6))


def on_mongodb(run):
    for _ in range(run.repeats):
        with mongodb.Database(run.mongodb) as base, kuryed(base.uri) as server:
            yield asked(server, run.pick(5, 6))


def figures(where):
    return [within(f"p99 of a status at {RATE}/s, {where}", "ms", P99_MS, lambda run: run["p99"])]


GROUPS = [Group("statuses", figures("embedded"), embedded), Group("statuses-mongodb", figures("on MongoDB"), on_mongodb)]
