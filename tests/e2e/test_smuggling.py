# SPDX-License-Identifier: Apache-2.0
"""test_smuggling.py - requests that a proxy in front may read otherwise: none of them is executed, and nobody hears another's answer."""

import json
import re
import threading

import pytest

from raw import Raw, request
from test_http import chunked, webhook
from world import WEBHOOK

ORDERS = "/api/v1/orders"


@pytest.fixture
def prey(restaurant):
    """The order that would move if the bytes were read in a wrong way."""
    return restaurant.order()


def swapped(old, new):
    """The message with one line of its head written in another way."""
    def spoil(message):
        head, gap, body = message.partition(b"\r\n\r\n")
        assert head.count(old) == 1
        return head.replace(old, new) + gap + body
    return spoil


LENGTH, CHUNKS, HOST = b"content-length: ", b"transfer-encoding: chunked", b"host: kuryed"
# What is done to the head of a webhook whose body has a length, or comes in chunks.
OF_LENGTH = {
    "blank before the colon": (LENGTH, b"Content-Length : "),
    "tab before the colon": (LENGTH, b"Content-Length\t: "),
    "folded": (LENGTH, b"Content-Length:\r\n "),
    "folded number": (LENGTH, b"Content-Length: 1\r\n "),
    "folded into a name": (LENGTH, b"X: y\r\n Content-Length: "),
    "a line that hides behind LF": (HOST, HOST + b"\r\nX: y\nContent-Length: 7"),
    "a line that hides behind CR": (HOST, HOST + b"\r\nX: y\rContent-Length: 7"),
    "a list": (LENGTH, b"Content-Length: 7, "),
    "a sign": (LENGTH, b"Content-Length: +"),
    "hexadecimal": (LENGTH, b"Content-Length: 0x"),
    "a blank within": (LENGTH, b"Content-Length: 0 "),
    "NUL in the number": (LENGTH, b"Content-Length: 7\x00"),
    "NUL in the name": (LENGTH, b"Content\x00-Length: "),
    "two Hosts": (HOST, HOST + b"\r\nHost: other"),
    "two Hosts, the same": (HOST, HOST + b"\r\n" + HOST),
    "no Host": (HOST + b"\r\n", b""),
    "a name in quotes": (HOST, HOST + b'\r\n"X": y'),
    "a name with a blank": (HOST, HOST + b"\r\nX Y: z"),
    "a name that is empty": (HOST, HOST + b"\r\n: z"),
    "a name beyond ASCII": (HOST, HOST + b"\r\n\xc5\x9f: z"),
    "a line without a colon": (HOST, HOST + b"\r\nx"),
    "a length folded together": (HOST, HOST + b"\r\nContent-Len: 7\r\n gth"),
    "chunks folded together": (HOST, HOST + b"\r\nTransfer-Enc: chunked\r\n oding"),
    "an encoding beside it": (HOST, HOST + b"\r\nTransfer-Encoding: identity"),
    "a blank line before it": (HOST, b" \r\n" + HOST),
    "a blank before the first line": (HOST, b" " + HOST),
    "NUL in the path": (WEBHOOK.encode(), WEBHOOK.encode() + b"\x00/x"),
    "a blank in the path": (WEBHOOK.encode(), WEBHOOK.encode() + b" x"),
    "a tab for a blank": (b" HTTP/1.1", b"\tHTTP/1.1"),
    "two versions": (b" HTTP/1.1", b" HTTP/1.1 HTTP/1.1"),
    "a version that is none": (b" HTTP/1.1", b" HTTP/1.10"),
    "no version": (b" HTTP/1.1", b""),
    "another protocol": (b" HTTP/1.1", b" HTTPS/1.1"),
}
OF_CHUNKS = {
    "blank before the colon": (CHUNKS, b"Transfer-Encoding : chunked"),
    "folded": (CHUNKS, b"Transfer-Encoding:\r\n chunked"),
    "folded coding": (CHUNKS, b"Transfer-Encoding: chun\r\n ked"),
    "vertical tab": (CHUNKS, b"Transfer-Encoding: \x0bchunked"),
    "NUL": (CHUNKS, b"Transfer-Encoding: chunked\x00x"),
    "quoted": (CHUNKS, b'Transfer-Encoding: "chunked"'),
    "a parameter": (CHUNKS, b"Transfer-Encoding: chunked;q=1"),
    "a comma": (CHUNKS, b"Transfer-Encoding: ,chunked"),
    "twice": (CHUNKS, CHUNKS + b"\r\n" + CHUNKS),
    "then identity": (CHUNKS, CHUNKS + b"\r\nTransfer-Encoding: identity"),
    "a length before": (CHUNKS, b"Content-Length: 5\r\n" + CHUNKS),
    "a length behind": (CHUNKS, CHUNKS + b"\r\nContent-Length: 5"),
    "a length behind LF": (CHUNKS, CHUNKS + b"\r\nX: y\nContent-Length: 5"),
    "a name with an underscore": (CHUNKS, b"Transfer_Encoding: chunked"),
}


REFUSALS = {b"400", b"404", b"405", b"411", b"413", b"415", b"431", b"501", b"505"}
# How the first chunk's line, or what follows its bytes, may be written; %x is its size.
LINES = ["%x\n", "%x;a=\nb\r\n", "%x;\r\n", '%x;a="\r\n', "%x \r\n", "%x\t\r\n", "%x\r\r\n", "0x%x\r\n", "+%x\r\n", "-%x\r\n", " %x\r\n", "0%x\r\n",
         "%x,\r\n", "%x\x00\r\n", "\r\n%x\r\n", "ffffffffffffffff%x\r\n", "10000000000000000%x\r\n", "fffffffffffffff0\r\n", ";\r\n", "\r\n", "%x\r\n\r\n"]
ENDS = ["\r\n", "\n", "\r", "", "xx", "\r\n\r\n", "\x00\r\n"]


def statuses(heard):
    """What was answered, in order; each error of ours has the contract's shape."""
    for document in re.findall(rb'\{"statusCode":[^}]*\}', heard):
        assert set(json.loads(document)) == {"statusCode", "error", "message"}
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", heard)


def refused_whole(raw, message):
    """Of all that nothing was executed: at most errors came back, and the last word was the server's."""
    heard = raw.send(message).half_close().ended()
    assert set(statuses(heard)) <= REFUSALS, heard


@pytest.mark.parametrize("change", OF_LENGTH.values(), ids=OF_LENGTH.keys())
def test_a_head_that_can_be_read_in_two_ways_is_refused(shared, courier, restaurant, prey, change):
    order = restaurant.order()
    message = swapped(*change)(webhook(courier, order))
    with Raw(shared) as raw:
        refused_whole(raw, message + webhook(courier, prey))
    assert {order.now()["status"], prey.now()["status"]} == {"hazirlanacak"}


@pytest.mark.parametrize("change", OF_CHUNKS.values(), ids=OF_CHUNKS.keys())
def test_so_is_an_encoding(shared, courier, restaurant, prey, change):
    order = restaurant.order()
    message = chunked(webhook(courier, order, content_length=None, transfer_encoding="chunked"))
    with Raw(shared) as raw:
        refused_whole(raw, swapped(*change)(message) + webhook(courier, prey))
    assert {order.now()["status"], prey.now()["status"]} == {"hazirlanacak"}


class TestChunks:
    """Programs do not agree where chunks end, so what comes behind them on a connection is never a request."""

    @staticmethod
    def plays(shared, courier, order, prey, line="%x\r\n", end="\r\n", last="0\r\n\r\n"):
        head, _, body = webhook(courier, order, content_length=None, transfer_encoding="chunked").partition(b"\r\n\r\n")
        line = line.replace("%x", f"{len(body):x}")
        with Raw(shared) as raw:
            raw.send(head + b"\r\n\r\n" + line.encode() + body + end.encode() + last.encode() + webhook(courier, prey))
            told = statuses(raw.half_close().ended())
        assert prey.now()["status"] == "hazirlanacak"
        assert len(told) <= 1 and (order.now()["status"] == "teslim-edilecek") == (told == [b"200"]), told
        return told

    def test_good_ones_are_answered_and_the_connection_ends(self, shared, courier, restaurant, prey):
        assert self.plays(shared, courier, restaurant.order(), prey) == [b"200"]
        assert self.plays(shared, courier, restaurant.order(), prey, last="0\r\nX: y\r\n\r\n") == [b"200"]

    @pytest.mark.parametrize("line", LINES, ids=map(repr, LINES))
    def test_whatever_their_sizes_look_like(self, shared, courier, restaurant, prey, line):
        self.plays(shared, courier, restaurant.order(), prey, line=line)

    @pytest.mark.parametrize("end", ENDS, ids=map(repr, ENDS))
    def test_whatever_stands_behind_them(self, shared, courier, restaurant, prey, end):
        self.plays(shared, courier, restaurant.order(), prey, end=end)
        self.plays(shared, courier, restaurant.order(), prey, last="0" + end)


class TestPipelines:
    def test_hundreds_in_one_write_are_each_answered_by_their_own(self, shared, courier, restaurant):
        """Among them errors of every kind that leave the connection as it is."""
        orders = [restaurant.order() for _ in range(60)]
        kinds = [(200, lambda n, **more: webhook(courier, orders[n], **more)),
                 (400, lambda n, **more: request("POST", WEBHOOK, {"n": n}, content_type="application/json", **more)),
                 (404, lambda n, **more: webhook(courier, orders[n], **{**more, "x_api_key": "krk_x"})),
                 (404, lambda n, **more: request("GET", f"/nothing/{n}", **more)),
                 (405, lambda n, **more: request("DELETE", WEBHOOK, **more)),
                 (415, lambda n, **more: webhook(courier, orders[n], **{**more, "content_type": "text/plain"})),
                 (401, lambda n, **more: request("GET", ORDERS, **more))]
        sent = [(status, make(n, x_request_id=f"n{n}-{i}")) for n in range(60) for i, (status, make) in enumerate(kinds)]
        with Raw(shared) as raw:
            writer = threading.Thread(target=raw.send, args=(b"".join(message for _, message in sent),))
            writer.start()
            for number, (status, _) in enumerate(sent):
                reply = raw.reply()
                assert (reply.status, reply.headers["x-request-id"]) == (status, f"n{number // 7}-{number % 7}")
                if status == 200:
                    assert json.loads(reply.body)["data"]["orderId"] == orders[number // 7].id
            writer.join()

    def test_what_ends_a_connection_ends_what_was_behind_it(self, shared, courier, restaurant, prey):
        order = restaurant.order()
        spoilt = webhook(courier, prey, content_length="5").replace(b"content-length: 5", b"content-length: 5\r\ncontent-length: 6")
        with Raw(shared) as raw:
            told = statuses(raw.send(webhook(courier, order) + spoilt + webhook(courier, prey)).half_close().ended())
        assert told[0] == b"200" and set(told[1:]) <= REFUSALS
        assert (order.now()["status"], prey.now()["status"]) == ("teslim-edilecek", "hazirlanacak")
