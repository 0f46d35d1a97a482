# SPDX-License-Identifier: Apache-2.0
"""test_guard.py - a courier firm's address is a stranger's: where it may not lead, and what the restaurant is told."""

import re
import select
import socket

import pytest

from process import WAIT
from world import World, eventually, refused

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


def is_given(world, url):
    """Whether it is taken as an address at all."""
    restaurant = world.restaurant()
    answer = restaurant.call("POST", f"{restaurant.path}/courier-integrations", {"name": "Kurye", "dispatchUrl": url})
    if answer.status_code != 201:
        refused(answer, 400, "Geçersiz alan: dispatchUrl")
    return answer.status_code == 201


@pytest.mark.parametrize("host", SPELLINGS)
def test_this_machine_is_not_called_however_it_is_spelt(guarded, inside, host):
    url = f"https://{host}:{inside.getsockname()[1]}/orders"
    if is_given(guarded, url):  # a name to curl, which shows where it leads when it is called
        assert re.search("[g-wyz]", host, re.IGNORECASE) or host == "0X7F.1"
        assert fails(order_for(guarded, url)) == REFUSED
    assert not is_called(inside)


@pytest.mark.parametrize("host", INSIDE)
def test_what_is_inside_is_not_taken(guarded, host):
    assert not is_given(guarded, f"https://{host}/orders")


def test_what_was_listed_once_is_judged_by_the_settings_of_today(inside):
    with World(outbound_allow="127.0.0.0/8", retry_schedule="10ms") as world:
        restaurant = world.restaurant()
        restaurant.courier(dispatchUrl=f"https://127.0.0.1:{inside.getsockname()[1]}/orders")
        world.restart(outbound_allow=None)
        assert fails(restaurant.order()) == REFUSED
        assert not is_called(inside)


def test_what_the_settings_list_is_called(listed, inside):
    order_for(listed, f"https://127.0.0.1:{inside.getsockname()[1]}/orders")
    assert is_called(inside, WAIT)


def test_by_plain_http_only_what_is_listed_is_called(listed, inside):
    order_for(listed, f"http://127.0.0.1:{inside.getsockname()[1]}/orders")
    assert is_called(inside, WAIT)
    assert not is_given(listed, "http://8.8.8.8/orders")
    assert is_given(listed, "https://8.8.8.8/orders")


def test_what_they_do_not_list_is_not(listed, inside):
    assert not is_given(listed, f"https://[::1]:{inside.getsockname()[1]}/orders")
    assert not is_called(inside)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::ffff:127.0.0.1]", "localhost"])
def test_it_never_calls_itself(listed, host):
    for address in (listed.address, listed.ops_address):
        port = address.rsplit(":", 1)[1]
        if host == "localhost":
            assert fails(order_for(listed, f"https://{host}:{port}/")) == REFUSED
            assert fails(order_for(listed, f"http://{host}:{port}/")) == f"{REFUSED} by plain http"
        else:
            assert not is_given(listed, f"https://{host}:{port}/") and not is_given(listed, f"http://{host}:{port}/")
