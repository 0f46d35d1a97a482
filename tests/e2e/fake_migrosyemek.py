# SPDX-License-Identifier: Apache-2.0
"""fake_migrosyemek.py - Migros Yemek's Gourmet API as its clients know it.

Bodies are encrypted, answers are not, and a refusal is a 200 with `success` false. Orders go 0 (new) -> 1 (approved) ->
3 (prepared) -> 5 (delivery) -> 7 (completed); a new one may be rejected (9), an approved one cancelled (10) until it is
on its way. What is already done is 409. Only orders from 1 to 6 are active. Each order here has a store of its own, so
that a look at the active ones belongs to it.
"""

import base64
import json
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from fake import Fake

PATHS = {"/Order/v2/UpdateOrderStatus": "update", "/Order/v2/CancelOrder": "cancel",
         "/Order/ActiveOrdersWithStores": "check"}
REASONS_PATH = "/Mapping/v2/GetCancelReasons"
WORDS = {"Approved": "accept", "Prepared": "ready", "Delivery": "on-the-way", "Completed": "delivered",
         "Rejected": "cancel"}
FIELDS = {"update": {"orderId": int, "storeId": int, "orderStatus": str},
          "cancel": {"orderId": int, "storeId": int, "cancelReasonId": int, "notifyUser": bool},
          "check": {"storeIds": list, "limit": int, "offset": int}}
MOVES = {"Approved": ((0,), 1), "Prepared": ((1, 2), 3), "Delivery": ((3, 4), 5), "Completed": ((5, 6), 7),
         "Rejected": ((0,), 9), "CancelOrder": ((1, 2, 3, 4), 10)}
STATES = {"yeni": 0, "hazirlanacak": 1, "hazirlaniyor": 2, "hazir": 3, "teslim-edilecek": 5}
ACTIVE = range(1, 7)
REASONS = {number: f"Neden {number}" for number in range(1, 21)}


def refuse(detail, status=200):
    return status, {"success": False, "data": None, "errorMessage": {"errorDetail": detail}}


def decrypt(secret, body):
    """The document in {"value":"<base64>"}; ValueError where it is none."""
    sealed = json.loads(body)
    if list(sealed) != ["value"]:
        raise ValueError(f"not a value alone: {list(sealed)}")
    opener = Cipher(algorithms.AES(secret.encode()), modes.ECB()).decryptor()
    padded = opener.update(base64.b64decode(sealed["value"], validate=True)) + opener.finalize()
    unpadder = PKCS7(128).unpadder()
    return json.loads(unpadder.update(padded) + unpadder.finalize())


class FakeMigrosyemek(Fake):

    def account(self):
        credentials = {"apiKey": secrets.token_urlsafe(24) + "=", "integratorSecret": secrets.token_hex(16)}
        self.accounts[credentials["apiKey"]] = credentials
        return credentials

    def hold(self, credentials, status="hazirlanacak", own_courier=True):
        """The platform gets an order of a customer; returns its id and the reference."""
        number, store = 2**53 + secrets.randbelow(2**60), secrets.randbelow(10**9)  # beyond what a double can tell
        self.orders[str(number)] = {"state": STATES[status], "store": store, "account": credentials["apiKey"],
                                    "own": own_courier, "by": None}
        return str(number), {"storeId": store}

    def state(self, order):
        return self.orders[order.platform_id]["state"]

    def route(self, call):
        kind = PATHS.get(call.path) if call.method == "POST" else None
        account = self.accounts.get(call.headers.get("XApiKey"))
        if (call.method, call.path) == ("GET", REASONS_PATH):
            kind = "reasons"
        call.kind, call.clear, call.step = kind, None, kind or "unknown"
        try:
            call.clear = decrypt(account["integratorSecret"], call.body) if account and kind in FIELDS else None
        except ValueError:
            return
        call.json = lambda: call.clear
        if call.clear and kind == "check":
            found = [one for one, order in self.orders.items() if [order["store"]] == call.clear.get("storeIds")]
            call.order = found[0] if found else None
        elif call.clear:
            call.order = str(call.clear.get("orderId"))
            call.step = WORDS.get(call.clear.get("orderStatus"), "cancel")

    def apply(self, call):
        if call.kind is None:
            self.breaks(call, f"no such address: {call.method} {call.path}")
            return refuse("NotFound", 404)
        if call.headers.get("XApiKey") not in self.accounts:
            return refuse("Yetkisiz", 401)
        if call.kind == "reasons":
            return 200, {"success": True, "data": [{"id": one, "name": text} for one, text in REASONS.items()]}
        if call.clear is None:
            return refuse("Şifre çözülemedi")
        wrong = [name for name, kind in FIELDS[call.kind].items() if type(call.clear.get(name)) is not kind]
        extra = set(call.clear) - set(FIELDS[call.kind])
        if wrong or extra - ({"cancelReasonId"} if call.clear.get("orderStatus") == "Rejected" else set()):
            self.breaks(call, f"fields: {call.clear}")
            return refuse("Geçersiz istek")
        order = self.orders.get(call.order)
        if order is None or order["account"] != call.headers["XApiKey"]:
            return refuse("Sipariş bulunamadı")
        if call.kind == "check":
            return 200, {"success": True, "data": [{"storeId": order["store"],
                                                    "activeOrderDetailsDTOS": self._active(call.order, order)}]}
        return self._move(call, order, call.clear.get("orderStatus", "CancelOrder"))

    @staticmethod
    def _active(number, order):
        others = [{"id": int(number) + way, "status": 5, "items": [{"id": int(number), "amount": 1}]}
                  for way in (-1, 1)]
        own = {"id": int(number), "status": order["state"],
               "deliveryProvider": "RESTAURANT" if order["own"] else "MIGROS"}
        return [others[0], *([own] if order["state"] in ACTIVE else []), others[1]]

    def _move(self, call, order, word):
        allowed, after = MOVES.get(word, ((), None))
        if after is None or call.clear["storeId"] != order["store"] or call.clear.get("notifyUser") is False:
            self.breaks(call, f"not to be sent: {call.clear}")
            return refuse("Geçersiz istek")
        if word in ("Rejected", "CancelOrder") and call.clear.get("cancelReasonId") not in REASONS:
            return refuse("İptal nedeni bulunamadı")  # fair to ask: the list is only here
        if word in ("Delivery", "Completed") and not order["own"]:
            self.breaks(call, "the platform's own courier delivers")
            return refuse("Kurye Migros'un")
        if order["state"] in allowed:
            order["state"], order["by"], call.applied = after, call, True
            return 200, {"success": True, "data": True, "errorMessage": None}
        # What is not active cannot be looked up, so that a step whose answer was lost may be repeated.
        lost = self.doubted or (order["by"] and order["by"].troubled)
        seen = order["state"] in ACTIVE
        if order["state"] != after or seen or not lost:
            if not (word == "CancelOrder" and order["state"] in (5, 6)):  # refused, but fair to ask
                self.breaks(call, f"{word} asked for in state {order['state']}")
        if order["state"] == after:
            return refuse("Sipariş zaten bu durumda", 409)
        return refuse("Sipariş durumu uygun değil")
