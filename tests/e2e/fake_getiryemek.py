# SPDX-License-Identifier: Apache-2.0
"""fake_getiryemek.py - GetirYemek's order API as its Swagger and its guide describe it.

Orders go 400 (or 325, scheduled) -> 500 (350) by verify -> 550 by prepare; then Getir's own courier gets them by
handover (600), or the restaurant's has them delivered (900). Between verify, prepare and deliver lies at least
`step_wait`, a minute in the world outside. A repeat, a step out of its turn and one of the other courier are refused
with the guide's codes. Nearly all of them are HTTP 400.
"""

import datetime
import re
import secrets
import time
from collections import deque

from fake import Fake

ORDER = r"/food-orders/(?P<id>[0-9a-f]{24})"
ROUTES = [("POST", re.compile("/auth/login"), "login"),
          ("POST", re.compile(ORDER + "/(?P<word>verify|verify-scheduled)"), "accept"),
          ("POST", re.compile(ORDER + "/(?P<word>prepare)"), "prepare"),
          ("POST", re.compile(ORDER + "/(?P<word>handover)"), "handover"),
          ("POST", re.compile(ORDER + "/(?P<word>deliver)"), "delivered"),
          ("POST", re.compile(ORDER + "/(?P<word>cancel)"), "cancel"),
          ("GET", re.compile(ORDER + "/(?P<word>cancel-options)"), "cancel-options"),
          ("GET", re.compile(ORDER), "check")]
STATES = {"yeni": 400, "hazirlanacak": 500, "hazirlaniyor": 500, "hazir": 500, "teslim-edilecek": 550}
MOVES = {"verify": (400, 500), "verify-scheduled": (325, 350), "prepare": (500, 550), "handover": (550, 600),
         "deliver": (550, 900)}
DATES = {"verify": "verifyDate", "verify-scheduled": "verifyDate", "prepare": "prepareDate",
         "handover": "handoverDate", "deliver": "deliverDate"}
BEFORE = {"prepare": ("verifyDate", 74), "deliver": ("prepareDate", 62)}
ERRORS = {1: "FoodOrderNotFound", 2: "FoodOrderAlreadyVerified", 3: "FoodOrderStatusInvalidError",
          4: "FoodOrderStatusLock", 11: "FoodOrderCanNotBeCancelled", 13: "FoodOrderAlreadyCancelled",
          14: "CourierStatusInvalid", 15: "CourierNotReachedToRestaurant",
          62: "FoodOrderDeliveredToClientTimeLimitError", 64: "FoodOrderCourierMismatchError",
          71: "FoodOrderHasNoCourierError", 72: "FoodOrderWebHookError", 74: "FoodOrderPreparedTimeLimitError",
          89: "TransferredFoodOrderError", -1: "UnknownError", -2: "ValidationError"}
REASONS = {"5e0a4b2c9d8f7a6b5c4d3e2f": "Ürün kalmadı", "5e0a4b2c9d8f7a6b5c4d3e30": "Restoran kapalı"}
REASON = next(iter(REASONS))
HOUR = 3600
REASONS_PERIOD = 600.0  # seconds
TOLERANCE = 0.05  # seconds by which two machines' clocks may differ


def refuse(code, status=400):
    return status, {"code": code, "error": ERRORS[code], "message": "olmadı"}


class FakeGetiryemek(Fake):
    reasons_limit = 40  # in REASONS_PERIOD

    def __init__(self, step_wait=60.0):
        self.step_wait = step_wait
        self.tokens, self.asked = {}, {}  # token: (account, until); token: when it asked for reasons
        super().__init__()

    def account(self):
        credentials = {"appSecretKey": secrets.token_hex(20), "restaurantSecretKey": secrets.token_hex(20)}
        self.accounts[tuple(credentials.values())] = credentials
        return credentials

    def hold(self, credentials, status="hazirlanacak", own_courier=True):
        """The platform gets an order of a customer; returns its id and no reference."""
        order, now = secrets.token_hex(12), time.monotonic()
        state = 600 if status == "hazir" and not own_courier else STATES[status]
        done = [word for word, after in (("verifyDate", 500), ("prepareDate", 550), ("handoverDate", 600))
                if state >= after]
        self.orders[order] = {"state": state, "account": credentials, "own": own_courier, "courier": True,
                              "dates": dict.fromkeys(done, now)}
        return order, None

    def state(self, order):
        return self.orders[order.platform_id]["state"]

    def knows(self, order, *dates, state, ago=HOUR):
        """Somebody moved the order at the platform itself, long ago."""
        with self.changed:
            held = self.orders[order.platform_id]
            held["state"] = state
            held["dates"].update(dict.fromkeys(dates, time.monotonic() - ago))

    def expire_tokens(self):
        with self.changed:
            self.tokens.clear()

    def route(self, call):
        call.step, call.word = "unknown", None
        for method, pattern, step in ROUTES:
            found = pattern.fullmatch(call.path)
            if found and method == call.method:
                call.step = step
                call.order, call.word = found.groupdict().get("id"), found.groupdict().get("word")
        held = self.orders.get(call.order)
        if call.step == "prepare":
            call.step = "on-the-way" if held is None or held["own"] else "ready"

    def apply(self, call):
        if call.step == "unknown":
            self.breaks(call, f"no such address: {call.method} {call.path}")
            return refuse(1, 404)
        if call.step == "login":
            return self._login(call)
        if call.headers.get("token") is None:
            self.breaks(call, "no token")
            return refuse(-2)
        account, until = self.tokens.get(call.headers["token"], (None, 0))
        if account is None or until < time.monotonic():
            return refuse(-2, 401)
        order = self.orders.get(call.order)
        if order is None or order["account"] is not account:
            return refuse(1, 404)
        if call.step == "check":
            return 200, self._document(call.order, order)
        if call.step == "cancel-options":
            return self._reasons(call, order)
        return self._cancel(call, order) if call.step == "cancel" else self._move(call, order)

    def _reasons(self, call, order):
        """Limited by token, and none are left of an order that is over."""
        recent = self.asked.setdefault(call.headers["token"], deque())
        while recent and recent[0] < call.at - REASONS_PERIOD:
            recent.popleft()
        if len(recent) >= self.reasons_limit:
            return refuse(-1, 429)
        recent.append(call.at)
        over = order["state"] >= 900
        return 200, [] if over else [{"id": number, "message": text} for number, text in REASONS.items()]

    def _login(self, call):
        body = call.json()
        account = self.accounts.get((body.get("appSecretKey"), body.get("restaurantSecretKey")))
        if account is None:
            return refuse(-2, 401)
        token = secrets.token_hex(64)
        self.tokens[token] = (account, time.monotonic() + HOUR)
        return 200, {"restaurantId": secrets.token_hex(12), "token": token}

    @staticmethod
    def _document(number, order):
        shift = time.time() - time.monotonic()
        dates = {name: datetime.datetime.fromtimestamp(at + shift, datetime.UTC).isoformat(timespec="milliseconds")
                 .replace("+00:00", "Z") for name, at in order["dates"].items()}
        return {"id": number, "status": order["state"], "confirmationId": "z322", "doNotKnock": False,
                "deliveryType": 2 if order["own"] else 1, "totalPrice": 125.5, **dates}

    def _move(self, call, order):
        allowed, after = MOVES[call.word]
        if call.body:
            self.breaks(call, f"a body: {call.body}")
            return refuse(-2)
        if (call.word, order["own"]) in (("handover", True), ("deliver", False)):
            self.breaks(call, f"{call.word} is the other courier's")
            return refuse(64)
        if order["state"] >= 1500:
            return refuse(13)
        if order["state"] != allowed:
            self.breaks(call, f"{call.word} in state {order['state']}")
            return refuse(2 if call.step == "accept" and "verifyDate" in order["dates"] else 3)
        before, error = BEFORE.get(call.word, (None, None))
        if before and time.monotonic() - order["dates"][before] < self.step_wait - TOLERANCE:
            self.breaks(call, f"{call.word} {time.monotonic() - order['dates'][before]:.3f} s after {before}")
            return refuse(error)
        if call.word == "handover" and not order["courier"]:
            return refuse(15)
        order["state"], call.applied = after, True
        order["dates"][DATES[call.word]] = time.monotonic()
        return 200, {"result": True}

    def _cancel(self, call, order):
        body = call.json()
        if sorted(body) != ["cancelNote", "cancelReasonId", "productId"] or body["productId"] != "" \
                or not isinstance(body["cancelNote"], str) or body["cancelReasonId"] not in REASONS:
            self.breaks(call, f"not a cancel: {body}")
            return refuse(-2)
        if order["state"] >= 1500:
            self.breaks(call, "cancelled already")
            return refuse(13)
        if order["state"] == 900:  # refused, but fair to ask
            return refuse(11)
        order["state"], call.applied = 1600, True
        return 200, {}
