# SPDX-License-Identifier: Apache-2.0
"""test_events_servers.py - three kuryed on one database: a screen hears of what happens on the others, and soon."""

import threading
import time
from datetime import timedelta

import pytest
from bson import ObjectId

from fake import fails
from test_events import refuses, ticket_of
from test_servers import Servers
from watcher import Watcher, connect
from world import data, eventually

pytestmark = pytest.mark.mongodb_only

SOON = 1.0  # seconds; docs/design.md 5


@pytest.fixture
def world():
    with Servers() as made:
        yield made


class TestOtherServers:
    def test_a_change_is_heard_of_on_each_within_a_second(self, world):
        restaurant = world.restaurant()
        courier = restaurant.courier()
        watchers = [Watcher(server.sees(restaurant)) for server in world.all]
        for watcher in watchers:
            watcher.hello()
        took = []
        for number in range(9):
            order = world.all[number % 3].sees(restaurant).order()
            began = time.monotonic()
            world.all[number % 3].sees(courier).posts(order, 1)
            for watcher in watchers:
                watcher.knows(order, 2)
            took.append(time.monotonic() - began)
        assert sorted(took)[len(took) // 2] < SOON, took
        for watcher in watchers:
            revs = [m["rev"] for m in watcher.messages if m["type"] == "order.updated"]
            assert len(revs) <= 2 * 9, "a revision was told twice"
            watcher.close()

    def test_it_goes_through_the_proxy(self, world):
        restaurant = world.restaurant()
        with Watcher(restaurant) as watcher:
            watcher.knows(restaurant.order(), 1)
        page = f"https://{world.address}"
        connect(restaurant, ticket=ticket_of(restaurant), origin=page).shutdown()
        refuses(restaurant, 403, ticket=ticket_of(restaurant), origin="https://evil.example")

    def test_nothing_is_asked_while_nobody_watches(self, world):
        restaurant = world.restaurant()

        def used():
            rows = world.store.database.orders.aggregate([{"$indexStats": {}}])
            return next(row["accesses"]["ops"] for row in rows if row["name"] == "changes")
        with Watcher(world.all[0].sees(restaurant)):
            eventually(used, lambda n: n > 2)
        pauses = iter(lambda: (used(), threading.Event().wait(1.0), used()), None)
        eventually(lambda: next(pauses), lambda seen: seen[0] == seen[2])

    def test_a_ticket_is_good_on_each_and_once_on_each(self, world):
        restaurant = world.restaurant()
        ticket = ticket_of(world.all[0].sees(restaurant))
        for server in world.all:
            connect(server.sees(restaurant), ticket=ticket).shutdown()
            refuses(server.sees(restaurant), 401, ticket=ticket)

    def test_nothing_is_lost_by_going_from_one_to_another(self, world):
        restaurant = world.restaurant()
        orders, over, known, since = [], threading.Event(), {}, None

        def work():
            for number in range(40):
                order = world.all[number % 3].sees(restaurant).order(status="yeni")
                orders.append(order)
                for turn, status in enumerate(("hazirlanacak", "hazir", "teslim-edildi")):
                    world.all[(number + turn) % 3].sees(order).becomes(status)
            over.set()
        with Watcher(world.all[0].sees(restaurant)) as first:
            since = first.since
        worker = threading.Thread(target=work)
        worker.start()
        rounds = 0
        while not over.is_set() or any(known.get(order.id) != 4 for order in orders):
            watcher = Watcher(world.all[rounds % 3].sees(restaurant), since=since)
            watcher.waits(lambda: any(rev > known.get(order, 0) for order, rev in watcher.revs.items()))
            watcher.cut()
            since = watcher.since
            for order, rev in watcher.revs.items():
                known[order] = max(known.get(order, 0), rev)
            rounds += 1
        worker.join()
        assert len(orders) == 40 and rounds > 3

    def test_a_write_that_shows_late_is_heard_of(self, world):
        """It carries an earlier time than what was seen already, as one does that waited longer for its majority."""
        restaurant = world.restaurant()
        late, early = restaurant.order(), restaurant.order()
        documents = world.store.database.orders
        with Watcher(world.all[0].sees(restaurant)) as watcher:
            world.all[1].sees(early).becomes("hazir")
            watcher.knows(early, 2)
            seen = documents.find_one({"_id": ObjectId(early.id)})["seenAt"]
            documents.update_one({"_id": ObjectId(late.id)},
                                 {"$inc": {"rev": 1}, "$set": {"seenAt": seen - timedelta(seconds=3)}})
            watcher.knows(late, 2)

    def test_a_screen_goes_on_at_another_when_its_server_is_killed(self, world):
        restaurant = world.restaurant()
        watcher = Watcher(world.all[0].sees(restaurant))
        order = restaurant.order()
        watcher.knows(order, 1)
        world.all[0].kill()
        watcher.is_dropped()
        rev = world.all[1].sees(order).becomes("hazir")["rev"]
        with Watcher(world.all[2].sees(restaurant), since=watcher.since) as again:
            again.knows(order, rev)
            last = world.all[1].sees(restaurant).order()
            again.knows(last, 1)

    def test_a_replay_of_all_is_heard_of(self, world):
        restaurant = world.restaurant().connected("dukkango")
        order = restaurant.order("dukkango")
        world.dukkango.next("on-the-way", fails(500), times=4)
        with Watcher(world.all[2].sees(restaurant)) as watcher:
            world.all[0].sees(order).becomes("teslim-edilecek")
            watcher.told(order, type="delivery.failed")
            rev = order.now()["rev"]
            data(world.all[1].sees(restaurant).call("POST", "/api/v1/deliveries/replay", {"state": "failed"}))
            watcher.knows(order, rev + 1)
