# SPDX-License-Identifier: Apache-2.0
"""test_provisioning.py - restaurants, their tokens, courier integrations and platform accounts."""

import json
import re

import pytest

from world import PLATFORMS, data, eventually, new_id, refused

NO_ACCESS = (401, "Kimlik doğrulama gerekli")
NOT_ALLOWED = (403, "Bu işlem için yetkiniz yok")
NO_RECORD = (404, "Kayıt bulunamadı")
TAKEN = (409, "Bu kimlik kullanılıyor")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
RESTAURANTS = "/api/v1/restaurants"


def bad_field(path):
    return 400, f"Geçersiz alan: {path}"


@pytest.fixture
def fresh(shared):
    """A restaurant that no other test has touched."""
    return shared.restaurant()


class TestRestaurants:
    def test_creation_shows_the_token_once(self, shared):
        made = data(shared.admin("POST", RESTAURANTS, {"name": "Köfteci"}), 201)
        assert re.fullmatch(r"[0-9a-f]{24}", made["restaurantId"])
        assert re.fullmatch(r"krt_[A-Za-z0-9_-]{27,}", made["token"])  # 160 bits need 27 of these
        assert (made["name"], made["active"]) == ("Köfteci", True)
        assert STAMP.fullmatch(made["createdAt"]) and STAMP.fullmatch(made["updatedAt"])
        read = data(shared.admin("GET", f"{RESTAURANTS}/{made['restaurantId']}"))
        shown = ("restaurantId", "name", "active", "createdAt", "updatedAt")
        assert read == {name: made[name] for name in shown}

    def test_it_may_bring_its_own_id_in_any_case(self, shared):
        own = new_id()
        made = data(shared.admin("POST", RESTAURANTS, {"name": "POS", "restaurantId": own.upper()}), 201)
        assert made["restaurantId"] == own
        refused(shared.admin("POST", RESTAURANTS, {"name": "Yine", "restaurantId": own}), *TAKEN)

    @pytest.mark.parametrize("body, path", [
        *[({"name": bad}, "name") for bad in (None, "", 5, [])],
        *[({"name": "x", "restaurantId": bad}, "restaurantId") for bad in ("12", 5, "")]])
    def test_a_bad_field_is_named(self, shared, body, path):
        refused(shared.admin("POST", RESTAURANTS, body), *bad_field(path))

    def test_the_list_is_newest_first_and_paged(self, world):
        ids = [world.restaurant(name=f"{n}").id for n in range(5)]
        seen, after = [], ""
        while True:
            page = world.admin("GET", f"{RESTAURANTS}?limit=2{after}")
            assert "token" not in page.text
            seen += [row["restaurantId"] for row in data(page)]
            if page.json()["next"] is None:
                break
            after = f"&after={page.json()['next']}"
        assert seen == ids[::-1]

    def test_the_name_may_be_changed_by_the_restaurant_itself(self, fresh):
        before = data(fresh.call("GET", fresh.path))
        after = data(fresh.call("PATCH", fresh.path, {"name": "Yeni Ad"}))
        assert after["name"] == "Yeni Ad" and after["updatedAt"] >= before["updatedAt"]
        assert data(fresh.call("GET", fresh.path)) == after

    def test_only_the_admin_may_deactivate(self, shared, fresh):
        refused(fresh.call("PATCH", fresh.path, {"active": False}), *NOT_ALLOWED)
        assert data(shared.admin("PATCH", fresh.path, {"active": False}))["active"] is False
        refused(fresh.call("GET", fresh.path), *NO_ACCESS)
        data(shared.admin("PATCH", fresh.path, {"active": True}))
        assert data(fresh.call("GET", fresh.path))["active"] is True

    def test_calls_promised_before_a_deactivation_still_go_out(self, shared):
        restaurant = shared.restaurant().connected("dukkango")
        courier, order = restaurant.courier(), restaurant.order("dukkango")
        hang = shared.dukkango.hang("login")
        courier.posts(order, 1)
        assert hang.entered.wait(20)
        data(shared.admin("PATCH", restaurant.path, {"active": False}))
        hang.released.set()
        shared.dukkango.received("on-the-way", order)


class TestWho:
    """Roles: nobody, the wrong one, a stranger."""

    OWN = [("GET", ""), ("PATCH", ""), ("GET", "/tokens"), ("POST", "/tokens"), ("GET", "/platforms"),
           ("GET", "/platforms/dukkango"), ("PUT", "/platforms/dukkango"), ("DELETE", "/platforms/dukkango"),
           ("GET", "/courier-integrations"), ("POST", "/courier-integrations")]

    @pytest.mark.parametrize("method, path", OWN)
    def test_nobody_is_401(self, shared, fresh, method, path):
        refused(shared.call(method, fresh.path + path, {}), *NO_ACCESS)
        for token in ("x", "krt_" + "a" * 40, fresh.token[:-1] + "_", shared.admin_token + "x"):
            refused(shared.call(method, fresh.path + path, {}, token=token), *NO_ACCESS)

    @pytest.mark.parametrize("method, path", OWN)
    def test_another_restaurant_finds_nothing(self, shared, fresh, method, path):
        refused(shared.restaurant().call(method, fresh.path + path, {"name": "x"}), *NO_RECORD)

    @pytest.mark.parametrize("method, path", [("GET", ""), ("GET", "/tokens"), ("GET", "/platforms"),
                                              ("GET", "/courier-integrations")])
    def test_the_admin_may_look(self, shared, fresh, method, path):
        data(shared.admin(method, fresh.path + path))

    def test_only_the_admin_makes_restaurants(self, fresh):
        refused(fresh.call("POST", RESTAURANTS, {"name": "x"}), *NOT_ALLOWED)

    def test_a_restaurant_lists_itself_alone(self, shared, fresh):
        shared.restaurant()
        assert [one["restaurantId"] for one in data(fresh.call("GET", RESTAURANTS))] == [fresh.id]

    def test_a_courier_key_is_no_token(self, shared, fresh):
        refused(shared.call("GET", fresh.path, token=fresh.courier().key), *NO_ACCESS)
        refused(shared.call("GET", fresh.path, headers={"x-api-key": fresh.courier().key}), *NO_ACCESS)

    @pytest.mark.parametrize("header", ["Basic eDp5", "Bearer", "Bearer ", "bearer"])
    def test_another_scheme_is_401(self, shared, fresh, header):
        refused(shared.call("GET", fresh.path, headers={"Authorization": header}), *NO_ACCESS)

    def test_an_id_that_is_none_is_not_found(self, shared):
        refused(shared.admin("GET", f"{RESTAURANTS}/{new_id()}"), *NO_RECORD)
        assert shared.admin("GET", f"{RESTAURANTS}/12").status_code == 404

    def test_without_an_admin_token_there_is_no_admin(self, world):
        world.restart(admin_token=None)
        for token in (world.admin_token, "", "null", "(null)"):
            refused(world.call("GET", RESTAURANTS, headers={"Authorization": f"Bearer {token}"}), *NO_ACCESS)


class TestTokens:
    def test_one_per_tablet_each_revocable(self, shared, fresh):
        made = data(fresh.call("POST", f"{fresh.path}/tokens", {"name": "Kasa"}), 201)
        assert set(made) == {"tokenId", "name", "token", "createdAt"}
        data(shared.call("GET", fresh.path, token=made["token"]))
        listed = fresh.call("GET", f"{fresh.path}/tokens")
        assert made["token"] not in listed.text and fresh.token not in listed.text
        row = [one for one in data(listed) if one["tokenId"] == made["tokenId"]][0]
        assert row["name"] == "Kasa" and made["token"][-4:] in row.values()
        assert data(fresh.call("DELETE", f"{fresh.path}/tokens/{made['tokenId']}")) == {}
        refused(shared.call("GET", fresh.path, token=made["token"]), *NO_ACCESS)
        assert made["tokenId"] not in fresh.call("GET", f"{fresh.path}/tokens").text
        refused(fresh.call("DELETE", f"{fresh.path}/tokens/{made['tokenId']}"), *NO_RECORD)

    def test_a_token_of_another_restaurant_cannot_be_revoked(self, shared, fresh):
        theirs = shared.restaurant()
        row = data(theirs.call("GET", f"{theirs.path}/tokens"))[0]
        refused(fresh.call("DELETE", f"{fresh.path}/tokens/{row['tokenId']}"), *NO_RECORD)
        refused(fresh.call("DELETE", f"{theirs.path}/tokens/{row['tokenId']}"), *NO_RECORD)
        data(theirs.call("GET", theirs.path))

    def test_it_lasts_over_a_restart(self, world):
        restaurant = world.restaurant()
        world.restart()
        data(restaurant.call("GET", restaurant.path))


class TestCourierIntegrations:
    SHOWN = {"integrationId", "name", "active", "keyPrefix", "keyLast4", "dispatchUrl", "dispatchGoneAt",
             "dispatchHeaderNames", "autoDispatch", "notifyCancel", "createdAt", "updatedAt"}

    def test_the_key_and_the_secret_are_shown_once(self, fresh):
        made = fresh.courier(name="Motor").made
        assert set(made) == self.SHOWN | {"apiKey", "signingSecret"}
        assert re.fullmatch(r"krk_[A-Za-z0-9_-]{27,}", made["apiKey"])
        assert made["signingSecret"].startswith("whsec_")
        assert made["apiKey"].startswith(made["keyPrefix"]) and len(made["keyPrefix"]) <= 12
        assert made["apiKey"].endswith(made["keyLast4"]) and len(made["keyLast4"]) == 4
        assert (made["name"], made["active"], made["dispatchUrl"]) == ("Motor", True, None)
        path = f"{fresh.path}/courier-integrations"
        for answer in (fresh.call("GET", f"{path}/{made['integrationId']}"), fresh.call("GET", path)):
            assert made["apiKey"] not in answer.text and made["signingSecret"] not in answer.text
        assert set(data(fresh.call("GET", f"{path}/{made['integrationId']}"))) == self.SHOWN

    def test_no_two_keys_are_alike(self, fresh):
        made = [fresh.courier().made for _ in range(5)]
        assert len({one["apiKey"] for one in made} | {one["signingSecret"] for one in made}) == 10

    @pytest.mark.parametrize("body, path", [
        *[({"name": bad}, "name") for bad in (None, "", 5)],
        ({"name": "x", "autoDispatch": "yes"}, "autoDispatch"),
        ({"name": "x", "notifyCancel": 1}, "notifyCancel"),
        *[({"name": "x", "dispatchUrl": bad}, "dispatchUrl") for bad in (
            5, "nonsense", "ftp://example.com/", "https://user:pass@example.com/")]])
    def test_a_bad_field_is_named(self, fresh, body, path):
        refused(fresh.call("POST", f"{fresh.path}/courier-integrations", body), *bad_field(path))

    def test_it_may_be_renamed_deactivated_and_deleted(self, fresh):
        courier = fresh.courier()
        assert data(fresh.call("PATCH", courier.path, {"name": "Yeni"}))["name"] == "Yeni"
        assert data(fresh.call("PATCH", courier.path, {"active": False}))["active"] is False
        refused(fresh.call("PATCH", courier.path, {"name": None}), *bad_field("name"))
        assert data(fresh.call("DELETE", courier.path)) == {}
        refused(fresh.call("GET", courier.path), *NO_RECORD)
        refused(fresh.call("PATCH", courier.path, {"name": "x"}), *NO_RECORD)
        refused(fresh.call("DELETE", courier.path), *NO_RECORD)
        assert data(fresh.call("GET", f"{fresh.path}/courier-integrations")) == []

    def test_rotation_shows_the_new_key_once(self, fresh):
        courier = fresh.courier()
        answer = fresh.call("POST", f"{courier.path}/rotate-key", {"graceSeconds": 604800})
        made = data(answer)
        assert set(made) == {"apiKey", "oldKeyValidUntil"}
        read = fresh.call("GET", courier.path)
        assert made["apiKey"] not in read.text and data(read)["keyLast4"] == made["apiKey"][-4:]

    @pytest.mark.parametrize("grace", [-1, 604801, 1.5, "60", True])
    def test_a_bad_grace_is_named(self, fresh, grace):
        refused(fresh.call("POST", f"{fresh.courier().path}/rotate-key", {"graceSeconds": grace}),
                *bad_field("graceSeconds"))

    def test_the_signing_secret_rotates_too(self, fresh):
        courier = fresh.courier()
        made = data(fresh.call("POST", f"{courier.path}/rotate-signing-secret", {}))
        assert set(made) == {"signingSecret", "oldSecretValidUntil"}
        assert made["signingSecret"] not in (courier.made["signingSecret"], None)

    def test_another_restaurant_finds_nothing(self, shared, fresh):
        courier, stranger = fresh.courier(), shared.restaurant()
        swapped = f"{stranger.path}/courier-integrations/{courier.id}"
        for path in (courier.path, swapped):
            refused(stranger.call("GET", path), *NO_RECORD)
            refused(stranger.call("PATCH", path, {"name": "x"}), *NO_RECORD)
            refused(stranger.call("DELETE", path), *NO_RECORD)
            refused(stranger.call("POST", f"{path}/rotate-key", {}), *NO_RECORD)
        assert data(fresh.call("GET", courier.path))["name"] == "Hızlı Kurye"


class TestPlatforms:
    SHOWN = {"platform", "enabled", "credentialFields", "state", "lastError", "breaker", "updatedAt"}

    @pytest.mark.parametrize("platform", PLATFORMS)
    def test_credentials_go_in_and_never_come_out(self, shared, fresh, platform):
        made = fresh.connect(platform)
        account = fresh.credentials[platform]
        assert set(made) == self.SHOWN
        assert sorted(made["credentialFields"]) == sorted(account)
        assert (made["platform"], made["enabled"], made["state"], made["breaker"]) == (
            platform, True, "untested", "closed")
        path = f"{fresh.path}/platforms"
        for who in (fresh.call, shared.admin):
            for answer in (who("GET", f"{path}/{platform}"), who("GET", path)):
                assert data(answer)
                assert not [value for value in account.values() if value in answer.text]

    def test_they_are_kept_when_left_out(self, shared):
        restaurant = shared.restaurant().connected("dukkango")
        path = f"{restaurant.path}/platforms/dukkango"
        assert data(restaurant.call("PUT", path, {"enabled": False}))["enabled"] is False
        assert data(restaurant.call("PUT", path, {"enabled": True}))["enabled"] is True
        order = restaurant.order("dukkango")
        restaurant.courier().posts(order, 1)
        shared.dukkango.received("on-the-way", order)

    @pytest.mark.parametrize("changes, path", [
        ({"enabled": None}, "enabled"), ({"enabled": "yes"}, "enabled"),
        ({"credentials": "x"}, "credentials"),
        ({"credentials": {"appSecretKey": "a"}}, "credentials.restSecretKey"),
        ({"credentials": {"appSecretKey": "a", "restSecretKey": 5}}, "credentials.restSecretKey"),
        ({"credentials": {"appSecretKey": "a", "restSecretKey": "b", "pin": "1"}}, "credentials.pin")])
    def test_a_bad_field_is_named(self, fresh, changes, path):
        body = {"enabled": True, "credentials": {"appSecretKey": "a", "restSecretKey": "b"}, **changes}
        refused(fresh.call("PUT", f"{fresh.path}/platforms/dukkango", body), *bad_field(path))

    def test_trendyols_header_values_must_be_ascii(self, shared, fresh):
        account = shared.trendyolyemek.account()
        refused(fresh.call("PUT", f"{fresh.path}/platforms/trendyolyemek",
                           {"enabled": True, "credentials": {**account, "agentName": "Yazılım"}}),
                *bad_field("credentials.agentName"))

    def test_a_platform_that_does_not_exist_is_not_found(self, fresh):
        for method in ("GET", "PUT", "DELETE"):
            body = {"enabled": True, "credentials": {}}
            assert fresh.call(method, f"{fresh.path}/platforms/benimyemek", body).status_code == 404

    def test_one_that_is_not_connected_is_not_found(self, fresh):
        refused(fresh.call("GET", f"{fresh.path}/platforms/dukkango"), *NO_RECORD)
        assert data(fresh.call("GET", f"{fresh.path}/platforms")) == []

    def test_a_deleted_one_is_gone(self, fresh):
        fresh.connect("dukkango")
        assert data(fresh.call("DELETE", f"{fresh.path}/platforms/dukkango")) == {}
        refused(fresh.call("GET", f"{fresh.path}/platforms/dukkango"), *NO_RECORD)

    def test_a_login_that_works_is_shown(self, shared):
        restaurant = shared.restaurant().connected("dukkango")
        order = restaurant.order("dukkango")
        restaurant.courier().posts(order, 1)
        order.settles("done")
        read = eventually(lambda: data(restaurant.call("GET", f"{restaurant.path}/platforms/dukkango")),
                          lambda connection: connection["state"] != "untested")
        assert (read["state"], read["lastError"]) == ("ok", None)


def test_all_of_it_lasts_over_a_restart(world):
    platforms = ("migrosyemek", "trendyolyemek")  # which nobody polls: the first poll says something of the login
    restaurant = world.restaurant().connected(*platforms)
    courier = restaurant.courier()
    paths = [restaurant.path, f"{restaurant.path}/platforms", f"{restaurant.path}/tokens",
             f"{restaurant.path}/courier-integrations"]
    before = [json.dumps(data(restaurant.call("GET", path))) for path in paths]
    world.restart()
    assert [json.dumps(data(restaurant.call("GET", path))) for path in paths] == before
    orders = [restaurant.order(platform) for platform in platforms]
    for order in orders:
        courier.posts(order, 1)
        order.settles("done")
