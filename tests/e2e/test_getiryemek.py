# SPDX-License-Identifier: Apache-2.0
"""test_getiryemek.py - what only GetirYemek has: a wait between two steps, steps by whose courier delivers, reasons."""

import datetime

import pytest

from fake import closes, fails, loses
from fake_getiryemek import ERRORS, REASON
from world import World, data, eventually, refused

NAME, STEP = "getiryemek", "on-the-way"
ON_THE_WAY, DELIVERED = "teslim-edilecek", "teslim-edildi"
LONG_AGO = {"verifiedAt": "2024-11-05T11:00:00Z"}


def error(code, status=400):
    return fails(status, body=b'{"code":%d,"error":"%s","message":"-"}' % (code, ERRORS[code].encode()))


@pytest.fixture
def place(shared):
    return shared.restaurant().connected(NAME)


@pytest.fixture
def courier(place):
    return place.courier()


@pytest.fixture
def platform(shared):
    yield shared.getiryemek
    shared.getiryemek.heals()


def calls(delivery):
    """The log without the looks that came too early and called nobody."""
    return [(row["step"], row["httpStatus"], row["result"]) for row in delivery["log"] if row["httpStatus"]]


def apart(platform, order, first, second):
    """Seconds from the first call of one step that was done to the first of another."""
    done = {call.step: call for call in reversed(platform.about(order)) if call.applied}
    return done[second].at - done[first].at


class TestSteps:
    @pytest.mark.parametrize("before, status, steps", [
        ("yeni", 1, ["accept", STEP]), ("yeni", 2, ["accept", STEP, "delivered"]), ("hazirlanacak", 1, [STEP]),
        ("hazirlanacak", 2, [STEP, "delivered"]), ("hazirlaniyor", 1, [STEP]), ("hazir", 2, [STEP, "delivered"]),
        ("teslim-edilecek", 2, ["delivered"])])
    def test_missing_steps_are_sent_first_in_order_and_with_the_wait(self, place, courier, platform, before, status,
                                                                     steps):
        order = place.order(NAME, before)
        courier.posts(order, status)
        delivery = order.settles("done")
        assert platform.tried(order) == platform.told(order) == steps
        assert calls(delivery) == [(step, 200, "done") for step in steps]
        assert (delivery["step"], delivery["tries"], delivery["reason"]) == (steps[-1], 0, None)

    def test_the_restaurants_own_moves_are_told_and_ready_is_not_one(self, place, platform):
        order = place.order(NAME, "yeni")
        order.becomes("hazirlanacak")
        platform.received("accept", order)
        order.becomes("hazir")
        assert order.settles("skipped")["step"] == "accept"
        order.becomes(ON_THE_WAY)
        order.becomes(DELIVERED)
        order.settles("done")
        assert platform.tried(order) == ["accept", STEP, "delivered"]

    def test_a_scheduled_order_is_verified_as_one(self, place, platform):
        order = place.order(NAME, "yeni", scheduledDate="2030-01-01T12:00:00Z")
        platform.knows(order, state=325)
        order.becomes("hazirlanacak")
        order.settles("done")
        assert platform.received("accept", order).path.endswith("/verify-scheduled")
        assert platform.told(order) == ["accept"]

    def test_what_the_platform_knows_already_is_not_told(self, place, courier, platform):
        order = place.order(NAME, "yeni")
        platform.knows(order, "verifyDate", state=500)
        order.becomes("hazir", notifyPlatform=False)
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP]


class TestGetirsCourier:
    @pytest.fixture
    def order(self, place):
        return place.order(NAME, "yeni", own_courier=False)

    def test_ready_is_prepare_and_handover_and_the_rest_is_getirs(self, courier, order, platform):
        order.becomes("hazirlanacak")
        order.becomes("hazir")
        assert order.settles("done")["step"] == "handover"
        assert platform.tried(order) == ["accept", "ready", "handover"]
        courier.posts(order, 2)
        assert order.settles("skipped")["step"] == "handover"
        assert platform.tried(order) == ["accept", "ready", "handover"]

    def test_missing_steps_are_not_filled_in(self, courier, order, platform):
        courier.posts(order, 1)
        order.settles("skipped")
        assert platform.about(order) == []

    def test_a_courier_who_is_not_there_yet_is_waited_for(self, order, platform):
        platform.orders[order.platform_id]["courier"] = False
        order.becomes("hazirlanacak")
        order.becomes("hazir")
        platform.received("handover", order, times=5)  # more often than there are tries
        assert (order.delivery()["state"], order.delivery()["tries"]) == ("pending", 0)
        platform.orders[order.platform_id]["courier"] = True
        order.settles("done")
        assert platform.told(order) == ["accept", "ready", "handover"]


class TestWaits:
    """At least a minute between verify, prepare and deliver: a step is delayed by it, never dropped."""

    def test_1_and_2_within_a_second(self, place, courier, platform):
        order = place.order(NAME)
        courier.posts(order, 1)
        platform.received(STEP, order)
        courier.posts(order, 2)
        assert order.settles("done")["tries"] == 0
        assert platform.tried(order) == [STEP, "delivered"]
        assert apart(platform, order, STEP, "delivered") >= 0.25

    def test_also_over_a_restart(self):
        with World(step_wait=3) as world:
            place, platform = world.restaurant().connected(NAME), world.getiryemek
            order, courier = place.order(NAME, platformRef=LONG_AGO), place.courier()
            platform.knows(order, "verifyDate", state=500)
            courier.posts(order, 1)
            platform.received(STEP, order)
            courier.posts(order, 2)
            world.restart()
            assert order.delivery()["state"] == "pending"
            assert order.settles("done")["tries"] == 0
            assert platform.told(order) == [STEP, "delivered"]
            assert platform.tried(order).count("delivered") == 1
            assert apart(platform, order, STEP, "delivered") >= 2.95

    def test_also_over_a_kill(self):
        with World(step_wait=1.5) as world:
            place, platform = world.restaurant().connected(NAME), world.getiryemek
            order, courier = place.order(NAME), place.courier()
            courier.posts(order, 2)
            platform.received(STEP, order)
            world.kill()
            world.start()
            order.settles("done")
            assert platform.told(order) == [STEP, "delivered"]
            assert platform.tried(order).count(STEP) == 1 and platform.tried(order).count("delivered") == 1

    def test_counted_from_verified_at_where_somebody_else_verified(self):
        with World(step_wait=60) as world:
            place, platform = world.restaurant().connected(NAME), world.getiryemek
            courier = place.courier()
            early, late = place.order(NAME), place.order(NAME, platformRef=LONG_AGO)
            platform.knows(late, "verifyDate", state=500)
            courier.posts(early, 1)
            courier.posts(late, 1)
            late.settles("done")
            delivery = eventually(early.delivery, lambda one: one["nextTryAt"] > one["updatedAt"])
            assert (delivery["state"], delivery["step"], delivery["tries"]) == ("pending", STEP, 0)
            assert delivery["log"] == []  # no call was made
            assert platform.about(early) == []

    @pytest.mark.parametrize("code, step", [(74, STEP), (62, "delivered")])
    def test_too_early_by_the_platforms_own_clock_uses_no_try(self, place, courier, platform, code, step):
        order = place.order(NAME)
        platform.next(step, error(code), times=5)
        courier.posts(order, 2)
        delivery = order.settles("done")
        assert platform.told(order) == [STEP, "delivered"]
        assert calls(delivery).count((step, 400, "wait")) == 5
        asked = [call.at for call in platform.about(order) if call.step == step]
        assert all(second - first >= 0.25 for first, second in zip(asked, asked[1:], strict=False))

    def test_a_cancel_does_not_wait(self):
        with World(step_wait=60) as world:
            place, platform = world.restaurant().connected(NAME), world.getiryemek
            order = place.order(NAME)
            place.courier().posts(order, 1)
            eventually(order.delivery, lambda one: one["nextTryAt"] > one["updatedAt"])
            order.becomes("cancelled", reasonId=REASON)
            order.settles("done")
            assert platform.tried(order) == ["cancel"]


class TestDoubt:
    @pytest.mark.parametrize("trouble, steps", [(loses, [STEP, "check"]), (closes, [STEP, "check", STEP])])
    def test_an_unsure_prepare_is_judged_by_reading_the_order(self, place, courier, platform, trouble, steps):
        order = place.order(NAME)
        platform.next(STEP, trouble())
        courier.posts(order, 2)
        order.settles("done")
        assert platform.tried(order) == [*steps, "delivered"]
        assert platform.told(order) == [STEP, "delivered"]
        assert apart(platform, order, STEP, "delivered") >= 0.25

    def test_an_unsure_handover_likewise(self, place, platform):
        order = place.order(NAME, "yeni", own_courier=False)
        platform.next("ready", loses())
        platform.next("handover", loses())
        order.becomes("hazirlanacak")
        order.becomes("hazir")
        order.settles("done")
        assert platform.tried(order) == ["accept", "ready", "check", "handover", "check"]

    def test_a_wrong_status_is_looked_into(self, place, courier, platform):
        order = place.order(NAME)
        platform.next(STEP, error(3))
        platform.knows(order, "verifyDate", "prepareDate", state=550)
        courier.posts(order, 2)
        order.settles("done")
        assert platform.tried(order) == [STEP, "check", "delivered"] and platform.told(order) == ["delivered"]

    def test_one_that_was_verified_by_hand_is_done(self, place, courier, platform):
        order = place.order(NAME, "yeni")
        platform.next("accept", error(2))
        platform.knows(order, "verifyDate", state=500)
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == ["accept", STEP] and platform.told(order) == [STEP]

    def test_one_that_was_cancelled_by_others_is_a_failure(self, place, courier, platform):
        order = place.order(NAME)
        platform.knows(order, state=1500)
        courier.posts(order, 1)
        delivery = order.settles("failed")
        assert (delivery["reason"], platform.tried(order)) == ("cancelled_by_platform", [STEP])

    @pytest.mark.parametrize("code, reason", [(64, "wrong_courier"), (71, "wrong_courier"),
                                              (89, "moved_to_another_restaurant"), (-2, "bad_request")])
    def test_what_no_repeat_can_help_is_given_up_at_once(self, place, courier, platform, code, reason):
        order = place.order(NAME)
        platform.next(STEP, error(code))
        courier.posts(order, 1)
        assert order.settles("failed")["reason"] == reason
        assert platform.tried(order) == [STEP]

    @pytest.mark.parametrize("code, status, asked", [(4, 400, 4), (72, 400, 4), (-1, 500, 7)])
    def test_what_may_pass_is_tried_four_times(self, place, courier, platform, code, status, asked):
        order = place.order(NAME)
        platform.next(STEP, error(code, status), times=4)
        courier.posts(order, 1)
        order.settles("failed")
        assert platform.tried(order).count(STEP) == 4 and len(platform.tried(order)) == asked


class TestCancel:
    def test_the_platform_gets_reason_and_note(self, place, platform):
        order = place.order(NAME)
        order.becomes("cancelled", reasonId=REASON, note="fırın bozuldu")
        order.settles("done")
        assert platform.tried(order) == platform.told(order) == ["cancel"]
        assert platform.received("cancel", order).json() == {
            "cancelNote": "fırın bozuldu", "cancelReasonId": REASON, "productId": ""}

    def test_a_reason_is_needed(self, place, platform):
        order = place.order(NAME)
        refused(order.put("cancelled"), 400, "Geçersiz alan: reasonId")
        assert order.now()["status"] == "hazirlanacak"

    @pytest.mark.parametrize("reason", ["8", "623", REASON[:-1], REASON + "0", "x" * 24])
    def test_one_that_cannot_be_an_id_is_not_sent(self, place, platform, reason):
        order = place.order(NAME)
        order.becomes("cancelled", reasonId=reason)
        assert order.settles("failed")["reason"] == "cannot be sent: reasonId"
        assert platform.about(order) == []

    def test_one_that_was_cancelled_already_is_done(self, place, platform):
        order = place.order(NAME)
        platform.next("cancel", error(13))
        order.becomes("cancelled", reasonId=REASON)
        order.settles("done")
        assert platform.tried(order) == ["cancel"]

    def test_one_that_is_refused_is_a_failed_delivery(self, place, courier, platform):
        order = place.order(NAME)
        platform.knows(order, "deliverDate", state=900)
        order.becomes("cancelled", reasonId=REASON)
        delivery = order.settles("failed")
        assert (delivery["step"], delivery["reason"]) == ("cancel", "cannot_be_cancelled")


class TestLogin:
    def test_a_token_that_ended_midway_is_renewed_once_and_uses_no_try(self, place, courier, platform):
        order = place.order(NAME)
        hang = platform.hang(STEP)
        courier.posts(order, 2)
        assert hang.entered.wait(20)
        platform.expire_tokens()  # in the middle of the step, whose answer then never comes
        before = platform.count("login")
        hang.released.set()
        order.settles("done")
        assert platform.count("login") == before + 1
        assert [(call.step, call.status) for call in platform.about(order)] == [
            (STEP, 0), ("check", 401), ("check", 200), (STEP, 200), ("delivered", 200)]

    def test_one_that_ended_between_two_steps_too(self, place, courier, platform):
        order = place.order(NAME)
        courier.posts(order, 2)
        platform.received(STEP, order)
        platform.expire_tokens()
        assert order.settles("done")["tries"] == 0
        assert [(call.step, call.status) for call in platform.about(order)] == [
            (STEP, 200), ("delivered", 401), ("delivered", 200)]

    def test_wrong_credentials_fail_at_once_and_are_not_sent_again_and_again(self, shared, platform):
        place = shared.restaurant()
        place.connect(NAME, restaurantSecretKey="yanlis")
        before = platform.count("login")
        orders, courier = [place.order(NAME, platformRef=LONG_AGO) for _ in range(12)], place.courier()
        for order in orders:
            courier.posts(order, 1)
        for order in orders:
            assert order.settles("failed")["reason"] == "login_failed"
            assert platform.about(order) == []
        assert platform.count("login") == before + 1

    def test_no_more_logins_are_made_in_a_minute_than_the_setting_says(self):
        with World(getiryemek_logins="3") as world:
            place, platform = world.restaurant().connected(NAME), world.getiryemek
            order = place.order(NAME)
            platform.next(STEP, error(-2, 401), times=50)
            place.courier().posts(order, 1)
            delivery = eventually(order.delivery, lambda one: one["log"][-1:] and
                                  one["log"][-1]["reason"] == "too_many_logins")
            assert (delivery["state"], delivery["tries"], platform.count("login")) == ("pending", 1, 3)
            began, due = (datetime.datetime.fromisoformat(text)
                          for text in (delivery["log"][-1]["at"], delivery["nextTryAt"]))
            assert 50 < (due - began).total_seconds() <= 60

    def test_429_holds_back_as_long_as_the_setting_says_and_uses_no_try(self):
        with World(getiryemek_pause="2s") as world:
            place, platform = world.restaurant().connected(NAME), world.getiryemek
            order = place.order(NAME)
            platform.next("login", fails(429))
            place.courier().posts(order, 1)
            assert order.settles("done")["tries"] == 0
            first, second = [call for call in platform.calls if call.step == "login"]
            assert second.at - first.at >= 1.95


class TestOrders:
    @pytest.mark.parametrize("number", ["z322", "65aa0c1f2b3d4e5f6071829", "3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e"])
    def test_an_id_of_another_form_is_refused(self, place, number):
        body = {"platform": NAME, "platformOrderId": number, "price": 1, "paymentMethod": "card", "orderType": "gel_al"}
        refused(place.call("POST", "/api/v1/orders", body), 400, "Geçersiz alan: platformOrderId")

    def test_a_verified_at_that_is_no_time_likewise(self, place):
        body = {"platform": NAME, "platformOrderId": "65aa0c1f2b3d4e5f60718293", "price": 1, "paymentMethod": "card",
                "orderType": "gel_al", "platformRef": {"verifiedAt": "dün"}}
        refused(place.call("POST", "/api/v1/orders", body), 400, "Geçersiz alan: platformRef.verifiedAt")

    def test_what_is_connected_is_shown_without_its_secrets(self, place):
        shown = data(place.call("GET", f"{place.path}/platforms/{NAME}"))
        assert shown["credentialFields"] == ["appSecretKey", "restaurantSecretKey"]
        assert not set(place.credentials[NAME].values()) & set(map(str, shown.values()))
