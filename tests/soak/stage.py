# SPDX-License-Identifier: Apache-2.0
"""stage.py - what is soaked and what stands around it: a World whose server runs for long, and actors, each a thread.

An actor does one thing again and again until the stage rests or is over. What it finds broken it writes down, and goes on.
"""

import itertools
import random
import re
import threading
import time
import traceback
from collections import Counter, deque

import fake
import requests
from process import Kuryed
from world import World

LINES_KEPT, ERRORS_KEPT = 300, 10
IDLE = 3.0  # seconds after which a platform closes a connection on which nothing comes
PATIENCE = 90.0  # seconds for an actor to come to the end of what it does
EVENT = re.compile(rb'"level":"(\w+)".*?"event":"(\w+)"')


class Server(Kuryed):
    """Its log is counted and soon forgotten; while `reading` is not set nobody reads it."""

    def launch(self, command, env):
        self.lines, self.last, self.reading = Counter(), deque(maxlen=ERRORS_KEPT), Stage.gate()
        super().launch(command, env)

    def _lines(self):
        self.log = deque(maxlen=LINES_KEPT)
        for raw in self.process.stderr:
            self.reading.wait()
            found = EVENT.search(raw)
            self.lines[f"{found[1].decode()} {found[2].decode()}" if found else "none"] += 1
            if found and found[1] == b"error":
                self.last.append(raw.decode().strip())
            yield raw


class Doubtful(fake.Call):
    """A call whose outcome could not be written down, because the store was in trouble then, is one in doubt, too."""

    stage, numbers = None, itertools.count(1)

    @property
    def applied(self):
        """Its number among all that were done: a call that hangs is told of when it ends, and was done before."""
        return self._applied

    @applied.setter
    def applied(self, applied):
        self._applied = next(self.numbers) if applied else 0

    @property
    def troubled(self):
        return self._troubled or self.stage.was_in_trouble(self.at)

    @troubled.setter
    def troubled(self, troubled):
        self._troubled = troubled


class Stage(World):
    program = Server

    def __init__(self, seed, **settings):
        self.seed, self.random = seed, random.Random(seed)
        self.over, self.gates = threading.Event(), {late: threading.Event() for late in (False, True)}
        self.actors, self.broken, self.done = [], [], Counter()
        self.troubles, self.webhooks, self.lock = [], [], threading.Lock()
        Doubtful.stage, fake.Call = self, Doubtful
        fake._Handler.timeout = IDLE
        super().__init__(retry_schedule="200ms,400ms,800ms", getiryemek_pause="1s", trendyolyemek_pause="1s",
                         dukkango_poll="2s", events_ping="5s", receive_deadline="6s", log_level="debug", retention_days="20",
                         core_dumps="allowed",  # or only root may look at what it holds
                         **settings)
        self.faults = False  # what they are is in the verdict
        for one in self.others:
            forgetful(one)

    # What actors are told, and tell.

    def breaks(self, what):
        with self.lock:
            self.broken.append(what)

    def counts(self, what, much=1):
        with self.lock:
            self.done[what] += much

    def timed(self, began, ended, code):
        """One webhook: when, for how long, and what it was told."""
        with self.lock:
            self.webhooks.append((began, ended - began, code))

    @staticmethod
    def gate():
        """An event that has happened."""
        made = threading.Event()
        made.set()
        return made

    def trouble(self, kind, seconds, begin, end):
        """The store is in trouble for so long."""
        self.counts(f"store {kind}")
        window = [time.monotonic(), float("inf")]
        with self.lock:
            self.troubles.append(window)
        begin()
        try:
            self.over.wait(seconds)
        finally:
            end()
            window[1] = time.monotonic()

    def was_in_trouble(self, at, before=3.0, after=2.0):
        """A call that began then may have ended, or been settled, in a trouble of the store."""
        with self.lock:
            return any(begin - before <= at <= end + after for begin, end in self.troubles[-50:])

    # Begin, rest, end.

    def plays(self, *actors):
        for actor in actors:
            self.actors.append(actor)
            actor.start()
        self.goes_on()

    def rests(self, late):
        """Those who are late, or the others, do nothing any more, and all of their connections are closed."""
        self.gates[late].clear()
        for actor in self.actors:
            if actor.late == late and not actor.resting.wait(PATIENCE):
                self.breaks(f"{actor.name} does not come to rest")

    def goes_on(self):
        for actor in self.actors:
            actor.resting.clear()
        for gate in self.gates.values():
            gate.set()

    def ends(self):
        self.over.set()
        self.goes_on()
        for actor in self.actors:
            actor.join(PATIENCE)


class Actor(threading.Thread):
    every = 1.0  # seconds from one act to the next
    late = False  # whether it goes on while the others rest

    def __init__(self, stage, name=None):
        super().__init__(name=name or type(self).__name__, daemon=True)
        self.stage, self.random = stage, random.Random(stage.random.random())
        self.session, self.resting = stage.lone(), threading.Event()

    def act(self):
        raise NotImplementedError

    def rests(self):
        """Lets go of what it holds."""

    def run(self):
        due = time.monotonic()
        while not self.stage.over.wait(max(0.0, due - time.monotonic())):
            if not self.stage.gates[self.late].is_set():
                self._rest()
                due = time.monotonic()
                continue
            try:
                self.act()
            except Exception:  # whatever it is: the verdict has it
                self.stage.breaks(f"{self.name}: {traceback.format_exc(limit=-4)}")
            due = max(due + self.every * self.random.uniform(0.5, 1.5), time.monotonic())

    def _rest(self):
        self.rests()
        self.session.close()
        self.resting.set()
        self.stage.gates[self.late].wait()

    def waits(self, seconds):
        self.stage.over.wait(seconds)

    def asks(self, call, *arguments, good=(200, 201, 202, 204), fair=(500, 503), **more):
        """A request that a store in trouble may spoil; its answer where it is good, else None."""
        try:
            answer = call(*arguments, session=self.session, **more)
        except requests.RequestException as error:
            self.stage.breaks(f"{self.name}: {arguments}: {error}")
            return None
        if answer.status_code in good:
            return answer
        if answer.status_code not in fair:
            self.stage.breaks(f"{self.name}: {arguments}: {answer.status_code} {answer.text[:200]}")
        self.stage.counts(f"{self.name} was told {answer.status_code}")
        return None


def forgetful(one):
    """Of a call only what became of it is kept: there will be very many."""
    take = one.take

    def taking(call):
        answer = take(call)
        call.headers = call.body = None
        call.json = None
        return answer
    one.take = taking
