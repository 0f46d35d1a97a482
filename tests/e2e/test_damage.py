# SPDX-License-Identifier: Apache-2.0
"""test_damage.py - what is kept of one order does not read any more: that order suffers, and nobody else.

A disk that rots, a hand in the database, a newer server that was taken back: a row may hold what we never wrote.
"""

import sqlite3
from datetime import datetime

import pytest
from bson import ObjectId, Regex

from stores import STORE
from test_erasures import CANARIES, erase, is_gone, personal
from test_metrics import counted
from watcher import Watcher
from world import World, data, eventually, refused

# What is spoilt: the column and its text; the field and its value.
COLUMNS = {"cut history": ("hist", '[{"s":1,"at":17'), "history of another": ("hist", '[{"s":77}]'),
           "no status": ("st", 77), "no platform": ("plat", 77), "cut content": ("doc", '{"price"')}
FIELDS = {"cut history": ("history", "oops"), "history of another": ("history.0.by", "robot"),
          "no status": ("status", "uçtu"), "no revision": ("rev", "bir"), "no content": ("document.note", Regex("x")),
          "no want": ("out.platform.want", "x"), "no log": ("out.platform.log", 7), "no targets": ("out", None)}
SPOILT = COLUMNS if STORE == "sqlite" else FIELDS


def spoil(world, order, what):
    column, value = what
    if STORE == "sqlite":
        with sqlite3.connect(world.store.path, timeout=20) as db:
            table = "documents" if column == "doc" else "orders"
            assert db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", [value, bytes.fromhex(order.id)]).rowcount == 1
        db.close()
    else:
        done = world.store.database.orders.update_one({"_id": ObjectId(order.id)}, {"$set": {column: value}})
        assert done.modified_count == 1


def shown(place, query=""):
    return [order["orderId"] for order in data(place.call("GET", f"/api/v1/orders{query}"))]


def named(world, number):
    return [line for line in world.server.logged(event="damaged") if number in line["reason"]]


@pytest.mark.mongodb_only
def test_without_its_content_it_is_told_to_nobody(world):
    place = world.restaurant().connected("dukkango")
    courier, spoilt, whole = place.courier(dispatch=True), *(place.order("dukkango", "hazir") for _ in range(2))
    hang = world.dukkango.hang("on-the-way")
    courier.posts(spoilt, 1)
    assert hang.entered.wait(20)
    world.store.database.orders.update_one({"_id": ObjectId(spoilt.id)}, {"$unset": {"document": ""}})
    world.kill()
    world.dukkango.release()
    world.start()
    refused(place.call("GET", spoilt.path), 500, "Sunucu hatası")
    eventually(lambda: named(world, spoilt.id), bool)
    courier.posts(whole, 1)
    whole.settles("done")
    assert shown(place) == [whole.id]


@pytest.fixture(params=SPOILT)
def what(request):
    return SPOILT[request.param]


class TestOneOrder:
    @pytest.fixture
    def place(self, shared):
        return shared.restaurant().connected("dukkango")

    def test_lists_leave_it_out_and_it_is_told_which_one_it_was(self, shared, place, what):
        first, spoilt, last = (place.order(**personal()) for _ in range(3))
        before = counted(shared, "kuryed_store_damaged_total")
        spoil(shared, spoilt, what)
        assert shown(place) == [last.id, first.id]
        assert shown(place, "?limit=1") == [last.id]
        refused(place.call("GET", spoilt.path), 500, "Sunucu hatası")
        assert counted(shared, "kuryed_store_damaged_total") >= before + 3
        eventually(lambda: shown(place) and named(shared, spoilt.id), bool)  # one line a second
        assert not [one for one in (*CANARIES, "5321234567") if one in shared.server.text()]

    def test_webhooks_beside_it_are_taken(self, shared, place, what):
        """All that waits shares a commit: one that cannot be must not take the others with it."""
        courier, orders = place.courier(), [place.order("phone", "hazir") for _ in range(9)]
        spoil(shared, orders[4], what)
        answers = [courier.post(order, 2) for order in orders]
        assert [answer.status_code for answer in answers[:4] + answers[5:]] == [200] * 8
        assert answers[4].status_code in (200, 500)
        for order in orders[:4] + orders[5:]:  # now their history is read
            refused(courier.post(order, 1), 400, "Sipariş zaten teslim edildi veya iptal edildi")
        answer = courier.post(orders[4], 1)
        assert answer.status_code in (400, 500)  # 400 where the history is sound
        if answer.status_code == 500:
            refused(answer, 500, "Sipariş güncellenemedi")
        assert shared.call("GET", "/readyz", ops=True).status_code == 200

    def test_its_platform_waits_and_others_are_told(self, shared, place, what):
        courier, orders = place.courier(), [place.order("dukkango", "hazir") for _ in range(5)]
        hang = shared.dukkango.hang("on-the-way", times=1)
        courier.posts(orders[0], 1)
        hang.holds(1)
        spoil(shared, orders[2], what)
        courier.post(orders[2], 1)
        for order in orders[1:2] + orders[3:]:
            courier.posts(order, 1)
            order.settles("done")
        shared.dukkango.release()
        orders[0].settles("done")
        if what[0] != "out.platform.want":  # which the webhook wrote anew
            assert shared.dukkango.tried(orders[2]) == []

    def test_screens_go_on(self, shared, place, what):
        spoilt, good = place.order(), place.order()
        with Watcher(place) as watcher:
            spoil(shared, spoilt, what)
            spoilt.put("hazir")
            good.becomes("hazir")
            assert watcher.told(good, rev=2)["order"]["status"] == "hazir"
            assert watcher.code is None
        with Watcher(place, since=good.made["createdAt"]) as again:
            assert again.told(good, rev=2)["order"]["status"] == "hazir"
            assert again.code is None

    @pytest.mark.embedded_only
    def test_a_log_that_does_not_read_is_begun_anew(self, shared, place):
        order = place.order("dukkango", "hazir")
        place.courier().posts(order, 1)
        order.settles("done")
        spoil(shared, order, ("p_log", '[{"step"'))
        place.courier().posts(order, 2)
        assert order.settles("done")["log"][-1]["step"] == "delivered"
        assert shared.dukkango.told(order) == ["on-the-way", "delivered"]

    def test_its_customer_goes_on_demand(self, world, what):
        place = world.restaurant()
        order, other = (place.order(**personal("0536 987 65 43")) for _ in range(2))
        for one in (order, other):
            one.becomes("cancelled", note="mavi kapıyı çal")
        spoil(world, order, what)
        assert erase(world, phone="0536 987 65 43")["orders"] == 2
        assert other.now()["customer"] is None
        eventually(lambda: is_gone(world, *CANARIES, "5369876543"), bool)
        assert erase(world, phone="0536 987 65 43")["orders"] == 0


def test_the_sweep_takes_the_customers_of_all(world, what):
    """More of them than a handful, and they come first: whoever stands behind them must not wait for ever."""
    place = world.restaurant()
    spoilt = [place.order(**personal()) for _ in range(21)]
    good = [place.order(**personal()) for _ in range(3)]
    world.server.stop()
    world.store.age(31, *(order.id for order in spoilt + good))
    for order in spoilt:
        spoil(world, order, what)
    world.start()
    eventually(lambda: is_gone(world, *CANARIES, "5321234567"), bool)
    assert [order.now()["customer"] for order in good] == [None] * 3
    assert counted(world, "kuryed_sweeps_total", result="failed") == 0
    assert not world.server.logged(event="sweep_failed")


def test_what_is_owed_is_looked_at_once_a_lease():
    """Else it would be claimed each second, and stand before all others that are due."""
    with World(outbound_timeout="500ms", lease_slack="10m") as world:
        place = world.restaurant().connected("dukkango")
        spoilt, orders = place.order("dukkango", "hazir"), [place.order("dukkango", "hazir") for _ in range(3)]
        spoil(world, spoilt, SPOILT["cut history"])
        spoil(world, spoilt, ("p_at", 1) if STORE == "sqlite" else ("out.platform.at", datetime(2024, 1, 1)))
        eventually(lambda: counted(world, "kuryed_claims_total", result="failed"), lambda n: n == 1)
        for order in orders:  # each of them makes it look again
            place.courier().posts(order, 1)
            order.settles("done")
        assert counted(world, "kuryed_claims_total", result="failed") == 1


def test_a_restaurants_record_that_does_not_read_is_left_out(world):
    first, second = world.restaurant(), world.restaurant()
    if STORE == "sqlite":
        with sqlite3.connect(world.store.path, timeout=20) as db:
            db.execute("UPDATE records SET doc = '{\"name' WHERE id = ?", [first.id])
        db.close()
    else:
        world.store.database.restaurants.update_one({"_id": ObjectId(first.id)}, {"$set": {"document": 5}})
    listed = data(world.admin("GET", "/api/v1/restaurants"))
    assert [one["restaurantId"] for one in listed] == [second.id]
    world.server.log_contains(event="damaged")
    assert named(world, first.id)
