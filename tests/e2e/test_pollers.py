# SPDX-License-Identifier: Apache-2.0
"""test_pollers.py - three kuryed on one database poll an account as one would, and go on when one is gone."""

import time

import pytest

from fake import fails
from process import WAIT
from test_poller import NAME, POLL, SETTINGS, SOONEST, gaps, imported, places
from test_servers import Servers

pytestmark = pytest.mark.mongodb_only

HOLD = 1.2  # seconds: of a lease that nobody ends: two calls and the slack


@pytest.fixture
def world():
    """The fake finds whoever asks sooner than it allows."""
    with Servers(**SETTINGS) as made:
        made.dukkango.poll_floor = SOONEST
        yield made


def orders(world, place, count):
    made = [places(place) for _ in range(count)]
    for placed in made:
        world.dukkango.acknowledged(placed)
        assert imported(place, placed).steps() == [("yeni", "platform")]


class TestThree:
    def test_they_poll_once(self, world):
        several = [world.restaurant().connected(NAME) for _ in range(5)]
        for place in several:
            orders(world, place, 3)
        for place in several:
            calls = world.dukkango.polled(place.credentials[NAME], 5)
            assert all(call.status == 200 for call in calls) and min(gaps(calls)) >= SOONEST
            assert max(gaps(calls[1:])) < 5 * POLL
        assert world.dukkango.count("login") <= 3 * len(several)

    def test_a_refusal_holds_all_of_them(self, world):
        place = world.restaurant().connected(NAME)
        world.dukkango.polled(place.credentials[NAME])
        world.dukkango.next("poll", fails(429), times=3)
        calls = world.dukkango.polled(place.credentials[NAME], 6)
        calls = calls[next(i for i, call in enumerate(calls) if call.status == 429):]
        assert [call.status for call in calls[:4]] == [429, 429, 429, 200]
        assert all(gap >= least for gap, least in zip(gaps(calls), (SOONEST, 2 * SOONEST, 4 * SOONEST)))

    def test_one_is_killed(self, world):
        several = [world.restaurant().connected(NAME) for _ in range(5)]
        for place in several:
            orders(world, place, 1)
        hang = world.dukkango.hang("poll", times=2)
        hang.holds(1)
        killed = time.monotonic()
        for server in world.all[:2]:
            server.kill()
        world.dukkango.release()
        for place in several:
            orders(world, place, 2)
            calls = world.dukkango.polls_of(place.credentials[NAME])
            assert max(gaps(calls)) < HOLD + 5 * POLL
        assert time.monotonic() < killed + WAIT
