# SPDX-License-Identifier: Apache-2.0
"""watcher.py - a restaurant's screen by an independent client (Debian's python3-websocket), and every message it got.

A watcher reads on a thread of its own and remembers the revisions, as a screen must: what it knows already is no news.
"""

import json
import socket
import threading
import urllib.parse

import jsonschema
import websocket

from openapi import description
from process import WAIT

PATH = "/api/v1/events"

# "Try again later", registered after the RFC: older versions of the library know it not.
websocket._abnf.VALID_CLOSE_STATUS = (*websocket._abnf.VALID_CLOSE_STATUS, 1013)


def url_of(world, since=None, ticket=None):
    query = {name: value for name, value in {"since": since, "ticket": ticket}.items() if value is not None}
    return f"ws://{world.address}{PATH}" + (f"?{urllib.parse.urlencode(query)}" if query else "")


def connect(restaurant, since=None, ticket=None, origin=None, small=False):
    """A WebSocket after its handshake; raises websocket.WebSocketBadStatusException where that is refused."""
    header = [] if ticket is not None else [f"Authorization: Bearer {restaurant.token}"]
    return websocket.create_connection(
        url_of(restaurant.world, since, ticket), timeout=2 * WAIT, header=header, origin=origin,
        suppress_origin=origin is None,
        sockopt=((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),) if small else ())


class Watcher:
    def __init__(self, restaurant, **how):
        self.restaurant = restaurant
        self.socket = connect(restaurant, **how)
        self.messages, self.frames, self.wrong, self.code = [], [], [], None
        self.revs, self.since = {}, how.get("since")
        self.changed = threading.Condition()
        self.ended = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            while self.code is None:
                opcode, frame = self.socket.recv_data_frame(True)
                with self.changed:
                    self.frames.append((opcode, frame.data))
                    if opcode == websocket.ABNF.OPCODE_TEXT:
                        self._take(json.loads(frame.data))
                    elif opcode == websocket.ABNF.OPCODE_CLOSE:
                        self.code = int.from_bytes(frame.data[:2], "big") if frame.data else 1005
                    self.changed.notify_all()
        except (OSError, websocket.WebSocketException):
            pass
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _take(self, message):
        self.messages.append(message)
        try:
            description().judge_message(message)
        except jsonschema.ValidationError as error:
            self.wrong.append(error.message)
        if message["type"] == "order.updated":
            order = message["order"]["orderId"]
            self.revs[order] = max(self.revs.get(order, 0), message["rev"])
        if message["type"] == "hello":
            self.since = self.since or message["now"]  # with a since of its own it has yet to catch up
        else:
            self.since = max(self.since, message["at"])

    def waits(self, good, timeout=WAIT):
        with self.changed:
            self.changed.wait_for(lambda: self.ended or good(), timeout)
            assert not self.wrong, f"not as docs/openapi.yaml has it: {self.wrong}"
            assert good(), f"of {len(self.messages)} messages the last are {self.messages[-3:]}, closed {self.code}"

    def told(self, order, **fields):
        """Waits for a message about the order with these members, and returns it."""
        def found():
            for message in self.messages:
                about = message.get("order") or message.get("delivery") or {}
                if about.get("orderId") == order.id and fields.items() <= message.items():
                    return message
            return None
        self.waits(found)
        return found()

    def knows(self, order, rev):
        self.waits(lambda: self.revs.get(order.id, 0) >= rev)

    def about(self, order):
        """The updates of the order so far, each revision once."""
        with self.changed:
            updates = [m for m in self.messages if m["type"] == "order.updated" and m["order"]["orderId"] == order.id]
        return list({message["rev"]: message for message in updates}.values())

    def hello(self):
        self.waits(lambda: self.messages)
        return self.messages[0]

    def is_closed(self, code, timeout=WAIT):
        self.waits(lambda: self.code is not None, timeout)
        assert self.code == code

    def is_dropped(self, timeout=WAIT):
        """The connection has ended, whatever was said before."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, timeout)

    def cut(self):
        """As a lost network does."""
        if not self.ended:
            try:
                self.socket.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.reader.join(WAIT)
        self.socket.shutdown()

    def close(self):
        self.socket.send_close(1000)
        self.is_dropped()
        self.socket.shutdown()
        return self.code

    def __enter__(self):
        self.hello()
        return self

    def __exit__(self, failed, *_):
        if not failed and not self.ended:
            assert self.close() == 1000
        else:
            self.cut()
