# SPDX-License-Identifier: Apache-2.0
"""fake_courier.py - courier firms that are told of orders: the payload of their integration page, verified by Standard Webhooks 1.0.

One server for all firms, each at an address of its own. A firm keeps the rules of whoever receives such webhooks: it takes
nothing that is not signed by a secret it knows within five minutes, knows a repeat by its webhook-id, and sends one rider
for one id.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time

from fake import Fake

TOLERANCE = 300  # seconds
TEXT, MAYBE = (str,), (str, type(None))
ADDRESS = {**dict.fromkeys(("district", "city", "neighborhood", "street", "buildingNo", "floor", "apartmentNo",
                            "directions"), MAYBE), "detailedAddress": TEXT, "location": (dict, type(None))}
SHAPE = {"kuzeyOrderId": TEXT, "restaurantId": TEXT, "platform": TEXT, "status": TEXT, "orderType": TEXT,
         "createdAt": TEXT, "paymentMethod": TEXT, "originalPaymentMethod": MAYBE, "price": (int, float),
         "hazirlanmaSuresiDk": (int,), "badges": (list,), "orderNote": MAYBE, "courierNote": MAYBE,
         "customer": {"address": ADDRESS, "details": {"name": TEXT, "phone": TEXT}}}
NOBODY = {"address": {**ADDRESS, "detailedAddress": MAYBE}, "details": {"name": MAYBE, "phone": MAYBE}}  # erased
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
STATUSES = {**dict.fromkeys(("yeni", "hazirlanacak", "hazirlaniyor", "hazir"), "dispatch"), "cancelled": "dispatch-cancel"}


def signature(secret, message_id, timestamp, body):
    """What Standard Webhooks 1.0 has a sender write: version, comma, base64 of an HMAC."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def misshapen(document, shape, path=""):
    """The first path where the document is not of this shape, or None."""
    if not isinstance(document, dict) or set(document) != set(shape):
        return f"{path or 'body'} is {document}"
    for name, wanted in shape.items():
        value = document[name]
        if isinstance(wanted, dict):
            found = misshapen(value, wanted, f"{path}{name}.")
        else:
            found = None if isinstance(value, wanted) and not isinstance(value, bool) else f"{path}{name} is {value!r}"
        if found:
            return found
    return None


class FakeCourier(Fake):

    def __init__(self):
        self.riders = {}  # order: the webhook-ids that a rider was sent for, by firm
        self.seen = set()
        self.attempted = set()
        super().__init__()

    def firm(self):
        """A new firm: where it is told, and by which secrets it is told."""
        path = f"/{secrets.token_hex(8)}"
        self.accounts[path] = {"url": self.url + path, "secrets": [], "headers": {}}
        return self.accounts[path]

    def key(self, order):
        return order.id

    def route(self, call):
        call.firm = self.accounts.get(call.path)
        call.id = call.headers.get("webhook-id", "")
        try:
            document = call.json()
            call.order, call.step = document["kuzeyOrderId"], STATUSES[document["status"]]
        except (ValueError, KeyError, TypeError):
            call.step = "unknown"
        with self.changed:
            call.after = call.order in self.attempted  # a cancel is nothing that comes first
            self.attempted.add(call.order)

    def apply(self, call):
        wrong = self._wrong(call)
        if wrong:
            self.breaks(call, wrong)
            return 400, {"error": "bad request"}
        call.signed_by = self._signed_by(call)
        if not call.signed_by:
            self.breaks(call, f"nobody's signature: {call.headers.get('webhook-signature')!r}")
            return 401, {"error": "signature"}
        if call.id not in self.seen:
            self.seen.add(call.id)
            call.applied = True
            if call.step == "dispatch":
                self.riders.setdefault(call.order, []).append(call.id)
        return 200, {"accepted": True}

    def _wrong(self, call):
        """What no sender may do."""
        if call.step == "unknown":
            return f"neither an order nor its end: {call.method} {call.path} {call.body!r}"
        if call.firm is None:
            return f"nobody lives at {call.path}"
        if call.method != "POST" or call.headers.get("Content-Type") != "application/json":
            return f"{call.method} of {call.headers.get('Content-Type')!r}"
        for name, value in call.firm["headers"].items():
            if call.headers.get(name) != value:
                return f"{name} is {call.headers.get(name)!r}"
        document = json.loads(call.body.decode())
        shape = SHAPE if call.step == "dispatch" else {**SHAPE, "customer": NOBODY}
        if misshapen(document, shape):
            return misshapen(document, shape)
        if not TIME.fullmatch(document["createdAt"]) or document["orderType"] != "paket_servis":
            return f"createdAt {document['createdAt']}, orderType {document['orderType']}"
        if not re.fullmatch(rf"{call.order}-courier-\d+-{call.step}", call.id):
            return f"webhook-id is {call.id!r}"
        if call.step == "dispatch-cancel" and not call.after and not self.doubted:
            return "cancelled before anybody was asked for"
        if abs(time.time() - int(call.headers.get("webhook-timestamp", "0"))) > TOLERANCE:
            return f"webhook-timestamp is {call.headers.get('webhook-timestamp')!r}"
        return self.judge(call.headers, document)

    def judge(self, headers, document):
        """What else is wrong with it, for whoever holds it to more; or None."""

    @staticmethod
    def _signed_by(call):
        """Those of the firm's secrets by which it is signed."""
        given = call.headers.get("webhook-signature", "").split(" ")
        return [secret for secret in call.firm["secrets"]
                if any(hmac.compare_digest(one, signature(secret, call.id, call.headers["webhook-timestamp"], call.body))
                       for one in given)]
