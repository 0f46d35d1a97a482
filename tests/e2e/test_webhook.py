# SPDX-License-Identifier: Apache-2.0
"""test_webhook.py - the courier's webhook to the letter: rows, their order, and every bad input."""

import json
import re

import pytest

from raw import Raw, request
from world import WEBHOOK, data, eventually, from_address, new_id, refused, together

NO_KEY = (400, "Header'da API key gereklidir")
TOO_BIG = (413, "İstek gövdesi çok büyük")
NOT_JSON_TYPE = (415, "Content-Type application/json olmalıdır")
NOT_JSON = (400, "Geçersiz JSON gövdesi")
BAD_RESTAURANT = (400, "Geçersiz restoran ID")
BAD_ORDER = (400, "Geçersiz sipariş ID")
BAD_STATUS = (400, "Geçersiz durum: 1 (yola çıktı) veya 2 (teslim edildi) olmalıdır")
NO_INTEGRATION = (404, "Kurye entegrasyonu bulunamadı veya aktif değil")
NO_ORDER = (404, "Bu restoran için sipariş bulunamadı")
FINAL = (400, "Sipariş zaten teslim edildi veya iptal edildi")
KEY_REUSED = (422, "Idempotency-Key başka bir istekle kullanıldı")
BAD_IDEMPOTENCY_KEY = (400, "Geçersiz alan: Idempotency-Key")
NO_ADDRESS = (404, "Adres bulunamadı")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def order(restaurant):
    return restaurant.order()


def body_of(courier, order, **changes):
    fields = {"restaurantId": courier.restaurant.id, "orderId": order.id, "status": 1, **changes}
    return {name: value for name, value in fields.items() if value is not ...}


def mistyped(key):
    """The key with its last character changed: the checksum must notice."""
    return key[:-1] + ("a" if key[-1] != "a" else "b")


def test_status_1_means_on_the_way_and_2_means_delivered(courier, order):
    first = courier.posts(order, 1)
    assert set(first) == {"orderId", "status", "updatedAt"}
    assert STAMP.fullmatch(first["updatedAt"])
    assert order.now()["status"] == "teslim-edilecek"
    second = courier.posts(order, 2)
    assert second["updatedAt"] >= first["updatedAt"]
    assert order.steps()[-2:] == [("teslim-edilecek", "courier"), ("teslim-edildi", "courier")]
    assert order.now()["history"][-1]["integrationId"] == courier.id


def test_a_repeated_1_is_the_same_answer_and_causes_nothing(courier, order):
    first = courier.posts(order, 1)
    before = order.now()
    assert courier.posts(order, 1) == first
    assert order.now() == before


def test_2_without_1_is_taken(courier, order):
    courier.posts(order, 2)
    assert order.now()["status"] == "teslim-edildi"


@pytest.mark.parametrize("status", [1, 2])
def test_an_order_that_was_never_accepted_moves_too(courier, restaurant, status):
    courier.posts(restaurant.order(status="yeni"), status)


@pytest.mark.parametrize("status", [1, 2])
def test_nothing_moves_a_delivered_order(courier, order, status):
    courier.posts(order, 2)
    before = order.now()
    refused(courier.post(order, status), *FINAL)
    assert order.now() == before


@pytest.mark.parametrize("status", [1, 2])
def test_nothing_moves_a_cancelled_order(courier, order, status):
    order.becomes("cancelled", reasonId="1")
    refused(courier.post(order, status), *FINAL)


def test_any_active_integration_of_the_restaurant_may_report(courier, restaurant, order):
    restaurant.courier(name="Başka Kurye").posts(order, 1)
    courier.posts(order, 2)


@pytest.mark.parametrize("key", [None, "", "  "])
def test_no_key_or_an_empty_one_is_row_1(shared, courier, order, key):
    body = body_of(courier, order)
    with Raw(shared) as raw:
        message = request("POST", WEBHOOK, body, content_type="application/json", x_api_key=key)
        reply = raw.send(message).reply()
    assert json.loads(reply.body) == {"statusCode": 400, "error": "Bad Request", "message": NO_KEY[1]}
    assert (reply.status, reply.headers["content-type"]) == (400, "application/json; charset=utf-8")


def test_two_keys_are_row_1(shared, courier, order):
    with Raw(shared) as raw:
        body = json.dumps(body_of(courier, order)).encode()
        head = (f"POST {WEBHOOK} HTTP/1.1\r\nHost: kuryed\r\nContent-Type: application/json\r\n"
                f"x-api-key: {courier.key}\r\nX-API-Key: {courier.key}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        reply = raw.send(head, body).reply()
    assert (reply.status, json.loads(reply.body)["message"]) == NO_KEY
    assert order.now()["status"] == "hazirlanacak"


@pytest.mark.parametrize("headers", [{"content_length": "100000"},
                                     {"content_length": "100", "expect": "100-continue"},
                                     {"content_length": None, "transfer_encoding": "chunked"}])
def test_a_missing_key_is_told_before_the_body_is_read(shared, headers):
    with Raw(shared) as raw:
        reply = raw.send(request("POST", WEBHOOK, content_type="application/json", **headers)).reply()
    assert (reply.status, json.loads(reply.body)["message"]) == NO_KEY


VALUES = {
    "no restaurant": ({"restaurantId": ...}, BAD_RESTAURANT),
    "no order": ({"orderId": ...}, BAD_ORDER),
    "no status": ({"status": ...}, BAD_STATUS),
    **{f"restaurantId {bad!r}": ({"restaurantId": bad}, BAD_RESTAURANT) for bad in (
        "", "507f1f77bcf86cd79943901", "507f1f77bcf86cd7994390111", "507f1f77bcf86cd79943901g",
        " 507f1f77bcf86cd799439011", "507f1f77bcf86cd79943901\u0000", "507f1f77bcf86cd7994390ıı",
        12, 1.5, None, True, [], {}, {"$ne": ""})},
    **{f"orderId {bad!r}": ({"orderId": bad}, BAD_ORDER) for bad in (
        "", "507f1f77bcf86cd79943901", "507f1f77bcf86cd7994390111", "zz7f1f77bcf86cd799439011",
        "507f1f77bcf86cd799439011\u0000", 12, None, True, ["507f1f77bcf86cd799439011"], {"$ne": ""})},
    **{f"status {bad!r}": ({"status": bad}, BAD_STATUS) for bad in (
        "1", "2", 1.5, None, True, False, 0, 3, -1, 2**63, 2**64 + 1, 10**30, 1.0000001, [], [1], {},
        {"$gt": 0})},
}


@pytest.mark.parametrize("changes, row", VALUES.values(), ids=VALUES.keys())
def test_a_field_that_is_missing_or_wrong_names_itself(courier, order, changes, row):
    refused(courier.send(body_of(courier, order, **changes)), *row)
    assert order.now()["status"] == "hazirlanacak"


@pytest.mark.parametrize("number", ["1", "1.0", "1e0", "10e-1", "0.1E+1", "1.000", "100e-2"])
def test_a_number_whose_value_is_1_is_taken(courier, order, number):
    text = json.dumps(body_of(courier, order, status=0)).replace('"status": 0', f'"status": {number}')
    assert data(courier.send(text.encode()))["status"] == "teslim-edilecek"


def test_2_point_0_is_taken(courier, order):
    assert data(courier.send(body_of(courier, order, status=2.0)))["status"] == "teslim-edildi"


@pytest.mark.parametrize("number", ["01", "+1", "1.", ".1", "0x1", "1e", "NaN", "Infinity", "-Infinity",
                                    "1 2", ""])
def test_a_number_that_is_not_json_is_not_json(courier, order, number):
    text = json.dumps(body_of(courier, order, status=0)).replace('"status": 0', f'"status": {number}')
    refused(courier.send(text.encode()), *NOT_JSON)


def test_ids_in_upper_case_are_the_same_ids(courier, order):
    body = body_of(courier, order, restaurantId=courier.restaurant.id.upper(), orderId=order.id.upper())
    assert data(courier.send(body))["orderId"] == order.id
    assert order.now()["status"] == "teslim-edilecek"


def test_unknown_fields_do_not_matter(courier, order):
    assert data(courier.send(body_of(courier, order, courierName="Ali", eta={"min": 5})))


def bodies(good):
    """Bodies that are not a JSON object, made from one that is."""
    deep = b"[" * 10000
    return {
        "nothing": b"", "spaces": b"  \r\n ", "a word": b"merhaba", "null": b"null", "a number": b"1",
        "a string": b'"status"', "an array": b"[" + good + b"]", "an open brace": b"{",
        "10,000 levels, open": deep, "7,000 levels, closed": b"[" * 7000 + b"]" * 7000,
        "2,000 levels inside": good[:-1] + b',"a":' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"}",
        "NUL inside": good.replace(b'"status"', b'"sta\x00tus"'), "NUL after": good + b"\x00",
        "NUL before": b"\x00" + good, "invalid UTF-8": good[:-1] + b',"not":"\xc3\x28"}',
        "overlong UTF-8": good[:-1] + b',"not":"\xc0\xaf"}',
        "a lone surrogate": good[:-1] + b',"not":"\xed\xa0\x80"}',
        "Latin-1": good[:-1] + ',"not":"ş"}'.encode("iso8859-9"), "a BOM": b"\xef\xbb\xbf" + good,
        "UTF-16": good.decode().encode("utf-16"), "trailing text": good + b"x",
        "two documents": good + good, "a trailing comma": good[:-1] + b",}",
        "a comment": good + b"/* */", "single quotes": good.replace(b'"', b"'"), "no quotes": b"{status:1}",
        "a form": b"restaurantId=1&orderId=2&status=1",
    }


@pytest.mark.parametrize("name", bodies(b"{}"))
def test_a_body_that_is_no_json_object_is_refused(courier, order, name):
    good = json.dumps(body_of(courier, order)).encode()
    refused(courier.send(bodies(good)[name]), *NOT_JSON)
    assert order.now()["status"] == "hazirlanacak"


def test_a_body_cut_anywhere_is_refused(courier, order):
    good = json.dumps(body_of(courier, order)).encode()
    for end in range(len(good)):
        refused(courier.send(good[:end]), *NOT_JSON)
    assert order.now()["status"] == "hazirlanacak"


def test_white_space_around_the_document_is_fine(courier, order):
    assert data(courier.send(b" \r\n\t" + json.dumps(body_of(courier, order)).encode() + b"\r\n "))


def test_of_duplicate_members_the_last_counts(courier, order):
    good = json.dumps(body_of(courier, order))[1:-1]
    refused(courier.send(f'{{{good},"status":3}}'.encode()), *BAD_STATUS)
    refused(courier.send(f'{{{good},"orderId":"x"}}'.encode()), *BAD_ORDER)
    assert data(courier.send(f'{{"status":"x","orderId":4,{good}}}'.encode()))["status"] == "teslim-edilecek"


def test_the_largest_body_is_16_KiB(courier, order):
    good = json.dumps(body_of(courier, order)).encode()
    refused(courier.send(good + b" " * (16385 - len(good))), *TOO_BIG)
    assert order.now()["status"] == "hazirlanacak"
    assert data(courier.send(good + b" " * (16384 - len(good))))


@pytest.mark.parametrize("kind", [
    None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp",
    "application/json-patch+json", "text/json", "json", "application/", "*/*"])
def test_another_content_type_is_415(courier, order, kind):
    refused(courier.send(json.dumps(body_of(courier, order)).encode(), content_type=kind), *NOT_JSON_TYPE)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON",
                                  "application/json;charset=UTF-8"])
def test_a_content_type_may_have_parameters_and_any_case(courier, order, kind):
    assert data(courier.send(json.dumps(body_of(courier, order)).encode(), content_type=kind))


BIG = b" " * 20000
NEIGHBOURS = {
    "1 before 2, too big": dict(key="", body=BIG, row=NO_KEY),
    "1 before 2, type": dict(key="", content_type="text/plain", row=NO_KEY),
    "1 before 2, JSON": dict(key="", body=b"{", row=NO_KEY),
    "413 before 415": dict(body=BIG, content_type="text/plain", row=TOO_BIG),
    "415 before 400": dict(body=b"{", content_type="text/plain", row=NOT_JSON_TYPE),
    "2 before 3": dict(body=b'{"restaurantId":1', row=NOT_JSON),
    "2 before 6": dict(body=b"{", key="krk_wrong", row=NOT_JSON),
    "3 before 4": dict(changes={"restaurantId": 1, "orderId": 1}, row=BAD_RESTAURANT),
    "3 before 5": dict(changes={"restaurantId": 1, "status": 9}, row=BAD_RESTAURANT),
    "3 before 6": dict(changes={"restaurantId": 1}, key="krk_wrong", row=BAD_RESTAURANT),
    "4 before 5": dict(changes={"orderId": 1, "status": 9}, row=BAD_ORDER),
    "4 before 6": dict(changes={"orderId": 1}, key="krk_wrong", row=BAD_ORDER),
    "5 before 6": dict(changes={"status": 9}, key="krk_wrong", row=BAD_STATUS),
    "5 before 7": dict(changes={"status": 9, "orderId": "0" * 24}, row=BAD_STATUS),
    "6 before 7": dict(changes={"orderId": "0" * 24}, key="krk_wrong", row=NO_INTEGRATION),
}


@pytest.mark.parametrize("case", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_of_two_faults_the_earlier_row_answers(courier, order, case):
    case = dict(case)
    row, changes = case.pop("row"), case.pop("changes", {})
    case.setdefault("body", body_of(courier, order, **changes))
    refused(courier.send(**case), *row)


def test_row_6_comes_before_row_8(courier, order):
    courier.posts(order, 2)
    refused(courier.post(order, 1, key="krk_wrong"), *NO_INTEGRATION)


def test_row_7_comes_before_row_8(courier, shared, order):
    courier.posts(order, 2)
    stranger = shared.restaurant().courier()
    refused(stranger.post(order, 2), *NO_ORDER)


class TestKeys:
    """Row 6 is one and the same answer, whatever is wrong with the key."""

    @pytest.fixture
    def firm(self, restaurant):
        return restaurant.courier(name="Geçici Kurye")

    @pytest.mark.parametrize("key", ["krk_", "x", "krk_" + "A" * 40, "Bearer x", "ş" * 10, "k" * 4000])
    def test_malformed(self, courier, order, key):
        refused(courier.post(order, 1, key=key.encode()), *NO_INTEGRATION)

    def test_mistyped(self, courier, order):
        refused(courier.post(order, 1, key=mistyped(courier.key)), *NO_INTEGRATION)
        refused(courier.post(order, 1, key=courier.key + "a"), *NO_INTEGRATION)
        refused(courier.post(order, 1, key=courier.key.upper()), *NO_INTEGRATION)

    def test_of_another_restaurant(self, shared, courier, order):
        stranger = shared.restaurant().courier()
        refused(courier.post(order, 1, key=stranger.key), *NO_INTEGRATION)

    def test_of_a_restaurant_that_is_not_there(self, courier, order):
        refused(courier.send(body_of(courier, order, restaurantId=new_id())), *NO_INTEGRATION)

    def test_inactive_and_active_again(self, restaurant, firm, order):
        data(restaurant.call("PATCH", firm.path, {"active": False}))
        refused(firm.post(order, 1), *NO_INTEGRATION)
        data(restaurant.call("PATCH", firm.path, {"active": True}))
        firm.posts(order, 1)

    def test_deleted(self, restaurant, firm, order):
        firm.posts(order, 1)
        assert data(restaurant.call("DELETE", firm.path)) == {}
        refused(firm.post(order, 1), *NO_INTEGRATION)

    def test_rotated_with_grace(self, restaurant, firm, order):
        new = data(restaurant.call("POST", f"{firm.path}/rotate-key", {}))
        assert new["apiKey"].startswith("krk_") and new["apiKey"] != firm.key
        assert STAMP.fullmatch(new["oldKeyValidUntil"])
        firm.posts(order, 1)
        firm.posts(order, 1, key=new["apiKey"])

    def test_rotated_without_grace(self, restaurant, firm, order):
        new = data(restaurant.call("POST", f"{firm.path}/rotate-key", {"graceSeconds": 0}))
        refused(firm.post(order, 1), *NO_INTEGRATION)
        firm.posts(order, 1, key=new["apiKey"])

    def test_the_grace_ends(self, restaurant, firm, order):
        new = data(restaurant.call("POST", f"{firm.path}/rotate-key", {"graceSeconds": 1}))
        eventually(lambda: firm.post(order, 1).status_code, lambda status: status == 404, pause=0.1)
        firm.posts(order, 1, key=new["apiKey"])

    def test_two_live_at_most(self, restaurant, firm, order):
        second = data(restaurant.call("POST", f"{firm.path}/rotate-key", {}))["apiKey"]
        third = data(restaurant.call("POST", f"{firm.path}/rotate-key", {}))["apiKey"]
        refused(firm.post(order, 1), *NO_INTEGRATION)
        firm.posts(order, 1, key=second)
        firm.posts(order, 1, key=third)

    def test_of_a_deactivated_restaurant(self, shared, order):
        other = shared.restaurant()
        firm, theirs = other.courier(), other.order()
        data(shared.admin("PATCH", other.path, {"active": False}))
        refused(firm.post(theirs, 1), *NO_INTEGRATION)
        data(shared.admin("PATCH", other.path, {"active": True}))
        firm.posts(theirs, 1)


def test_an_order_that_is_not_there_is_row_7(courier, order):
    refused(courier.send(body_of(courier, order, orderId=new_id())), *NO_ORDER)


def test_an_order_of_another_restaurant_is_row_7(shared, courier):
    theirs = shared.restaurant().order()
    refused(courier.post(theirs, 1), *NO_ORDER)
    assert theirs.now()["status"] == "hazirlanacak"


class TestIdempotencyKey:
    def test_a_repeat_gets_the_first_answer(self, courier, order):
        key = {"Idempotency-Key": "yola-1"}
        first = courier.posts(order, 1, headers=key)
        assert courier.posts(order, 1, headers=key) == first
        done = courier.posts(order, 2, headers={"Idempotency-Key": "teslim-1"})
        assert courier.posts(order, 2, headers={"Idempotency-Key": "teslim-1"}) == done
        assert courier.posts(order, 1, headers=key) == first
        assert len(order.now()["history"]) == 3

    def test_another_key_on_a_delivered_order_is_row_8(self, courier, order):
        courier.posts(order, 2, headers={"Idempotency-Key": "a"})
        refused(courier.post(order, 2, headers={"Idempotency-Key": "b"}), *FINAL)
        refused(courier.post(order, 2), *FINAL)

    def test_another_status_with_the_same_key_is_422(self, courier, order):
        key = {"Idempotency-Key": "bir"}
        courier.posts(order, 1, headers=key)
        refused(courier.post(order, 2, headers=key), *KEY_REUSED)
        assert order.now()["status"] == "teslim-edilecek"

    def test_a_repeated_1_does_not_keep_its_key(self, courier, order):
        courier.posts(order, 1)
        courier.posts(order, 1, headers={"Idempotency-Key": "gec"})
        courier.posts(order, 2, headers={"Idempotency-Key": "gec"})

    def test_it_counts_per_order_and_per_integration(self, courier, restaurant, order):
        key = {"Idempotency-Key": "ortak"}
        courier.posts(order, 1, headers=key)
        courier.posts(restaurant.order(), 2, headers=key)
        restaurant.courier(name="Öteki").posts(order, 2, headers=key)

    def test_two_at_once_make_one_move(self, courier, order):
        answers = together(8, lambda _: courier.post(
            order, 2, headers={"Idempotency-Key": "race"}, session=from_address("127.0.0.1")))
        assert len({json.dumps(data(answer)) for answer in answers}) == 1
        assert order.steps().count(("teslim-edildi", "courier")) == 1

    @pytest.mark.parametrize("key", ["x", "x" * 255, "~!@#$%^&*() {}"])
    def test_1_to_255_printable_characters_are_taken(self, courier, order, key):
        courier.posts(order, 1, headers={"Idempotency-Key": key})

    @pytest.mark.parametrize("key", [b"", b"x" * 256, b"a\tb", "anahtarı".encode(), b"\x7f"])
    def test_any_other_is_400(self, courier, order, key):
        refused(courier.post(order, 1, headers={"Idempotency-Key": key}), *BAD_IDEMPOTENCY_KEY)
        assert order.now()["status"] == "hazirlanacak"


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "A1._-z", "x" * 128])
    def test_a_proper_one_comes_back(self, courier, order, given):
        assert courier.post(order, 1, headers={"X-Request-Id": given}).headers["X-Request-Id"] == given

    @pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "a/b", "a\"b", b"\xc5\x9f"])
    def test_otherwise_one_is_made(self, courier, order, given):
        headers = {} if given is None else {"X-Request-Id": given}
        made = [courier.post(order, 1, headers=headers).headers["X-Request-Id"] for _ in range(2)]
        assert made[0] != made[1]
        assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,128}", one) for one in made)

    def test_errors_have_one_too(self, shared):
        answer = shared.call("POST", WEBHOOK, {}, headers={"X-Request-Id": "iz-1"})
        assert answer.headers["X-Request-Id"] == "iz-1"


class TestTooManyWrongKeys:
    def test_an_address_is_slowed_down_and_a_good_key_passes(self, courier, order):
        guesser = from_address("127.0.0.60")
        answers = [courier.post(order, 1, key=f"krk_{n}", session=guesser) for n in range(62)]
        for answer in answers[:60]:
            refused(answer, *NO_INTEGRATION)
        refused(answers[-1], 429, "Çok fazla geçersiz API anahtarı denemesi")
        assert 40 <= int(answers[-1].headers["Retry-After"]) <= 60  # what is left of the minute
        courier.posts(order, 1, session=guesser)
        refused(courier.post(order, 1, key="krk_x", session=guesser), 429,
                "Çok fazla geçersiz API anahtarı denemesi")
        refused(courier.post(order, 1, key="krk_x", session=from_address("127.0.0.61")), *NO_INTEGRATION)

    def test_a_good_key_may_be_used_without_limit(self, courier, order):
        session = from_address("127.0.0.62")
        for _ in range(200):
            courier.posts(order, 1, session=session)


class TestPingAndState:
    def test_ping_says_who_the_key_belongs_to(self, courier, restaurant):
        told = data(courier.asks("ping"))
        assert told == {"restaurantId": restaurant.id, "integrationId": courier.id, "name": "Hızlı Kurye"}

    def test_state_says_where_the_order_is(self, courier, order):
        moved = courier.posts(order, 1)
        assert data(courier.asks(f"orders/{order.id}")) == moved
        assert data(courier.asks(f"orders/{order.id.upper()}")) == moved

    @pytest.mark.parametrize("path", ["ping", "orders/507f1f77bcf86cd799439011"])
    def test_both_want_a_good_key(self, shared, path):
        path = f"/api/v1/webhook/courier/{path}"
        refused(shared.call("GET", path), *NO_KEY)
        refused(shared.call("GET", path, headers={"x-api-key": "krk_wrong"}), *NO_INTEGRATION)

    def test_state_knows_only_this_restaurants_orders(self, shared, courier):
        refused(courier.asks(f"orders/{new_id()}"), *NO_ORDER)
        refused(courier.asks(f"orders/{shared.restaurant().order().id}"), *NO_ORDER)

    def test_a_bad_id_is_row_4(self, courier):
        refused(courier.asks("orders/123"), *BAD_ORDER)


class TestAddresses:
    @pytest.mark.parametrize("path", [
        WEBHOOK + "/", WEBHOOK.replace("/status", "//status"), "/" + WEBHOOK, WEBHOOK + "/.",
        "/api/v1/webhook/courier/./status-update", "/api/v1/webhook/x/../courier/status-update",
        WEBHOOK.replace("status", "%73tatus"), WEBHOOK.replace("/courier", "%2fcourier"), WEBHOOK.upper(),
        WEBHOOK + "%00", WEBHOOK + ";x", WEBHOOK + "%20", WEBHOOK + "\\", "/", "/api/v1",
        "/api/v1/webhook/courier", "/api/v2/webhook/courier/status-update", "/livez", "/readyz",
        "/.%2e/etc/passwd"])
    def test_paths_are_compared_byte_for_byte(self, shared, courier, order, path):
        body = json.dumps(body_of(courier, order)).encode()
        with Raw(shared) as raw:
            reply = raw.send(request("POST", path, body, content_type="application/json",
                                     x_api_key=courier.key)).reply()
        assert (reply.status, json.loads(reply.body)["message"]) == NO_ADDRESS
        assert order.now()["status"] == "hazirlanacak"

    def test_a_query_does_not_matter(self, shared, courier, order):
        body = body_of(courier, order)
        assert data(shared.call("POST", WEBHOOK + "?x=%zz&status=2", body,
                                headers={"x-api-key": courier.key}))["status"] == "teslim-edilecek"

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_another_method_is_405_with_allow(self, shared, courier, method):
        answer = shared.call(method, WEBHOOK, headers={"x-api-key": courier.key})
        refused(answer, 405, "Bu adreste bu yöntem kullanılamaz")
        assert answer.headers["Allow"] == "POST"

    def test_404_and_405_need_no_key(self, shared):
        refused(shared.call("POST", "/api/v1/nothing", {}), *NO_ADDRESS)
        refused(shared.call("DELETE", WEBHOOK), 405, "Bu adreste bu yöntem kullanılamaz")
