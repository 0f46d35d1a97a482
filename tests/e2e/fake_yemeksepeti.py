# SPDX-License-Identifier: Apache-2.0
"""fake_yemeksepeti.py - Delivery Hero's POS middleware as its OpenAPI file describes it, for YemekSepeti.

Orders go RECEIVED -> ACCEPTED -> PICKED_UP, with the platform's rider ACCEPTED -> PREPARED, and to
REJECTED from each. What the file leaves open is refused here: a step that is already done, a step out
of its turn. There is no read of one order, so the repeat of a step whose answer was lost breaks no rule.
"""

import datetime
import re
import secrets
import time
import urllib.parse

from fake import Fake

STATUS_PATH = re.compile(r"/v2/order/status/(\w+)")
PREPARED_PATH = re.compile(r"/v2/orders/(\w+)/preparation-completed")
STEPS = {"order_accepted": "accept", "order_picked_up": "on-the-way", "order_rejected": "cancel"}
MOVES = {"accept": (("RECEIVED",), "ACCEPTED"), "ready": (("ACCEPTED",), "PREPARED"),
         "on-the-way": (("ACCEPTED",), "PICKED_UP"),
         "cancel": (("RECEIVED", "ACCEPTED", "PREPARED", "PICKED_UP"), "REJECTED")}
STATES = {"yeni": "RECEIVED", "teslim-edilecek": "PICKED_UP"}
REASONS = set("""
    ADDRESS_INCOMPLETE_MISSTATED BAD_WEATHER BLACKLISTED CARD_READER_NOT_AVAILABLE CLOSED
    CONTENT_WRONG_MISLEADING FOOD_QUALITY_SPILLAGE FRAUD_PRANK ITEM_UNAVAILABLE LATE_DELIVERY
    MENU_ACCOUNT_SETTINGS MOV_NOT_REACHED NO_COURIER NO_PICKER NO_RESPONSE OUTSIDE_DELIVERY_AREA
    TECHNICAL_PROBLEM TEST_ORDER TOO_BUSY UNABLE_TO_FIND UNABLE_TO_PAY UNPROFESSIONAL_BEHAVIOUR
    WILL_NOT_WORK_WITH_PLATFORM WRONG_ORDER_ITEMS_DELIVERED""".split())
AHEAD = datetime.timedelta(minutes=2)
PAUSE = 9.5  # seconds between two accepts that meet 409; "about every 10"


def refuse(status, code, **more):
    return status, {"code": code, "message": "-", **more}


class FakeYemeksepeti(Fake):
    life = 1800  # seconds; of a token

    def __init__(self):
        self.tokens = {}  # token: (account, until)
        super().__init__()

    def account(self):
        account = {"loginUrl": f"{self.url}/v2/login", "username": secrets.token_hex(6),
                   "password": f"p&={secrets.token_hex(10)} +%"}
        self.accounts[account["username"]] = account
        return account

    def hold(self, credentials, status="hazirlanacak", own_courier=True):
        """The platform gets an order of a customer; returns its token and the reference."""
        token = secrets.token_hex(16)
        state = STATES.get(status) or ("PREPARED" if status == "hazir" and not own_courier else "ACCEPTED")
        self.orders[token] = {"state": state, "own": own_courier, "account": credentials, "by": None,
                              "between_hands": 0, "met_409": 0.0}
        status_url = f"{self.url}/v2/order/status/{token}"
        urls = {"orderAcceptedUrl": status_url, "orderRejectedUrl": status_url}
        if own_courier:
            urls["orderPickedUpUrl"] = status_url
        else:
            urls["orderPreparedUrl"] = f"{self.url}/v2/orders/{token}/preparation-completed"
        return token, {"callbackUrls": urls}

    def state(self, order):
        return self.orders[order.platform_id]["state"]

    def expire_tokens(self):
        with self.changed:
            self.tokens.clear()

    def route(self, call):
        status, prepared = STATUS_PATH.fullmatch(call.path), PREPARED_PATH.fullmatch(call.path)
        call.step = "unknown"
        if call.method != "POST":
            return
        if status:
            call.step, call.order = STEPS.get(call.json().get("status"), "unknown"), status[1]
        elif prepared:
            call.step, call.order = "ready", prepared[1]
        elif call.path == "/v2/login":
            call.step = "login"

    def apply(self, call):
        if call.step == "unknown":
            self.breaks(call, f"no such call: {call.method} {call.path} {call.body}")
            return refuse(404, "NOT_FOUND")
        if call.step == "login":
            return self._login(call)
        kind, _, token = call.headers.get("Authorization", "").partition(" ")
        account, until = self.tokens.get(token, (None, 0))
        if kind != "Bearer" or account is None or until < time.monotonic():
            return refuse(401, "VALIDATION_ERROR" if call.step == "ready" else "POS_ERROR")
        order = self.orders.get(call.order)
        if order is None:
            return refuse(404, "NOT_FOUND") if call.step == "ready" else refuse(400, "ORDER_NOT_FOUND")
        if order["account"] is not account:
            return refuse(403, "FORBIDDEN")
        wrong = self._wrong(call, order)
        if wrong:
            self.breaks(call, wrong)
            return refuse(400, "INVALID_REQUEST")
        return self._move(call, order)

    def _login(self, call):
        fields = dict(urllib.parse.parse_qsl(call.body.decode()))
        if (call.headers.get("Content-Type") != "application/x-www-form-urlencoded"
                or fields.get("grant_type") != "client_credentials"):
            self.breaks(call, "no form of a login")
            return refuse(401, "UNAUTHORIZED")
        account = self.accounts.get(fields.get("username"))
        if account is None or fields.get("password") != account["password"]:
            return refuse(401, "UNAUTHORIZED")
        token = f"{secrets.token_urlsafe(20)}.{secrets.token_urlsafe(200)}.{secrets.token_urlsafe(60)}"
        self.tokens[token] = (account, time.monotonic() + self.life)
        return 200, {"access_token": token, "expires_in": self.life, "token_type": "bearer"}

    @staticmethod
    def _wrong(call, order):
        """What the request breaks, whatever state the order is in; None: nothing."""
        if call.step == "ready":
            return "a body" if call.body else "the restaurant delivers" if order["own"] else None
        body = call.json()
        if call.headers.get("Content-Type") != "application/json":
            return "no JSON"
        if call.step == "on-the-way":
            return None if order["own"] else "the platform's rider delivers"
        if call.step == "cancel":
            known = body.get("reason") in REASONS and isinstance(body.get("message"), str)
            return None if known else f"no known reason in {body}"
        try:
            ahead = datetime.datetime.fromisoformat(body["acceptanceTime"]) - datetime.datetime.now(datetime.UTC)
        except (KeyError, TypeError, ValueError):
            return f"no acceptanceTime with an offset in {body}"
        if ahead < AHEAD:
            return f"acceptanceTime is {ahead} ahead"
        return None if isinstance(body.get("remoteOrderId"), str) else f"no remoteOrderId in {body}"

    def _move(self, call, order):
        if call.step == "accept" and order["between_hands"] > 0:
            if call.at - order["met_409"] < PAUSE:
                self.breaks(call, "asked again too soon after 409")
            order["between_hands"], order["met_409"] = order["between_hands"] - 1, call.at
            return refuse(409, "CONFLICT", currentState="ASSIGNED_TO_TRANSPORT")
        if call.step == "accept" and order["state"] == "REJECTED":
            return refuse(409, "CONFLICT", currentState="CANCELLED")
        allowed, after = MOVES[call.step]
        if order["state"] not in allowed:
            lost = self.doubted or (order["by"] and order["by"].troubled)
            if order["state"] != after or not lost:
                self.breaks(call, f"asked for in state {order['state']}")
            return refuse(400, "INVALID_ORDER_STATUS")
        order["state"], order["by"], call.applied = after, call, True
        if call.step == "ready":
            return 200, {"code": "OK"}
        return 200, {"message": "Order status successfully changed."}
