# SPDX-License-Identifier: Apache-2.0
"""test_sockets.py - a system that has no descriptor, socket or buffer left, and a network that fails: at each call once, and for
a while at all of them."""

import errno
import time

import pytest

from below import ACCEPT, CONNECT, NAME, POLL, SEND, SOCKET, Sockets
from raw import Raw
from world import World, data, eventually

pytestmark = pytest.mark.embedded_only

EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM = -3, -10, -11
OUTBOUND = [(SOCKET, errno.EMFILE), (SOCKET, errno.ENFILE), (SOCKET, errno.ENOBUFS), (CONNECT, errno.ENETUNREACH),
            (CONNECT, errno.EADDRNOTAVAIL), (NAME, EAI_AGAIN), (NAME, EAI_MEMORY), (NAME, EAI_SYSTEM),
            (POLL, errno.ENOMEM), (SEND, errno.ENOBUFS)]
ACCEPTING = [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM]
LAZY = 400  # rounds a second of all loops together, of which a loop that spins makes ten thousands
SOME = 8  # calls of one kind, of which an order makes three at the most


@pytest.fixture
def world():
    with World(below=Sockets, outbound_timeout="1s", lease_slack="200ms") as made:
        made.restart(dukkango_url=made.dukkango.url.replace("127.0.0.1", "localhost"))
        yield made


def is_lazy(world):
    """No loop spins."""
    before, began = world.below["rounds"], time.monotonic()
    eventually(lambda: time.monotonic() - began, lambda passed: passed > 1)
    assert (world.below["rounds"] - before) / (time.monotonic() - began) < LAZY


class TestOutbound:
    @pytest.mark.parametrize("kind, number", [pair for pair in OUTBOUND if pair[0] != NAME])
    def test_one_call_that_fails_is_a_try_and_no_more(self, world, kind, number):
        place = world.restaurant().connected("dukkango")
        courier = place.courier()
        for after in range(SOME + 1):
            order = place.order("dukkango")
            session = world.lone()
            world.call("GET", "/livez", ops=True, session=session)  # connected before
            world.below.breaks(kind, number, after=after, times=1)
            eventually(lambda o=order: courier.post(o, 1).status_code, lambda code: code == 200)
            order.settles("done")
            met = world.below["met"]
            world.below.heals()
            assert world.dukkango.told(order) == ["on-the-way"]
            if not met or after == SOME:
                break
        assert world.call("GET", "/readyz", ops=True).status_code == 200

    @pytest.mark.parametrize("number", [EAI_AGAIN, EAI_MEMORY, EAI_SYSTEM])
    def test_a_name_that_is_not_found_is_asked_for_again(self, world, number):
        world.restart(retry_schedule="1200ms,1s,1s")  # it is remembered for a second
        place = world.restaurant().connected("dukkango")
        order = place.order("dukkango")
        world.below.breaks(NAME, number, times=1)
        place.courier().posts(order, 1)
        order.settles("done")
        assert world.dukkango.tried(order) == ["on-the-way"]

    @pytest.mark.parametrize("kind, number", [pair for pair in OUTBOUND if pair[0] in (SOCKET, CONNECT, NAME)])
    def test_while_all_fail_nothing_spins_and_afterwards_it_goes_on(self, world, kind, number):
        place = world.restaurant().connected("dukkango")
        courier, order, other = place.courier(), place.order("dukkango"), place.order()
        with world.below.has(kind, number):
            courier.posts(order, 1)
            failed = order.settles("failed")
            is_lazy(world)
            courier.posts(other, 1)
        data(place.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"))
        order.settles("done")
        assert world.dukkango.tried(order) == ["on-the-way"]


class TestListeners:
    @pytest.mark.parametrize("connected", [0, 1], ids=["alone", "beside one"])
    @pytest.mark.parametrize("number", ACCEPTING)
    def test_who_cannot_be_accepted_waits_and_nothing_spins(self, world, number, connected):
        world.session.close()
        kept = [Raw(world) for _ in range(connected)]
        for one in kept:
            one.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            one.reply()
        with world.below.has(ACCEPT, number):
            with Raw(world) as new:
                new.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                eventually(lambda: world.below["met"], bool)
                is_lazy(world)
                for one in kept:
                    one.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                    one.reply()
                world.below.heals()
                began = time.monotonic()
                assert new.reply().status in (200, 404)
                assert time.monotonic() - began < 15
        for one in kept:
            one.close()

    @pytest.mark.parametrize("number", [*ACCEPTING, errno.ECONNABORTED])
    def test_one_that_could_not_be_accepted_is_accepted_then(self, world, number):
        for after in range(3):
            world.below.breaks(ACCEPT, number, after=after, times=1)
            for _ in range(4):
                assert world.lone().get(f"http://{world.ops_address}/livez", timeout=30).status_code == 200
