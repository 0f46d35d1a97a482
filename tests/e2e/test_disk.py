# SPDX-License-Identifier: Apache-2.0
"""test_disk.py - the real binary on a disk that fills up, fails, goes read-only, stalls or lies, at each of its doings.

What the disk has is told apart from what the system shows (tests/below/disk.c), so that a power cut is more than a kill.
"""

import os
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from below import BAD_READ, BAD_SYNC, BAD_WRITE, FULL, NO_OPEN, READ_ONLY, STALL, Disk
from process import Kuryed
from world import World, data, eventually, refused, together

pytestmark = pytest.mark.embedded_only

NOT_UPDATED = (500, "Sipariş güncellenemedi")
WRITING = {"full": FULL, "write": BAD_WRITE, "sync": BAD_SYNC, "read-only": READ_ONLY}
NEW = {"platform": "phone", "price": 1, "paymentMethod": "cash", "orderType": "gel_al"}
MANY = [{"name": "Lahmacun", "note": "n" * 200, "quantity": 1}] * 500  # of which forty orders fill the log
ENDLESS = 200  # so many calls of one kind nothing makes


@pytest.fixture
def world():
    with World(below=Disk, request_deadline="2s") as made:
        yield made


@pytest.fixture
def place(world):
    return world.restaurant().connected("dukkango", "trendyolyemek")


@pytest.fixture
def courier(place):
    return place.courier()


def power_cut(world):
    """All that is not on the disk is lost, and the machine starts again."""
    world.kill()
    world.below.power_cut(world.store)
    world.start()


def ready(world):
    return world.lone().get(f"http://{world.ops_address}/readyz", timeout=30)


def is_unready(world):
    """And it is the store, and it is alive."""
    told = eventually(lambda: ready(world), lambda told: told.status_code == 503, pause=0.1).json()
    assert (told["store"], told["loops"]) == ("failing", "ok")
    assert world.call("GET", "/livez", ops=True).status_code == 200


def is_well_again(world):
    eventually(lambda: ready(world), lambda told: told.status_code == 200, pause=0.1)


def is_told_once_a_second(world, seconds):
    told = Counter((line["event"], line.get("reason"), line.get("route")) for line in world.server.log if line["level"] in ("warn", "error"))
    assert told and max(told.values()) <= seconds + 2, told


class Gate:
    """A platform that does what it is asked, and answers when it is let."""

    def __init__(self):
        self.entered, self.opens = threading.Event(), threading.Event()

    def __call__(self, apply):
        self.entered.set()
        self.opens.wait()
        return apply()


class TestPowerCut:
    def test_what_was_answered_is_on_the_disk(self, world, place, courier):
        orders = [place.order() for _ in range(8)]
        together(8, lambda n: courier.posts(orders[n], 1, session=world.lone()))
        power_cut(world)
        assert {order.now()["status"] for order in orders} == {"teslim-edilecek"}

    @pytest.mark.parametrize("times", range(1, 9))
    def test_nothing_is_believed_of_a_flush_that_failed(self, world, place, courier, times):
        order = place.order()
        world.below.breaks(BAD_SYNC, times=times)
        eventually(lambda: courier.post(order, 1).status_code, lambda code: code == 200)
        power_cut(world)
        assert order.now()["status"] == "teslim-edilecek"

    @pytest.mark.parametrize("how", ["answer", "read"])
    def test_what_is_found_after_a_kill_is_made_safe_before_it_is_told(self, world, place, courier, how):
        order = place.order()
        with world.below.has(STALL):
            lost = threading.Thread(target=loses_its_answer, args=(courier, order))
            lost.start()
            world.below.holds()
            world.kill()
            lost.join()
        world.start()
        status = courier.posts(order, 1)["status"] if how == "answer" else order.now()["status"]
        power_cut(world)
        assert order.now()["status"] == status

    def test_a_log_that_did_not_get_into_the_file_gets_there_as_a_whole(self, world, place):
        """The log is long enough to be brought into the file at every commit, and the flush of that fails, too."""
        orders = together(4, lambda _: [place.order(items=MANY) for _ in range(12)])
        for after in range(4):
            world.below.breaks(BAD_SYNC, after=after, times=1)
            orders.append([place.order(items=MANY) for _ in range(2)])
        world.below.heals()
        orders = [order for some in orders for order in some]
        power_cut(world)
        assert {order.now()["status"] for order in orders} == {"hazirlanacak"}


def loses_its_answer(courier, order):
    with pytest.raises(requests.ConnectionError):
        courier.post(order, 1, session=courier.world.lone())


class TestAtWork:
    @pytest.mark.parametrize("trouble", WRITING)
    def test_nothing_is_lost_or_told_twice_and_no_restart_is_needed(self, world, place, courier, trouble):
        began = time.monotonic()
        known, other = place.order("dukkango"), place.order("dukkango")
        gate = Gate()
        world.dukkango.next("on-the-way", gate)
        courier.posts(known, 1)
        assert gate.entered.wait(20)
        with world.below.has(WRITING[trouble]):
            answer = refused(courier.post(other, 1), *NOT_UPDATED)
            assert answer.headers["Retry-After"] == "1"
            refused(place.call("POST", "/api/v1/orders", NEW), 500, "Sunucu hatası")
            refused(world.admin("POST", "/api/v1/erasures", {"orderId": known.id}), 500, "Sunucu hatası")
            is_unready(world)
            gate.opens.set()  # it does it, and we cannot write that down
            world.server.log_contains(event="settle_failed")
            assert trouble == "sync" or other.now()["status"] == "hazirlanacak"
        is_well_again(world)
        courier.posts(other, 1)
        for order in (known, other):
            order.settles("done")
            assert world.dukkango.tried(order) == ["on-the-way"]
            assert [by for _, by in order.steps()] == ["restaurant", "courier"]
        assert known.now()["customer"]["details"]["name"]
        is_told_once_a_second(world, time.monotonic() - began)
        power_cut(world)
        assert {order.now()["status"] for order in (known, other)} == {"teslim-edilecek"}

    @pytest.mark.parametrize("trouble", WRITING)
    def test_one_call_that_fails_is_noticed_by_nobody(self, world, place, courier, trouble):
        for after in range(ENDLESS):
            order = place.order("dukkango")
            world.below.breaks(WRITING[trouble], after=after, times=1)
            courier.posts(order, 1)
            order.settles("done")
            met = world.below["met"]
            world.below.heals()
            assert world.dukkango.tried(order) == ["on-the-way"]
            if not met:
                break
        assert 0 < after < ENDLESS - 1
        assert ready(world).status_code == 200

    def test_what_was_told_longer_ago_than_a_lease_is_looked_at_before_it_is_told_again(self):
        with World(below=Disk, request_deadline="1s", outbound_timeout="1s", lease_slack="200ms") as world:
            place = world.restaurant().connected("trendyolyemek")
            order, gate = place.order("trendyolyemek", "hazir"), Gate()
            world.trendyolyemek.next("on-the-way", gate)
            place.courier().posts(order, 1)
            assert gate.entered.wait(20)
            with world.below.has(BAD_WRITE):
                gate.opens.set()
                began = time.monotonic()
                eventually(lambda: time.monotonic() - began, lambda passed: passed > 3)  # 2 s and 200 ms is a lease
            order.settles("done")
            assert world.trendyolyemek.tried(order) == ["on-the-way", "check"]
            assert world.trendyolyemek.told(order) == ["on-the-way"]

    def test_a_flush_that_stalls_holds_up_nobody_who_only_reads(self, world, place, courier):
        order, other = place.order("dukkango"), place.order()
        key = {"Idempotency-Key": "bir"}
        with world.below.has(STALL):
            refused(courier.post(order, 1, headers=key), *NOT_UPDATED)
            began = time.monotonic()
            assert other.now()["status"] == "hazirlanacak"
            assert time.monotonic() - began < 2
            is_unready(world)  # after 5 s
        is_well_again(world)
        courier.posts(order, 1, headers=key)
        order.settles("done")
        assert world.dukkango.tried(order) == ["on-the-way"]

    def test_what_cannot_be_read_is_an_error_and_nothing_else(self, world, place, courier):
        order = place.order("dukkango")
        world.restart()  # nothing is remembered
        with world.below.has(BAD_READ):
            refused(courier.post(order, 1), *NOT_UPDATED)
            refused(place.call("GET", order.path), 500, "Sunucu hatası")
            is_unready(world)
        is_well_again(world)
        courier.posts(order, 1)
        order.settles("done")


class TestStart:
    @pytest.mark.parametrize("trouble", [*WRITING.values(), BAD_READ, NO_OPEN])
    def test_it_says_why_it_does_not_start_and_spoils_nothing(self, world, place, courier, trouble):
        """Whichever call fails, from there on all do; what the log holds was not yet brought into the file."""
        order = place.order("dukkango")
        world.dukkango.hang("on-the-way")  # so that something is owed
        courier.posts(order, 1)
        world.kill()
        world.dukkango.release()
        for after in range(0, ENDLESS, 5 if trouble == BAD_READ else 1):
            world.below.breaks(trouble, after=after)
            server = Kuryed(world.environment())
            eventually(lambda: server.ended or server.logged(event="listening"), bool)
            if server.logged(event="listening"):
                server.kill()
                break
            assert server.wait() > 0
            assert world.store.path in server.text()
        assert 0 < after < ENDLESS - 1
        world.below.heals()
        world.start()
        order.settles("done")
        assert order.now()["status"] == "teslim-edilecek"

    @pytest.mark.parametrize("trouble", [*WRITING.values(), NO_OPEN])
    def test_a_first_start_that_failed_is_made_good_by_the_next(self, world, trouble):
        path = Path(world.folder, "first.db")
        for after in range(ENDLESS):
            world.below.breaks(trouble, after=after)
            server = Kuryed(world.environment(store=f"sqlite:{path}"))
            eventually(lambda: server.ended or server.logged(event="listening"), bool)
            if server.logged(event="listening"):
                server.kill()
                break
            assert server.wait() > 0
        assert 0 < after < ENDLESS - 1
        world.below.heals()
        world.restart(store=f"sqlite:{path}")
        world.restaurant().order()


class TestStop:
    @pytest.mark.parametrize("trouble", WRITING)
    def test_it_ends_all_the_same_and_what_was_answered_is_there(self, world, place, courier, trouble):
        orders = [place.order("dukkango") for _ in range(2)]
        gate = Gate()
        world.dukkango.next("on-the-way", gate)
        courier.posts(orders[0], 1)
        assert gate.entered.wait(20)
        with world.below.has(WRITING[trouble]):
            gate.opens.set()
            refused(courier.post(orders[1], 1), *NOT_UPDATED)
            status, took = world.server.stop()
            assert (status, took < 10) == (0, True)
        world.below.power_cut(world.store)
        world.start()
        orders[0].settles("done")
        assert world.dukkango.told(orders[0]) == ["on-the-way"]
        courier.posts(orders[1], 1)
        orders[1].settles("done")


class TestBackup:
    @pytest.mark.parametrize("trouble", [*WRITING.values(), NO_OPEN])
    def test_there_is_a_whole_one_or_none(self, world, place, trouble):
        place.order()
        folder = Path(world.folder, "backups")
        folder.mkdir()
        disk = Disk(folder)
        for after in range(ENDLESS):
            disk.breaks(trouble, after=after)
            backup = Kuryed({**world.environment(), **disk.environment()}, ["backup", str(folder / "b.db")])
            if backup.wait() == 0:
                break
            assert str(folder) in backup.text()
            assert not (folder / "b.db").exists()
        assert 0 < after < ENDLESS - 1
        world.restart(store=f"sqlite:{folder / 'b.db'}")
        assert len(data(place.call("GET", "/api/v1/orders"))) == 1

    def test_a_source_that_cannot_be_read_is_not_taken_for_an_empty_one(self, world, place):
        place.order()
        path = Path(world.folder, "b.db")
        with world.below.has(BAD_READ):
            backup = Kuryed(world.environment(), ["backup", str(path)])
            assert backup.wait() > 0 and not path.exists()
        assert os.listdir(world.folder).count("b.db") == 0
