# SPDX-License-Identifier: Apache-2.0
"""test_orders.py - orders in and out, lists, the restaurant's own moves, history."""

import copy
import json
import re
import uuid

import pytest

from world import CUSTOMER, data, new_id, refused

ORDERS = "/api/v1/orders"
JSON = {"Content-Type": "application/json"}
NO_ACCESS = (401, "Kimlik doğrulama gerekli")
NOT_ALLOWED = (403, "Bu işlem için yetkiniz yok")
NO_RECORD = (404, "Kayıt bulunamadı")
TAKEN = (409, "Bu kimlik kullanılıyor")
BACKWARD = (409, "Sipariş bu duruma geçirilemez")
FINAL = (400, "Sipariş zaten teslim edildi veya iptal edildi")
WORDS = ["yeni", "hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek", "teslim-edildi", "cancelled"]
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

# The order of the contract's own dispatch example, with items.
FULL = {
    "platform": "trendyolyemek", "status": "hazirlanacak", "orderType": "paket_servis",
    "courierType": "restaurant", "displayId": "z322", "paymentMethod": "card",
    "originalPaymentMethod": "Kapıda Kredi/Banka Kartı", "price": 125.5, "hazirlanmaSuresiDk": 15,
    "badges": ["Temassız Teslimat"],
    "orderNote": "İnce hamur olsun lütfen", "courierNote": "Kapı kodu: 1234",
    "scheduledDate": "2030-11-07T10:30:00.000Z",
    "items": [{"name": "Pide", "quantity": 2, "price": 60.25, "note": "acısız", "options": ["kaşarlı"]},
              {"name": "Ayran", "quantity": 1}],
    "customer": {
        "address": {
            "district": "Kadıköy", "city": "İstanbul", "neighborhood": "Fenerbahçe",
            "street": "Bağdat Caddesi", "buildingNo": "123", "floor": "4", "apartmentNo": "8",
            "directions": "Kapı kodu: 1234",
            "detailedAddress": "Bağdat Caddesi No: 123, Kat: 4, Daire: 8, Fenerbahçe, Kadıköy, İstanbul",
            "location": {"latitude": 40.9857, "longitude": 29.0347}},
        "details": {"name": "Ahmet Yılmaz", "phone": "+905551234567"}}}
LEAST = {"platform": "phone", "price": 10, "paymentMethod": "cash", "customer": CUSTOMER}


def bad_field(path):
    return 400, f"Geçersiz alan: {path}"


def changed(base, path, value):
    """A deep copy with one member replaced, or removed where the value is `...`."""
    document = copy.deepcopy(base)
    *parents, last = (int(name) if name.isdigit() else name for name in path.split("."))
    inside = document
    for name in parents:
        inside = inside[name]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return document


def create(restaurant, body, status=201):
    return data(restaurant.call("POST", ORDERS, body), status)


def ask(restaurant, query=""):
    answer = restaurant.call("GET", ORDERS + query)
    return data(answer), answer.json()["next"]


class TestCreation:
    def test_what_goes_in_comes_out(self, restaurant):
        body = {**FULL, "platformOrderId": uuid.uuid4().hex}
        made = create(restaurant, body)
        extra = {"orderId", "restaurantId", "rev", "createdAt", "updatedAt", "history", "deliveries"}
        assert extra <= set(made)
        customer = made.pop("customer")
        for part in ("address", "details"):
            assert {name: value for name, value in customer[part].items() if value is not None} == \
                body["customer"][part]
        for name in set(body) - {"customer", "items"}:
            assert made[name] == body[name], name
        for given, got in zip(body["items"], made["items"], strict=True):
            assert {name: got[name] for name in given} == given
        assert made["restaurantId"] == restaurant.id
        assert STAMP.fullmatch(made["createdAt"]) and made["updatedAt"] == made["createdAt"]
        assert data(restaurant.call("GET", f"{ORDERS}/{made['orderId']}")) == {**made, "customer": customer}

    def test_defaults_stand_where_nothing_was_said(self, restaurant):
        made = create(restaurant, LEAST)
        assert made["platformOrderId"] == made["orderId"]
        assert (made["status"], made["orderType"], made["courierType"]) == (
            "hazirlanacak", "paket_servis", "restaurant")
        assert (made["hazirlanmaSuresiDk"], made["badges"]) == (30, [])
        for name in ("displayId", "orderNote", "courierNote", "scheduledDate", "originalPaymentMethod"):
            assert made[name] is None
        assert [(row["status"], row["by"]) for row in made["history"]][-1][0] == "hazirlanacak"

    def test_null_is_the_same_as_absent(self, restaurant):
        made = create(restaurant, {**LEAST, "orderId": None, "status": None, "orderNote": None, "items": None,
                                   "badges": None, "hazirlanmaSuresiDk": None})
        assert (made["status"], made["hazirlanmaSuresiDk"], made["badges"]) == ("hazirlanacak", 30, [])

    def test_the_same_again_is_the_stored_order(self, restaurant):
        body = {**LEAST, "platformOrderId": uuid.uuid4().hex}
        made = create(restaurant, body)
        again = create(restaurant, {**body, "price": 99, "orderNote": "başka", "orderId": new_id()}, 200)
        assert again == made
        assert create(restaurant, body, 200) == made

    def test_the_same_number_on_another_platform_or_restaurant_is_another_order(self, shared, restaurant):
        body = {**LEAST, "platformOrderId": uuid.uuid4().hex}
        made = [create(restaurant, body), create(restaurant, {**body, "platform": "trendyolyemek"}),
                create(shared.restaurant(), body)]
        assert len({one["orderId"] for one in made}) == 3

    def test_it_may_bring_its_own_id(self, shared, restaurant):
        own = new_id()
        assert create(restaurant, {**LEAST, "orderId": own.upper()})["orderId"] == own
        body = {**LEAST, "orderId": own, "platformOrderId": "baska"}
        refused(restaurant.call("POST", ORDERS, body), *TAKEN)
        refused(shared.restaurant().call("POST", ORDERS, body), *TAKEN)

    def test_a_gel_al_order_needs_no_customer(self, restaurant):
        made = create(restaurant, changed({**LEAST, "orderType": "gel_al"}, "customer", ...))
        assert made["orderType"] == "gel_al"

    @pytest.mark.parametrize("status", WORDS[:5])
    def test_it_may_start_anywhere_before_the_end(self, restaurant, status):
        assert create(restaurant, {**LEAST, "status": status})["status"] == status

    @pytest.mark.parametrize("flags, badges", [
        ({"saveGreen": True}, ["Yeşili Koru"]), ({"isEcoFriendly": True}, ["Yeşili Koru"]),
        ({"saveGreen": True, "isEcoFriendly": True}, ["Yeşili Koru"]),
        ({"contactlessDelivery": True}, ["Temassız Teslimat"]), ({"dropOffAtDoor": True}, ["Kapıya Bırak"]),
        ({"ringDoorBell": False}, ["Kapıyı Çalma"]), ({"doNotKnock": True}, ["Kapıyı Çalma"]),
        ({"ringDoorBell": True, "doNotKnock": False, "saveGreen": False, "unknown": True}, []),
        ({"ringDoorBell": False, "doNotKnock": True, "dropOffAtDoor": True, "contactlessDelivery": True,
          "saveGreen": True}, ["Yeşili Koru", "Temassız Teslimat", "Kapıya Bırak", "Kapıyı Çalma"])])
    def test_badges_are_made_from_flags(self, restaurant, flags, badges):
        assert create(restaurant, {**LEAST, "badgeFlags": flags})["badges"] == badges

    def test_given_badges_come_first_and_none_twice(self, restaurant):
        made = create(restaurant, {**LEAST, "badges": ["Acele", "Yeşili Koru", "Acele"],
                                   "badgeFlags": {"saveGreen": True, "doNotKnock": True}})
        assert made["badges"] == ["Acele", "Yeşili Koru", "Kapıyı Çalma"]

    @pytest.mark.parametrize("given, kept", [
        ("2030-11-05T17:30:00", "2030-11-05T14:30:00.000Z"),
        ("2030-11-05T14:30:00Z", "2030-11-05T14:30:00.000Z"),
        ("2030-11-05T20:00:00.25+05:30", "2030-11-05T14:30:00.250Z"),
        ("2030-01-01T00:00:00.1239+03:00", "2029-12-31T21:00:00.123Z")])
    def test_times_come_in_any_offset_and_none_is_istanbul(self, restaurant, given, kept):
        assert create(restaurant, {**LEAST, "scheduledDate": given})["scheduledDate"] == kept

    @pytest.mark.parametrize("price", ["0.01", "1", "10.0", "99.99", "125.50", "1e2", "1234567.89"])
    def test_money_has_at_most_two_decimals(self, restaurant, price):
        body = json.dumps({**LEAST, "price": 0}).replace('"price": 0', f'"price": {price}').encode()
        made = data(restaurant.call("POST", ORDERS, data=body, headers=JSON), 201)
        assert made["price"] == float(price)

    @pytest.mark.parametrize("path, value", [
        *[(path, ...) for path in (
            "platform", "platformOrderId", "price", "paymentMethod", "customer", "customer.details",
            "customer.details.name", "customer.details.phone", "customer.address",
            "customer.address.detailedAddress")],
        ("platform", "benimyemek"), ("platform", 5), ("platformOrderId", 5), ("platformOrderId", ""),
        ("price", "125.5"), ("price", 125.555), ("price", -1), ("price", 1e18), ("price", True),
        ("paymentMethod", "kart"), ("paymentMethod", 1), ("orderId", "123"), ("orderId", 5),
        ("status", "gelecek"), ("status", 1), ("orderType", "masa"), ("courierType", "uzay"),
        ("displayId", "x" * 33), ("hazirlanmaSuresiDk", "15"), ("hazirlanmaSuresiDk", 1.5),
        ("badges", "x"), ("badges.0", 1), ("badgeFlags", []), ("orderNote", 5),
        ("scheduledDate", "yarın"), ("scheduledDate", "2030-02-30T10:00:00Z"), ("scheduledDate", 5),
        ("items", {}), ("items.0", 5), ("items.1.name", ...), ("items.1.quantity", ...),
        ("items.0.price", "x"), ("items.0.price", 1.001), ("items.1.quantity", "iki"), ("customer", []),
        ("customer.details.name", 5),
        ("customer.details.phone", "5" * 65), ("customer.address.location", 5),
        ("customer.address.location.latitude", "x")])
    def test_a_bad_field_is_named_by_its_path(self, restaurant, path, value):
        whole = {**FULL, "platformOrderId": "x-1", "orderId": new_id()}
        answer = restaurant.call("POST", ORDERS, changed(whole, path, value))
        named = re.sub(r"\.(\d+)", r"[\1]", path)
        inside = {"customer": "customer.details.name", "customer.details": "customer.details.name",
                  "customer.address": "customer.address.detailedAddress"}
        if value is ... and path in inside:  # either is a good name: what is missing, or what it should hold
            assert answer.json()["message"] in (bad_field(path)[1], bad_field(inside[path])[1])
        else:
            refused(answer, *bad_field(named))

    def test_dukkango_wants_the_payment_key_and_not_the_number(self, restaurant):
        refused(restaurant.call("POST", ORDERS, {**LEAST, "platform": "dukkango", "platformOrderId": "1031"}),
                *bad_field("platformOrderId"))

    @pytest.mark.parametrize("phone", ["0850 000 00 00 / 123456", "+7 900 доб. 12", "x" * 64])
    def test_a_phone_is_free_text(self, restaurant, phone):
        made = create(restaurant, changed(LEAST, "customer.details.phone", phone))
        assert made["customer"]["details"]["phone"] == phone

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}x", b"\xff{}",
                                      b"[" * 10000 + b"]" * 10000, b'{"a":' * 10000 + b"1" + b"}" * 10000])
    def test_no_json_object_is_refused(self, restaurant, body):
        refused(restaurant.call("POST", ORDERS, data=body, headers=JSON), 400, "Geçersiz JSON gövdesi")

    def test_the_largest_body_is_256_KiB(self, restaurant):
        body = json.dumps(LEAST).encode()
        refused(restaurant.call("POST", ORDERS, data=body + b" " * (262145 - len(body)), headers=JSON),
                413, "İstek gövdesi çok büyük")
        data(restaurant.call("POST", ORDERS, data=body + b" " * (262144 - len(body)), headers=JSON), 201)

    def test_an_emoji_and_a_quote_survive(self, restaurant):
        note = 'Zile "basma" \\ 🍕 \u2028 <b>&amp;</b>\n\t'
        assert create(restaurant, {**LEAST, "orderNote": note})["orderNote"] == note


class TestWho:
    @pytest.mark.parametrize("method, path", [
        ("POST", ORDERS), ("GET", ORDERS), ("GET", f"{ORDERS}/{'0' * 24}"),
        ("PUT", f"{ORDERS}/{'0' * 24}/status")])
    def test_only_a_restaurant_may(self, shared, courier, method, path):
        refused(shared.call(method, path, {}), *NO_ACCESS)
        refused(shared.call(method, path, {}, headers={"x-api-key": courier.key}), *NO_ACCESS)
        refused(shared.admin(method, path, {}), *NOT_ALLOWED)

    def test_another_restaurants_order_is_not_there(self, shared, restaurant):
        order, stranger = restaurant.order(), shared.restaurant()
        refused(stranger.call("GET", order.path), *NO_RECORD)
        refused(stranger.call("PUT", f"{order.path}/status", {"status": "hazir"}), *NO_RECORD)
        assert ask(stranger) == ([], None)
        assert order.now()["status"] == "hazirlanacak"

    def test_an_order_that_never_was_is_not_there(self, restaurant):
        refused(restaurant.call("GET", f"{ORDERS}/{new_id()}"), *NO_RECORD)
        refused(restaurant.call("PUT", f"{ORDERS}/{new_id()}/status", {"status": "hazir"}), *NO_RECORD)
        assert restaurant.call("GET", f"{ORDERS}/12").status_code == 404


class TestLists:
    @pytest.fixture(scope="class")
    def seven(self, shared):
        restaurant = shared.restaurant()
        return restaurant, [restaurant.order() for _ in range(7)]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
    def test_pages_are_newest_first_and_complete(self, seven, limit):
        restaurant, orders = seven
        seen, after = [], ""
        while True:
            page, following = ask(restaurant, f"?limit={limit}{after}")
            seen += [row["orderId"] for row in page]
            assert len(page) <= limit
            if following is None:
                break
            after = f"&after={following}"
        assert seen == [order.id for order in reversed(orders)]

    def test_a_row_leaves_out_history_and_deliveries(self, seven):
        restaurant, orders = seven
        whole = orders[-1].now()
        row = ask(restaurant, "?limit=1")[0][0]
        assert row == {name: value for name, value in whole.items() if name not in ("history", "deliveries")}

    def test_a_new_order_does_not_disturb_the_pages(self, shared):
        restaurant = shared.restaurant()
        orders = [restaurant.order() for _ in range(3)]
        _, following = ask(restaurant, "?limit=1")
        restaurant.order()
        rest, _ = ask(restaurant, f"?limit=5&after={following}")
        assert [row["orderId"] for row in rest] == [orders[1].id, orders[0].id]

    def test_by_status(self, shared):
        restaurant = shared.restaurant()
        courier = restaurant.courier()
        moved, waiting = restaurant.order(), restaurant.order()
        courier.posts(moved, 1)
        assert [row["orderId"] for row in ask(restaurant, "?status=teslim-edilecek")[0]] == [moved.id]
        assert [row["orderId"] for row in ask(restaurant, "?status=hazirlanacak")[0]] == [waiting.id]
        assert ask(restaurant, "?status=cancelled") == ([], None)

    def test_since_is_about_the_last_change(self, shared):
        restaurant = shared.restaurant()
        courier = restaurant.courier()
        first, second = restaurant.order(), restaurant.order()
        moved = courier.posts(first, 1)["updatedAt"]
        times = {first.id: moved, second.id: second.now()["updatedAt"]}
        for since in times.values():
            listed = {row["orderId"] for row in ask(restaurant, f"?since={since}")[0]}
            assert {one for one in times if times[one] > since} <= listed
            assert listed <= {one for one in times if times[one] >= since}
        assert ask(restaurant, "?since=2099-01-01T00:00:00Z") == ([], None)
        assert len(ask(restaurant, "?since=2020-01-01T00:00:00%2B03:00")[0]) == 2

    @pytest.mark.parametrize("query, path", [
        *[(f"limit={bad}", "limit") for bad in ("0", "201", "x", "-1", "", "1.5", "9" * 20)],
        ("status=gelecek", "status"), ("status=", "status"), ("since=dün", "since"),
        ("after=%00", "after"), ("after=!", "after"), ("after=" + "a" * 500, "after")])
    def test_a_bad_query_is_named(self, restaurant, query, path):
        refused(restaurant.call("GET", f"{ORDERS}?{query}"), *bad_field(path))


class TestOwnMoves:
    @pytest.fixture
    def order(self, restaurant):
        return restaurant.order(status="yeni")

    def test_forward_step_by_step(self, order):
        for word in WORDS[1:6]:
            assert order.becomes(word)["status"] == word
        assert [row[0] for row in order.steps()] == WORDS[:6]
        assert {row[1] for row in order.steps()} == {"restaurant"}

    @pytest.mark.parametrize("word", WORDS[2:6] + ["cancelled"])
    def test_steps_may_be_skipped(self, order, word):
        assert order.becomes(word, reasonId="1")["status"] == word

    def test_the_same_word_is_nothing_new(self, order):
        first = order.becomes("hazir")
        assert order.becomes("hazir") == first

    def test_backward_is_a_conflict(self, order):
        order.becomes("hazir")
        before = order.now()
        for word in ("hazirlanacak", "hazirlaniyor"):
            refused(order.put(word), *BACKWARD)
        assert order.now() == before

    @pytest.mark.parametrize("end", ["teslim-edildi", "cancelled"])
    @pytest.mark.parametrize("word", ["hazir", "teslim-edilecek", "teslim-edildi", "cancelled"])
    def test_the_end_is_the_end(self, order, end, word):
        ended = order.becomes(end, reasonId="1")
        if word == end:
            assert order.becomes(word, reasonId="1") == ended
        else:
            refused(order.put(word, reasonId="1"), *FINAL)
        assert order.now() == ended

    @pytest.mark.parametrize("body, path", [
        *[({"status": bad}, "status") for bad in (None, "yeni", "x", "", 1, "HAZIR")],
        *[({"status": "hazir", "preparingTime": bad}, "preparingTime") for bad in (0, 241, "5", 1.5, -1)],
        *[({"status": "hazir", "notifyPlatform": bad}, "notifyPlatform") for bad in ("no", 0, 1)],
        ({"status": "hazir", "note": 5}, "note"), ({"status": "hazir", "note": "x" * 5000}, "note"),
        *[({"status": "cancelled", "reasonId": bad}, "reasonId") for bad in ([], True, "x" * 500)]])
    def test_a_bad_field_is_named(self, restaurant, order, body, path):
        refused(restaurant.call("PUT", f"{order.path}/status", body), *bad_field(path))
        assert order.now()["status"] == "yeni"

    def test_the_preparing_time_is_kept(self, order):
        assert order.becomes("hazirlanacak", preparingTime=240)["hazirlanmaSuresiDk"] == 240

    def test_history_tells_what_who_and_why(self, courier, order):
        order.becomes("hazirlanacak", note="acele")
        courier.posts(order, 1)
        order.becomes("cancelled", reasonId="7", note="müşteri vazgeçti")
        rows = order.now()["history"]
        assert [set(row) for row in rows] == [{"status", "at", "by", "integrationId", "reasonId", "note"}] * 4
        assert [(row["status"], row["by"]) for row in rows[1:]] == [
            ("hazirlanacak", "restaurant"), ("teslim-edilecek", "courier"), ("cancelled", "restaurant")]
        assert rows[1]["note"] == "acele" and rows[2]["integrationId"] == courier.id
        assert (rows[3]["reasonId"], rows[3]["note"]) == ("7", "müşteri vazgeçti")
        assert all(STAMP.fullmatch(row["at"]) for row in rows)
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)

    def test_every_change_raises_rev_and_updatedAt(self, order):
        before = order.now()
        after = order.becomes("hazir")
        assert after["rev"] > before["rev"] and after["updatedAt"] >= before["updatedAt"]

    def test_restaurant_and_courier_share_one_road(self, courier, order):
        courier.posts(order, 1)
        refused(order.put("hazir"), *BACKWARD)
        assert order.becomes("teslim-edildi")["status"] == "teslim-edildi"
        refused(courier.post(order, 2), *FINAL)
