# SPDX-License-Identifier: Apache-2.0
"""test_health.py - what /livez and /readyz say of each thing that can be wrong, and that they say it at once."""

import signal
import threading

import pytest
import requests

from threads import stopped
from world import World, eventually

WELL = {"ready": True, "store": "ok", "loops": "ok", "draining": False, "oldestOwedSeconds": 0}


def asked(world, path="/readyz", method="GET", **more):
    answer = World.lone().request(method, f"http://{world.ops_address}{path}", timeout=30, **more)
    return answer.status_code, answer.json() if answer.text else None


def is_unready(world, **wrong):
    """Waits until it is, and says why; meanwhile it is alive."""
    told = eventually(lambda: asked(world), lambda told: told[0] == 503, pause=0.1)
    assert told[1] == told[1] | {"ready": False, **wrong}
    assert asked(world, "/livez") == (200, {"status": "ok"})


def is_well_again(world):
    eventually(lambda: asked(world), lambda told: told == (200, WELL), pause=0.1)


@pytest.fixture(scope="module")
def world():
    with World(request_deadline="1s", core_dumps="allowed") as world:  # threads are stopped as by a debugger
        yield world


def test_well_is_said_in_full_and_to_head_without_a_body(world):
    assert asked(world) == (200, WELL)
    assert asked(world, "/livez") == (200, {"status": "ok"})
    for path in ("/livez", "/readyz", "/metrics"):
        head = World.lone().head(f"http://{world.ops_address}{path}")
        assert (head.status_code, head.content) == (200, b"") and int(head.headers["Content-Length"]) > 0


LOOPS = ("client", "hub", "outbound", "poller")


def test_a_loop_that_is_stuck_is_named(world):
    with stopped(world.server.process, *LOOPS):
        eventually(lambda: asked(world)[1].get("stuck"), lambda names: names == " ".join(LOOPS), pause=0.1)
        is_unready(world, store="ok", loops="stuck", stuck=" ".join(LOOPS), draining=False)
    is_well_again(world)


def test_an_event_loop_that_is_stuck_answers_nothing(world):
    with stopped(world.server.process, "kuryed"):
        for path in ("/livez", "/readyz"):
            with pytest.raises(requests.Timeout):
                World.lone().get(f"http://{world.ops_address}{path}", timeout=0.3)
    is_well_again(world)


@pytest.mark.mongodb_only
def test_a_mongodb_that_is_away_is_the_store(world):
    with world.stalled():
        is_unready(world, store="failing", loops="ok", draining=False)
    is_well_again(world)


@pytest.mark.embedded_only
def test_a_store_that_does_not_answer_is_told_by_the_deadline(world):
    """Nobody reads: threads that hang in a disk."""
    with stopped(world.server.process, "store-reader"):
        is_unready(world, store="failing", loops="ok", draining=False)
    is_well_again(world)


@pytest.mark.embedded_only
def test_a_disk_that_takes_no_write_is_the_store(world):
    """Reads go on, from memory; a commit hangs."""
    courier = world.restaurant().courier()
    order = courier.restaurant.order()
    with stopped(world.server.process, "store-writer"):
        assert courier.post(order, 1).status_code == 500
        is_unready(world, store="failing", loops="ok", draining=False)
    is_well_again(world)
    courier.posts(order, 1)


def test_what_is_owed_makes_nobody_unready(world):
    place = world.restaurant().connected("dukkango")
    order = place.order("dukkango")
    hang = world.dukkango.hang("on-the-way")
    place.courier().posts(order, 1)
    assert hang.entered.wait(20)
    told = eventually(lambda: asked(world), lambda told: told[1]["oldestOwedSeconds"] > 0, pause=0.1)
    assert told == (200, WELL | {"oldestOwedSeconds": told[1]["oldestOwedSeconds"]})
    world.dukkango.release()
    order.settles("done")
    is_well_again(world)


def test_a_server_that_stops_says_so_until_it_is_gone():
    with World() as world:
        courier = world.restaurant().courier()
        order = courier.restaurant.order()
        with world.stalled():
            held = threading.Thread(target=courier.post, args=(order, 1))
            held.start()
            eventually(lambda: world.call("GET", "/metrics", ops=True).text, lambda text: "kuryed_http_held_requests 1\n" in text)
            world.server.signal(signal.SIGTERM)
            is_unready(world, draining=True, loops="ok")
        held.join()
        assert world.server.wait() == 0
