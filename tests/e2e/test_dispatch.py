# SPDX-License-Identifier: Apache-2.0
"""test_dispatch.py - the courier firm gets the order: when, how often, how it is signed, and when it does not."""

from datetime import datetime, timedelta, timezone

import pytest

from fake import fails
from fake_courier import SHAPE, misshapen
from world import World, data, eventually, new_id, refused, together

NOTHING = "Kayıt bulunamadı"
PHONE = "+90 555 123 45 67,,0123456789 dahili 0123456789 0123456789 01234"
LETTERS = "ığüşöç İĞÜŞÖÇ 🍕👩‍🍳 \"\\/\n"


def no_courier(reason):
    return 409, f"Kurye çağrılamaz: {reason}"


@pytest.fixture
def place(world):
    return world.restaurant()


def call(order, **fields):
    """The restaurant calls a courier by hand; returns the answer, whatever it is."""
    return order.restaurant.call("POST", f"{order.path}/call-courier", fields or None)


def calls(order, courier, **fields):
    assert data(call(order, **fields)) == {"deliveryId": f"{order.id}-courier", "integrationId": courier.id}


def sent(order):
    """The webhook-ids that came for the order, repeats included."""
    return [one.id for one in order.restaurant.world.firms.about(order)]


def rider(order, times=1, step="dispatch"):
    return f"{order.id}-courier-{times}-{step}"


def settled(order, state="done", step="dispatch"):
    delivery = order.settles(state, "courier")
    assert delivery["step"] == step, delivery
    return delivery


def passes(place):
    """An order after all others is dispatched: what was to come before it would have come."""
    settled(place.order())


def time_of(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def at(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


class TestByItself:
    def test_a_new_order_goes_to_the_firm_at_once(self, world, place):
        courier = place.courier(dispatch=True)
        order = place.order()
        world.firms.received("dispatch", order)
        delivery = settled(order)
        assert delivery["integrationId"] == courier.id and "platform" not in delivery
        assert (delivery["tries"], delivery["nextTryAt"], delivery["reason"]) == (0, None, None)
        assert [(row["step"], row["httpStatus"], row["result"]) for row in delivery["log"]] == [("dispatch", 200, "done")]
        assert sent(order) == [rider(order)]

    def test_it_is_told_what_the_restaurant_knows(self, world, place):
        customer = {"address": {"district": "Kadıköy", "city": "İstanbul", "neighborhood": "Fenerbahçe",
                                "street": "Bağdat Caddesi", "buildingNo": "123", "floor": "4", "apartmentNo": "8",
                                "detailedAddress": LETTERS, "directions": "Kapı kodu: 1234",
                                "location": {"latitude": 40.9857, "longitude": 29.0347}},
                    "details": {"name": LETTERS, "phone": PHONE}}
        place.courier(dispatch=True)
        order = place.order(customer=customer, orderNote=LETTERS, courierNote="Kapı kodu: 1234", hazirlanmaSuresiDk=15,
                            originalPaymentMethod="Kapıda Kredi/Banka Kartı",
                            badgeFlags={"saveGreen": True, "ringDoorBell": False})
        assert world.firms.received("dispatch", order).json() == {
            "kuzeyOrderId": order.id, "restaurantId": place.id, "platform": "phone", "status": "hazirlanacak",
            "orderType": "paket_servis", "createdAt": order.made["createdAt"], "paymentMethod": "card",
            "originalPaymentMethod": "Kapıda Kredi/Banka Kartı", "price": 125.5, "hazirlanmaSuresiDk": 15,
            "badges": ["Yeşili Koru", "Kapıyı Çalma"], "orderNote": LETTERS, "courierNote": "Kapı kodu: 1234",
            "customer": customer}

    def test_what_the_order_lacks_is_null(self, world, place):
        place.courier(dispatch=True)
        told = world.firms.received("dispatch", place.order()).json()
        assert misshapen(told, SHAPE) is None
        assert told["orderNote"] is None and told["customer"]["address"]["location"] is None

    def test_with_the_firms_own_headers(self, world, place):
        place.courier(dispatch=True, dispatchHeaders={"Authorization": "Bearer susam", "X-Sube": "5"})
        order = place.order()
        assert world.firms.received("dispatch", order).headers["Authorization"] == "Bearer susam"
        settled(order)

    def test_no_courier_is_called_for_what_another_fetches(self, place):
        place.courier(dispatch=True)
        own = [place.order(orderType="gel_al"), place.order(own_courier=False), place.order(status="teslim-edilecek"),
               place.order(status="teslim-edildi"), place.order(status="cancelled")]
        passes(place)
        assert [(sent(order), order.delivery("courier")) for order in own] == [([], None)] * len(own)

    def test_a_new_order_waits_until_it_is_accepted(self, world, place):
        place.courier(dispatch=True)
        order, skipped = place.order(status="yeni"), place.order(status="yeni")
        passes(place)
        assert sent(order) == [] and order.delivery("courier") is None
        order.becomes("hazirlaniyor")
        assert world.firms.received("dispatch", order).json()["status"] == "hazirlaniyor"
        skipped.becomes("teslim-edilecek")
        passes(place)
        assert sent(skipped) == []

    def test_later_moves_call_nobody_again(self, place):
        courier = place.courier(dispatch=True)
        order = place.order()
        settled(order)
        order.becomes("hazir")
        courier.posts(order, 1)
        courier.posts(order, 2)
        passes(place)
        assert sent(order) == [rider(order)]
        settled(order)

    def test_a_scheduled_order_goes_out_in_time(self, world, place):
        place.courier(dispatch=True)
        order = place.order(scheduledDate=at(16 * 60 + 3), hazirlanmaSuresiDk=1)
        due = time_of(order.made["scheduledDate"]) - timedelta(minutes=16)
        eventually(lambda: order.delivery("courier"),
                   lambda waits: waits and waits["state"] == "pending" and time_of(waits["nextTryAt"]) == due)
        assert sent(order) == []
        world.firms.received("dispatch", order)
        assert datetime.now(timezone.utc) >= due
        assert settled(order)["tries"] == 0

    def test_without_an_address_nobody_is_called(self, place):
        place.courier()
        order = place.order()
        place.courier(dispatch=True)
        passes(place)
        assert order.delivery("courier") is None and sent(order) == []


class TestByHand:
    def test_the_firm_that_is_named_is_called_once(self, world, place):
        courier = place.courier(dispatch=True, autoDispatch=False)
        order = place.order()
        assert order.delivery("courier") is None
        calls(order, courier, integrationId=courier.id)
        world.firms.received("dispatch", order)
        settled(order)
        calls(order, courier, integrationId=courier.id)
        calls(order, courier, integrationId=courier.id, again=True)
        settled(order)
        assert sent(order) == [rider(order)]

    def test_without_a_name_it_is_that_of_new_orders(self, place):
        courier = place.courier(dispatch=True, autoDispatch=False)
        order = place.order()
        refused(call(order), *no_courier("adres tanımlı değil"))
        courier.changes(autoDispatch=True)
        calls(order, courier)
        settled(order)

    def test_it_calls_for_an_order_that_is_not_accepted_yet(self, world, place):
        courier = place.courier(dispatch=True)
        order = place.order(status="yeni")
        calls(order, courier)
        world.firms.received("dispatch", order)
        order.becomes("hazirlanacak")
        passes(place)
        assert sent(order) == [rider(order)]

    def test_another_firm_is_called_only_again(self, world, place):
        first, second = place.courier(dispatch=True), place.courier(dispatch=True)
        order = place.order()
        settled(order)
        refused(call(order, integrationId=second.id), *no_courier("başka kurye çağrıldı"))
        calls(order, second, integrationId=second.id, again=True)
        assert world.firms.received("dispatch", order, times=2).firm is second.firm
        assert settled(order)["integrationId"] == second.id
        assert sent(order) == [rider(order), rider(order, 2)]
        calls(order, first, integrationId=first.id, again=True)
        assert world.firms.received("dispatch", order, times=3).firm is first.firm
        assert sent(order) == [rider(order), rider(order, 2), rider(order, 3)]

    def test_a_former_firms_late_answer_is_dropped(self, world, place):
        _, second = place.courier(dispatch=True), place.courier(dispatch=True)
        slow = world.firms.hang("dispatch", done=True)
        order = place.order()
        slow.entered.wait(20)
        calls(order, second, integrationId=second.id, again=True)
        assert settled(order)["integrationId"] == second.id
        slow.released.set()
        passes(place)
        now = order.delivery("courier")
        assert (now["state"], now["integrationId"], now["tries"]) == ("done", second.id, 0)
        assert world.firms.riders[order.id] == [rider(order), rider(order, 2)]

    def test_a_failed_call_is_made_anew(self, world, place):
        courier = place.courier(dispatch=True)
        world.firms.next("dispatch", fails(500), times=4)
        order = place.order()
        assert settled(order, "failed")["reason"] == "server_error"
        calls(order, courier)
        settled(order)
        assert set(sent(order)) == {rider(order)}

    def test_the_reasons_why_not(self, place):
        courier, keyed = place.courier(dispatch=True), place.courier()
        silent = place.courier(dispatch=True)
        silent.changes(active=False)
        late = place.order()
        settled(late)
        courier.posts(late, 1)
        refused(call(place.order(orderType="gel_al")), *no_courier("sipariş gel-al"))
        refused(call(place.order(own_courier=False)), *no_courier("platform kuryesi"))
        refused(call(late), *no_courier("sipariş yolda veya bitti"))
        courier.posts(late, 2)
        refused(call(late), *no_courier("sipariş yolda veya bitti"))
        refused(call(place.order(), integrationId=keyed.id), *no_courier("adres tanımlı değil"))
        refused(call(place.order(status="yeni"), integrationId=silent.id), *no_courier("adres tanımlı değil"))
        order = place.order()
        order.becomes("cancelled")
        refused(call(order), *no_courier("sipariş yolda veya bitti"))

    def test_what_is_another_restaurants_does_not_exist(self, world, place):
        place.courier(dispatch=True)
        other = world.restaurant()
        foreign = other.courier(dispatch=True)
        order = place.order()
        refused(other.call("POST", f"{order.path}/call-courier", {}), 404, NOTHING)
        refused(call(order, integrationId=foreign.id), 404, NOTHING)
        refused(call(order, integrationId=new_id()), 404, NOTHING)
        refused(place.call("POST", f"/api/v1/orders/{new_id()}/call-courier"), 404, NOTHING)
        refused(place.call("POST", "/api/v1/orders/x/call-courier"), 404, NOTHING)
        refused(call(order, integrationId="x"), 400, "Geçersiz alan: integrationId")
        refused(call(order, again="yes"), 400, "Geçersiz alan: again")
        refused(world.admin("POST", f"{order.path}/call-courier"), 403, "Bu işlem için yetkiniz yok")

    def test_two_at_once_send_one_rider(self, world, place):
        courier = place.courier(dispatch=True, autoDispatch=False)
        order = place.order()
        answers = together(8, lambda _: place.call("POST", f"{order.path}/call-courier", {"integrationId": courier.id},
                                                   session=world.lone()))
        assert [data(answer)["integrationId"] for answer in answers] == [courier.id] * 8
        settled(order)
        passes_by_hand(place, courier)
        assert sent(order) == [rider(order)]

    def test_two_firms_at_once_send_one_rider(self, world, place):
        couriers = [place.courier(dispatch=True, autoDispatch=False) for _ in range(2)]
        order = place.order()
        answers = together(8, lambda n: place.call("POST", f"{order.path}/call-courier",
                                                   {"integrationId": couriers[n % 2].id}, session=world.lone()))
        assert sorted(answer.status_code for answer in answers) == [200] * 4 + [409] * 4
        settled(order)
        passes_by_hand(place, couriers[0])
        assert sent(order) == [rider(order)]


def passes_by_hand(place, courier):
    order = place.order()
    calls(order, courier, integrationId=courier.id)
    settled(order)


class TestTrouble:
    @pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500, 503])
    def test_what_is_not_taken_is_sent_again_under_the_same_id(self, world, place, status):
        place.courier(dispatch=True)
        world.firms.next("dispatch", fails(status))
        order = place.order()
        assert [row["httpStatus"] for row in settled(order)["log"]] == [status, 200]
        assert sent(order) == [rider(order)] * 2

    def test_any_2xx_is_good(self, world, place):
        place.courier(dispatch=True)
        world.firms.next("dispatch", fails(204, body=b""))
        order = place.order()
        assert [row["httpStatus"] for row in settled(order)["log"]] == [204]

    def test_a_redirect_is_not_followed(self, world, place):
        place.courier(dispatch=True)
        other = world.firms.firm()
        world.firms.next("dispatch", fails(308, headers={"Location": other["url"]}), times=4)
        order = place.order()
        settled(order, "failed")
        assert [one.firm is other for one in world.firms.about(order)] == [False] * 4

    def test_a_lost_answer_means_one_rider(self, world, place):
        place.courier(dispatch=True)
        slow = world.firms.hang("dispatch", done=True)
        order = place.order()
        slow.entered.wait(20)
        slow.released.set()
        settled(order)
        assert sent(order) == [rider(order)] * 2
        assert world.firms.riders[order.id] == [rider(order)]

    def test_a_kill_between_call_and_answer_means_one_rider(self, world, place):
        place.courier(dispatch=True)
        slow = world.firms.hang("dispatch", done=True)
        order = place.order()
        slow.entered.wait(20)
        world.kill()
        slow.released.set()
        world.start()
        settled(order)
        assert set(sent(order)) == {rider(order)} and len(sent(order)) == 2
        assert world.firms.riders[order.id] == [rider(order)]

    def test_a_failed_one_is_replayed_under_its_id(self, world, place):
        place.courier(dispatch=True)
        world.firms.next("dispatch", fails(400), times=4)
        order = place.order()
        failed = settled(order, "failed")
        assert failed["reason"] == "unexpected_answer" and failed["nextTryAt"] is None
        replayed = data(place.call("POST", f"/api/v1/deliveries/{failed['deliveryId']}/replay"))
        assert (replayed["deliveryId"], replayed["state"]) == (failed["deliveryId"], "pending")
        settled(order)
        assert sent(order) == [rider(order)] * 5

    def test_a_slow_firm_delays_no_platform_and_a_slow_platform_no_firm(self, world, place):
        place.connected("dukkango")
        place.courier(dispatch=True)
        slow = world.firms.hang("dispatch")
        order = place.order("dukkango", "yeni")
        order.becomes("hazirlanacak")
        slow.entered.wait(20)
        assert order.settles("done")["step"] == "accept"
        assert order.delivery("courier")["state"] == "pending"
        slow.released.set()
        settled(order)
        slow = world.dukkango.hang("accept")
        order = place.order("dukkango", "yeni")
        order.becomes("hazirlanacak")
        slow.entered.wait(20)
        settled(order)
        assert order.delivery()["state"] == "pending"

    def test_an_address_that_is_gone_is_left_alone_until_it_is_given_anew(self, world, place):
        courier = place.courier(dispatch=True)
        shown = data(place.call("GET", courier.path))
        assert shown["dispatchGoneAt"] is None
        world.firms.next("dispatch", fails(410))
        order = place.order()
        assert settled(order, "failed")["reason"] == "gone"
        gone = eventually(lambda: data(place.call("GET", courier.path)), lambda now: now["dispatchGoneAt"])
        assert gone["active"] is True and gone["dispatchUrl"] == shown["dispatchUrl"]
        assert gone["dispatchGoneAt"] >= order.made["createdAt"]
        later = place.order()
        refused(call(later), *no_courier("adres tanımlı değil"))
        refused(place.call("POST", f"{courier.path}/test-order"), *no_courier("adres tanımlı değil"))
        courier.changes(name="Yeni ad")
        assert data(place.call("GET", courier.path))["dispatchGoneAt"] == gone["dispatchGoneAt"]
        assert courier.changes(dispatchUrl=shown["dispatchUrl"])["dispatchGoneAt"] is None
        passes(place)
        assert sent(later) == [] and later.delivery("courier") is None
        assert sent(order) == [rider(order)]
        calls(order, courier)
        settled(order)

    @pytest.mark.parametrize("ends", ["deactivated", "deleted"])
    def test_what_is_owed_to_a_firm_that_is_no_more_fails_when_it_comes_due(self, place, ends):
        courier = place.courier(dispatch=True)
        order = place.order(scheduledDate=at(16 * 60 + 3), hazirlanmaSuresiDk=1)
        assert settled(order, "pending")["integrationId"] == courier.id
        if ends == "deleted":
            data(place.call("DELETE", courier.path))
        else:
            courier.changes(active=False)
        assert settled(order, "failed")["reason"] == "not_connected"
        assert sent(order) == []

    def test_a_private_address_is_never_called(self):
        with World(outbound_allow=None) as world:
            place = world.restaurant()
            firm = world.firms.firm()
            refused(place.call("POST", f"{place.path}/courier-integrations",
                               {"name": "x", "dispatchUrl": firm["url"]}), 400, "Geçersiz alan: dispatchUrl")
            place.courier(dispatchUrl=firm["url"].replace("http://127.0.0.1", "https://localhost"))
            order = place.order()
            assert settled(order, "failed")["reason"]
            assert world.firms.calls == []


class TestCancel:
    def test_a_firm_that_wants_to_know_is_told(self, world, place):
        place.courier(dispatch=True, notifyCancel=True)
        order = place.order()
        settled(order)
        order.becomes("cancelled")
        told = world.firms.received("dispatch-cancel", order)
        first = world.firms.received("dispatch", order)
        assert told.json() == {**first.json(), "status": "cancelled"}
        settled(order, step="dispatch-cancel")
        assert sent(order) == [rider(order), rider(order, step="dispatch-cancel")]

    def test_a_firm_that_does_not_is_not(self, place):
        place.courier(dispatch=True)
        order = place.order()
        settled(order)
        order.becomes("cancelled")
        passes(place)
        assert sent(order) == [rider(order)]
        assert order.delivery("courier")["state"] == "done"

    def test_who_was_never_told_is_not_told_of_its_end(self, world, place):
        place.courier(dispatch=True, notifyCancel=True)
        new, scheduled = place.order(status="yeni"), place.order(scheduledDate=at(3 * 3600))
        settled(scheduled, "pending")
        new.becomes("cancelled")
        scheduled.becomes("cancelled")
        passes(place)
        assert world.firms.about(new) == [] and world.firms.about(scheduled) == []
        assert scheduled.settles("skipped", "courier")["nextTryAt"] is None

    def test_a_restart_in_between_does_not_change_that(self, world, place):
        place.courier(dispatch=True, notifyCancel=True)
        order = place.order(scheduledDate=at(3 * 3600))
        eventually(lambda: order.delivery("courier"),
                   lambda waits: waits and time_of(waits["nextTryAt"]) > datetime.now(timezone.utc) + timedelta(hours=1))
        world.restart()
        order.becomes("cancelled")
        passes(place)
        assert world.firms.about(order) == []
        assert order.settles("skipped", "courier")["step"] is None

    def test_a_cancel_overtakes_a_dispatch_that_is_still_tried(self):
        with World(retry_schedule="1h") as world:
            place = world.restaurant()
            place.courier(dispatch=True, notifyCancel=True)
            world.firms.next("dispatch", fails(500))
            order = place.order()
            eventually(lambda: order.delivery("courier"), lambda delivery: delivery and delivery["tries"] == 1)
            order.becomes("cancelled")
            settled(order, step="dispatch-cancel")
            assert sent(order) == [rider(order), rider(order, step="dispatch-cancel")]

    def test_a_firm_that_refused_the_order_is_not_told_of_its_end(self):
        with World(retry_schedule="1h") as world:
            place = world.restaurant()
            place.courier(dispatch=True, notifyCancel=True)
            world.firms.next("dispatch", fails(400))
            order = place.order()
            eventually(lambda: order.delivery("courier"), lambda delivery: delivery and delivery["tries"] == 1)
            order.becomes("cancelled")
            passes(place)
            assert sent(order) == [rider(order)]


class TestSignature:
    def test_it_is_signed_by_the_secret_that_was_shown(self, world, place):
        courier = place.courier(dispatch=True)
        told = world.firms.received("dispatch", place.order())
        assert told.signed_by == [courier.made["signingSecret"]]
        assert len(told.headers["webhook-signature"].split(" ")) == 1

    def test_while_an_old_secret_is_good_it_is_signed_by_both(self, world, place):
        courier = place.courier(dispatch=True)
        new = data(place.call("POST", f"{courier.path}/rotate-signing-secret", {"graceSeconds": 4}))["signingSecret"]
        courier.firm["secrets"].append(new)
        told = world.firms.received("dispatch", place.order())
        assert told.signed_by == [courier.made["signingSecret"], new]
        assert len(told.headers["webhook-signature"].split(" ")) == 2

        def signed_by():
            return world.firms.received("dispatch", place.order()).signed_by
        assert eventually(signed_by, lambda by: len(by) == 1, pause=0.5) == [new]

    def test_without_grace_the_old_one_signs_nothing_more(self, world, place):
        courier = place.courier(dispatch=True)
        new = data(place.call("POST", f"{courier.path}/rotate-signing-secret", {"graceSeconds": 0}))["signingSecret"]
        courier.firm["secrets"].append(new)
        assert world.firms.received("dispatch", place.order()).signed_by == [new]


class TestTestOrder:
    @pytest.mark.parametrize("who", ["restaurant", "admin"])
    def test_it_shows_a_firm_that_all_is_well(self, world, place, who):
        place.courier(dispatch=True)
        courier = place.courier(dispatch=True)
        ask = place.call if who == "restaurant" else world.admin
        made = data(ask("POST", f"{courier.path}/test-order"), 201)
        order = data(place.call("GET", f"/api/v1/orders/{made['orderId']}"))
        assert made["deliveryId"] == f"{made['orderId']}-courier"
        assert order["platform"] == "phone" and order["customer"]["details"]["name"] == "TEST"
        told = eventually(lambda: [one for one in world.firms.calls if one.order == made["orderId"]], len)[0]
        assert told.firm is courier.firm and told.json()["customer"]["details"]["name"] == "TEST"
        assert [d["deliveryId"] for d in order["deliveries"]] == [made["deliveryId"]]

    def test_only_a_firm_that_can_be_told_is_tested(self, world, place):
        courier, keyed = place.courier(dispatch=True), place.courier()
        refused(place.call("POST", f"{keyed.path}/test-order"), *no_courier("adres tanımlı değil"))
        courier.changes(active=False)
        refused(place.call("POST", f"{courier.path}/test-order"), *no_courier("adres tanımlı değil"))
        refused(place.call("POST", f"{place.path}/courier-integrations/{new_id()}/test-order"), 404, NOTHING)
        refused(world.restaurant().call("POST", f"{courier.path}/test-order"), 404, NOTHING)


def test_it_is_listed_among_the_deliveries(world, place):
    courier = place.courier(dispatch=True)
    order = place.order()
    settled(order)
    world.firms.next("dispatch", fails(400), times=4)
    failed = place.order()
    settled(failed, "failed")
    rows = data(place.call("GET", "/api/v1/deliveries"))
    assert [(row["deliveryId"], row["state"], row["integrationId"]) for row in rows] == [
        (f"{failed.id}-courier", "failed", courier.id), (f"{order.id}-courier", "done", courier.id)]
    rows = data(place.call("GET", "/api/v1/deliveries?state=failed"))
    assert [row["deliveryId"] for row in rows] == [f"{failed.id}-courier"]
    assert data(world.admin("POST", "/api/v1/deliveries/replay", {"state": "failed"})) == {"replayed": 1, "more": False}
    settled(failed)


def test_a_platform_that_is_named_has_nothing_to_do_with_firms(world, place):
    place.connected("dukkango")
    place.courier(dispatch=True)
    world.firms.next("dispatch", fails(400), times=4)
    world.dukkango.next("accept", fails(500), times=4)
    order = place.order("dukkango", "yeni")
    order.becomes("hazirlanacak")
    order.settles("failed")
    settled(order, "failed")
    rows = data(place.call("GET", "/api/v1/deliveries?state=failed&platform=dukkango"))
    assert [row["deliveryId"] for row in rows] == [f"{order.id}-platform"]
    again = {"state": "failed", "platform": "dukkango"}
    assert data(place.call("POST", "/api/v1/deliveries/replay", again)) == {"replayed": 1, "more": False}
    order.settles("done")
    settled(order, "failed")
    assert data(place.call("POST", "/api/v1/deliveries/replay", {"state": "failed"}))["replayed"] == 1
    settled(order)


def test_a_platforms_order_goes_to_both(world, place):
    place.connected("trendyolyemek")
    courier = place.courier(dispatch=True)
    order = place.order("trendyolyemek", "yeni")
    order.becomes("hazirlanacak")
    settled(order)
    order.settles("done")
    assert world.firms.received("dispatch", order).json()["platform"] == "trendyolyemek"
    courier.posts(order, 2)
    order.settles("done")
    assert [row["deliveryId"] for row in order.now()["deliveries"]] == [f"{order.id}-platform", f"{order.id}-courier"]
    assert sent(order) == [rider(order)]
