# SPDX-License-Identifier: Apache-2.0
"""mongo_relay.py - stands between kuryed and a real MongoDB: writes each command down, and makes trouble when told to.

What the real server would do on a bad day, or what the tests' server cannot do at all, is a rule:

    relay.on("findAndModify", "orders", then=loses())

A rule's `then` is a trouble as in fake.py: a function of `forward`, which asks the real server and returns its answer.
What the trouble returns is answered; None cuts the connection.
"""

import datetime
import functools
import socket
import struct
import threading
import time
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions

from process import WAIT

HEADER = struct.Struct("<iiii")
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
FLAGS_SIZE, STRING = 4, 2
MORE_TO_COME = 2
REPLY_HEAD = 20  # what OP_REPLY has before its document
OPTIONS = CodecOptions(uuid_representation=UuidRepresentation.UNSPECIFIED)
LAST = struct.pack("<q", (1 << 63) - 1)  # a page without a bound ends there, and Python has no such date
LAST_HERE = struct.pack("<q", 253402300799999)
HELLO = ("hello", "isMaster", "ismaster")
NAMES = {13: "Unauthorized", 18: "AuthenticationFailed", 50: "MaxTimeMSExpired", 64: "WriteConcernFailed",
         91: "ShutdownInProgress", 112: "WriteConflict", 189: "PrimarySteppedDown", 10107: "NotWritablePrimary",
         11600: "InterruptedAtShutdown", 11602: "InterruptedDueToReplStateChange"}


# --- troubles ---

def drops():
    """The connection is cut, and the command never arrives."""
    return lambda forward: None


def loses():
    """The command is done, and the connection is cut before its answer."""
    def trouble(forward):
        forward()
    return trouble


def refuses(code, **more):
    """An error is answered, and the command never arrives."""
    return lambda forward: {"ok": 0.0, "errmsg": f"made by a test: {NAMES[code]}", "code": code,
                            "codeName": NAMES[code], **more}


def spoils(code, **more):
    """The command is done, and an error is answered instead."""
    def trouble(forward):
        forward()
        return refuses(code, **more)(forward)
    return trouble


def refuses_write(code):
    """As refuses(), said as insert, update and delete say what became of each of their writes."""
    return lambda forward: {"ok": 1.0, "n": 0, "writeErrors": [
        {"index": 0, "code": code, "errmsg": f"made by a test: {NAMES[code]}"}]}


def unconfirmed(code=64):
    """The command is done here, and the rest of the replica set has not said yet that it has it."""
    def trouble(forward):
        return {**forward(), "writeConcernError": {
            "code": code, "codeName": NAMES[code], "errmsg": "waiting for replication timed out",
            "errInfo": {"wtimeout": True}}}
    return trouble


def lags(seconds):
    """The command is done at once, and its answer takes its time."""
    def trouble(forward):
        answer = forward()
        threading.Event().wait(seconds)
        return answer
    return trouble


class Hold:
    """The answer waits until release(). The command may be done before, or only then."""

    def __init__(self, done=True):
        self.done = done
        self.entered, self.released, self.ended = (threading.Event() for _ in range(3))

    def __call__(self, forward):
        answer = forward() if self.done else None
        self.entered.set()
        self.released.wait(2 * WAIT)
        answer = answer if self.done else forward()
        self.ended.set()
        return answer

    def release(self):
        """Returns when the command is done."""
        self.released.set()
        assert self.ended.wait(WAIT)


# --- the wire ---

class Command:
    """One command that went by, and what was answered. Both are decoded when somebody looks."""

    def __init__(self, message):
        self.at = time.monotonic()
        self._message, self._answer = message, None
        self.name, self.collection = title(message)

    @functools.cached_property
    def document(self):
        return decode(OP_MSG, self._message)

    @property
    def answer(self):
        """None: there was none, or not yet."""
        return decode(OP_MSG, self._answer) if self._answer else None

    def answered(self, message):
        self._answer = message

    def __repr__(self):
        return f"<{self.name} {self.collection}>"


def title(message):
    """A command's name and its collection: its first member, whose value is a text or something else."""
    at = HEADER.size + FLAGS_SIZE
    while message[at]:  # a sequence, and the document comes behind it
        at += 1 + struct.unpack_from("<i", message, at + 1)[0]
    kind, at = message[at + 5], at + 6
    end = message.index(0, at)
    size = struct.unpack_from("<i", message, end + 1)[0]
    return message[at:end].decode(), message[end + 5:end + 4 + size].decode() if kind == STRING else None


def receive(peer):
    """(request id, opcode, all its bytes) of the next message; None at the end of the connection."""
    head = exactly(peer, HEADER.size)
    if not head:
        return None
    length, request, _, opcode = HEADER.unpack(head)
    body = exactly(peer, length - HEADER.size)
    return (request, opcode, head + body) if body else None


def exactly(peer, size):
    got = bytearray()
    while len(got) < size:
        more = peer.recv(size - len(got))
        if not more:
            return b""
        got += more
    return bytes(got)


def decode(opcode, message):
    """The document of a message: of OP_MSG with its sequences in their places."""
    at, message = HEADER.size, message.replace(LAST, LAST_HERE)
    if opcode == OP_REPLY:
        return bson.decode(message[at + REPLY_HEAD:], OPTIONS)
    at, document, sequences = at + FLAGS_SIZE, {}, {}
    while at < len(message):
        kind, at = message[at], at + 1
        size = struct.unpack_from("<i", message, at)[0]
        if kind == 0:
            document = bson.decode(message[at:at + size], OPTIONS)
        else:
            name, _, rest = message[at + 4:at + size].partition(b"\0")
            sequences[name.decode()] = bson.decode_all(rest, OPTIONS)
        at += size
    return {**document, **sequences}


def encode(opcode, document, request):
    """An answer to the message with this request id."""
    body = bson.encode(document, codec_options=OPTIONS)
    head = struct.pack("<iqii", 8, 0, 0, 1) if opcode == OP_REPLY else struct.pack("<IB", 0, 0)
    return HEADER.pack(HEADER.size + len(head) + len(body), 0, request, opcode) + head + body


class _Link:
    """One connection of the client, and the one to the server that belongs to it."""

    def __init__(self, relay, client, server):
        self.relay, self.client, self.server = relay, client, server
        self.dead = False

    def cut(self):
        self.dead = True
        for end in (self.client, self.server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone already

    def run(self):
        try:
            while (message := receive(self.client)) and self.relay.passes(self) and self._serve(*message):
                pass
        except OSError:
            pass  # either end has gone
        finally:
            self.cut()
            self.client.close()
            self.server.close()
            self.relay.ended(self)

    def _serve(self, request, opcode, message):
        """False: the connection is to be cut."""
        if opcode == OP_QUERY:
            return self._answer(self._ask(message), request)
        command = Command(message)
        rule = self.relay.takes(command)
        if rule:
            answer = rule.then(lambda: decode(OP_MSG, self._ask(message)))
            if answer is None:
                return False
            command.answered(encode(OP_MSG, answer, request))
            return self._answer(encode(OP_MSG, answer, request), request)
        self.server.sendall(message)
        more = not message[HEADER.size] & MORE_TO_COME
        while more:
            _, _, answer = receive(self.server) or (0, 0, b"")
            command.answered(answer)
            if not answer or not self._answer(answer, request):
                return False
            more = answer[HEADER.size] & MORE_TO_COME
        return True

    def _ask(self, message):
        self.server.sendall(message)
        _, _, answer = receive(self.server) or (0, 0, b"")
        if not answer:
            raise ConnectionError("the server has gone")
        return answer

    def _answer(self, answer, request):
        opcode = HEADER.unpack_from(answer)[3]
        pose = self.relay.pose()
        if pose or self.relay.wrong:
            document = decode(opcode, answer)
            if "maxWireVersion" in document:
                pose["localTime"] = document["localTime"] + self.relay.wrong
                answer = encode(opcode, {**document, **pose}, request)
        if not self.relay.passes(self, self.relay.delay):
            return False
        self.client.sendall(answer)
        return True


# --- what a test has in its hands ---

class Rule:
    def __init__(self, relay, command, collection, nth, times, where, then):
        self._relay, self._first, self._last = relay, nth, nth + times
        self._command, self._collection, self._where, self.then = command, collection, where, then
        self._seen = 0

    def takes(self, command):
        if self._command not in (None, command.name) or self._collection not in (None, command.collection):
            return False
        if self._where and not self._where(command.document):
            return False
        self._seen += 1
        return self._first <= self._seen < self._last

    @property
    def count(self):
        """How many commands met it."""
        return max(0, min(self._seen, self._last - 1) - self._first + 1)

    def met(self, times=1):
        """Waits until so many commands have met it."""
        with self._relay.changed:
            assert self._relay.changed.wait_for(lambda: self.count >= times, WAIT), \
                f"{self.count} of {times}; the last commands were {self._relay.commands[-20:]}"


class Relay:
    """Has one address for all its life, also while nobody answers there."""

    def __init__(self, uri):
        parts = urlsplit(uri)
        self._options = dict(parse_qsl(parts.query))
        if parts.scheme != "mongodb" or {"tls", "ssl"} & set(self._options):
            raise RuntimeError("KURYE_TEST_MONGODB_URI must be a plain mongodb:// one")
        self._user, _, hosts = parts.netloc.rpartition("@")
        host, _, port = hosts.split(",")[0].partition(":")
        self._server = (host, int(port or 27017))
        self.changed = threading.Condition()
        self.commands, self.rules, self._links = [], [], set()
        self.delay = 0.0
        self.wrong = datetime.timedelta()  # what its clock is off by; $currentDate is still right
        self._frozen = False
        self._set, self._primary = None, True
        # Bound, and not listened on: keeps the port while the relay is down.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.address = "%s:%d" % self._place.getsockname()
        self._listener = None
        self.up()

    def uri(self, database, user=None, **options):
        """Where `database` is, seen through the relay. A client that is not told of a set asks for none."""
        user = self._user if user is None else user
        more = {"replicaSet": self._set} if self._set else {"directConnection": "true"}
        query = urlencode({**self._options, **more, **options})
        return f"mongodb://{user}{'@' if user else ''}{self.address}/{database}?{query}"

    def close(self):
        self.down()
        self._place.close()

    # What it does as a whole.

    def down(self):
        """All connections are cut, and new ones are refused."""
        with self.changed:
            listener, self._listener = self._listener, None
        if listener:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()

    def up(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(self._place.getsockname())
        self._listener.listen(512)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self):
        """All connections are cut; new ones are welcome."""
        with self.changed:
            for link in self._links:
                link.cut()
            self.changed.notify_all()

    def freeze(self):
        """As a process that was stopped: connections are taken, and nothing moves on any of them."""
        with self.changed:
            self._frozen = True

    def thaw(self):
        """What stood still goes on, and what was sent meanwhile is done after all."""
        with self.changed:
            self._frozen = False
            self.changed.notify_all()

    @contextmanager
    def frozen(self):
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def pose_as_set(self, name="rs0"):
        """Shows itself as a replica set of one member: a client may then expect another primary and repeat writes."""
        self._set = name

    def step_down(self):
        """No primary any more: it says so, and so does every write."""
        self._primary = False
        self.on(where=lambda document: next(iter(document)) not in HELLO, times=1 << 30, then=refuses(10107))
        return self.rules[-1]

    def step_up(self):
        self._primary = True
        self.heals()

    def pose(self):
        """What stands in the answer to hello instead of the truth."""
        if not self._set:
            return {}
        return {"setName": self._set, "setVersion": 1, "hosts": [self.address], "me": self.address,
                "isWritablePrimary": self._primary, "ismaster": self._primary, "secondary": not self._primary,
                **({"primary": self.address} if self._primary else {})}

    # What it does to single commands.

    def on(self, command=None, collection=None, nth=1, times=1, where=None, then=None):
        """From the nth such command from now on, this happens to so many. `where` looks at the document."""
        rule = Rule(self, command, collection, nth, times, where, then)
        with self.changed:
            self.rules.append(rule)
        return rule

    def heals(self):
        """No rule counts from here on."""
        with self.changed:
            self.rules.clear()

    def seen(self, name=None, collection=None):
        """The commands so far, without those by which drivers look at their server."""
        with self.changed:
            return [command for command in self.commands if command.name not in HELLO
                    and name in (None, command.name) and collection in (None, command.collection)]

    def forget(self):
        with self.changed:
            self.commands.clear()

    # For its threads.

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # down() has closed it
            try:
                server = socket.create_connection(self._server, WAIT)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(self, client, server)
            with self.changed:
                self._links.add(link)
                if self._listener is not listener:  # it went down meanwhile
                    link.cut()
            threading.Thread(target=link.run, daemon=True).start()

    def passes(self, link, delay=0.0):
        """Waits while it is frozen; False where the link was cut."""
        with self.changed:
            if delay:
                self.changed.wait_for(lambda: link.dead, delay)
            self.changed.wait_for(lambda: link.dead or not self._frozen)
            return not link.dead

    def takes(self, command):
        """Writes the command down; the rule that it meets, or None."""
        with self.changed:
            self.commands.append(command)
            met = next((rule for rule in self.rules if rule.takes(command)), None)
            self.changed.notify_all()
            return met

    def ended(self, link):
        with self.changed:
            self._links.discard(link)
