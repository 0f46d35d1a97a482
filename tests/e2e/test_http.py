# SPDX-License-Identifier: Apache-2.0
"""test_http.py - bytes on the wire that no library would send, and clients that behave badly."""

import json
import time

import pytest

from raw import Raw, request
from world import WEBHOOK, World, data, eventually

ORDERS = "/api/v1/orders"


@pytest.fixture
def order(restaurant):
    return restaurant.order()


@pytest.fixture
def raw(shared):
    with Raw(shared) as connection:
        yield connection


def webhook(courier, order, status=1, **headers):
    body = {"restaurantId": courier.restaurant.id, "orderId": order.id, "status": status}
    headers = {"content_type": "application/json", "x_api_key": courier.key, **headers}
    return request("POST", WEBHOOK, body, **headers)


def chunked(message):
    """The same message with its body in three chunks."""
    head, _, body = message.partition(b"\r\n\r\n")
    parts = [body[:7], body[7:20], body[20:]]
    return head + b"\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def state(reply):
    assert reply and reply.status == 200, reply
    return json.loads(reply.body)["data"]["status"]


class TestFraming:
    def test_a_chunked_body_is_a_body(self, raw, courier, order):
        message = webhook(courier, order, content_length=None, transfer_encoding="chunked")
        assert state(raw.send(chunked(message)).reply()) == "teslim-edilecek"

    def test_bytes_may_come_one_by_one(self, raw, courier, order):
        message = webhook(courier, order)
        assert state(raw.send(*(message[i:i + 1] for i in range(len(message)))).reply()) == "teslim-edilecek"

    @pytest.mark.parametrize("second", ["same", "different"])
    def test_two_content_lengths_are_refused(self, raw, courier, order, second):
        message = webhook(courier, order)
        length = len(message.partition(b"\r\n\r\n")[2])
        other = length if second == "same" else length - 1
        reply = raw.send(message.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % other, 1)).reply()
        assert reply is None or reply.status == 400
        assert order.now()["status"] == "hazirlanacak"

    def test_length_and_chunks_together_are_refused(self, raw, courier, order):
        message = webhook(courier, order, transfer_encoding="chunked")
        smuggled = webhook(courier, order, 2)
        reply = raw.send(chunked(message), smuggled).reply()
        assert reply is None or reply.status == 400
        assert b"HTTP/1.1 200" not in raw.ended()
        assert order.now()["status"] == "hazirlanacak"

    @pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "chunked, chunked", "identity", "x"])
    def test_another_transfer_coding_is_refused(self, raw, courier, order, coding):
        message = webhook(courier, order, content_length=None, transfer_encoding=coding)
        reply = raw.send(chunked(message)).half_close().reply()
        assert reply is None or reply.status in (400, 501)
        assert order.now()["status"] == "hazirlanacak"

    @pytest.mark.parametrize("length", ["-1", "+5", "0x10", "5 5", "99999999999999999999", ""])
    def test_a_length_that_is_none_is_refused(self, raw, courier, order, length):
        reply = raw.send(webhook(courier, order, content_length=length)).reply()
        assert reply is None or reply.status in (400, 413)
        assert order.now()["status"] == "hazirlanacak"

    def test_what_is_not_http_harms_nobody(self):
        junk = [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"\r\n\r\n\r\n" * 50, b"\x00" * 200, b"",
                b"POST / HTTP/9.9\r\n\r\n", b"POST " + WEBHOOK.encode() + b"\r\n\r\n", b"GET / HTTP/1.1\r\n"]
        with World(receive_deadline="1s") as world:
            sockets = [Raw(world).send(rubbish).half_close() for rubbish in junk]
            for raw in sockets:
                with raw:
                    assert b"HTTP/1.1 200" not in raw.ended()
            data(world.admin("GET", "/api/v1/restaurants"))

    def test_a_header_that_is_too_large_is_431(self, raw):
        reply = raw.send(request("GET", ORDERS, x_filler="x" * 100_000)).reply()
        assert reply.status == 431

    def test_a_path_that_is_too_long_is_refused(self, raw):
        reply = raw.send(request("GET", "/" + "x" * 100_000)).reply()
        assert reply.status in (404, 414, 431)


class TestConnections:
    def test_pipelined_requests_are_answered_in_order(self, raw, courier, restaurant):
        orders = [restaurant.order() for _ in range(10)]
        raw.send(b"".join(webhook(courier, order, x_request_id=f"n{i}") for i, order in enumerate(orders)))
        replies = [raw.reply() for _ in orders]
        assert [reply.headers["x-request-id"] for reply in replies] == [f"n{i}" for i in range(10)]
        assert {state(reply) for reply in replies} == {"teslim-edilecek"}

    def test_a_connection_may_be_used_again_after_an_error(self, raw, courier, order):
        assert raw.send(request("POST", WEBHOOK, {}, content_type="application/json")).reply().status == 400
        assert raw.send(webhook(courier, order, x_api_key="krk_x")).reply().status == 404
        assert state(raw.send(webhook(courier, order)).reply()) == "teslim-edilecek"

    def test_a_client_that_only_listens_any_more_gets_its_answer(self, raw, courier, order):
        assert state(raw.send(webhook(courier, order)).half_close().reply()) == "teslim-edilecek"

    def test_connection_close_is_obeyed(self, raw, courier, order):
        assert state(raw.send(webhook(courier, order, connection="close")).reply()) == "teslim-edilecek"
        assert raw.ended() == b""

    def test_http_1_0_is_answered_and_closed(self, raw, courier, order):
        assert state(raw.send(webhook(courier, order).replace(b"HTTP/1.1", b"HTTP/1.0", 1)).reply()) == \
            "teslim-edilecek"
        assert raw.ended() == b""

    def test_a_client_that_leaves_while_its_move_is_written_harms_nobody(self, world):
        restaurant = world.restaurant()
        courier = restaurant.courier()
        orders = [restaurant.order() for _ in range(40)]
        with world.stalled():
            for order in orders:
                with Raw(world) as leaving:
                    leaving.send(webhook(courier, order))
        # The store may have taken the move or not; it must be one of the two, and the rest must work.
        for order in orders:
            courier.posts(order, 1)
            assert [row["status"] for row in order.now()["history"]] == ["hazirlanacak", "teslim-edilecek"]

    def test_head_has_no_body(self, raw):
        raw.send(request("HEAD", WEBHOOK, content_length=None))
        assert raw.reply(head=True).status in (404, 405)
        raw.send(request("GET", "/nothing", content_length=None))
        assert raw.reply().status == 404

    def test_a_slow_reader_gets_a_long_answer_whole(self, shared):
        restaurant = shared.restaurant()
        for _ in range(30):
            restaurant.order(orderNote="uzun " * 200)
        with Raw(shared) as slow:
            slow.send(request("GET", ORDERS, authorization=f"Bearer {restaurant.token}"))
            data(restaurant.call("GET", restaurant.path))  # somebody else is served meanwhile
            assert len(json.loads(slow.reply().body)["data"]) == 30


class TestBodiesAreBounded:
    @pytest.mark.parametrize("method, path, limit, kind", [
        ("POST", WEBHOOK, 16384, "key"), ("POST", ORDERS, 262144, "token"),
        ("PUT", f"{ORDERS}/{'0' * 24}/status", 262144, "token")])
    def test_413_is_decided_before_the_body(self, raw, courier, restaurant, method, path, limit, kind):
        who = {"x_api_key": courier.key} if kind == "key" else {"authorization": f"Bearer {restaurant.token}"}
        reply = raw.send(request(method, path, content_length=str(limit + 1), content_type="application/json",
                                 expect="100-continue", **who)).reply()
        assert reply.status == 413
        assert json.loads(reply.body) == {"statusCode": 413, "error": "Content Too Large",
                                          "message": "İstek gövdesi çok büyük"}

    def test_a_megabyte_is_413_even_when_it_is_sent(self, raw, courier, order):
        message = webhook(courier, order, content_length="1000000")
        assert raw.send(message, b" " * 999_000).reply().status == 413

    def test_a_megabyte_in_chunks_is_413(self, raw, courier, order):
        message = webhook(courier, order, content_length=None, transfer_encoding="chunked")
        head = message.partition(b"\r\n\r\n")[0]
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
        assert raw.send(head + b"\r\n\r\n", *[chunk] * 256, b"0\r\n\r\n").reply().status == 413
        assert order.now()["status"] == "hazirlanacak"

    def test_100_continue_is_said_when_the_body_is_wanted(self, raw, courier, order):
        head, _, body = webhook(courier, order, expect="100-continue").partition(b"\r\n\r\n")
        assert raw.send(head + b"\r\n\r\n").reply().status == 100
        assert state(raw.send(body).reply()) == "teslim-edilecek"


class TestDrippers:
    """Clients that never finish. Each is cut when the whole request has had its time, not sooner."""

    PIECES = {"header": b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nX-Drip: ",
              "body": request("POST", ORDERS, b'{"platform":', content_length="100",
                              content_type="application/json", authorization="Bearer TOKEN"),
              "chunks": request("POST", ORDERS, b"5\r\n{    \r\n", content_length=None,
                                transfer_encoding="chunked", content_type="application/json",
                                authorization="Bearer TOKEN")}

    def begin(self, world, restaurant, kind):
        return Raw(world).send(self.PIECES[kind].replace(b"TOKEN", restaurant.token.encode()))

    @pytest.mark.parametrize("kind", PIECES)
    def test_an_unfinished_request_is_cut_in_time_though_bytes_keep_coming(self, kind):
        with World(receive_deadline="1s") as world:
            drip = b"1\r\n \r\n" if kind == "chunks" else b" "
            with self.begin(world, world.restaurant(), kind) as raw:
                began = time.monotonic()
                raw.socket.settimeout(0.05)
                assert self.cut(raw, drip), "still open"
                assert 0.9 <= time.monotonic() - began < 5

    @staticmethod
    def cut(raw, drip):
        """Sends a byte each time nothing came for a while; True once the server has closed."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                raw.socket.sendall(drip)
                if raw.socket.recv(4096) == b"":
                    return True
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                return True
        return False

    def test_one_who_never_reads_is_cut_in_time(self):
        with World(receive_deadline="1s") as world:
            restaurant = world.restaurant()
            for _ in range(20):
                restaurant.order(orderNote="uzun " * 400)
            question = request("GET", ORDERS, authorization=f"Bearer {restaurant.token}")
            world.session.close()
            with Raw(world) as raw:
                raw.send(question * 1000)  # 50 MB of answers: more than all buffers on the way hold
                eventually(lambda: peers(world), lambda count: count == 1)
                eventually(lambda: peers(world), lambda count: count == 0)
            data(restaurant.call("GET", restaurant.path))

    def test_500_slow_clients_do_not_slow_the_others(self, shared, restaurant, courier, order):
        slow = [self.begin(shared, restaurant, "header") for _ in range(500)]
        try:
            began = time.monotonic()
            courier.posts(order, 1)
            assert time.monotonic() - began < 2
        finally:
            for raw in slow:
                raw.close()

    def test_500_unfinished_bodies_take_little_memory(self, shared, courier, order):
        before = resident(shared)
        slow = [Raw(shared).send(webhook(courier, order, content_length="16000"), b" " * 15000)
                for _ in range(500)]
        try:
            courier.posts(order, 1)
            assert resident(shared) - before < 64 << 20
        finally:
            for raw in slow:
                raw.close()


def peers(world):
    """Connections that the binary has open on its main port."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[1].endswith(f":{world.port:04X}") and row[3] == "01" for row in rows)


def resident(world):
    """The memory that the binary has in use, in bytes."""
    with open(f"/proc/{world.server.process.pid}/status", encoding="ascii") as status:
        return [int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS")][0]


def test_the_ports_do_not_share_their_addresses(shared):
    for path in ("/livez", "/readyz", "/metrics"):
        assert shared.call("GET", path).status_code == 404
    assert shared.call("POST", WEBHOOK, {}, ops=True).status_code == 404


def test_more_connections_than_allowed_are_turned_away_and_room_is_made_again():
    with World(max_connections="20") as world:
        restaurant = world.restaurant()
        world.session.close()
        full = [Raw(world) for _ in range(40)]
        for raw in full:
            raw.close()
        eventually(lambda: answers(restaurant), bool, pause=0.1)


def answers(restaurant):
    try:
        return data(restaurant.call("GET", restaurant.path))
    except OSError:
        return None
