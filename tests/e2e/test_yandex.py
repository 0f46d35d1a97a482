# SPDX-License-Identifier: Apache-2.0
"""test_yandex.py - Yandex Eats calls us: its account and tokens, its orders, and how far they are."""

import json
import random
import time

import pytest

from test_keys import reseal
from world import Order, World, data, new_id, refused, together
from yandex import JSON, ORDER, STATUS, Yandex, an_order, complained, media_type, new_number

PLACE = "937c57f6-4508-4858-be7f-20691a16fbb0"
NO_ORDER = "There is no such order"
FINISHED = "The order is finished, or further already"


@pytest.fixture(scope="module")
def yandex(shared):
    return Yandex(shared.restaurant(), placeId=PLACE)


@pytest.fixture
def order(yandex):
    return yandex.sends()


def ours(yandex, order):
    """The same order, as the restaurant has it."""
    return Order(yandex.restaurant, data(yandex.restaurant.call("GET", f"/api/v1/orders/{order}")))


class TestAccount:
    def test_it_is_shown_without_its_secret(self, shared):
        yandex = Yandex(shared.restaurant())
        made = yandex.account
        assert made["clientId"] == yandex.restaurant.id and made["baseUrl"] is None
        assert made["clientSecret"].startswith("kry_") and made["credentialFields"] == []
        shown = data(yandex.restaurant.call("GET", yandex.path))
        assert shown == {name: value for name, value in made.items() if name != "clientSecret"}
        assert data(yandex.restaurant.call("GET", f"{yandex.restaurant.path}/platforms")) == [shown]
        assert shown["platform"] == "yandex" and shown["breaker"] == "closed"

    def test_it_is_kept_when_it_is_put_again(self, shared):
        yandex = Yandex(shared.restaurant(), placeId=PLACE)
        again = yandex.connects()
        assert "clientSecret" not in again and again["placeId"] == PLACE
        yandex.logs_in()
        assert yandex.connects(placeId="")["placeId"] == ""

    def test_it_shows_whether_they_have_come_in(self, shared):
        yandex = Yandex(shared.restaurant())

        def state():
            return data(yandex.restaurant.call("GET", yandex.path))["state"]
        assert state() == "untested"
        complained(yandex.asks_token(client_secret="x"), 400)
        assert state() == "untested"
        first, second = yandex.logs_in(), yandex.logs_in()
        assert state() == "ok" and yandex.connects()["state"] == "ok"
        assert yandex.calls("GET", f"/order/{new_id()}", token=first).status_code == 404
        assert yandex.calls("GET", f"/order/{new_id()}", token=second).status_code == 404
        yandex.secret = yandex.connects(newSecret=True)["clientSecret"]
        assert state() == "untested"
        assert {len(yandex.logs_in()) for _ in range(2)} == {len(first)} and state() == "ok"

    def test_they_may_come_in_many_at_once(self, shared):
        yandex = Yandex(shared.restaurant())
        answers = together(8, lambda _: yandex.asks_token(session=shared.lone()))
        assert {answer.status_code for answer in answers} == {200}

    def test_its_secret_is_kept_by_nobody(self, world):
        yandex = Yandex(world.restaurant())
        yandex.logs_in()
        kept = b"".join(world.store.contents())
        assert yandex.secret.encode() not in kept
        assert yandex.secret not in world.server.text() and yandex.token not in world.server.text()

    @pytest.mark.parametrize("body, path", [
        ({}, "enabled"), ({"enabled": 1}, "enabled"), ({"enabled": True, "placeId": "ş"}, "placeId"),
        ({"enabled": True, "placeId": "x" * 65}, "placeId"), ({"enabled": True, "newSecret": "yes"}, "newSecret"),
        ({"enabled": True, "credentials": {}}, "credentials")])
    def test_what_it_does_not_take(self, shared, body, path):
        restaurant = shared.restaurant()
        refused(restaurant.call("PUT", f"{restaurant.path}/platforms/yandex", body), 400, f"Geçersiz alan: {path}")

    def test_it_names_the_public_address(self):
        with World(public_url="https://kurye.example") as world:
            assert Yandex(world.restaurant()).account["baseUrl"] == "https://kurye.example"

    def test_there_is_nobody_to_ask(self, shared):
        """Its routes that are the same for all platforms cope with one that is never called."""
        yandex = Yandex(shared.restaurant())
        order = yandex.sends()
        assert data(yandex.restaurant.call("POST", f"{yandex.path}/test", {})) == {"ok": False, "reason": "untestable"}
        assert data(yandex.restaurant.call("GET", f"/api/v1/orders/{order}/cancel-reasons")) == []
        assert data(yandex.restaurant.call("GET", "/api/v1/deliveries?platform=yandex")) == []

    def test_a_phone_has_none(self, shared):
        restaurant = shared.restaurant()
        refused(restaurant.call("GET", f"{restaurant.path}/platforms/phone"), 404, "Kayıt bulunamadı")


class TestToken:
    @pytest.mark.parametrize("changes", [
        {"client_secret": "kry_" + "0" * 48}, {"client_secret": None}, {"client_secret": ""}, {"client_id": None},
        {"client_id": "x"}, {"client_id": "0" * 24}, {"client_id": "a" * 300}, {"grant_type": "password"},
        {"grant_type": None}])
    def test_bad_credentials(self, yandex, changes):
        complained(yandex.asks_token(**changes), 400)

    @pytest.mark.parametrize("body", [b"", b"&&&", b"client_id", b"client_id=%", b"client_id=%zz&%", b"=&=", b"\xff\x00"])
    def test_forms_that_are_none(self, yandex, body):
        complained(yandex.world.call("POST", "/security/oauth/token", data=body,
                                     headers={"Content-Type": "application/x-www-form-urlencoded"}), 400)

    def test_it_comes_as_a_form(self, yandex):
        complained(yandex.world.call("POST", "/security/oauth/token", {"client_id": yandex.id}), 415)
        complained(yandex.world.call("GET", "/security/oauth/token"), 405)

    def test_what_is_no_token(self, yandex, order):
        good = yandex.logs_in()
        spoilt = good[:-1] + ("0" if good[-1] != "0" else "1")
        for token in ("x", spoilt, good + "00", yandex.restaurant.token, yandex.world.admin_token, yandex.secret):
            complained(yandex.calls("GET", f"/order/{order}/status", token=token), 401)
        complained(yandex.world.call("GET", f"/order/{order}/status"), 401)
        complained(yandex.world.call("POST", "/order", {}), 401)

    def test_it_is_good_nowhere_else(self, yandex):
        refused(yandex.world.call("GET", "/api/v1/orders", token=yandex.logs_in()), 401, "Kimlik doğrulama gerekli")

    def test_a_new_secret_ends_it(self, shared):
        yandex = Yandex(shared.restaurant())
        order, old = yandex.sends(), yandex.secret
        yandex.secret = yandex.connects(newSecret=True)["clientSecret"]
        assert yandex.secret != old
        complained(yandex.calls("GET", f"/order/{order}/status"), 401)
        complained(yandex.asks_token(client_secret=old), 400)
        yandex.logs_in()
        yandex.status(order)

    def test_a_disabled_account_has_none(self, shared):
        yandex = Yandex(shared.restaurant())
        order = yandex.sends()
        yandex.connects(enabled=False)
        complained(yandex.calls("GET", f"/order/{order}/status"), 401)
        complained(yandex.asks_token(), 400)
        yandex.connects()
        yandex.status(order)

    def test_nor_one_that_was_deleted_or_whose_restaurant_is_off(self, shared):
        yandex = Yandex(shared.restaurant())
        order = yandex.sends()
        shared.admin("PATCH", yandex.restaurant.path, {"active": False})
        complained(yandex.calls("GET", f"/order/{order}/status"), 401)
        complained(yandex.asks_token(), 400)
        shared.admin("PATCH", yandex.restaurant.path, {"active": True})
        yandex.status(order)
        data(yandex.restaurant.call("DELETE", yandex.path))
        complained(yandex.calls("GET", f"/order/{order}/status"), 401)
        complained(yandex.asks_token(), 400)

    def test_it_outlives_a_restart_and_a_new_key(self, world):
        yandex = Yandex(world.restaurant())
        order = yandex.sends()
        world.restart(secret_key=f"k2:{'A' * 43}=,k1:{world.secret_key}")
        yandex.status(order)
        world.server.stop()
        assert reseal(world, world.settings["secret_key"])[0] == 0
        world.start(secret_key=f"k2:{'A' * 43}=")
        complained(yandex.calls("GET", f"/order/{order}/status"), 401)

    def test_who_tries_too_many_secrets_waits(self, world):
        yandex = Yandex(world.restaurant())
        answers = [yandex.asks_token(client_secret="x") for _ in range(61)]
        assert [answer.status_code for answer in answers] == 60 * [400] + [429]
        complained(answers[-1], 429)
        assert int(answers[-1].headers["Retry-After"]) > 0
        yandex.logs_in()


class TestNewOrder:
    def test_one_for_the_restaurants_courier(self, yandex):
        sent = an_order(PLACE)
        order = ours(yandex, yandex.sends(sent)).now()
        assert (order["platform"], order["platformOrderId"]) == ("yandex", sent["eatsId"])
        assert (order["status"], order["courierType"], order["orderType"]) == ("yeni", "restaurant", "paket_servis")
        assert (order["price"], order["paymentMethod"], order["originalPaymentMethod"]) == (430.5, "cash", "CASH")
        assert order["customer"]["details"] == {"name": "İvan Şahin", "phone": "+79031111111 доб. 4432"}
        assert order["customer"]["address"]["detailedAddress"] == "Bağdat Caddesi No: 123, Kadıköy"
        assert order["customer"]["address"]["location"] == {"latitude": 40.9857, "longitude": 29.0347}
        assert order["scheduledDate"] == "2030-11-07T07:30:00.000Z"
        assert order["orderNote"] == "Zili çalmayın"
        assert order["items"] == [
            {"name": "Пицца Пепперони 🍕", "quantity": 1.5, "price": 200, "note": None, "options": ["2 x Sos", "Peynir"]},
            {"name": "p2", "quantity": 1, "price": 110.5, "note": None, "options": []}]
        assert [(row["status"], row["by"]) for row in order["history"]] == [("yeni", "platform")]
        assert [d["deliveryId"].rpartition("-")[2] for d in order["deliveries"] if "platform" in d] == []
        assert order["platformRef"] == sent

    def test_one_for_theirs(self, yandex):
        order = ours(yandex, yandex.sends(discriminator="yandex", paymentInfo={
            "itemsCost": 10.005, "paymentType": "CARD", "deliveryFee": 5})).now()
        assert (order["courierType"], order["price"], order["paymentMethod"]) == ("platform", 10.01, "online")
        assert order["customer"]["address"]["detailedAddress"] is None

    def test_one_that_is_fetched(self, yandex):
        order = ours(yandex, yandex.sends(discriminator="pickup", deliveryInfo={})).now()
        assert (order["courierType"], order["orderType"]) == ("restaurant", "gel_al")

    @pytest.mark.parametrize("content_type", [
        ORDER, JSON, f"{ORDER}; charset=utf-8", "application/vnd.eats.order.marketplace.v3+json",
        "application/vnd.eats.order.yandex.v3+json"])
    def test_its_media_types(self, yandex, content_type):
        yandex.sends(content_type=content_type)

    @pytest.mark.parametrize("content_type", ["text/plain", "application/vnd.eats.order.v2", STATUS])
    def test_no_others(self, yandex, content_type):
        complained(yandex.calls("POST", "/order", an_order(PLACE), content_type), 415)

    def test_it_comes_in_once(self, yandex):
        sent = an_order(PLACE)
        yandex.logs_in()
        made = together(8, lambda _: yandex.sends(dict(sent), session=yandex.world.lone()))
        assert len(set(made)) == 1
        assert yandex.sends(sent | {"comment": "other", "restaurantId": yandex.restaurant.id}) == made[0]
        assert ours(yandex, made[0]).now()["orderNote"] == sent["comment"]

    def test_long_texts_are_cut_by_whole_characters(self, yandex):
        order = an_order(PLACE, comment="ş" * 3000)
        order["items"][0]["name"] = "Ж" * 300
        order["items"][0]["modifications"] = [{"name": "🍕" * 100, "quantity": 3}]
        order["deliveryInfo"]["clientName"] = "a" + "ş" * 300
        order["deliveryInfo"]["phoneNumber"] = phone = "+" + "5" * 53 + " доб. 4432"
        made = ours(yandex, yandex.sends(order)).now()
        assert made["orderNote"] == "ş" * 2000 and made["items"][0]["name"] == "Ж" * 200
        assert made["items"][0]["options"][0] == "3 x " + "🍕" * 49
        assert len(phone) == 64 and made["customer"]["details"] == {"name": "a" + "ş" * 199, "phone": phone}
        assert made["platformRef"] == order

    @pytest.mark.parametrize("place", [
        new_id(), "", "x", None, 5, {}, PLACE.upper()])
    def test_another_restaurant(self, yandex, place):
        assert "restaurantId" in complained(yandex.calls("POST", "/order", an_order(place), ORDER), 400)

    @pytest.mark.parametrize("path, value", [
        ("eatsId", None), ("eatsId", 5), ("eatsId", "x" * 129), ("discriminator", None), ("discriminator", "own"),
        ("discriminator", []), ("paymentInfo", None), ("paymentInfo", []), ("paymentInfo", {"itemsCost": 5}),
        ("paymentInfo", {"itemsCost": -5, "paymentType": "CARD"}), ("paymentInfo", {"itemsCost": "5", "paymentType": "CARD"}),
        ("paymentInfo", {"itemsCost": 5, "paymentType": "BARTER"}), ("items", None), ("items", {}), ("items", [5]),
        ("items", [{}]), ("items", [{"name": "Pide"}]), ("items", [{"name": "Pide", "quantity": -1}]),
        ("items", [{"name": "Pide", "quantity": 1, "modifications": 3}]), ("comment", 5), ("deliveryInfo", 5),
        ("deliveryInfo", {"clientName": 5}), ("deliveryInfo", {"clientName": "A", "phoneNumber": "5"})])
    def test_wrong_fields_are_named(self, yandex, path, value):
        answer = yandex.calls("POST", "/order", an_order(PLACE, **{path: value}), ORDER)
        assert path in complained(answer, 400)

    @pytest.mark.parametrize("body", [
        b"", b"{", b"[]", b"null", b"\xff", b"\xef\xbb\xbf{}", b"{}x", b'{"a":NaN}', b"[" * 40,
        b'{"a":' * 31 + b"{}" + b"}" * 31, b'{"eatsId":"\\u0000"}', b'{"restaurantId":"\\ud800"}'])
    def test_hostile_bodies(self, yandex, body):
        order = yandex.sends()
        for method, path in (("POST", "/order"), ("PUT", f"/order/{order}"), ("PUT", f"/order/{order}/status")):
            complained(yandex.calls(method, path, body, JSON), 400)

    def test_bodies_that_were_spoilt_on_their_way(self, yandex):
        draw = random.Random(5)
        order = yandex.sends()
        for number in range(300):
            body = bytearray(json.dumps(an_order(PLACE), ensure_ascii=False).encode())
            for _ in range(draw.randint(1, 4)):
                at = draw.randrange(len(body))
                body[at:at + draw.randint(0, 3)] = draw.choice((b"", b"null", b"{}", b"[", b'"', b"-1e9", b"\xff", b"\\u0000"))
            method, path = draw.choice((("POST", "/order"), ("PUT", f"/order/{order}"), ("PUT", f"/order/{order}/status"),
                                        ("DELETE", f"/order/{new_id()}"), ("PUT", f"/order/{order}/courier")))
            answer = yandex.calls(method, path, bytes(body), JSON)
            assert answer.status_code in (200, 204, 400, 404), (number, bytes(body))
        yandex.calls("GET", f"/order/{order}")

    def test_nesting_that_would_not_be_read_back(self, yandex):
        deep = json.loads("[" * 31 + "]" * 31)
        complained(yandex.calls("POST", "/order", an_order(PLACE, promos=deep), ORDER), 400)
        yandex.sends(promos=json.loads("[" * 30 + "]" * 30))

    def test_the_largest_body(self, yandex):
        order = an_order(PLACE)
        order["promos"] = ["x" * (262144 - len(json.dumps(order)) - 30)]
        made = yandex.sends(order)
        assert yandex.calls("GET", f"/order/{made}").json() == order
        complained(yandex.calls("POST", "/order", b" " * 262145, ORDER), 413)

    def test_it_is_dispatched_like_any_other(self, yandex):
        """The restaurant may enter one by hand, too."""
        order = yandex.restaurant.order("yandex", platformOrderId=new_number())
        assert order.delivery() is None
        complained(yandex.calls("GET", f"/order/{order.id}"), 404)
        assert yandex.status(order.id)["status"] == "ACCEPTED_BY_RESTAURANT"


class TestDispatch:
    """To the restaurant's own courier firm, as any order is."""

    def test_a_marketplace_order_goes_to_the_firm_once_it_was_accepted(self, shared):
        yandex = Yandex(shared.restaurant())
        yandex.restaurant.courier(dispatch=True)
        sent = an_order(yandex.restaurant.id)
        del sent["deliveryInfo"]["deliveryDate"]
        order = ours(yandex, yandex.sends(sent))
        assert order.delivery("courier") is None
        order.becomes("hazirlanacak")
        shared.firms.received("dispatch", order)
        [call] = shared.firms.about(order)
        told = json.loads(call.body)
        assert (told["platform"], told["price"]) == ("yandex", 430.5)
        assert told["customer"]["details"] == {"name": "İvan Şahin", "phone": "+79031111111 доб. 4432"}
        order.settles("done", "courier")

    @pytest.mark.parametrize("discriminator, reason", [("yandex", "platform kuryesi"), ("pickup", "sipariş gel-al")])
    def test_others_do_not(self, yandex, discriminator, reason):
        yandex.restaurant.courier(dispatch=True)
        order = ours(yandex, yandex.sends(discriminator=discriminator))
        order.becomes("hazirlanacak")
        refused(order.restaurant.call("POST", f"{order.path}/call-courier", {}), 409, f"Kurye çağrılamaz: {reason}")


class TestReading:
    @pytest.mark.parametrize("discriminator", ["marketplace", "yandex", "pickup"])
    def test_it_is_given_back_as_it_came(self, yandex, discriminator):
        sent = an_order(PLACE, discriminator)
        answer = yandex.calls("GET", f"/order/{yandex.sends(sent)}")
        assert answer.status_code == 200 and media_type(answer) == ORDER
        assert answer.json() == sent

    def test_a_new_one_has_no_comment(self, yandex, order):
        told = yandex.status(order)
        assert (told["status"], told["comment"]) == ("NEW", "")
        made = ours(yandex, order).now()["createdAt"]
        assert told["updatedAt"] == made[:-1] + "000+00:00"

    def test_the_restaurants_moves_show(self, yandex, order):
        mine = ours(yandex, order)
        for word, theirs in (("hazirlanacak", "ACCEPTED_BY_RESTAURANT"), ("hazirlaniyor", "COOKING"), ("hazir", "READY")):
            mine.becomes(word)
            assert yandex.status(order)["status"] == theirs
        mine.becomes("cancelled", note="Malzeme bitti", reasonId="place.missing_dish")
        told = yandex.status(order)
        assert (told["status"], told["comment"]) == ("CANCELLED", "Malzeme bitti")

    def test_the_couriers_moves_show(self, yandex, order):
        courier = yandex.restaurant.courier()
        for status, theirs in ((1, "TAKEN_BY_COURIER"), (2, "DELIVERED")):
            at = courier.posts(ours(yandex, order), status)["updatedAt"]
            told = yandex.status(order)
            assert told["status"] == theirs and told["updatedAt"] == at[:-1] + "000+00:00"

    def test_others_orders_are_not_there(self, shared, yandex, order):
        other = Yandex(shared.restaurant(), placeId=PLACE)
        phone = yandex.restaurant.order("phone")
        asked = [(other, order), (yandex, new_id()), (yandex, "x"), (yandex, "0" * 23), (yandex, "0" * 25), (yandex, "%30"),
                 (yandex, phone.id)]
        for who, number in asked:
            for method, path, body in (
                    ("GET", "", None), ("GET", "/status", None), ("DELETE", "", {"eatsId": "1"}), ("DELETE", "", None),
                    ("PUT", "/status", {"status": "CANCELLED"}), ("PUT", "/courier", {}), ("PUT", "", {})):
                if number != "%30":
                    assert complained(who.calls(method, f"/order/{number}{path}", body), 404) == NO_ORDER
        assert yandex.status(order)["status"] == "NEW"
        assert phone.now()["status"] == "hazirlanacak"


class TestChange:
    def test_a_new_ones_composition(self, yandex):
        sent = an_order(PLACE)
        order = yandex.sends(sent)
        changed = sent | {"items": sent["items"][1:], "paymentInfo": {"itemsCost": 110.5, "paymentType": "CASH"},
                          "comment": "Değişti"}
        changed["deliveryInfo"] = sent["deliveryInfo"] | {"deliveryDate": "2030-11-07T11:30:00.000000+03:00"}
        answer = yandex.calls("PUT", f"/order/{order}", changed, ORDER)
        assert (answer.status_code, answer.json(), media_type(answer)) == (200, {"result": "OK"}, JSON)
        now = ours(yandex, order).now()
        assert (now["price"], now["orderNote"], len(now["items"]), now["rev"]) == (110.5, "Değişti", 1, 2)
        assert (now["status"], now["scheduledDate"]) == ("yeni", "2030-11-07T08:30:00.000Z")
        assert yandex.calls("GET", f"/order/{order}").json() == changed
        assert yandex.sends(sent) == order

    def test_it_stays_the_same_order(self, yandex):
        sent = an_order(PLACE)
        order = yandex.sends(sent)
        for changes, path in (({"eatsId": new_number()}, "eatsId"), ({"discriminator": "yandex"}, "discriminator"),
                              ({"discriminator": "pickup"}, "discriminator"), ({"restaurantId": new_id()}, "restaurantId"),
                              ({"items": [], "paymentInfo": None}, "paymentInfo")):
            assert path in complained(yandex.calls("PUT", f"/order/{order}", sent | changes, ORDER), 400)
        complained(yandex.calls("PUT", f"/order/{order}", sent, STATUS), 415)
        complained(yandex.calls("PUT", f"/order/{new_id()}", sent, ORDER), 404)
        assert yandex.calls("GET", f"/order/{order}").json() == sent

    def test_not_once_it_was_accepted(self, yandex):
        sent = an_order(PLACE)
        order = yandex.sends(sent)
        ours(yandex, order).becomes("hazirlanacak")
        answer = yandex.calls("PUT", f"/order/{order}", sent | {"comment": "late"}, ORDER)
        assert complained(answer, 422) == "Only a new order can be changed"
        assert ours(yandex, order).now()["orderNote"] == sent["comment"]


class TestCancel:
    def test_it_is_cancelled_once(self, yandex):
        sent = an_order(PLACE)
        order = yandex.sends(sent)
        for _ in range(2):
            answer = yandex.cancels(order, eatsId=sent["eatsId"], comment="Müşteri vazgeçti")
            assert answer.status_code == 200 and not answer.content
        assert ours(yandex, order).steps() == [("yeni", "platform"), ("cancelled", "platform")]
        assert yandex.status(order)["comment"] == "Müşteri vazgeçti"

    def test_without_a_body(self, yandex, order):
        assert yandex.cancels(order).status_code == 200

    def test_not_under_anothers_number(self, yandex, order):
        assert "eatsId" in complained(yandex.cancels(order, eatsId=new_number()), 400)
        assert yandex.status(order)["status"] == "NEW"

    def test_not_when_it_is_delivered(self, yandex, order):
        yandex.moves(order, "DELIVERED")
        assert complained(yandex.cancels(order), 400) == FINISHED


class TestStatus:
    def test_forward_only(self, yandex, order):
        yandex.moves(order, "TAKEN_BY_COURIER", comment="Yolda", content_type=STATUS)
        yandex.moves(order, "TAKEN_BY_COURIER")
        told = yandex.status(order)
        assert (told["status"], told["comment"]) == ("TAKEN_BY_COURIER", "Yolda")
        yandex.moves(order, "DELIVERED")
        for word in ("TAKEN_BY_COURIER", "DELIVERED", "CANCELLED"):
            assert complained(yandex.tells(order, word), 400) == FINISHED
        assert ours(yandex, order).steps() == [
            ("yeni", "platform"), ("teslim-edilecek", "platform"), ("teslim-edildi", "platform")]

    def test_a_cancel_keeps_its_reason(self, yandex, order):
        for _ in range(2):
            yandex.moves(order, "CANCELLED", reason="place.unable_to_call", comment="ж" * 500, attributes=["paid"])
        last = ours(yandex, order).now()["history"][-1]
        assert (last["reasonId"], last["note"]) == ("place.unable_to_call", "ж" * 250)
        for word in ("TAKEN_BY_COURIER", "DELIVERED"):
            complained(yandex.tells(order, word), 400)

    @pytest.mark.parametrize("reason, kept", [("x" * 50, "x" * 40), ("причина", None), ("", None)])
    def test_reasons_that_are_none_of_theirs(self, yandex, order, reason, kept):
        yandex.moves(order, "CANCELLED", reason=reason)
        assert ours(yandex, order).now()["history"][-1]["reasonId"] == kept

    @pytest.mark.parametrize("status", ["NEW", "ACCEPTED_BY_RESTAURANT", "COOKING", "READY", "POSTPONED", "", 5, None, {}])
    def test_words_that_they_may_not_tell(self, yandex, order, status):
        complained(yandex.tells(order, status), 400)
        assert yandex.status(order)["status"] == "NEW"

    def test_its_media_types(self, yandex, order):
        complained(yandex.tells(order, "DELIVERED", content_type=ORDER), 415)

    def test_nothing_of_the_courier_is_kept(self, yandex, order):
        before = ours(yandex, order).now()
        answer = yandex.calls("PUT", f"/order/{order}/courier", {
            "courier": {"name": "Пётр Первый", "type": "pedestrian", "phone": "+79990001122", "status": "assigned"},
            "order": {"orderNr": before["platformOrderId"], "batches": []}, "location": {"latitude": 1, "longitude": 2}})
        assert answer.status_code == 204 and not answer.content
        assert ours(yandex, order).now() == before
        complained(yandex.calls("PUT", f"/order/{order}/courier", {"courier": 5}), 400)
        complained(yandex.calls("PUT", f"/order/{order}/courier", b"{", JSON), 400)

    def test_methods_that_there_are_not(self, yandex, order):
        for method, path, allow in (("PATCH", f"/order/{order}/status", "GET, PUT"), ("GET", "/order", "POST"),
                                    ("POST", f"/order/{order}/courier", "PUT")):
            answer = yandex.calls(method, path, {})
            complained(answer, 405)
            assert answer.headers["Allow"] == allow
        refused(yandex.world.call("GET", "/orders"), 404, "Adres bulunamadı")


class TestTrouble:
    def test_a_store_that_stands_still_is_told_in_their_words(self):
        with World(request_deadline="1s") as world:
            yandex = Yandex(world.restaurant())
            order = yandex.sends()
            with world.stalled():
                complained(yandex.tells(order, "DELIVERED"), 500)

    def test_a_moment_of_theirs_is_enough(self, yandex, order):
        began = time.monotonic()
        for _ in range(50):
            yandex.status(order)
        assert time.monotonic() - began < 50 * 5 / 10
