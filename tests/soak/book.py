# SPDX-License-Identifier: Apache-2.0
"""book.py - what was answered, order by order, beside what the store and the platforms have of it in the end."""

import threading

from ledger import CANCELLED, NUMBERS, RANKS, STEPS
from world import data

WORDS = list(RANKS)


class Entry:
    """One order: what was acknowledged of it, in the order of the answers."""

    __slots__ = ("platform", "order", "acknowledged", "aged")

    def __init__(self, platform, order):
        self.platform, self.order, self.acknowledged, self.aged = platform, order, ["yeni"], False

    @property
    def rank(self):
        return max(RANKS[word] for word in self.acknowledged)


class Book:
    def __init__(self, stage):
        self.stage, self.lock, self.entries, self.placed = stage, threading.Lock(), [], []

    def opens(self, platform, order):
        entry = Entry(platform, order)
        with self.lock:
            self.entries.append(entry)
        return entry

    def some(self, random, good):
        """One of the latest that is good, or None."""
        with self.lock:
            latest = [entry for entry in self.entries[-200:] if good(entry)]
        return random.choice(latest) if latest else None

    def told(self):
        """{platform's order: the steps that it did, in order}, by platform."""
        found = {name: {} for name in self.stage.fakes}
        for name, steps in found.items():
            for call in sorted((call for call in self.stage.fakes[name].calls if call.applied), key=lambda call: call.applied):
                steps.setdefault(call.order, []).append(call.step)
        return found

    def compare(self, session):
        """Each order, as it was acknowledged, with the store's and its platform's; returns what differs."""
        told, wrong = self.told(), []
        for entry in self.entries:
            place = entry.order.restaurant
            now = data(place.call("GET", entry.order.path, session=session))
            wrong += [f"{entry.platform} {entry.order.id}: {what}" for what in (
                kept(entry, now), owes(now), self._heard(entry, told.get(entry.platform, {}))) if what]
        wrong += [f"{len(ids)} riders for {order}" for order, ids in self.stage.firms.riders.items() if len(ids) > 1]
        return wrong + self._not_fetched(session)

    @staticmethod
    def _heard(entry, told):
        """What is wrong with the steps that the platform did; None: nothing."""
        if entry.platform not in STEPS:
            return None
        steps, course = told.get(entry.order.platform_id, []), list(STEPS[entry.platform])
        if entry.rank == CANCELLED:
            fine = steps[-1:] == ["cancel"] and steps[:-1] == course[:len(steps) - 1]
        else:
            fine = steps == [step for step in course if NUMBERS[step] <= entry.rank * 10]
        return None if fine else f"acknowledged {entry.acknowledged}, its platform did {steps}"

    def _not_fetched(self, session):
        """Those that were placed at a polled platform and are not here."""
        there = {order["platformOrderId"] for place in self.stage.places for order in listed(place, session)}
        return [f"dukkango {one.platform_id} was never fetched" for one in self.placed if one.platform_id not in there]


def listed(place, session):
    """All orders of a restaurant, as lists show them."""
    after = ""
    while after is not None:
        page = place.call("GET", f"/api/v1/orders?limit=200{after and f'&after={after}'}", session=session).json()
        yield from page["data"]
        after = page.get("next")


def kept(entry, now):
    """What is wrong with the order as the store has it; None: nothing."""
    words = [row["status"] for row in now["history"]]
    if [RANKS[word] for word in words] != sorted({RANKS[word] for word in words}):
        return f"its history is {words}"
    if words != sorted(set(entry.acknowledged), key=RANKS.get) or now["status"] != WORDS[entry.rank]:
        return f"acknowledged {entry.acknowledged}, kept {words}, and {now['status']}"
    return None


def owes(now):
    left = [delivery for delivery in now["deliveries"] if delivery["state"] not in ("done", "skipped")]
    left = [delivery for delivery in left if delivery["reason"] != "erased"]
    return f"it still owes {left}" if left else None
