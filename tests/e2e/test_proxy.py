# SPDX-License-Identifier: Apache-2.0
"""test_proxy.py - what the world meets: docs/nginx.conf with TLS, as operators are given it."""

import json
import re
import socket
import ssl
import subprocess

import pytest
import websocket

from process import WAIT
from proxy import Proxy
from world import CUSTOMER, WEBHOOK, World, data, eventually, refused
from yandex import complained


class Behind(World):
    """One server, with its proxy before it."""

    def start(self, **changes):
        super().start(trusted_proxies="127.0.0.1/32", public_url="https://kurye.example", **changes)
        self.proxy = Proxy(self.folder, [self.address] * 3)
        self.session.verify = str(self.proxy.certificate)

    def call(self, method, path, body=None, token=None, session=None, headers=None, **more):
        """As the world calls: by https."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return (session or self.session).request(method, f"https://{self.proxy.secure}{path}", json=body,
                                                 headers=headers, timeout=2 * WAIT, **more)

    def __exit__(self, *failed):
        self.proxy.close()
        super().__exit__(*failed)


@pytest.fixture(scope="module")
def behind():
    with Behind() as made:
        yield made


@pytest.fixture(scope="module")
def place(behind):
    return behind.restaurant()


def curl(behind, *arguments):
    """What an independent client makes of it, which speaks HTTP/2."""
    return subprocess.run(["curl", "-sS", "--noproxy", "*", "--cacert", behind.proxy.certificate, *arguments],
                          capture_output=True, text=True, timeout=2 * WAIT, check=True).stdout


def screen(behind, place, **how):
    """A WebSocket through TLS, after its handshake."""
    ticket = data(place.call("POST", "/api/v1/events/ticket"))["ticket"]
    return ticket, websocket.create_connection(
        f"wss://{behind.proxy.secure}/api/v1/events?ticket={ticket}", timeout=2 * WAIT,
        sslopt={"ca_certs": str(behind.proxy.certificate)}, **how)


def test_a_webhook_goes_through_tls(behind, place):
    courier, order = place.courier(), place.order()
    courier.posts(order, 1)
    assert order.now()["status"] == "teslim-edilecek"


def test_a_screen_goes_through_tls_and_its_ticket_into_no_log(behind):
    place = behind.restaurant()
    ticket, tablet = screen(behind, place, origin="https://kurye.example")
    assert json.loads(tablet.recv())["type"] == "hello"
    order = place.order()
    assert json.loads(tablet.recv())["order"]["orderId"] == order.id
    tablet.close()
    place.call("GET", "/api/v1/orders?limit=7")
    log = eventually(behind.proxy.access_log.read_text, lambda text: "/api/v1/events" in text and '/orders"' in text)
    assert ticket not in log and "limit" not in log and "?" not in log
    assert CUSTOMER["details"]["phone"] not in log


def test_a_page_of_another_origin_gets_no_screen(behind, place):
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        screen(behind, place, origin="https://evil.example")


def test_browsers_get_http_2_and_are_told_to_stay_with_tls(behind):
    told = curl(behind, "-D-", "-o/dev/null", f"https://{behind.proxy.secure}/panel")
    assert told.startswith("HTTP/2 200") and "strict-transport-security: max-age=31536000" in told.lower()


@pytest.mark.parametrize("version, taken", [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                                            (ssl.TLSVersion.TLSv1_3, True)])
def test_old_tls_is_refused(behind, version, taken):
    status = subprocess.run(
        ["openssl", "s_client", "-connect", behind.proxy.secure, "-CAfile", behind.proxy.certificate,
         "-verify_return_error", "-cipher", "ALL:@SECLEVEL=0", f"-{version.name.lower().replace('v', '')}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * WAIT, check=False).returncode
    assert (status == 0) == taken


@pytest.mark.parametrize("path", ["/panel", "/docs/tr"])
def test_pages_without_tls_lead_there(behind, path):
    told = curl(behind, "-o/dev/null", "-w", "%{http_code} %{redirect_url}", f"http://{behind.proxy.insecure}{path}")
    assert told == f"301 https://127.0.0.1{path}"


@pytest.mark.parametrize("path", [WEBHOOK, "/api/v1/orders", "/"])
def test_what_carries_a_key_is_refused_without_tls(behind, path):
    told = curl(behind, "-w", "%{http_code}", "-H", "x-api-key: krk_secret", f"http://{behind.proxy.insecure}{path}")
    assert told == "https only\n403"


@pytest.mark.parametrize("size, status", [(256 * 1024, 201), (256 * 1024 + 1, 413)])
def test_the_largest_body_is_the_same_as_without_it(behind, place, size, status):
    body = json.dumps({"platform": "phone", "price": 1, "paymentMethod": "card", "customer": CUSTOMER}).encode()
    body = body[:-1] + b" " * (size - len(body)) + b"}"
    for base in (f"https://{behind.proxy.secure}", f"http://{behind.address}"):
        answer = behind.session.post(f"{base}/api/v1/orders", data=body, timeout=2 * WAIT, headers={
            "Content-Type": "application/json", "Authorization": f"Bearer {place.token}"})
        assert answer.status_code == status
        if status == 413:
            refused(answer, 413, "İstek gövdesi çok büyük")


def test_what_the_proxy_answers_by_itself_has_an_id_too(behind):
    for given, told in (("abc.1-_", "abc.1-_"), ("a b", None), (None, None)):
        answer = behind.call("POST", "/api/v1/orders", {"x": "x" * 256 * 1024}, headers={"X-Request-Id": given} if given else {})
        assert answer.status_code == 413
        assert answer.headers["X-Request-Id"] == told if told else re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    eventually(behind.proxy.access_log.read_text, lambda text: re.search(r'"POST /api/v1/orders" 413 .* abc\.1-_$', text, re.M))


def test_yandex_eats_hears_it_in_its_own_form(behind):
    complained(behind.call("POST", "/order", {"x": "x" * 256 * 1024}), 413)


def test_nothing_of_a_customer_is_put_on_its_disk(behind, place):
    for _ in range(40):
        place.order(orderNote="n" * 500, items=[{"name": "a" * 200, "quantity": 1}] * 200)  # larger than nginx's buffers
    url = f"https://{behind.proxy.secure}/api/v1/orders?limit=200"
    with socket.socket() as narrow:  # a client that does not read, of an answer that fits into no buffer
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = behind.proxy.address.split(":")
        narrow.connect((host, int(port)))
        narrow.sendall(f"GET /api/v1/orders?limit=200 HTTP/1.0\r\nAuthorization: Bearer {place.token}\r\n\r\n".encode())
        for _ in range(5):
            assert len(behind.session.get(url, timeout=2 * WAIT, headers={
                "Authorization": f"Bearer {place.token}"}).content) > 1_500_000
    assert "temporary file" not in (behind.proxy.folder / "error.log").read_text()
