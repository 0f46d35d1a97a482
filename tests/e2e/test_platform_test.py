# SPDX-License-Identifier: Apache-2.0
"""test_platform_test.py - a restaurant tries whether a platform takes its credentials: one login, and nothing else."""

import pytest

from fake import closes, fails
from process import WAIT
from world import FAKES, World, data, eventually, new_id, refused, together
from yandex import Yandex

ASKS = {"trendyolyemek": "list", "migrosyemek": "reasons"}  # where there is no login: the read in its place
WRONG = {"getiryemek": {"restaurantSecretKey": "x"}, "yemeksepeti": {"password": "x"},
         "trendyolyemek": {"apiSecret": "x"}, "migrosyemek": {"apiKey": "x"}, "dukkango": {"restSecretKey": "x"}}


@pytest.fixture
def place(shared):
    return shared.restaurant()


@pytest.fixture(autouse=True)
def healed(shared):
    yield
    for fake in shared.fakes.values():
        fake.heals()


def path(place, name):
    return f"{place.path}/platforms/{name}"


def tried(place, name, session=None):
    return data(place.call("POST", f"{path(place, name)}/test", session=session))


def becomes(place, name, state):
    return eventually(lambda: data(place.call("GET", path(place, name))), lambda shown: shown["state"] == state)


@pytest.mark.parametrize("name", FAKES)
class TestEachPlatform:
    def test_good_credentials(self, place, name):
        place.connect(name)
        platform = place.world.platform(name)
        calls = len(platform.calls)
        assert tried(place, name) == {"ok": True, "reason": None}
        assert [call.step for call in platform.calls[calls:]] == [ASKS.get(name, "login")]
        assert becomes(place, name, "ok")["lastError"] is None

    def test_wrong_credentials(self, place, name):
        place.connect(name, **WRONG[name])
        assert tried(place, name) == {"ok": False, "reason": "login_failed"}
        assert becomes(place, name, "login_failed")["lastError"] == "login_failed"

    def test_corrected_credentials(self, place, name):
        account = place.connect(name, **WRONG[name]) and place.credentials[name]
        assert tried(place, name)["ok"] is False
        becomes(place, name, "login_failed")
        data(place.call("PUT", path(place, name), {"enabled": True, "credentials": account}))
        assert tried(place, name)["ok"] is True
        becomes(place, name, "ok")

    def test_a_platform_that_is_down(self, place, name):
        place.connect(name)
        step, platform = ASKS.get(name, "login"), place.world.platform(name)
        platform.next(step, closes(), times=3)  # a read is repeated where a kept connection breaks
        assert tried(place, name) == {"ok": False, "reason": "unreachable"}
        platform.heals()
        platform.next(step, fails(500))
        assert tried(place, name) == {"ok": False, "reason": "server_error"}
        platform.next(step, fails(429))
        assert tried(place, name) == {"ok": False, "reason": "too_many_requests"}
        assert data(place.call("GET", path(place, name)))["state"] == "untested"

    def test_one_that_is_switched_off_can_be_tested(self, place, name):
        place.connect(name)
        data(place.call("PUT", path(place, name), {"enabled": False}))
        assert tried(place, name)["ok"] is True

    def test_an_answer_that_nobody_understands(self, place, name):
        place.connect(name)
        platform = place.world.platform(name)
        platform.next(ASKS.get(name, "login"), fails(404 if name in ASKS else 200, body=b"<html>"))
        assert tried(place, name) == {"ok": False, "reason": "not_found" if name in ASKS else "unexpected_answer"}


class TestWhoAndWhat:
    def test_what_is_not_connected(self, place):
        refused(place.call("POST", f"{path(place, 'dukkango')}/test"), 404, "Kayıt bulunamadı")
        refused(place.call("POST", f"{path(place, 'phone')}/test"), 404, "Kayıt bulunamadı")

    def test_another_restaurants(self, place):
        other = place.world.restaurant().connected("dukkango")
        refused(place.call("POST", f"{path(other, 'dukkango')}/test"), 404, "Kayıt bulunamadı")
        refused(place.world.call("POST", f"{path(other, 'dukkango')}/test"), 401, "Kimlik doğrulama gerekli")

    def test_the_admin_may(self, place):
        place.connect("dukkango")
        assert data(place.world.admin("POST", f"{path(place, 'dukkango')}/test"))["ok"] is True
        refused(place.world.admin("POST", f"/api/v1/restaurants/{new_id()}/platforms/dukkango/test"), 404,
                "Kayıt bulunamadı")

    def test_who_calls_us_cannot_be_tested(self, place):
        Yandex(place)
        assert tried(place, "yandex") == {"ok": False, "reason": "untestable"}

    def test_a_refusal_in_a_200(self, place):
        place.connect("migrosyemek")
        place.world.migrosyemek.next("reasons", fails(200, body=b'{"success":false,"data":null}'))
        assert tried(place, "migrosyemek") == {"ok": False, "reason": "refused"}


class TestLogins:
    def test_wrong_credentials_are_not_sent_again_for_a_minute(self, place):
        place.connect("getiryemek", **WRONG["getiryemek"])
        platform = place.world.getiryemek
        before = platform.count("login")
        order = place.order("getiryemek")
        place.courier().posts(order, 1)
        assert order.settles("failed")["reason"] == "login_failed"
        assert [tried(place, "getiryemek")["reason"] for _ in range(3)] == ["login_failed"] * 3
        assert platform.count("login") == before + 1

    def test_tests_and_what_is_owed_share_one_login(self):
        """At a platform that is not polled, which would be one more."""
        with World() as world:
            place, platform = world.restaurant().connected("yemeksepeti"), world.yemeksepeti
            order, courier = place.order("yemeksepeti"), place.courier()
            hang = platform.hang("login")
            courier.posts(order, 1)
            assert hang.entered.wait(WAIT)

            def act(_):
                answer = tried(place, "yemeksepeti", world.lone())
                if answer["reason"] == "busy":  # the fifth at once: the order's and the three others wait
                    hang.released.set()
                return answer["reason"]
            assert sorted(together(4, act)) == ["busy"] + ["unreachable"] * 3
            order.settles("done")
            assert platform.told(order) == ["on-the-way"]
            assert platform.count("login") == 2  # the one that hung was closed; what is owed was tried again

    def test_a_slow_login_is_told_before_the_request_is_late(self):
        with World(request_deadline="1s", outbound_timeout="30s") as world:
            place = world.restaurant().connected("dukkango", "trendyolyemek")
            for name, step in (("dukkango", "login"), ("trendyolyemek", "list")):
                world.platform(name).hang(step)
                assert tried(place, name) == {"ok": False, "reason": "timeout"}
                world.platform(name).release()

    def test_a_stop_answers_who_waits(self):
        with World(outbound_timeout="30s") as world:
            place = world.restaurant().connected("dukkango")
            hang = world.dukkango.hang("login")

            def act(number):
                if number == 0:
                    return place.call("POST", f"{path(place, 'dukkango')}/test", session=world.lone())
                assert hang.entered.wait(WAIT)
                return world.server.stop()
            answer, (status, took) = together(2, act)
            refused(answer, 500, "Sunucu hatası")
            assert status == 0 and took < 10
