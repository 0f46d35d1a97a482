# SPDX-License-Identifier: Apache-2.0
"""test_guard.py - a courier firm's address is a stranger's: where it may not lead, and what the restaurant is told."""

import select
import socket

import pytest

from process import WAIT
from world import World, eventually

REFUSED = "the address may not be called"
SPELLINGS = ["127.0.0.1", "localhost", "LocalHost", "127.1", "0x7f000001", "0X7F.1", "2130706433", "0177.0.0.1", "0.0.0.0",
             "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]
INSIDE = ["169.254.169.254", "10.0.0.1", "192.168.1.1", "100.64.0.1", "[fd00:ec2::254]", "[fe80::1]"]


@pytest.fixture(scope="module")
def guarded():
    """A world whose settings list nothing."""
    with World(outbound_allow=None, retry_schedule="10ms") as made:
        yield made


@pytest.fixture(scope="module")
def listed():
    """One whose settings list this machine's loopback."""
    with World(outbound_allow="10.0.0.0/8,127.0.0.0/8", retry_schedule="10ms") as made:
        yield made


@pytest.fixture
def inside():
    """What listens on this machine, to both families where there are two, and is to be left alone."""
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    with socket.create_server(("", 0), family=family, dualstack_ipv6=both) as listener:
        yield listener


def is_called(listener, within=0):
    return bool(select.select([listener], [], [], within)[0])


def order_for(world, url):
    """An order that a courier firm with this address is to be told of."""
    restaurant = world.restaurant()
    restaurant.courier(dispatchUrl=url)
    return restaurant.order()


def fails(order):
    """Waits for the end of all tries; returns why."""
    return eventually(lambda: order.delivery("courier"), lambda told: told and told["state"] == "failed")["reason"]


@pytest.mark.parametrize("host", SPELLINGS)
def test_this_machine_is_not_called_however_it_is_spelt(guarded, inside, host):
    assert fails(order_for(guarded, f"https://{host}:{inside.getsockname()[1]}/orders")) == REFUSED
    assert not is_called(inside)


@pytest.mark.parametrize("host", INSIDE)
def test_what_is_inside_is_not_called(guarded, host):
    assert fails(order_for(guarded, f"https://{host}/orders")) == REFUSED


def test_what_the_settings_list_is_called(listed, inside):
    order_for(listed, f"https://127.0.0.1:{inside.getsockname()[1]}/orders")
    assert is_called(inside, WAIT)


def test_by_plain_http_only_what_is_listed_is_called(listed, inside):
    order_for(listed, f"http://127.0.0.1:{inside.getsockname()[1]}/orders")
    assert is_called(inside, WAIT)
    assert fails(order_for(listed, "http://8.8.8.8/orders")) == f"{REFUSED} by plain http"


def test_what_they_do_not_list_is_not(listed, inside):
    assert fails(order_for(listed, f"https://[::1]:{inside.getsockname()[1]}/orders")) == REFUSED
    assert not is_called(inside)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::ffff:127.0.0.1]"])
def test_it_never_calls_itself(listed, host):
    for address in (listed.address, listed.ops_address):
        port = address.rsplit(":", 1)[1]
        assert fails(order_for(listed, f"https://{host}:{port}/")) == REFUSED
        assert fails(order_for(listed, f"http://{host}:{port}/")) == f"{REFUSED} by plain http"
