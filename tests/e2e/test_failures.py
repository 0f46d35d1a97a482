# SPDX-License-Identifier: Apache-2.0
"""test_failures.py - platforms on a bad day: what is tried again, how often, and what is kept of it."""

import time

import pytest

from fake import closes, fails, floods, loses
from world import PLATFORMS, World, data, eventually, refused

STEP = "on-the-way"  # the one call that an order in `hazir` owes after a 1
GARBAGE = b"<html>\xff\x00 it works </html>"


@pytest.fixture(params=(*PLATFORMS, "migrosyemek", "getiryemek"))
def name(request):
    return request.param


@pytest.fixture
def platform(shared, name):
    yield shared.platform(name)
    shared.platform(name).heals()


@pytest.fixture
def place(shared, name):
    """A restaurant of its own: its lane is not held back by what other tests did."""
    return shared.restaurant().connected(name)


@pytest.fixture
def courier(place):
    return place.courier()


@pytest.fixture
def order(place, name):
    return place.order(name, "hazir")


def warnings(world, order):
    """The log lines, warning or worse, that are about this order."""
    with world.server.changed:
        return [line for line in world.server.log
                if line.get("level") in ("warn", "warning", "error") and order.id in str(line)]


def connection(restaurant, name):
    return data(restaurant.call("GET", f"{restaurant.path}/platforms/{name}"))


class TestRetries:
    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_three_failures_are_forgiven(self, courier, order, platform, times):
        platform.next(STEP, fails(500), times)
        courier.posts(order, 1)
        delivery = order.settles("done")
        assert platform.told(order) == [STEP]
        assert platform.tried(order).count(STEP) == times + 1
        assert delivery["reason"] is None

    def test_after_three_repeats_it_is_kept_as_failed_and_logged_once(self, shared, courier, order, platform):
        platform.next(STEP, fails(500), times=4)
        courier.posts(order, 1)
        delivery = order.settles("failed")
        assert platform.tried(order).count(STEP) == 4 and platform.told(order) == []
        assert delivery["step"] == STEP and delivery["nextTryAt"] is None and delivery["reason"]
        tries = [row for row in delivery["log"] if row["step"] == STEP]
        assert [row["httpStatus"] for row in tries] == [500] * 4
        assert order.now()["status"] == "teslim-edilecek"
        eventually(lambda: warnings(shared, order), bool)
        assert len(warnings(shared, order)) == 1

    def test_the_order_goes_on_and_so_does_the_telling(self, courier, order, platform):
        platform.next(STEP, fails(500), times=4)
        courier.posts(order, 1)
        order.settles("failed")
        courier.posts(order, 2)  # a new fact starts with fresh tries
        order.settles("done")
        assert platform.told(order) == [STEP, "delivered"]

    def test_a_replay_starts_anew(self, place, courier, order, platform):
        platform.next(STEP, fails(500), times=4)
        courier.posts(order, 1)
        delivery = order.settles("failed")
        path = f"/api/v1/deliveries/{delivery['deliveryId']}/replay"
        replayed = data(place.call("POST", path))
        assert replayed["deliveryId"] == delivery["deliveryId"] and replayed["tries"] == 0
        assert order.settles("done")["reason"] is None
        assert platform.told(order) == [STEP]
        refused(place.call("POST", path), 409, "Bu gönderim yinelenemez")

    def test_the_second_of_two_steps_fails_alone(self, place, courier, name, platform):
        order = place.order(name, "yeni")
        platform.next(STEP, fails(500), times=4)
        courier.posts(order, 1)
        delivery = order.settles("failed")
        before = platform.told(order)
        assert delivery["step"] == STEP and before and STEP not in before
        data(place.call("POST", f"/api/v1/deliveries/{delivery['deliveryId']}/replay"))
        order.settles("done")
        assert platform.told(order) == [*before, STEP]

    def test_the_waits_grow_as_the_schedule_says(self, courier, order, platform):
        platform.next(STEP, fails(500), times=3)
        courier.posts(order, 1)
        order.settles("done")
        calls = [call.at for call in platform.about(order) if call.step == STEP]
        for (first, second), wait in zip(zip(calls, calls[1:]), (0.05, 0.1, 0.2), strict=True):
            assert second - first >= wait * 0.95


class TestTroubles:
    """Each trouble alone, once; then the platform behaves."""

    ALL = {"500": fails(500), "502 with a page": fails(502, body=GARBAGE), "503": fails(503, retry_after=0),
           "503 for a second": fails(503, retry_after=1), "closes early": closes(),
           "a redirect": fails(302, headers={"Location": "/elsewhere"}),
           "1 MB of 500": fails(500, body=b"x" * (1 << 20))}

    @pytest.mark.parametrize("trouble", ALL)
    def test_the_step_is_done_in_the_end_and_once(self, courier, order, platform, trouble):
        platform.next(STEP, self.ALL[trouble])
        courier.posts(order, 1)
        order.settles("done")
        assert platform.told(order) == [STEP]
        assert platform.count("unknown") == 0

    def test_a_lost_answer_is_not_taken_for_a_failure(self, courier, order, platform, name):
        platform.next(STEP, loses())
        courier.posts(order, 1)
        order.settles("done")
        assert platform.told(order) == [STEP]
        if name != "dukkango":  # the others can be asked
            assert platform.tried(order) == [STEP, "check"]

    def test_a_lost_answer_in_the_middle_does_not_stop_the_rest(self, place, courier, name, platform):
        order = place.order(name, "yeni")
        platform.next("accept", loses())
        platform.next(STEP, loses())
        courier.posts(order, 2)
        order.settles("done")
        assert platform.told(order) == sorted(set(platform.told(order)), key=platform.told(order).index)
        assert platform.told(order)[-1] == "delivered"

    def test_a_megabyte_of_success_is_not_swallowed(self, courier, order, platform):
        platform.next(STEP, floods())
        courier.posts(order, 1)
        order.settles("done")
        assert platform.told(order) == [STEP]

    def test_a_platform_that_hangs_is_given_up_in_time_and_asked_again(self, courier, order, platform):
        hang = platform.hang(STEP)
        courier.posts(order, 1)
        assert hang.entered.wait(20)
        began = time.monotonic()
        order.settles("done")
        assert time.monotonic() - began < 15
        assert platform.told(order) == [STEP]

    def test_being_asked_to_wait_uses_no_try(self, courier, order, platform):
        platform.next(STEP, fails(503, retry_after=1), times=2)
        platform.next(STEP, fails(500), times=3)
        courier.posts(order, 1)
        order.settles("done")
        calls = [call for call in platform.about(order) if call.step == STEP]
        assert [call.status for call in calls] == [503, 503, 500, 500, 500, 200]
        assert calls[1].at - calls[0].at >= 0.95 and calls[2].at - calls[1].at >= 0.95


class TestTooManyRequests:
    """429 holds calls back as long as asked, and at least as the platform's rules say; it uses no try."""

    def test_trendyol_is_asked_again_after_ten_seconds(self):
        with World() as world:
            place = world.restaurant().connected("trendyolyemek")
            order = place.order("trendyolyemek", "hazir")
            world.trendyolyemek.next(STEP, fails(429, retry_after=1))
            place.courier().posts(order, 1)
            assert order.settles("done")["tries"] == 0
            first, second = world.trendyolyemek.about(order)
            assert (first.status, second.status) == (429, 200)
            assert 9.9 <= second.at - first.at < 15

    def test_the_hold_outlives_new_facts_and_a_restart_ends_it_without_harm(self):
        with World() as world:
            place = world.restaurant().connected("dukkango")
            courier, order = place.courier(), place.order("dukkango")
            world.dukkango.next(STEP, fails(429))
            courier.posts(order, 1)
            eventually(order.delivery, lambda delivery: delivery["log"])
            courier.posts(order, 2)
            delivery = order.delivery()
            assert (delivery["state"], delivery["tries"]) == ("pending", 0)
            assert world.dukkango.tried(order) == [STEP]
            world.restart()
            order.settles("done")
            assert world.dukkango.told(order) == [STEP, "delivered"]


class TestDukkango:
    @pytest.fixture(params=["dukkango"])
    def name(self, request):
        return request.param

    @pytest.mark.parametrize("body", [b'{"status":false,"error":"restoran kapal\xc4\xb1"}',
                                      b'{"status":"true"}', b'{"data":"OK"}', b"", b"OK", b"[]", GARBAGE])
    def test_200_that_means_failure_is_a_failure(self, courier, order, platform, body):
        platform.next(STEP, fails(200, body=body), times=2)
        courier.posts(order, 1)
        order.settles("done")
        assert [call.status for call in platform.about(order) if call.step == STEP] == [200, 200, 200]
        assert platform.told(order) == [STEP]

    def test_a_token_serves_many_calls(self, place, courier, platform):
        before = platform.count("login")
        for _ in range(3):
            order = place.order("dukkango")
            courier.posts(order, 2)
            order.settles("done")
        assert platform.count("login") == before + 1

    def test_a_token_that_ended_midway_is_renewed_once_and_uses_no_try(self, place, courier, platform):
        first, second = place.order("dukkango"), place.order("dukkango")
        courier.posts(first, 1)
        first.settles("done")
        platform.expire_tokens()
        before = platform.count("login")
        courier.posts(second, 2)
        assert second.settles("done")["tries"] == 0
        assert platform.count("login") == before + 1
        assert [(call.step, call.status) for call in platform.about(second)] == [
            (STEP, 401), (STEP, 200), ("delivered", 200)]

    def test_a_token_that_is_never_taken_ends_in_failure(self, courier, order, platform):
        platform.next(STEP, fails(401, body=b'{"status":false}'), times=50)
        before = platform.count("login")
        courier.posts(order, 1)
        order.settles("failed")
        assert len([call for call in platform.about(order) if call.step == STEP]) <= 8
        assert platform.count("login") - before <= 8  # a try needs a login, and may renew it once

    def test_wrong_credentials_are_shown_and_can_be_put_right(self, shared, platform):
        place = shared.restaurant()
        place.connect("dukkango", restSecretKey="yanlis")
        order = place.order("dukkango")
        place.courier().posts(order, 1)
        failed = order.settles("failed")
        shown = eventually(lambda: connection(place, "dukkango"), lambda one: one["state"] == "login_failed")
        assert shown["lastError"]
        data(place.call("PUT", f"{place.path}/platforms/dukkango",
                        {"enabled": True, "credentials": place.credentials["dukkango"]}))
        data(place.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"))
        order.settles("done")
        assert platform.told(order) == [STEP]
        eventually(lambda: connection(place, "dukkango"), lambda read: read["state"] == "ok")

    def test_a_connection_that_changes_under_a_good_token(self, shared, platform):
        """What is remembered of it beside the token is what it was, to the letter."""
        place = shared.restaurant().connected("dukkango")
        courier, path = place.courier(), f"{place.path}/platforms/dukkango"

        def told(state):
            order = place.order("dukkango")
            courier.posts(order, 1)
            return order.settles(state)
        for _ in range(3):
            told("done")
        data(place.call("PUT", path, {"enabled": False}))
        assert told("failed")["reason"] == "not_connected"
        before = platform.count("login")
        place.connect("dukkango")  # with another account's
        told("done")
        assert platform.count("login") == before + 1

    def test_what_a_connection_had_before_gives_no_token_to_what_it_has(self, shared, platform):
        """A call was under way with the old account when another began with the new one; then its own token is refused."""
        place, hang = shared.restaurant().connected("dukkango"), platform.hang(STEP, refuses=401)

        def moved():
            order = place.order("dukkango", "hazir")
            order.becomes("teslim-edilecek")
            return order
        old = moved()
        hang.holds(1)
        place.connect("dukkango")
        moved().settles("done")
        hang.released.set()
        eventually(old.delivery, lambda delivery: delivery["state"] in ("done", "failed"))
        moved().settles("done")

    def test_a_login_that_hangs_or_fails_is_tried_again(self, courier, order, platform):
        platform.next("login", fails(500), times=2)
        platform.hang("login")
        courier.posts(order, 1)
        order.settles("done")
        assert platform.told(order) == [STEP]


class TestTrendyol:
    @pytest.fixture(params=["trendyolyemek"])
    def name(self, request):
        return request.param

    def test_wrong_credentials_end_in_failure(self, shared, platform):
        place = shared.restaurant()
        place.connect("trendyolyemek", apiSecret="yanlis")
        order = place.order("trendyolyemek", "hazir")
        place.courier().posts(order, 1)
        order.settles("failed")
        assert platform.told(order) == []

    def test_a_check_that_fails_is_tried_again_before_the_step(self, courier, order, platform):
        platform.next(STEP, loses())
        platform.next("check", fails(500), times=2)
        courier.posts(order, 1)
        order.settles("done")
        assert platform.tried(order) == [STEP, "check", "check", "check"]

    def test_a_package_that_somebody_else_moved_is_done(self, courier, order, platform):
        platform.next(STEP, closes())
        courier.posts(order, 1)
        platform.received(STEP, order)
        order.settles("done")
        courier.posts(order, 2)
        order.settles("done")
        assert platform.told(order) == [STEP, "delivered"]

    def test_a_package_that_was_cancelled_by_others_is_a_failure(self, courier, order, platform):
        platform.orders[order.platform_id]["state"] = "Cancelled"
        platform.next(STEP, closes())
        courier.posts(order, 1)
        order.settles("failed")
        assert platform.tried(order) == [STEP, "check"]


class TestConnections:
    def test_a_platform_that_is_not_connected_fails_at_once(self, shared, name, platform):
        place = shared.restaurant()
        order, courier = place.order(name), place.courier()
        courier.posts(order, 1)
        delivery = order.settles("failed")
        assert delivery["reason"] == "not_connected" and platform.about(order) == []
        assert order.now()["status"] == "teslim-edilecek"

    def test_one_that_is_switched_off_likewise_and_on_again(self, place, courier, order, name, platform):
        path = f"{place.path}/platforms/{name}"
        data(place.call("PUT", path, {"enabled": False}))
        courier.posts(order, 1)
        delivery = order.settles("failed")
        assert delivery["reason"] == "not_connected" and platform.about(order) == []
        data(place.call("PUT", path, {"enabled": True}))
        data(place.call("POST", f"/api/v1/deliveries/{delivery['deliveryId']}/replay"))
        order.settles("done")
        assert platform.told(order) == [STEP]

    def test_one_that_is_deleted_likewise(self, place, courier, order, name, platform):
        data(place.call("DELETE", f"{place.path}/platforms/{name}"))
        courier.posts(order, 1)
        assert order.settles("failed")["reason"] == "not_connected"
        assert platform.about(order) == []


class TestNeighbours:
    """One bad platform must not be felt by another."""

    def test_a_hanging_platform_delays_neither_the_webhook_nor_another_platform(self):
        with World(outbound_timeout="10s") as world:
            hang = world.dukkango.hang("login", times=20)  # before a poll has logged in
            place = world.restaurant().connected(*PLATFORMS)
            courier = place.courier()
            stuck = [place.order("dukkango") for _ in range(20)]
            for order in stuck:
                courier.posts(order, 1)
            assert hang.entered.wait(20)
            order = place.order("trendyolyemek", "hazir")
            began = time.monotonic()
            courier.posts(order, 1)
            assert time.monotonic() - began < 1
            world.trendyolyemek.received(STEP, order)
            assert time.monotonic() - began < 2
            world.dukkango.release()
            for order in stuck:
                order.settles("done")

    def test_a_name_that_is_not_there_fails_alone_and_one_that_is_works(self):
        with World(dukkango_url="http://dukkango.invalid/api") as world:
            world.restart(trendyolyemek_url=world.trendyolyemek.url.replace("127.0.0.1", "localhost"))
            place = world.restaurant().connected(*PLATFORMS)
            courier = place.courier()
            lost, order = place.order("dukkango"), place.order("trendyolyemek", "hazir")
            courier.posts(lost, 1)
            courier.posts(order, 1)
            order.settles("done")
            assert lost.settles("failed")["reason"]
