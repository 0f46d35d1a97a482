# SPDX-License-Identifier: Apache-2.0
"""test_events.py - a restaurant's screen hears what happens: all of it, soon, and nobody else's."""

import json
import threading
import time

import pytest
import websocket

from fake import fails
from raw import Raw
from test_metrics import counted, metrics
from watcher import PATH, Watcher, connect
from world import CUSTOMER, Restaurant, World, data, eventually, refused, together

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of RFC 6455 section 1.3
ASKS = {"Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY}
LARGE = [{"name": "Adana dürüm " * 8, "quantity": 1} for _ in range(300)]


def ask(world, token=None, method="GET", path=PATH, **changes):
    headers = {name: value for name, value in {**ASKS, **changes}.items() if value is not None}
    return world.call(method, path, token=token, headers=headers)


def ticket_of(restaurant):
    return data(restaurant.call("POST", f"{PATH}/ticket"))["ticket"]


def refuses(restaurant, status, **how):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        connect(restaurant, **how)
    assert caught.value.status_code == status


class TestHandshake:
    def test_it_is_answered_as_the_standard_has_it(self, shared, restaurant):
        with Raw(shared) as raw:
            raw.send((f"GET {PATH} HTTP/1.1\r\nHost: {shared.address}\r\nAuthorization: Bearer {restaurant.token}\r\n"
                      + "".join(f"{name}: {value}\r\n" for name, value in ASKS.items()) + "\r\n").encode())
            reply = raw.reply()
            assert reply.status == 101
            assert reply.headers["sec-websocket-accept"] == ACCEPT
            assert reply.headers["upgrade"] == "websocket" and reply.headers["connection"].lower() == "upgrade"

    @pytest.mark.parametrize("changes", [
        {"Upgrade": None}, {"Upgrade": "h2c"}, {"Connection": "keep-alive"}, {"Connection": None},
        {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Version": None}])
    def test_who_asks_for_no_websocket_of_ours_is_told_which(self, shared, restaurant, changes):
        answer = refused(ask(shared, restaurant.token, **changes), 426, "Bu adres WebSocket (sürüm 13) bekler")
        assert answer.headers["Sec-WebSocket-Version"] == "13" and answer.headers["Upgrade"] == "websocket"

    @pytest.mark.parametrize("key", [None, "", "kısa".encode(), KEY[:-4] + "====", "A" * 24, KEY + "AAAA"])
    def test_a_wrong_key_is_named(self, shared, restaurant, key):
        refused(ask(shared, restaurant.token, **{"Sec-WebSocket-Key": key}), 400, "Geçersiz alan: Sec-WebSocket-Key")

    def test_a_wrong_since_is_named(self, shared, restaurant):
        refused(ask(shared, restaurant.token, path=f"{PATH}?since=dün"), 400, "Geçersiz alan: since")

    def test_only_a_restaurant_watches(self, shared, restaurant):
        refused(ask(shared), 401, "Kimlik doğrulama gerekli")
        refused(ask(shared, "krt_" + "0" * 48), 401, "Kimlik doğrulama gerekli")
        refused(ask(shared, shared.admin_token), 403, "Bu işlem için yetkiniz yok")

    def test_only_by_get(self, shared, restaurant):
        for method in ("HEAD", "POST"):
            answer = ask(shared, restaurant.token, method=method)
            assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


class TestTickets:
    def test_one_opens_one_socket(self, shared, restaurant):
        made = data(restaurant.call("POST", f"{PATH}/ticket"))
        assert set(made) == {"ticket", "expiresAt"}
        with Watcher(restaurant, ticket=made["ticket"]) as watcher:
            order = restaurant.order()
            watcher.told(order, previousStatus=None)
        refuses(restaurant, 401, ticket=made["ticket"])

    def test_a_page_of_another_origin_may_not_use_it(self, shared, restaurant):
        for origin in ("https://evil.example", f"http://evil.example/{shared.address}", "null"):
            refuses(restaurant, 403, ticket=ticket_of(restaurant), origin=origin)
        for origin in (f"http://{shared.address}", f"https://{shared.address.upper()}"):
            connect(restaurant, ticket=ticket_of(restaurant), origin=origin).shutdown()

    def test_the_origin_is_the_public_urls_where_that_is_set(self):
        with World(public_url="https://kurye.example/panel") as world:
            restaurant = world.restaurant()
            for origin in (f"http://{world.address}", "http://kurye.example", "https://kurye.example:8443"):
                refuses(restaurant, 403, ticket=ticket_of(restaurant), origin=origin)
            connect(restaurant, ticket=ticket_of(restaurant), origin="https://kurye.example").shutdown()

    def test_it_is_good_for_its_time_only(self):
        with World(ticket_life="1s") as world:
            restaurant = world.restaurant()
            ticket, began = ticket_of(restaurant), time.monotonic()
            eventually(time.monotonic, lambda now: now > began + 1.1)
            refuses(restaurant, 401, ticket=ticket)

    def test_what_is_no_ticket_is_none(self, shared, restaurant):
        ticket = ticket_of(restaurant)
        other = "0" if ticket[0] != "0" else "1"
        for wrong in ("", "x", other + ticket[1:], ticket[:-2], restaurant.token):
            refuses(restaurant, 401, ticket=wrong)
        connect(restaurant, ticket=ticket).shutdown()


class TestNews:
    def test_each_change_is_told_with_the_order_as_it_is(self, shared, restaurant, courier):
        with Watcher(restaurant) as watcher:
            assert set(watcher.hello()) == {"type", "now"} and watcher.hello()["type"] == "hello"
            order = restaurant.order(status="yeni")
            new = watcher.told(order, previousStatus=None)
            assert set(new) == {"type", "at", "rev", "previousStatus", "order"}
            assert new["order"] == order.now() and new["rev"] == new["order"]["rev"]
            order.becomes("hazirlanacak")
            watcher.told(order, previousStatus="yeni")
            courier.posts(order, 1)
            told = watcher.told(order, previousStatus="hazirlanacak")
            assert told["order"] == order.now() and told["order"]["status"] == "teslim-edilecek"
            courier.posts(order, 2)
            watcher.told(order, previousStatus="teslim-edilecek")
            assert [message["rev"] for message in watcher.about(order)] == [1, 2, 3, 4]

    def test_a_repeat_is_no_news(self, shared, restaurant, courier):
        order, last = restaurant.order(), restaurant.order()
        with Watcher(restaurant) as watcher:
            courier.posts(order, 1)
            watcher.told(order, previousStatus="hazirlanacak")
            courier.posts(order, 1)
            courier.posts(last, 1)
            watcher.told(last, previousStatus="hazirlanacak")
            assert [message["rev"] for message in watcher.about(order) if message["rev"] > 1] == [2]

    def test_others_are_told_nothing(self, shared, restaurant):
        stranger = shared.restaurant()
        with Watcher(stranger) as watcher, Watcher(restaurant) as own, Watcher(restaurant) as second:
            order, theirs = restaurant.order(), stranger.order()
            own.told(order)
            second.told(order)
            watcher.told(theirs)
            assert not watcher.about(order) and not own.about(theirs)

    def test_a_failed_delivery_is_told_and_its_replay(self, world):
        restaurant = world.restaurant().connected("dukkango")
        order = restaurant.order("dukkango")
        with Watcher(restaurant) as watcher:
            world.dukkango.next("on-the-way", fails(500), times=4)
            order.becomes("teslim-edilecek")
            failed = watcher.told(order, type="delivery.failed")
            assert set(failed) == {"type", "at", "delivery"}
            assert failed["delivery"]["state"] == "failed" and failed["delivery"]["platform"] == "dukkango"
            same = watcher.told(order, previousStatus="teslim-edilecek")
            assert same["order"]["status"] == "teslim-edilecek"
            rev = order.now()["rev"]
            data(restaurant.call("POST", "/api/v1/deliveries/replay", {"state": "failed"}))
            watcher.knows(order, rev + 1)

    def test_what_is_counted_names_nobody(self, world):
        restaurant = world.restaurant()
        with Watcher(restaurant) as watcher:
            before = counted(world, "kuryed_events_total", type="order.updated")
            watcher.told(restaurant.order())
            eventually(lambda: counted(world, "kuryed_events_total", type="order.updated"), lambda n: n == before + 1)
            assert metrics(world)["kuryed_watchers", frozenset()] == 1
        eventually(lambda: metrics(world)["kuryed_watchers", frozenset()], lambda n: n == 0)
        seen = world.server.text() + world.call("GET", "/metrics", ops=True).text
        for text in (*CUSTOMER["details"].values(), *CUSTOMER["address"].values(), restaurant.token, restaurant.id):
            assert text not in seen


class TestSince:
    def test_what_was_missed_comes_in_its_order(self, world):
        restaurant = world.restaurant()
        with Watcher(restaurant) as watcher:
            watcher.told(restaurant.order())
            since = watcher.since
        orders = [restaurant.order() for _ in range(5)]
        for order in reversed(orders):
            order.becomes("hazir")
        with Watcher(restaurant, since=since) as again:
            for order in orders:
                again.knows(order, 2)
            order = restaurant.order()
            again.told(order, previousStatus=None)  # and goes on with what happens now
            first = {}  # of each change: it may be told again
            for message in again.messages[1:]:
                first.setdefault((message["order"]["orderId"], message["order"]["rev"]), message["at"])
            assert list(first.values()) == sorted(first.values())

    def test_more_than_a_page_is_missed(self, world):
        restaurant = world.restaurant()
        orders = [restaurant.order() for _ in range(230)]
        with Watcher(restaurant, since="2024-01-01T00:00:00Z") as watcher:
            for order in orders:
                watcher.knows(order, 1)
            assert len(watcher.revs) == 230

    def test_a_crowd_comes_back_at_once(self, world):
        """More than are shown what they missed at one time; each gets all of it."""
        restaurant = world.restaurant()
        orders = [restaurant.order() for _ in range(30)]
        watchers = together(60, lambda _: Watcher(restaurant, since="2024-01-01T00:00:00Z"))
        late = restaurant.order()
        for watcher in watchers:
            for order in (*orders, late):
                watcher.knows(order, 1)
            watcher.cut()
        with Watcher(restaurant, since=watchers[0].since) as again:
            again.knows(late, 1)

    def test_nothing_is_lost_while_changes_flow(self, world):
        """A screen whose connection is cut again and again ends up knowing the last revision of every order."""
        restaurant = world.restaurant()
        orders, over, since = [], threading.Event(), None

        def work():
            for _ in range(60):
                order = restaurant.order(status="yeni")
                orders.append(order)
                for status in ("hazirlanacak", "hazir", "teslim-edildi"):
                    order.becomes(status)
            over.set()
        known, worker = {}, threading.Thread(target=work)
        with Watcher(restaurant) as first:
            since = first.since
        worker.start()
        rounds = 0
        while not over.is_set() or len([o for o in orders if known.get(o.id) == 4]) < len(orders):
            watcher = Watcher(restaurant, since=since)
            watcher.waits(lambda: any(rev > known.get(order, 0) for order, rev in watcher.revs.items()))
            watcher.cut()
            since = watcher.since
            for order, rev in watcher.revs.items():
                known[order] = max(known.get(order, 0), rev)
            rounds += 1
            assert rounds < 2000
        worker.join()
        assert rounds > 5

    def test_it_comes_back_after_a_kill(self, world):
        restaurant = world.restaurant()
        watcher = Watcher(restaurant)
        watcher.told(restaurant.order())
        late = restaurant.order()
        watcher.knows(late, 1)
        world.kill()
        watcher.is_dropped()
        world.start()
        missed = late.becomes("hazir")
        with Watcher(restaurant, since=watcher.since) as again:
            again.knows(late, missed["rev"])


class TestFrames:
    """RFC 6455, by the bytes."""

    @staticmethod
    def frame(data, opcode=websocket.ABNF.OPCODE_TEXT, fin=1, mask=1, rsv1=0):
        return websocket.ABNF(fin, rsv1, 0, 0, opcode, mask, data)

    @pytest.mark.parametrize("code, frames", [
        (1002, [{"data": b"no mask", "mask": 0}]),
        (1002, [{"data": b"x", "rsv1": 1}]),
        (1002, [{"data": b"x", "opcode": 0x3}]),
        (1002, [{"data": b"never begun", "opcode": 0x0}]),
        (1002, [{"data": b"a", "fin": 0}, {"data": b"another begins"}]),
        (1002, [{"data": b"p" * 126, "opcode": 0x9}]),
        (1002, [{"data": b"half a ping", "opcode": 0x9, "fin": 0}]),
        (1002, [{"data": b"\x03\xed", "opcode": 0x8}]),
        (1007, [{"data": b"\xff\xfe"}]),
        (1009, [{"data": b"x" * 4097}]),
        (1009, [{"data": b"x" * (1 << 20)}]),
    ], ids=lambda value: str(value)[:60])
    def test_what_breaks_the_rules_is_closed_by_its_code(self, shared, restaurant, code, frames):
        made = [self.frame(**{"mask": 1, **frame}) for frame in frames]
        watcher = Watcher(restaurant)
        watcher.hello()
        for frame in made:
            try:
                watcher.socket.sock.sendall(raw_frame(frame))
            except (BrokenPipeError, ConnectionResetError):
                pass
        watcher.is_closed(code)
        watcher.is_dropped()

    def test_what_a_client_says_is_of_no_interest(self, shared, restaurant):
        with Watcher(restaurant) as watcher:
            for frame in (self.frame(b"hello"), self.frame(b"\x00\xff", opcode=0x2),
                          self.frame("ş".encode()[:1], fin=0), self.frame("ş".encode()[1:], opcode=0x0),
                          self.frame(b"", opcode=0x1), self.frame(b"x" * 4096, fin=0),
                          *[self.frame(b"x" * 4096, fin=0, opcode=0x0)] * 20, self.frame(b"x", opcode=0x0)):
                watcher.socket.sock.sendall(raw_frame(frame))
            watcher.told(restaurant.order())

    def test_a_ping_is_answered_also_between_fragments(self, shared, restaurant):
        with Watcher(restaurant) as watcher:
            for frame in (self.frame(b"a", fin=0), self.frame(b"are you there?", opcode=0x9),
                          self.frame(b"b", opcode=0x0)):
                watcher.socket.sock.sendall(raw_frame(frame))
            watcher.waits(lambda: (websocket.ABNF.OPCODE_PONG, b"are you there?") in watcher.frames)

    def test_a_frame_may_come_byte_by_byte_and_with_the_handshake(self, shared, restaurant):
        with Raw(shared) as raw:
            ping = raw_frame(self.frame(b"early", opcode=0x9))
            raw.send((f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {restaurant.token}\r\n"
                      + "".join(f"{name}: {value}\r\n" for name, value in ASKS.items()) + "\r\n").encode()
                     + ping + ping[:1])
            assert raw.reply().status == 101
            for byte in ping[1:]:
                raw.send(bytes([byte]))
            got = b""
            while got.count(b"\x8a\x05early") < 2:
                byte = raw.file.read(1)
                assert byte, got
                got += byte

    def test_a_close_is_answered_by_the_same(self, shared, restaurant):
        for code in (1000, 1001, 4000):
            watcher = Watcher(restaurant)
            watcher.hello()
            watcher.socket.send_close(code)
            watcher.is_closed(code)
            watcher.is_dropped()
            watcher.cut()


def raw_frame(frame):
    """The frame's bytes, though the library would refuse to make it."""
    data, size = frame.data, len(frame.data)
    head = bytes([frame.fin << 7 | frame.rsv1 << 6 | frame.opcode])
    mask = vars(frame).get("mask_value", vars(frame).get("mask")) << 7  # whatever the library's version calls it
    if size < 126:
        head += bytes([mask | size])
    elif size < 1 << 16:
        head += bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask | 127]) + size.to_bytes(8, "big")
    if not frame.mask:
        return head + data
    key = b"\x12\x34\x56\x78"
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


class TestPatience:
    def test_who_answers_pings_stays_and_who_does_not_goes(self):
        with World(events_ping="200ms") as world:
            restaurant = world.restaurant()
            silent = connect(restaurant)  # nobody reads it: no pong is sent
            with Watcher(restaurant) as watcher:
                watcher.waits(lambda: [f for f in watcher.frames if f[0] == websocket.ABNF.OPCODE_PING][4:])
                eventually(lambda: counted(world, "kuryed_watchers_lost_total", reason="dead"), lambda n: n == 1)
                watcher.told(restaurant.order())
            silent.shutdown()

    def test_who_reads_too_slowly_comes_back_by_since(self, world):
        restaurant = world.restaurant()
        with Watcher(restaurant) as watcher:
            since = watcher.since
        slow = connect(restaurant, small=True)
        orders = [restaurant.order(items=LARGE, orderNote="x" * 500) for _ in range(4)]
        moved = 0
        while counted(world, "kuryed_watchers_lost_total", reason="slow") == 0:
            orders.append(restaurant.order(items=LARGE))
            moved += 1
            assert moved < 100
        code = None
        while code is None:
            opcode, frame = slow.recv_data_frame(True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(frame.data[:2], "big")
            else:
                since = json.loads(frame.data).get("at", since)
        assert code == 1013
        slow.shutdown()
        with Watcher(restaurant, since=since) as again:
            again.knows(orders[-1], 1)

    def test_a_slow_reader_catches_up_without_being_closed(self, world):
        restaurant = world.restaurant()
        orders = [restaurant.order(items=LARGE) for _ in range(40)]
        slow = connect(restaurant, small=True, since="2024-01-01T00:00:00Z")
        stranger = world.restaurant()
        with Watcher(stranger) as other:  # who is not held up by it
            other.told(stranger.order())
        heard = {}
        while not heard:
            message = json.loads(slow.recv_data_frame(True)[1].data)
            if message["type"] == "order.updated":
                heard[message["order"]["orderId"]] = message["rev"]
        moved = next(order for order in orders if order.id in heard)  # it was shown already, most others were not
        moved.becomes("hazir")
        while len(heard) < len(orders) or heard[moved.id] < 2:
            opcode, frame = slow.recv_data_frame(True)
            assert opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_PING)
            message = json.loads(frame.data)
            if message["type"] == "order.updated":
                heard[message["order"]["orderId"]] = message["rev"]
        slow.shutdown()

    def test_a_revoked_token_ends_what_it_opened(self):
        with World(events_ping="300ms") as world:
            restaurant = world.restaurant()
            tokens = f"{restaurant.path}/tokens"
            made = [data(restaurant.call("POST", tokens, {"name": name}), 201) for name in ("Mutfak", "Kasa")]
            kitchen, till = (Restaurant(world, restaurant.id, token["token"]) for token in made)
            with Watcher(till) as stays:
                goes = [Watcher(kitchen), Watcher(kitchen, ticket=ticket_of(kitchen))]
                data(restaurant.call("DELETE", f"{tokens}/{made[0]['tokenId']}"))
                for watcher in goes:
                    watcher.is_closed(1008)
                stays.told(restaurant.order())
                data(world.admin("PATCH", restaurant.path, {"active": False}))
                stays.is_closed(1008)

    def test_a_store_that_stands_still_delays_and_loses_nothing(self):
        with World(request_deadline="2s") as world:
            restaurant = world.restaurant()
            courier, order = restaurant.courier(), restaurant.order()
            with Watcher(restaurant) as watcher:
                with world.stalled():
                    assert courier.post(order, 1).status_code == 500
                eventually(lambda: courier.post(order, 1).status_code, lambda status: status == 200)
                watcher.knows(order, 2)

    def test_the_stop_says_that_it_goes_away(self, world):
        restaurant = world.restaurant()
        watchers = [Watcher(restaurant) for _ in range(20)]
        silent = connect(restaurant)
        for watcher in watchers:
            watcher.hello()
        status, took = world.server.stop()
        assert status == 0 and took < 4
        for watcher in watchers:
            watcher.is_closed(1001)
            watcher.cut()
        silent.shutdown()
        world.start()
