# SPDX-License-Identifier: Apache-2.0
"""test_migrosyemek.py - what only Migros has: encrypted bodies, refusals in a 200, two ways to cancel, a list to look in."""

import json

import pytest

from fake import closes, fails, loses
from world import World, data, eventually, refused

NAME, STEP = "migrosyemek", "on-the-way"
GARBAGE = b"<html>\xff\x00 it works </html>"
DETAIL = "Ayşe Yılmaz, Kadıköy"
REFUSED = f'{{"success":false,"data":null,"errorMessage":{{"errorDetail":"{DETAIL}"}}}}'.encode()


@pytest.fixture
def place(shared):
    return shared.restaurant().connected(NAME)


@pytest.fixture
def courier(place):
    return place.courier()


@pytest.fixture
def platform(shared):
    yield shared.migrosyemek
    shared.migrosyemek.heals()


class TestRequests:
    def test_what_goes_over_the_wire_is_the_encrypted_value_alone(self, place, courier, platform):
        order = place.order(NAME, "hazir")
        courier.posts(order, 1)
        call = platform.received(STEP, order)
        assert list(json.loads(call.body)) == ["value"] and b"orderId" not in call.body
        assert call.headers["XApiKey"] == place.credentials[NAME]["apiKey"]
        assert call.json() == {"orderId": int(order.platform_id), "storeId": order.made["platformRef"]["storeId"],
                               "orderStatus": "Delivery"}

    @pytest.mark.parametrize("secret", ["", "x" * 31, "x" * 33])
    def test_a_secret_of_another_length_is_refused_when_connecting(self, shared, secret):
        fresh = shared.restaurant()
        credentials = {**shared.migrosyemek.account(), "integratorSecret": secret}
        refused(fresh.call("PUT", f"{fresh.path}/platforms/{NAME}", {"enabled": True, "credentials": credentials}),
                400, "Geçersiz alan: credentials.integratorSecret")

    @pytest.mark.parametrize("field, value, path", [
        ("platformOrderId", "9223372036854775808", "platformOrderId"), ("platformOrderId", "12a", "platformOrderId"),
        ("platformOrderId", "012", "platformOrderId"), ("platformRef", None, "platformRef.storeId"),
        ("platformRef", {}, "platformRef.storeId"), ("platformRef", {"storeId": "45"}, "platformRef.storeId"),
        ("platformRef", {"storeId": 4.5}, "platformRef.storeId")])
    def test_an_order_that_could_not_be_named_is_refused(self, place, field, value, path):
        made = place.order(NAME, "yeni").made
        body = {key: made[key] for key in ("platform", "price", "paymentMethod", "customer", "status")}
        body = {**body, "platformOrderId": "9223372036854775807", "platformRef": {"storeId": 45}, field: value}
        refused(place.call("POST", "/api/v1/orders", body), 400, f"Geçersiz alan: {path}")


class TestAnswers:
    @pytest.mark.parametrize("body", [REFUSED, b'{"success":"true"}', b'{"data":true}', b"", b"OK", b"[]", GARBAGE])
    def test_200_that_means_failure_is_a_failure(self, place, courier, platform, body):
        order = place.order(NAME, "hazir")
        platform.next(STEP, fails(200, body=body), times=2)
        courier.posts(order, 1)
        order.settles("done")
        assert platform.told(order) == [STEP]
        assert platform.tried(order) == [STEP, "check", STEP, "check", STEP]

    def test_why_it_refused_is_not_kept(self, shared, place, courier, platform):
        order = place.order(NAME, "hazir")
        platform.next(STEP, fails(200, body=REFUSED), times=4)
        courier.posts(order, 1)
        failed = order.settles("failed")
        assert failed["reason"] == "refused" and DETAIL not in str(failed)
        eventually(lambda: order.id in shared.server.text(), bool)
        assert DETAIL not in shared.server.text()

    def test_what_is_there_already_is_found_among_the_active(self, place, courier, platform):
        order = place.order(NAME, "hazir")
        platform.orders[order.platform_id]["state"] = 5  # somebody pressed it on the platform's own screen
        platform.next(STEP, fails(409, body=b'{"success":false}'))
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP, "check"]

    def test_one_that_was_cancelled_there_is_a_failure(self, place, courier, platform):
        order = place.order(NAME, "hazir")
        platform.next(STEP, closes())
        platform.next("check", fails(200, body=json.dumps(
            {"success": True, "data": [{"id": int(order.platform_id), "status": 10}]}).encode()))
        courier.posts(order, 1)
        assert order.settles("failed")["reason"] == "cancelled_by_platform"

    @pytest.mark.parametrize("spoilt, reason", [({"apiKey": "yanlis"}, "login_failed"),
                                                ({"integratorSecret": "0" * 32}, "refused")])
    def test_wrong_credentials_end_in_failure(self, shared, platform, spoilt, reason):
        place = shared.restaurant()
        place.connect(NAME, **spoilt)
        order = place.order(NAME, "hazir")
        place.courier().posts(order, 1)
        assert order.settles("failed")["reason"] == reason
        assert platform.told(order) == []
        state = "login_failed" if reason == "login_failed" else "untested"
        eventually(lambda: data(place.call("GET", f"{place.path}/platforms/{NAME}")), lambda shown: shown["state"] == state)


    def test_429_holds_back_though_no_limit_is_known_and_uses_no_try(self):
        with World() as world:
            place = world.restaurant().connected(NAME)
            order = place.order(NAME, "hazir")
            world.migrosyemek.next(STEP, fails(429))
            place.courier().posts(order, 1)
            assert order.settles("done")["tries"] == 0
            first, second = world.migrosyemek.about(order)
            assert (first.status, second.status) == (429, 200)
            assert 4.9 <= second.at - first.at < 10


class TestLostAnswers:
    def test_one_that_ended_the_order_is_asked_again_and_believed(self, place, courier, platform):
        order = place.order(NAME, "teslim-edilecek")
        platform.next("delivered", loses())
        courier.posts(order, 2)
        order.settles("done")
        assert platform.told(order) == ["delivered"]
        assert [(call.step, call.status) for call in platform.about(order)] == [
            ("delivered", 0), ("check", 200), ("delivered", 409)]

    def test_one_that_never_came_through_is_sent_again(self, place, courier, platform):
        order = place.order(NAME, "teslim-edilecek")
        platform.next("delivered", closes())
        courier.posts(order, 2)
        order.settles("done")
        assert platform.tried(order) == ["delivered", "check", "delivered"]
        assert platform.told(order) == ["delivered"]

    def test_a_look_that_fails_is_tried_again_before_the_step(self, place, courier, platform):
        order = place.order(NAME, "hazir")
        platform.next(STEP, loses())
        platform.next("check", fails(500), times=2)
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP, "check", "check", "check"]


class TestCancel:
    @staticmethod
    def words(platform, order):
        return [call.json().get("orderStatus", "CancelOrder") for call in platform.about(order) if call.applied]

    @pytest.mark.parametrize("before, word", [("yeni", "Rejected"), ("hazirlanacak", "CancelOrder"),
                                              ("hazir", "CancelOrder")])
    def test_what_was_not_approved_is_rejected(self, place, platform, before, word):
        order = place.order(NAME, before)
        order.becomes("cancelled", reasonId=12)
        order.settles("done")
        assert self.words(platform, order) == [word]
        sent = platform.received("cancel", order).json()
        assert sent["cancelReasonId"] == 12
        assert sent.get("notifyUser") is (True if word == "CancelOrder" else None)

    @pytest.mark.parametrize("trouble, words", [(loses, ["Approved", "CancelOrder"]), (closes, ["Rejected"])])
    def test_with_an_approval_in_doubt_it_looks_first(self, place, platform, trouble, words):
        order = place.order(NAME, "yeni")
        platform.next("accept", trouble())
        hang = platform.hang("check")
        order.becomes("hazirlanacak")
        assert hang.entered.wait(20)
        order.becomes("cancelled", reasonId="12")
        hang.released.set()
        order.settles("done")
        assert self.words(platform, order) == words
        assert platform.tried(order)[-2:] == ["check", "cancel"]

    @pytest.mark.parametrize("before", ["yeni", "hazirlanacak"])
    def test_one_whose_answer_was_lost_is_not_taken_for_a_failure(self, place, platform, before):
        order = place.order(NAME, before)
        platform.next("cancel", loses())
        order.becomes("cancelled", reasonId="12")
        order.settles("done")
        assert platform.tried(order) == ["cancel", "check", "cancel"] and platform.told(order) == ["cancel"]

    def test_one_that_comes_too_late_is_a_failed_delivery(self, place, courier, platform):
        order = place.order(NAME, "hazir")
        courier.posts(order, 1)
        order.settles("done")
        order.becomes("cancelled", reasonId="12")
        failed = order.settles("failed")
        assert (failed["step"], failed["reason"]) == ("cancel", "refused")


def test_the_platforms_own_courier_is_told_what_the_restaurant_did_and_no_more(place, courier, platform):
    order = place.order(NAME, "yeni", own_courier=False)
    order.becomes("hazirlanacak")
    order.becomes("hazir")
    order.settles("done")
    courier.posts(order, 1)
    courier.posts(order, 2)
    order.settles("skipped")
    assert platform.told(order) == platform.tried(order) == ["accept", "ready"]
