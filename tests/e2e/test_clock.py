# SPDX-License-Identifier: Apache-2.0
"""test_clock.py - clocks that are set back and forth by hours, and a machine that slept, in the middle of everything.

On MongoDB the time is the database's, and it is that clock that steps; the server's own does, too, and nobody notices.
"""

import datetime
import itertools
import threading
import time

import pytest

from below import Clock
from fake import fails
from process import Kuryed
from stores import STORE
from test_disk import Gate
from watcher import Watcher
from world import World, data, eventually, refused

HOURS = 6
SETTINGS = {"below": Clock, "outbound_timeout": "1s", "lease_slack": "200ms", "retry_schedule": "1s,1s,1s"}
SOON = 15  # seconds, by which what was about to be done is done


@pytest.fixture
def world():
    with World(**SETTINGS) as made:
        yield made


@pytest.fixture
def place(world):
    return world.restaurant().connected("dukkango", "getiryemek", "trendyolyemek")


@pytest.fixture
def courier(place):
    return place.courier()


def step(world, hours):
    """Returns when the program goes by it."""
    world.below.steps(hours)
    if STORE == "mongodb":
        world.store.relay.wrong += datetime.timedelta(hours=hours)
        wanted = world.store.relay.wrong
    else:
        wanted = datetime.timedelta(milliseconds=world.below["wrong"])
    eventually(lambda: hello(world) - datetime.datetime.now(datetime.timezone.utc) - wanted,
               lambda off: abs(off) < datetime.timedelta(seconds=30), pause=0.1)


def hello(world):
    """What time it is there."""
    with Watcher(world.restaurant()) as watcher:
        return read(watcher.hello()["now"])


def read(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def settles_soon(order, state="done"):
    began = time.monotonic()
    order.settles(state)
    assert time.monotonic() - began < SOON


class TestOwed:
    @pytest.mark.parametrize("hours", [-HOURS, HOURS, -24 * HOURS])
    def test_a_retry_comes_when_it_would_have(self, world, place, courier, hours):
        order = place.order("dukkango")
        world.dukkango.next("on-the-way", fails(500), times=2)
        courier.posts(order, 1)
        eventually(order.delivery, lambda delivery: delivery["tries"] == 1)
        step(world, hours)
        settles_soon(order)
        assert world.dukkango.told(order) == ["on-the-way"]

    def test_back_and_forth_it_is_told_once_and_in_order(self, world, place, courier):
        orders = [place.order(name, "hazir") for name in ("dukkango", "trendyolyemek") for _ in range(5)]
        stop = threading.Event()

        def steps():
            for hours in itertools.cycle((HOURS, -HOURS, -HOURS, HOURS)):
                world.below.steps(hours)
                if STORE == "mongodb":
                    world.store.relay.wrong += datetime.timedelta(hours=hours)
                if stop.wait(0.3):
                    return
        thread = threading.Thread(target=steps)
        thread.start()
        for status, order in itertools.product((1, 2), orders):
            eventually(lambda o=order, s=status: courier.post(o, s).status_code, lambda code: code == 200)
        stop.set()
        thread.join()
        for order in orders:
            settles_soon(order)
            assert world.platform(order.made["platform"]).told(order) == ["on-the-way", "delivered"]

    @pytest.mark.parametrize("hours", [-HOURS, HOURS])
    def test_who_is_calling_is_not_overtaken(self, world, place, courier, hours):
        order, gate = place.order("dukkango"), Gate()
        world.dukkango.next("on-the-way", gate)
        courier.posts(order, 1)
        assert gate.entered.wait(20)
        world.below.steps(hours)
        courier.posts(order, 2)  # due at once, and has to wait for its turn
        gate.opens.set()
        settles_soon(order)
        assert world.dukkango.tried(order) == ["on-the-way", "delivered"]

    def test_the_wait_between_two_steps_does_not_grow(self, world, place, courier):
        order = place.order("getiryemek", "hazirlanacak")
        courier.posts(order, 1)
        order.settles("done")
        step(world, -HOURS)
        courier.posts(order, 2)
        settles_soon(order)
        assert world.getiryemek.told(order)[-1] == "delivered"

    def test_a_clock_that_was_set_back_while_nobody_ran_holds_up_nothing(self, world, place, courier):
        order, hang = place.order("dukkango"), world.dukkango.hang("on-the-way")
        courier.posts(order, 1)
        assert hang.entered.wait(20)
        world.kill()
        hang.released.set()
        world.below.steps(-HOURS)
        if STORE == "mongodb":
            world.store.relay.wrong = datetime.timedelta(hours=-HOURS)
        world.start()
        eventually(lambda: world.call("GET", "/readyz", ops=True).status_code, lambda code: code == 200)
        settles_soon(order)


    @pytest.mark.mongodb_only
    def test_leases_outlast_a_step_forward(self):
        """Two servers, which both see that all leases seem to have ended."""
        with World(below=Clock, outbound_timeout="8s", lease_slack="200ms") as world:
            other = Kuryed(world.environment())
            other.log_contains(event="listening")
            place = world.restaurant().connected("dukkango")
            order, gate = place.order("dukkango"), Gate()
            world.dukkango.next("on-the-way", gate)
            place.courier().posts(order, 1)
            assert gate.entered.wait(20)
            step(world, HOURS)
            relay, before = world.store.relay, len(world.store.relay.seen("find", "orders"))
            eventually(lambda: len(relay.seen("find", "orders")), lambda count: count > before + 12)  # three looks of each
            gate.opens.set()
            order.settles("done")
            assert world.dukkango.tried(order) == ["on-the-way"]
            assert other.stop()[0] == 0


class TestScheduled:
    def test_a_rider_is_called_by_the_clock_that_is_right(self, world, place):
        place.courier(dispatch=True)
        step(world, -2)
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=10)
        order = place.order(scheduledDate=soon.isoformat())
        order.settles("pending", "courier")
        step(world, 1)
        assert order.delivery("courier")["state"] == "pending" and not world.firms.about(order)
        step(world, 1)
        order.settles("done", "courier")


class TestScreens:
    def test_what_changed_after_the_clock_went_back_is_shown_to_who_comes_back(self, world, place, courier):
        orders = [place.order() for _ in range(3)]
        with Watcher(place) as watcher:
            courier.posts(orders[0], 1)
            watcher.told(orders[0], previousStatus="hazirlanacak")
            since = watcher.since
        step(world, -HOURS)
        courier.posts(orders[1], 1)
        with Watcher(place, since=since) as watcher:
            watcher.knows(orders[1], 2)
            courier.posts(orders[2], 1)
            watcher.knows(orders[2], 2)

    def test_who_watches_hears_of_everything(self, world, place, courier):
        with Watcher(place) as watcher:
            for hours in (-HOURS, HOURS, HOURS):
                order = place.order()
                step(world, hours)
                courier.posts(order, 1)
                watcher.knows(order, 2)
        found = data(place.call("GET", "/api/v1/orders?limit=1"))
        assert len(found) == 1

    def test_pages_leave_nothing_out(self, world, place, courier):
        orders = []
        for hours in (0, -HOURS, 2 * HOURS):
            step(world, hours)
            orders += [place.order() for _ in range(3)]
        found, after = [], ""
        while True:
            answer = place.call("GET", f"/api/v1/orders?limit=2{after}").json()
            found += [order["orderId"] for order in answer["data"]]
            if not answer["next"]:
                break
            after = f"&after={answer['next']}"
        assert sorted(found) == sorted(order.id for order in orders)


class TestSecrets:
    def test_keys_tickets_and_repeats_are_what_they_were(self, world, place, courier):
        order, key = place.order(), {"Idempotency-Key": "bir"}
        first = courier.posts(order, 2, headers=key)
        for hours in (-HOURS, 2 * HOURS):
            step(world, hours)
            assert courier.posts(order, 2, headers=key) == first
            ticket = data(place.call("POST", "/api/v1/events/ticket"))
            Watcher(place, ticket=ticket["ticket"]).close()
        spare = place.courier()
        spare.posts(place.order(), 1)  # remembered
        step(world, -HOURS)
        data(place.call("DELETE", spare.path))
        refused(spare.post(place.order(), 1), 404, "Kurye entegrasyonu bulunamadı veya aktif değil")


class TestPolls:
    @pytest.mark.parametrize("hours", [-HOURS, HOURS])
    def test_orders_are_asked_for_as_before(self, world, hours):
        world.restart(dukkango_poll="300ms")
        place = world.restaurant().connected("dukkango")
        account, gate = place.credentials["dukkango"], Gate()
        world.dukkango.polled(account)
        world.dukkango.next("poll", gate)
        assert gate.entered.wait(20)  # a lease is held
        step(world, hours)
        gate.opens.set()
        before = len(world.dukkango.polls_of(account))
        world.dukkango.polled(account, before + 3)


class TestSleep:
    def test_after_a_night_everything_goes_on(self, world, place, courier):
        orders = [place.order("dukkango") for _ in range(3)]
        gate = Gate()
        world.dukkango.next("on-the-way", fails(500))
        courier.posts(orders[0], 1)
        world.dukkango.received("on-the-way", orders[0])
        world.dukkango.next("on-the-way", gate)
        courier.posts(orders[1], 1)
        assert gate.entered.wait(20)
        world.below.sleeps(8)
        gate.opens.set()
        courier.posts(orders[2], 1)
        for order in orders:
            settles_soon(order)
            assert world.dukkango.told(order) == ["on-the-way"]
        eventually(lambda: world.call("GET", "/readyz", ops=True).status_code, lambda code: code == 200)
        assert datetime.timedelta(hours=7) < read(orders[2].now()["updatedAt"]) - read(orders[2].made["createdAt"]) or \
            STORE == "mongodb"
