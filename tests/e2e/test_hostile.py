# SPDX-License-Identifier: Apache-2.0
"""test_hostile.py - platforms and courier firms that mean harm, or are broken as if they did: whatever they say to a call, it
ends in time, counts for what it was, is felt by nobody else, and is found in no log."""

import json
import os
import re
import threading
from pathlib import Path

import pytest

import hostile
from fake import Answer, fails, loses, wires
from hostile import ANSWERS, ELSEWHERE, FLOODS, MARK, REDIRECTS, redirects
from test_guard import inside, is_called  # noqa: F401, a fixture
from test_lanes import logged_in
from world import FAKES, World, data, eventually

STEP, WORD = "on-the-way", "teslim-edilecek"
LOOKS = ("getiryemek", "trendyolyemek", "migrosyemek")  # can be asked in doubt
BRIEF = {"step_wait": 0.001, "outbound_timeout": "1s", "retry_schedule": "10ms,10ms,10ms"}
MEMORY = 64 << 20  # more than that no hostile answer may take


def memory(world):
    """What it has, and has had at most."""
    status = Path(f"/proc/{world.server.process.pid}/status").read_text()
    return [int(re.search(rf"{name}:\s+(\d+)", status)[1]) << 10 for name in ("VmRSS", "VmHWM")]


def is_sanitized():
    """Its builds take several times as much."""
    return "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ


@pytest.fixture(scope="module")
def hurt():
    """A world whose calls last a second at most, and in the end nothing of what was said to it has left a trace."""
    with World(**BRIEF) as made:
        before, _ = memory(made)
        yield made
        _, most = memory(made)
        assert MARK not in made.server.text()
        assert most - before < MEMORY or is_sanitized(), f"{before} became {most}"


@pytest.fixture
def place(hurt):
    """A restaurant at every platform, and with a firm that is told of its orders; a new one each time, because the calls
    of all tests would be more than a platform takes from one."""
    made = hurt.restaurant().connected(*FAKES)
    made.courier(dispatch=True)
    return made


def everybody(place, trouble):
    """An order at each platform, and one that is a firm's to bring, whose call meets this trouble once."""
    for name in FAKES:
        place.world.platform(name).next(STEP, trouble)
    place.world.firms.next("dispatch", trouble)
    orders = {name: place.order(name, "hazir", orderType="gel_al") for name in FAKES}
    for order in orders.values():
        order.becomes(WORD)
    return orders, place.order()


class TestAnswers:
    @pytest.mark.parametrize("name", ANSWERS)
    def test_what_is_no_answer_is_a_doubt_and_a_try(self, place, name):
        orders, theirs = everybody(place, wires(ANSWERS[name]))
        for party, order in orders.items():
            platform, done = place.world.platform(party), order.settles("done")
            assert platform.told(order) == [STEP], party
            assert platform.tried(order) == [STEP, *["check"] * (party in LOOKS), STEP], party
            assert [row["result"] for row in done["log"] if row["step"] == STEP] == ["retry", "done"], done
            assert MARK not in str(done)
        told = theirs.settles("done", "courier")
        assert [row["result"] for row in told["log"]] == ["retry", "done"] and MARK not in str(told)
        assert len(place.world.firms.about(theirs)) == 2 and len(set(place.world.firms.riders[theirs.id])) == 1

    @pytest.mark.parametrize("status", REDIRECTS)
    def test_no_redirect_is_followed_anywhere(self, place, inside, status):
        port = inside.getsockname()[1]
        for to in ELSEWHERE[status % 2::2]:
            orders, theirs = everybody(place, wires(redirects(status, to.format(inside=f"127.0.0.1:{port}", port=port))))
            for party, order in orders.items():
                order.settles("done")
                assert place.world.platform(party).tried(order) == [STEP, STEP], (party, to)  # no doubt: it was answered
            theirs.settles("done", "courier")
        assert not is_called(inside)

    @pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
    @pytest.mark.parametrize("gap", [0, 1, 16384], ids=["next to it", "behind a byte", "behind a page"])
    def test_an_answer_that_nobody_asked_for_is_not_the_next_calls(self, hurt, gap, later):
        """The platform refuses the second step; what it sent ahead said that all is well."""
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        ahead = threading.Event()

        def twice(connection):
            hostile.says(connection, answer + b"" if later else answer + b"x" * gap + answer)
            if later:
                order.settles("done")
                hostile.says(connection, b"x" * gap + answer)
            ahead.set()
            return True
        place, platform = logged_in(hurt, "trendyolyemek"), hurt.trendyolyemek
        order, second = (place.order("trendyolyemek", "hazir") for _ in range(2))
        platform.next(STEP, wires(twice))
        order.becomes(WORD)
        assert ahead.wait(20)
        order.settles("done")
        platform.next(STEP, fails(500))
        second.becomes(WORD)
        second.settles("done")
        assert platform.told(second) == [STEP] and platform.tried(second) == [STEP, "check", STEP]

    def test_a_crowd_of_floods_fills_no_memory_and_delays_nobody(self, hurt):
        troubles = [FLOODS[name] for name in ("a body without end", "a header without end", "a chunk's size without end",
                                              "a transfer that is a bomb")] + [ANSWERS["a chunk's extension without end"]]
        places = [hurt.restaurant().connected("trendyolyemek") for _ in range(10)]
        for _ in range(4):
            for trouble in troubles:
                hurt.trendyolyemek.next(STEP, wires(trouble), times=2)
        orders = [each.order("trendyolyemek", "hazir") for each in places for _ in range(4)]
        for order in orders:
            order.becomes(WORD)
        good = logged_in(hurt, "dukkango").order("dukkango", "hazir")
        good.becomes(WORD)
        good.settles("done")
        for order in orders:  # a try may meet a second flood
            ended = eventually(order.delivery, lambda delivery: delivery["state"] in ("done", "failed"))
            assert hurt.trendyolyemek.told(order) == [STEP] * (ended["state"] == "done")


class TestGarbage:
    """200, and then nothing that anybody could mean."""

    BODIES = {"a page": f"<html>{MARK}</html>".encode(), "half of it": b'{"success":true,"status":tr', "nothing": b"", "null": b"null",
              "a string": b'"OK"', "an array": b"[[]]", "deep": b"[" * 30000 + b"]" * 30000, "deep objects": b'{"status":' * 6000,
              "NUL": b'{"status":true\0,"success":true}', "NUL behind it": b'{"status":true,"success":true}\0x', "no UTF-8": b'{"status":"\xff\xfe"}',
              "another type": b'{"status":"true","success":"true","result":1,"data":7}', "huge numbers": b'{"status":1e999,"success":9' + b"9" * 999 + b"}",
              "null in it": b'{"status":null,"success":null}', "no": f'{{"status":false,"success":false,"result":false,"error":"{MARK}"}}'.encode()}
    READS = ("dukkango", "migrosyemek", "getiryemek")  # an answer's body; to the others 200 is enough

    @pytest.mark.parametrize("body", BODIES)
    def test_as_the_answer_to_a_step(self, place, body):
        orders, theirs = everybody(place, fails(200, body=self.BODIES[body]))
        for party, order in orders.items():
            done, platform = order.settles("done"), place.world.platform(party)
            assert MARK not in str(done)
            steps = [step for step in platform.tried(order) if step == STEP]
            assert (len(steps), platform.told(order)) == ((2, [STEP]) if party in self.READS else (1, [])), party
        assert MARK not in str(theirs.settles("done", "courier"))

    TOKENS = {"a megabyte": "x" * (1 << 20), "64 KB": "x" * 60000, "a header more": f"x\r\nX-Evil: {MARK}", "a line": "x\n", "NUL": "x\0y",
              "none": "", "no ASCII": MARK, "a number": 7, "an object": {"token": "x"}, "null": None, "true": True}

    @pytest.mark.parametrize("token", TOKENS)
    def test_as_the_token_of_a_login(self, hurt, token):
        token, orders = self.TOKENS[token], {}
        bodies = {"dukkango": {"status": True, "data": {"access_token": token}}, "getiryemek": {"token": token},
                  "yemeksepeti": {"access_token": token, "expires_in": 3600}}
        for name, body in bodies.items():
            hurt.platform(name).next("login", fails(200, body=json.dumps(body).encode()))
            orders[name] = hurt.restaurant().connected(name).order(name, "hazir")
            orders[name].becomes(WORD)
        for name, order in orders.items():
            done = order.settles("done")
            assert hurt.platform(name).tried(order) == hurt.platform(name).told(order) == [STEP]  # without one it was not called
            assert MARK not in str(done) and not any("X-Evil" in call.headers for call in hurt.platform(name).calls)

    @pytest.mark.parametrize("body", BODIES)
    def test_as_the_answer_to_a_check(self, place, body):
        orders = {name: place.order(name, "hazir") for name in LOOKS}
        for name, order in orders.items():
            place.world.platform(name).next(STEP, loses())
            place.world.platform(name).next("check", fails(200, body=self.BODIES[body]))
            order.becomes(WORD)
        for name, order in orders.items():
            done, platform = order.settles("done"), place.world.platform(name)
            assert platform.told(order) == [STEP] and platform.tried(order) == [STEP, "check", "check"], name
            assert MARK not in str(done)


class TestLists:
    """Dükkango's list of orders, which is asked for again and again."""

    LISTS = {**TestGarbage.BODIES,
             "a million orders": b'{"status":true,"data":[' + b'{"":0},' * 290000 + b"{}]}", "a million numbers": b'{"status":true,"data":[' + b"1," * 1000000 + b"1]}",
             "an endless id": b'{"status":true,"data":[{"payment_key":"%s"}]}' % (b"a" * 2000000),
             "an endless number": b'{"status":true,"data":[{"payment_key":"3e9caf87-5cb7-4c4e-adcb-fc2ec54cf24e","status_id":%s}]}' % (b"9" * 2000000),
             "of another type": b'{"status":true,"data":{"0":{}}}', "none at all": b'{"status":true}'}

    @pytest.fixture(scope="class")
    def polled(self):
        with World(**{**BRIEF, "outbound_timeout": "5s"}, dukkango_poll="200ms") as made:
            before, _ = memory(made)
            yield made
            self.was_modest(made, before)

    def was_modest(self, world, before):
        _, most = memory(world)
        assert MARK not in world.server.text()
        assert most - before < MEMORY or is_sanitized(), f"{before} became {most}"

    @pytest.mark.parametrize("name", LISTS)
    def test_a_list_that_is_none_loses_no_order(self, polled, name):
        restaurant = polled.restaurant().connected("dukkango")
        account = restaurant.credentials["dukkango"]
        polled.dukkango.polled(account)
        polled.dukkango.next("poll", fails(200, body=self.LISTS[name]), times=2)
        placed = polled.dukkango.places(account)
        polled.dukkango.acknowledged(placed)
        assert [one["platformOrderId"] for one in data(restaurant.call("GET", "/api/v1/orders"))] == [placed.platform_id]
        data(restaurant.call("DELETE", f"{restaurant.path}/platforms/dukkango"))  # what the next one says is for others

    def test_the_same_orders_for_ever_are_there_once(self, polled):
        restaurant = polled.restaurant().connected("dukkango")
        account = restaurant.credentials["dukkango"]
        placed = polled.dukkango.places(account)
        polled.dukkango.next("acknowledge", lambda apply: Answer(200, b'{"status":true,"data":"OK"}'), times=50)  # said, not done
        polled.dukkango.polled(account, 10)
        assert [one["platformOrderId"] for one in data(restaurant.call("GET", "/api/v1/orders"))] == [placed.platform_id]
        polled.dukkango.heals()
