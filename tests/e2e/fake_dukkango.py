# SPDX-License-Identifier: Apache-2.0
"""fake_dukkango.py - Dükkango's integration API as its pages describe it.

Orders go 1 (received) -> 2 (confirmed) -> 16 (with the restaurant's courier) -> 5 (delivered), and to
6 (cancelled) from any but 5. What the pages leave open is refused here: a step that is already done,
a step out of its turn, a courier step for the platform's own courier. There is no way to ask how far an
order is, so the repeat of a step whose answer was lost breaks no rule.
"""

import datetime
import itertools
import re
import secrets
import time
import uuid

from fake import UUID, Fake
from process import WAIT

ORDER_PATH = re.compile(r"/api/integrations/orders/(accept|ontheway|complete|cancel|success)/([^/?]+)")
STEPS = {"accept": "accept", "ontheway": "on-the-way", "complete": "delivered", "cancel": "cancel",
         "success": "acknowledge"}
MOVES = {"accept": ((1,), 2), "on-the-way": ((2,), 16), "delivered": ((16,), 5),
         "cancel": ((1, 2, 16), 6)}
STATES = {"yeni": 1, "hazirlanacak": 2, "hazirlaniyor": 2, "hazir": 2, "teslim-edilecek": 16}
TEXTS = {1: "RECEIVED", 2: "CONFIRMED", 16: "IN_DELIVERY", 5: "COMPLETE_NEEDS_PAYMENT", 6: "CANCELED"}
REASONS = {1: "Ürün tükendi", 2: "Adres bulunamıyor", 3: "Yoğunluk nedeniyle", 4: "Müşteri iptal etti",
           5: "Teknik sorun", 6: "Çok uzak teslimat adresi", 7: "Ödeme problemi", 8: "Diğer"}
DAY = 24 * 3600
OK = (200, {"status": True, "data": "OK"})


def refuse(status, error, message=None):
    return status, {"status": False, "error": error, **({"message": message} if message else {})}


class Placed:
    """A customer's order, as the platform knows it."""

    def __init__(self, key):
        self.platform_id = key


class FakeDukkango(Fake):
    base = "/api/integrations"
    aside = ("poll", "acknowledge")
    poll_floor = 0  # seconds between two looks at a restaurant's list; the platform's own are 30

    def __init__(self):
        self.tokens, self.polls = {}, {}  # token: (account, until); account: last poll
        self.numbers = itertools.count(1031)
        self.reasons = dict(REASONS)
        super().__init__()

    def account(self):
        credentials = {"appSecretKey": secrets.token_hex(16), "restSecretKey": secrets.token_hex(16)}
        self.accounts[credentials["appSecretKey"], credentials["restSecretKey"]] = credentials
        return credentials

    def hold(self, credentials, status="hazirlanacak", own_courier=True):
        """The platform gets an order of a customer; returns its payment_key and no reference."""
        key = str(uuid.uuid4())
        self.orders[key] = {"state": STATES[status], "account": credentials, "own": own_courier,
                            "acknowledged": True, "by": None, "shown": self._shown(key)}
        return key, None

    def places(self, credentials, state=1, own_courier=True, **fields):
        """A customer orders; the next list shows it, with these fields in place of the usual ones."""
        key = str(uuid.uuid4())
        with self.changed:
            self.orders[key] = {"state": state, "account": credentials, "own": own_courier, "acknowledged": False,
                                "by": None, "shown": {**self._shown(key), **fields}}
        return Placed(key)

    def _shown(self, key):
        return {"id": next(self.numbers), "payment_key": key, "shipping_method": "delivery", "payment_method": "Nakit",
                "note": "Zile basmayın", "total": 125.5, "discount": 0, "date": "2026-01-15 17:55:00",
                "restaurant_id": 7, "restaurant_name": "Deneme Lokantası", "courier_fee": 0, "scheduled_date": "",
                "order_tip": 0, "customer": {"name": "Şükrü Çağlayangil", "phone": "+90 555 123 45 67"},
                "address": {"address": "Bağdat Caddesi No: 123, Kadıköy", "description": "Kapı kodu: 1234"}}

    def moves(self, order, state, **fields):
        """Something happens to the order at the platform itself: the next list shows it again."""
        with self.changed:
            found = self.orders[order.platform_id]
            found.update(state=state, acknowledged=False, shown={**found["shown"], **fields})

    def acknowledged(self, order):
        """Waits until the order, as it is now, was acknowledged."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.orders[order.platform_id]["acknowledged"], WAIT), self.asides[-9:]

    def polls_of(self, credentials):
        """The calls so far that asked for this restaurant's list."""
        with self.changed:
            return [call for call in self.asides if (call.step, call.order) == ("poll", credentials["appSecretKey"])]

    def polled(self, credentials, times=1):
        """Waits until the restaurant's list was asked for so many times more; returns all of the calls."""
        with self.changed:
            wanted = len(self.polls_of(credentials)) + times
            assert self.changed.wait_for(lambda: len(self.polls_of(credentials)) >= wanted, WAIT), f"not {wanted} polls"
            return self.polls_of(credentials)

    def expire_tokens(self):
        with self.changed:
            self.tokens.clear()

    def route(self, call):
        found = ORDER_PATH.fullmatch(call.path)
        if found and call.method == "PUT":
            call.step, call.order = STEPS[found[1]], found[2]
        elif (call.method, call.path) == ("POST", "/api/integrations/auth/login"):
            call.step = "login"
        elif (call.method, call.path.split("?")[0]) == ("GET", "/api/integrations/orders/get-current"):
            account, _ = self.tokens.get(call.headers.get("Access-Token"), (None, 0))
            call.step, call.order = "poll", account and account["appSecretKey"]
        elif (call.method, call.path) == ("GET", "/api/integrations/orders/cancel-reasons"):
            call.step = "reasons"
        else:
            call.step = "unknown"

    def apply(self, call):
        if call.step == "unknown":
            self.breaks(call, f"no such address: {call.method} {call.path}")
            return refuse(403, "URL hatalı")
        if call.step == "login":
            return self._login(call)
        account, until = self.tokens.get(call.headers.get("Access-Token"), (None, 0))
        if account is None or until < time.monotonic():
            return refuse(401, "yetkisiz erişim", "Token expired or invalid")
        if call.step == "poll":
            return self._poll(call, account)
        if call.step == "reasons":
            return 200, {"status": True, "data": [{"id": one, "reason": text} for one, text in self.reasons.items()]}
        order = self.orders.get(call.order)
        if not UUID.fullmatch(call.order) or order is None or order["account"] is not account:
            return refuse(404, "sipariş bulunamadı")
        return self._move(call, order)

    def _login(self, call):
        body = call.json()
        account = self.accounts.get((body.get("app_secret_key"), body.get("rest_secret_key")))
        if account is None:
            return refuse(401, "yetkisiz erişim", "Invalid credentials")
        token = secrets.token_hex(32)
        self.tokens[token] = (account, time.monotonic() + DAY)
        istanbul = datetime.timezone(datetime.timedelta(hours=3))
        until = datetime.datetime.now(istanbul) + datetime.timedelta(days=1)
        return 200, {"status": True, "data": {"access_token": token,
                                              "expiration_date": until.strftime("%Y-%m-%d %H:%M:%S")}}

    def _poll(self, call, account):
        since = call.at - self.polls.get(call.order, -DAY)
        if since < self.poll_floor:
            self.breaks(call, f"{since} s after the last one")
            return refuse(429, "çok fazla istek")
        self.polls[call.order] = call.at
        return 200, {"status": True, "data": [
            {**order["shown"], "status_id": order["state"], "status_text": TEXTS[order["state"]],
             "courier_type": "restaurant" if order["own"] else "platform"}
            for key, order in self.orders.items()
            if order["account"] is account and not order["acknowledged"]]}

    def _move(self, call, order):
        body = call.json()
        if call.step == "acknowledge":
            order["acknowledged"] = True
            return OK
        if call.step == "accept" and not isinstance(body.get("preparing_time"), int):
            self.breaks(call, f"no preparing_time in {body}")
            return refuse(400, "eksik alan")
        if call.step == "cancel" and body.get("reason_id") not in self.reasons:
            if not isinstance(body.get("reason_id"), int):  # else it is fair to ask: the list is here
                self.breaks(call, f"no reason_id in {body}")
            return refuse(400, "eksik alan")
        if call.step in ("on-the-way", "delivered") and not order["own"]:
            self.breaks(call, "the platform's own courier delivers")
            return refuse(400, "geçersiz işlem")
        allowed, after = MOVES[call.step]
        if order["state"] not in allowed:
            # The calls are idempotent by method, so one whose answer was lost may be repeated.
            lost = self.doubted or (order["by"] and order["by"].troubled)
            if order["state"] != after or not lost:
                self.breaks(call, f"asked for in state {order['state']}")
            return refuse(400, "geçersiz işlem")
        order["state"], order["acknowledged"], order["by"], call.applied = after, False, call, True
        return OK
