# SPDX-License-Identifier: Apache-2.0
"""test_lanes.py - who may call now, on each platform: 64 at once, 4 of an account, one while it keeps failing, nobody
while it asked for quiet; and that no platform is felt by another."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from fake import fails
from fake_courier import FakeCourier
from world import FAKES, World, data, eventually

STEP = "on-the-way"  # the one call that an order in `hazir` owes after a 1
WORD = "teslim-edilecek"
FLOORS = {"getiryemek": 3, "yemeksepeti": 5, "trendyolyemek": 3, "migrosyemek": 5, "dukkango": 3}  # seconds
CHECKED = ("getiryemek", "trendyolyemek", "migrosyemek")  # can be asked how far an order is
BRISK = {"getiryemek_pause": "3s", "trendyolyemek_pause": "3s", "dukkango_poll": "3s"}


@pytest.fixture(params=FAKES)
def name(request):
    return request.param


@pytest.fixture
def world():
    """Calls that hang do so until the test lets them go; GetirYemek wants no minute between two steps."""
    with World(step_wait=0.001, outbound_timeout="2m") as made:
        yield made


@pytest.fixture
def brisk():
    """Where a pause takes 3 s, if it may be set at all."""
    with World(step_wait=0.001, **BRISK) as made:
        yield made


@pytest.fixture
def platform(world, name):
    return world.platform(name)


def pass_by(world, name):
    """Another platform's order gets through: what became due before it has had its turn."""
    other = next(one for one in FAKES if one != name)
    order = world.restaurant().connected(other).order(other, "hazir")
    order.becomes(WORD)
    world.platform(other).received(STEP, order)


def logged_in(world, name):
    """A restaurant whose first call, and so its login, is done."""
    place = world.restaurant().connected(name)
    first = place.order(name, "hazir")
    first.becomes(WORD)
    first.settles("done")
    return place


def breaker(place, name):
    return data(place.call("GET", f"{place.path}/platforms/{name}"))["breaker"]


def test_an_account_has_four_calls_at_once(world, name, platform):
    place = logged_in(world, name)
    orders = [place.order(name, "hazir") for _ in range(10)]
    hang = platform.hang(STEP, times=10)
    for order in orders:
        order.becomes(WORD)
    hang.holds(4)
    pass_by(world, name)
    assert (hang.count, platform.peak) == (4, 4)
    platform.heals()
    hang.released.set()
    for order in orders:
        order.settles("done")
    assert platform.peak == 4


def test_a_platform_has_sixty_four(world, name, platform):
    places = [world.restaurant().connected(name) for _ in range(17)]
    orders = [place.order(name, "hazir") for place in places for _ in range(5)]
    hang = platform.hang(STEP, times=len(orders))
    for order in orders:
        order.becomes(WORD)
    hang.holds(64)
    pass_by(world, name)
    assert (hang.count, platform.peak) == (64, 64)
    platform.heals()
    hang.released.set()
    for order in orders:
        order.settles("done")
    assert platform.peak == 64


class TestBreaker:
    """Ten failures in a row open it: one call at a time, until one gets through; what waits for it uses no try."""

    @staticmethod
    def spoil(place, name, platform):
        """Three orders of a platform that is down: each is asked for four times."""
        for step in (STEP, "check"):
            platform.next(step, fails(500), times=100)
        orders = [place.order(name, "hazir") for _ in range(3)]
        for order in orders:
            order.becomes(WORD)
        for order in orders:
            order.settles("failed")
        platform.heals()

    def test_one_call_at_a_time_and_what_waits_uses_no_try(self, world, name, platform):
        place = logged_in(world, name)
        assert breaker(place, name) == "closed"
        self.spoil(place, name, platform)
        assert breaker(place, name) == breaker(world.restaurant().connected(name), name) == "open"
        hang = platform.hang(STEP, times=10)
        orders = [place.order(name, "hazir") for _ in range(6)]
        for order in orders:
            order.becomes(WORD)
        hang.holds(1)
        pass_by(world, name)
        assert hang.count == 1
        assert [(one["state"], one["tries"], one["log"]) for one in map(type(orders[0]).delivery, orders)] == \
            [("pending", 0, [])] * 6
        platform.heals()
        hang.released.set()  # its answer is lost: a failure more
        for order in orders:
            order.settles("done")
        assert breaker(place, name) == "closed"
        assert sorted(len([row for row in order.delivery()["log"] if row["step"] == STEP]) for order in orders) == \
            [1, 1, 1, 1, 1, 2]

    def test_failures_that_are_not_in_a_row_do_not_open_it(self, world, name, platform):
        place = logged_in(world, name)
        for _ in range(4):
            if name in CHECKED:
                platform.next(STEP, fails(500))
                platform.next("check", fails(500), times=2)
            else:
                platform.next(STEP, fails(500), times=3)
            order = place.order(name, "hazir")
            order.becomes(WORD)
            order.settles("done")
        assert sum(call.status == 500 for call in platform.calls) == 12
        assert breaker(place, name) == "closed"


def test_429_holds_all_of_the_platform_and_nobody_else(brisk, name):
    platform = brisk.platform(name)
    place, other = logged_in(brisk, name), logged_in(brisk, name)
    first, second = place.order(name, "hazir"), other.order(name, "hazir")
    platform.next(STEP, fails(429, retry_after=0))  # less than the platform's rules say
    first.becomes(WORD)
    held = platform.received(STEP, first)
    waiting = eventually(first.delivery, lambda delivery: delivery["log"])  # the answer is known by then
    second.becomes(WORD)
    pass_by(brisk, name)
    assert platform.calls[-1] is held
    assert (waiting["state"], waiting["tries"], waiting["log"][0]["result"]) == ("pending", 0, "wait")
    for order in (first, second):
        order.settles("done")
    later = [call.at - held.at for call in platform.calls if call.at > held.at]
    assert len(later) == 2 and min(later) >= 0.98 * FLOORS[name]


def test_429_holds_longer_where_the_platform_asks_for_it(brisk):
    place = logged_in(brisk, "dukkango")
    order = place.order("dukkango", "hazir")
    brisk.dukkango.next(STEP, fails(429, retry_after=5))
    order.becomes(WORD)
    order.settles("done")
    held, again = brisk.dukkango.about(order)
    assert again.at - held.at >= 4.95


@pytest.mark.parametrize("name, step", [("trendyolyemek", STEP), ("yemeksepeti", "login"), ("dukkango", "login")])
def test_a_platform_of_a_thousand_restaurants_that_hangs_delays_no_other(world, name, step, platform):
    hang = platform.hang(step, times=1000)
    with ThreadPoolExecutor(16) as pool:
        orders = list(pool.map(lambda _: world.restaurant().connected(name).order(name, "hazir"), range(1000)))
        list(pool.map(lambda order: order.becomes(WORD), orders))
    hang.holds(64)
    for other in FAKES:
        if other != name:
            order = world.restaurant().connected(other).order(other, "hazir")
            order.becomes(WORD)
            order.settles("done")
    assert (hang.count, platform.peak, platform.count(STEP)) == (64, 64, 0)  # all this time it hung
    platform.heals()
    hang.released.set()
    eventually(lambda: sum(call.applied for call in list(platform.calls)), lambda done: done == 1000, timeout=60)
    assert Counter(call.order for call in platform.calls if call.applied) == \
        Counter(order.platform_id for order in orders)
    assert data(world.admin("GET", "/api/v1/deliveries?state=failed")) == []
    assert platform.peak == 64 and eventually(lambda: breaker(orders[0].restaurant, name), "closed".__eq__)


class TestFirms:
    """Courier firms have their lanes by host: what one host does is felt by nobody else."""

    @pytest.fixture
    def elsewhere(self):
        """Firms at another host."""
        other = FakeCourier()
        yield other
        other.close()
        assert not other.violations

    @staticmethod
    def at(place, firms):
        courier = place.courier(dispatchUrl=(firm := firms.firm())["url"])
        firm["secrets"].append(courier.made["signingSecret"])
        return place

    def pass_by(self, world, elsewhere):
        """A firm at another host and a platform are told: what became due before has had its turn."""
        order = self.at(world.restaurant(), elsewhere).connected("dukkango").order("dukkango", "yeni")
        order.becomes("hazirlanacak")
        elsewhere.received("dispatch", order)
        world.dukkango.received("accept", order)

    def test_a_firm_has_four_calls_at_once(self, world, elsewhere):
        place = self.at(world.restaurant(), world.firms)
        hang = world.firms.hang("dispatch", times=10)
        orders = [place.order() for _ in range(10)]
        hang.holds(4)
        self.pass_by(world, elsewhere)
        assert (hang.count, world.firms.peak) == (4, 4)
        world.firms.heals()
        hang.released.set()
        for order in orders:
            order.settles("done", "courier")

    def test_a_host_has_sixty_four(self, world, elsewhere):
        firms = world.firms
        hang = firms.hang("dispatch", times=100)
        places = [self.at(world.restaurant(), firms) for _ in range(18)]
        orders = [place.order() for place in places for _ in range(5)]
        hang.holds(64)
        self.pass_by(world, elsewhere)
        assert (hang.count, firms.peak) == (64, 64)
        firms.heals()
        hang.released.set()
        for order in orders:
            order.settles("done", "courier")
        assert firms.peak == 64 and all(len(ids) == 1 for ids in firms.riders.values())

    def test_one_that_keeps_failing_is_called_once_at_a_time_and_what_waits_uses_no_try(self, world, elsewhere):
        firms, place = world.firms, self.at(world.restaurant(), world.firms)
        firms.next("dispatch", fails(500), times=100)
        for order in [place.order() for _ in range(3)]:
            order.settles("failed", "courier")
        firms.heals()
        hang = firms.hang("dispatch", times=10)
        orders = [self.at(world.restaurant(), firms).order() for _ in range(3)]
        hang.holds(1)
        self.pass_by(world, elsewhere)
        assert hang.count == 1
        firms.heals()
        hang.released.set()
        for order in orders:
            order.settles("done", "courier")
        assert sorted(len(firms.about(order)) for order in orders) == [1, 1, 2]

    def test_429_holds_the_host_and_no_other(self, world, elsewhere):
        firms = world.firms
        first, second = (self.at(world.restaurant(), firms) for _ in range(2))
        firms.next("dispatch", fails(429, retry_after=3))
        held = firms.received("dispatch", first := first.order())
        second = second.order()
        self.pass_by(world, elsewhere)
        assert [call for call in firms.calls if call is not held] == []
        for order in (first, second):
            order.settles("done", "courier")
        assert min(call.at for call in firms.calls if call is not held) - held.at >= 2.95
