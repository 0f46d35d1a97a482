# SPDX-License-Identifier: Apache-2.0
"""test_auto_dispatch.py - which courier firm orders go to by themselves: one at most, and always one with an address."""

import pytest

from world import data, refused, together

A, B = "https://a.example/orders", "https://b.example/orders"
NO_ADDRESS = (400, "Geçersiz alan: autoDispatch")


class Firms:
    """The courier firms of a restaurant that no other test has touched, by name."""

    def __init__(self, world):
        self.restaurant = world.restaurant()
        self.path = f"{self.restaurant.path}/courier-integrations"
        self.ids = {}

    def adds(self, name, /, url=None, **fields):
        made = data(self.restaurant.call("POST", self.path, {"name": name, "dispatchUrl": url, **fields}), 201)
        self.ids[name] = made["integrationId"]
        return made["autoDispatch"]

    def change(self, name, /, **fields):
        return self.restaurant.call("PATCH", f"{self.path}/{self.ids[name]}", fields)

    def changes(self, name, /, **fields):
        return data(self.change(name, **fields))["autoDispatch"]

    def drops(self, name):
        assert data(self.restaurant.call("DELETE", f"{self.path}/{self.ids.pop(name)}")) == {}

    def chosen(self):
        """The names of those that have it; one by one they say the same as the list."""
        rows = data(self.restaurant.call("GET", self.path))
        for row in rows:
            assert data(self.restaurant.call("GET", f"{self.path}/{row['integrationId']}")) == row
        return [row["name"] for row in rows if row["autoDispatch"]]


@pytest.fixture
def firms(shared):
    return Firms(shared)


def test_the_first_with_an_address_has_it(firms):
    assert firms.adds("keyed") is False
    assert firms.adds("first", A) is True
    assert firms.adds("second", B) is False
    assert firms.chosen() == ["first"]


def test_the_first_to_be_given_an_address_has_it(firms):
    firms.adds("keyed")
    assert firms.changes("keyed", dispatchUrl=A) is True
    assert firms.changes("keyed", dispatchUrl=B) is True
    assert firms.chosen() == ["keyed"]


def test_no_means_no(firms):
    assert firms.adds("first", A, autoDispatch=False) is False
    assert firms.adds("second", B) is False
    assert firms.changes("first", dispatchUrl=B) is False
    assert firms.chosen() == []


def test_null_leaves_a_new_one_to_us_and_turns_an_old_one_off(firms):
    assert firms.adds("first", A, autoDispatch=None) is True
    assert firms.changes("first", autoDispatch=None) is False


def test_turning_it_on_moves_it(firms):
    firms.adds("first", A)
    assert firms.adds("second", B, autoDispatch=True) is True
    assert firms.chosen() == ["second"]
    assert firms.changes("first", autoDispatch=True) is True
    assert firms.chosen() == ["first"]
    assert firms.changes("second", autoDispatch=False) is False
    assert firms.chosen() == ["first"]
    assert firms.changes("first", autoDispatch=False) is False
    assert firms.chosen() == []


def test_other_changes_leave_it_alone(firms):
    firms.adds("first", A)
    firms.adds("second", B)
    assert firms.changes("first", name="Yeni", dispatchUrl=B) is True
    assert firms.changes("second", notifyCancel=True) is False
    assert firms.chosen() == ["Yeni"]


def test_without_an_address_nobody_has_it(firms):
    firms.adds("keyed")
    refused(firms.restaurant.call("POST", firms.path, {"name": "x", "autoDispatch": True}), *NO_ADDRESS)
    refused(firms.change("keyed", name="x", autoDispatch=True), *NO_ADDRESS)
    assert firms.changes("keyed", autoDispatch=True, dispatchUrl=A) is True
    assert firms.changes("keyed", dispatchUrl=None) is False
    assert firms.chosen() == []


def test_a_deleted_one_leaves_the_place_to_the_next_first(firms):
    firms.adds("first", A)
    firms.drops("first")
    assert firms.adds("again", A) is True
    firms.adds("second", B)
    firms.drops("again")
    assert firms.chosen() == []
    assert firms.adds("third", A) is False


def test_eight_at_once_leave_one_at_most(firms):
    world = firms.restaurant.world
    made = together(8, lambda n: firms.restaurant.call(
        "POST", firms.path, {"name": f"{n}", "dispatchUrl": A, "autoDispatch": True}, session=world.lone()))
    assert [answer.status_code for answer in made] == [201] * 8
    assert len(firms.chosen()) == 1


class TestDispatchHeaders:
    def test_names_are_shown_and_values_are_not(self, firms):
        firms.adds("first", A, dispatchHeaders={"Authorization": "Bearer sesame", "X-Branch": "5"})
        answer = firms.restaurant.call("GET", firms.path)
        assert data(answer)[0]["dispatchHeaderNames"] == ["Authorization", "X-Branch"]
        assert "sesame" not in answer.text
        assert data(firms.change("first", dispatchHeaders=None))["dispatchHeaderNames"] == []

    @pytest.mark.parametrize("headers, path", [
        ({"Host": "x"}, "dispatchHeaders.Host"), ({"content-type": "x"}, "dispatchHeaders.content-type"),
        ({"Webhook-Id": "x"}, "dispatchHeaders.Webhook-Id"), ({"X-A": "a\r\nHost: b"}, "dispatchHeaders.X-A"),
        ({"X-A": 5}, "dispatchHeaders.X-A"), ({"X A": "b"}, "dispatchHeaders"), (["x"], "dispatchHeaders"),
        ({f"X-{n}": "x" for n in range(17)}, "dispatchHeaders")])
    def test_what_is_not_theirs_to_say_is_refused_by_name(self, firms, headers, path):
        refused(firms.restaurant.call("POST", firms.path, {"name": "x", "dispatchHeaders": headers}),
                400, f"Geçersiz alan: {path}")
