# SPDX-License-Identifier: Apache-2.0
"""test_store_faults.py - single commands to MongoDB that go wrong: each request ends as what it was, once.

A trouble comes before the command is done or after it, and nobody can tell which from outside. What a replica set says
when its primary changes, and the tests' server never does, the relay says (docs/design.md 2, row 9).
"""

import time

import pytest
from bson import ObjectId

from mongo_relay import NAMES, Hold, drops, lags, loses, refuses, refuses_write, spoils, unconfirmed
from world import World, data, refused

pytestmark = pytest.mark.mongodb_only

DEADLINE, SLACK = 5.0, 1.0  # World's request_deadline, and what a busy machine may add
HURRIED = 2
NOT_UPDATED = (500, "Sipariş güncellenemedi")
FAILED = (500, "Sunucu hatası")
FOR_EVER = 1 << 30
STEP = "on-the-way"
ORDER = {"platform": "phone", "price": 12.5, "paymentMethod": "cash", "orderType": "gel_al"}
PASSING = (10107, 189, 91, 11600, 11602, 112, 50)  # what goes by itself
FAULTS = {"cut before": drops(), "cut after": loses(), "unconfirmed": unconfirmed(),
          **{f"{NAMES[code]} before": refuses(code) for code in PASSING},
          **{f"{NAMES[code]} after": spoils(code) for code in PASSING}}
FEW = {name: FAULTS[name] for name in ("cut before", "cut after", "unconfirmed", "PrimarySteppedDown before",
                                       "PrimarySteppedDown after")}


@pytest.fixture(params=FEW)
def fault(request):
    return FEW[request.param]


@pytest.fixture
def relay(shared):
    yield shared.store.relay
    shared.store.heals()


@pytest.fixture
def order(restaurant):
    return restaurant.order("dukkango", "hazir", orderType="gel_al")  # no courier firm is looked for


@pytest.fixture(scope="module")
def hurried():
    """A world in which a webhook that cannot be is soon given up."""
    with World(request_deadline=f"{HURRIED}s") as made:
        yield made


def question(document):
    """(filter, update) of a findAndModify, or of the one statement of an update."""
    one = document["updates"][0] if "updates" in document else document
    return (one["q"], one["u"]) if "updates" in document else (one["query"], one["update"])


def picks(order, operator, field, held=False):
    """Picks what does this to this order; `held`: for somebody who has a lease on it."""
    def where(document):
        filter, update = question(document)
        return (filter.get("_id"), "out.platform.lease" in filter) == (ObjectId(order.id), held) \
            and field in update.get(operator, {})
    return where


def moves(order):
    return picks(order, "$push", "history")


def leases(order):
    return picks(order, "$set", "out.platform.lease")


def settles(order):
    return picks(order, "$push", "out.platform.log", held=True)


def releases(order):
    return picks(order, "$unset", "out.platform.lease", held=True)


def replays(order):
    return picks(order, "$unset", "out.platform.dead")


def in_time(act, deadline=DEADLINE):
    began = time.monotonic()
    result = act()
    assert time.monotonic() - began < deadline + SLACK
    return result


def moved_once(order, before, status=1):
    """One row more, one revision more, and the platform was told once."""
    word, steps = {1: ("teslim-edilecek", [STEP]), 2: ("teslim-edildi", [STEP, "delivered"])}[status]
    order.settles("done")
    now = order.now()
    assert [row["status"] for row in now["history"]] == [*(row["status"] for row in before["history"]), word]
    assert (now["status"], now["rev"]) == (word, before["rev"] + 1)
    assert order.restaurant.world.dukkango.tried(order) == steps


class TestWebhook:
    @pytest.mark.parametrize("name", FAULTS)
    def test_a_fault_of_the_move_is_not_felt(self, relay, courier, order, name):
        """Of a 2 most of all: a repeat that did not know itself would be told that the order is final."""
        before = order.now()
        rule = relay.on("findAndModify", "orders", where=moves(order), then=FAULTS[name])
        first = in_time(lambda: courier.posts(order, 2))
        rule.met()
        assert first["updatedAt"] == order.now()["history"][-1]["at"]
        moved_once(order, before, 2)

    def test_nor_with_an_idempotency_key_that_comes_again(self, relay, courier, order, fault):
        before, key = order.now(), {"Idempotency-Key": "bir"}
        rule = relay.on("findAndModify", "orders", where=moves(order), then=fault)
        first = in_time(lambda: courier.posts(order, 1, headers=key))
        rule.met()
        assert courier.posts(order, 1, headers=key) == first
        moved_once(order, before)

    def test_several_in_a_row_are_not_felt_either(self, relay, courier, order):
        before = order.now()
        for nth, trouble in enumerate([refuses(189), loses(), drops()], 1):
            relay.on("findAndModify", "orders", nth=nth, where=moves(order), then=trouble)
        in_time(lambda: courier.posts(order, 1))
        moved_once(order, before)

    @pytest.mark.parametrize("done", [True, False], ids=["after", "before"])
    def test_an_answer_that_does_not_come_is_not_waited_for(self, relay, courier, order, done):
        """A command that was not done may still be done later, when all is over: it must not count any more."""
        before, hold = order.now(), Hold(done)
        relay.on("findAndModify", "orders", where=moves(order), then=hold)
        in_time(lambda: courier.posts(order, 1))
        seen = [one for one in relay.seen("findAndModify", "orders") if moves(order)(one.document)]
        assert len(seen) >= 2
        hold.release()
        moved_once(order, before)

    def test_200_rests_on_a_confirmation(self, relay, courier, order):
        """What a majority does not have may be rolled back."""
        relay.on("findAndModify", "orders", where=moves(order), then=unconfirmed())
        courier.posts(order, 1)
        asked = [one for one in relay.seen("findAndModify", "orders")
                 if one.document["query"].get("_id") == ObjectId(order.id) and not leases(order)(one.document)]
        assert len(asked) >= 2
        assert "writeConcernError" in asked[0].answer and "writeConcernError" not in asked[1].answer

    @pytest.mark.parametrize("nth", [1, 2])
    def test_same_and_final_end_as_what_they_are(self, relay, courier, order, fault, nth):
        """Two questions: whether it moves, and why it does not. Either may fail."""
        first = courier.posts(order, 1)
        order.settles("done")
        relay.on("findAndModify", "orders", nth, then=fault)
        assert in_time(lambda: courier.posts(order, 1)) == first
        relay.heals()
        courier.posts(order, 2)
        order.settles("done")
        relay.on("findAndModify", "orders", nth, then=fault)
        refused(in_time(lambda: courier.post(order, 1)), 400, "Sipariş zaten teslim edildi veya iptal edildi")
        assert [row[0] for row in order.steps()][-2:] == ["teslim-edilecek", "teslim-edildi"]

    def test_a_key_that_is_looked_up_meanwhile_stays_good(self, relay, restaurant, order, fault):
        courier, before = restaurant.courier(), order.now()
        rule = relay.on("find", "integrations", then=fault)
        in_time(lambda: courier.posts(order, 1))
        rule.met()
        moved_once(order, before)


class TestGivenUp:
    """Every try fails: row 9 in time, and the client's repeat is fine."""

    @pytest.fixture
    def place(self, hurried):
        yield hurried.restaurant().connected("dukkango")
        hurried.store.heals()

    @pytest.mark.parametrize("name", [*FEW, "Unauthorized before"])
    def test_row_9_and_a_repeat(self, hurried, place, name):
        fault = FEW.get(name) or refuses(13)
        courier, order = place.courier(), place.order("dukkango", "hazir")
        before = order.now()
        courier.asks("ping")
        hurried.store.relay.on("findAndModify", "orders", times=FOR_EVER, then=fault)
        answer = in_time(lambda: courier.post(order, 1), HURRIED)
        refused(answer, *NOT_UPDATED)
        assert answer.headers["Retry-After"] == "1"
        hurried.store.heals()
        first = courier.posts(order, 1)
        assert courier.posts(order, 1) == first
        moved_once(order, before)
        assert hurried.server.alive()

    def test_an_order_that_is_created_too(self, hurried, place):
        body = {"platformOrderId": "bir", **ORDER}
        hurried.store.relay.on("insert", "orders", times=FOR_EVER, then=loses())
        refused(in_time(lambda: place.call("POST", "/api/v1/orders", body), HURRIED), *FAILED)
        hurried.store.heals()
        again = place.call("POST", "/api/v1/orders", body)
        assert again.status_code == 200 and len(data(place.call("GET", "/api/v1/orders"))) == 1

    def test_what_was_refused_said_so_once_a_second_at_most(self, hurried, place):
        courier, order = place.courier(), place.order("dukkango", "hazir")
        hurried.store.relay.on("findAndModify", "orders", times=FOR_EVER, then=refuses(13))
        before, began = len(hurried.server.log), time.monotonic()
        for _ in range(30):
            refused(courier.post(order, 1), *NOT_UPDATED)
        assert len(hurried.server.log) - before <= 3 + 2 * (time.monotonic() - began)


class TestOtherWrites:
    """201 stays 201, a key that was replaced keeps its grace, a deletion stays one."""

    @pytest.fixture
    def place(self, shared):
        return shared.restaurant()

    @pytest.mark.parametrize("number", [None, "bir"])
    def test_an_order_is_created_once(self, relay, place, fault, number):
        rule = relay.on("insert", "orders", then=fault)
        body = {**ORDER, **({"platformOrderId": number} if number else {})}
        made = data(in_time(lambda: place.call("POST", "/api/v1/orders", body)), 201)
        rule.met()
        assert [one["orderId"] for one in data(place.call("GET", "/api/v1/orders"))] == [made["orderId"]]

    def test_one_that_was_there_stays_200(self, relay, place, fault):
        body = {**ORDER, "platformOrderId": "bir"}
        made = data(place.call("POST", "/api/v1/orders", body), 201)
        relay.on("insert", "orders", then=fault)
        assert data(in_time(lambda: place.call("POST", "/api/v1/orders", body))) == made

    def test_a_conflict_of_writes_is_one_wherever_it_is_said(self, relay, place):
        relay.on("insert", "orders", then=refuses_write(112))
        assert data(place.call("POST", "/api/v1/orders", ORDER), 201)

    @pytest.mark.parametrize("kind", ["restaurants", "tokens"])
    def test_a_restaurant_and_its_token(self, shared, relay, fault, kind):
        rule = relay.on("insert", kind, then=fault)
        place = in_time(shared.restaurant)
        rule.met()
        assert data(place.call("GET", place.path))["restaurantId"] == place.id
        assert len(data(place.call("GET", f"{place.path}/tokens"))) == 1

    def test_a_restaurant_that_brings_its_id_is_201_once(self, shared, relay, fault):
        body = {"name": "Deneme", "restaurantId": str(ObjectId())}
        relay.on("insert", "restaurants", then=fault)
        data(in_time(lambda: shared.admin("POST", "/api/v1/restaurants", body)), 201)
        refused(shared.admin("POST", "/api/v1/restaurants", body), 409, "Bu kimlik kullanılıyor")

    def test_an_integration_and_its_key(self, relay, place, fault):
        rule = relay.on("insert", "integrations", then=fault)
        courier = in_time(place.courier)
        rule.met()
        assert data(courier.asks("ping"))["integrationId"] == courier.id
        assert len(data(place.call("GET", f"{place.path}/courier-integrations"))) == 1

    def test_a_change_is_made_once(self, relay, place, fault):
        courier = place.courier()
        rule = relay.on("update", "integrations", then=fault)
        changed = data(in_time(lambda: place.call("PATCH", courier.path, {"name": "Öteki"})))
        rule.met()
        assert data(place.call("GET", courier.path)) == changed and changed["name"] == "Öteki"

    def test_a_rotation_keeps_the_old_keys_grace(self, relay, place, fault):
        """Done twice, it would leave the client with two keys that it was never told, and without the one it has."""
        courier, order = place.courier(), place.order()
        rule = relay.on("update", "integrations", then=fault)
        new = data(in_time(lambda: place.call("POST", f"{courier.path}/rotate-key", {})))
        rule.met()
        courier.posts(order, 1)
        courier.posts(order, 2, key=new["apiKey"])

    def test_a_connection(self, relay, place, fault):
        for command in ("insert", "update"):
            rule = relay.on(command, "connections", then=fault)
            assert in_time(lambda: place.connect("dukkango"))["enabled"] is True
            rule.met()
            relay.heals()

    def test_a_deletion_stays_one(self, relay, place, fault):
        made = data(place.call("POST", f"{place.path}/tokens", {"name": "Kasa"}), 201)
        path = f"{place.path}/tokens/{made['tokenId']}"
        rule = relay.on("delete", "tokens", then=fault)
        assert data(in_time(lambda: place.call("DELETE", path))) == {}
        rule.met()
        refused(place.call("DELETE", path), 404, "Kayıt bulunamadı")

    def test_the_restaurants_own_move(self, relay, restaurant, order, fault):
        before = order.now()
        relay.on("findAndModify", "orders", where=moves(order), then=fault)
        assert in_time(lambda: order.becomes("teslim-edilecek"))["status"] == "teslim-edilecek"
        moved_once(order, before)

    def test_reading(self, relay, order, fault):
        before = order.now()
        rule = relay.on("find", "orders", where=lambda document: "_id" in document["filter"], then=fault)
        assert in_time(order.now) == before
        rule.met()


class TestOwed:
    """What is owed is told once, though taking it or writing down what became of it goes wrong."""

    @pytest.fixture(scope="class")
    def brisk(self):
        """Leases end soon here: a claim that was lost is taken again when its time is over."""
        with World(outbound_timeout="500ms", lease_slack="200ms") as world:
            yield world

    @pytest.fixture
    def place(self, brisk):
        yield brisk.restaurant().connected("dukkango", "trendyolyemek")
        brisk.store.heals()

    @pytest.mark.parametrize("name", FEW)
    def test_a_claim(self, brisk, place, name):
        order = place.order("dukkango", "hazir")
        before = order.now()
        rule = brisk.store.relay.on("findAndModify", "orders", where=leases(order), then=FEW[name])
        place.courier().posts(order, 1)
        rule.met()
        moved_once(order, before)

    @pytest.mark.parametrize("name", FEW)
    def test_a_settle(self, brisk, place, name):
        order = place.order("dukkango", "hazir")
        before = order.now()
        rule = brisk.store.relay.on("findAndModify", "orders", where=settles(order), then=FEW[name])
        place.courier().posts(order, 1)
        rule.met()
        moved_once(order, before)
        assert [row["result"] for row in order.delivery()["log"] if row["step"] == STEP] == ["done"]

    @pytest.mark.parametrize("name", FEW)
    def test_the_first_of_two_steps(self, brisk, place, name):
        """Its lease goes on, so a repeat writes again; at worst the log has its row twice."""
        order = place.order("dukkango", "hazir")
        before = order.now()
        rule = brisk.store.relay.on("findAndModify", "orders", where=settles(order), then=FEW[name])
        place.courier().posts(order, 2)
        rule.met()
        moved_once(order, before, 2)
        assert {row["step"] for row in order.delivery()["log"]} == {STEP, "delivered"}

    def test_what_could_not_be_written_down_is_looked_at_before_it_is_said_again(self, brisk, place):
        order = place.order("trendyolyemek", "hazir")
        rule = brisk.store.relay.on("findAndModify", "orders", where=settles(order), times=FOR_EVER,
                                     then=refuses(10107))
        place.courier().posts(order, 1)
        brisk.trendyolyemek.received("check", order)
        rule.met()
        brisk.store.heals()
        order.settles("done")
        assert brisk.trendyolyemek.told(order) == [STEP]
        assert set(brisk.trendyolyemek.tried(order)) == {STEP, "check"}

    @pytest.mark.parametrize("name", FEW)
    def test_a_claim_that_is_given_back(self, brisk, place, name):
        """Its answer took so long that no call may begin under it: another claim is made."""
        order = place.order("dukkango", "hazir")
        before = order.now()
        brisk.store.relay.on("findAndModify", "orders", where=leases(order), then=lags(0.8))
        rule = brisk.store.relay.on("update", "orders", where=releases(order), then=FEW[name])
        place.courier().posts(order, 1)
        rule.met()
        moved_once(order, before)

    @pytest.mark.parametrize("name", FEW)
    def test_a_replay(self, brisk, name):
        home = brisk.restaurant()  # not connected: what is owed fails at once
        order = home.order("dukkango", "hazir")
        home.courier().posts(order, 1)
        failed = order.settles("failed")
        account = brisk.dukkango.orders[order.platform_id]["account"]
        data(home.call("PUT", f"{home.path}/platforms/dukkango", {"enabled": True, "credentials": account}))
        rule = brisk.store.relay.on("update", "orders", where=replays(order), then=FEW[name])
        replayed = in_time(lambda: home.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"))
        assert data(replayed)["state"] in ("pending", "done")
        refused(home.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"), 409, "Bu gönderim yinelenemez")
        rule.met()
        order.settles("done")
        assert brisk.dukkango.tried(order) == [STEP]

    @pytest.mark.parametrize("name", FEW)
    def test_the_look_for_what_is_due(self, brisk, place, name):
        orders = [place.order("dukkango", "hazir") for _ in range(3)]
        brisk.store.relay.on("find", "orders", where=lambda document: "restaurantId" not in document["filter"],
                             times=3, then=FEW[name])
        courier = place.courier()
        for order in orders:
            courier.posts(order, 1)
        for order in orders:
            order.settles("done")
            assert brisk.dukkango.tried(order) == [STEP]
