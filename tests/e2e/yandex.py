# SPDX-License-Identifier: Apache-2.0
"""yandex.py - a pretend Yandex Eats, which calls: strict about what the real one relies on.

Every answer must have its documented media type and shape: errors are arrays, a 401 is an object, times have six digits and
an offset. A 401 makes it fetch another token and ask once more, as theirs does."""

import re
import secrets

from world import data

ORDER = "application/vnd.eats.order.v2+json"
STATUS = "application/vnd.eats.order.status.v1+json"
JSON = "application/json"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d")
EXPIRED = {"reason": "Access token has been expired. You should request a new one"}
PATIENCE = 5  # seconds; their own for a status
WORDS = ("NEW", "ACCEPTED_BY_RESTAURANT", "COOKING", "READY", "TAKEN_BY_COURIER", "DELIVERED", "CANCELLED")


def media_type(answer):
    return answer.headers.get("Content-Type", "").partition(";")[0].strip()


def complained(answer, status):
    """An error as they want it; returns its description."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert media_type(answer) == JSON, answer.headers
    if status == 401:
        assert answer.json() == EXPIRED
        return ""
    [one] = answer.json()
    assert set(one) == {"code", "description"}, one
    assert one["code"] == 100 and one["description"].isascii() and one["description"]
    return one["description"]


def new_number():
    return f"{secrets.randbelow(10**6):06}-{secrets.randbelow(10**8):08}"


def an_order(place, discriminator="marketplace", **changes):
    """As the pages show it; what is not for this way of delivery is left out."""
    order = {
        "platform": "YE", "discriminator": discriminator, "eatsId": new_number(), "restaurantId": place,
        "deliveryInfo": {"clientName": "İvan Şahin", "phoneNumber": "+79031111111 доб. 4432",
                         "additionalPhoneNumbers": [None], "realPhoneNumber": "79031111111", "pickupCode": "123"},
        "paymentInfo": {"itemsCost": 410.5, "paymentType": "CASH"},
        "items": [{"id": "p1", "name": "Пицца Пепперони 🍕", "quantity": 1.5, "price": 200,
                   "modifications": [{"id": "m1", "name": "Sos", "quantity": 2, "price": 5}, {"id": "m2", "name": "Peynir"}, {}],
                   "promos": [{}], "comboInfo": {"id": "c1"}},
                  {"id": "p2", "quantity": 1, "price": 110.5}],
        "persons": 2, "comment": "Zili çalmayın", "promos": [{"type": "PERCENTAGE", "discount": 10}]}
    if discriminator == "marketplace":
        order["deliveryInfo"] |= {"deliveryDate": "2030-11-07T10:30:00.000000+03:00", "deliveryAddress": {
            "full": "Bağdat Caddesi No: 123, Kadıköy", "latitude": "40.9857", "longitude": "29.0347"}}
        order["paymentInfo"]["deliveryFee"] = 20
    elif discriminator == "yandex":
        order["deliveryInfo"]["courierArrivementDate"] = "2030-11-07T10:30:00.000000+03:00"
    return order | changes


class Yandex:
    """Holds one restaurant's credentials."""

    def __init__(self, restaurant, **fields):
        self.world, self.restaurant = restaurant.world, restaurant
        self.path = f"{restaurant.path}/platforms/yandex"
        self.account = self.connects(**fields)
        self.id, self.secret = self.account["clientId"], self.account["clientSecret"]
        self.token = None

    def connects(self, enabled=True, **fields):
        return data(self.restaurant.call("PUT", self.path, {"enabled": enabled, **fields}))

    def asks_token(self, session=None, **changes):
        """The form exactly as theirs, but for `changes`; a member that is None is left out."""
        form = {"client_id": self.id, "client_secret": self.secret, "grant_type": "client_credentials",
                "scope": "read write", **changes}
        return self.world.call("POST", "/security/oauth/token", session=session,
                               data={name: value for name, value in form.items() if value is not None})

    def logs_in(self):
        answer = self.asks_token()
        assert answer.status_code == 200 and media_type(answer) == JSON, answer.text
        assert answer.json()["expires_in"] == 3600
        self.token = answer.json()["access_token"]
        return self.token

    def calls(self, method, path, body=None, content_type=None, token=None, world=None, session=None, **more):
        """One call; `body` is a document, or bytes."""
        headers = {"Authorization": f"Bearer {token or self.token or self.logs_in()}"}
        if body is not None:
            headers["Content-Type"] = content_type or JSON
            more |= {"data": body} if isinstance(body, bytes) else {"json": body}
        world = world or self.world
        answer = (session or world.session).request(method, f"http://{world.address}{path}", headers=headers, timeout=PATIENCE, **more)
        if answer.status_code >= 400:
            complained(answer, answer.status_code)
        return answer

    def sends(self, body=None, content_type=ORDER, session=None, **fields):
        """A new order; returns our id of it."""
        answer = self.calls("POST", "/order", body or an_order(self.restaurant.id, **fields), content_type, session=session)
        assert answer.status_code == 200 and media_type(answer) == JSON, answer.text
        assert set(answer.json()) == {"result", "orderId"} and answer.json()["result"] == "OK"
        return answer.json()["orderId"]

    def status(self, order, **more):
        answer = self.calls("GET", f"/order/{order}/status", **more)
        assert answer.status_code == 200 and media_type(answer) == JSON, answer.text
        told = answer.json()
        assert set(told) == {"status", "comment", "updatedAt"}
        assert told["status"] in WORDS and len(told["comment"]) <= 500
        assert STAMP.fullmatch(told["updatedAt"]), told
        return told

    def tells(self, order, status, content_type=JSON, **fields):
        """A status by PUT; returns the answer, whatever it is."""
        return self.calls("PUT", f"/order/{order}/status",
                          {"status": status, "updatedAt": "2026-01-01T12:00:27.870000+00:20", **fields}, content_type)

    def moves(self, order, status, **more):
        answer = self.tells(order, status, **more)
        assert answer.status_code == 204 and not answer.content, answer.text

    def cancels(self, order, **fields):
        return self.calls("DELETE", f"/order/{order}", fields or None)
