# SPDX-License-Identifier: Apache-2.0
"""test_lifecycle.py - start, health, stop, kills, and a store that will not do as it is told."""

import os
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from fake import fails
from process import Kuryed
from raw import Raw
from test_http import webhook
from world import PLATFORMS, World, data, eventually, refused, together

BUSY = (503, "Sunucu meşgul, lütfen yeniden deneyin")
NOT_UPDATED = (500, "Sipariş güncellenemedi")
RANKS = {word: rank for rank, word in enumerate(
    ["yeni", "hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek", "teslim-edildi", "cancelled"])}
TOLD = {("dukkango", 2): 1, ("dukkango", 16): 4, ("dukkango", 5): 5, ("trendyolyemek", "Picking"): 1,
        ("trendyolyemek", "Invoiced"): 3, ("trendyolyemek", "Shipped"): 4, ("trendyolyemek", "Delivered"): 5}


def start_and_fail(world, arguments=(), **settings):
    """Starts a second binary that must refuse; returns it and its exit status."""
    server = Kuryed(world.environment(**settings), arguments)
    return server, server.wait()


class TestHealth:
    def test_alive_and_ready(self, shared):
        assert shared.call("GET", "/livez", ops=True).status_code == 200
        answer = shared.call("GET", "/readyz", ops=True)
        assert answer.status_code == 200
        assert {"store", "draining", "oldestOwedSeconds"} <= set(answer.json())

    def test_ready_says_how_long_something_has_been_owed(self, world):
        hang = world.dukkango.hang("login")  # before a poll has logged in
        place = world.restaurant().connected("dukkango")
        order = place.order("dukkango")
        place.courier().posts(order, 1)
        assert hang.entered.wait(20)
        eventually(lambda: world.call("GET", "/readyz", ops=True).json()["oldestOwedSeconds"],
                   lambda seconds: seconds >= 1, pause=0.1)

    def test_it_starts_fast(self, world):
        began = time.monotonic()
        world.restart()
        assert time.monotonic() - began < 5


class TestStop:
    def test_everything_that_was_taken_is_answered(self, world):
        place = world.restaurant().connected("dukkango")
        courier = place.courier()
        orders = [place.order("dukkango") for _ in range(50)]
        connections = [Raw(world) for _ in orders]
        with world.stalled():
            for connection, order in zip(connections, orders, strict=True):
                connection.send(webhook(courier, order))
            taken(world)
            world.server.signal(signal.SIGTERM)
        assert [connection.reply().status for connection in connections] == [200] * 50
        assert world.server.wait(10) == 0
        world.start()
        assert {order.now()["status"] for order in orders} == {"teslim-edilecek"}
        for connection in connections:
            connection.close()

    def test_under_load_no_acknowledged_move_is_lost_and_none_is_unanswered(self, world):
        stops_under_load(world)

    def test_new_connections_are_refused_while_it_drains(self, world):
        place = world.restaurant().connected("dukkango")
        courier, order = place.courier(), place.order("dukkango")
        with Raw(world) as held:
            with world.stalled():
                held.send(webhook(courier, order))
                taken(world)
                world.server.signal(signal.SIGTERM)
                eventually(lambda: refuses_connections(world), bool)
            assert held.reply().status == 200
            assert world.server.wait() == 0

    def test_a_call_under_way_is_given_back_and_made_after_the_next_start(self, world):
        place = world.restaurant().connected(*PLATFORMS)
        courier = place.courier()
        orders = [place.order(name, "hazir") for name in PLATFORMS]
        hangs = [world.platform(name).hang("on-the-way") for name in PLATFORMS]
        for order, hang in zip(orders, hangs, strict=True):
            courier.posts(order, 1)
            assert hang.entered.wait(20)
        status, took = world.server.stop()
        assert (status, took < 10) == (0, True)
        world.start()
        for order, name in zip(orders, PLATFORMS, strict=True):
            order.settles("done")
            assert world.platform(name).told(order) == ["on-the-way"]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_both_signals_stop_it(self, world, number):
        world.server.signal(number)
        assert world.server.wait() == 0

    def test_a_second_signal_ends_it_at_once(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        with Raw(world) as held, world.stalled():
            held.send(webhook(courier, order))
            taken(world)
            world.server.signal(signal.SIGTERM)
            eventually(lambda: refuses_connections(world), bool)
            began = time.monotonic()
            world.server.signal(signal.SIGTERM)
            world.server.wait()
            assert time.monotonic() - began < 1

    def test_what_is_held_is_answered_before_it_stops_though_the_store_stands_still(self):
        with World(request_deadline="20s") as world:
            place = world.restaurant()
            courier, order = place.courier(), place.order()
            with Raw(world) as held, world.stalled():
                held.send(webhook(courier, order))
                taken(world)
                world.server.signal(signal.SIGTERM)
                assert held.reply().status == 500
            assert world.server.wait() == 0

    def test_an_idle_connection_does_not_delay_the_stop(self, world):
        with Raw(world):
            status, took = world.server.stop()
            assert (status, took < 3) == (0, True)


def taken(world):
    """Returns when the loop has read all that was sent to the main port before, and has done that round."""
    eventually(lambda: unread(world), lambda count: count == 0)
    assert world.call("GET", "/livez", ops=True).status_code == 200


def unread(world):
    """Bytes that wait to be read on the main port, and connections that wait to be accepted."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[4].split(":")[1], 16) for row in rows if int(row[1].split(":")[1], 16) == world.port)


def refuses_connections(world):
    try:
        Raw(world).close()
    except ConnectionError:  # refused, or cut while it stood in the queue that was closed
        return True
    return False


class Load:
    """Couriers that report 1 and then 2 for order after order, and remember what they were answered."""

    def __init__(self, world, place, counts, restaurants=1):
        self.world, self.acknowledged, self.unanswered = world, {}, set()
        self.changed = threading.Condition()
        self.work = []
        for number in range(restaurants):
            home = place if number == 0 else world.restaurant().connected(*PLATFORMS)
            courier = home.courier()
            self.work += [(courier, home.order(name, "hazir"), name)
                          for name, count in counts.items() for _ in range(count)]

    def running(self):
        return _Running(self)

    def one(self, session, courier, order):
        for status in (1, 2):
            self.unanswered.add((order.id, status))
            try:
                answer = courier.post(order, status, session=session)
            except requests.RequestException:
                return False
            self.unanswered.discard((order.id, status))
            if answer.status_code != 200:
                return answer.status_code == 503
            with self.changed:
                self.acknowledged[order.id] = status
                self.changed.notify_all()
        return True

    def run(self, worker, workers):
        session = self.world.lone()
        for courier, order, _ in self.work[worker::workers]:
            if not self.one(session, courier, order):
                return

    def answered(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: sum(self.acknowledged.values()) >= count, 30)

    def check(self, unanswered_may_have_moved=True):
        """The store has all that was acknowledged; the platform was told what the store holds, in order."""
        for _, order, name in self.work:
            acknowledged = self.acknowledged.get(order.id, 0)
            kept = max(0, RANKS[order.now()["status"]] - 3)
            assert kept >= acknowledged
            if not unanswered_may_have_moved:
                assert kept == acknowledged, f"{order.id} moved to {kept}, told {acknowledged}"
            eventually(order.delivery, lambda delivery: delivery["state"] in ("done", "skipped"))
            steps = self.world.platform(name).told(order)
            assert steps == ["on-the-way", "delivered"][:kept]


def stops_under_load(world):
    """It ends soon, and has lost nothing that it answered."""
    place = world.restaurant().connected(*PLATFORMS)
    load = Load(world, place, {"dukkango": 100})
    with load.running():
        load.answered(60)
        status, took = world.server.stop()
    assert (status, took < 10) == (0, True)
    world.start()
    load.check(unanswered_may_have_moved=False)


class _Running:
    def __init__(self, load, workers=8):
        self.load, self.workers = load, workers

    def __enter__(self):
        self.pool = ThreadPoolExecutor(self.workers)
        self.futures = [self.pool.submit(self.load.run, n, self.workers) for n in range(self.workers)]

    def __exit__(self, *_):
        self.pool.shutdown()
        for future in self.futures:
            future.result()


class TestKill:
    @pytest.fixture
    def world(self):
        """Leases end soon: where other servers could hold them, one waits for those of the dead."""
        with World(outbound_timeout="1s", lease_slack="200ms") as made:
            yield made

    @pytest.mark.parametrize("name", PLATFORMS)
    def test_a_step_that_got_through_unheard_is_found_out_about(self, world, name):
        place = world.restaurant().connected(name)
        order = place.order(name, "hazir")
        hang = world.platform(name).hang("on-the-way", done=True)
        place.courier().posts(order, 1)
        assert hang.entered.wait(20)
        world.kill()
        hang.released.set()
        world.start()
        order.settles("done")
        assert world.platform(name).told(order) == ["on-the-way"]

    def test_a_failed_delivery_is_still_failed_and_can_be_replayed(self, world):
        place = world.restaurant().connected("dukkango")
        order = place.order("dukkango")
        world.dukkango.next("on-the-way", fails(500), times=4)
        place.courier().posts(order, 1)
        failed = order.settles("failed")
        world.kill()
        world.start()
        assert order.delivery() == failed
        data(place.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"))
        order.settles("done")

    def test_an_idempotency_key_is_remembered(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        first = courier.posts(order, 2, headers={"Idempotency-Key": "bir"})
        world.kill()
        world.start()
        assert courier.posts(order, 2, headers={"Idempotency-Key": "bir"}) == first


class TestStore:
    @pytest.mark.embedded_only
    def test_a_second_process_on_the_same_file_is_refused(self, world):
        second, status = start_and_fail(world)
        assert status not in (0, None) and status > 0
        assert world.store.path in second.text()
        assert world.call("GET", "/readyz", ops=True).status_code == 200

    @pytest.mark.embedded_only
    def test_a_newer_schema_is_refused_and_left_alone(self, world):
        order = world.restaurant().order()
        assert world.server.stop()[0] == 0
        set_version(world, 9999)
        newer, status = start_and_fail(world)
        assert status > 0 and "9999" in newer.text()
        set_version(world, world.version)
        world.start()
        assert order.now()["orderId"] == order.id

    @pytest.mark.embedded_only
    def test_a_file_that_is_no_store_is_refused(self, world):
        path = os.path.join(world.folder, "not-a-store.db")
        with open(path, "wb") as file:
            file.write(b"merhaba " * 1000)
        server, status = start_and_fail(world, store=f"sqlite:{path}")
        assert status > 0 and path in server.text()
        with open(path, "rb") as file:
            assert file.read() == b"merhaba " * 1000

    @pytest.mark.embedded_only
    @pytest.mark.parametrize("store", ["sqlite:/nowhere/kurye.db", "sqlite:", "postgres://x"])
    def test_a_place_that_does_not_exist_is_refused(self, world, store):
        server, status = start_and_fail(world, store=store)
        assert status > 0 and server.text()

    @pytest.mark.embedded_only
    def test_a_full_disk_is_row_9_and_no_restart_is_needed(self):
        with World(request_deadline="1s") as world:
            place = world.restaurant().connected("dukkango")
            courier, order, other = place.courier(), place.order("dukkango"), place.order("dukkango")
            world.server.disk_full()
            answer = refused(courier.post(order, 1), *NOT_UPDATED)
            assert answer.headers["Retry-After"] == "1"
            body = {"platform": "phone", "price": 1, "paymentMethod": "cash", "orderType": "gel_al"}
            refused(place.call("POST", "/api/v1/orders", body), 500, "Sunucu hatası")
            unready = world.call("GET", "/readyz", ops=True)
            assert unready.status_code == 503 and "store" in unready.text
            assert world.call("GET", "/livez", ops=True).status_code == 200
            assert other.now()["status"] == "hazirlanacak"  # what is kept can still be read
            world.server.disk_full(False)
            eventually(lambda: world.call("GET", "/readyz", ops=True).status_code, lambda code: code == 200)
            for one in (order, other):
                courier.posts(one, 1)
                one.settles("done")
                assert world.dukkango.told(one) == ["on-the-way"]
            assert len([row for row in order.now()["history"] if row["by"] == "courier"]) == 1

    def test_a_store_that_is_slow_is_waited_for_within_the_deadline(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        with Raw(world) as raw:
            with world.stalled():
                raw.send(webhook(courier, order))
                taken(world)
            assert raw.reply().status == 200

    def test_one_that_is_too_slow_is_row_9_and_a_repeat_is_safe(self):
        with World(request_deadline="2s") as world:
            place = world.restaurant().connected("dukkango")
            courier, order = place.courier(), place.order("dukkango")
            key = {"Idempotency-Key": "bir"}
            with world.stalled():
                answer = refused(courier.post(order, 1, headers=key), *NOT_UPDATED)
            assert answer.headers["Retry-After"] == "1"
            courier.posts(order, 1, headers=key)
            order.settles("done")
            assert world.dukkango.tried(order) == ["on-the-way"]
            assert [row for row in order.steps() if row[1] == "courier"] == [("teslim-edilecek", "courier")]

    def test_more_than_512_unanswered_requests_are_503(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        data(courier.asks("ping"))  # of one who is not known yet, half as many are held
        connections = [Raw(world) for _ in range(600)]
        with world.stalled():
            for connection in connections:
                connection.send(webhook(courier, order))
            busy = connections[-1].reply()
            assert busy.status == BUSY[0] and BUSY[1] in busy.body.decode()
            assert int(busy.headers["retry-after"]) >= 1
        statuses = [busy.status] + [connection.reply().status for connection in connections[:-1]]
        for connection in connections:
            connection.close()
        assert statuses.count(200) <= 513 and set(statuses) == {200, 503}
        courier.posts(order, 1)


def set_version(world, version):
    """Writes the schema's version into the file; the one that stood there is kept in world.version."""
    file = sqlite3.connect(world.store.path)
    world.version = file.execute("PRAGMA user_version").fetchone()[0]
    file.execute(f"PRAGMA user_version = {version}")
    file.commit()
    file.close()


class TestSettings:
    def test_all_errors_are_listed_at_once_and_no_secret_is_shown(self, shared):
        bad = {"listen": "nonsense", "ops_listen": "127.0.0.1:99999", "admin_token": "kisa-gizli",
               "secret_key": "k1:Z2l6bGk=", "retry_schedule": "1s,yarın", "outbound_timeout": "10",
               "request_deadline": "-1s", "log_level": "loud", "max_connections": "many",
               "dukkango_url": "ftp://x"}
        server, status = start_and_fail(shared, **bad)
        said = server.text() + server.stdout
        assert status == 78
        assert [name for name in bad if f"KURYE_{name.upper()}" not in said] == []
        assert "kisa-gizli" not in said and "Z2l6bGk" not in said

    def test_the_secret_key_is_required(self, shared):
        server, status = start_and_fail(shared, secret_key=None)
        assert status == 78 and "KURYE_SECRET_KEY" in server.text() + server.stdout

    def test_help_names_every_setting(self, shared):
        server, status = start_and_fail(shared, ["--help"])
        assert status == 0
        for name in shared.environment():
            assert name in server.stdout, name

    def test_check_config_says_whether_it_would_start(self, shared):
        good, status = start_and_fail(shared, ["--check-config"])
        assert status == 0
        shown = good.stdout + good.text()
        assert shared.admin_token not in shown and shared.secret_key not in shown
        assert start_and_fail(shared, ["--check-config"], outbound_timeout="x")[1] == 78

    def test_a_store_with_a_password_is_not_shown(self, shared):
        shown, status = start_and_fail(shared, ["--check-config"], store="mongodb://kurye:cokgizli@db.test/kurye")
        assert status == 0 and "cokgizli" not in shown.stdout + shown.text()
        assert "KURYE_STORE=***\n" in shown.stdout
        wrong, status = start_and_fail(shared, ["--check-config"], store="mongodb://kurye:cokgizli@db.test/")
        assert status == 78 and "KURYE_STORE: " in wrong.text() and "cokgizli" not in wrong.text()

    def test_a_secret_may_come_from_a_file(self, world):
        names = ("admin_token", "secret_key", "store")
        for name in names:
            path = os.path.join(world.folder, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(world.settings[name] + "\n")
            world.settings[f"{name}_file"] = path
        world.restart(**dict.fromkeys(names))
        world.restaurant()

    def test_a_secret_file_that_is_not_there_is_an_error(self, shared):
        server, status = start_and_fail(shared, admin_token=None, admin_token_file="/nowhere/token")
        assert status == 78 and "KURYE_ADMIN_TOKEN" in server.text() + server.stdout

    def test_an_address_that_is_taken_is_said(self, shared):
        other = f"sqlite:{shared.folder}/other.db"
        server, status = start_and_fail(shared, store=other, listen=shared.address)
        assert status > 0 and shared.address in server.text()


def test_a_log_line_is_json_with_a_time_and_a_level(world):
    line = world.server.log_contains(event="listening")
    assert {"listen", "opsListen", "level"} <= set(line)
    assert any(str(value).endswith("Z") for value in line.values())


def test_one_cause_makes_at_most_a_line_a_second(world):
    place = world.restaurant()
    courier, order = place.courier(), place.order()
    before = len(world.server.log)
    began = time.monotonic()
    together(8, lambda n: [courier.post(order, 1, key="krk_x") for _ in range(20)])
    assert len(world.server.log) - before <= 3 + (time.monotonic() - began)
