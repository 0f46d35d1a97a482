# SPDX-License-Identifier: Apache-2.0
"""actors.py - the main job, all day: kitchens, couriers, screens, and people who change settings, look, erase and replay."""

import secrets
import time
from collections import deque

import requests
from watcher import Watcher
from world import data
from yandex import Yandex, an_order

from stage import Actor

OURS = ("dukkango", "getiryemek", "yemeksepeti", "trendyolyemek", "migrosyemek")
REASONS = {"dukkango": "3", "trendyolyemek": "623", "migrosyemek": "12"}  # of a cancel
UNTIL = 60.0  # seconds after which a report that is never answered well is given up
OPEN = 6  # orders of a kitchen that are on their way at once
PHONE = "+90532%07d"


class Kitchen(Actor):
    """Takes orders in, and has them brought by couriers, who repeat what was not answered, as the contract tells them."""

    def __init__(self, stage, book, every):
        super().__init__(stage)
        self.book, self.every, self.open = book, every, deque()

    def act(self):
        entry = self.comes_in()
        if entry:
            self.open.append(entry)
        for _ in range(2):
            if len(self.open) > OPEN:
                entry = self.open.popleft()
                if self.moves(entry) and entry.rank < 5:
                    self.open.append(entry)

    def comes_in(self):
        place, platform = self.random.choice(self.stage.places), self.random.choice(OURS)
        customer = {"address": {"detailedAddress": "Bağdat Caddesi No: 123, Kadıköy"},
                    "details": {"name": "Şükrü Çağlayangil", "phone": PHONE % self.random.randrange(1000)}}
        fake = self.stage.platform(platform)
        with fake.changed:
            body = place.draft(platform, "yeni", customer=customer, items=[{"name": "Lahmacun", "quantity": 2}])
        until = time.monotonic() + UNTIL
        while time.monotonic() < until:
            answer = self.asks(place.call, "POST", "/api/v1/orders", body)
            if answer:
                return self.book.opens(platform, place.ours(data(answer, answer.status_code)))
            self.waits(0.3)
        self.stage.breaks(f"an order of {platform} was not taken in")
        return None

    def moves(self, entry):
        """One step further, by the restaurant or the courier; False: it is over."""
        chance = self.random.random()
        if entry.rank == 0 and chance < 0.6:
            return self.puts(entry, "hazirlanacak")
        if entry.rank < 3 and chance < 0.1:
            return self.puts(entry, "hazir")
        if entry.rank < 4 and chance < 0.15 and entry.platform in REASONS:
            self.puts(entry, "cancelled", reasonId=REASONS[entry.platform])
            return False
        status = 2 if entry.rank == 4 or chance > 0.95 else 1
        return self.reports(entry, status)

    def puts(self, entry, word, **fields):
        until = time.monotonic() + UNTIL
        while time.monotonic() < until:
            if self.asks(entry.order.restaurant.call, "PUT", f"{entry.order.path}/status", {"status": word, **fields}):
                entry.acknowledged.append(word)
                return True
            self.waits(0.3)
        self.stage.breaks(f"{entry.order.id} was not moved to {word}")
        return False

    def reports(self, entry, status):
        courier = entry.order.restaurant.firm
        key = {"Idempotency-Key": secrets.token_hex(8)} if self.random.random() < 0.6 else {}
        until, unknown = time.monotonic() + UNTIL, False
        while time.monotonic() < until:
            began, code = time.monotonic(), 0
            try:
                code = courier.post(entry.order, status, session=self.session, headers=key).status_code
            except requests.RequestException:
                self.stage.counts("webhooks cut off")
            self.stage.timed(began, time.monotonic(), code)
            if code == 200 or (code == 400 and unknown and not key):  # the latter: our own first one has moved it
                entry.acknowledged.append({1: "teslim-edilecek", 2: "teslim-edildi"}[status])
                if self.random.random() < 0.05:
                    self.repeats(entry, status, key)
                return True
            if code not in (0, 500, 503, 404):  # 404: its key was just replaced
                self.stage.breaks(f"a report of {status} was told {code}")
                return False
            unknown = unknown or code in (0, 500)
            self.waits(0.3)
        self.stage.breaks(f"{entry.order.id}: {status} was never taken")
        return False

    def repeats(self, entry, status, key):
        fine = (200,) if key or status == 1 else (400,)
        self.asks(entry.order.restaurant.firm.post, entry.order, status, headers=key, good=fine, fair=(404, 500, 503))


class YandexEats(Actor):
    """Sends its orders, and asks how far they are."""

    def __init__(self, stage, book, every):
        super().__init__(stage)
        self.book, self.every, self.kitchen = book, every, Kitchen(stage, book, every)
        self.partner = Yandex(stage.places[0])
        self.partner.logs_in()

    def act(self):
        place = self.stage.places[0]
        answer = self.asks(self.partner.calls, "POST", "/order", an_order(place.id), "application/vnd.eats.order.v2+json",
                           good=(200,))
        if not answer:
            return
        order = place.ours({"orderId": answer.json()["orderId"], "platformOrderId": None})
        entry = self.book.opens("yandex", order)
        while entry.rank < 5 and self.kitchen.reports(entry, 2 if entry.rank == 4 else 1):
            told = self.asks(self.partner.calls, "GET", f"/order/{order.id}/status")
            if told and told.json()["status"] != {4: "TAKEN_BY_COURIER", 5: "DELIVERED"}[entry.rank]:
                self.stage.breaks(f"Yandex Eats was told {told.json()} of {entry.acknowledged}")


class Customers(Actor):
    """Order at a platform that is polled; and want their data erased."""

    def __init__(self, stage, book, every):
        super().__init__(stage)
        self.book, self.every = book, every

    def act(self):
        place = self.random.choice(self.stage.places)
        self.book.placed.append(self.stage.dukkango.places(place.credentials["dukkango"]))
        over = self.book.some(self.random, lambda entry: entry.rank > 4)
        if over and self.random.random() < 0.5:
            wanted = {"orderId": over.order.id} if self.random.random() < 0.7 else {"phone": PHONE % self.random.randrange(1000)}
            if self.asks(self.stage.admin, "POST", "/api/v1/erasures", wanted):
                self.stage.counts("erasures on demand")
        elif over:
            over.aged = True
            self.stage.store.age(21, over.order.id)
            self.stage.counts("orders past their retention")


class Office(Actor):
    """Changes keys, secrets, names and accounts; looks at everything; replays what has failed."""

    every = 0.5

    def act(self):
        place = self.random.choice(self.stage.places)
        self.random.choice((self.rotates_key, self.rotates_secret, self.renames, self.connects, self.comes_and_goes,
                            self.looks, self.looks, self.looks, self.replays))(place)

    def rotated(self, place, what):
        """Until it is answered: of a new one that nobody was shown there is no use."""
        while not self.stage.over.is_set():
            answer = self.asks(place.call, "POST", f"{place.firm.path}/rotate-{what}", {"graceSeconds": 60})
            if answer:
                self.stage.counts("keys and secrets rotated")
                return data(answer)
            self.waits(0.5)
        return {}

    def rotates_key(self, place):
        place.firm.key = self.rotated(place, "key").get("apiKey", place.firm.key)

    def rotates_secret(self, place):
        known = place.firm.firm["secrets"][-3:]
        place.firm.firm["secrets"] = [*known, self.rotated(place, "signing-secret").get("signingSecret", known[-1])]

    def renames(self, place):
        self.asks(place.call, "PATCH", place.firm.path, {"name": f"Hızlı Kurye {self.random.randrange(100)}"})
        self.asks(place.call, "PATCH", place.path, {"name": f"Deneme {self.random.randrange(100)}"})

    def connects(self, place):
        platform = self.random.choice(OURS)
        self.asks(place.call, "PUT", f"{place.path}/platforms/{platform}",
                  {"enabled": True, "credentials": place.credentials[platform]})
        self.asks(place.call, "POST", f"{place.path}/platforms/{platform}/test", {}, fair=(409, 429, 500, 502, 503, 504))

    def comes_and_goes(self, place):
        for path, named in (("tokens", "tokenId"), ("courier-integrations", "integrationId")):
            answer = self.asks(place.call, "POST", f"{place.path}/{path}", {"name": "Bir günlük"})
            if answer:
                self.asks(place.call, "DELETE", f"{place.path}/{path}/{data(answer, 201)[named]}", fair=(404, 500, 503))

    def looks(self, place):
        path = self.random.choice(("/api/v1/orders?limit=50", "/api/v1/orders?status=hazir", "/api/v1/deliveries?state=failed",
                                   place.path, f"{place.path}/platforms", f"{place.path}/courier-integrations",
                                   f"{place.path}/tokens", "/docs", "/panel", "/openapi.yaml", "/docs/guide.css"))
        self.asks(place.call, "GET", path)
        self.asks(self.stage.call, "GET", self.random.choice(("/metrics", "/readyz", "/livez")), ops=True)

    def replays(self, place):
        if self.asks(place.call, "POST", "/api/v1/deliveries/replay", {"state": "failed"}):
            self.stage.counts("replays")


class Slim(Watcher):
    """Remembers revisions and nothing else."""

    def _take(self, message):
        super()._take(message)
        self.gate.wait()
        del self.messages[:-4], self.frames[:-4]

    def __init__(self, restaurant, gate, **how):
        self.gate = gate
        super().__init__(restaurant, **how)


class Screen(Actor):
    """Watches a restaurant, is cut off or closes, comes back by `since`; knows every order's revision in the end."""

    late = True

    def __init__(self, stage, place, number):
        super().__init__(stage, name=f"Screen {number}")
        self.place, self.revs, self.since, self.watcher = place, {}, None, None
        self.sluggish = number % 5 == 4
        self.reads = stage.gate()

    def act(self):
        if self.watcher is None or self.watcher.ended:
            self.comes()
        elif self.random.random() < 0.08:
            self.goes(self.random.random() < 0.5)
        elif self.sluggish and self.random.random() < 0.2:
            self.reads.clear()
            self.waits(self.random.uniform(2, 8))
            self.reads.set()

    def comes(self):
        self.goes(False)
        ticket = None
        if self.random.random() < 0.5:
            answer = self.asks(self.place.call, "POST", "/api/v1/events/ticket", {})
            if not answer:
                return
            ticket = data(answer)["ticket"]
        try:
            self.watcher = Slim(self.place, self.reads, since=self.since, ticket=ticket, small=self.sluggish)
            self.stage.counts("screens opened")
        except Exception:  # a store in trouble may refuse it: it comes back in a second
            self.stage.counts("screens refused")

    def goes(self, politely):
        if self.watcher is None:
            return
        if politely and not self.watcher.ended:
            self.watcher.close()
        else:
            self.watcher.cut()
        self.remembers()
        self.watcher = None

    def remembers(self):
        with self.watcher.changed:
            if self.watcher.wrong:
                self.stage.breaks(f"{self.name} was told {self.watcher.wrong[:2]}")
            self.since = self.watcher.since or self.since
            for order, rev in self.watcher.revs.items():
                self.revs[order] = max(rev, self.revs.get(order, 0))

    def knows(self):
        if self.watcher:
            self.remembers()
        return self.revs

    def rests(self):
        self.goes(True)
