# SPDX-License-Identifier: Apache-2.0
"""test_cancel_reasons.py - why an order may be cancelled: the platform's own list, or what stands in for it."""

import pytest

import fake_dukkango
import fake_getiryemek
import fake_migrosyemek
import fake_trendyolyemek
import fake_yemeksepeti
from fake import closes, fails
from world import World, data, new_id, refused
from yandex import Yandex

FIRST = {"dukkango": ("1", "Ürün tükendi"), "getiryemek": (fake_getiryemek.REASON, "Ürün kalmadı"),
         "migrosyemek": ("1", "Neden 1"), "trendyolyemek": ("621", "Ürün tükendi"),
         "yemeksepeti": ("ADDRESS_INCOMPLETE_MISSTATED", "Adres eksik veya yanlış")}
IDS = {"dukkango": fake_dukkango.REASONS, "getiryemek": fake_getiryemek.REASONS,
       "migrosyemek": fake_migrosyemek.REASONS, "trendyolyemek": fake_trendyolyemek.REASONS,
       "yemeksepeti": fake_yemeksepeti.REASONS}
STEPS = {"dukkango": "reasons", "getiryemek": "cancel-options", "migrosyemek": "reasons"}  # of those that are asked
BUSY = "Sunucu meşgul, lütfen yeniden deneyin"


@pytest.fixture
def world():
    with World(getiryemek_pause="7s") as made:
        yield made


def ask(order):
    return order.restaurant.call("GET", f"{order.path}/cancel-reasons")


def reasons(order):
    answer = ask(order)
    assert answer.json().keys() == {"success", "data", "next"} and answer.json()["next"] is None
    return {row["id"]: row["reason"] for row in data(answer)}


@pytest.mark.parametrize("name", FIRST)
def test_each_platform(world, name):
    order = world.restaurant().connected(name).order(name)
    listed = reasons(order)
    assert next(iter(listed.items())) == FIRST[name]
    assert set(listed) == {str(one) for one in IDS[name]}
    if name not in STEPS:
        assert world.platform(name).calls == []
        return
    assert world.platform(name).count(STEPS[name]) == 1


@pytest.mark.parametrize("name", FIRST)
def test_each_reason_that_is_listed_can_be_told(world, name):
    place = world.restaurant().connected(name)
    last = list(reasons(place.order(name)))[-1]
    order = place.order(name)
    order.becomes("cancelled", reasonId=last)
    order.settles("done")
    assert last.encode() in world.platform(name).received("cancel", order).body or name == "migrosyemek"


def test_a_reason_that_is_new_at_the_platform(world):
    place = world.restaurant().connected("dukkango")
    world.dukkango.reasons[12] = "Hava muhalefeti"
    order = place.order("dukkango")
    assert reasons(order)["12"] == "Hava muhalefeti"
    order.becomes("cancelled", reasonId="12")
    order.settles("done")
    assert world.dukkango.received("cancel", order).json() == {"reason_id": 12}


def test_a_list_is_asked_for_once_and_an_orders_own_each_time(world):
    place = world.restaurant().connected(*STEPS)
    other = world.restaurant().connected(*STEPS)
    for name, times in (("dukkango", 1), ("migrosyemek", 1), ("getiryemek", 4)):
        listed = [reasons(who.order(name)) for who in (place, other) for _ in range(2)]
        assert all(one == listed[0] for one in listed)
        assert world.platform(name).count(STEPS[name]) == times


def test_an_order_that_is_over_has_none_at_getir(world):
    order = world.restaurant().connected("getiryemek").order("getiryemek")
    world.getiryemek.knows(order, state=900)
    assert reasons(order) == {}


def test_the_platforms_courier_has_fewer(world):
    place = world.restaurant().connected("trendyolyemek")
    assert set(reasons(place.order("trendyolyemek", own_courier=False))) == {"621", "622", "623", "627"}


def test_a_phone_order_has_none(world):
    assert reasons(world.restaurant().order()) == {}


def test_an_order_of_who_calls_us_has_none(world):
    place = world.restaurant()
    order = Yandex(place).sends()
    assert data(place.call("GET", f"/api/v1/orders/{order}/cancel-reasons")) == []


def test_another_restaurants_order(world):
    order = world.restaurant().connected("dukkango").order("dukkango")
    other = world.restaurant()
    refused(other.call("GET", f"{order.path}/cancel-reasons"), 404, "Kayıt bulunamadı")
    refused(other.call("GET", f"/api/v1/orders/{new_id()}/cancel-reasons"), 404, "Kayıt bulunamadı")
    refused(other.call("GET", "/api/v1/orders/x/cancel-reasons"), 404, "Kayıt bulunamadı")
    refused(world.admin("GET", f"{order.path}/cancel-reasons"), 403, "Bu işlem için yetkiniz yok")
    assert world.dukkango.calls == []


@pytest.mark.parametrize("name", ["dukkango", "getiryemek"])
def test_a_token_that_expired_is_renewed(world, name):
    place, platform = world.restaurant().connected(name), world.platform(name)
    order, courier = place.order(name), place.courier()
    courier.posts(order, 1)
    order.settles("done")
    platform.expire_tokens()
    assert next(iter(reasons(order).items())) == FIRST[name]
    assert (platform.count("login"), platform.count(STEPS[name])) == (2, 2)


class TestFallback:
    """Dükkango's list is known; of the others' nothing is, and nothing is made up."""

    def falls_back(self, order):
        if order.made["platform"] == "dukkango":
            assert reasons(order) == {str(one): text for one, text in fake_dukkango.REASONS.items()}
            return None
        return refused(ask(order), 503, BUSY)

    @pytest.mark.parametrize("name", STEPS)
    @pytest.mark.parametrize("trouble", [closes(), fails(500), fails(404), fails(200, body=b"<html>"),
                                         fails(200, body=b'{"data":[{"id":[],"reason":7}]}'),
                                         fails(200, body=b'{"data":null}')])
    def test_a_platform_that_fails(self, world, name, trouble):
        order = world.restaurant().connected(name).order(name)
        world.platform(name).next(STEPS[name], trouble, times=2)
        self.falls_back(order)
        world.platform(name).heals()
        assert next(iter(reasons(order).items())) == FIRST[name]  # the failure was not kept

    @pytest.mark.parametrize("name", STEPS)
    def test_a_restaurant_that_is_not_connected(self, world, name):
        place = world.restaurant()
        self.falls_back(place.order(name))
        place.connect(name)
        data(place.call("PUT", f"{place.path}/platforms/{name}", {"enabled": False}))
        self.falls_back(place.order(name))
        assert world.platform(name).calls == []

    @pytest.mark.parametrize("name", STEPS)
    def test_wrong_credentials(self, world, name):
        place = world.restaurant()
        place.connect(name, **{next(iter(world.platform(name).account())): "x"})
        order = place.order(name)
        for _ in range(3):
            self.falls_back(order)
        assert len(world.platform(name).calls) == (3 if name == "migrosyemek" else 1)

    @pytest.mark.parametrize("name", STEPS)
    def test_a_slow_platform(self, name):
        with World(request_deadline="1s", outbound_timeout="30s") as world:
            order = world.restaurant().connected(name).order(name)
            world.platform(name).hang(STEPS[name])
            self.falls_back(order)
            world.platform(name).release()

    def test_getirs_limit(self, world):
        world.getiryemek.reasons_limit = 2
        place = world.restaurant().connected("getiryemek")
        order, courier = place.order("getiryemek"), place.courier()
        for _ in range(2):
            reasons(order)
        assert self.falls_back(order).headers["Retry-After"] == "7"
        courier.posts(order, 1)  # who asked waits, and nobody else
        order.settles("done")
