# SPDX-License-Identifier: Apache-2.0
"""test_poller.py - orders that a platform does not send: fetched in time, imported once, acknowledged, moved, never told back."""

import itertools
import os
import signal
import threading

import pytest
import requests

from fake import closes, fails, loses
from process import WAIT
from test_metrics import counted
from world import World, data, eventually

NAME = "dukkango"
POLL = 0.3  # seconds
SOONEST = 0.9 * POLL  # between two calls as the fake sees them, whose threads a busy machine starts late
SETTINGS = {"dukkango_poll": "300ms", "outbound_timeout": "500ms", "lease_slack": "200ms"}
LONG = "+90 (850) 000-0000 / 123456 dahili 9876543210 kapıcı 5551234567 "


@pytest.fixture(scope="module")
def shared():
    with World(**SETTINGS) as made:
        made.dukkango.poll_floor = SOONEST
        yield made


@pytest.fixture
def world():
    """One that a test may kill."""
    with World(**SETTINGS) as made:
        made.dukkango.poll_floor = SOONEST
        yield made


@pytest.fixture
def place(shared):
    found = shared.restaurant().connected(NAME)
    yield found
    data(found.call("DELETE", f"{found.path}/platforms/{NAME}"))


@pytest.fixture
def platform(shared):
    yield shared.dukkango
    shared.dukkango.heals()


def places(place, *state, **fields):
    return place.world.dukkango.places(place.credentials[NAME], *state, **fields)


def one_page(place, count):
    """Orders that one list will show together; it is answered when the second thing that is returned is called."""
    entered, answered = threading.Event(), threading.Event()

    def waits(apply):
        entered.set()
        assert answered.wait(WAIT)
        return apply()
    place.world.dukkango.next("poll", waits)
    assert entered.wait(WAIT)
    return [places(place) for _ in range(count)], answered.set


def listed(place):
    return data(place.call("GET", "/api/v1/orders"))


def imported(place, placed):
    """Waits for the order, and that there is one only."""
    def found():
        return [order for order in listed(place) if order["platformOrderId"] == placed.platform_id]
    orders = eventually(found, len)
    assert len(orders) == 1
    return place.ours(orders[0])


def connection(place):
    return data(place.call("GET", f"{place.path}/platforms/{NAME}"))


def turns(world):
    """Whether there still is a loop that answers."""
    try:
        return world.lone().get(f"http://{world.ops_address}/livez", timeout=0.2).status_code == 200
    except requests.RequestException:
        return False


def gaps(calls):
    return [later.at - earlier.at for earlier, later in itertools.pairwise(calls)]


class TestImport:
    def test_a_new_order_is_imported_and_acknowledged(self, place, platform):
        placed = places(place, payment_method="Kredi Kartı", id=77)
        order = imported(place, placed)
        platform.acknowledged(placed)
        made = order.now()
        assert (made["status"], made["displayId"], made["price"]) == ("yeni", "77", 125.5)
        assert (made["paymentMethod"], made["originalPaymentMethod"]) == ("online", "Kredi Kartı")
        assert made["orderNote"] == "Zile basmayın"
        assert order.steps() == [("yeni", "platform")]
        assert platform.tried(placed) == []
        platform.polled(place.credentials[NAME], 2)
        assert [call.step for call in platform.asides if call.order == placed.platform_id] == ["acknowledge"]
        assert len(listed(place)) == 1

    @pytest.mark.parametrize("state, status", [(2, "hazirlanacak"), (16, "teslim-edilecek"), (5, "teslim-edildi"),
                                               (6, "cancelled")])
    def test_one_that_is_further_already_is_told_nothing(self, place, platform, state, status):
        placed = places(place, state)
        order = imported(place, placed)
        platform.acknowledged(placed)
        assert order.steps() == [(status, "platform")]
        assert order.delivery()["state"] in ("done", "skipped") and platform.tried(placed) == []

    def test_texts_arrive_as_they_were_written(self, place, platform):
        name, note = "Şükrü Öğüt 👨‍👩‍👧 İlçağ", "acısız 🌶️ çok pişmiş, ğüşiöç IİĞÜŞÖÇ"
        assert len(LONG) == 64
        placed = places(place, note=note, customer={"name": name, "phone": LONG},
                        address={"address": "Ihlamur Sk. 🏠 3/5", "description": "çıkmaz sokağın sonu"})
        made = imported(place, placed).now()
        assert made["orderNote"] == note
        assert made["customer"]["details"] == {"name": name, "phone": LONG}
        assert made["customer"]["address"]["detailedAddress"] == "Ihlamur Sk. 🏠 3/5"
        assert made["customer"]["address"]["directions"] == "çıkmaz sokağın sonu"
        log = place.world.server.text()
        assert name not in log and LONG not in log and "Ihlamur" not in log

    def test_a_long_note_and_numbers_in_strings_lose_no_order(self, place, platform):
        placed = places(place, note="ş" * 5000, total="99.90", scheduled_date="2030-01-15 18:30:00")
        made = imported(place, placed).now()
        assert (made["orderNote"], made["price"]) == ("ş" * 2000, 99.9)
        assert made["scheduledDate"] == "2030-01-15T15:30:00.000Z"

    def test_what_is_fetched_or_brought_by_the_platform_calls_for_no_way(self, place, platform):
        fetched = places(place, 2, shipping_method="pickup", customer=None, address=None)
        brought = places(place, 2, own_courier=False)
        assert imported(place, fetched).now()["orderType"] == "gel_al"
        order, courier = imported(place, brought), place.courier()
        assert order.now()["courierType"] == "platform"
        courier.posts(order, 1)
        courier.posts(order, 2)
        assert order.settles("skipped") and platform.tried(brought) == []

    def test_a_page_may_be_long(self, place, platform):
        """Longer than the answers of other calls may be."""
        all_of_it = [places(place, note="ğ" * 2000) for _ in range(60)]
        for placed in all_of_it:
            platform.acknowledged(placed)
        assert len(data(place.call("GET", "/api/v1/orders?limit=200"))) == len(all_of_it)

    @pytest.mark.embedded_only  # it takes so much time wherever reading an order does
    def test_a_list_that_takes_longer_than_the_wait_gets_shorter_all_the_same(self):
        with World(**{**SETTINGS, "dukkango_poll": "1ms"}) as world:
            place = world.restaurant().connected(NAME)
            all_of_it, answered = one_page(place, 100)
            answered()
            for placed in all_of_it:
                world.dukkango.acknowledged(placed)


class TestBroken:
    def test_a_broken_order_does_not_touch_the_others(self, place, platform):
        before = {result: counted(place.world, "kuryed_polled_orders_total", result=result)
                  for result in ("imported", "broken")}
        good = [places(place)]
        bad = places(place, total="yüz lira")
        good.append(places(place))
        for placed in good:
            imported(place, placed)
            platform.acknowledged(placed)
        platform.polled(place.credentials[NAME], 2)
        shown = eventually(lambda: connection(place), lambda shown: shown["lastError"])
        assert (shown["state"], shown["lastError"]) == ("ok", "order_not_imported: total")
        assert not platform.orders[bad.platform_id]["acknowledged"]
        assert counted(place.world, "kuryed_polled_orders_total", result="imported") == before["imported"] + 2
        assert counted(place.world, "kuryed_polled_orders_total", result="broken") >= before["broken"] + 2
        line = place.world.server.log_contains(event="order_not_imported", restaurantId=place.id)
        assert (line["field"], line["platform"]) == ("total", NAME)
        platform.moves(bad, 1, total=12.5)
        assert imported(place, bad).now()["price"] == 12.5
        platform.acknowledged(bad)
        eventually(lambda: connection(place)["lastError"], lambda error: error is None)

    @pytest.mark.parametrize("spoilt", [{"payment_key": 5}, {"status_text": "NEW", "address": None},
                                        {"customer": {"name": "Ayşe"}}])
    def test_it_is_not_acknowledged(self, place, platform, spoilt):
        bad, good = places(place, **spoilt), places(place)
        imported(place, good)
        platform.acknowledged(good)
        platform.polled(place.credentials[NAME], 2)
        assert not platform.orders[bad.platform_id]["acknowledged"] and len(listed(place)) == 1


class TestBothWays:
    """An order is one, whoever brings it first."""

    def post(self, place, placed, **fields):
        body = {"platform": NAME, "platformOrderId": placed.platform_id, "price": 1, "paymentMethod": "cash",
                "status": "yeni", "orderType": "gel_al", **fields}
        return place.call("POST", "/api/v1/orders", body)

    def test_polled_and_then_posted(self, place, platform):
        placed = places(place)
        order = imported(place, placed)
        again = data(self.post(place, placed), 200)
        assert (again["orderId"], again["price"]) == (order.id, 125.5)

    def test_posted_and_then_polled(self, place, platform):
        placed = places(place, 2)
        platform.orders[placed.platform_id]["acknowledged"] = True
        order = place.ours(data(self.post(place, placed, status="hazirlanacak"), 201))
        platform.moves(placed, 2)
        platform.acknowledged(placed)
        assert imported(place, placed).id == order.id
        assert order.now()["price"] == 1 and order.steps() == [("hazirlanacak", "restaurant")]

    def test_at_the_same_time(self, place, platform):
        for _ in range(10):
            placed = places(place)
            assert self.post(place, placed).status_code in (200, 201)
            platform.acknowledged(placed)
        assert len(listed(place)) == 10


class TestMoves:
    def test_what_we_told_is_shown_again_and_acknowledged(self, place, platform):
        placed, courier = places(place), place.courier()
        order = imported(place, placed)
        platform.acknowledged(placed)
        courier.posts(order, 1)
        order.settles("done")
        platform.acknowledged(placed)
        courier.posts(order, 2)
        order.settles("done")
        platform.acknowledged(placed)
        assert platform.tried(placed) == ["accept", "on-the-way", "delivered"]
        assert order.steps() == [("yeni", "platform"), ("teslim-edilecek", "courier"), ("teslim-edildi", "courier")]

    def test_what_happens_there_moves_ours_and_is_not_told(self, place, platform):
        placed, before = places(place), counted(place.world, "kuryed_polled_orders_total", result="moved")
        order = imported(place, placed)
        platform.acknowledged(placed)
        for state, status in ((2, "hazirlanacak"), (16, "teslim-edilecek"), (5, "teslim-edildi")):
            platform.moves(placed, state)
            order.reaches(status)
            platform.acknowledged(placed)
        assert [by for _, by in order.steps()] == ["platform"] * 4
        assert counted(place.world, "kuryed_polled_orders_total", result="moved") == before + 3
        assert platform.tried(placed) == [] and order.delivery()["state"] == "done"

    def test_its_own_cancel_is_not_sent_back(self, place, platform):
        placed = places(place, 2)
        order = imported(place, placed)
        platform.acknowledged(placed)
        platform.moves(placed, 6)
        order.reaches("cancelled")
        platform.acknowledged(placed)
        assert order.steps()[-1] == ("cancelled", "platform")
        platform.polled(place.credentials[NAME])
        assert platform.tried(placed) == []

    def test_what_is_further_here_stays(self, place, platform):
        placed = places(place, 2)
        order = imported(place, placed)
        platform.acknowledged(placed)
        order.becomes("hazir")
        platform.moves(placed, 2)
        platform.acknowledged(placed)
        assert order.steps() == [("hazirlanacak", "platform"), ("hazir", "restaurant")]

    def test_an_answer_that_was_lost_is_found_in_the_list(self, place, platform):
        """Whether the accept got through, nobody knows; the list does, and nothing is repeated."""
        placed = places(place)
        order = imported(place, placed)
        platform.acknowledged(placed)
        platform.next("accept", loses())
        platform.next("accept", fails(500), times=3)
        order.becomes("hazirlanacak")
        platform.acknowledged(placed)
        order.settles("done")
        assert platform.told(placed) == ["accept"]

    def test_what_a_person_accepts_there_is_not_accepted_again(self, world):
        """Our accept fails, and somebody does it at Dükkango's tablet: what comes after it is told."""
        world.restart(retry_schedule="3s,1s,1s")
        place = world.restaurant().connected(NAME)
        placed, courier = places(place), place.courier()
        order = imported(place, placed)
        world.dukkango.acknowledged(placed)
        world.dukkango.next("accept", fails(503))
        courier.posts(order, 1)
        eventually(lambda: order.delivery()["tries"], lambda tries: tries == 1)
        world.dukkango.moves(placed, 2)
        world.dukkango.acknowledged(placed)
        order.settles("done")
        assert world.dukkango.tried(placed) == ["accept", "on-the-way"]
        assert world.dukkango.told(placed) == ["on-the-way"]

    def test_a_cancel_while_on_the_way_is_being_retried(self, world):
        world.restart(retry_schedule="1h")
        place = world.restaurant().connected(NAME)
        placed, courier = places(place, 2), place.courier()
        order = imported(place, placed)
        world.dukkango.acknowledged(placed)
        world.dukkango.next("on-the-way", fails(500))
        courier.posts(order, 1)
        eventually(lambda: order.delivery()["tries"], lambda tries: tries == 1)
        world.dukkango.moves(placed, 6)
        order.reaches("cancelled")
        world.dukkango.acknowledged(placed)
        assert order.settles("done") and world.dukkango.tried(placed) == ["on-the-way"]


class TestCourier:
    """Who brings it is called as for any other order, wherever it was accepted."""

    def test_a_firm_is_called_for_what_is_accepted(self, place, platform):
        firm, firms = place.courier(dispatch=True), place.world.firms
        accepted, fresh, gone = places(place, 2), places(place, note="🌶️"), places(place, 16)
        order = imported(place, accepted)
        assert firms.received("dispatch", order).json()["platform"] == NAME
        assert order.settles("done", "courier")["integrationId"] == firm.id
        later = imported(place, fresh)
        platform.acknowledged(fresh)
        assert firms.about(later) == []
        platform.moves(fresh, 2)
        assert firms.received("dispatch", later).json()["orderNote"] == "🌶️"
        later.settles("done", "courier")
        assert firms.about(imported(place, gone)) == [] and len(firms.about(later)) == 1

    def test_none_is_called_for_what_others_bring(self, place, platform):
        place.courier(dispatch=True)
        for placed in (places(place, 2, own_courier=False), places(place, 2, shipping_method="pickup")):
            order = imported(place, placed)
            platform.acknowledged(placed)
            assert order.delivery("courier") is None and place.world.firms.about(order) == []


class TestAcknowledgement:
    @pytest.mark.parametrize("trouble", [fails(500), closes(), loses(), fails(404), fails(429)])
    def test_one_that_fails_is_made_by_the_next_poll(self, place, platform, trouble):
        platform.next("acknowledge", trouble)
        placed = places(place)
        platform.acknowledged(placed)
        assert imported(place, placed).steps() == [("yeni", "platform")]

    def test_one_that_is_refused_does_not_keep_the_next_one_waiting(self, place, platform):
        placed, answer = one_page(place, 2)
        polls = len(platform.polls_of(place.credentials[NAME]))
        platform.next("acknowledge", fails(404))
        answer()
        platform.received("acknowledge", placed[1])
        assert len(platform.polls_of(place.credentials[NAME])) == polls + 1
        for one in placed:
            platform.acknowledged(one)

    def test_it_does_not_come_long_after_the_order_was_seen(self, place, platform):
        """It might have moved since, and nobody would see that; the next list shows how it is."""
        def takes(apply):
            threading.Event().wait(1.2 * POLL)
            return apply()
        placed, answer = one_page(place, 2)
        polls = len(platform.polls_of(place.credentials[NAME]))
        platform.next("acknowledge", takes)
        answer()
        platform.received("acknowledge", placed[1])
        assert len(platform.polls_of(place.credentials[NAME])) >= polls + 2

    def test_killed_before_it(self, world):
        place = world.restaurant().connected(NAME)
        hang = world.dukkango.hang("acknowledge", times=2)
        placed = [places(place), places(place)]
        hang.holds(1)
        world.kill()
        world.dukkango.release()
        world.start()
        for one in placed:
            world.dukkango.acknowledged(one)
            assert imported(place, one).steps() == [("yeni", "platform")]

    def test_stopped_before_it(self, world):
        place = world.restaurant().connected(NAME)
        hang = world.dukkango.hang("acknowledge", times=2)
        placed = [places(place), places(place)]
        hang.holds(1)
        status, took = world.server.stop()
        assert status == 0 and took < 6
        world.dukkango.release()
        world.start()
        for one in placed:
            world.dukkango.acknowledged(one)
            imported(place, one)

    def test_stopped_before_the_orders_are_kept(self, world):
        place = world.restaurant().connected(NAME)
        placed, answer = one_page(place, 3)
        with world.stalled():
            answer()
            world.server.signal(signal.SIGTERM)
            eventually(lambda: turns(world), lambda it_does: not it_does)
        assert world.server.wait() == 0
        world.start()
        for one in placed:
            world.dukkango.acknowledged(one)
            imported(place, one)

    def test_it_comes_after_the_order_is_kept(self, place, platform):
        kept = []

        def looks(apply):
            kept.append([order["platformOrderId"] for order in listed(place)])
            return apply()
        placed = [places(place), places(place)]
        platform.next("acknowledge", looks, times=2)
        for one in placed:
            platform.acknowledged(one)
        assert [{one.platform_id for one in placed}] * 2 == [set(found) for found in kept]


class TestLimits:
    def test_429_is_waited_out_longer_each_time(self, place, platform):
        first = platform.polled(place.credentials[NAME])[-1]
        platform.next("poll", fails(429), times=3)
        calls = [first, *platform.polled(place.credentials[NAME], 5)[-5:]]
        calls = calls[next(i for i, call in enumerate(calls) if call.status == 429):]
        assert [call.status for call in calls[:4]] == [429, 429, 429, 200]
        for gap, least in zip(gaps(calls), (SOONEST, 2 * SOONEST, 4 * SOONEST, SOONEST)):
            assert least <= gap
        assert counted(place.world, "kuryed_polls_total", result="limited") >= 3

    def test_retry_after_is_obeyed(self, place, platform):
        platform.polled(place.credentials[NAME])
        platform.next("poll", fails(429, retry_after=1))
        calls = platform.polled(place.credentials[NAME], 3)[-3:]
        refused = next(i for i, call in enumerate(calls) if call.status == 429)
        assert gaps(calls[refused:] + platform.polled(place.credentials[NAME])[-1:])[0] >= 1

    def test_a_token_that_ends_is_renewed(self, place, platform):
        imported(place, places(place))
        platform.expire_tokens()
        placed = places(place)
        platform.acknowledged(placed)
        imported(place, placed)

    def test_wrong_credentials_make_no_login_storm(self, shared, platform):
        before = platform.count("login")
        place, other = shared.restaurant(), shared.restaurant().connected(NAME)
        place.connect(NAME, restSecretKey="yanlis")
        eventually(lambda: connection(place)["state"], lambda state: state == "login_failed")
        assert connection(place)["lastError"] == "login_failed"
        platform.polled(other.credentials[NAME], 4)
        assert platform.count("login") <= before + 2
        for one in (place, other):
            data(one.call("DELETE", f"{one.path}/platforms/{NAME}"))


class TestWho:
    """Only connections that are enabled, of restaurants that are active."""

    def rests(self, place, other):
        """The one is polled no more, while the other is."""
        platform = place.world.dukkango
        platform.polled(other.credentials[NAME], 2)  # one may be under way
        before = platform.polls_of(place.credentials[NAME])
        platform.polled(other.credentials[NAME], 3)
        assert platform.polls_of(place.credentials[NAME]) == before

    def test_not_while_it_is_disabled(self, shared, place, platform):
        other = shared.restaurant().connected(NAME)
        platform.polled(place.credentials[NAME])
        data(place.call("PUT", f"{place.path}/platforms/{NAME}", {"enabled": False}))
        self.rests(place, other)
        data(place.call("PUT", f"{place.path}/platforms/{NAME}", {"enabled": True}))
        platform.polled(place.credentials[NAME])
        data(other.call("DELETE", f"{other.path}/platforms/{NAME}"))

    def test_not_while_the_restaurant_is_not_active(self, shared, place, platform):
        other = shared.restaurant().connected(NAME)
        platform.polled(place.credentials[NAME])
        data(shared.admin("PATCH", place.path, {"active": False}))
        self.rests(place, other)
        data(shared.admin("PATCH", place.path, {"active": True}))
        platform.polled(place.credentials[NAME])
        data(other.call("DELETE", f"{other.path}/platforms/{NAME}"))

    def test_a_restart_does_not_poll_sooner(self, world):
        """Violations of the platform's wait are found at the end of every test."""
        place = world.restaurant().connected(NAME)
        for _ in range(3):
            world.dukkango.polled(place.credentials[NAME])
            world.restart()
        world.dukkango.polled(place.credentials[NAME])

    def test_a_platform_that_was_away_is_polled_again(self, world):
        """Nothing is owed, so that nobody but the poller can find out that it is back."""
        place = world.restaurant().connected(NAME)
        world.dukkango.polled(place.credentials[NAME])
        world.dukkango.next("poll", fails(500), times=12)
        world.dukkango.polled(place.credentials[NAME], 12)
        placed = places(place)
        world.dukkango.acknowledged(placed)
        assert connection(place)["breaker"] == "closed"

    def test_hundreds_are_polled_by_one_thread(self, world):
        def threads():
            return len(os.listdir(f"/proc/{world.server.process.pid}/task"))
        wait = 5 * POLL
        world.dukkango.poll_floor = 0.9 * wait
        world.restart(dukkango_poll=f"{int(wait * 1000)}ms")
        world.dukkango.polled(world.restaurant().connected(NAME).credentials[NAME])
        before = threads()
        several = [world.restaurant().connected(NAME).credentials[NAME] for _ in range(300)]
        for account in several:
            eventually(lambda account=account: len(world.dukkango.polls_of(account)), lambda count: count >= 2)
        calls = [world.dukkango.polls_of(account) for account in several]
        assert max(gap for found in calls for gap in gaps(found)) < 1.1 * wait + 2
        first = [found[0].at for found in calls]
        assert max(first) - min(first) > wait / 2 and threads() <= before + 1
