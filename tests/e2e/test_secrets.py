# SPDX-License-Identifier: Apache-2.0
"""test_secrets.py - what must never be found: secrets in the log or the store, customers in the log."""

import base64

import pytest

from fake import fails
from fake_getiryemek import REASON
from world import PLATFORMS, WEBHOOK, World, data

CUSTOMER = {"details": {"name": "Gülbahar Gizlioğlu", "phone": "+905550001122"},
            "address": {"detailedAddress": "Saklı Sokak No: 77, Moda", "directions": "mavi kapı",
                        "street": "Saklı Sokak", "location": {"latitude": 40.98765, "longitude": 29.04321}}}
PERSONAL = ["Gülbahar", "Gizlioğlu", "5550001122", "Saklı", "mavi kapı", "40.98765", "29.04321",
            "acı olmasın", "kuryeye fısılda", "iptal notu"]


def forms(secret):
    """A secret as it is, and as encodings would carry it."""
    raw = secret.encode()
    return [raw, raw.hex().encode(), *(encode(raw).rstrip(b"=")
                                       for encode in (base64.b64encode, base64.urlsafe_b64encode))]


class Story:
    """A bit of everything that meets secrets and people, good and bad."""

    def __init__(self, world):
        self.world, self.secrets = world, [world.admin_token, world.secret_key]
        self.place = world.restaurant().connected(*PLATFORMS, "yemeksepeti", "migrosyemek", "getiryemek")
        self.courier = self.place.courier(dispatch=True, notifyCancel=True,
                                          dispatchHeaders={"Authorization": "Bearer susam-susam-4711"})
        self.secrets += [self.place.token, self.courier.key, self.courier.made["signingSecret"], "susam-susam-4711"]
        for account in self.place.credentials.values():
            # A supplier id is six digits, which may stand anywhere by chance.
            self.secrets += [value for name, value in account.items() if name not in ("supplierId", "loginUrl")]

    def tell(self):
        self.rotate()
        self.dispatch()
        self.deliver()
        self.fail()
        self.misuse()
        for fake in (self.world.dukkango, self.world.yemeksepeti, self.world.getiryemek):
            self.secrets += fake.tokens

    def rotate(self):
        place = self.place
        rotated = data(place.call("POST", f"{self.courier.path}/rotate-key", {}))
        signing = data(place.call("POST", f"{self.courier.path}/rotate-signing-secret", {}))
        token = data(place.call("POST", f"{place.path}/tokens", {"name": "Kasa"}), 201)
        self.courier.firm["secrets"].append(signing["signingSecret"])
        self.secrets += [rotated["apiKey"], signing["signingSecret"], token["token"]]

    def order(self, name):
        return self.place.order(name, "hazir", customer=CUSTOMER, orderNote="acı olmasın",
                                courierNote="kuryeye fısılda")

    def dispatch(self):
        order = self.order("phone")
        order.settles("done", "courier")
        order.becomes("cancelled", note="iptal notu")
        self.world.firms.received("dispatch-cancel", order)
        echo = "\n".join([*self.secrets, *PERSONAL]).encode()
        self.world.firms.next("dispatch", fails(400, body=echo), times=4)
        self.order("phone").settles("failed", "courier")

    def deliver(self):
        for name in (*PLATFORMS, "getiryemek"):
            order = self.order(name)
            self.courier.posts(order, 2)
            order.settles("done")
            reason = {"dukkango": "3", "trendyolyemek": "623", "getiryemek": REASON}[name]
            self.order(name).becomes("cancelled", reasonId=reason, note="iptal notu")

    def fail(self):
        for name in (*PLATFORMS, "yemeksepeti", "migrosyemek", "getiryemek"):
            platform = self.world.platform(name)
            echo = "\n".join([*self.secrets, *PERSONAL]).encode()
            platform.next("on-the-way", fails(500, body=echo), times=4)
            order = self.order(name)
            self.courier.posts(order, 1)
            order.settles("failed")

    def misuse(self):
        place, order = self.place, self.order("phone")
        self.courier.post(order, 1, key=self.courier.key + "x")
        self.world.call("GET", place.path, token=place.token + "x")
        self.world.call("GET", f"{place.path}?token={place.token}", token="x")
        self.courier.send(b'{"restaurantId": "' + self.courier.key.encode())
        self.world.call("POST", WEBHOOK, data=CUSTOMER["details"]["name"].encode(),
                        headers={"x-api-key": self.courier.key, "X-Request-Id": "iz"})
        place.call("POST", "/api/v1/orders", {"platform": "phone", "customer": CUSTOMER, "price": "x"})


@pytest.fixture(scope="module")
def story():
    with World(log_level="debug") as world:
        told = Story(world)
        told.tell()
        yield told


def test_no_secret_is_in_the_log(story):
    text = story.world.server.text().encode()
    assert not [form for secret in story.secrets for form in forms(secret) if form in text]
    assert story.courier.firm["url"].encode() not in text  # it may have a firm's own secret in it


def test_nothing_about_a_customer_is_in_the_log(story):
    text = story.world.server.text()
    assert not [part for part in PERSONAL if part in text]


def test_no_secret_is_in_the_store(story):
    kept = list(story.world.store.contents())
    assert kept
    for piece in kept:
        assert not [form for secret in story.secrets for form in forms(secret) if form in piece], piece


def test_no_secret_is_in_any_later_answer(story):
    own = [story.place.path + path for path in ("", "/tokens", "/platforms", "/courier-integrations")]
    for path in (*own, "/api/v1/deliveries", "/api/v1/orders"):
        text = story.place.call("GET", path).text.encode()
        assert not [form for secret in story.secrets for form in forms(secret) if form in text], path


def test_no_secret_is_in_the_process_list(story):
    with open(f"/proc/{story.world.server.process.pid}/cmdline", "rb") as command:
        shown = command.read()
    assert not [secret for secret in story.secrets if secret.encode() in shown]
