# SPDX-License-Identifier: Apache-2.0
"""fake_trendyolyemek.py - Trendyol's meal package API as its clients know it.

Packages go Created -> Picking -> Invoiced -> Shipped -> Delivered, and to UnSupplied before Shipped.
A step out of its turn, or already done, is 409.
"""

import base64
import itertools
import re
import secrets
from collections import deque

from fake import Fake

PREFIX = r"/integrator/order/meal/suppliers/(?P<supplier>\d+)/packages"
ROUTES = [("PUT", re.compile(PREFIX + "/picked"), "accept"),
          ("PUT", re.compile(PREFIX + "/invoiced"), "ready"),
          ("PUT", re.compile(PREFIX + "/unsupplied"), "cancel"),
          ("PUT", re.compile(PREFIX + "/(?P<id>[0-9a-f]{64})/manual-shipped"), "on-the-way"),
          ("PUT", re.compile(PREFIX + "/(?P<id>[0-9a-f]{64})/manual-delivered"), "delivered"),
          ("GET", re.compile(PREFIX + "/(?P<id>[0-9a-f]{64})"), "check"),
          ("GET", re.compile(PREFIX + r"\?page=\d+&size=\d+"), "list")]
MOVES = {"accept": (("Created",), "Picking"), "ready": (("Picking",), "Invoiced"),
         "on-the-way": (("Invoiced",), "Shipped"), "delivered": (("Shipped",), "Delivered"),
         "cancel": (("Created", "Picking", "Invoiced"), "UnSupplied")}
STATES = {"yeni": "Created", "hazirlanacak": "Picking", "hazirlaniyor": "Picking",
          "hazir": "Invoiced", "teslim-edilecek": "Shipped"}
REASONS = {621, 622, 623, 624, 626, 627}
OWN_COURIER_REASONS = {624, 626}
LIMIT, PERIOD = 50, 10.0  # calls of one supplier to one endpoint in so many seconds


def refuse(status, exception):
    return status, {"exception": exception}


class FakeTrendyolyemek(Fake):

    def __init__(self):
        self.recent, self.suppliers = {}, itertools.count(secrets.randbelow(800000))
        super().__init__()

    def account(self):
        supplier = str(100000 + next(self.suppliers))
        self.accounts[supplier] = {
            "supplierId": supplier, "apiKey": secrets.token_hex(10), "apiSecret": secrets.token_hex(10),
            "agentName": "KuryeTest", "executorUser": "kasa@example.com"}
        return self.accounts[supplier]

    def hold(self, credentials, status="hazirlanacak", own_courier=True):
        """The platform gets an order of a customer; returns its package id and the reference."""
        package = secrets.token_hex(32)
        items = [secrets.token_hex(12) for _ in range(2)]
        self.orders[package] = {"state": STATES[status], "supplier": credentials["supplierId"],
                                "own": own_courier, "items": items}
        return package, {"packageItemIds": items}

    def state(self, order):
        return self.orders[order.platform_id]["state"]

    def route(self, call):
        call.step, call.supplier = "unknown", None
        for method, pattern, step in ROUTES:
            found = pattern.fullmatch(call.path)
            if found and method == call.method:
                call.step, call.supplier = step, found["supplier"]
                call.order = found.groupdict().get("id") or call.json().get("packageId")

    def apply(self, call):
        if call.step == "unknown":
            self.breaks(call, f"no such address: {call.method} {call.path}")
            return refuse(404, "NotFound")
        account = self.accounts.get(call.supplier)
        if account is None or call.headers.get("Authorization") != basic(account):
            return refuse(401, "ClientApiAuthenticationException")
        if not re.fullmatch(rf"{call.supplier} - [A-Za-z0-9]{{1,30}}", call.headers.get("User-Agent", "")):
            self.breaks(call, f"User-Agent {call.headers.get('User-Agent')!r}")
            return refuse(403, "Forbidden")
        for name, value in (("x-agentname", account["agentName"]),
                            ("x-executor-user", account["executorUser"])):
            if call.headers.get(name) != value or not value.isascii():
                self.breaks(call, f"{name} is {call.headers.get(name)!r}")
                return refuse(400, "BadRequest")
        if self._too_many(call):
            return refuse(429, "TooManyRequests")
        if call.step == "list":
            own = [self._document(number, one) for number, one in self.orders.items()
                   if one["supplier"] == call.supplier]
            return 200, {"page": 0, "size": 1, "totalPages": len(own), "totalCount": len(own), "content": own[:1]}
        package = self.orders.get(call.order)
        if package is None or package["supplier"] != call.supplier:
            return refuse(404, "PackageNotFound")
        if call.step == "check":
            return 200, self._document(call.order, package)
        return self._move(call, package)

    def _too_many(self, call):
        recent = self.recent.setdefault((call.supplier, call.step), deque())
        while recent and recent[0] < call.at - PERIOD:
            recent.popleft()
        recent.append(call.at)
        return len(recent) > LIMIT

    def _document(self, package_id, package):
        return {"id": package_id, "orderNumber": "1024", "packageStatus": package["state"],
                "supplierId": int(package["supplier"]), "storePickupSelected": False,
                "deliveryType": "STORE" if package["own"] else "GO", "totalPrice": 125.5,
                "lines": [{"productId": 1, "items": [{"packageItemId": item}]}
                          for item in package["items"]]}

    def _move(self, call, package):
        body = call.json()
        if call.step == "accept" and not isinstance(body.get("preparationTime"), int):
            self.breaks(call, f"no preparationTime in {body}")
            return refuse(400, "BadRequest")
        if call.step == "cancel" and not self._good_cancel(body, package):
            self.breaks(call, f"not a cancel: {body}")
            return refuse(400, "BadRequest")
        if call.step in ("on-the-way", "delivered") and not package["own"]:
            self.breaks(call, "the platform's own courier delivers")
            return refuse(409, "TransitionNotAllowed")
        allowed, after = MOVES[call.step]
        if package["state"] not in allowed:
            if not (call.step == "cancel" and package["state"] == "Shipped"):  # refused, but fair to ask
                self.breaks(call, f"asked for in state {package['state']}")
            return refuse(409, "TransitionNotAllowed")
        package["state"], call.applied = after, True
        return 200, None

    @staticmethod
    def _good_cancel(body, package):
        return (sorted(body.get("itemIdList", [])) == sorted(package["items"])
                and body.get("reasonId") in REASONS
                and (package["own"] or body["reasonId"] not in OWN_COURIER_REASONS))


def basic(account):
    pair = f"{account['apiKey']}:{account['apiSecret']}".encode()
    return "Basic " + base64.b64encode(pair).decode()
