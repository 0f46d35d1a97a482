# SPDX-License-Identifier: Apache-2.0
"""ledger.py - who was told what, what the store kept at certain moments, and whether the one agrees with the other, id by id.

A `Moment` is what the store held at one instant: of a file, after its process was killed, that is all it had made durable.
What was answered before a moment stands in it; what a platform was asked for before it, it wants; what it has as told was
done; and what it has as told is asked for no more. So a breach is found though later runs would have made good for it.
"""

import functools
import json
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import Counter, namedtuple
from datetime import datetime, timezone

RANKS = {word: rank for rank, word in enumerate(
    ["yeni", "hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek", "teslim-edildi", "cancelled"])}
FINAL, CANCELLED = 5, 6
NUMBERS = {"accept": 10, "ready": 30, "on-the-way": 40, "delivered": 50, "cancel": 60, "dispatch": 10, "dispatch-cancel": 60}
ALL = ("accept", "ready", "on-the-way", "delivered")
STEPS = {"getiryemek": ("accept", "on-the-way", "delivered"), "yemeksepeti": ("accept", "on-the-way"), "trendyolyemek": ALL,
         "migrosyemek": ALL, "dukkango": ("accept", "on-the-way", "delivered"), "phone": ()}
LOOKS = ("getiryemek", "trendyolyemek", "migrosyemek")  # platforms that are asked how far they are before a repeat

Kept = namedtuple("Kept", "number status rev history platform courier")  # history: (rank, milliseconds), one a row
Owed = namedtuple("Owed", "want told unsure at dead log")  # log: (step, result, time), one a call; a repeat of its write may have it twice
Said = namedtuple("Said", "at address order status stamp final")  # stamp: when it came to be so; final: or beyond that
Heard = namedtuple("Heard", "at order rev status")
Moment = namedtuple("Moment", "began ended kept dead")  # dead: the addresses at which nobody answers any more


def milliseconds(text):
    """Of a time as the API writes it."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


@functools.lru_cache(None)
def _history(text):
    return tuple((row["s"], row["at"]) for row in json.loads(text))


@functools.lru_cache(None)
def _log(text):
    return tuple((row["step"], row["result"], row["at"]) for row in json.loads(text or "[]"))


def of_file(path):
    """What an embedded store holds. A copy is opened: whoever opens a log takes it into the file."""
    with tempfile.TemporaryDirectory(prefix="kuryed-ledger-") as folder:
        for tail in ("", "-wal"):
            try:
                shutil.copy(path + tail, f"{folder}/copy.db{tail}")
            except FileNotFoundError:
                pass
        file = sqlite3.connect(f"{folder}/copy.db")
        rows = file.execute("SELECT lower(hex(id)), pid, st, rev, hist, p_want, p_told, p_unsure, p_at, p_dead, p_log,"
                            " c_want, c_told, c_unsure, c_at, c_dead, c_log FROM orders").fetchall()
        file.close()
    return {row[0]: Kept(*row[1:4], _history(row[4]), Owed(*row[5:10], _log(row[10])), Owed(*row[11:16], _log(row[16])))
            for row in rows}


def of_database(database):
    """What a MongoDB holds."""
    def owed(part):
        at = part.get("at")
        return Owed(part["want"], part["told"], part["unsure"], at and at.timestamp(), part.get("dead"),
                    tuple((row["step"], row["result"], row["at"]) for row in part.get("log") or ()))
    return {str(found["_id"]): Kept(
        found["platformOrderId"], found["rank"], found["rev"],
        tuple((RANKS[row["status"]], round(row["at"].replace(tzinfo=timezone.utc).timestamp() * 1000))
              for row in found["history"]), owed(found["out"]["platform"]), owed(found["out"]["courier"]))
        for found in database.orders.find()}


class Ledger:
    """`call_time`: seconds until a call is given up."""

    def __init__(self, world, call_time):
        self.world, self.call_time = world, call_time
        self.lock = threading.Lock()
        self.orders, self.answers, self.heard, self.moments, self.troubles = {}, [], [], [], []
        self.unanswered = self.refused = 0
        self.watched = set()  # restaurants
        self.wrong = []
        self.at_answer = None  # what is to be done at the next one

    # --- what happens ---

    def created(self, order, platform, firm):
        order.platform, order.firm = platform, firm
        with self.lock:
            self.orders[order.id] = order

    def says(self, answer, order, rank, stamp=None, final=False):
        """The order has come to this rank, at this time, and whoever asked was told."""
        address = answer.url.split("/")[2]
        act, self.at_answer = self.at_answer, None
        if act:
            act()
        with self.lock:
            self.answers.append(Said(time.monotonic(), address, order, rank, stamp, final))

    def hears(self, message):
        if message["type"] == "order.updated":
            order = message["order"]
            with self.lock:
                self.heard.append(Heard(time.monotonic(), order["orderId"], message["rev"], RANKS[order["status"]]))

    def breaks(self, why):
        with self.lock:
            self.wrong.append(why)

    def moment(self, dead=()):
        """Writes down what the store holds now."""
        began, store = time.monotonic(), self.world.store
        kept = of_file(store.path) if hasattr(store, "path") else of_database(store.database)
        self.moments.append(Moment(began, time.monotonic(), kept, dead))

    def trouble(self, began):
        """Since `began` nobody can know what became of a call; on a busy machine one is taken after its sender's end."""
        self.troubles.append((began, time.monotonic() + self.call_time / 3))

    # --- whether it agrees ---

    def check(self):
        """All that is wrong. The last moment is one at which nothing is owed any more."""
        for rule in (self._everything_is_there, self._nothing_goes_back, self._what_was_said_stands,
                     self._what_was_heard_stands, self._what_was_asked_for_is_kept, self._what_is_told_was_done,
                     self._nothing_is_asked_for_twice, self._all_was_told_in_order):
            for why in rule():
                self.breaks(f"{rule.__name__.strip('_').replace('_', ' ')}: {why}")
        return self.wrong

    def _everything_is_there(self):
        last = self.moments[-1].kept
        for order in set(self.orders) - set(last):
            yield f"{order} is lost"
        for order in set(last) - set(self.orders):
            yield f"nobody sent {order}"
        for number, count in Counter(kept.number for kept in last.values()).items():
            if count > 1:
                yield f"{number} is there {count} times"
        for order, kept in last.items():
            ranks = [rank for rank, _ in kept.history]
            if ranks != sorted(set(ranks)) or ranks[-1] != kept.status or len(set(ranks) & {FINAL, CANCELLED}) > 1:
                yield f"the history of {order} is {kept.history}, its status {kept.status}"

    def _nothing_goes_back(self):
        for before, after in zip(self.moments, self.moments[1:]):
            for order, was in before.kept.items():
                now = after.kept.get(order)
                if now is None:
                    yield f"{order} was there, and is not any more"
                elif (now.history[:len(was.history)] != was.history or now.rev < was.rev
                      or now.platform.told < was.platform.told or now.courier.told < was.courier.told):
                    yield f"{order} was {was} and became {now}"

    def _after(self, at, address=None):
        """What the store held at the first moment that is not before this."""
        for moment in self.moments:
            if moment.began >= at or address in moment.dead:
                return moment.kept
        return self.moments[-1].kept

    def _what_was_said_stands(self):
        for said in self.answers:
            kept = self._after(said.at, said.address).get(said.order)
            if kept is None:
                yield f"{said}, and there is no such order"
            elif said.final and kept.status < FINAL:
                yield f"{said}, and it is {kept}"
            elif not said.final and not any(rank == said.status and said.stamp in (None, at) for rank, at in kept.history):
                yield f"{said}, and it is {kept}"

    def _what_was_heard_stands(self):
        for heard in self.heard:
            kept = self._after(heard.at).get(heard.order)
            if kept is None or kept.rev < heard.rev or heard.status not in {rank for rank, _ in kept.history}:
                yield f"{heard}, and it is {kept}"
        yield from self.not_heard()

    def not_heard(self):
        """What a screen has missed, of all that the store held at the last moment."""
        with self.lock:
            newest = {}
            for heard in self.heard:
                newest[heard.order] = max(heard.rev, newest.get(heard.order, 0))
            watched = [order.id for order in self.orders.values() if order.restaurant.id in self.watched]
        kept = self.moments[-1].kept
        return [f"of {order} the last that was heard is {newest.get(order)}, and it is {kept[order]}"
                for order in watched if order in kept and newest.get(order) != kept[order].rev]

    def _parties(self, order):
        """Whom it concerns: the calls in their order, and what is kept of them."""
        if order.platform in self.world.fakes:
            yield sorted(self.world.platform(order.platform).about(order), key=lambda call: call.at), "platform"
        if order.firm:
            yield sorted(self.world.firms.about(order), key=lambda call: call.at), "courier"

    def _what_was_asked_for_is_kept(self):
        for order in self.orders.values():
            for calls, party in self._parties(order):
                for call in calls:
                    kept = self._after(call.at).get(order.id)
                    if call.step in NUMBERS and (kept is None or getattr(kept, party).want < NUMBERS[call.step]):
                        yield f"{party} was asked for {call} at {call.at}, and it is {kept}"

    def _what_is_told_was_done(self):
        for order in self.orders.values():
            first = self.moments[-1].kept.get(order.id)
            for calls, party in self._parties(order):
                done = {call.step: call.at for call in reversed(calls) if call.applied}
                for moment in self.moments:
                    kept = moment.kept.get(order.id)
                    for step in (STEPS[order.platform] if party == "platform" else ("dispatch",)) if kept else ():
                        begun = 0 if party == "courier" else 10 * first.history[0][0]
                        told = begun < NUMBERS[step] <= getattr(kept, party).told < 60
                        if told and not done.get(step, moment.ended + 1) <= moment.ended:
                            yield f"{party} of {order.id} counts as told of {step}, and it is not"
                        late = [call for call in calls if call.step == step and call.at > moment.ended]
                        if getattr(kept, party).told >= NUMBERS[step] and late:
                            yield f"{party} of {order.id} was told of {step}, and was asked again: {late}"

    def _nothing_is_asked_for_twice(self):
        """Unless nobody can know what became of it; and then not before it is over, nor without a look."""
        for order in self.orders.values():
            for calls, party in self._parties(order):
                log = getattr(self.moments[-1].kept[order.id], party).log if order.id in self.moments[-1].kept else ()
                for one, other in zip(calls, calls[1:]):
                    if other.at < min(one.ended, one.at + self.call_time / 2):
                        yield f"{party} of {order.id}: {other} at {other.at} while {one} since {one.at} until {one.ended}"
                for step in NUMBERS:
                    yield from self._repeats(order, party, step, calls, Counter(row[:2] for row in set(log)))

    def _repeats(self, order, party, step, calls, log):
        mine = [call for call in calls if call.step == step]
        unexplained = 0
        for one, other in zip(mine, mine[1:]):
            unexplained += not any(began <= other.at and ended >= one.at for began, ended in self.troubles)
            looks = any(call.step == "check" and one.at < call.at < other.at and call.status == 200 for call in calls)
            refused = one.status == 429  # and not done
            if party == "platform" and order.platform in LOOKS and not looks and not refused:
                yield f"{order.platform} of {order.id} was asked for {other} after {one} without a look"
        heard_nothing = sum(count for (name, result), count in log.items() if name == step and result != "done")
        if unexplained > heard_nothing:
            yield f"{party} of {order.id} was asked for {step} {len(mine)} times: {mine}, {log}"
        if log[step, "done"] > 1:
            yield f"{party} of {order.id} has {log}"

    def _all_was_told_in_order(self):
        last = self.moments[-1].kept
        for order in self.orders.values():
            kept = last.get(order.id)
            for calls, party in self._parties(order) if kept else ():
                told = [call.step for call in sorted(calls, key=lambda call: call.ended) if call.applied]
                ranks = [rank for rank, _ in kept.history]
                good = self._platform_knows if party == "platform" else self._firm_knows
                if not good(order, told, ranks) or getattr(kept, party).dead:
                    yield f"{party} of {order.id} ({order.platform}) was told {told}; it is {kept}"

    @staticmethod
    def _platform_knows(order, told, ranks):
        last = max(rank for rank in ranks if rank < CANCELLED)
        wanted = [step for step in STEPS[order.platform] if 10 * ranks[0] < NUMBERS[step] <= 10 * last]
        if CANCELLED not in ranks:
            return told == wanted
        return told[-1:] == ["cancel"] and told[:-1] == wanted[:len(told) - 1]  # it overtakes what is pending

    def _firm_knows(self, order, told, ranks):
        riders = self.world.firms.riders.get(order.id, [])
        if riders not in ([], [f"{order.id}-courier-1-dispatch"]):
            return False
        if CANCELLED in ranks:
            return told in ([], ["dispatch", "dispatch-cancel"], ["dispatch-cancel"])
        return told == ["dispatch"] or told == [] and ranks[-1] in (0, 4, 5)


def tally(ledger):
    """What happened, in a line: a run in which little happens proves little."""
    calls = [call for fake in ledger.world.others for call in fake.calls]
    steps = Counter((id(fake), call.order, call.step) for fake in ledger.world.others for call in fake.calls
                    if call.step in NUMBERS)
    return dict(orders=len(ledger.orders), answers=len(ledger.answers), unanswered=ledger.unanswered,
                refused=ledger.refused, heard=len(ledger.heard),
                calls=len(calls), repeats=sum(count - 1 for count in steps.values()),
                looks=sum(call.step == "check" for call in calls), moments=len(ledger.moments))
