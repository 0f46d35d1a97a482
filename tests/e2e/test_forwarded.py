# SPDX-License-Identifier: Apache-2.0
"""test_forwarded.py - whose address counts where a proxy stands between: what wrong keys are counted by."""

import pytest

from proxy import Proxy
from world import World, from_address, refused

LIMIT = 60  # wrong keys a minute
NO_INTEGRATION = (404, "Kurye entegrasyonu bulunamadı veya aktif değil")
TOO_MANY = (429, "Çok fazla geçersiz API anahtarı denemesi")


@pytest.fixture(scope="module")
def world():
    with World(trusted_proxies="127.0.0.0/30,::1/128") as world:
        world.courier = world.restaurant().courier()
        world.order = world.courier.restaurant.order()
        yield world


class Guesser:
    """Tries wrong keys, from an address of its own, with what it says of itself."""

    def __init__(self, world, address, forwarded_for=None, base=None):
        self.world, self.session, self.base = world, from_address(address), base or world.address
        self.headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}

    def guess(self):
        self.headers["x-api-key"] = "krk_wrong"
        body = {"restaurantId": self.world.courier.restaurant.id, "orderId": self.world.order.id, "status": 1}
        return self.session.post(f"http://{self.base}/api/v1/webhook/courier/status-update", json=body, headers=self.headers)

    def is_known(self):
        refused(self.guess(), *TOO_MANY)

    def is_new(self):
        refused(self.guess(), *NO_INTEGRATION)

    def exhausts(self):
        for _ in range(LIMIT):
            self.is_new()
        self.is_known()


def test_a_trusted_proxy_is_believed_and_each_client_counts_by_itself(world):
    Guesser(world, "127.0.0.1", "203.0.113.1").exhausts()
    Guesser(world, "127.0.0.1", "198.51.100.9, 203.0.113.1:4711, 127.0.0.2").is_known()  # what it claims itself is nothing
    Guesser(world, "127.0.0.2", "::ffff:203.0.113.1").is_known()
    Guesser(world, "127.0.0.1", "203.0.113.2").is_new()
    Guesser(world, "127.0.0.1", "[2001:db8::1]:99").is_new()


def test_a_proxy_that_says_nothing_fit_is_the_client_itself(world):
    Guesser(world, "127.0.0.3", "unknown").exhausts()
    Guesser(world, "127.0.0.3").is_known()


def test_of_anybody_else_the_header_is_ignored(world):
    Guesser(world, "127.0.0.60", "203.0.113.3").exhausts()
    Guesser(world, "127.0.0.60", "203.0.113.4").is_known()
    Guesser(world, "127.0.0.1", "203.0.113.3").is_new()


def test_the_proxy_of_the_documents_tells_clients_apart(world):
    proxy = Proxy(world.folder, [world.address] * 3)
    try:
        Guesser(world, "127.0.0.70", base=proxy.address).exhausts()
        Guesser(world, "127.0.0.70", "203.0.113.5", proxy.address).is_known()
        Guesser(world, "127.0.0.71", "127.0.0.70", proxy.address).is_new()
    finally:
        proxy.close()
