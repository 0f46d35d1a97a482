# SPDX-License-Identifier: Apache-2.0
"""test_bad_days.py - the bad days that any platform may have, on each of them."""

import pytest

from fake import closes, fails, loses, takes
from fake_getiryemek import REASON
from test_metrics import claims
from world import FAKES, World, data, eventually

STEP, WORD = "on-the-way", "teslim-edilecek"
LOGINS = ("getiryemek", "yemeksepeti", "dukkango")
STEPS = {  # of a new order that is delivered
    "getiryemek": ["accept", STEP, "delivered"], "yemeksepeti": ["accept", STEP],
    "trendyolyemek": ["accept", "ready", STEP, "delivered"], "migrosyemek": ["accept", "ready", STEP, "delivered"],
    "dukkango": ["accept", STEP, "delivered"]}
CANCELLED = {"getiryemek": 1500, "yemeksepeti": "REJECTED", "trendyolyemek": "Cancelled", "migrosyemek": 10, "dukkango": 6}
WRONG = {"getiryemek": "restaurantSecretKey", "yemeksepeti": "password", "trendyolyemek": "apiSecret",
         "migrosyemek": "apiKey", "dukkango": "restSecretKey"}
REASONS = {"getiryemek": REASON, "migrosyemek": "12"}  # the others have an "other"
LOOKS = {"getiryemek": ["check"], "trendyolyemek": ["check"], "migrosyemek": ["check"]}  # can be asked in doubt
BRISK = {"step_wait": 0.001, "outbound_timeout": "2s", "lease_slack": "200ms"}  # a lease is 4.2 s
TEXT = 'Çğıİöşü "acılı" \\ 🍕👩‍👧 ñ 中 \u2028 <b>&amp;</b>'
PHONE = "+90 (850) 000-00-00 / доб. 123456 ☎ " + "ş" * 28


@pytest.fixture(params=FAKES)
def name(request):
    return request.param


@pytest.fixture
def platform(shared, name):
    yield shared.platform(name)
    shared.platform(name).heals()


@pytest.fixture
def place(shared, name):
    return shared.restaurant().connected(name)


@pytest.fixture(scope="module")
def patient():
    """A world where the next try is an hour away: what is being retried stays so."""
    with World(retry_schedule="1h") as made:
        yield made


def passes(place, name):
    """An order gets through: whatever was to be called before has been."""
    order = place.order(name, "hazir")
    order.becomes(WORD)
    order.settles("done")


def ends(order, name):
    """The delivery of an order that was delivered; YemekSepeti has no call for that."""
    return order.settles("skipped" if name == "yemeksepeti" else "done")


class TestLogin:
    @pytest.mark.parametrize("name", LOGINS)
    def test_a_token_that_ends_within_each_step_is_renewed_each_time(self, place, name, platform):
        def ended(apply):
            platform.expire_tokens()
            return apply()

        last = STEPS[name][-1]
        platform.next(last, fails(), times=3)  # as often as it may be tried again: what is renewed is no try
        for step in STEPS[name]:
            platform.next(step, ended)
        before = platform.count("login")
        order = place.order(name, "yeni")
        order.becomes("teslim-edildi")
        ends(order, name)
        assert platform.told(order) == STEPS[name]
        for step in STEPS[name]:
            assert [call.status for call in platform.about(order) if call.step == step] == \
                [500] * (3 * (step == last)) + [401, 200]
        assert platform.count("login") == before + 1 + len(STEPS[name])

    def test_wrong_credentials_fail_at_once_and_make_no_storm(self, shared, name, platform):
        place = shared.restaurant()
        place.connect(name, **{WRONG[name]: "yanlis"})
        logins, orders = platform.count("login"), [place.order(name, "hazir") for _ in range(12)]
        for word in (WORD, "teslim-edildi"):
            for order in orders:
                order.becomes(word)
            failed = [order.settles("failed") for order in orders]
        assert {(one["reason"], one["tries"]) for one in failed} == {("login_failed", 0)}
        assert platform.count("login") - logins == (name in LOGINS)
        assert all(len(platform.about(order)) <= (name not in LOGINS) * 2 for order in orders)  # one a fact
        path = f"{place.path}/platforms/{name}"
        shown = eventually(lambda: data(place.call("GET", path)), lambda read: read["state"] != "untested")
        assert (shown["state"], shown["lastError"], shown["breaker"]) == ("login_failed", "login_failed", "closed")
        data(place.call("PUT", path, {"enabled": True, "credentials": place.credentials[name]}))
        assert data(place.call("POST", "/api/v1/deliveries/replay", {"state": "failed"}))["replayed"] == 12
        for order in orders:
            ends(order, name)
            assert platform.told(order) == [step for step in STEPS[name] if step in (STEP, "delivered")]


class TestSlow:
    """A lease is as long as two timeouts and a bit; what a platform takes in all may be longer."""

    @pytest.fixture(scope="class")
    def slow(self):
        with World(**BRISK) as made:
            yield made

    def test_steps_that_take_longer_than_the_lease_together(self, slow):
        orders = {name: slow.restaurant().connected(name).order(name, "yeni") for name in FAKES}
        for name, order in orders.items():
            for step in ("login", *STEPS[name]):
                slow.platform(name).next(step, takes(1.5))
            order.becomes("teslim-edildi")
        for name, order in orders.items():
            ends(order, name)
            assert slow.platform(name).tried(order) == slow.platform(name).told(order) == STEPS[name]

    def test_logins_that_leave_no_time_for_the_step_before_it_is_claimed_anew(self, slow):
        before = claims(slow)["won"]
        orders = {name: slow.restaurant().connected(name).order(name, "hazir", orderType="gel_al") for name in LOGINS}
        for name, order in orders.items():
            platform = slow.platform(name)
            platform.next("login", takes(1.5), times=2)
            platform.next(STEP, lambda apply, platform=platform: (platform.expire_tokens(), takes(1.5)(apply))[1])
            order.becomes(WORD)
        for name, order in orders.items():
            delivery = order.settles("done")
            assert [(call.step, call.status) for call in slow.platform(name).about(order)] == [(STEP, 401), (STEP, 200)]
            assert [row["result"] for row in delivery["log"]] == ["done"]
        assert claims(slow)["won"] == before + 2 * len(orders)

    def test_a_step_that_is_done_but_not_answered_in_time(self, slow, name):
        place, platform = slow.restaurant().connected(name), slow.platform(name)
        order, hang = place.order(name, "hazir"), platform.hang(STEP, done=True)
        order.becomes(WORD)
        order.settles("done")
        assert not hang.released.is_set() and platform.told(order) == []  # it still hangs
        hang.released.set()
        platform.received(STEP, order, times=1 + (name not in LOOKS))
        assert platform.told(order) == [STEP]
        assert sorted(platform.tried(order)) == sorted([STEP, *LOOKS.get(name, [STEP])])


class TestCancel:
    @pytest.mark.parametrize("trouble", [fails(), loses(), closes()], ids=["refused", "lost", "closed"])
    def test_while_on_the_way_is_still_being_retried(self, patient, name, trouble):
        place, platform = patient.restaurant().connected(name), patient.platform(name)
        order = place.order(name, "hazir")
        platform.next(STEP, trouble)
        order.becomes(WORD)
        retried = eventually(order.delivery, lambda one: one["log"])
        assert (retried["state"], retried["step"], retried["tries"]) == ("pending", STEP, 1)
        got_through = platform.told(order) == [STEP]
        order.becomes("cancelled", **({"reasonId": REASONS[name]} if name in REASONS else {}))
        too_late = got_through and name in ("trendyolyemek", "migrosyemek")  # take none from who is on the way
        if too_late:
            eventually(order.delivery, lambda one: one["log"][-1]["step"] == "cancel")
        else:
            order.settles("done")
        assert platform.tried(order) == [STEP, *LOOKS.get(name, []), "cancel"]
        assert platform.told(order) == [STEP] * got_through + ["cancel"] * (not too_late)

    def cancelled_by_the_platform(self, order, name, platform):
        platform.orders[order.platform_id]["state"] = CANCELLED[name]
        order.becomes("cancelled", notifyPlatform=False)
        return order.settles("done")

    def test_the_platforms_own_is_not_sent_back(self, place, name, platform):
        order = place.order(name)
        assert self.cancelled_by_the_platform(order, name, platform)["log"] == []
        passes(place, name)
        assert platform.about(order) == []

    def test_nor_while_something_is_still_being_retried(self, patient, name):
        place, platform = patient.restaurant().connected(name), patient.platform(name)
        order = place.order(name, "hazir")
        platform.next(STEP, fails())
        order.becomes(WORD)
        eventually(order.delivery, lambda one: one["log"])
        done = self.cancelled_by_the_platform(order, name, platform)
        assert (done["nextTryAt"], done["reason"]) == (None, None)
        passes(place, name)
        assert platform.tried(order) == [STEP] and platform.told(order) == []

    def test_nor_where_ours_is_still_being_retried(self, patient, name):
        place, platform = patient.restaurant().connected(name), patient.platform(name)
        order = place.order(name)
        platform.next("cancel", fails())
        order.becomes("cancelled", **({"reasonId": REASONS[name]} if name in REASONS else {}))
        eventually(order.delivery, lambda one: one["log"])
        self.cancelled_by_the_platform(order, name, platform)
        passes(place, name)
        assert platform.tried(order) == ["cancel"] and platform.told(order) == []


class TestTexts:
    """Letters of any language, emoji, and phones of 64 characters."""

    CUSTOMER = {"details": {"name": TEXT, "phone": PHONE},
                "address": {field: TEXT for field in ("detailedAddress", "directions", "street", "district", "city")}}

    @pytest.mark.parametrize("name", (*FAKES, "phone"))
    def test_go_through_as_they_are(self, shared, name):
        assert len(PHONE) == 64
        place = shared.restaurant(name=TEXT)
        if name in FAKES:
            place.connect(name)
        order = place.order(name, customer=self.CUSTOMER, orderNote=TEXT, courierNote=TEXT, displayId="ğ" * 32,
                            items=[{"name": TEXT, "quantity": 1, "note": TEXT, "options": [TEXT]}], badges=["Kapıyı Çalma 🍕"])
        place.courier(name=TEXT).posts(order, 1)
        order.becomes("cancelled", note=TEXT, **({"reasonId": REASONS[name]} if name in REASONS else {}))
        now = order.now()
        for field, value in self.CUSTOMER.items():
            assert {key: now["customer"][field][key] for key in value} == value
        assert (now["orderNote"], now["courierNote"], now["displayId"]) == (TEXT, TEXT, "ğ" * 32)
        assert (now["badges"], now["items"][0]["options"], now["history"][-1]["note"]) == (["Kapıyı Çalma 🍕"], [TEXT], TEXT)
        listed = data(place.call("GET", "/api/v1/orders"))[0]
        assert {**listed, "rev": 0, "updatedAt": 0} == \
            {key: value for key, value in {**now, "rev": 0, "updatedAt": 0}.items() if key in listed}
        assert data(place.call("GET", place.path))["name"] == TEXT
        place.world.restart()
        assert order.now()["customer"] == now["customer"]

    @pytest.mark.parametrize("name, member", [("getiryemek", "cancelNote"), ("yemeksepeti", "message")])
    def test_a_note_reaches_the_platform_that_wants_one(self, place, name, member, platform):
        order = place.order(name)
        order.becomes("cancelled", note=TEXT, **({"reasonId": REASONS[name]} if name in REASONS else {}))
        assert platform.received("cancel", order).json()[member] == TEXT
        order.settles("done")
