# SPDX-License-Identifier: Apache-2.0
"""test_mongo_relay.py - what the other tests rely on of the relay, with MongoDB's own client on the one side of it."""

import secrets
import time

import pymongo
import pytest
from pymongo.errors import AutoReconnect, ConnectionFailure, OperationFailure, WriteConcernError, WriteError

from mongo_relay import Hold, Relay, drops, loses, refuses, refuses_write, spoils, unconfirmed
from stores import MONGODB_URI
from world import together


pytestmark = pytest.mark.mongodb_only


@pytest.fixture
def relay():
    made = Relay(MONGODB_URI)
    yield made
    made.close()


@pytest.fixture
def connect(relay):
    """Makes clients that hide nothing: they repeat nothing by themselves."""
    clients, name = [], f"kuryed_relay_{secrets.token_hex(6)}"

    def make(**options):
        options = {"retryWrites": "false", "retryReads": "false", **options}
        clients.append(pymongo.MongoClient(relay.uri(name, **options)))
        return clients[-1][name]["orders"]
    yield make
    for client in clients:
        client.close()
    with pymongo.MongoClient(MONGODB_URI) as direct:
        direct.drop_database(name)


@pytest.fixture
def orders(connect):
    return connect()


def take(orders):
    return orders.find_one_and_update({"_id": 1}, {"$inc": {"rev": 1}}, upsert=True)


def test_commands_go_through_and_are_written_down(relay, orders):
    orders.insert_many([{"_id": 1, "rev": 1}, {"_id": 2, "rev": 1}])
    assert take(orders) == {"_id": 1, "rev": 1}
    assert [one["_id"] for one in orders.find({"rev": {"$gt": 0}}, batch_size=1).sort("_id", 1)] == [1, 2]
    assert [one.name for one in relay.seen(collection="orders")][:3] == ["insert", "findAndModify", "find"]
    insert, = relay.seen("insert")
    assert [one["_id"] for one in insert.document["documents"]] == [1, 2]  # they travel as a sequence of their own
    assert (insert.answer["n"], relay.seen("getMore")[0].document["collection"]) == (2, "orders")
    relay.forget()
    assert relay.seen() == []


TROUBLES = {"drops": (drops(), AutoReconnect, 0), "loses": (loses(), AutoReconnect, 1),
            "refuses": (refuses(112), OperationFailure, 0), "refuses as a primary": (refuses(189), ConnectionFailure, 0),
            "spoils": (spoils(11600), ConnectionFailure, 1), "unconfirmed": (unconfirmed(), WriteConcernError, 1)}


@pytest.mark.parametrize("trouble, error, done", TROUBLES.values(), ids=TROUBLES)
def test_a_rule_counts_once_for_its_nth_command(relay, orders, trouble, error, done):
    orders.insert_one({"_id": 1, "rev": 0})
    rule = relay.on("findAndModify", "orders", nth=2, then=trouble)
    relay.on("findAndModify", "connections", then=drops())
    take(orders)
    with pytest.raises(error):
        take(orders)
    rule.met()
    assert take(orders)["rev"] == 1 + done
    assert rule.count == 1


def test_a_write_can_fail_alone(relay, orders):
    relay.on("insert", where=lambda document: document["documents"][0]["_id"] == 2, then=refuses_write(50))
    orders.insert_one({"_id": 1})
    with pytest.raises(WriteError):
        orders.insert_one({"_id": 2})
    assert orders.count_documents({}) == 1


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_can_be_held(relay, connect, done):
    orders, other = connect(), connect()
    hold = Hold(done)
    relay.on("findAndModify", then=hold)

    def act(number):
        if number == 0:
            return take(orders)
        assert hold.entered.wait(20)
        found = other.count_documents({})
        hold.release()
        return found
    assert together(2, act) == [None, 1 if done else 0]


def test_down_means_refused_and_up_is_the_same_address(relay, connect):
    orders = connect(serverSelectionTimeoutMS="200")
    take(orders)
    for _ in range(2):
        relay.down()
        with pytest.raises(ConnectionFailure):
            take(orders)
        relay.up()
    assert take(connect())["rev"] == 1


def test_frozen_means_no_answer_and_thawed_does_it_after_all(relay, connect):
    orders = connect(socketTimeoutMS="300")
    take(orders)
    with relay.frozen():
        began = time.monotonic()
        with pytest.raises(ConnectionFailure):
            take(orders)
        assert time.monotonic() - began >= 0.3
    other = connect()
    until = time.monotonic() + 20
    while (found := other.find_one({"_id": 1}))["rev"] < 2:
        assert time.monotonic() < until
    assert found["rev"] == 2


def test_an_answer_can_be_delayed(relay, orders):
    take(orders)
    relay.delay = 0.2
    began = time.monotonic()
    take(orders)
    assert time.monotonic() - began >= 0.2


def test_it_can_pose_as_a_replica_set_whose_primary_steps_down(relay, connect):
    relay.pose_as_set()
    orders = connect(serverSelectionTimeoutMS="500")
    take(orders)
    assert orders.database.client.primary == tuple_of(relay.address)
    relay.step_down()
    with pytest.raises(ConnectionFailure):
        take(orders)
    with pytest.raises(ConnectionFailure):  # this one does not even go out
        take(orders)
    assert len(relay.seen("findAndModify")) == 2
    relay.step_up()
    orders = connect()
    assert take(orders)["rev"] == 1


def tuple_of(address):
    host, _, port = address.partition(":")
    return host, int(port)
