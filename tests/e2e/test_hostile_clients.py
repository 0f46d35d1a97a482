# SPDX-License-Identifier: Apache-2.0
"""test_hostile_clients.py - clients that mean ill, on both ports: what they send is refused, what they take up is bounded, and nothing of theirs is logged."""

import hashlib
import json
import re
import resource
import secrets
import socket
import threading
from collections import Counter
from functools import lru_cache
from pathlib import Path

import pytest

import test_events
from process import BINARY
from raw import Raw, request
from test_events import ASKS, raw_frame
from test_http import resident, webhook
from test_metrics import counted
from test_smuggling import statuses
from watcher import PATH, Watcher, connect
from world import WEBHOOK, World, data, eventually, refused

MARK = "xHOSTILEx"  # stands in whatever is sent, and must stand in no line of the log
ROUTES = Path(__file__).parents[2] / "handlers" / "routes.c"
ORDERS = "/api/v1/orders"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "Post", MARK]
UNKNOWN = (404, "Kurye entegrasyonu bulunamadı veya aktif değil")
frame = test_events.TestFrames.frame


def wrong_key(prefix="krk_"):
    """One that nobody has, though it is well made: it has to be looked up."""
    text = prefix + secrets.token_hex(20)
    return text + hashlib.sha256(text.encode()).hexdigest()[:8]


def routes(ops):
    """Each path of the port with its methods, from the table itself."""
    text = ROUTES.read_text(encoding="utf-8").partition("const struct route routes[]")[2].split("ops_routes[]")[ops]
    for name, stands in (("INTEGRATION", 'RESTAURANT "/courier-integrations/{integrationId}"'),
                         ("PLATFORM", 'RESTAURANT "/platforms/{platform}"'), ("RESTAURANT", '"/api/v1/restaurants/{id}"')):
        text = re.sub(rf"\b{name}\b", stands, text)
    text, found = re.sub(r'"\s+"', "", text), {}
    for macro, first, second in re.findall(r'\b(GET|ROW|TAKES|MAY_TAKE|YANDEX)\("([^"]+)",\s*(?:"([^"]+)")?', text):
        method, path = ("GET", first) if macro == "GET" else (first, second)
        found.setdefault(path, set()).add(method)
    return found


@lru_cache
def keeps_what_is_freed():
    """A sanitizer's allocator does, and shadows the rest."""
    program = Path(BINARY).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def took(world, before, most):
    """Whether its memory has grown by so many bytes and no more."""
    return resident(world) - before < most or keeps_what_is_freed()


def pipelined(world, messages, ops=False):
    """Sends all of them on one connection, and returns the replies; of HEAD no body is read."""
    with Raw(world, ops=ops) as raw:
        writer = threading.Thread(target=raw.send, args=(b"".join(messages),))
        writer.start()
        replies = [raw.reply(head=message.startswith(b"HEAD ")) for message in messages]
        writer.join()
    return replies


@pytest.fixture(scope="module", autouse=True)
def log(shared):
    """After all of it: a line a second for each cause, and nothing of what was sent."""
    yield
    assert MARK not in shared.server.text()
    lines = Counter((line["event"], line.get("error"), line.get("route"), line["time"][:19]) for line in shared.server.log
                    if line["event"] in ("request_failed", "keys_throttled", "connections_full"))
    assert not lines or max(lines.values()) <= 2, lines.most_common(3)  # a second of theirs and one of ours


@pytest.fixture
def order(restaurant):
    return restaurant.order()


class TestMethods:
    @pytest.mark.parametrize("ops", [False, True], ids=["main", "ops"])
    def test_each_route_knows_its_own_and_names_them(self, shared, ops):
        table = routes(ops)
        assert ("/metrics" if ops else WEBHOOK) in table
        known = {}
        for path in (re.sub(r"\{\w+\}", MARK, pattern) for pattern in table):
            known[path] = set().union(*(methods for pattern, methods in table.items()
                                        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)))
        asked = [(method, path) for path, methods in known.items() for method in METHODS
                 if method not in methods and not (method == "HEAD" and "GET" in methods)]
        replies = pipelined(shared, [request(method, path) for method, path in asked], ops)
        for (method, path), reply in zip(asked, replies):
            assert reply.status == 405 and set(reply.headers["allow"].split(", ")) == known[path], (method, path, reply)

    @pytest.mark.parametrize("line", [f"CONNECT {MARK}:443", "OPTIONS *", f"TRACE http://{MARK}/", f"POST http://{MARK}{WEBHOOK}",
                                      f"POST //{MARK}{WEBHOOK}", f"post {WEBHOOK}", f"POST {WEBHOOK}#{MARK}"])
    def test_other_forms_of_a_target_are_none_of_ours(self, shared, courier, order, line):
        message = webhook(courier, order).replace(f"POST {WEBHOOK}".encode(), line.encode(), 1)
        with Raw(shared) as raw:
            assert set(statuses(raw.send(message).half_close().ended())) <= {b"400", b"404", b"405"}
        assert order.now()["status"] == "hazirlanacak"


class TestPaths:
    TRICKS = ["%2e%2e", "..", ".", "%2f", "%5c", "\\", "%00", "%", "%zz", "%u002f", ";a=b", "//", "/", "#", "%23", "%3f", "%20", "%0d%0a", "%c0%af", "%e0%80%af",
              "\xc0\xae\xc0\xae", "\xff", "ş", "%c5%9f", "０", "\u202e", "%f0%9f%98%80", "*", "'", '"', "<", "|", "~", "%7e", "{id}", "%7Bid%7D", "0" * 79, "0" * 81, "x" * 4000]

    def test_none_leads_to_an_order(self, shared, restaurant, order):
        head, tail = order.id[:12], order.id[12:]
        paths = [path for trick in self.TRICKS for path in (
            f"{ORDERS}/{trick}", f"{ORDERS}/{order.id}{trick}", f"{ORDERS}/{head}{trick}{tail}", f"{ORDERS}/{trick}/{order.id}",
            f"{ORDERS}{trick}/{order.id}", f"/{trick}{ORDERS}/{order.id}", f"/panel/{trick}", f"/docs/{trick}{MARK}")]
        messages = [f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {restaurant.token}\r\n\r\n".encode()
                    for path in paths]
        for path, reply in zip(paths, pipelined(shared, messages)):
            assert reply and reply.status == 404, (path, reply)

    def test_upper_case_is_another_path_but_an_id_has_either(self, shared, restaurant, order):
        assert restaurant.call("GET", f"{ORDERS}/{order.id.upper()}").status_code == 200
        assert restaurant.call("GET", f"{ORDERS.upper()}/{order.id}").status_code == 404

    def test_an_id_is_ascii(self, shared, courier, restaurant, order):
        for wrong in ("０" + order.id[1:], order.id + "\u0000", order.id + "\u200b", "ı" * 24, "\ud83d\ude00" * 6, order.id[:23] + "ﬀ", [order.id], {"$oid": order.id}, 1e23):
            body = {"restaurantId": courier.restaurant.id, "orderId": wrong, "status": 1}
            refused(courier.send(json.dumps(body).encode()), 400, "Geçersiz sipariş ID")
            refused(courier.send(json.dumps({**body, "orderId": order.id, "restaurantId": wrong}).encode()), 400, "Geçersiz restoran ID")
        assert order.now()["status"] == "hazirlanacak"


class TestHeads:
    """One giant, thousands of small ones, and what is in them."""

    @pytest.mark.parametrize("ops", [False, True], ids=["main", "ops"])
    @pytest.mark.parametrize("head", [
        f"Cookie: {MARK}=" + "c" * 40_000, "".join(f"X-{MARK}-{n}: y\r\n" for n in range(5000))[:-2], "a: b\r\n" * 20_000 + "a: b", "X" * 30_000 + ": y",
        "Cookie: " + "; ".join(f"{n}={MARK}" for n in range(5000)), "Authorization: Bearer " + "A" * 20_000], ids=lambda text: text[:12].replace("\r\n", " "))
    def test_too_much_is_431_and_no_more(self, shared, head, ops):
        with Raw(shared, ops=ops) as raw:
            told = statuses(raw.send(f"GET /livez HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode()).half_close().ended())
        assert set(told) <= {b"431", b"413", b"400"}

    def test_as_much_as_fits_is_read(self, shared, courier, order):
        with Raw(shared) as raw:
            raw.send(webhook(courier, order, cookie="; ".join(f"{MARK}{n}={n}" for n in range(40)),
                             **{f"x_{MARK}_{n}": str(n) for n in range(40)}))
            assert raw.reply().status == 200

    def test_a_long_query_is_414_or_ignored(self, shared, restaurant):
        short, many, long = (request("GET", f"{ORDERS}?{query}", authorization=f"Bearer {restaurant.token}")
                             for query in (f"{MARK}&" * 50, "a&" * 4000, f"x={MARK * 4000}"))
        for message, fits in ((short, True), (many, False), (long, False)):
            with Raw(shared) as raw:
                told = statuses(raw.send(message).half_close().ended())
                assert told == [b"200"] if fits else set(told) <= {b"414", b"431", b"400"}

    @pytest.mark.parametrize("expect", ["100-continue, x", "200-maybe", MARK, "100-Continue", "", "100-continue;q=1"])
    def test_whatever_is_expected_the_body_counts(self, shared, courier, order, expect):
        with Raw(shared) as raw:
            raw.send(webhook(courier, order, expect=expect))
            reply = raw.reply()
            assert (raw.reply() if reply.status == 100 else reply).status in (200, 417)

    def test_who_waits_to_be_asked_for_a_refused_body_is_told(self, shared):
        head = request("POST", WEBHOOK, content_length="9", expect="100-continue", content_type="application/json")
        with Raw(shared) as raw:
            assert raw.send(head).reply().status == 400


class TestUpgrades:
    @pytest.mark.parametrize("headers", [
        {"upgrade": "h2c", "connection": "Upgrade, HTTP2-Settings", "http2_settings": "AAMAAABkAAQAAP__"},
        {"upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13", "sec_websocket_key": ASKS["Sec-WebSocket-Key"]},
        {"upgrade": f"{MARK}/1, TLS/1.0", "connection": "upgrade"}], ids=["h2c", "websocket", "tls"])
    def test_elsewhere_an_upgrade_is_ignored(self, shared, courier, order, headers):
        """And what comes behind is the next request, of HTTP/1.1."""
        with Raw(shared) as raw:
            raw.send(webhook(courier, order, **headers), request("GET", "/nothing"))
            assert [raw.reply().status for _ in range(2)] == [200, 404]

    def test_http_2_is_none(self, shared):
        for preface in (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", b"GET / HTTP/3\r\nHost: x\r\n\r\n"):
            with Raw(shared) as raw:
                assert set(statuses(raw.send(preface).half_close().ended())) <= {b"400", b"505"}

    def test_a_screen_that_is_refused_leaves_a_connection_of_http(self, shared, restaurant):
        asks = "".join(f"{name}: {value}\r\n" for name, value in ASKS.items())
        ping = raw_frame(frame(b"early", opcode=0x9))
        with Raw(shared) as raw:
            raw.send(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n{asks}\r\n".encode() + request("GET", "/nothing") + ping)
            assert [raw.reply().status for _ in range(2)] == [401, 404]
            assert b"101" not in raw.half_close().ended()

    def test_thousands_of_handshakes_without_a_token_cost_nothing(self, shared):
        asks = "".join(f"{name}: {value}\r\n" for name, value in ASKS.items())
        shows = ["", f"Authorization: Bearer {MARK}\r\n", f"Authorization: Bearer {wrong_key('krt_')}\r\n"]
        messages = [f"GET {PATH} HTTP/1.1\r\nHost: x\r\n{asks}{shows[n % 3]}\r\n".encode() for n in range(3000)]
        pipelined(shared, messages)  # what grows once
        before = resident(shared)
        for _ in range(3):
            assert {reply.status for reply in pipelined(shared, messages)} == {401}
        assert took(shared, before, 8 << 20)


class TestFloodsOfFrames:
    """Of a screen that is one, and pours."""

    @pytest.mark.parametrize("pours", [frame(b"p" * 125, opcode=0x9), frame(b"", opcode=0xA), frame(b"", fin=0), frame(b"x" * 4096)],
                             ids=["pings", "pongs", "fragments", "texts"])
    def test_it_takes_up_little_and_others_hear_on(self, shared, restaurant, pours):
        more = frame(b"", fin=0, opcode=0x0)
        pouring = connect(restaurant, small=True)
        before = resident(shared)
        pouring.sock.setblocking(False)
        stop = threading.Event()
        one = raw_frame(pours) * 500 if pours.fin else raw_frame(pours) + raw_frame(more) * 500

        def pour():
            sent = 0
            while not stop.is_set() and sent < 8 << 20:
                try:
                    sent += pouring.sock.send(one)
                except BlockingIOError:
                    stop.wait(0.01)
                except OSError:
                    return
        pourer = threading.Thread(target=pour)
        pourer.start()
        try:
            with Watcher(restaurant) as watcher:
                for _ in range(5):
                    watcher.told(restaurant.order())
            assert took(shared, before, 32 << 20)
        finally:
            stop.set()
            pourer.join()
            pouring.shutdown()


    def test_one_restaurant_has_five_hundred(self):
        """Screens cannot be asked to make room, so that nobody may have them all."""
        with World() as world:
            restaurant, other = world.restaurant(), world.restaurant()
            screens = [connect(restaurant) for _ in range(500)]
            eventually(lambda: counted(world, "kuryed_watchers"), lambda count: count == 500)
            refused(world.call("GET", PATH, token=restaurant.token, headers=ASKS), 503, "Sunucu meşgul, lütfen yeniden deneyin")
            with Watcher(other) as watcher:
                watcher.told(other.order())
            screens.pop().shutdown()
            eventually(lambda: counted(world, "kuryed_watchers"), lambda count: count == 499)
            screens.append(connect(restaurant))
            for screen in screens:
                screen.shutdown()


class TestBombs:
    """Bodies as large as they may be, made to be dear."""

    SIZE = 16000
    BOMBS = {
        "arrays": b'{"a":' + b"[" * 7900 + b"]" * 7900 + b"}", "objects": b'{"a":' * 2600 + b"1" + b"}" * 2600, "unclosed": b"[" * SIZE,
        "members": b"{" + b",".join(b'"%d":0' % n for n in range(1800)) + b"}", "one member": b"{" + b",".join([b'"a":0'] * 2600) + b"}",
        "digits": b'{"status":' + b"9" * 15900 + b"}", "fraction": b'{"status":1.' + b"0" * 15900 + b"1}", "exponent": b'{"status":1e' + b"9" * 15000 + b"}",
        "minus": b'{"status":1e-' + b"9" * 15000 + b"}", "escapes": b'{"orderId":"' + b"\\u0130" * 2600 + b'"}', "half": b'{"orderId":"' + b"\\ud800" * 2600 + b'"}',
        "backslashes": b'{"orderId":"' + b"\\\\" * 7900 + b'"}', "blanks": b" " * 15990 + b"{}", "nulls": b"\x00" * SIZE, "bytes": b"\xff" * SIZE,
        "empty": b"", "mark": json.dumps({"orderId": MARK, "restaurantId": MARK, MARK: MARK}).encode()}

    @pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
    def test_each_is_refused_by_its_form_or_fields(self, courier, body):
        answer = courier.send(body)
        assert answer.status_code == 400 and answer.json()["message"] in ("Geçersiz JSON gövdesi", "Geçersiz restoran ID")
        assert MARK not in answer.text

    def test_they_are_cheap(self, shared, courier, restaurant, order):
        large = [json.dumps({"platform": "phone", "items": [{"name": "x", "quantity": 1, "options": ["y"] * 10}] * 4000}).encode()[:262144],
                 b'{"items":[' + b",".join([b"{}"] * 80000) + b"]}", b'{"x":"' + b"\\u0130" * 43000 + b'"}', b"{" + b",".join(b'"%d":[]' % n for n in range(24000)) + b"}"]
        for body in large * 5:
            answer = restaurant.world.session.post(f"http://{shared.address}{ORDERS}", data=body, timeout=20, headers={
                "Content-Type": "application/json", "Authorization": f"Bearer {restaurant.token}"})
            assert answer.status_code == 400, answer.text
        courier.posts(order, 1)


class TestGuessers:
    def test_thousands_of_addresses_guess_and_good_keys_pass_from_each(self):
        with World(trusted_proxies="127.0.0.1/32") as world:
            courier = world.restaurant().courier()
            order = courier.restaurant.order()

            def guesses(addresses, key):
                return [webhook(courier, order, x_api_key=key(), x_forwarded_for=address) for address in addresses]
            many = [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(20000)]
            pipelined(world, guesses(many[:2000], lambda: MARK))
            before = resident(world)
            for at in range(0, len(many), 4000):
                assert {reply.status for reply in pipelined(world, guesses(many[at:at + 4000], lambda: MARK))} == {404}
            assert took(world, before, 16 << 20)
            network = [f"2001:db8:1:2::{n:x}" for n in range(100)]
            told = [reply.status for reply in pipelined(world, guesses(network, wrong_key))]
            assert told == [404] * 60 + [429] * 40
            assert pipelined(world, guesses(["2001:db8:1:3::1"], wrong_key))[0].status == 404
            assert pipelined(world, guesses([network[-1]], lambda: courier.key))[0].status == 200
            assert MARK not in world.server.text()

    def test_they_leave_room_for_who_is_known(self, world):
        """A store that does not get on holds everybody up; guessers may fill half of what is held."""
        courier = world.restaurant().courier()
        order = courier.restaurant.order()
        data(courier.asks("ping"))
        guessers = [Raw(world) for _ in range(300)]
        with Raw(world) as known:
            with world.stalled():
                for guesser in guessers:
                    guesser.send(webhook(courier, order, x_api_key=wrong_key()))
                assert guessers[-1].reply().status == 503
                known.send(webhook(courier, order))
            assert known.reply().status == 200
        told = Counter(guesser.reply().status for guesser in guessers[:-1])
        assert set(told) == {404, 429, 503} and told[404] + told[429] == 256
        for guesser in guessers:
            guesser.close()


class TestRoom:
    def test_neither_port_is_kept_by_who_does_nothing(self):
        """Six times as many as there is room for, of every kind; health and webhooks are answered all the while."""
        with World(max_connections="100") as world:
            courier = world.restaurant().courier()
            orders = [courier.restaurant.order() for _ in range(10)]
            world.session.close()
            kinds = [b"", b"POST / HTTP/1.1\r\nX-Drip: ", request("GET", "/openapi.yaml"),
                     request("POST", WEBHOOK, content_length="16000", content_type="application/json", x_api_key=wrong_key())]
            idle = [Raw(world).send(kinds[n % len(kinds)]) for n in range(600)]
            idle += [Raw(world, ops=True).send(kinds[n % 3]) for n in range(200)]
            for order in orders:
                courier.posts(order, 1)
                assert world.call("GET", "/livez", ops=True).status_code == 200
                world.session.close()
            full = world.server.log_contains(event="connections_full", port="ops")
            assert full["open"] > 64 and full["cut"] > 0
            for raw in idle:
                raw.close()

    def test_ten_thousand_who_do_nothing_take_little(self):
        """Half of them have said nothing, half have been answered and stay."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with World() as world:
            courier = world.restaurant().courier()
            order = courier.restaurant.order()
            before, idle = resident(world), []
            for number in range(10000):
                idle.append(socket.create_connection((world.host, world.port)))
                if number % 2:
                    idle[-1].sendall(request("GET", "/nothing"))
            for one in idle[1::2]:
                assert one.recv(12) == b"HTTP/1.1 404"
            eventually(lambda: counted(world, "kuryed_http_connections"), lambda open: open >= 10000)
            courier.posts(order, 1)
            assert took(world, before, 256 << 20)
            for one in idle:
                one.close()
            eventually(lambda: counted(world, "kuryed_http_connections"), lambda open: open <= 2)
            courier.posts(order, 2)
            assert not world.server.logged(event="connections_full")
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_bodies_that_never_come_keep_none_out(self, shared, courier, order):
        """300 of 256 KiB each: more than may be promised together. Their key is looked up only when they are whole."""
        begun = [Raw(shared).send(request("POST", ORDERS, b"{", content_length="262144", content_type="application/json",
                                          authorization=f"Bearer {wrong_key('krt_')}")) for _ in range(300)]
        for status in (1, 2):
            courier.posts(order, status)
        assert begun[0].ended() == b""
        for raw in begun:
            raw.close()
