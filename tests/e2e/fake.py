# SPDX-License-Identifier: Apache-2.0
"""fake.py - what all pretend platforms share: a server, a record of calls, and mischief on demand.

A fake keeps its platform's rules. A call that breaks one is answered as the platform would and is
also written to `violations`, which World checks at the end of every test.
"""

import json
import re
import threading
import time
from collections import deque, namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from process import WAIT

Answer = namedtuple("Answer", "status body headers wire", defaults=(b"", {}, None))
CLOSE = Answer(0)  # the connection is closed and nothing is said


class Call:
    """One request that a fake got, and what became of it."""

    def __init__(self, method, path, headers, body):
        self.at = time.monotonic()
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.step, self.order = None, None  # the API's word for the step; the platform's order id
        self.status, self.applied = None, False
        self.ended = None  # when it was decided
        self.troubled = False  # whether its answer was spoilt, so that nobody can know what became of it

    def json(self):
        return json.loads(self.body) if self.body else {}

    def __repr__(self):
        return f"<{self.step} {self.order} -> {self.status}{' applied' if self.applied else ''}>"


def fails(status=500, retry_after=None, body=b"{}", headers=None):
    """The step is refused with this status and nothing happens to the order."""
    more = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    return lambda apply: Answer(status, body, {**more, **(headers or {})})


def closes():
    """The connection is closed before the order is looked at."""
    return lambda apply: CLOSE


def loses():
    """The step is done, but its answer never arrives."""
    def trouble(apply):
        apply()
        return CLOSE
    return trouble


def wires(behaviour):
    """The step is not done; all that is said of it, byte by byte, is this function's of the connection. True: it goes on."""
    return lambda apply: Answer(0, wire=behaviour)


def floods(size=1 << 20):
    """The step is done and answered with far more than anybody asked for."""
    def trouble(apply):
        return Answer(apply().status, b"x" * size)
    return trouble


def takes(seconds):
    """A platform that is not the fastest: it decides so late."""
    def trouble(apply):
        threading.Event().wait(seconds)
        return apply()
    return trouble


class Hang:
    """No answer until released; then the connection is closed, or the answer is a refusal. The step may be done or not."""

    def __init__(self, done, refuses=None):
        self.done, self.count = done, 0
        self.answer = fails(refuses)(None) if refuses else CLOSE
        self.entered, self.released = threading.Event(), threading.Event()
        self.changed = threading.Condition()

    def holds(self, count):
        """Waits until so many calls hang; returns how many there are."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= count, WAIT), f"{self.count} of {count} hang"
            return self.count

    def __call__(self, apply):
        if self.done:
            apply()
        with self.changed:
            self.count += 1
            self.changed.notify_all()
        self.entered.set()
        self.released.wait()
        return self.answer


class Late(Hang):
    """The step is done only once it is released, and nobody hears of it."""

    def __call__(self, apply):
        answer = super().__call__(apply)
        apply()
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.fake.take(Call(self.command, self.path, self.headers, body))
        if answer is CLOSE or answer.wire:
            self.close_connection = not (answer.wire and answer.wire(self.connection) is True)
            return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(answer.body)
        except ConnectionError:
            self.close_connection = True  # a flood that the client had enough of

    do_GET = do_PUT = do_POST = do_DELETE = _serve

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        pass  # a peer that was killed; the tests look at the calls, not at the sockets


class Fake:
    """Base of the platforms. Subclasses give route() and apply()."""

    base = ""  # the path under which the platform's API begins
    aside = ()  # steps that come by themselves, told by received() and count() only

    def __init__(self):
        self.changed = threading.Condition()
        self.calls, self.asides, self.violations = [], [], []
        self.accounts, self.orders = {}, {}
        self.troubles, self.hangs = {}, []
        self.under_way, self.peak = 0, 0  # calls at once: now, and the most so far
        self.doubted = False
        self.mood = lambda call: None  # the trouble that a call meets for which no test has any
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.fake = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}{self.base}"

    def close(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def take(self, call):
        """Decides on one call. Hanging is done outside the lock, deciding inside it."""
        self.route(call)
        with self.changed:
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
            troubles = self.troubles.get(call.step)
            trouble = troubles.popleft() if troubles else self.mood(call)
            call.troubled = trouble is not None
        answer = trouble(lambda: self._decide(call)) if trouble else self._decide(call)
        with self.changed:
            call.status, call.ended = answer.status, time.monotonic()
            self.under_way -= 1
            (self.asides if call.step in self.aside else self.calls).append(call)
            self.changed.notify_all()
        return answer

    def _decide(self, call):
        with self.changed:
            status, document = self.apply(call)
            body = b"" if document is None else json.dumps(document).encode()
            return Answer(status, body, {"Content-Type": "application/json"})

    def breaks(self, call, why):
        self.violations.append(f"{call.step} of {call.order}: {why}")

    # What a test says to a platform.

    def next(self, step, trouble, times=1):
        """The next `times` calls of this step meet this trouble."""
        with self.changed:
            self.troubles.setdefault(step, deque()).extend([trouble] * times)

    def hang(self, step, times=1, done=False, refuses=None):
        """The next calls of this step hang until release(), or the end of the test."""
        hang = Hang(done, refuses)
        self.hangs.append(hang)
        self.next(step, hang, times)
        return hang

    def release(self):
        with self.changed:
            self.troubles.clear()
        for hang in self.hangs:
            hang.released.set()

    def doubt(self):
        """The caller was killed: which answers it still had, nobody knows from here on."""
        self.doubted = True

    def heals(self):
        """No more trouble from here on."""
        with self.changed:
            self.troubles.clear()

    # What a test asks of a platform.

    def key(self, order):
        """What calls name the order by."""
        return order.platform_id

    def about(self, order):
        """All calls about an order so far, in the order of their answers."""
        with self.changed:
            return [call for call in self.calls if call.order == self.key(order)]

    def told(self, order):
        """The steps that were done, in order: what the platform now believes."""
        return [call.step for call in self.about(order) if call.applied]

    def tried(self, order):
        """The steps that were asked for, in order, done or not."""
        return [call.step for call in self.about(order)]

    def count(self, step):
        with self.changed:
            return sum(call.step == step for call in self.calls + self.asides)

    def received(self, step, order=None, times=1, timeout=WAIT):
        """Waits for the n-th call of this step and returns it."""
        def matching():
            return [call for call in self.calls + self.asides if call.step == step
                    and (order is None or call.order == self.key(order))]
        with self.changed:
            self.changed.wait_for(lambda: len(matching()) >= times, timeout)
            found = matching()
            assert len(found) >= times, f"{len(found)} of {times} {step} in {self.calls[-20:]}"
            return found[times - 1]


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
