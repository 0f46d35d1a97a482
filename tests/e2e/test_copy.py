# SPDX-License-Identifier: Apache-2.0
"""test_copy.py - an embedded installation moves into a MongoDB, and goes on there as if nothing had been."""

import re

import pytest

import stores
from fake import fails
from mongo_relay import Hold, refuses_write
from process import Kuryed
from world import CUSTOMER, PLATFORMS, WAIT, World, data, eventually, refused, together

needs_mongodb = pytest.mark.skipif(not stores.MONGODB_URI,
                                   reason="KURYE_TEST_MONGODB_URI names no MongoDB to copy into")
STATUSES = ("yeni", "hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek", "teslim-edildi", "cancelled")
NOWHERE = "http://127.0.0.1:9"  # or a poll would find the credentials good, and write it down
EQUAL = "copied {} orders, {} records ({} were there already), all compared equal\n"


@pytest.fixture
def world(monkeypatch):
    """Its store is an embedded one, whichever the other tests use."""
    monkeypatch.setattr(stores, "STORE", "sqlite")
    with World() as made:
        yield made


@pytest.fixture
def destination():
    made = stores.MongoDB(None)
    yield made
    made.close()


@pytest.fixture
def place(world):
    return world.restaurant().connected(*PLATFORMS)


def begin(source, where):
    """Starts a copy; its destination stands in the environment, as it should with a password in it."""
    return Kuryed({"KURYE_STORE": where}, ["copy", "--from", source])


def copy(world, destination):
    """A whole copy; returns its exit status and what it said on stdout and stderr."""
    run = begin(world.store.where, destination.where)
    return run.wait(10 * WAIT), run.stdout, run.text()


def everything(world, place):
    """All that the API tells of a restaurant."""
    def pages(path):
        body = world.call("GET", f"{path}?limit=200", token=place.token).json()
        while True:
            yield from body["data"]
            if not body.get("next"):
                return
            body = world.call("GET", f"{path}?limit=200&after={body['next']}", token=place.token).json()
    orders = {row["orderId"]: data(place.call("GET", f"/api/v1/orders/{row['orderId']}"))
              for row in pages("/api/v1/orders")}
    records = [data(world.admin("GET", f"{place.path}{part}"))
               for part in ("", "/tokens", "/platforms", "/courier-integrations")]
    records.append(data(world.admin("GET", "/api/v1/erasures")))
    return orders, records


def in_every_state(place, courier):
    """Orders of every platform in every status, some of which came to it by moves."""
    for platform in ("phone", *PLATFORMS):
        for status in STATUSES[:4] if platform in PLATFORMS else STATUSES[:-1]:
            place.order(platform, status, hazirlanmaSuresiDk=25, orderNote="Zile basmayın")
        place.order(platform, "yeni").becomes("cancelled")
        moved = place.order(platform, "hazir", scheduledDate="2026-12-01T12:00:00Z")
        courier.posts(moved, 1)
        courier.posts(moved, 2)
        if platform != "phone":
            moved.settles("done")


@needs_mongodb
def test_everything_goes_on_in_the_mongodb(world, place, destination):
    courier = place.courier(dispatch={"url": "https://kurye.example/yeni", "headers": {"X-Key": "gizli"}})
    old_key = courier.key
    courier.key = data(place.call("POST", f"{courier.path}/rotate-key", {"graceSeconds": 3600}))["apiKey"]
    spare = data(place.call("POST", f"{place.path}/tokens", {"name": "Tablet"}), 201)
    in_every_state(place, courier)
    gone = place.order("phone", customer={**CUSTOMER, "details": {"name": "Gülbahar", "phone": "0532 123 45 67"}})
    assert data(world.admin("POST", "/api/v1/erasures", {"phone": "5321234567"}), 201)["orders"] == 1
    keyed = place.order("phone")
    first = courier.posts(keyed, 2, headers={"Idempotency-Key": "bir"})
    failed = place.order("trendyolyemek", "hazir")
    world.trendyolyemek.next("on-the-way", fails(500), times=4)
    courier.posts(failed, 1)
    failed.settles("failed")
    pending = place.order("dukkango", "hazir")
    hang = world.dukkango.hang("on-the-way")
    courier.posts(pending, 1)
    assert hang.entered.wait(WAIT)
    before = everything(world, place)
    world.kill()
    world.dukkango.release()

    count = len(before[0])
    assert copy(world, destination)[:2] == (0, EQUAL.format(count, 8, 0))
    assert copy(world, destination)[:2] == (0, EQUAL.format(count, 8, count + 8))  # and nothing is there twice

    world.start(store=destination.where)
    pending.settles("done")
    assert world.dukkango.told(pending) == ["on-the-way"]
    after = everything(world, place)
    for orders in (before[0], after[0]):
        del orders[pending.id]
    assert after == before
    assert after[0][gone.id]["erasedAt"] and after[0][gone.id]["customer"] is None
    erased = data(world.admin("POST", "/api/v1/erasures", {"phone": CUSTOMER["details"]["phone"]}), 201)
    assert erased["orders"] == count - 1
    assert courier.posts(keyed, 2, headers={"Idempotency-Key": "bir"}) == first
    assert courier.post(keyed, 2, key=old_key).status_code == 400  # known, and the order is final
    assert world.call("GET", "/api/v1/orders", token=spare["token"]).status_code == 200
    refused(courier.post(keyed, 2, key=old_key[:-1] + "x"), 404,
            "Kurye entegrasyonu bulunamadı veya aktif değil")
    data(place.call("POST", f"/api/v1/deliveries/{failed.id}-platform/replay"))
    failed.settles("done")
    assert world.trendyolyemek.told(failed) == ["on-the-way"]


@pytest.fixture
def many(world, place):
    """A stopped server's store with some pages of orders."""
    together(8, lambda n: [place.order() for _ in range(150)])
    before = everything(world, place)
    world.server.stop()
    return before


@needs_mongodb
def test_one_that_was_killed_is_begun_again(world, place, many, destination):
    hold = Hold()
    destination.relay.on("insert", "orders", nth=700, then=hold)
    run = begin(world.store.where, destination.where)
    assert hold.entered.wait(WAIT)
    run.kill()
    hold.release()
    status, told, _ = copy(world, destination)
    there = int(re.search(r"([0-9]+) were there", told)[1])
    assert (status, told) == (0, EQUAL.format(1200, 5, there)) and 700 <= there < 1005
    world.start(store=destination.where, dukkango_url=NOWHERE)
    assert everything(world, place) == many


@needs_mongodb
def test_a_destination_that_goes_away_and_comes_back_gets_all(world, many, destination):
    hold = Hold()
    destination.relay.on("insert", "orders", nth=700, then=hold)
    run = begin(world.store.where, destination.where)
    assert hold.entered.wait(WAIT)
    destination.relay.down()
    hold.release()
    eventually(run.text, lambda text: "the destination: " in text)
    destination.relay.up()
    assert run.wait(5 * WAIT) == 0
    assert re.fullmatch(EQUAL.format(1200, 5, "[0-9]+").replace("(", "[(]").replace(")", "[)]"), run.stdout)


@needs_mongodb
def test_one_that_the_destination_will_not_have_stops_no_other(world, place, destination):
    orders = [place.order("phone") for _ in range(3)]
    world.server.stop()
    destination.relay.on("insert", "orders", times=1 << 30, then=refuses_write(13),
                         where=lambda document: str(document["documents"][0]["_id"]) == orders[1].id)
    status, told, trouble = copy(world, destination)
    assert (status, told) == (1, "copied 3 orders, 5 records (0 were there already), 1 of them differ\n")
    assert trouble.count(f"order {orders[1].id}: ") == 2 and orders[0].id not in trouble
    destination.relay.heals()
    assert copy(world, destination)[:2] == (0, EQUAL.format(3, 5, 7))


@needs_mongodb
def test_what_differs_is_named_and_what_is_more_is_counted(world, place, destination):
    courier = place.courier()
    order, taken = place.order("phone"), "N-1"
    world.server.stop()
    assert copy(world, destination)[:2] == (0, EQUAL.format(1, 6, 0))
    world.start(dukkango_url=NOWHERE)
    twin = place.order("phone", platformOrderId=taken)
    world.restart(store=destination.where)
    place.order("phone", platformOrderId=taken)
    courier.posts(order, 1)
    world.restaurant()
    world.server.stop()
    status, told, trouble = copy(world, destination)
    assert status == 1
    assert told == ("copied 2 orders, 6 records (8 were there already), 2 of them differ\n"
                    "the destination holds 1 orders and 2 records more\n")
    assert f"order {order.id}: differs there" in trouble
    assert f"order {twin.id}: not there, but something with its id, number or secret" in trouble
    assert "Ahmet" not in trouble


@needs_mongodb
def test_another_key_of_the_same_id_is_named(world, place, destination):
    world.server.stop()
    assert copy(world, destination)[0] == 0
    destination.database["keys"].update_one({"_id": "k1"}, {"$set": {"document.mark": "00"}})
    status, _, trouble = copy(world, destination)
    assert status == 1 and trouble == "key k1: differs there"


@pytest.mark.parametrize("source, where, text", [
    ("mongodb://127.0.0.1:9/kuryed", "mongodb://127.0.0.1:9/kuryed", "--from must be sqlite:PATH"),
    ("sqlite:", "mongodb://127.0.0.1:9/kuryed", "must be sqlite:PATH"),
    ("sqlite:a.db", "sqlite:b.db", "--to, or else KURYE_STORE, must be"),
    ("sqlite:a.db", "", "--to, or else KURYE_STORE, must be"),
    ("sqlite:a.db", "mongodb://127.0.0.1:9/", "must name a database")])
def test_there_is_one_direction(source, where, text):
    run = begin(source, where)
    assert (run.wait(), run.stdout) == (64, "")
    assert text in run.text()


def test_the_destination_may_stand_in_a_file(world, tmp_path):
    (tmp_path / "uri").write_text("mongodb://somebody:s3cret@127.0.0.1:9/\n")
    run = Kuryed({"KURYE_STORE_FILE": str(tmp_path / "uri")}, ["copy", "--from", world.store.where])
    assert run.wait() == 64
    assert "must name a database" in run.text() and "s3cret" not in run.text()


def test_its_help_and_wrong_arguments():
    run = Kuryed({}, ["copy", "--help"])
    assert run.wait() == 0 and "KURYE_SECRET_KEY" in run.stdout
    for arguments in (["--bogus"], ["--from"], ["--from", "sqlite:a.db", "more"]):
        run = Kuryed({}, ["copy", *arguments])
        assert run.wait() == 64 and "usage: kuryed copy" in run.text()


def test_a_server_that_runs_keeps_its_store(world):
    run = begin(world.store.where, "mongodb://127.0.0.1:9/kuryed")
    assert run.wait() == 1
    assert "is in use by another kuryed" in run.text()


def test_a_source_that_is_not_there_is_not_made(tmp_path):
    run = begin(f"sqlite:{tmp_path}/typo.db", "mongodb://127.0.0.1:9/kuryed")
    assert run.wait() == 1
    assert "there is no file" in run.text()
    assert not list(tmp_path.iterdir())


def test_a_destination_that_does_not_answer_is_told_in_time(world):
    world.server.stop()
    run = begin(world.store.where, "mongodb://somebody:s3cret@127.0.0.1:9/kuryed")
    assert run.wait() == 1
    assert "the destination does not answer" in run.text()
    assert "s3cret" not in run.text()
