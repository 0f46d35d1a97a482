# SPDX-License-Identifier: Apache-2.0
"""fake_dukkango.py - Dükkango's integration API as its pages describe it.

Orders go 1 (received) -> 2 (confirmed) -> 16 (with the restaurant's courier) -> 5 (delivered), and to
6 (cancelled) from any but 5. What the pages leave open is refused here: a step that is already done,
a step out of its turn, a courier step for the platform's own courier. There is no way to ask how far an
order is, so the repeat of a step whose answer was lost breaks no rule.
"""

import datetime
import re
import secrets
import time
import uuid

from fake import UUID, Fake

ORDER_PATH = re.compile(r"/api/integrations/orders/(accept|ontheway|complete|cancel|success)/([^/?]+)")
STEPS = {"accept": "accept", "ontheway": "on-the-way", "complete": "delivered", "cancel": "cancel",
         "success": "acknowledge"}
MOVES = {"accept": ((1,), 2), "on-the-way": ((2,), 16), "delivered": ((16,), 5),
         "cancel": ((1, 2, 16), 6)}
STATES = {"yeni": 1, "hazirlanacak": 2, "hazirlaniyor": 2, "hazir": 2, "teslim-edilecek": 16}
REASONS = {1: "Ürün tükendi", 2: "Adres bulunamıyor", 3: "Yoğunluk nedeniyle", 4: "Müşteri iptal etti",
           5: "Teknik sorun", 6: "Çok uzak teslimat adresi", 7: "Ödeme problemi", 8: "Diğer"}
DAY = 24 * 3600
OK = (200, {"status": True, "data": "OK"})


def refuse(status, error, message=None):
    return status, {"status": False, "error": error, **({"message": message} if message else {})}


class FakeDukkango(Fake):
    base = "/api/integrations"
    poll_floor = 30.0  # seconds between two looks at the list

    def __init__(self):
        self.tokens, self.polls = {}, {}  # token: (account, until); token: last poll
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
                            "acknowledged": False, "by": None}
        return key, None

    def state(self, order):
        return self.orders[order.platform_id]["state"]

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
            call.step = "poll"
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
            return self._poll(call.headers["Access-Token"], account)
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

    def _poll(self, token, account):
        now = time.monotonic()
        if now - self.polls.get(token, -DAY) < self.poll_floor:
            return refuse(429, "çok fazla istek")
        self.polls[token] = now
        return 200, {"status": True, "data": [
            {"payment_key": key, "status_id": order["state"],
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
            self.breaks(call, f"no known reason_id in {body}")
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
