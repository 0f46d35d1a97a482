# SPDX-License-Identifier: Apache-2.0
"""test_crash.py - kill -9 at random instants under load: what was said, what is kept and what was told agree, id by id."""

from crash import plays
from fake import Late
from ledger import STEPS
from world import FAKES


def test_a_few_times():
    plays(8)


def test_a_call_that_is_handled_after_the_next_start_is_waited_for(world):
    """Whoever asked at once would not see it, and what came next would overtake it."""
    place = world.restaurant().connected(*FAKES)
    courier, orders, late = place.courier(), {}, []
    for name in FAKES:
        late.append(Late(done=False))
        world.platform(name).next("on-the-way", late[-1])
        orders[name] = place.order(name, "hazir")
        courier.posts(orders[name], 1)
        assert late[-1].entered.wait(20)
    world.kill()
    world.start()
    for order in orders.values():
        courier.posts(order, 2)
    other = place.order("dukkango", "hazir")
    courier.posts(other, 1)
    world.dukkango.received("on-the-way", other)  # nobody else waits
    assert [world.platform(name).about(order) for name, order in orders.items()] == [[]] * len(orders)
    for one in late:
        one.released.set()
    for name, order in orders.items():
        order.settles("done" if "delivered" in STEPS[name] else "skipped")
        assert world.platform(name).told(order) == [step for step in STEPS[name] if step in ("on-the-way", "delivered")]
