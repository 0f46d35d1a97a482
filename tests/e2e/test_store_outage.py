# SPDX-License-Identifier: Apache-2.0
"""test_store_outage.py - MongoDB absent, killed, frozen, stepping down, and back: nobody restarts kuryed for it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mongo_relay import refuses
from process import Kuryed
from stores import direct
from test_lifecycle import Load
from world import PLATFORMS, World, eventually, refused

pytestmark = pytest.mark.mongodb_only

DEADLINE, SLACK = 1.0, 1.0  # of the worlds here, and what a busy machine may add
NOT_UPDATED = (500, "Sipariş güncellenemedi")
BUSY = (503, "Sunucu meşgul, lütfen yeniden deneyin")
ROWS = {NOT_UPDATED[0]: NOT_UPDATED, BUSY[0]: BUSY}
SECRET = "gizli-parola"


SETTINGS = {"request_deadline": "1s", "outbound_timeout": "500ms", "lease_slack": "200ms"}


@pytest.fixture
def world():
    with World(**SETTINGS) as made:
        doubt(made)
        eventually(lambda: readiness(made), lambda status: status == 200)  # with so short a deadline nobody waits for its store
        yield made


def doubt(world):
    """What a platform answered may get lost on its way into the store: it is then asked again."""
    for name in PLATFORMS:
        world.platform(name).doubt()


@pytest.fixture
def place(world):
    return world.restaurant().connected(*PLATFORMS)


def readiness(world):
    return world.call("GET", "/readyz", ops=True).status_code


def comes_back(world):
    """kuryed itself looks once a second; libmongoc by itself would in ten."""
    began = time.monotonic()
    eventually(lambda: readiness(world), lambda status: status == 200)
    assert time.monotonic() - began < 5


def bad_day(answer):
    """An answer while there is no store: in the contract's shape, and with the word when to come again."""
    refused(answer, *ROWS[answer.status_code])
    assert int(answer.headers["Retry-After"]) >= 1


def in_time(act):
    began = time.monotonic()
    answer = act()
    assert time.monotonic() - began < DEADLINE + SLACK
    return answer


def stopped(world, **settings):
    """The binary where it cannot start, and how it ends."""
    server = Kuryed(world.environment(**settings))
    return server, server.wait()


class TestAbsent:
    def test_it_starts_says_so_once_and_is_ready_when_mongodb_comes(self, world, place):
        courier, order = place.courier(), place.order("dukkango", "hazir")
        assert world.server.stop()[0] == 0
        world.store.relay.down()
        world.start()
        line = world.server.log_contains(event="store_failed")
        assert line["level"] in ("warn", "warning", "error") and line["reason"]
        assert (readiness(world), world.call("GET", "/livez", ops=True).status_code) == (503, 200)
        for _ in range(3):
            bad_day(in_time(lambda: courier.post(order, 1)))
        assert len(world.server.logged(event="store_failed")) == 1
        world.store.relay.up()
        comes_back(world)
        world.server.log_contains(event="store_recovered")
        courier.posts(order, 1)
        order.settles("done")
        assert world.dukkango.tried(order) == ["on-the-way"]

    def test_it_makes_its_indexes_when_it_comes(self, world):
        """A database that nobody has seen yet: all that a start does is done then."""
        assert world.server.stop()[0] == 0
        direct().drop_database(world.store.database.name)
        world.store.relay.down()
        world.start()
        world.server.log_contains(event="store_failed")
        world.store.relay.up()
        comes_back(world)
        place = world.restaurant()
        body = {"platform": "phone", "platformOrderId": "bir", "price": 1, "paymentMethod": "cash",
                "orderType": "gel_al"}
        assert [place.call("POST", "/api/v1/orders", body).status_code for _ in range(2)] == [201, 200]
        assert any(index.get("unique") for index in world.store.database.orders.index_information().values()
                   if index["key"][0][0] == "restaurantId")

    def test_it_can_be_stopped_meanwhile(self, world):
        assert world.server.stop()[0] == 0
        world.store.relay.down()
        world.start()
        world.server.log_contains(event="store_failed")
        status, took = world.server.stop()
        assert (status, took < 10) == (0, True)

    def test_one_that_takes_connections_and_is_silent_is_the_same(self, world):
        assert world.server.stop()[0] == 0
        with world.store.relay.frozen():
            world.start()
            world.server.log_contains(event="store_failed")
            assert (readiness(world), world.call("GET", "/livez", ops=True).status_code) == (503, 200)
        comes_back(world)  # the first question had been answered after all, or its time is over


class Day(Load):
    """Couriers that go on through an outage: each repeats what was answered with row 9 or 10, as the contract says."""

    def one(self, session, courier, order):
        for status in (1, 2):
            key = {"Idempotency-Key": f"{order.id}-{status}"}
            while True:
                answer = in_time(lambda: courier.post(order, status, session=session, headers=key))
                if answer.status_code == 200:
                    break
                bad_day(answer)
                self.troubled.set()
                threading.Event().wait(0.05)
            with self.changed:
                self.acknowledged[order.id] = status
                self.changed.notify_all()
        return True

    def __init__(self, *args, **more):
        self.troubled = threading.Event()
        super().__init__(*args, **more)


class TestInTheMiddle:
    """Nothing acknowledged is lost, every answer is in time, and what was owed goes out when it is back."""

    def goes_on(self, world, place, begin, end):
        pid = world.server.process.pid
        load = Day(world, place, {"trendyolyemek": 15, "dukkango": 15})
        with load.running():
            load.answered(10)
            begin()
            assert load.troubled.wait(20)
            eventually(lambda: readiness(world), lambda status: status == 503)
            assert world.call("GET", "/livez", ops=True).status_code == 200
            end()
            comes_back(world)
        assert len(load.acknowledged) == 30 and set(load.acknowledged.values()) == {2}
        load.check(unanswered_may_have_moved=False)
        assert (world.server.alive(), world.server.process.pid) == (True, pid)
        for _, order, _ in load.work:
            assert [row["status"] for row in order.now()["history"]] == ["hazir", "teslim-edilecek", "teslim-edildi"]

    def test_killed(self, world, place):
        self.goes_on(world, place, world.store.relay.down, world.store.relay.up)

    def test_frozen(self, world, place):
        self.goes_on(world, place, world.store.relay.freeze, world.store.relay.thaw)

    def test_its_primary_steps_down_and_another_is_found(self):
        with World(**SETTINGS) as world:
            doubt(world)
            relay = world.store.relay
            relay.pose_as_set()
            world.restart(store=relay.uri(world.store.database.name))
            self.goes_on(world, world.restaurant().connected(*PLATFORMS), relay.step_down, relay.step_up)

    def test_cut_again_and_again(self, world, place):
        """A network that loses its connections: hardly anybody notices, for each command is asked once more."""
        load = Day(world, place, {"trendyolyemek": 15, "dukkango": 15})
        with load.running():
            for count in range(5, 55, 5):
                load.answered(count)
                world.store.relay.cut()
        load.check(unanswered_may_have_moved=False)

    def test_what_was_owed_before_goes_out_after(self, world, place):
        courier, orders = place.courier(), [place.order("dukkango", "hazir") for _ in range(6)]
        hang = world.dukkango.hang("on-the-way", times=4)
        for order in orders:
            courier.posts(order, 1)
        hang.holds(4)
        world.store.relay.down()
        hang.released.set()
        world.server.log_contains(event="store_failed")
        world.store.relay.up()
        for order in orders:
            order.settles("done")
            assert world.dukkango.told(order) == ["on-the-way"]

    def test_many_wait_and_memory_does_not_grow(self, world, place):
        """A store that is silent costs each request its deadline and nothing else."""
        courier, order = place.courier(), place.order("dukkango", "hazir")
        courier.asks("ping")
        sessions = [world.lone() for _ in range(100)]
        with world.stalled(), ThreadPoolExecutor(len(sessions)) as pool:
            answers = list(pool.map(lambda session: in_time(lambda: courier.post(order, 1, session=session)), sessions))
        for answer in answers:
            bad_day(answer)
        comes_back(world)
        courier.posts(order, 1)
        assert [row[0] for row in order.steps()].count("teslim-edilecek") == 1

    def test_other_routes_have_their_own_words(self, world, place):
        world.store.relay.down()
        answer = in_time(lambda: place.call("GET", "/api/v1/orders"))
        refused(answer, answer.status_code, {500: "Sunucu hatası", **dict([BUSY])}[answer.status_code])
        world.store.relay.up()
        eventually(lambda: place.call("GET", "/api/v1/orders").status_code, lambda status: status == 200)

    def test_a_slow_one_is_waited_for(self, world, place):
        courier, order = place.courier(), place.order("dukkango", "hazir")
        world.store.relay.delay = 0.2
        courier.posts(order, 1)
        world.store.relay.delay = 0.0
        order.settles("done")


class TestRefused:
    """What no waiting mends is said clearly."""

    @pytest.mark.parametrize("code, command", [(13, "createIndexes"), (18, "saslStart")])
    def test_a_server_that_does_not_let_us_in(self, world, code, command):
        assert world.server.stop()[0] == 0
        relay = world.store.relay
        rule = relay.on(command, times=1 << 30, then=refuses(code))
        where = relay.uri(world.store.database.name, user=f"kurye:{SECRET}", authMechanism="SCRAM-SHA-256") \
            if code == 18 else world.store.where
        server, status = stopped(world, store=where)
        rule.met()
        assert status > 0 and SECRET not in server.text() and not server.noise
        assert {13: "Unauthorized", 18: "uthenticat"}[code] in server.log_contains(level="error")["reason"]

    def test_one_that_comes_and_does_not_let_us_in(self, world):
        """Not the first trouble only is told: what it is now, too."""
        assert world.server.stop()[0] == 0
        relay = world.store.relay
        relay.down()
        world.start()
        world.server.log_contains(event="store_failed")
        began = time.monotonic()
        eventually(lambda: time.monotonic() - began, lambda took: took > 1)  # one line a second says the same event
        relay.on("createIndexes", times=1 << 30, then=refuses(13))
        relay.up()
        eventually(lambda: [line for line in world.server.logged(event="store_failed")
                            if "Unauthorized" in line["reason"]], bool)
        assert readiness(world) == 503 and len(world.server.logged(event="store_failed")) <= 4
        relay.heals()
        comes_back(world)

    def test_an_index_in_the_way(self, world):
        assert world.server.stop()[0] == 0
        orders = world.store.database.orders
        name = next(name for name, index in orders.index_information().items() if index.get("unique"))
        orders.drop_index(name)
        orders.create_index([("somebodyElses", 1)], name=name)
        server, status = stopped(world)
        assert status > 0 and name in server.text() and "orders" in server.text()
        assert orders.index_information()[name]["key"] == [("somebodyElses", 1)]  # it is theirs
        orders.drop_index(name)
        world.start()
        assert name in orders.index_information()

    @pytest.mark.parametrize("options", ["retryWrites=maybe", "w=majority&w=1&nonsense", ""])
    def test_a_uri_that_is_none(self, world, options):
        bad = {"": "mongodb://"}.get(options, f"mongodb://127.0.0.1:1/?{options}")
        server, status = stopped(world, store=bad)
        assert status == 78 and "KURYE_STORE" in server.text() + server.stdout


class TestNeighbours:
    def test_two_on_one_server_do_not_meddle(self, world):
        with World(request_deadline="2s") as other:
            mine, theirs = world.restaurant().connected("dukkango"), other.restaurant().connected("dukkango")
            order, stranger = mine.order("dukkango", "hazir"), theirs.order("dukkango", "hazir")
            refused(other.call("GET", mine.path, token=mine.token), 401, "Kimlik doğrulama gerekli")
            world.store.relay.down()
            theirs.courier().posts(stranger, 1)
            stranger.settles("done")
            world.store.relay.up()
            eventually(lambda: readiness(world), lambda status: status == 200)
            assert order.now()["status"] == "hazir"
            assert world.dukkango.calls == [] or order.platform_id not in str(world.dukkango.calls)
            assert other.store.database.orders.count_documents({}) == 1

    def test_its_write_concern_is_ours_whatever_the_uri_says(self, world):
        world.restart(store=world.store.relay.uri(world.store.database.name, w=1, journal="false"))
        world.store.relay.forget()
        world.restaurant().order()
        concerns = [one.document["writeConcern"] for one in world.store.relay.seen("insert")]
        assert concerns and all((one["w"], one["j"]) == ("majority", True) for one in concerns)
