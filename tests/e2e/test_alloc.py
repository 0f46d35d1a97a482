# SPDX-License-Identifier: Apache-2.0
"""test_alloc.py - memory that is not to be had, at each place where it is asked for.

One after the other, each allocation of a request fails, and once in a while all from there on. It is answered in the
contract's shape or the connection is closed; what was answered is true; and the same again is fine, so that nothing is stuck
or half done. libbson ends the process without memory, as its makers want it: on the embedded store only.
"""

import random

import pytest
import requests

from below import Alloc
from test_erasures import personal
from world import PHRASES, World, data, eventually

pytestmark = pytest.mark.embedded_only

SEED = random.randrange(1 << 32)
TEXTS = {500: ("Sipariş güncellenemedi", "Sunucu hatası"), 503: ("Sunucu meşgul, lütfen yeniden deneyin",)}
BODY = {"platform": "phone", "price": 12.5, "paymentMethod": "cash", "orderType": "gel_al"}


@pytest.fixture(scope="module")
def starved():
    with World(below=Alloc, outbound_timeout="500ms", lease_slack="200ms") as made:
        yield made


@pytest.fixture(scope="module")
def place(starved):
    return starved.restaurant()


@pytest.fixture(scope="module")
def courier(place):
    return place.courier()


def told(world, ask, after, times):
    """The answer, or None where the connection was closed without one."""
    try:
        with world.below.starves(after, times):
            answer = ask()
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        answer = None
    assert world.server.alive(), f"it died at allocation {after}: {world.server.text()[-3000:]}"
    if answer is not None and answer.status_code >= 500:
        said = answer.json()
        assert said["error"] == PHRASES[answer.status_code] and said["message"] in TEXTS[answer.status_code], said
    return answer


def each(world, prepare, ask, check, step=1):
    """Asks with the first allocation failing, then with one up to `step` later … until none does; and now and then with all
    of a tail. prepare() makes what ask(it) asks about; check(it, answer) looks at what became of it when memory is back."""
    chance, after, unmet = random.Random(SEED), 0, 0
    print(f"seed {SEED}")
    while unmet < 10:  # the other threads ask for some, too
        for times in (1, 0) if chance.random() < 0.2 else (1,):
            about = prepare()
            answer = told(world, lambda: ask(about), after, times)
            unmet = 0 if world.below["met"] else unmet + 1
            check(about, answer)
        after += chance.randint(1, step)
    assert after > 20


def test_webhooks(starved, place, courier):
    """200 is true, 503 and no answer change nothing or are made good by the repeat: one row in any case."""
    number = iter(range(1 << 30))

    def prepare():
        return place.order("phone", "hazir"), {"Idempotency-Key": str(next(number))}

    def check(about, answer):
        order, key = about
        assert answer is None or answer.status_code in (200, 500, 503), answer.text
        if answer is not None and answer.status_code == 200:
            assert order.now()["status"] == "teslim-edildi"
        if answer is not None and answer.status_code == 503:
            assert order.now()["status"] == "hazir"
        first = courier.posts(order, 2, headers=key)
        now = order.now()
        assert [row["status"] for row in now["history"]] == ["hazir", "teslim-edildi"] and now["rev"] == 2
        assert first["updatedAt"] == now["updatedAt"]

    each(starved, prepare, lambda about: courier.post(about[0], 2, headers=about[1]), check)


def test_a_key_that_is_not_remembered(starved, place):
    """Nobody may be told that a good key is none."""
    def check(about, answer):
        courier, order = about
        assert answer is None or answer.status_code in (200, 500, 503), answer.text
        courier.post(order, 1)
        assert order.now()["status"] == "teslim-edilecek"

    each(starved, lambda: (place.courier(), place.order()), lambda about: about[0].post(about[1], 1), check, step=3)


def test_an_order_comes_and_is_whole(starved, place):
    numbers = iter(range(1 << 30))

    def check(number, answer):
        assert answer is None or answer.status_code in (201, 500, 503), answer.text
        body = {"platformOrderId": number, **BODY, **personal()}
        again = place.call("POST", "/api/v1/orders", body)
        assert again.status_code in ((200,) if answer is not None and answer.status_code == 201 else (200, 201)), again.text
        order = again.json()["data"]
        assert order["customer"]["details"] == body["customer"]["details"]
        assert order["items"][0]["note"] == body["items"][0]["note"]
        if answer is not None and answer.status_code == 201:
            assert answer.json()["data"] == order

    each(starved, lambda: f"n{next(numbers)}",
         lambda number: place.call("POST", "/api/v1/orders", {"platformOrderId": number, **BODY, **personal()}), check, step=3)


@pytest.mark.parametrize("path", ["/api/v1/orders?limit=3", "/api/v1/deliveries?limit=3", None])
def test_what_is_shown_is_whole(starved, place, path):
    order = place.order(**personal())
    path = path or order.path
    whole = place.call("GET", path)
    assert whole.status_code == 200

    def check(_, answer):
        assert answer is None or answer.status_code in (500, 503) or answer.text == whole.text, answer.text

    each(starved, lambda: None, lambda _: place.call("GET", path), check, step=7)


def test_settings_are_changed_or_not(starved, place):
    names = iter(range(1 << 30))
    courier = place.courier()

    def check(name, answer):
        assert answer is None or answer.status_code in (200, 500, 503), answer.text
        there = data(place.call("GET", courier.path))
        if answer is not None and answer.status_code == 200:
            assert answer.json()["data"] == there and there["name"] == name
        assert data(place.call("PATCH", courier.path, {"name": name}))["name"] == name

    each(starved, lambda: f"Kurye {next(names)}", lambda name: place.call("PATCH", courier.path, {"name": name}), check, step=5)


def test_erasures_leave_nothing_behind(starved, place):
    phones = iter(range(1 << 30))

    def prepare():
        phone = f"0532 {next(phones):07}"
        return phone, [place.order(**personal(phone)) for _ in range(2)]

    def check(about, answer):
        phone, orders = about
        assert answer is None or answer.status_code in (201, 500, 503), answer.text
        if answer is None or answer.status_code != 201:
            data(starved.admin("POST", "/api/v1/erasures", {"phone": phone}), 201)
        assert [order.now()["customer"] for order in orders] == [None] * 2

    each(starved, prepare, lambda about: starved.admin("POST", "/api/v1/erasures", {"phone": about[0]}), check, step=9)


def test_what_is_owed_is_told_once_and_in_order(starved):
    """While webhook, claim, login, call and settlement run."""
    place = starved.restaurant().connected("trendyolyemek")
    courier, chance = place.courier(), random.Random(SEED)
    print(f"seed {SEED}")
    for after in chance.sample(range(1500), 60):
        order = place.order("trendyolyemek", "hazir")
        with starved.below.starves(after):
            try:
                courier.post(order, 2)
            except requests.ConnectionError:
                pass
            eventually(lambda: starved.below["met"] or starved.trendyolyemek.told(order)[-1:] == ["delivered"], bool)
        assert starved.server.alive()
        courier.post(order, 2)
        order.settles("done")
        assert starved.trendyolyemek.told(order) == ["on-the-way", "delivered"]
