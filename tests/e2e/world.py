# SPDX-License-Identifier: Apache-2.0
"""world.py - a whole world in a temporary folder: the real binary, its store, and pretend platforms.

Scenarios read like this:

    restaurant = world.restaurant()
    restaurant.connect("dukkango")
    courier = restaurant.courier()
    order = restaurant.order("dukkango")
    courier.posts(order, 1)
    world.dukkango.received("on-the-way", order)
    order.reaches("teslim-edilecek")

Nothing here sleeps for luck: what the binary or a fake can announce is waited for on a condition, and
what only the API can tell is asked by eventually(), the one place that polls.
"""

import base64
import secrets
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

import openapi
import stores
from fake_courier import FakeCourier
from fake_dukkango import FakeDukkango
from fake_getiryemek import FakeGetiryemek
from fake_migrosyemek import FakeMigrosyemek
from fake_trendyolyemek import FakeTrendyolyemek
from fake_yemeksepeti import FakeYemeksepeti
from process import WAIT, Kuryed

WEBHOOK = "/api/v1/webhook/courier/status-update"
PLATFORMS = ("dukkango", "trendyolyemek")  # what most scenarios are played with
FAKES = {"getiryemek": FakeGetiryemek, "yemeksepeti": FakeYemeksepeti, "trendyolyemek": FakeTrendyolyemek,
         "migrosyemek": FakeMigrosyemek, "dukkango": FakeDukkango}
STEP_WAIT = 0.3  # seconds between two steps of an order, where a platform wants that
CUSTOMER = {"address": {"detailedAddress": "Bağdat Caddesi No: 123, Kadıköy, İstanbul"},
            "details": {"name": "Ahmet Yılmaz", "phone": "+905551234567"}}
PHRASES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 426: "Upgrade Required", 409: "Conflict", 413: "Content Too Large",
           415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable"}


def eventually(ask, good, timeout=WAIT, pause=0.02):
    """Asks again and again until the answer is good; returns it. For what nothing announces. Who waits for long asks less
    often: a tenth of the time that has passed is between two questions, for they cost the others their processor."""
    began = time.monotonic()
    while True:
        answer, waited = ask(), time.monotonic() - began
        if good(answer):
            return answer
        assert waited < timeout, f"still {answer!r} after {timeout} s"
        threading.Event().wait(max(pause, min(waited / 10, 0.25)))


def together(count, act):
    """Calls act(0) to act(count - 1) on as many threads, all let go at once; returns the results."""
    gate = threading.Barrier(count)

    def one(number):
        gate.wait(WAIT)
        return act(number)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def from_address(address):
    """A session whose connections come from another loopback address: wrong keys count per address."""
    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args, **more):
            super().init_poolmanager(*args, source_address=(address, 0), **more)
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", Adapter())
    return session


def refused(answer, status, message):
    """The one shape that an error has."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.json() == {"statusCode": status, "error": PHRASES[status], "message": message}, answer.text
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    return answer


def data(answer, status=200):
    """What a success brings."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.json()["success"] is True
    return answer.json()["data"]


def new_id():
    return secrets.token_hex(12)


class Firms(FakeCourier):
    """The demo's firms, which hold what they are told to docs/openapi.yaml, too."""

    def judge(self, headers, document):
        return openapi.wrong_dispatch(headers, document)


class World:
    """The binary's settings are keyword arguments: World(outbound_timeout="1s")."""

    program = Kuryed  # what is run with the settings

    def __init__(self, step_wait=STEP_WAIT, below=None, **settings):
        self._folder = tempfile.TemporaryDirectory(prefix="kuryed-e2e-")
        self.folder = self._folder.name
        self.below = below(self.folder) if below else None  # what the binary stands on, where it is not the system
        self.store = stores.make(self.folder)
        self.fakes = {name: make() for name, make in FAKES.items()}
        vars(self).update(self.fakes)
        self.firms = Firms()
        self.others = [*self.fakes.values(), self.firms]  # whoever may be called
        self.getiryemek.step_wait = step_wait
        self.admin_token = secrets.token_urlsafe(32)
        self.secret_key = base64.b64encode(secrets.token_bytes(32)).decode()
        self.settings = {
            "listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0", "store": self.store.where,
            "admin_token": self.admin_token, "secret_key": f"k1:{self.secret_key}",
            **{f"{name}_url": fake.url for name, fake in self.fakes.items()},
            "getiryemek_step_wait": f"{int(step_wait * 1000)}ms", "retry_schedule": "50ms,100ms,200ms",
            "dukkango_poll": "10m", "outbound_timeout": "2s", "outbound_allow": "127.0.0.0/8", "lease_slack": "1s",
            "request_deadline": "5s", **settings}
        self.faults = True  # whether close() shall look for what must never be
        self.start()

    def environment(self, **changes):
        named = {f"KURYE_{name.upper()}": value
                 for name, value in {**self.settings, **changes}.items() if value is not None}
        return {**named, **self.below.environment()} if self.below else named

    def start(self, **changes):
        """Starts the binary on the same data; `changes` are settings for this run on."""
        self.settings.update(changes)
        self.server = self.program(self.environment())
        line = self.server.log_contains(event="listening")
        self.address, self.ops_address = line["listen"], line["opsListen"]
        self.host, port = self.address.rsplit(":", 1)
        self.port = int(port)
        self.session = self.lone()

    @staticmethod
    def lone():
        """A session of its own, for a thread: it opens a connection of its own."""
        session = requests.Session()
        session.trust_env = False
        session.hooks["response"].append(openapi.judge_answer)
        return session

    def restart(self, **changes):
        status, _ = self.server.stop()
        assert status == 0, self.server.text()
        self.start(**changes)

    def kill(self):
        """As a power cut would; start() comes next."""
        self.server.kill()
        for fake in self.others:
            fake.doubt()

    def __enter__(self):
        return self

    def __exit__(self, failed, *_):
        for fake in self.others:
            fake.release()
        self.store.heals()
        if self.server.alive():
            status, took = self.server.stop()
            if not failed:
                assert status == 0 and took < 10, f"stopped with {status} in {took} s"
        together(len(self.others), lambda number: self.others[number].close())  # each is heard of in its own time
        self.store.close()
        self._folder.cleanup()
        if self.faults and not failed:
            assert not self.server.noise, f"stderr has more than JSON lines: {self.server.noise}"
            broken = [one for fake in self.others for one in fake.violations]
            assert not broken, f"the platforms' rules were broken: {broken}"

    def platform(self, name):
        return self.fakes[name]

    def call(self, method, path, body=None, token=None, session=None, ops=False, **more):
        """One request; `body` is a document, and left out where the method has none."""
        headers = more.pop("headers", {})
        body = None if method in ("GET", "DELETE") else body
        if token:
            headers = {"Authorization": f"Bearer {token}", **headers}
        url = f"http://{self.ops_address if ops else self.address}{path}"
        return (session or self.session).request(method, url, json=body, headers=headers,
                                                 timeout=2 * WAIT, **more)

    def admin(self, method, path, body=None, **more):
        return self.call(method, path, body, self.admin_token, **more)

    def restaurant(self, **fields):
        made = data(self.admin("POST", "/api/v1/restaurants", {"name": "Deneme Lokantası", **fields}), 201)
        return Restaurant(self, made["restaurantId"], made["token"])

    def stalled(self):
        """While inside, the store does not get on: no write comes to its end."""
        return self.store.stalled()


class Restaurant:
    def __init__(self, world, restaurant_id, token):
        self.world, self.id, self.token = world, restaurant_id, token
        self.path = f"/api/v1/restaurants/{restaurant_id}"
        self.credentials = {}

    def call(self, method, path, body=None, **more):
        return self.world.call(method, path, body, self.token, **more)

    def connect(self, platform, **changes):
        """Opens an account at the fake and connects to it; `changes` spoil credentials."""
        account = self.world.platform(platform).account()
        self.credentials[platform] = account
        return data(self.call("PUT", f"{self.path}/platforms/{platform}",
                              {"enabled": True, "credentials": {**account, **changes}}))

    def connected(self, *platforms):
        for platform in platforms:
            self.connect(platform)
        return self

    def courier(self, dispatch=False, **fields):
        """A courier firm; with `dispatch` it has an address at the fake, and is told of orders."""
        firm = self.world.firms.firm() if dispatch else None
        if firm:
            firm["headers"] = fields.get("dispatchHeaders", {})
            fields = {"dispatchUrl": firm["url"], **fields}
        made = data(self.call("POST", f"{self.path}/courier-integrations",
                              {"name": "Hızlı Kurye", **fields}), 201)
        if firm:
            firm["secrets"].append(made["signingSecret"])
        return Courier(self, made, firm)

    def order(self, platform="phone", status="hazirlanacak", own_courier=True, **fields):
        """An order that exists on the platform as well, in the same state."""
        return Order(self, data(self.call("POST", "/api/v1/orders", self.draft(platform, status, own_courier, **fields)), 201))

    def draft(self, platform, status, own_courier=True, **fields):
        """What it is sent in by."""
        body = {"platform": platform, "status": status, "price": 125.5, "paymentMethod": "card",
                "customer": CUSTOMER, "courierType": "restaurant" if own_courier else "platform"}
        if platform in FAKES:
            account = self.credentials.get(platform) or self.world.platform(platform).account()
            body["platformOrderId"], reference = self.world.platform(platform).hold(
                account, status, own_courier)
            body["platformRef"] = reference
        return body | fields

    def ours(self, made):
        """An order that came in another way, by how it is shown."""
        return Order(self, made)


class Courier:
    """A courier firm that holds one key of one restaurant."""

    def __init__(self, restaurant, made, firm=None):
        self.world, self.restaurant, self.firm = restaurant.world, restaurant, firm
        self.id, self.key, self.made = made["integrationId"], made["apiKey"], made
        self.path = f"{restaurant.path}/courier-integrations/{self.id}"

    def send(self, body, key=None, content_type="application/json", headers=None, session=None):
        """A webhook exactly as given: a document, or bytes."""
        headers = {"x-api-key": self.key if key is None else key, **(headers or {})}
        if content_type:
            headers["Content-Type"] = content_type
        more = {"data": body} if isinstance(body, bytes) else {"body": body}
        return self.world.call("POST", WEBHOOK, headers=headers, session=session, **more)

    def post(self, order, status, **more):
        """A proper webhook; returns the answer, whatever it is."""
        body = {"restaurantId": self.restaurant.id, "orderId": order.id, "status": status}
        return self.send(body, **more)

    def posts(self, order, status, **more):
        """A webhook that is taken; returns the answer's data."""
        answer = self.post(order, status, **more)
        word = {1: "teslim-edilecek", 2: "teslim-edildi"}[status]
        told = data(answer)
        assert answer.json()["message"] == "Sipariş durumu başarıyla güncellendi"
        assert (told["orderId"], told["status"]) == (order.id, word)
        return told

    def changes(self, **fields):
        """The restaurant's change of it; returns the integration."""
        return data(self.restaurant.call("PATCH", self.path, fields))

    def asks(self, path):
        return self.world.call("GET", f"/api/v1/webhook/courier/{path}", headers={"x-api-key": self.key})


class Order:
    def __init__(self, restaurant, made):
        self.restaurant, self.made = restaurant, made
        self.id, self.platform_id = made["orderId"], made["platformOrderId"]
        self.path = f"/api/v1/orders/{self.id}"

    def now(self):
        return data(self.restaurant.call("GET", self.path))

    def put(self, status, **fields):
        """The restaurant's own change of status; returns the answer, whatever it is."""
        return self.restaurant.call("PUT", f"{self.path}/status", {"status": status, **fields})

    def becomes(self, status, **fields):
        return data(self.put(status, **fields))

    def steps(self):
        """The history as (status, by) pairs."""
        return [(row["status"], row["by"]) for row in self.now()["history"]]

    def reaches(self, status):
        return eventually(self.now, lambda order: order["status"] == status)

    def delivery(self, party="platform"):
        found = [d for d in self.now()["deliveries"] if d["deliveryId"] == f"{self.id}-{party}"]
        return found[0] if found else None

    def settles(self, state="done", party="platform"):
        """Waits until what the party is owed has come to this state; returns the delivery."""
        return eventually(lambda: self.delivery(party), lambda delivery: delivery and delivery["state"] == state)
