# SPDX-License-Identifier: Apache-2.0
"""test_logs.py - what the log says of a start, of requests and of trouble, and that nobody waits for who reads it."""

import json
import os
import subprocess

import pytest

from fake import fails
from process import BINARY, IGNORING, KEPT, WAIT
from world import World, eventually, from_address, refused

LIVE = "/api/v1/webhook/courier/ping"
NO_INTEGRATION = (404, "Kurye entegrasyonu bulunamadı veya aktif değil")


def test_the_start_says_what_is_set_and_no_secret(shared):
    line = shared.server.log_contains(event="starting")
    assert "LISTEN=127.0.0.1:0 OPS_LISTEN=127.0.0.1:0 " in line["settings"]
    assert "ADMIN_TOKEN=*** SECRET_KEY=***" in line["settings"] and "LEASE_SLACK=1s" in line["settings"]
    assert "RECEIVE_DEADLINE" not in line["settings"]  # that is as it comes
    assert line["version"] and shared.admin_token not in line["settings"]


class TestRequests:
    @pytest.fixture(scope="class")
    def talkative(self):
        with World(log_level="debug") as world:
            world.courier = world.restaurant().courier()
            yield world

    def test_each_is_a_line_at_debug_without_what_the_client_wrote(self, talkative):
        place = talkative.courier.restaurant
        answer = place.call("GET", "/api/v1/orders?status=yeni&limit=3", headers={"X-Request-Id": "iz-1"})
        assert answer.status_code == 200
        line = talkative.server.log_contains(event="request", requestId="iz-1")
        assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/orders", 200)
        assert line["ms"] >= 0 and set(line) == {"time", "level", "event", "method", "route", "status", "ms", "requestId"}
        talkative.call("BREW", "/gizli/yol", headers={"X-Request-Id": "iz-2"})
        line = talkative.server.log_contains(event="request", requestId="iz-2")
        assert (line["method"], line["route"], line["status"]) == ("", "", 404)
        place.call("HEAD", f"/api/v1/orders/{place.id}", headers={"X-Request-Id": "iz-3"})
        line = talkative.server.log_contains(event="request", requestId="iz-3")
        assert (line["method"], line["route"], line["status"]) == ("HEAD", "/api/v1/orders/{id}", 404)

    def test_without_debug_there_is_none(self, shared):
        assert shared.call("GET", LIVE).status_code == 400
        assert not shared.server.logged(event="request")

    def test_who_guesses_keys_is_named_once_a_second(self, talkative):
        guesser, body = from_address("127.0.0.80"), {"restaurantId": "a" * 24, "orderId": "b" * 24, "status": 1}
        answers = [talkative.call("POST", "/api/v1/webhook/courier/status-update", body, session=guesser,
                                  headers={"x-api-key": f"krk_{n}", "X-Request-Id": f"tahmin-{n}"}) for n in range(64)]
        refused(answers[0], *NO_INTEGRATION)
        line = talkative.server.log_contains(event="keys_throttled", address="127.0.0.80")
        assert line["requestId"] == "tahmin-60"
        told = talkative.server.logged(event="keys_throttled")
        assert [one["requestId"] for one in told if one["requestId"] != "tahmin-60"] != ["tahmin-61", "tahmin-62", "tahmin-63"]


class TestPlatforms:
    @pytest.fixture(scope="class")
    def world(self):
        with World(retry_schedule="1ms,1ms,1ms") as world:
            yield world

    def test_one_platforms_flood_hides_no_other(self, world):
        place = world.restaurant().connected("dukkango", "trendyolyemek")
        courier = place.courier()
        world.dukkango.next("on-the-way", fails(500), times=24)
        world.trendyolyemek.next("on-the-way", fails(500), times=4)
        flood = [place.order("dukkango") for _ in range(6)]
        for order in (*flood, other := place.order("trendyolyemek")):
            courier.posts(order, 1)
        for order in (*flood, other):
            order.settles("failed")
        line = world.server.log_contains(event="delivery_failed", platform="trendyolyemek")
        assert line == line | {"orderId": other.id, "restaurantId": place.id, "party": "platform", "step": "on-the-way",
                               "reason": "server_error"}
        told = world.server.logged(event="delivery_failed", platform="dukkango")
        assert len(told) + sum(one.get("suppressed", 0) for one in told) <= len(flood) and told

    def test_a_breaker_is_told_when_it_opens_and_when_it_closes(self, world):
        place = world.restaurant().connected("dukkango")
        courier = place.courier()
        world.dukkango.next("on-the-way", fails(500), times=10)
        orders = [place.order("dukkango") for _ in range(3)]
        for order in orders:
            courier.posts(order, 1)
        assert world.server.log_contains(event="breaker_opened", lane="dukkango")["level"] == "warn"
        assert world.server.log_contains(event="breaker_closed", lane="dukkango")["level"] == "info"

    def test_a_login_that_is_refused_names_the_restaurant(self, world):
        place = world.restaurant().connected("getiryemek")
        world.getiryemek.next("login", fails(401))
        order = place.order("getiryemek")
        place.courier().posts(order, 1)
        line = world.server.log_contains(event="login_failed", restaurantId=place.id)
        assert (line["platform"], line["reason"]) == ("getiryemek", "login_failed")


def bare(world, **changes):
    inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
    return inherited | {"MONGOC_DISABLE_SHM": "1"} | world.environment(**changes)  # see process.py


class Unread:
    """A server whose stderr nobody reads, once it has said where it listens."""

    def __init__(self, world, closes=False):
        self.process = subprocess.Popen([*IGNORING, BINARY], env=bare(world, log_level="debug"), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.lines = []
        while (line := json.loads(self.process.stderr.readline()))["event"] != "listening":
            self.lines.append(line)
        self.address, self.ops = line["listen"], line["opsListen"]
        if closes:
            self.process.stderr.close()

    def asks(self, times):
        for _ in range(times):
            assert World.lone().get(f"http://{self.address}{LIVE}", timeout=WAIT).status_code == 400

    def reads(self, lines):
        self.lines += [json.loads(self.process.stderr.readline()) for _ in range(lines)]

    def ends(self):
        self.process.terminate()
        if not self.process.stderr.closed:
            self.lines += [json.loads(line) for line in self.process.stderr]
        assert self.process.wait(WAIT) == 0


@pytest.fixture
def idle():
    """A place for a server, without one on it."""
    world = World()
    world.server.stop()
    with world:
        yield world


@pytest.mark.parametrize("closes", [False, True], ids=["full", "closed"])
def test_a_log_that_nobody_reads_stops_nothing(idle, closes):
    server = Unread(idle, closes)
    server.asks(1200)  # about three pipes full of lines
    if not closes:
        server.reads(100)
        server.asks(1)
    counted = World.lone().get(f"http://{server.ops}/metrics", timeout=WAIT).text
    assert "\nkuryed_log_dropped_lines_total 0\n" not in counted and "\nkuryed_log_dropped_lines_total " in counted
    server.ends()
    told = [line["dropped"] for line in server.lines if "dropped" in line]
    assert closes or told and 1200 <= len(server.lines) + sum(told)


def test_a_stderr_that_was_closed_gets_nothing_elses_place(idle):
    """Or else the store's file, or a client, would be descriptor 2 and get log lines."""
    server = subprocess.Popen(["/bin/sh", "-c", 'exec "$@" 2>&- <&-', "sh", *IGNORING, BINARY], stdout=subprocess.DEVNULL,
                              env=bare(idle, core_dumps="allowed"))  # or only root may look
    try:
        eventually(lambda: descriptor(server.pid, 2), lambda place: place == "/dev/null")
    finally:
        server.terminate()
        server.wait(WAIT)


def descriptor(pid, number):
    try:
        return os.readlink(f"/proc/{pid}/fd/{number}")
    except FileNotFoundError:
        return None
