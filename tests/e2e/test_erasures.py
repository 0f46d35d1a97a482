# SPDX-License-Identifier: Apache-2.0
"""test_erasures.py - customers' personal data goes: on demand, and by itself in its time; the order stays."""

from threading import Thread

import pytest
from bson import ObjectId

from mongo_relay import Hold, drops, loses, refuses, spoils, unconfirmed
from watcher import Watcher
from world import FAKES, WAIT, data, eventually, new_id, refused
from yandex import ORDER as YANDEX_ORDER
from yandex import Yandex, an_order, complained

PATH = "/api/v1/erasures"
NAME, STREET, NOTE = "Gülbahar Gizlioğlu", "Saklı Sokak No: 77, Moda", "mavi kapıyı çal"
CANARIES = ("Gülbahar", "Gizlioğlu", "Saklı", "mavi kap")


def customer(phone):
    return {"details": {"name": NAME, "phone": phone}, "address": {"detailedAddress": STREET, "directions": NOTE}}


def personal(phone="0532 123 45 67", **fields):
    """What an order with everything about a customer has."""
    return {"customer": customer(phone), "orderNote": NOTE, "courierNote": NOTE, **fields,
            "items": [{"name": "Ayran", "quantity": 2, "price": 35, "note": NOTE, "options": ["Soğuk"]}]}


def erase(world, **what):
    return data(world.admin("POST", PATH, what), 201)


def without(order):
    """The order as it is to be once its customer has gone, but for when that was."""
    reference = order["platformRef"]
    return {**order, "customer": None, "orderNote": None, "courierNote": None,
            "platformRef": reference if order["platform"] in FAKES else None,
            "items": [{**item, "note": None} for item in order["items"]],
            "history": [{**row, "note": None} for row in order["history"]]}


def is_gone(world, *canaries):
    pieces = list(world.store.contents())
    assert pieces
    return not [one for piece in pieces for one in canaries if one.encode() in piece]


@pytest.fixture(scope="module")
def place(shared):
    return shared.restaurant().connected(*FAKES)


class TestOnDemand:
    def test_the_customer_goes_and_the_order_stays(self, world):
        place = world.restaurant()
        order = place.order(**personal(platformRef={"whole": {"client": NAME}}), displayId="4711")
        order.becomes("cancelled", note=NOTE)
        before = order.now()
        assert not is_gone(world, *CANARIES) and not is_gone(world, "5321234567")
        with Watcher(place) as watcher:
            made = erase(world, orderId=order.id.upper())
            after = order.now()
            told = watcher.told(order, rev=after["rev"])
        assert (made["by"], made["orderId"], made["orders"], made["more"]) == ("orderId", order.id, 1, False)
        assert after["rev"] == before["rev"] + 1 and after["erasedAt"] == after["updatedAt"] > before["updatedAt"]
        stamps = {name: after[name] for name in ("rev", "updatedAt", "erasedAt")}
        assert after == {**without(before), **stamps, "deliveries": after["deliveries"]}
        assert told["order"] == after and told["previousStatus"] == "cancelled"
        eventually(lambda: is_gone(world, *CANARIES, "5321234567"), bool)
        assert not [one for one in (*CANARIES, "5321234567", "532 123") if one in world.server.text()]
        assert world.server.logged(event="erased", erasureId=made["erasureId"], orders=1)
        with Watcher(place, since=before["createdAt"]) as again:
            assert again.told(order)["order"]["customer"] is None

    def test_a_phone_is_found_in_all_restaurants_however_it_is_written(self, shared):
        places = [shared.restaurant(), shared.restaurant()]
        met = [where.order(**personal(phone)) for where in places for phone in ("0533 765 43 21", "+90 (533) 765-43-21")]
        proxy = places[0].order(**personal("0533 765 43 21 dahili 88"))
        others = [proxy, places[1].order(**personal("0533 765 43 22"))]
        met[0].becomes("teslim-edildi")
        made = erase(shared, phone="90 533 7654321")
        assert (made["by"], made["orderId"], made["orders"], made["more"]) == ("phone", None, 4, False)
        assert [order.now()["customer"] for order in met] == [None] * 4
        assert [order.now()["customer"]["details"]["name"] for order in others] == [NAME] * 2
        assert erase(shared, phone="0533 765 43 21")["orders"] == 0  # idempotent
        assert erase(shared, phone="+905337654321,88")["orders"] == 1
        assert proxy.now()["erasedAt"]

    def test_it_takes_as_many_as_there_are(self, shared, place):
        orders = [place.order(**personal("0534 111 22 33")) for _ in range(45)]
        assert erase(shared, phone="05341112233")["orders"] == 45
        assert not [order for order in orders if order.now()["customer"]]

    def test_a_record_is_kept_of_what_and_when_and_not_of_whom(self, world):
        place = world.restaurant()
        order = place.order(**personal("0535 222 33 44"))
        made = [erase(world, orderId=order.id), erase(world, phone="0535 222 33 44"), erase(world, orderId=new_id())]
        first = world.admin("GET", f"{PATH}?limit=2").json()
        rest = world.admin("GET", f"{PATH}?limit=2&after={first['next']}").json()
        assert first["data"] + rest["data"] == made[::-1] and rest["next"] is None
        assert [one["orders"] for one in made] == [1, 0, 0]
        eventually(lambda: is_gone(world, *CANARIES, "5352223344"), bool)
        world.restart()
        assert world.admin("GET", PATH).json()["data"] == made[::-1]

    @pytest.mark.parametrize("body, field", [
        ({}, "phone"), ({"phone": None}, "phone"), ({"phone": ""}, "phone"), ({"phone": "yok"}, "phone"),
        ({"phone": 5321234567}, "phone"), ({"phone": "1" * 65}, "phone"), ({"orderId": "x"}, "orderId"),
        ({"phone": "0532 123 45 67", "orderId": new_id()}, "orderId")])
    def test_one_of_both_must_be_given(self, shared, body, field):
        before = shared.admin("GET", PATH).json()
        refused(shared.admin("POST", PATH, body), 400, f"Geçersiz alan: {field}")
        assert shared.admin("GET", PATH).json() == before

    def test_only_the_admin_may(self, shared, place):
        order = place.order(**personal())
        for method in ("GET", "POST"):
            refused(place.call(method, PATH, {"orderId": order.id}), 403, "Bu işlem için yetkiniz yok")
            refused(shared.call(method, PATH, {"orderId": order.id}), 401, "Kimlik doğrulama gerekli")
        assert order.now()["customer"]

    @pytest.mark.embedded_only
    def test_what_a_full_disk_prevents_is_done_by_the_next(self, world):
        order = world.restaurant().order(**personal())
        world.server.disk_full()
        refused(world.admin("POST", PATH, {"orderId": order.id}), 500, "Sunucu hatası")
        world.server.disk_full(False)
        eventually(lambda: world.admin("POST", PATH, {"orderId": order.id}).status_code, lambda status: status == 201)
        assert order.now()["rev"] == 2
        eventually(lambda: is_gone(world, *CANARIES), bool)


class TestWhatIsOwed:
    @pytest.mark.parametrize("platform", FAKES)
    def test_platforms_are_told_as_before(self, shared, place, platform):
        order, courier = place.order(platform, **personal()), place.courier()
        assert erase(shared, orderId=order.id)["orders"] == 1
        assert order.now()["platformRef"] == order.made["platformRef"]
        courier.posts(order, 1)
        order.settles("done")
        courier.posts(order, 2)
        eventually(order.delivery, lambda delivery: delivery["state"] in ("done", "skipped"))
        assert "on-the-way" in shared.platform(platform).told(order)

    def test_a_dispatch_that_waits_fails_at_once(self, world):
        place = world.restaurant()
        place.courier(dispatch=True, notifyCancel=True)
        order = place.order(**personal(scheduledDate="2030-01-01T12:00:00Z"))
        assert order.settles("pending", "courier")["step"] == "dispatch"
        erase(world, orderId=order.id)
        assert order.settles("failed", "courier")["reason"] == "erased"
        order.becomes("hazir")
        assert order.settles("failed", "courier")["reason"] == "erased"
        order.becomes("cancelled")
        order.settles("skipped", "courier")
        assert not world.firms.tried(order)

    def test_a_firm_that_has_it_is_told_of_the_cancel(self, world):
        place = world.restaurant()
        place.courier(dispatch=True, notifyCancel=True)
        order = place.order(**personal())
        order.settles("done", "courier")
        erase(world, orderId=order.id)
        order.becomes("cancelled")
        call = world.firms.received("dispatch-cancel", order)
        assert call.json()["customer"]["details"] == {"name": None, "phone": None}
        assert call.json()["customer"]["address"]["detailedAddress"] is call.json()["orderNote"] is None

    def test_yandex_eats_reads_nothing_back(self, world):
        yandex = Yandex(world.restaurant())
        sent = an_order(yandex.restaurant.id, "yandex")
        number = yandex.sends(sent)
        assert erase(world, phone="+79031111111 доб. 4432")["orders"] == 1
        complained(yandex.calls("GET", f"/order/{number}"), 404)
        assert yandex.sends(sent) == number  # the same again brings nobody back
        eventually(lambda: is_gone(world, "Şahin", "9031111111"), bool)
        answer = yandex.calls("PUT", f"/order/{number}", sent, YANDEX_ORDER)
        assert answer.status_code == 200 and yandex.calls("GET", f"/order/{number}").json() == sent
        assert erase(world, phone="+79031111111,4432")["orders"] == 1


def erasing(document):
    """Whether the update erases an order."""
    return "erasedAt" in document["updates"][0]["u"].get("$set", {})


@pytest.mark.mongodb_only
class TestOnMongoDB:
    @pytest.fixture(params=["cut before", "cut after", "unconfirmed", "before", "after"])
    def trouble(self, request):
        return {"cut before": drops(), "cut after": loses(), "unconfirmed": unconfirmed(), "before": refuses(189),
                "after": spoils(189)}[request.param]

    @pytest.fixture
    def relay(self, shared):
        yield shared.store.relay
        shared.store.heals()

    def test_a_fault_of_it_is_not_felt(self, shared, place, relay, trouble):
        orders = [place.order(**personal("0536 333 44 55")) for _ in range(3)]
        rules = [relay.on("update", "orders", nth=2, where=erasing, then=trouble),
                 relay.on("insert", "erasures", then=trouble), relay.on("update", "erasures", then=trouble)]
        made = erase(shared, phone="0536 333 44 55")
        for rule in rules:
            rule.met()
        assert (made["orders"], made["more"]) == (3, False)
        assert [(order.now()["customer"], order.now()["rev"]) for order in orders] == [(None, 2)] * 3
        assert shared.admin("GET", f"{PATH}?limit=1").json()["data"] == [made]

    def test_what_moves_meanwhile_is_erased_as_it_is_then(self, shared, place, relay):
        order, hold = place.order(**personal(), status="yeni"), Hold(done=False)
        relay.on("update", "orders", where=erasing, then=hold)
        asked = Thread(target=shared.admin, args=["POST", PATH, {"orderId": order.id}], kwargs={"session": shared.lone()})
        asked.start()
        assert hold.entered.wait(WAIT)
        order.becomes("cancelled", note=NOTE)
        hold.release()
        asked.join(WAIT)
        now = order.now()
        assert (now["customer"], now["status"], now["rev"]) == (None, "cancelled", 3)
        assert [row["note"] for row in now["history"]] == [None, None]

    def test_what_an_older_server_wrote_is_found(self, shared, place):
        """It knows nothing of the phone's digits; nor, of an order that it writes anew, that it was erased."""
        orders, there = shared.store.database.orders, lambda order: {"_id": ObjectId(order.id)}
        made, again = (place.order(**personal("0537 444 55 66")) for _ in range(2))
        orders.update_one(there(made), {"$unset": {"phone": ""}})
        document = orders.find_one(there(again))["document"]
        assert erase(shared, orderId=again.id)["orders"] == 1
        orders.update_one(there(again), {"$set": {"document": document}})
        assert erase(shared, phone="0537 444 55 66")["orders"] == 2
        assert made.now()["customer"] is again.now()["customer"] is None
        assert not [name for order in (made, again) for name in orders.find_one(there(order)) if name == "phone"]


class TestByItself:
    def test_it_goes_in_its_time(self, world):
        place = world.restaurant()
        courier = place.courier()
        over, left, young, touched = (place.order(**personal()) for _ in range(4))
        courier.posts(over, 2)
        assert world.server.stop()[0] == 0
        world.store.age(31, over.id, left.id, touched.id)
        world.store.age(29, young.id)
        world.start(retention_days="60")
        touched.becomes("hazir")
        world.restart(retention_days="30")
        line = world.server.log_contains(event="swept")
        assert (line["orders"], line["erased"]) == (0, 2)
        assert [order.now()["customer"] is None for order in (over, left, young, touched)] == [True, True, False, False]
        assert over.steps() == [("hazirlanacak", "restaurant"), ("teslim-edildi", "courier")]
        assert not [one for one in CANARIES if one in world.server.text()]

    def test_all_of_it_goes_though_it_is_much_and_nothing_is_left_of_it(self, world):
        place = world.restaurant()
        orders = [place.order(**personal()) for _ in range(70)]
        assert world.server.stop()[0] == 0
        world.store.age(2, *(order.id for order in orders))
        world.start(retention_days="1")
        assert world.server.log_contains(event="swept")["erased"] == 70
        eventually(lambda: is_gone(world, *CANARIES, "5321234567"), bool)
        text = world.call("GET", "/metrics", ops=True).text
        assert "kuryed_erased_orders_total 70" in text

    def test_one_that_is_killed_is_gone_on_with(self, world):
        place = world.restaurant()
        orders = [place.order(**personal()) for _ in range(60)]
        assert world.server.stop()[0] == 0
        world.store.age(2, *(order.id for order in orders))
        world.start(retention_days="1")
        eventually(lambda: sum(order.now()["customer"] is None for order in orders[:20]), lambda n: n > 0)
        world.kill()
        world.start()
        eventually(lambda: [order for order in orders if order.now()["customer"]], lambda left: not left)
        assert {order.now()["rev"] for order in orders} == {2}
