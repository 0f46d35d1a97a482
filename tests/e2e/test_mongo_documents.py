# SPDX-License-Identifier: Apache-2.0
"""test_mongo_documents.py - a person with a shell: what stands in the database, in which types, under which indexes.

docs/mongodb.md shows such a document; here it is read past the server and past the relay.
"""

import datetime
import hashlib
import json

import pytest
from bson import Decimal128, Int64, ObjectId

from fake import fails
from world import PLATFORMS, WAIT, World, data, eventually

pytestmark = pytest.mark.mongodb_only

RECORDS = ("connections", "erasures", "integrations", "keys", "restaurants", "tokens")
EPOCH = datetime.datetime(1970, 1, 1)
KEY = {"Idempotency-Key": "bir"}
TIME = datetime.datetime


@pytest.fixture(scope="module")
def put_off():
    """A world in which a repeat never comes."""
    with World(retry_schedule="1h") as made:
        yield made


def kept(order):
    return order.restaurant.world.store.database.orders.find_one({"_id": ObjectId(order.id)})


def target(order, party="platform"):
    return kept(order)["out"][party]


def change(order, update):
    order.restaurant.world.store.database.orders.update_one({"_id": ObjectId(order.id)}, update)


def instant(text):
    """A time of the API as the driver has it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)


def types(document):
    return {name: type(value) for name, value in document.items()}


def walk(value, path=""):
    """Every leaf of a document and where it stands."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from walk(part, f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from walk(part, f"{path}[]")
    else:
        yield path, value


class TestOrder:
    def test_its_head_and_its_history(self, restaurant, courier):
        order = restaurant.order("dukkango", "hazirlanacak", scheduledDate="2026-12-01T15:00:00+03:00")
        courier.posts(order, 1, headers=KEY)
        order.settles("done")
        now, there = order.now(), kept(order)
        assert types(there) == {
            "_id": ObjectId, "restaurantId": ObjectId, "platform": str, "platformOrderId": str, "status": str,
            "rank": int, "rev": Int64, "createdAt": TIME, "updatedAt": TIME, "seenAt": TIME, "courierType": str,
            "orderType": str, "phone": str, "hazirlanmaSuresiDk": int, "scheduledDate": TIME, "history": list, "out": dict,
            "document": dict}
        assert (str(there["_id"]), str(there["restaurantId"]), there["platform"], there["platformOrderId"]) == \
            (order.id, restaurant.id, "dukkango", order.platform_id)
        assert (there["status"], there["rank"], there["rev"]) == ("teslim-edilecek", 4, now["rev"])
        assert (there["courierType"], there["orderType"]) == ("restaurant", "paket_servis")
        assert (there["createdAt"], there["updatedAt"]) == (instant(now["createdAt"]), instant(now["updatedAt"]))
        assert there["scheduledDate"] == datetime.datetime(2026, 12, 1, 12)
        first, second = there["history"]
        assert types(first) == {"status": str, "at": TIME, "by": str}
        assert types(second) == {"status": str, "at": TIME, "by": str, "op": str, "integrationId": ObjectId}
        assert [(row["status"], row["by"]) for row in (first, second)] == order.steps()
        assert [row["at"] for row in (first, second)] == [instant(row["at"]) for row in now["history"]]
        assert (len(second["op"]), str(second["integrationId"])) == (32, courier.id)

    def test_a_cancel_and_why(self, restaurant):
        order = restaurant.order("dukkango")
        order.becomes("cancelled", reasonId="3", note="Müşteri vazgeçti 😢", preparingTime=45)
        there = kept(order)
        row = there["history"][-1]
        assert (row["status"], row["by"], row["reasonId"], row["note"]) == \
            ("cancelled", "restaurant", "3", "Müşteri vazgeçti 😢")
        assert there["hazirlanmaSuresiDk"] == 45

    @pytest.mark.parametrize("price", ["0", "0.01", "35", "125.5", "99999.99", "10000000"])
    def test_money_is_decimal(self, restaurant, price):
        item = {"name": "Adana Dürüm", "quantity": 2, "price": float(price)}
        order = restaurant.order(price=float(price), items=[item, {"name": "Ayran", "quantity": 0.5}])
        document = kept(order)["document"]
        assert {type(document["price"]), type(document["items"][0]["price"])} == {Decimal128}
        assert document["price"].to_decimal() == document["items"][0]["price"].to_decimal() == \
            Decimal128(price).to_decimal()
        assert document["items"][1]["price"] is None
        assert [one["quantity"] for one in document["items"]] == [2, 0.5]
        now = order.now()
        assert [now["price"], now["items"][0]["price"], now["items"][1]["price"]] == [float(price), float(price), None]

    @pytest.mark.parametrize("text", [
        "Iğdır'dan ŞÇÖÜ ğışçöü", "Zile basmayın 🙏🏽👨‍👩‍👧", "$set", "a.b", '{"$date": 5}', "2024-11-05T14:30:00.000Z",
        "507f1f77bcf86cd799439011", "125.50", "satır\nsatır\t\\\"", "\u202eters\u0301"])
    def test_texts_are_what_was_sent(self, restaurant, text):
        order = restaurant.order(orderNote=text, displayId=text[:32], badges=[text],
                                 items=[{"name": text, "quantity": 1, "options": [text]}])
        document, now = kept(order)["document"], order.now()
        for shown in (document, now):
            assert (shown["orderNote"], shown["displayId"], shown["badges"]) == (text, text[:32], [text])
            assert (shown["items"][0]["name"], shown["items"][0]["options"]) == (text, [text])


def nested(depth):
    return {"in": nested(depth - 1)} if depth else {}


class TestPlatformRef:
    """It is the platform's own: whatever its keys mean to MongoDB, it comes back as it was given."""

    @pytest.mark.parametrize("given", [
        {"$oid": "507f1f77bcf86cd799439011"}, {"a.b": {"c.d": 1}}, {"": {"": ""}}, {"$set": {"status": "x"}},
        nested(28), {"price": 3.14159265, "createdAt": "2024-11-05T14:30:00.000Z", "at": "2024-11-05T14:30:00.000Z"},
        {"text": "kesik\u0000değil", "ğ 🙂": [None, True, False, {}, []]},
        {"big": 9007199254740993, "least": -9223372036854775808, "small": 1e-300, "tenth": 0.1, "great": 1e300},
        {str(n): [n] for n in range(1000)}, {}], ids=lambda given: json.dumps(given)[:30])
    def test_it_comes_back_as_it_was(self, restaurant, courier, given):
        order = restaurant.order(platformRef=given)
        assert (order.made["platformRef"], order.now()["platformRef"]) == (given, given)
        courier.posts(order, 1)
        assert order.now()["platformRef"] == given
        assert json.loads(kept(order)["document"]["platformRef"]) == given

    def test_none_is_none(self, restaurant):
        order = restaurant.order()
        assert order.now()["platformRef"] is None and kept(order)["document"]["platformRef"] is None


def test_answers_stay_short_though_a_page_is_long(shared):
    """Each of the driver's connections keeps the room for its longest answer."""
    place, relay = shared.restaurant(), shared.store.relay
    orders = [place.order().id for _ in range(60)]
    relay.forget()
    page = place.call("GET", "/api/v1/orders?limit=200").json()
    assert [order["orderId"] for order in page["data"]] == orders[::-1] and page["next"] is None
    answers = [command.answer["cursor"] for command in relay.seen("find") + relay.seen("getMore")
               if (command.document.get("collection") or command.document["find"]) == "orders"]
    counts = [len(answer.get("firstBatch", answer.get("nextBatch"))) for answer in answers]
    assert max(counts) == 16 and sum(counts) == 60, counts


class TestTargets:
    """What is owed, in every state: `at` when somebody must look, `until` and `lease` whose it is."""

    def test_nothing_is_owed(self, restaurant):
        order = restaurant.order("dukkango", "hazir")
        assert target(order) == {"want": 30, "told": 30, "unsure": False, "try": 0, "until": EPOCH}

    def test_there_is_nobody_to_tell(self, restaurant):
        there = kept(restaurant.order("phone", orderType="gel_al"))["out"]
        assert there["platform"]["at"] == there["courier"]["at"] == EPOCH

    def test_leased_while_its_platform_hangs_and_then_told(self, shared, restaurant, courier):
        order = restaurant.order("dukkango", "hazir")
        hang = shared.dukkango.hang("on-the-way")
        courier.posts(order, 1)
        assert hang.entered.wait(WAIT)
        there, moved = target(order), instant(order.now()["updatedAt"])
        assert types(there) == {"want": int, "told": int, "unsure": bool, "try": int, "at": TIME, "until": TIME,
                                "lease": Int64}
        assert (there["want"], there["told"], there["unsure"], there["try"], there["at"]) == (40, 30, True, 0, moved)
        assert 2 * 2 + 1 <= (there["until"] - moved).total_seconds() < WAIT  # World's outbound_timeout and lease_slack
        shared.dukkango.release()
        order.settles("done")
        there = target(order)
        assert (there["told"], there["unsure"], there["until"]) == (40, False, EPOCH)
        assert not {"lease", "at", "dead"} & there.keys() and type(there["toldAt"]) is TIME
        assert [(row["step"], row["httpStatus"], row["result"]) for row in there["log"]] == \
            [("on-the-way", None, "retry"), ("on-the-way", 200, "done")]
        assert {type(row["at"]) for row in there["log"]} == {TIME}

    def test_due_again_later(self, put_off):
        place = put_off.restaurant().connected("dukkango")
        order = place.order("dukkango", "hazir")
        put_off.dukkango.next("on-the-way", fails(500))
        place.courier().posts(order, 1)
        there = eventually(lambda: target(order), lambda target: target["try"] == 1)
        left = there["at"] - instant(order.now()["updatedAt"])
        assert datetime.timedelta(hours=1) <= left < datetime.timedelta(hours=1.5)
        assert (there["until"], there["unsure"], "lease" in there) == (EPOCH, True, False)
        assert instant(order.delivery()["nextTryAt"]) == there["at"]
        change(order, {"$set": {"out.platform.at": TIME(2020, 1, 1)}})  # a person may pull it forward
        order.settles("done")

    def test_after_a_backup_was_restored_what_is_owed_can_be_doubted(self, put_off):
        """What was told since it was made is found out by asking, where a platform can be asked."""
        place, platform = put_off.restaurant().connected("trendyolyemek"), put_off.trendyolyemek
        order = place.order("trendyolyemek", "hazir")
        platform.next("on-the-way", fails(400))
        place.courier().posts(order, 1)
        there = eventually(lambda: target(order), lambda target: target["try"] == 1)
        assert there["unsure"] is False
        platform.orders[order.platform_id]["state"] = "Shipped"
        change(order, {"$set": {"out.platform.unsure": True, "out.platform.at": TIME(2020, 1, 1)}})
        order.settles("done")
        assert platform.tried(order) == ["on-the-way", "check"]

    def test_dead_with_its_reason(self, shared, restaurant, courier):
        order = restaurant.order("dukkango", "hazir")
        shared.dukkango.next("on-the-way", fails(500), times=4)
        courier.posts(order, 1)
        reason = order.settles("failed")["reason"]
        there = target(order)
        assert (there["dead"], there["try"], there["until"]) == (reason, 3, EPOCH)
        assert not {"at", "lease"} & there.keys()
        assert [(row["httpStatus"], row["result"]) for row in there["log"]] == [(500, "retry")] * 4
        assert order.id in {str(one["_id"]) for one in shared.store.database.orders.find(
            {"out.platform.dead": {"$exists": True}})}


class TestRecords:
    def test_a_secret_is_found_by_its_digest_and_nothing_else_is_kept_of_it(self, shared, restaurant, courier):
        database = shared.store.database
        for collection, id, secret in (("tokens", {}, restaurant.token),
                                       ("integrations", {"_id": ObjectId(courier.id)}, courier.key)):
            record = database[collection].find_one({"restaurantId": ObjectId(restaurant.id), **id})
            assert record["looks"] == [hashlib.sha256(secret.encode()).digest()]
            assert types(record) == {"_id": ObjectId, "restaurantId": ObjectId, "createdAt": TIME, "rev": Int64,
                                     "updatedAt": TIME, "looks": list, "document": dict}
        secrets = [restaurant.token, courier.key, courier.made["signingSecret"], *(
            value for account in restaurant.credentials.values() for name, value in account.items()
            if name != "supplierId")]  # six digits, which may stand anywhere by chance
        for name in database.list_collection_names():
            for document in database[name].find():
                texts = [(path, text) for path, text in walk(document) if isinstance(text, str)]
                assert not [path for path, text in texts if any(secret in text for secret in secrets)], name

    def test_an_account_is_sealed_and_has_its_platforms_name(self, shared, restaurant):
        for platform in PLATFORMS:
            record = shared.store.database.connections.find_one({"_id": f"{restaurant.id}-{platform}"})
            assert record["document"]["credentials"].startswith("k1:") and "looks" not in record


def test_no_index_holds_what_owes_nothing(shared, restaurant):
    """What is due is found among what is owed, however many orders there are."""
    indexes = shared.store.database.orders.index_information()
    for name, part in (("open", {"rank": {"$lt": 5}}), ("dueToPlatform", {"out.platform.at": {"$gt": EPOCH}}),
                       ("expiring", {"expiresAt": {"$gt": EPOCH}}),
                       ("personal", {"document.customer.details": {"$exists": True}}),
                       ("phone", {"document.customer.details": {"$exists": True}}),
                       ("failedToPlatform", {"out.platform.dead": {"$exists": True}})):
        assert indexes[name]["partialFilterExpression"] == part


def everything(world):
    """All but the leases: a start is polling."""
    database = world.store.database
    return {name: (sorted(database[name].find(), key=lambda document: str(document["_id"])),
                   database[name].index_information()) for name in database.list_collection_names() if name != "polls"}


def test_a_start_on_what_is_there_changes_nothing():
    with World(retry_schedule="1h") as world:
        place = world.restaurant().connected(*PLATFORMS)
        courier = place.courier()
        for name in PLATFORMS:
            order = place.order(name, "yeni")
            courier.posts(order, 2)
            order.settles("done")
        courier.posts(place.order("phone", "yeni"), 2)
        waits = place.order("trendyolyemek", "hazir")
        world.trendyolyemek.next("on-the-way", fails(500))
        courier.posts(waits, 1)
        eventually(lambda: target(waits), lambda target: target["try"] == 1 and "lease" not in target)
        assert world.server.stop()[0] == 0
        before = everything(world)
        world.start()
        eventually(lambda: world.call("GET", "/readyz", ops=True).status_code, lambda status: status == 200)
        assert world.server.stop()[0] == 0
        assert everything(world) == before
        assert set(before) == {"orders", *RECORDS}


class TestANewerVersion:
    """It runs beside this one, or did: what it wrote and this one does not know stays as it is."""

    STRANGE = {"nice": [1, {"a": ObjectId()}], "blob": b"\0\1", "when": TIME(2030, 1, 1), "word": "yeni"}

    def test_an_order(self, shared, restaurant, courier):
        order = restaurant.order("dukkango", "hazir")
        hang = shared.dukkango.hang("on-the-way")
        courier.posts(order, 1)
        assert hang.entered.wait(WAIT)
        places = {"v2": self.STRANGE, "out.platform.v2": self.STRANGE, "out.screen": {"want": 30, **self.STRANGE},
                  "history.0.v2": self.STRANGE, "document.v2": "yeni"}
        change(order, {"$set": places})
        shared.dukkango.release()
        order.settles("done")    # settled, claimed and settled again
        courier.posts(order, 2)  # and moved
        order.settles("done")
        there = kept(order)
        assert (there["v2"], there["out"]["platform"]["v2"], there["history"][0]["v2"]) == (self.STRANGE,) * 3
        assert there["out"]["screen"] == {"want": 30, **self.STRANGE} and there["document"]["v2"] == "yeni"
        assert (there["status"], there["out"]["platform"]["told"]) == ("teslim-edildi", 50)
        assert [row["status"] for row in order.now()["history"]] == ["hazir", "teslim-edilecek", "teslim-edildi"]

    def test_one_that_failed_and_is_replayed(self, shared, restaurant, courier):
        order = restaurant.order("dukkango", "hazir")
        change(order, {"$set": {"out.platform.v2": self.STRANGE}})
        shared.dukkango.next("on-the-way", fails(500), times=4)
        courier.posts(order, 1)
        delivery = order.settles("failed")
        data(restaurant.call("POST", f"/api/v1/deliveries/{delivery['deliveryId']}/replay"))
        order.settles("done")
        assert target(order)["v2"] == self.STRANGE

    def test_a_record(self, shared, restaurant):
        courier = restaurant.courier()
        integrations, which = shared.store.database.integrations, {"_id": ObjectId(courier.id)}
        integrations.update_one(which, {"$set": {"v2": self.STRANGE, "document.v2": {"word": "yeni"}}})
        assert data(restaurant.call("PATCH", courier.path, {"name": "Öteki"}))["name"] == "Öteki"
        courier.key = data(restaurant.call("POST", f"{courier.path}/rotate-key", {}))["apiKey"]
        there = integrations.find_one(which)
        assert (there["v2"], there["document"]["v2"]) == (self.STRANGE, {"word": "yeni"})
        assert there["document"]["name"] == "Öteki"
        data(courier.asks("ping"))

    def test_a_collection_and_an_index_of_somebody_else(self):
        with World() as world:
            database = world.store.database
            database.v2_screens.insert_one(self.STRANGE | {"_id": 1})
            database.orders.create_index([("v2.word", 1)], name="v2")
            world.restart()
            assert world.restaurant().order().becomes("hazir")["status"] == "hazir"
            assert database.v2_screens.find_one() == {"_id": 1, **self.STRANGE}
            assert "v2" in database.orders.index_information()
