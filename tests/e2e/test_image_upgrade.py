# SPDX-License-Identifier: Apache-2.0
"""test_image_upgrade.py - from the version before to this one, under load: nobody notices, and all is there."""

import pytest

from container import BUILT, IMAGE, PREVIOUS, Containers, ContainerWorld, inspect
from test_lifecycle import Load
from test_servers import LEASE, SETTINGS, SLACK, Day, Servers, slow
from world import PLATFORMS, World, eventually

pytestmark = [BUILT, pytest.mark.skipif(not PREVIOUS, reason="KURYE_TEST_PREVIOUS_IMAGE names no image")]


class Elder:
    """A world of the version before, at first: its answers are not what this version's document describes."""

    @staticmethod
    def lone():
        session = World.lone()
        session.hooks["response"].clear()
        return session


class Alone(Elder, ContainerWorld):
    pass


class Fleet(Elder, Containers, Servers):
    """Three of them behind nginx, all of the version before at first."""

    image = PREVIOUS

    def versions(self):
        return [inspect(server.process.name, ".Image") for server in self.all]


@pytest.mark.mongodb_only
def test_both_versions_run_side_by_side_while_one_after_the_other_is_replaced():
    with Fleet(**SETTINGS) as world:
        slow(world, 0.03)  # so that there always are calls under way
        load = Day(world, ride=0)
        with load.running():
            world.image = IMAGE
            for number, server in enumerate(world.all, 1):
                load.answered(140 * number)
                status, took = server.process.stop()
                assert (status, took < 10) == (0, True)
                server.start()
                assert world.versions() == number * [IMAGE] + (3 - number) * [PREVIOUS]
        eventually(world.owed, lambda count: count == 0, timeout=LEASE + SLACK)
        load.kept()
        assert not load.setbacks and not load.repeated()


@pytest.mark.embedded_only
def test_the_embedded_store_is_taken_over_as_it_is():
    with Alone(image=PREVIOUS) as world:
        place = world.restaurant().connected(*PLATFORMS)
        load = Load(world, place, {name: 60 for name in PLATFORMS})
        with load.running():
            load.answered(60)
            status, took = world.server.stop()
        assert (status, took < 10) == (0, True)
        before = {order.id: load.acknowledged.get(order.id) for _, order, _ in load.work}
        world.image = IMAGE
        world.start()
        assert inspect(world.server.name, ".Image") == IMAGE
        load.check(unanswered_may_have_moved=False)
        rest = [(courier, order) for courier, order, _ in load.work if before[order.id] != 2]
        assert rest, "it was over before it was stopped"
        for courier, order in rest:
            courier.posts(order, 2)
            order.settles("done")
