# SPDX-License-Identifier: Apache-2.0
"""test_servers.py - three kuryed on one database behind nginx: what one of them took, all of them keep."""

import socket
import threading
import time
from collections import Counter
from datetime import datetime

import pytest
import requests

from fake import takes
from mongo_relay import Relay
from proxy import Proxy
from stores import MONGODB_URI
from test_lifecycle import Load
from test_metrics import claims
from world import PLATFORMS, Restaurant, World, data, eventually, refused, together
from yandex import Yandex, complained

pytestmark = pytest.mark.mongodb_only

CALL, LEASE = 2.0, 4.5  # seconds: of one call to a platform, and of a claim
SLACK = 2.0  # for a look at what is due, once a second, and for a busy machine
SETTINGS = {"request_deadline": "2s", "outbound_timeout": "2s", "lease_slack": "500ms"}
REVOKED = 5.0  # by then a secret that was taken back is dead everywhere
STEPS = ("on-the-way", "delivered")
PING = "/api/v1/webhook/courier/ping"
OWED = {"out.platform.at": {"$gt": datetime(1970, 1, 1)}}


class Server:
    """One of them: its address is its own, and so is its way to the store. Both stay the same after a restart."""

    call, admin, restaurant = World.call, World.admin, World.restaurant

    def __init__(self, world):
        self.world, self.admin_token, self.session = world, world.admin_token, world.lone()
        self.relay = Relay(MONGODB_URI)
        self._place = socket.socket()  # bound, and not listened on: keeps the port while nobody is there
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.address = "%s:%d" % self._place.getsockname()
        self.start()

    def start(self):
        self.killed = False
        store = self.relay.uri(self.world.store.database.name)
        self.process = self.world.program(self.world.environment(listen=self.address, store=store))
        self.ops_address = self.process.log_contains(event="listening")["opsListen"]

    def kill(self):
        self.process.kill()
        self.killed = True
        self.world.doubt()

    def cut_off(self, how="freeze"):
        self.world.doubt()
        {"freeze": self.relay.freeze, "down": self.relay.down}[how]()

    def back(self, how="freeze"):
        {"freeze": self.relay.thaw, "down": self.relay.up}[how]()

    def close(self):
        """Returns how it ended; 0 if a test killed it."""
        self.relay.thaw()
        status = 0 if self.killed else self.process.stop()[0]
        self.relay.close()
        self._place.close()
        return status

    def readiness(self):
        return self.call("GET", "/readyz", ops=True).status_code

    def sees(self, thing):
        """The same restaurant, courier or order, talked to through this server alone."""
        if isinstance(thing, Restaurant):
            return Restaurant(self, thing.id, thing.token)
        return type(thing)(self.sees(thing.restaurant), thing.made)


class Servers(World):
    """What World promises of one, through nginx; each alone is in `all`."""

    def start(self):
        self.all = [Server(self) for _ in range(3)]
        self.proxy = Proxy(self.folder, [server.address for server in self.all])
        self.address, self.session = self.proxy.address, self.lone()

    def doubt(self):
        for name in PLATFORMS:
            self.platform(name).doubt()

    def __exit__(self, failed, *rest):
        for name in PLATFORMS:
            self.platform(name).release()
        ends = [server.close() for server in self.all]
        self.proxy.close()
        self.server = self.all[0].process
        super().__exit__(failed, *rest)
        if not failed:
            assert ends == [0, 0, 0]
            assert not any(server.process.noise for server in self.all)

    def owed(self):
        return self.store.database.orders.count_documents(OWED)


@pytest.fixture
def world():
    with Servers(**SETTINGS) as made:
        yield made


class Day(Load):
    """Couriers that repeat whatever was not taken, as the contract tells them to. Each sets out with as many orders as
    `ride` says before the first of them is delivered; 0: one after the other."""

    def __init__(self, world, ride):
        self.ride, self.setbacks = ride, []
        super().__init__(world, world.restaurant().connected(*PLATFORMS), dict.fromkeys(PLATFORMS, 10), restaurants=15)

    def run(self, worker, workers):
        session, mine = self.world.lone(), self.work[worker::workers]
        for number in range(len(mine) + self.ride):
            for status, at in ((1, number), (2, number - self.ride)):
                if 0 <= at < len(mine):
                    self.report(session, *mine[at][:2], status)

    def report(self, session, courier, order, status):
        while not self.taken(session, courier, order, status):
            threading.Event().wait(0.05)
        with self.changed:
            self.acknowledged[order.id] = status
            self.changed.notify_all()

    def taken(self, session, courier, order, status):
        key = {"Idempotency-Key": f"{order.id}-{status}"}
        try:
            answer = courier.post(order, status, session=session, headers=key)
        except requests.RequestException as why:
            self.setbacks.append(repr(why))
            return False
        if answer.status_code == 200:
            return True
        assert answer.status_code in (500, 503), answer.text
        self.setbacks.append(answer.text)
        return False

    def kept(self):
        """Id by id: the store has each status once, the platform was told of each once and in order."""
        for _, order, name in self.work:
            assert [row["status"] for row in order.now()["history"]] == ["hazir", "teslim-edilecek", "teslim-edildi"]
            assert self.world.platform(name).told(order) == ["on-the-way", "delivered"]

    def repeated(self):
        """When a platform was asked for what it was asked for again later."""
        return [call.at for _, order, name in self.work for step in STEPS
                for call in [call for call in self.world.platform(name).about(order) if call.step == step][:-1]]


def slow(world, seconds):
    for name in PLATFORMS:
        for step in STEPS:
            world.platform(name).next(step, takes(seconds), times=1000)


class TestBadDay:
    @pytest.mark.parametrize("how", ["freeze", "down"])
    def test_one_is_killed_and_another_cut_off(self, world, how):
        """No courier notices, nothing is lost or done twice, and who was cut off needs nobody's help."""
        slow(world, 0.03)  # so that there always are calls under way
        first, second, third = world.all
        untouched = [second.process.process.pid, third.process.process.pid]
        load = Day(world, ride=0)
        with load.running():
            load.answered(100)
            killed = time.monotonic()
            first.kill()
            load.answered(200)
            cut = time.monotonic()
            second.cut_off(how)
            load.answered(300)
            eventually(second.readiness, lambda status: status == 503)
            first.start()
            load.answered(450)
            second.back(how)
            back = time.monotonic()
        eventually(world.owed, lambda count: count == 0, timeout=LEASE + SLACK)
        load.kept()
        print(f"{how}: {len(load.repeated())} calls were repeated; the couriers met {load.setbacks}")
        assert not load.setbacks
        for at in load.repeated():
            assert killed - CALL <= at <= killed + CALL or cut - CALL <= at <= back, "asked again without need"
        eventually(second.readiness, lambda status: status == 200)
        assert untouched == [second.process.process.pid, third.process.process.pid]
        assert all(one.process.alive() for one in world.all)


    def test_they_are_replaced_one_by_one(self, world):
        """As an upgrade does it: nobody notices, and no call is made twice."""
        slow(world, 0.03)
        load = Day(world, ride=0)
        with load.running():
            for number, server in enumerate(world.all, 1):
                load.answered(140 * number)
                assert server.process.stop()[0] == 0
                server.start()
        eventually(world.owed, lambda count: count == 0, timeout=LEASE + SLACK)
        load.kept()
        assert not load.setbacks and not load.repeated()


class TestProxy:
    """Where no server can answer, a courier still hears the contract's words."""

    def test_with_nobody_there(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        for server in world.all:
            server.kill()
        for answer, words in ((courier.post(order, 1), "Sipariş güncellenemedi"),
                              (place.call("GET", place.path), "Sunucu hatası")):
            assert refused(answer, 500, words).headers["Retry-After"] == "1"
        complained(world.call("GET", f"/order/{order.id}/status"), 500)
        complained(world.call("POST", "/security/oauth/token", {}), 500)

    def test_with_no_store_there(self, world):
        place = world.restaurant().connected("dukkango")
        courier, order = place.courier(), place.order("dukkango", "hazir")
        for server in world.all:
            server.cut_off("down")
        answer = courier.post(order, 1)
        assert answer.status_code in (500, 503) and answer.json()["statusCode"] == answer.status_code
        for server in world.all:
            server.back("down")
        eventually(lambda: courier.post(order, 1).status_code, lambda status: status == 200, timeout=5)
        order.settles("done")
        assert world.dukkango.told(order) == ["on-the-way"]


class TestClaims:
    """At most one in twenty is lost to another server."""

    def few_are_lost(self, world, least):
        eventually(world.owed, lambda count: count == 0)
        made = sum((Counter(claims(server)) for server in world.all), Counter())
        print(f"claims: {dict(made)}")
        assert made["won"] >= least and made["lost"] <= 0.05 * sum(made.values())

    def test_under_a_steady_load(self, world):
        load = Day(world, ride=10)
        with load.running():
            pass
        self.few_are_lost(world, len(load.work))
        load.kept()
        assert not load.setbacks and not load.repeated()

    def test_when_more_is_owed_than_the_accounts_take(self, world):
        """What waits for its account for longer than the grace is anybody's."""
        slow(world, 0.4)
        place = world.restaurant().connected("dukkango")
        courier, orders = place.courier(), [place.order("dukkango", "hazir") for _ in range(100)]

        def post(number):
            session = world.lone()
            for order in orders[number::4]:
                courier.posts(order, 1, session=session)
        together(4, post)
        self.few_are_lost(world, len(orders))
        assert {tuple(world.dukkango.tried(order)) for order in orders} == {("on-the-way",)}


    def test_nobody_takes_over_from_who_is_at_a_slow_platform(self, world):
        """All steps together take longer than a lease, which each of them renews."""
        orders = {name: world.restaurant().connected(name).order(name, "yeni", orderType="gel_al") for name in PLATFORMS}
        for name, order in orders.items():
            for step in ("login", "accept", "ready", *STEPS):
                world.platform(name).next(step, takes(1.6))
            order.becomes("teslim-edildi")
        for name, order in orders.items():
            order.settles("done")
            steps = ["accept", "ready", *STEPS] if name == "trendyolyemek" else ["accept", *STEPS]
            assert world.platform(name).tried(order) == world.platform(name).told(order) == steps
        assert sum(claims(server)["won"] for server in world.all) == len(orders)


class TestDead:
    @pytest.mark.parametrize("name", PLATFORMS)
    def test_its_leases_are_taken_over_when_they_end(self, world, name):
        place, first = world.restaurant().connected(name), world.all[0]
        courier, orders = first.sees(place.courier()), [place.order(name, "hazir") for _ in range(8)]
        hang = world.platform(name).hang("on-the-way", times=4)
        began = time.monotonic()
        for order in orders:
            courier.posts(order, 1)
        hang.holds(4)
        hung = time.monotonic()
        first.kill()
        hang.released.set()
        for order in orders:
            order.settles("done")
        assert time.monotonic() <= hung + LEASE + SLACK
        cut_short = [order for order in orders if world.platform(name).about(order)[0].troubled]
        assert len(cut_short) == 4
        for order in cut_short:
            assert world.platform(name).about(order)[1].at >= began + LEASE
        assert {tuple(world.platform(name).told(order)) for order in orders} == {("on-the-way",)}


class TestCutOff:
    @pytest.mark.parametrize("name, tried", [("dukkango", ["on-the-way", "on-the-way"]),
                                             ("trendyolyemek", ["on-the-way", "check"])])
    def test_what_it_could_not_write_another_finds_out(self, world, name, tried):
        """The platform has done it, and only the server that asked knows; when it is back, it has nothing to say."""
        place, (first, second, _) = world.restaurant().connected(name), world.all
        courier, order = place.courier(), second.sees(place.order(name, "hazir"))

        def done_unheard(apply):
            first.cut_off()
            return apply()
        world.platform(name).next("on-the-way", done_unheard)
        first.sees(courier).posts(order, 1)
        order.settles("done")
        assert world.platform(name).tried(order) == tried
        assert world.platform(name).told(order) == ["on-the-way"]
        settled = order.now()
        first.back()
        eventually(first.readiness, lambda status: status == 200)
        assert first.sees(order).now() == settled
        first.sees(courier).posts(order, 2)
        order.settles("done")
        assert world.platform(name).told(order) == ["on-the-way", "delivered"]


class TestAtOnce:
    """What arrives on all servers at the same time."""

    def on_all(self, world, act):
        return together(6, lambda number: act(world.all[number % 3], number))

    def test_one_report_with_one_key_is_one(self, world):
        place = world.restaurant().connected("dukkango")
        courier, key = place.courier(), {"Idempotency-Key": "bir"}
        for order in [place.order("dukkango", "hazir") for _ in range(10)]:
            answers = self.on_all(world, lambda server, _, order=order: data(
                server.sees(courier).post(order, 1, headers=key, session=World.lone())))
            assert all(answer == answers[0] for answer in answers)
            assert [word for word, _ in order.steps()] == ["hazir", "teslim-edilecek"]
            order.settles("done")
            assert world.dukkango.tried(order) == ["on-the-way"]

    def test_one_key_is_for_one_status(self, world):
        place = world.restaurant()
        courier, key = place.courier(), {"Idempotency-Key": "bir"}
        for order in [place.order() for _ in range(10)]:
            answers = self.on_all(world, lambda server, number, order=order: server.sees(courier).post(
                order, 1 + number % 2, headers=key, session=World.lone()).status_code)
            assert sorted(answers) == [200, 200, 200, 422, 422, 422]
            assert len(order.steps()) == 2

    def test_1_and_2_are_told_in_order(self, world):
        place = world.restaurant().connected(*PLATFORMS)
        courier = place.courier()
        for name in 5 * PLATFORMS:
            order = place.order(name, "hazir")
            self.on_all(world, lambda server, number, order=order: server.sees(courier).post(
                order, 1 + number % 2, session=World.lone()))
            assert order.steps()[-1][0] == "teslim-edildi"
            order.settles("done")
            assert world.platform(name).tried(order) == ["on-the-way", "delivered"]

    def test_an_order_is_taken_in_once(self, world):
        place = world.restaurant()
        for number in range(10):
            body = {"platform": "phone", "platformOrderId": f"fiş {number}", "price": 1, "paymentMethod": "cash",
                    "orderType": "gel_al"}
            answers = self.on_all(world, lambda server, _, body=body: server.sees(place).call(
                "POST", "/api/v1/orders", body, session=World.lone()))
            assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
            assert len({answer.json()["data"]["orderId"] for answer in answers}) == 1


class TestCouriers:
    def test_three_servers_call_one_rider(self, world):
        """By itself, and by hand for two firms on each server at once."""
        place = world.restaurant()
        firms = [place.courier(dispatch=True), place.courier(dispatch=True)]
        for status in ("hazirlanacak", "yeni") * 5:
            order = place.order(status=status)
            answers = together(6, lambda n: world.all[n % 3].call(
                "POST", f"{order.path}/call-courier", {"integrationId": firms[n // 3].id}, place.token, World.lone()))
            assert {answer.status_code for answer in answers} <= {200, 409}
            order.settles("done", "courier")
            assert world.firms.riders[order.id] == [f"{order.id}-courier-1-dispatch"]
            chosen = next(firm for firm in firms if firm.id == order.delivery("courier")["integrationId"])
            assert {id(call.firm) for call in world.firms.about(order)} == {id(chosen.firm)}


class TestSecrets:
    def test_a_partners_ticket_is_good_on_all(self, world):
        yandex = Yandex(world.restaurant())
        token, order = yandex.logs_in(), yandex.sends()

        def asked():
            return [server.call("GET", f"/order/{order}/status", token=token) for server in world.all]
        assert [answer.json()["status"] for answer in asked()] == 3 * ["NEW"]
        yandex.connects(newSecret=True)
        for answer in asked():
            complained(answer, 401)

    def test_what_one_server_made_is_good_on_all_at_once(self, world):
        for home in world.all:
            place = home.restaurant()
            token = data(place.call("POST", f"{place.path}/tokens", {"name": "kasa"}), 201)["token"]
            courier = place.courier()
            key = data(place.call("POST", f"{courier.path}/rotate-key", {}))["apiKey"]
            for server in world.all:
                for each in (courier.key, key):
                    data(server.call("GET", PING, headers={"x-api-key": each}))
                for each in (place.token, token):
                    data(server.call("GET", place.path, token=each))

    def test_what_one_server_took_back_is_dead_everywhere_soon(self, world):
        home, (place, closed) = world.all[0], [world.all[0].restaurant() for _ in range(2)]
        dropped, resting, rotated, orphan = place.courier(), place.courier(), place.courier(), closed.courier()
        token = data(place.call("POST", f"{place.path}/tokens", {"name": "kasa"}), 201)

        def answers(server):
            keys = [server.sees(one).asks("ping").status_code for one in (dropped, resting, rotated, orphan)]
            return keys + [server.call("GET", path, token=text).status_code
                           for path, text in ((place.path, token["token"]), (closed.path, closed.token))]
        assert [answers(server) for server in world.all] == 3 * [6 * [200]]  # all of them know all of it
        data(place.call("DELETE", dropped.path))
        data(place.call("PATCH", resting.path, {"active": False}))
        data(place.call("POST", f"{rotated.path}/rotate-key", {"graceSeconds": 0}))
        data(place.call("DELETE", f"{place.path}/tokens/{token['tokenId']}"))
        data(home.admin("PATCH", closed.path, {"active": False}))
        dead = 4 * [404] + 2 * [401]
        assert answers(home) == dead
        eventually(lambda: [answers(server) for server in world.all], lambda found: found == 3 * [dead],
                   timeout=REVOKED, pause=0.5)  # not more often: who asks with 60 dead keys a minute gets 429
        data(place.call("PATCH", resting.path, {"active": True}))
        assert [answers(server)[1] for server in world.all] == 3 * [200]  # that nobody knew it was nothing to remember
