# SPDX-License-Identifier: Apache-2.0
"""test_deliveries.py - what the platform is told: which steps, in which order, exactly once."""

import pytest

from fake import fails
from world import PLATFORMS, data, refused, together

NAMES = (*PLATFORMS, "migrosyemek")
ON_THE_WAY, DELIVERED = "teslim-edilecek", "teslim-edildi"
# The steps that a platform wants for an order of this state, when the courier reports this.
STEPS = {
    "dukkango": {
        ("yeni", 1): ["accept", "on-the-way"], ("yeni", 2): ["accept", "on-the-way", "delivered"],
        ("hazirlanacak", 1): ["on-the-way"], ("hazirlanacak", 2): ["on-the-way", "delivered"],
        ("hazirlaniyor", 1): ["on-the-way"], ("hazir", 2): ["on-the-way", "delivered"],
        ("teslim-edilecek", 2): ["delivered"]},
    "trendyolyemek": {
        ("yeni", 1): ["accept", "ready", "on-the-way"],
        ("yeni", 2): ["accept", "ready", "on-the-way", "delivered"],
        ("hazirlanacak", 1): ["ready", "on-the-way"],
        ("hazirlanacak", 2): ["ready", "on-the-way", "delivered"],
        ("hazirlaniyor", 1): ["ready", "on-the-way"], ("hazir", 2): ["on-the-way", "delivered"],
        ("teslim-edilecek", 2): ["delivered"]}}
STEPS["migrosyemek"] = STEPS["trendyolyemek"]
CASES = [(name, *case, steps) for name, table in STEPS.items() for case, steps in table.items()]
REASON = {"dukkango": "3", "trendyolyemek": "623", "migrosyemek": "12"}
STATE = {  # of an order there, by our word
    "hazirlanacak": {"dukkango": 2, "trendyolyemek": "Picking", "migrosyemek": 1},
    "hazir": {"dukkango": 2, "trendyolyemek": "Invoiced", "migrosyemek": 3}}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def platform(shared, name):
    return shared.platform(name)


@pytest.mark.parametrize("name, before, status, steps", CASES)
def test_missing_steps_are_sent_first_and_in_order(shared, restaurant, courier, name, before, status, steps):
    order = restaurant.order(name, before)
    courier.posts(order, status)
    delivery = order.settles("done")
    assert shared.platform(name).tried(order) == steps
    assert delivery["step"] == steps[-1] and delivery["platform"] == name and delivery["orderId"] == order.id
    assert (delivery["deliveryId"], delivery["tries"]) == (f"{order.id}-platform", 0)
    assert (delivery["nextTryAt"], delivery["reason"]) == (None, None)
    assert [(row["step"], row["httpStatus"], row["result"]) for row in delivery["log"]] == \
        [(step, 200, "done") for step in steps]


def test_1_and_2_are_told_in_order(restaurant, courier, name, platform):
    order = restaurant.order(name, "hazir")
    courier.posts(order, 1)
    courier.posts(order, 2)
    order.settles("done")
    platform.received("delivered", order)
    assert platform.tried(order) == ["on-the-way", "delivered"]


def test_creating_an_order_calls_nobody(restaurant, courier, name, platform):
    order, fence = restaurant.order(name, "hazir"), restaurant.order(name, "hazir")
    # `skipped` where the platform has no call for "ready".
    assert order.delivery()["state"] == ("skipped" if name == "dukkango" else "done")
    courier.posts(fence, 1)
    platform.received("on-the-way", fence)
    assert platform.about(order) == []


def test_the_restaurants_own_moves_are_told(restaurant, name, platform):
    order = restaurant.order(name, "yeni")
    order.becomes("hazirlanacak", preparingTime=25)
    accept = platform.received("accept", order)
    if name != "migrosyemek":  # which asks for no time
        assert accept.json()[{"dukkango": "preparing_time", "trendyolyemek": "preparationTime"}[name]] == 25
    order.becomes("hazir")
    order.becomes(ON_THE_WAY)
    order.becomes(DELIVERED)
    order.settles("done")
    platform.received("delivered", order)
    assert platform.told(order) == [step for step in ("accept", "ready", "on-the-way", "delivered")
                                    if step in STEPS[name]["yeni", 2]]


def test_the_preparing_time_is_the_orders_own_when_a_courier_is_early(restaurant, courier, name, platform):
    order = restaurant.order(name, "yeni", hazirlanmaSuresiDk=17)
    courier.posts(order, 1)
    body = platform.received("accept", order).json()
    assert 17 in body.values() or name == "migrosyemek"


class TestPlatformCourier:
    """The platform's own courier delivers: the order moves and the platform is not told so."""

    @pytest.mark.parametrize("status, word", [(1, ON_THE_WAY), (2, DELIVERED)])
    def test_the_courier_steps_are_skipped(self, restaurant, courier, name, platform, status, word):
        order = restaurant.order(name, "hazir", own_courier=False)
        courier.posts(order, status)
        assert order.now()["status"] == word
        assert order.settles("skipped")["log"] == []
        fence = restaurant.order(name, "hazir")
        courier.posts(fence, 1)
        platform.received("on-the-way", fence)
        assert platform.about(order) == []

    def test_missing_steps_are_not_filled_in(self, restaurant, courier, name, platform):
        order = restaurant.order(name, "yeni", own_courier=False)
        courier.posts(order, 1)
        order.settles("skipped")
        assert platform.about(order) == []

    def test_an_accept_is_told(self, restaurant, name, platform):
        order = restaurant.order(name, "yeni", own_courier=False)
        order.becomes("hazirlanacak")
        order.settles("done")
        assert platform.told(order) == ["accept"]


def test_a_phone_order_has_nobody_to_tell(restaurant, courier):
    order = restaurant.order("phone")
    courier.posts(order, 2)
    assert order.delivery() is None


class TestNotifyPlatformFalse:
    def test_nothing_is_sent_and_what_was_owed_counts_as_done(self, restaurant, courier, name, platform):
        order = restaurant.order(name, "yeni")
        platform.orders[order.platform_id]["state"] = STATE["hazir"][name]
        order.becomes("hazir", notifyPlatform=False)
        courier.posts(order, 1)
        order.settles("done")
        platform.received("on-the-way", order)
        assert platform.tried(order) == ["on-the-way"]

    def test_also_with_the_same_word_and_after_a_failure(self, shared, restaurant, name, platform):
        order = restaurant.order(name, "yeni")
        platform.next("accept", fails(500), times=4)
        order.becomes("hazirlanacak")
        order.settles("failed")
        platform.orders[order.platform_id]["state"] = STATE["hazirlanacak"][name]
        order.becomes("hazirlanacak", notifyPlatform=False)
        assert order.settles("done")["reason"] is None
        assert platform.told(order) == []


class TestCancel:
    def test_the_platform_gets_the_reason(self, restaurant, name, platform):
        order = restaurant.order(name)
        order.becomes("cancelled", reasonId=REASON[name])
        order.settles("done")
        assert platform.told(order) == ["cancel"]
        body = platform.received("cancel", order).json()
        assert int(REASON[name]) in body.values()

    def test_it_needs_no_steps_in_between(self, restaurant, name, platform):
        order = restaurant.order(name, "yeni")
        order.becomes("cancelled", reasonId=REASON[name])
        order.settles("done")
        assert platform.tried(order) == ["cancel"]

    def test_without_a_reason_each_platform_gets_its_other_one(self, restaurant, name, platform):
        order = restaurant.order(name)
        if name == "migrosyemek":  # which has none by that name
            refused(order.put("cancelled"), 400, "Geçersiz alan: reasonId")
            return
        order.becomes("cancelled")
        sent = platform.received("cancel", order).json()
        assert sent.get("reason_id", sent.get("reasonId")) == {"dukkango": 8, "trendyolyemek": 623}[name]

    @pytest.mark.parametrize("reason", ["0", "99", "x", "1; DROP"])
    def test_a_reason_that_the_platform_does_not_know_is_not_taken(self, restaurant, name, platform, reason):
        order = restaurant.order(name)
        answer = order.put("cancelled", reasonId=reason)
        if answer.status_code == 200:  # taken here, then it must fail before it reaches the platform
            order.settles("failed")
        else:
            refused(answer, 400, "Geçersiz alan: reasonId")
        # Which numbers there are, only they know who are asked for their list.
        asked = name in ("migrosyemek", "dukkango")
        assert platform.told(order) == [] and (asked or platform.about(order) == [])

    def test_it_overtakes_a_step_that_is_pending(self, restaurant, courier, name, platform):
        order = restaurant.order(name, "hazir")
        hang = platform.hang("on-the-way")
        courier.posts(order, 1)
        assert hang.entered.wait(20)
        order.becomes("cancelled", reasonId=REASON[name])
        hang.released.set()
        order.settles("done")
        assert "cancel" in platform.told(order) and "on-the-way" not in platform.told(order)

    def test_one_that_the_platform_refuses_is_a_failed_delivery(self, restaurant, courier):
        order = restaurant.order("trendyolyemek", "hazir")
        courier.posts(order, 1)
        order.settles("done")
        order.becomes("cancelled", reasonId="623")
        assert order.settles("failed")["step"] == "cancel"


class TestAtOnce:
    """Two couriers post the same status from 64 connections: one move, one history row, one call."""

    @pytest.mark.parametrize("status", [1, 2])
    def test_exactly_one_move(self, shared, restaurant, courier, name, platform, status):
        order, other = restaurant.order(name, "hazir"), restaurant.courier(name="Öteki Kurye")
        answers = together(64, lambda n: (courier, other)[n % 2].post(order, status, session=shared.lone()))
        good = [data(answer) for answer in answers if answer.status_code == 200]
        if status == 1:
            assert len(good) == 64 and len({one["updatedAt"] for one in good}) == 1
        else:
            assert len(good) == 1
            for answer in answers:
                if answer.status_code != 200:
                    refused(answer, 400, "Sipariş zaten teslim edildi veya iptal edildi")
        order.settles("done")
        assert len([row for row in order.steps() if row[1] == "courier"]) == 1
        assert platform.tried(order) == ["on-the-way", "delivered"][:status]

    def test_many_orders_at_once_are_each_told_once(self, shared, restaurant, courier):
        orders = [restaurant.order("dukkango") for _ in range(64)]
        together(64, lambda n: courier.posts(orders[n], 2, session=shared.lone()))
        for order in orders:
            order.settles("done")
            assert shared.dukkango.tried(order) == ["on-the-way", "delivered"]


class TestList:
    @pytest.fixture(scope="class")
    def failed(self, shared):
        """A restaurant with one failed delivery on each platform and a good one."""
        restaurant = shared.restaurant().connected(*PLATFORMS)
        courier = restaurant.courier()
        orders = [restaurant.order(name, "hazir") for name in PLATFORMS]
        for order, name in zip(orders, PLATFORMS, strict=True):
            shared.platform(name).next("on-the-way", fails(500), times=4)
            courier.posts(order, 1)
            order.settles("failed")
        good = restaurant.order("dukkango")
        courier.posts(good, 1)
        good.settles("done")
        return restaurant, orders, good

    @staticmethod
    def ids(answer):
        return [row["orderId"] for row in data(answer)]

    def test_failed_ones_are_listed(self, failed):
        restaurant, orders, _ = failed
        answer = restaurant.call("GET", "/api/v1/deliveries?state=failed")
        assert sorted(self.ids(answer)) == sorted(order.id for order in orders)
        assert data(answer)[0] == [o for o in orders if o.id == data(answer)[0]["orderId"]][0].delivery()
        by_platform = restaurant.call("GET", "/api/v1/deliveries?state=failed&platform=dukkango")
        assert self.ids(by_platform) == [orders[0].id]
        later = restaurant.call("GET", "/api/v1/deliveries?state=failed&since=2099-01-01T00:00:00Z")
        assert self.ids(later) == []

    def test_the_admin_sees_all_and_a_stranger_none(self, shared, failed):
        _, orders, _ = failed
        listed = self.ids(shared.admin("GET", "/api/v1/deliveries?state=failed&limit=200"))
        assert {order.id for order in orders} <= set(listed)
        assert self.ids(shared.restaurant().call("GET", "/api/v1/deliveries?state=failed")) == []

    @pytest.mark.parametrize("query, path", [("state=kayip", "state"), ("platform=x", "platform"),
                                             ("since=x", "since"), ("limit=0", "limit")])
    def test_a_bad_query_is_named(self, restaurant, query, path):
        refused(restaurant.call("GET", f"/api/v1/deliveries?{query}"), 400, f"Geçersiz alan: {path}")

    def test_only_a_failed_one_may_be_replayed(self, shared, failed):
        restaurant, orders, good = failed
        path = "/api/v1/deliveries/{}/replay"
        refused(restaurant.call("POST", path.format(f"{good.id}-platform")), 409, "Bu gönderim yinelenemez")
        for absent in (f"{'0' * 24}-platform", f"{orders[0].id}-nobody", "x"):
            refused(restaurant.call("POST", path.format(absent)), 404, "Kayıt bulunamadı")
        stranger = shared.restaurant()
        refused(stranger.call("POST", path.format(f"{orders[0].id}-platform")), 404, "Kayıt bulunamadı")

    def test_all_failed_ones_are_replayed_by_one_call(self, shared, failed):
        restaurant, orders, _ = failed

        def replay(**fields):
            return data(restaurant.call("POST", "/api/v1/deliveries/replay", {"state": "failed", **fields}))
        assert replay(platform="dukkango") == {"replayed": 1, "more": False}
        orders[0].settles("done")
        assert replay() == {"replayed": 1, "more": False}
        orders[1].settles("done")
        assert replay() == {"replayed": 0, "more": False}
        for order, name in zip(orders, PLATFORMS, strict=True):
            assert shared.platform(name).told(order) == ["on-the-way"]

    @pytest.mark.parametrize("body, path", [({}, "state"), ({"state": "done"}, "state"),
                                            ({"state": "failed", "platform": "x"}, "platform")])
    def test_a_bad_field_is_named(self, restaurant, body, path):
        refused(restaurant.call("POST", "/api/v1/deliveries/replay", body), 400, f"Geçersiz alan: {path}")
