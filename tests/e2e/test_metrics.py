# SPDX-License-Identifier: Apache-2.0
"""test_metrics.py - what GET /metrics counts, and that a server alone never loses a claim."""

import re

from fake import fails
from stores import STORE
from world import PLATFORMS, eventually

SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="[^"\\]*",?)+)\})? (\d+(?:\.\d+)?)')


def metrics(world):
    """{(family, frozenset of labels): value} of all that is counted."""
    answer = world.call("GET", "/metrics", ops=True)
    assert answer.status_code == 200
    samples = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            family, labels, value = SAMPLE.fullmatch(line).groups()
            samples[family, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] = float(value)
    return samples


def counted(world, family, **labels):
    """The sum of a family's counters that have these labels."""
    return sum(value for (name, found), value in metrics(world).items()
               if name == family and labels.items() <= found)


def claims(world):
    return {result: counted(world, "kuryed_claims_total", result=result) for result in ("won", "lost", "failed")}


class TestMetrics:
    def test_they_are_prometheus_text(self, shared):
        answer = shared.call("GET", "/metrics", ops=True)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = {family for family, _ in metrics(shared)}
        assert families == set(re.findall(r"^# HELP (\w+) [A-Z].*\.$", answer.text, re.M))
        assert families == set(re.findall(r"^# TYPE (\w+) (?:counter|gauge)$", answer.text, re.M))
        assert shared.call("GET", "/metrics").status_code == 404

    def test_round_trips_to_the_store_are_counted(self, world):
        world.restaurant().order()
        sent = counted(world, "kuryed_store_commands_total", result="ok")
        took = counted(world, "kuryed_store_command_seconds_total")
        assert (sent > 0) == (took > 0) == (STORE == "mongodb")


def fetched(place, name):
    """One that owes a courier firm nothing, so that nothing but its platform's calls is claimed."""
    return place.order(name, "hazir", orderType="gel_al")


class TestClaims:
    def test_each_debt_is_claimed_once(self, world):
        place = world.restaurant().connected(*PLATFORMS)
        courier = place.courier()
        orders = [fetched(place, name) for name in PLATFORMS for _ in range(10)]
        for order in orders:
            courier.posts(order, 1)
        for order in orders:
            order.settles("done")
        assert claims(world) == {"won": len(orders), "lost": 0, "failed": 0}

    def test_a_retry_is_claimed_again_and_nobody_lost_it(self, world):
        place = world.restaurant().connected("dukkango")
        order = fetched(place, "dukkango")
        world.dukkango.next("on-the-way", fails(503), times=2)
        place.courier().posts(order, 1)
        order.settles("done")
        assert claims(world) == {"won": 3, "lost": 0, "failed": 0}

    def test_what_finds_its_account_busy_waits_for_it(self, world):
        place = world.restaurant().connected("dukkango")
        courier = place.courier()
        orders = [fetched(place, "dukkango") for _ in range(20)]
        hang = world.dukkango.hang("on-the-way", times=4, done=True)
        for order in orders:
            courier.posts(order, 1)
        hang.holds(4)
        assert claims(world)["won"] == 4
        world.dukkango.release()
        for order in orders:
            order.settles("done")
        assert claims(world)["won"] >= 20 and claims(world)["lost"] == 0

    def test_a_move_during_the_call_is_claimed_when_the_call_is_over(self, world):
        place = world.restaurant().connected("dukkango")
        courier, order = place.courier(), fetched(place, "dukkango")
        hang = world.dukkango.hang("on-the-way", done=True)
        courier.posts(order, 1)
        assert hang.entered.wait(20)
        courier.posts(order, 2)
        world.dukkango.release()
        order.settles("done")
        eventually(lambda: world.dukkango.told(order), lambda told: told == ["on-the-way", "delivered"])
        assert claims(world)["lost"] == 0
