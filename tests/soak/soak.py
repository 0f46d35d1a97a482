# SPDX-License-Identifier: Apache-2.0
"""soak.py - the main job for long, with faults now and then; in the end every order by itself, and what the process has grown by.

usage: soak.py SECONDS STORE [SEED]     STORE: sqlite or mongodb (KURYE_TEST_MONGODB_URI); KURYED names the program
It plays for half the time, rests until nothing is owed, looks at what the process holds, plays and rests again. Exit
status 1: an order is not as it was acknowledged, somebody saw something wrong, or it has grown by more than GROWTH.
"""

import os
import secrets
import statistics
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "e2e"))  # behind this folder
seconds, store, *seed = sys.argv[1:]
os.environ["KURYE_TEST_STORE"] = store
if store == "mongodb" and not os.environ.get("KURYE_TEST_MONGODB_URI"):
    print("KURYE_TEST_MONGODB_URI is not set: NOTHING WAS SOAKED on MongoDB (tools/mongodb starts one)")
    sys.exit(1 if os.environ.get("CI") else 77)

import actors  # noqa: E402
import mischief  # noqa: E402
from book import Book, listed  # noqa: E402
from gauges import Gauges, look  # noqa: E402
from stage import Stage  # noqa: E402
from world import WAIT, data, eventually  # noqa: E402

PLACES, KITCHENS, EVERY = 6, 4, 0.2  # 20 orders a second come in, if all goes well
SCREENS_OF_EACH = 2
GROWTH = 0.02
# While it plays, what is resident tells of a leak: at rest it is what malloc has left in pieces. Whoever is connected comes and
# goes meanwhile, so that the others are compared at rest.
JUDGED = {"resident": "playing", "descriptors": "rest", "threads": "rest"}
LONG = 300  # seconds; a shorter run says nothing about growth
SETTLES = 60.0
QUIET = 5 if float(seconds) < LONG else 80  # seconds: platforms close what is idle, and malloc gives back what is free
SHOWN = 20


def places(stage):
    """Restaurants with all platforms, a firm that is told of orders, and a way to reach it."""
    stage.places = [stage.restaurant().connected(*actors.OURS) for _ in range(PLACES)]
    for place in stage.places:
        place.firm = place.courier(dispatch=True)
    return stage.places


def cast(stage, book):
    busy = [actors.Kitchen(stage, book, EVERY) for _ in range(KITCHENS)]
    busy += [actors.YandexEats(stage, book, 1.0), actors.Customers(stage, book, 2.0), actors.Office(stage), mischief.Drips(stage),
             mischief.Rude(stage, book), mischief.Platforms(stage), mischief.Reader(stage)]
    busy.append(mischief.Disk(stage) if store == "sqlite" else mischief.Network(stage))
    screens = [actors.Screen(stage, place, number * SCREENS_OF_EACH + n)
               for number, place in enumerate(stage.places) for n in range(SCREENS_OF_EACH)]
    return busy, screens


def owed(stage):
    """What is owed or has failed and is worth another try, and who has failed gets it; or what was refused."""
    answers = [stage.admin("POST", "/api/v1/deliveries/replay", {"state": "failed"}),
               *(stage.admin("GET", f"/api/v1/deliveries?state={state}&limit=200") for state in ("pending", "failed"))]
    refused = [answer.text for answer in answers if answer.status_code != 200]
    left = [] if refused else [one for answer in answers[1:] for one in data(answer)]
    return refused + [one for one in left if "erased" not in [row["reason"] for row in one["log"]]]


def rest(stage, book, screens):
    """All that was begun comes to its end; returns what the process holds then."""
    stage.rests(late=False)
    stage.store.heals()
    eventually(lambda: stage.call("GET", "/readyz", ops=True).status_code, lambda status: status == 200)
    try:
        eventually(lambda: owed(stage), lambda left: not left, timeout=SETTLES, pause=1.0)
        aged = {entry.order.id for entry in book.entries if entry.aged}  # they may have changed long ago now
        for screen in screens:
            revs = {order["orderId"]: order["rev"] for order in listed(screen.place, stage.session)}
            revs = {order: rev for order, rev in revs.items() if order not in aged}
            eventually(lambda: {order for order, rev in revs.items() if screen.knows().get(order, 0) < rev},
                       lambda missed: not missed, pause=0.5)
    except AssertionError as error:
        stage.breaks(f"it does not come to rest: {str(error)[:600]}")
    stage.rests(late=True)
    quiet = []
    while len(quiet) < QUIET:
        stage.over.wait(1.0)
        quiet.append(look(stage.server.process.pid))
    quiet = quiet[-5:]
    return {name: statistics.median(one[name] for one in quiet) for name in quiet[0]}


def play(stage, book):
    """Returns gauges and what was held at each rest."""
    busy, screens = cast(stage, book)
    gauges, rests = Gauges(stage.server.process.pid), [look(stage.server.process.pid)]
    gauges.start()
    stage.plays(*screens)
    for screen in screens:  # what happened before its first hello no screen is told
        eventually(lambda: screen.watcher and screen.watcher.since, bool)
    stage.plays(*busy)
    for half in range(2):
        if half:
            stage.goes_on()
        gauges.counts.set()
        stage.over.wait(float(seconds) / 2)
        gauges.counts.clear()
        rests.append(rest(stage, book, screens))
    gauges.stop()
    stage.ends()
    return gauges, rests


def percentiles(values):
    values = sorted(values)
    return [values[min(len(values) - 1, int(len(values) * part))] * 1000 for part in (0.5, 0.99)] if values else [0, 0]


def report(stage, book, gauges, rests):
    """Prints it; returns whether it has grown too much."""
    good = [(began, took) for began, took, code in stage.webhooks if code == 200]
    well = [took for began, took in good if not stage.was_in_trouble(began, before=took, after=0.5)]
    calls = sum(len(one.calls) + len(one.asides) for one in stage.others)
    print(f"{len(book.entries)} orders, {len(good)} webhooks answered 200"
          f" ({len(stage.webhooks) - len(good)} not), {calls} calls to platforms and firms"
          f" ({sum(call.status != 200 for one in stage.others for call in one.calls)} in vain)")
    print("webhooks, ms (with what it costs here to ask): p50 %.1f, p99 %.1f; at all times p99 %.1f"
          % (*percentiles(well), percentiles([took for _, took in good])[1]))
    print("done:", ", ".join(f"{much} {what}" for what, much in sorted(stage.done.items())))
    print("log:", ", ".join(f"{much} {what}" for what, much in sorted(stage.server.lines.items()) if "debug" not in what))
    grown, highest, too_much = gauges.grown(), gauges.highest(), []
    print(f"{'':16}{'begin':>9}{'highest':>9}{'rest 1':>9}{'rest 2':>9}{'grown':>9}{'playing':>9}   MiB")
    for name, held in rests[-1].items():
        between = {"rest": held / max(rests[1][name], 1) - 1, "playing": grown.get(name, 0)}
        print(f"{name:16}" + "".join(f"{one:9.1f}" for one in (rests[0][name], highest.get(name, 0), rests[1][name], held))
              + "".join(f"{one:9.1%}" for one in between.values()))
        too_much += [name] * (name in JUDGED and between[JUDGED[name]] > GROWTH)
    if float(seconds) < LONG:
        print("too short to say anything about growth")
        return []
    return [f"{name} grew by more than {GROWTH:.0%}" for name in too_much]


def main():
    stage = Stage(int(seed[0]) if seed else secrets.randbelow(1 << 31))
    print(f"playing on {store} for {seconds} s, seed {stage.seed}", flush=True)
    with stage:
        book = Book(stage)
        places(stage)
        gauges, rests = play(stage, book)
        wrong = book.compare(stage.session)
        wrong += [f"a rule was broken: {one}" for fake in stage.others for one in fake.violations]
        status, took = stage.server.stop(WAIT)
        if status or took > 10 or stage.server.noise:
            wrong.append(f"it stopped with {status} in {took:.1f} s and said {stage.server.noise[:5]}")
        wrong += stage.broken
        grown = report(stage, book, gauges, rests)
    print(*(f"BROKEN {one}" for one in wrong[:SHOWN] + grown), *(stage.server.last if wrong else []), f"{len(book.entries)} orders compared one by one, {len(wrong)} broken",
          sep="\n")
    return 1 if wrong or grown else 0


if __name__ == "__main__":
    sys.exit(main())
