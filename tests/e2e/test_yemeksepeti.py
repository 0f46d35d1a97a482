# SPDX-License-Identifier: Apache-2.0
"""test_yemeksepeti.py - what only YemekSepeti has: URLs that come with the order, no "delivered", logins by form."""

import datetime
import time

import pytest

from fake import fails, loses
from test_failures import TestConnections as Connections
from test_failures import TestRetries as Retries
from test_failures import TestTroubles as Troubles
from world import World, data, eventually, refused

NAME, STEP = "yemeksepeti", "on-the-way"
ON_THE_WAY, DELIVERED = "teslim-edilecek", "teslim-edildi"


@pytest.fixture
def name():
    return NAME


@pytest.fixture
def place(shared):
    return shared.restaurant().connected(NAME)


@pytest.fixture
def courier(place):
    return place.courier()


@pytest.fixture
def order(place):
    return place.order(NAME, "hazir")


@pytest.fixture
def platform(shared):
    yield shared.yemeksepeti
    shared.yemeksepeti.heals()


class TestSteps:
    @pytest.mark.parametrize("before, status, steps", [
        ("yeni", 1, ["accept", STEP]), ("yeni", 2, ["accept", STEP]), ("hazirlanacak", 1, [STEP]),
        ("hazirlaniyor", 1, [STEP]), ("hazir", 1, [STEP]), ("hazir", 2, [STEP]), ("teslim-edilecek", 2, [])])
    def test_missing_steps_are_sent_first_and_delivered_has_no_call(self, place, courier, platform, before,
                                                                   status, steps):
        order = place.order(NAME, before)
        courier.posts(order, status)
        delivery = order.settles("done" if status == 1 else "skipped")  # no call for "delivered"
        assert platform.tried(order) == platform.told(order) == steps
        assert (delivery["reason"], delivery["nextTryAt"], delivery["tries"]) == (None, None, 0)

    def test_the_restaurants_own_moves_are_told(self, place, platform):
        order = place.order(NAME, "yeni")
        asked = datetime.datetime.now(datetime.UTC)
        order.becomes("hazirlanacak", preparingTime=25)
        body = platform.received("accept", order).json()
        assert body["status"] == "order_accepted" and body["remoteOrderId"] == order.id
        promised = datetime.datetime.fromisoformat(body["acceptanceTime"])
        assert promised.utcoffset() == datetime.timedelta(hours=3)
        assert abs((promised - asked).total_seconds() - 25 * 60) < 30
        for status in ("hazir", ON_THE_WAY, DELIVERED):
            order.becomes(status)
        order.settles("skipped")
        assert platform.told(order) == ["accept", STEP]

    def test_a_time_too_short_is_promised_two_minutes_ahead(self, place, platform):
        order = place.order(NAME, "yeni")
        order.becomes("hazirlanacak", preparingTime=1)
        order.settles("done")  # or the platform had refused it
        assert platform.told(order) == ["accept"]

    def test_an_order_to_be_fetched_is_picked_up_by_the_customer(self, place, platform):
        order = place.order(NAME, "hazir", orderType="gel_al")
        order.becomes(DELIVERED)
        order.settles("skipped")
        assert platform.told(order) == [STEP]

    def test_the_platforms_rider_is_told_that_it_is_prepared(self, place, courier, platform):
        order = place.order(NAME, "yeni", own_courier=False)
        order.becomes("hazirlanacak")
        order.settles("done")
        order.becomes("hazir")
        order.settles("done")
        courier.posts(order, 1)
        courier.posts(order, 2)
        order.settles("skipped")
        assert platform.told(order) == platform.tried(order) == ["accept", "ready"]

    def test_a_step_without_a_url_is_not_asked(self, place, courier, platform):
        token, reference = platform.hold(place.credentials[NAME], "hazirlanacak")
        del reference["callbackUrls"]["orderAcceptedUrl"]  # accepted on the platform's own tablet
        order = place.order(NAME, "yeni", platformOrderId=token, platformRef=reference)
        order.becomes("hazirlanacak")
        order.settles("skipped")
        skipped = data(place.call("GET", "/api/v1/deliveries?state=skipped&limit=200"))
        assert order.id in [delivery["orderId"] for delivery in skipped]
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP]

    def test_told_by_another_way_nothing_is_sent(self, place, courier, platform):
        order = place.order(NAME, "yeni")
        platform.orders[order.platform_id]["state"] = "ACCEPTED"
        order.becomes("hazirlanacak", notifyPlatform=False)
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP]


class TestCancel:
    @pytest.mark.parametrize("given, reason", [(None, "TECHNICAL_PROBLEM"), ("NO_COURIER", "NO_COURIER")])
    @pytest.mark.parametrize("before", ["yeni", "hazir"])
    def test_the_platform_gets_the_reason(self, place, platform, before, given, reason):
        order = place.order(NAME, before)
        order.becomes("cancelled", **({"reasonId": given} if given else {}), note="Ocak bozuldu")
        order.settles("done")
        assert platform.tried(order) == ["cancel"]
        body = platform.received("cancel", order).json()
        assert body == {"status": "order_rejected", "reason": reason, "message": "Ocak bozuldu"}

    @pytest.mark.parametrize("reason", ["8", "no_courier", "DROP TABLE"])
    def test_a_reason_that_the_platform_does_not_know_is_not_sent(self, place, platform, reason):
        order = place.order(NAME)
        order.becomes("cancelled", reasonId=reason)
        assert order.settles("failed")["reason"] == "cannot be sent: reasonId"
        assert platform.about(order) == []


class TestUrls:
    @pytest.mark.parametrize("url", ["ftp://restaurant-partners.com/k7", "restaurant-partners.com/k7", "x",
                                     "https://a:b@restaurant-partners.com/k7", "https://restaurant-partners.com",
                                     "https://restaurant-partners.com/ş", "https://[::1]/k7", 7])
    def test_one_that_could_never_be_called_is_refused_with_the_order(self, place, platform, url):
        token, reference = platform.hold(place.credentials[NAME])
        reference["callbackUrls"]["orderPickedUpUrl"] = url
        body = {"platform": NAME, "platformOrderId": token, "platformRef": reference, "price": 10,
                "paymentMethod": "card", "orderType": "gel_al"}
        refused(place.call("POST", "/api/v1/orders", body), 400,
                "Geçersiz alan: platformRef.callbackUrls.orderPickedUpUrl")

    @pytest.mark.parametrize("url", ["https://restaurant-partners.com.example/k7", "http://127.0.0.1:1/k7",
                                     "http://a.restaurant-partners.com/k7"])
    def test_one_of_a_stranger_is_never_called(self, place, courier, platform, url):
        token, reference = platform.hold(place.credentials[NAME])
        reference["callbackUrls"]["orderPickedUpUrl"] = url
        order = place.order(NAME, platformOrderId=token, platformRef=reference)
        courier.posts(order, 1)
        delivery = order.settles("failed")
        assert delivery["reason"] == "cannot be sent: platformRef.callbackUrls.orderPickedUpUrl"
        assert delivery["tries"] == 0 and order.now()["status"] == ON_THE_WAY

    def test_a_login_url_likewise(self, shared, platform):
        place, account = shared.restaurant(), platform.account()
        path = f"{place.path}/platforms/{NAME}"
        refused(place.call("PUT", path, {"enabled": True, "credentials": {**account, "loginUrl": "x"}}), 400,
                "Geçersiz alan: credentials.loginUrl")
        before = platform.count("login")
        place.connect(NAME, loginUrl="https://restaurant-partners.com.example/v2/login")
        order = place.order(NAME)
        place.courier().posts(order, 1)
        assert order.settles("failed")["reason"] == "cannot be sent: credentials.loginUrl"
        assert platform.count("login") == before


class TestConnections(Connections):
    """As of every platform."""


class TestRetries(Retries):
    """As of every platform, but for "delivered"."""

    def test_the_order_goes_on_and_so_does_the_telling(self, courier, order, platform):
        platform.next(STEP, fails(500), times=4)
        courier.posts(order, 1)
        order.settles("failed")
        courier.posts(order, 2)  # a new fact starts with fresh tries
        order.settles("skipped")
        assert platform.told(order) == [STEP]


class TestTroubles(Troubles):
    """As of every platform, but for "delivered" and without a check."""

    def test_a_lost_answer_is_not_taken_for_a_failure(self, courier, order, platform):
        platform.next(STEP, loses())
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP, STEP] and platform.told(order) == [STEP]

    def test_a_lost_answer_in_the_middle_does_not_stop_the_rest(self, place, courier, name, platform):
        order = place.order(name, "yeni")
        platform.next("accept", loses())
        platform.next(STEP, loses())
        courier.posts(order, 2)
        delivery = order.settles("skipped")
        assert platform.tried(order) == ["accept", "accept", STEP, STEP]
        assert platform.told(order) == ["accept", STEP]
        assert [row["reason"] for row in delivery["log"] if row["httpStatus"] == 400] == ["already_there"] * 2

    def test_a_crash_after_the_call_repeats_it_and_believes_the_answer(self):
        with World() as world:
            order, platform = world.restaurant().connected(NAME).order(NAME, "yeni"), world.yemeksepeti
            hang = platform.hang("accept", done=True)
            order.becomes("hazirlanacak")
            assert hang.entered.wait(20)
            world.kill()
            world.start()
            delivery = order.settles("done")
            assert [(row["httpStatus"], row["reason"]) for row in delivery["log"]] == [(400, "already_there")]
            assert platform.state(order) == "ACCEPTED"


class TestRules:
    def test_a_step_that_the_platform_does_not_allow_is_given_up(self, place, courier, platform):
        order = place.order(NAME, "hazir")
        platform.next(STEP, fails(400, body=b'{"code":"INVALID_ORDER_STATUS","message":"-"}'))
        courier.posts(order, 1)
        delivery = order.settles("failed")
        assert delivery["reason"] == "transition_refused" and len(delivery["log"]) == 1

    def test_409_is_waited_out_on_accept_and_uses_no_try(self, place, platform):
        order = place.order(NAME, "yeni")
        platform.orders[order.platform_id]["between_hands"] = 1
        order.becomes("hazirlanacak", preparingTime=1)
        delivery = order.settles("done")
        assert [(row["httpStatus"], row["result"], row["reason"]) for row in delivery["log"]] == [
            (409, "wait", "not_yet"), (200, "done", None)]
        assert delivery["tries"] == 0 and platform.told(order) == ["accept"]
        first, second = platform.about(order)
        assert 9.5 <= second.at - first.at < 15

    def test_429_holds_back_though_no_limit_is_known_and_uses_no_try(self):
        with World() as world:  # of its own: the lane is held back
            place = world.restaurant().connected(NAME)
            order = place.order(NAME)
            world.yemeksepeti.next(STEP, fails(429))
            place.courier().posts(order, 1)
            assert order.settles("done")["tries"] == 0
            first, second = world.yemeksepeti.about(order)
            assert (first.status, second.status) == (429, 200) and 4.9 <= second.at - first.at < 10

    def test_409_for_an_order_that_the_platform_cancelled_is_final(self, place, platform):
        order = place.order(NAME, "yeni")
        platform.orders[order.platform_id]["state"] = "REJECTED"
        order.becomes("hazirlanacak")
        assert order.settles("failed")["reason"] == "conflict"
        assert platform.tried(order) == ["accept"]


class TestLogin:
    def test_a_token_serves_many_calls_and_is_renewed_when_it_was_ended(self, place, courier, platform):
        before = platform.count("login")
        orders = [place.order(NAME, "yeni") for _ in range(3)]
        for order in orders[:2]:
            courier.posts(order, 1)
            order.settles("done")
        assert platform.count("login") == before + 1
        platform.expire_tokens()
        courier.posts(orders[2], 1)
        assert orders[2].settles("done")["tries"] == 0
        assert platform.count("login") == before + 2
        assert [(call.step, call.status) for call in platform.about(orders[2])] == [
            ("accept", 401), ("accept", 200), (STEP, 200)]

    def test_expires_in_is_obeyed(self):
        with World() as world:
            world.yemeksepeti.life = 2  # of which the server uses the half
            place = world.restaurant().connected(NAME)
            first, second = place.order(NAME), place.order(NAME)
            courier = place.courier()
            courier.posts(first, 1)
            first.settles("done")
            until = world.yemeksepeti.received(STEP, first).at + world.yemeksepeti.life
            eventually(time.monotonic, lambda now: now > until)
            courier.posts(second, 1)
            second.settles("done")
            assert [call.status for call in world.yemeksepeti.about(second)] == [200]  # no 401 was needed
            assert world.yemeksepeti.count("login") == 2

    def test_a_token_that_is_never_taken_ends_in_failure(self, courier, order, platform):
        platform.next(STEP, fails(401, body=b'{"code":"POS_ERROR"}'), times=50)
        before = platform.count("login")
        courier.posts(order, 1)
        order.settles("failed")
        assert platform.tried(order).count(STEP) <= 8
        assert platform.count("login") - before <= 8  # a try needs a login, and may renew it once

    def test_a_login_that_hangs_or_fails_is_tried_again(self, courier, order, platform):
        platform.next("login", fails(502), times=2)
        platform.hang("login")
        courier.posts(order, 1)
        order.settles("done")
        assert platform.told(order) == [STEP]

    def test_wrong_credentials_are_shown_and_can_be_put_right(self, shared, platform):
        place = shared.restaurant()
        place.connect(NAME, password="yanlis")
        order, before = place.order(NAME), platform.count("login")
        courier = place.courier()
        courier.posts(order, 1)
        failed = order.settles("failed")
        courier.posts(order, 2)
        order.settles("failed")
        assert failed["reason"] == "login_failed" and platform.count("login") == before + 1  # no storm
        path = f"{place.path}/platforms/{NAME}"
        shown = eventually(lambda: data(place.call("GET", path)), lambda read: read["state"] != "untested")
        assert (shown["state"], shown["lastError"]) == ("login_failed", "login_failed")
        assert shown["credentialFields"] == ["loginUrl", "username", "password"]
        data(place.call("PUT", path, {"enabled": True, "credentials": place.credentials[NAME]}))
        data(place.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"))
        order.settles("skipped")
        assert platform.told(order) == [STEP]
