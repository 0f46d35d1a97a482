# SPDX-License-Identifier: Apache-2.0
"""test_crash_steps.py - killed before its first change of a file, before its second, and so on through all of a start, an
order's day and a backup; and the same as a power cut, which takes what was not flushed, too."""

import sqlite3
from pathlib import Path

import pytest
import requests

from below import DIE, Disk
from process import Kuryed
from world import World, data

pytestmark = pytest.mark.embedded_only

ENDLESS = 300  # so many changes nothing makes
TO_FIRST = """DROP INDEX documents_phone; DROP INDEX orders_personal; DROP INDEX orders_expiring; DROP INDEX orders_ended;
    ALTER TABLE documents DROP COLUMN phone; ALTER TABLE orders DROP COLUMN erased; ALTER TABLE orders DROP COLUMN c_firm;
    ALTER TABLE orders DROP COLUMN c_calls; ALTER TABLE orders DROP COLUMN expires; ALTER TABLE orders DROP COLUMN ended;
    PRAGMA user_version = 1"""
DAYS = {"dukkango": ["on-the-way", "delivered"], "trendyolyemek": ["on-the-way", "delivered"]}


@pytest.fixture
def world():
    with World(below=Disk, outbound_timeout="300ms", lease_slack="100ms") as made:
        yield made


@pytest.fixture
def place(world):
    return world.restaurant().connected(*DAYS)


@pytest.fixture(params=["kill", "power cut"])
def buried(request, world):
    """What is done with a server that has died."""
    def bury(server=None):
        assert (server or world.server).wait() == -9
        world.below.heals()
        if request.param == "power cut":
            world.below.power_cut(world.store)
        for fake in world.others:
            fake.doubt()
    return bury


def comes_up(server):
    """Whether it did, or has died before."""
    with server.changed:
        server.changed.wait_for(lambda: server.ended or any(line["event"] == "listening" for line in server.log))
    return bool(server.logged(event="listening"))


def dies_at_each_step(world, buried):
    """Through a whole start; the one that came up is stopped."""
    for after in range(ENDLESS):
        world.below.breaks(DIE, after=after, times=1)
        server = Kuryed(world.environment())
        up = comes_up(server)
        world.below.heals()
        if up and server.stop()[0] == 0:
            return after
        buried(server)
    raise AssertionError("it always dies")


class TestStart:
    def test_on_what_a_killed_one_left(self, world, place, buried):
        """Its log is read, and what was owed is doubted."""
        hang = world.dukkango.hang("on-the-way", done=True)
        order = place.order("dukkango", "hazir")
        place.courier().posts(order, 1)
        assert hang.entered.wait(20)
        world.kill()
        assert dies_at_each_step(world, buried) > 0
        world.start()
        hang.released.set()
        order.settles("done")
        assert world.dukkango.told(order) == ["on-the-way"]

    def test_on_a_file_of_the_first_version(self, world, place, buried):
        orders = [place.order("dukkango", "hazir") for _ in range(20)]
        assert world.server.stop()[0] == 0
        file = sqlite3.connect(world.store.path)
        file.executescript(TO_FIRST)
        file.close()
        world.below.flushed(world.store)
        assert dies_at_each_step(world, buried) > 10
        world.start()
        assert [order.now()["status"] for order in orders] == ["hazir"] * len(orders)

    def test_on_nothing(self, world, buried):
        assert world.server.stop()[0] == 0
        for path in Path(world.folder).glob("kurye.db*"):
            path.unlink()
        world.below.flushed(world.store)
        assert dies_at_each_step(world, buried) > 10
        world.start()
        world.restaurant()


def test_its_stop(world, place, buried):
    courier = place.courier()
    for after in range(ENDLESS):
        order = place.order("dukkango", "hazir")
        courier.posts(order, 1)
        world.below.breaks(DIE, after=after, times=1)
        status, _ = world.server.stop()
        if status == 0:
            break
        buried()
        world.start()
        assert order.now()["status"] == "teslim-edilecek"
    assert 2 < after < ENDLESS - 1
    world.below.heals()
    world.start()
    order.settles("done")


def goes_on(world, buried, act):
    """Does it until somebody has answered; whoever died is buried and follows."""
    while True:
        try:
            return act()
        except requests.RequestException:
            buried()
            world.start()


def taken(answer):
    """Of an order that was new, or known already."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["data"]


def test_an_orders_day(world, place, buried):
    courier = place.courier()
    for after in range(ENDLESS):
        world.below.breaks(DIE, after=after, times=1)
        first = world.server
        for name, steps in DAYS.items():
            body = place.draft(name, "hazir")
            order = place.ours(goes_on(world, buried, lambda: taken(place.call("POST", "/api/v1/orders", body))))
            for status, word in ((1, "teslim-edilecek"), (2, "teslim-edildi")):
                key = {"Idempotency-Key": f"{order.id}-{status}"}
                told = goes_on(world, buried, lambda: data(courier.post(order, status, headers=key)))
                world.platform(name).received(steps[status - 1], order)
                done = goes_on(world, buried, lambda: order.settles("done"))
                assert [(row["status"], row["at"]) for row in order.now()["history"]][status] == (word, told["updatedAt"]), done
            assert world.platform(name).told(order) == steps
            assert len([step for step in world.platform(name).tried(order) if step in steps]) <= len(steps) + 1
        if world.server is first:
            break
    world.below.heals()
    assert 30 < after < ENDLESS - 1


def test_a_backup(world, place):
    place.order()
    folder = Path(world.folder, "backups")
    folder.mkdir()
    disk = Disk(folder)
    for after in range(ENDLESS):
        disk.breaks(DIE, after=after, times=1)
        backup = Kuryed({**world.environment(), **disk.environment()}, ["backup", str(folder / "b.db")])
        if backup.wait() == 0:
            break
        assert backup.wait() == -9
        if (folder / "b.db").exists():  # it had its name already
            break
    assert 3 < after < ENDLESS - 1
    world.restart(store=f"sqlite:{folder / 'b.db'}")
    assert len(data(place.call("GET", "/api/v1/orders"))) == 1
