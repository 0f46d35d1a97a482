# SPDX-License-Identifier: Apache-2.0
"""test_shard_key.py - the commands that go out, read at the relay: each finds its shard, is confirmed, and has an end.

Orders are sharded by restaurantId (docs/mongodb.md). A command without it is asked of every shard: such is the
nature of the looks for what is due, for what has expired, for whose personal data goes, and of an admin's list, and
nothing else may cost that.
"""

import pytest

from fake import fails
from mongo_relay import lags
from world import CUSTOMER, World, data, eventually, refused

pytestmark = pytest.mark.mongodb_only

WRITES = ("insert", "update", "delete", "findAndModify")
READS = ("find", "aggregate", "count", "distinct")
OPENING = ("createIndexes", "isMaster", "ismaster", "hello", "ping", "buildInfo", "endSessions")


@pytest.fixture(scope="module")
def told():
    """A world in which all that is common has happened, and what went over the wire for it."""
    with World(outbound_timeout="500ms", lease_slack="200ms") as world:
        world.store.relay.forget()
        happen(world, world.restaurant().connected("dukkango", "trendyolyemek"))
        yield world


def happen(world, place):
    courier = place.courier()
    orders = [place.order(name, "yeni") for name in ("dukkango", "trendyolyemek", "phone")]
    for order in orders[:2]:
        courier.posts(order, 1)
        order.settles("done")
        courier.posts(order, 1)
        courier.posts(order, 2, headers={"Idempotency-Key": "iki"})
        order.settles("done")
        refused(courier.post(order, 2), 400, "Sipariş zaten teslim edildi veya iptal edildi")
        data(courier.asks(f"orders/{order.id}"))
    data(place.call("POST", "/api/v1/orders", {
        "platform": "dukkango", "platformOrderId": orders[0].platform_id, "price": 1, "paymentMethod": "cash",
        "orderType": "gel_al"}))  # the same again
    orders[2].becomes("hazir")
    orders[2].becomes("cancelled", reasonId="1")
    for query in ("", "?status=hazir", "?limit=1", "?since=2024-01-01T00:00:00Z"):
        place.call("GET", f"/api/v1/orders{query}")
    for query in ("", "?state=failed", "?platform=dukkango"):
        place.call("GET", f"/api/v1/deliveries{query}")
    assert data(world.admin("POST", "/api/v1/erasures", {"phone": CUSTOMER["details"]["phone"]}), 201)["orders"] == 3
    failed(world, place, courier)
    given_back(world, place, courier)


def failed(world, place, courier):
    """Deliveries that are given up, and replayed."""
    order = place.order("dukkango", "hazir")
    world.dukkango.next("on-the-way", fails(500), times=4)
    courier.posts(order, 1)
    delivery = order.settles("failed")
    another = place.order("dukkango", "hazir")
    world.dukkango.next("on-the-way", fails(500), times=4)
    courier.posts(another, 1)
    another.settles("failed")
    data(place.call("POST", f"/api/v1/deliveries/{delivery['deliveryId']}/replay"))
    assert data(place.call("POST", "/api/v1/deliveries/replay", {"state": "failed"}))["replayed"] == 1
    for one in (order, another):
        one.settles("done")


def given_back(world, place, courier):
    """A claim whose answer comes too late is released."""
    order = place.order("dukkango", "hazir")
    world.store.relay.on("findAndModify", "orders", then=lags(0.8), where=lambda document:
                         "out.platform.lease" in document["update"].get("$set", {}))
    courier.posts(order, 1)
    order.settles("done")


def parts(command):
    """The filters of a command, or the documents that it brings."""
    document = command.document
    if command.name == "insert":
        return document["documents"]
    if command.name in ("update", "delete"):
        return [one["q"] for one in document["updates" if command.name == "update" else "deletes"]]
    return [document.get("query", document.get("filter"))]


def asks_what_is_due(command):
    """The broadcasts that are such by nature: the looks for what is due, how long it has been, what has expired, and whose
    personal data goes."""
    return command.name == "find" and any(
        name.startswith("out.") and name.endswith(".at") or name in ("expiresAt", "document.customer.details")
        for name in parts(command)[0])


def seen(world, *names):
    return [command for command in world.store.relay.seen() if command.name in names]


def test_all_that_is_hot_went_by(told):
    """Else what follows would prove nothing."""
    assert {command.name for command in seen(told, *WRITES, *READS)} >= {"insert", "update", "findAndModify", "find"}
    changed = {field for command in seen(told, "findAndModify") for operator in command.document["update"].values()
               for field in operator}
    assert {"history", "out.platform.lease", "out.platform.dead"} <= changed
    held = [command.name for command in seen(told, *WRITES) if command.collection == "orders"
            and any("out.platform.lease" in part for part in parts(command))]
    assert set(held) == {"findAndModify", "update"}  # a settle, and a release
    assert any(asks_what_is_due(command) for command in seen(told, "find"))
    assert {command.name for command in told.store.relay.seen()} <= {*WRITES, *READS, "getMore", *OPENING}


def test_every_command_on_orders_names_its_shard(told):
    lost = [(command, part) for command in seen(told, *WRITES, *READS) if command.collection == "orders"
            and not asks_what_is_due(command) for part in parts(command) if not is_one(part.get("restaurantId"))]
    assert not lost


def is_one(value):
    """Equality with one restaurant, not a condition."""
    return value is not None and not isinstance(value, dict)


def test_no_order_leaves_its_shard(told):
    for command in seen(told, "update", "findAndModify"):
        updates = [command.document["update"]] if command.name == "findAndModify" else \
            [one["u"] for one in command.document["updates"]]
        assert all("restaurantId" not in operator for update in updates for operator in update.values())
        assert not any(one.get("upsert") for one in command.document.get("updates", [command.document]))


def test_unique_indexes_begin_with_the_shard_key(told):
    indexes = told.store.database.orders.index_information()
    unique = {name: index["key"] for name, index in indexes.items() if index.get("unique")}
    assert [name for name, key in unique.items() if key[0][0] != "restaurantId"] == []
    assert [("restaurantId", 1), ("platform", 1), ("platformOrderId", 1)] in unique.values()


def test_every_write_waits_for_a_majority_and_its_journal(told):
    for command in seen(told, *WRITES):
        concern = command.document.get("writeConcern", {})
        assert (concern.get("w"), concern.get("j")) == ("majority", True), command
        assert 0 < concern["wtimeout"] < 5000


def test_every_command_has_an_end(told):
    """The server's, where the command knows one; a write of an older kind has the socket's."""
    for command in seen(told, "find", "findAndModify"):
        assert 0 < command.document["maxTimeMS"] < 5000, command


def test_a_webhook_is_one_round_trip(told):
    place = told.restaurant().connected("dukkango")
    courier, order = place.courier(), place.order("dukkango", "hazir", orderType="gel_al")  # which no firm is owed
    courier.asks("ping")  # from here on the key is remembered
    hang = told.dukkango.hang("login")
    told.store.relay.forget()
    courier.posts(order, 1)
    assert hang.entered.wait(20)
    asked = [one for one in told.store.relay.seen() if one.collection == "orders" and not asks_what_is_due(one)]
    assert [one.name for one in asked] == ["findAndModify"] * 2  # the move, and then, for the platform, the claim
    hang.released.set()
    order.settles("done")


def test_an_admins_list_may_ask_everybody(told):
    told.store.relay.forget()
    data(told.admin("GET", "/api/v1/deliveries"))
    assert eventually(lambda: seen(told, "find"), bool)
