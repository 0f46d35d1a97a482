# SPDX-License-Identifier: Apache-2.0
"""test_secrets.py - what must never be found: secrets in the log or the store, customers in the log, or in the store where
nobody looks for them."""

import base64
import json
import secrets

import bson
import pytest

from fake import fails
from fake_getiryemek import REASON
from openapi import description
from process import Kuryed
from stores import STORE
from world import PLATFORMS, WEBHOOK, World, data, eventually
from yandex import Yandex, an_order

CUSTOMER = {"details": {"name": "Gülbahar Gizlioğlu", "phone": "+905550001122"},
            "address": {"detailedAddress": "Saklı Sokak No: 77, Moda", "directions": "mavi kapı",
                        "street": "Saklı Sokak", "location": {"latitude": 40.98765, "longitude": 29.04321}}}
PERSONAL = ["Gülbahar", "Gizlioğlu", "5550001122", "Saklı", "mavi kapı", "40.98765", "29.04321",
            "acı olmasın", "kuryeye fısılda", "iptal notu", "kanarya"]


# What docs/operations.md 10 says: personal data stands in orders, there, and nowhere else.
PLACES = {("orders", "document", "customer"), ("orders", "document", "orderNote"), ("orders", "document", "courierNote"),
          ("orders", "document", "items", "note"), ("orders", "document", "platformRef"), ("orders", "history", "note"),
          ("orders", "history", "n"), ("orders", "phone")}


def pieces(value, *path):
    """All scalars below a document, each with the names on the way to it."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from pieces(part, *path, name)
    elif isinstance(value, list):
        for part in value:
            yield from pieces(part, *path)
    else:
        yield path, value


def marked(schema):
    """A document by its schema in docs/openapi.yaml, with a canary in each text that somebody writes freely."""
    schema = description().at(schema)
    if "properties" in schema:
        parts = {name: marked(part) for name, part in schema["properties"].items()}
        return {name: part for name, part in parts.items() if part is not None}
    kind = schema.get("type", ())
    if "array" in kind:
        part = marked(schema["items"])
        return None if part is None else [part]
    if "number" in kind:
        return 1
    return "kanarya" if "string" in kind and not {"pattern", "format", "enum"} & set(schema) else None


def forms(secret):
    """A secret as it is, and as encodings would carry it."""
    raw = secret.encode()
    return [raw, raw.hex().encode(), *(encode(raw).rstrip(b"=")
                                       for encode in (base64.b64encode, base64.urlsafe_b64encode))]


class Story:
    """A bit of everything that meets secrets and people, good and bad."""

    def __init__(self, world):
        keys = world.settings["secret_key"].split(",")
        self.world, self.secrets = world, [world.admin_token, *(key.split(":")[1] for key in keys)]
        self.refusals, self.told = [], []
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
        self.lie()
        self.poll()
        self.be_asked()
        self.misuse()
        assert data(self.world.admin("POST", "/api/v1/erasures", {"phone": CUSTOMER["details"]["phone"]}), 201)["orders"]
        self.whisper()
        self.break_down()
        self.damage()
        for fake in (self.world.dukkango, self.world.yemeksepeti, self.world.getiryemek):
            self.secrets += fake.tokens

    def rotate(self):
        place = self.place
        rotated = data(place.call("POST", f"{self.courier.path}/rotate-key", {}))
        signing = data(place.call("POST", f"{self.courier.path}/rotate-signing-secret", {}))
        token = data(place.call("POST", f"{place.path}/tokens", {"name": "Kasa"}), 201)
        self.courier.firm["secrets"].append(signing["signingSecret"])
        self.secrets += [rotated["apiKey"], signing["signingSecret"], token["token"]]

    def echo(self):
        """An answer that tells all that there is to tell."""
        return "\n".join([*self.secrets, *PERSONAL]).encode()

    def order(self, name, **more):
        fields = marked({"$ref": "#/components/schemas/OrderIn"})
        for own in ("platformOrderId", "platformRef", "price"):
            fields.pop(own, None)
        customer = {part: {**fields["customer"][part], **CUSTOMER[part]} for part in CUSTOMER}
        order = self.place.order(name, "hazir", **fields | {
            "customer": customer, "orderNote": "acı olmasın", "courierNote": "kuryeye fısılda", **more})
        assert json.dumps(order.now()).count("kanarya") >= 9  # of an order nothing was left out in silence
        return order

    def dispatch(self):
        order = self.order("phone")
        order.settles("done", "courier")
        order.becomes("cancelled", note="iptal notu")
        self.world.firms.received("dispatch-cancel", order)
        self.world.firms.next("dispatch", fails(400, body=self.echo()), times=4)
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
            platform.next("on-the-way", fails(500, body=self.echo()), times=4)
            order = self.order(name)
            self.courier.posts(order, 1)
            order.settles("failed")

    def lie(self):
        """Parties that tell in each place of an answer what they were told."""
        world, place = self.world, self.place
        told = {"Location": f"https://kurye.example/{self.secrets[-1]}?kanarya", "Retry-After": "kanarya",
                "WWW-Authenticate": f"Bearer {self.secrets[-1]}", "Content-Type": "kanarya", "Set-Cookie": self.secrets[-1]}
        for name in (*PLATFORMS, "getiryemek"):
            for status in (200, 302, 401, 418, 429):
                world.platform(name).next("on-the-way", fails(status, body=self.echo(), headers=told))
            order = self.order(name)
            self.courier.posts(order, 1)
            order.settles("done")
        world.firms.next("dispatch", fails(302, body=self.echo(), headers=told), times=4)
        self.order("phone").settles("failed", "courier")
        for name, step in (("dukkango", "login"), ("getiryemek", "login"), ("yemeksepeti", "login"), ("trendyolyemek", "list")):
            world.platform(name).next(step, fails(400, body=self.echo(), headers=told))
            answer = place.call("POST", f"{place.path}/platforms/{name}/test")
            assert data(answer)["ok"] is False
            self.told.append(answer.text)

    def poll(self):
        platform, account = self.world.dukkango, self.place.credentials["dukkango"]
        shown = {"customer": CUSTOMER["details"], "note": "acı olmasın",
                 "address": {"address": "Saklı Sokak No: 77", "description": "mavi kapı"}}
        platform.acknowledged(platform.places(account, **shown))
        platform.places(account, **{**shown, "total": "Gülbahar"})
        self.world.server.log_contains(event="order_not_imported")
        for status in (500, 200):
            platform.next("poll", fails(status, body=self.echo()))
        platform.polled(account, 3)

    def be_asked(self):
        yandex = Yandex(self.place)
        self.secrets += [yandex.secret, yandex.logs_in()]
        order = an_order(self.place.id, comment="acı olmasın")
        order["deliveryInfo"] |= {"clientName": "Gülbahar Gizlioğlu", "phoneNumber": "+905550001122",
                                  "deliveryAddress": {"full": "Saklı Sokak", "latitude": "40.98765", "longitude": "29.04321"}}
        number = yandex.sends(order)
        taken = {"name": "Gülbahar", "phone": "+905550001122", "location": {"latitude": 40.98765, "longitude": 29.04321}}
        assert yandex.calls("PUT", f"/order/{number}/courier", {"courier": taken, "note": "kanarya"}).status_code == 204
        self.refusals.append(yandex.calls("PUT", f"/order/{number}/courier", {"courier": "Gülbahar"}))
        yandex.moves(number, "CANCELLED", reason="place.closed_early", comment="iptal notu")
        spoilt = yandex.token[:-1] + ("0" if yandex.token[-1] != "0" else "1")
        self.refusals += [
            yandex.asks_token(client_secret=yandex.secret[:-1]), yandex.asks_token(client_id=yandex.secret),
            yandex.calls("GET", f"/order/{number}", token=spoilt), yandex.tells(number, "Gülbahar"),
            yandex.calls("POST", "/order", {**order, "restaurantId": yandex.secret})]

    def misuse(self):
        place, order, call = self.place, self.order("phone"), self.world.call
        self.refusals += [
            self.courier.post(order, 1, key=self.courier.key + "x"),
            call("GET", place.path, token=place.token + "x"),
            call("GET", f"{place.path}?token={place.token}", token="x"),
            call("GET", f"/api/v1/{place.token}", token=self.world.admin_token + "x"),
            self.courier.send(b'{"restaurantId": "' + self.courier.key.encode()),
            self.courier.send({"restaurantId": self.courier.key, "orderId": place.token, "status": 1}),
            call("POST", WEBHOOK, data=CUSTOMER["details"]["name"].encode(),
                 headers={"x-api-key": self.courier.key, "X-Request-Id": "iz"}),
            place.call("POST", "/api/v1/orders", {"platform": "phone", "customer": CUSTOMER, "price": "x"}),
            *(place.call("PUT", f"{place.path}/platforms/{name}",
                         {"enabled": True, "credentials": {**account, "none": place.token}})
              for name, account in place.credentials.items())]


    def whisper(self):
        """What stands beside the body: queries, headers, tickets."""
        place, order = self.place, self.order("phone")
        self.order("phone").becomes("cancelled", note="iptal notu")
        ticket = data(place.call("POST", "/api/v1/events/ticket"))["ticket"]
        self.secrets.append(ticket)
        self.refusals += [
            self.world.call("GET", f"/api/v1/events?ticket={ticket}"),
            self.world.call("GET", f"/api/v1/events?ticket={ticket[:-1]}"),
            place.call("GET", "/api/v1/orders?since=kanarya&status=Gülbahar"),
            place.call("GET", "/api/v1/Gülbahar?kanarya", headers={"User-Agent": "kanarya", "Referer": "/kanarya"}),
            self.world.call("KANARYA", "/api/v1/orders", token=place.token),
            place.call("PUT", f"/api/v1/orders/{order.id}/status", {"status": "kanarya", "note": "iptal notu"}),
            self.courier.post(order, 3, headers={"Idempotency-Key": "kanarya"})]
        self.courier.posts(order, 1, headers={"Idempotency-Key": "kanarya"})
        self.courier.send({"restaurantId": place.id, "orderId": order.id, "status": 2, "courier": CUSTOMER, "note": "mavi kapı"})

    def break_down(self):
        """A store that fails while it has people in its hands."""
        place, order = self.place, self.order("phone")
        with self.world.stalled():
            self.refusals += [
                place.call("POST", "/api/v1/orders", {"platform": "phone", "price": 1, "paymentMethod": "card", "customer": CUSTOMER}),
                place.call("PUT", f"/api/v1/orders/{order.id}/status", {"status": "cancelled", "note": "iptal notu"}),
                self.courier.post(order, 1, headers={"Idempotency-Key": "kanarya"})]
        assert [answer.status_code for answer in self.refusals[-3:]] == [500] * 3
        self.world.server.log_contains(event="request_failed")


    def damage(self):
        """Orders that do not read any more, because of what stands in them."""
        place = self.place
        for column, value, name, document in (("hist", '[{"Gülbahar', "history", "Gülbahar"),
                                              ("p_log", '["Gülbahar', "out.platform.log", "Gülbahar"),
                                              ("doc", '{"customer": Gülbahar', "document", "Gülbahar"),
                                              ("plat", 77, "platform", "Gülbahar")):
            order = self.order("dukkango", orderType="gel_al")  # no firm need hear of it
            path = f"/api/v1/orders/{order.id}"
            self.spoil(order, column, value, {"$set": {name: document}})
            answers = [self.courier.post(order, 1), place.call("GET", path), place.call("GET", "/api/v1/orders?limit=1"),
                       place.call("PUT", f"{path}/status", {"status": "cancelled", "note": "iptal notu", "reasonId": "3"}),
                       self.world.admin("POST", "/api/v1/erasures", {"orderId": order.id})]
            self.refusals += [answer for answer in answers if answer.status_code >= 400]
            self.spoil(order)
        assert self.refusals[-1].status_code == 500

    def spoil(self, order, column=None, value=None, change=None):
        """Writes past the server; without a value the order goes."""
        store, where = self.world.store, bytes.fromhex(order.id)
        if STORE == "mongodb":
            orders, one = store.database["orders"], {"_id": bson.ObjectId(order.id)}
            assert orders.update_one(one, change).matched_count if change else orders.delete_one(one)
            return
        with store.opened() as base:
            for table in ("orders", "documents"):
                if column is None:
                    base.execute(f"DELETE FROM {table} WHERE id = ?", (where,))
                elif (column == "doc") == (table == "documents"):
                    assert base.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, where)).rowcount == 1


@pytest.fixture(scope="module")
def story():
    ring = ",".join(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}" for name in ("k2", "k1"))
    with World(log_level="debug", dukkango_poll="300ms", request_deadline="1s", secret_key=ring,
               trendyolyemek_pause="100ms", getiryemek_pause="100ms") as world:
        world.dukkango.poll_floor = 0.3
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


def test_no_secret_and_nobody_is_in_a_refusal_or_at_the_ops_port(story):
    told = [refusal.text for refusal in story.refusals] + story.told
    assert not [refusal for refusal in story.refusals if refusal.status_code < 400]
    told += [story.world.call("GET", path, ops=True).text for path in ("/livez", "/readyz", "/metrics")]
    for text in told:
        assert not [form for secret in story.secrets for form in forms(secret) if form in text.encode()], text
        assert not [part for part in PERSONAL if part in text], text


@pytest.mark.parametrize("changes", [{}, {"log_level": "loud", "retry_schedule": "x"}])
def test_no_secret_is_told_about_the_settings(story, changes):
    judge = Kuryed(story.world.environment(**changes), ["--check-config"])
    assert judge.wait() == (78 if changes else 0)
    text = (judge.text() + judge.stdout).encode()
    assert b"KURYE_" in text and not [form for secret in story.secrets for form in forms(secret) if form in text]


def test_no_secret_is_in_the_process_list(story):
    with open(f"/proc/{story.world.server.process.pid}/cmdline", "rb") as command:
        shown = command.read()
    assert not [secret for secret in story.secrets if secret.encode() in shown]


def test_of_a_customer_the_store_keeps_what_the_manual_says(story):
    found = set()
    for name, document in story.world.store.documents():
        for path, value in pieces(document, name):
            if [part for part in PERSONAL if part != "kanarya" and part in str(value)]:
                found |= {place for place in PLACES if path[:len(place)] == place} or {path}
    assert found <= PLACES and {("orders", "document", "customer"), ("orders", "phone")} <= found
    assert [place for place in found if place[1] == "history"]


def test_the_password_of_a_mongodb_is_told_to_nobody(story):
    secret, rest = "cok-gizli-4711", "@127.0.0.1:9/kuryed?serverSelectionTimeoutMS=100"
    there = [f"mongodb://kurye:{secret}@{story.world.store.relay.address}/kuryed?directConnection=true"] if STORE == "mongodb" else []
    for uri in (*there, f"mongodb://kurye:{secret}{rest}", f"mongodb://kurye:{secret}{rest}&ssl=belki&w=-7&appName=a",
                f"mongodb://kurye:{secret}@127.0.0.1:99999/kuryed", f"mongodb://kurye:%{secret}{rest}"):
        for arguments in ([], ["--check-config"], ["reseal"], ["copy", "--from", f"sqlite:{story.world.folder}/none.db"]):
            run = Kuryed(story.world.environment(store=uri, listen="127.0.0.1:0", request_deadline="100ms"), arguments)
            if not arguments:
                eventually(lambda: run.ended or run.logged(event="listening"), bool)
                run.stop()
            run.wait()
            assert run.text() + run.stdout and secret not in run.text() + run.stdout, (uri, arguments)


def test_nothing_of_a_customer_is_left_when_all_was_erased(story):
    """The last one: it takes it all away."""
    for phone in (CUSTOMER["details"]["phone"], "kanarya1"):
        story.world.admin("POST", "/api/v1/erasures", {"phone": phone})
    eventually(lambda: {part for part in PERSONAL if part != "kanarya" for piece in story.world.store.contents()
                        if part.encode() in piece}, lambda left: not left)
