# SPDX-License-Identifier: Apache-2.0
"""test_healthcheck.py - `kuryed healthcheck` beside the server that it asks."""

import signal

import pytest

from process import Kuryed
from world import World


def healthcheck(listen, *arguments):
    """Its exit status and what it said."""
    run = Kuryed({"KURYE_OPS_LISTEN": listen}, ["healthcheck", *arguments])
    return run.wait(), run.text()


@pytest.mark.parametrize("arguments", [(), ("--ready",)])
def test_a_server_that_is_well(shared, arguments):
    status, said = healthcheck(shared.ops_address, *arguments)
    assert (status, said.count("\n")) == (0, 0) and ": 200 {" in said


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "localhost:0", "[::1]:0", "[::]:0"])
def test_wherever_it_listens(listen):
    with World(ops_listen=listen) as world:
        host, port = listen.rsplit(":", 1)[0], world.ops_address.rsplit(":", 1)[1]
        assert healthcheck(f"{host}:{port}")[0] == 0


@pytest.mark.mongodb_only
def test_a_store_that_is_away_makes_it_unready_and_not_unwell(world):
    with world.stalled():
        assert healthcheck(world.ops_address, "--ready")[0] == 1
        assert healthcheck(world.ops_address)[0] == 0


@pytest.mark.embedded_only
def test_a_full_disk_makes_it_unready_and_not_unwell(world):
    place = world.restaurant()
    courier, order = place.courier(), place.order()
    world.server.disk_full()
    assert courier.post(order, 1).status_code == 500
    status, said = healthcheck(world.ops_address, "--ready")
    assert status == 1 and '/readyz: 503 {"ready":false,"store":"failing"' in said
    assert healthcheck(world.ops_address)[0] == 0
    world.server.disk_full(False)


def test_a_server_that_hangs_is_unwell_until_it_goes_on(world):
    world.server.signal(signal.SIGSTOP)
    status, said = healthcheck(world.ops_address)
    assert (status, said.count("\n")) == (1, 0) and world.ops_address in said
    world.server.signal(signal.SIGCONT)
    assert healthcheck(world.ops_address)[0] == 0


def test_nobody_there(world):
    world.server.stop()
    assert healthcheck(world.ops_address)[0] == 1


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "nowhere"])
def test_an_address_that_tells_nobody_where_to_ask(listen):
    status, said = healthcheck(listen)
    assert status == 1 and "KURYE_OPS_LISTEN" in said


def test_wrong_arguments():
    status, said = healthcheck("127.0.0.1:9090", "--alive")
    assert status == 64 and "usage: kuryed healthcheck" in said
