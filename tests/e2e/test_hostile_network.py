# SPDX-License-Identifier: Apache-2.0
"""test_hostile_network.py - what is between kuryed and whom it calls: TLS that is none, certificates of others, names that hang
or lead elsewhere, and everybody hanging but one."""

import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from below import Network
from certificates import DAY, Authority
from hostile import GREETINGS, Front, waits
from test_guard import fails, inside, is_called, order_for  # noqa: F401, a fixture
from test_lanes import STEP, WORD, logged_in
from world import FAKES, World

NAME = "platform.test"


def front_of(world, platform, context=None):
    return Front(world.platform(platform).server.server_port, context)


class TestTls:
    """Trendyol Yemek, by https at a name of the test's; nothing of a call was sent, so that there is no doubt about it."""

    @pytest.fixture(scope="class")
    def authority(self, tmp_path_factory):
        return Authority(tmp_path_factory.mktemp("authority"))

    @pytest.fixture(scope="class")
    def world(self, authority):
        with World(below=Network, outbound_timeout="1s", retry_schedule="10ms", step_wait=0.001) as made:
            with front_of(made, "trendyolyemek", authority.server(NAME)) as made.front:
                made.below.leads(NAME, "127.0.0.1")
                made.below.believes(authority)
                made.restart(trendyolyemek_url=f"https://{NAME}:{made.front.port}")
                yield made

    @pytest.fixture
    def order(self, world):
        return world.restaurant().connected("trendyolyemek").order("trendyolyemek", "hazir")

    def told(self, world, order, tries):
        """It is told at the second try, and the first one was none of which anything may have come."""
        log = order.settles("done")["log"]
        assert world.trendyolyemek.tried(order) == world.trendyolyemek.told(order) == [STEP]
        assert [row["result"] for row in log] == ["retry"] * tries + ["done"]
        return log[0]["reason"]

    def test_what_our_authority_signed_is_called(self, world, order):
        order.becomes(WORD)
        self.told(world, order, 0)

    @pytest.mark.parametrize("name", GREETINGS)
    def test_a_handshake_that_does_not_end(self, world, order, name):
        """Others are told while it goes on, whatever the thread has to read."""
        world.front.meets(GREETINGS[name])
        order.becomes(WORD)
        other = logged_in(world, "dukkango").order("dukkango", "hazir")
        other.becomes(WORD)
        other.settles("done")
        self.told(world, order, 1)

    CERTIFICATES = {"another's name": {"host": "evil.test"}, "of yesterday": {"host": NAME, "begins": -3 * DAY, "ends": -2 * DAY},
                    "of tomorrow": {"host": NAME, "begins": 2 * DAY, "ends": 3 * DAY}, "signed by itself": {"host": NAME, "alone": True},
                    "a part of the name": {"host": "*.test.platform.test"}}

    @pytest.mark.parametrize("name", CERTIFICATES)
    def test_a_certificate_that_is_not_the_platforms(self, world, authority, order, name):
        self.is_not_taken(world, order, authority.server(**self.CERTIFICATES[name]))

    def test_an_authority_that_nobody_believes(self, world, tmp_path, order):
        self.is_not_taken(world, order, Authority(tmp_path).server(NAME))

    def test_tls_of_old(self, world, authority, order):
        context = authority.server(NAME, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
        context.set_ciphers("ALL:@SECLEVEL=0")
        self.is_not_taken(world, order, context)

    def is_not_taken(self, world, order, context):
        def speaks(connection):
            with context.wrap_socket(connection, server_side=True) as spoken:
                spoken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                waits(spoken)
        world.front.meets(speaks)
        order.becomes(WORD)
        assert self.told(world, order, 1) in ("SSL peer certificate or SSH remote key was not OK", "SSL connect error")

    def test_tickets_without_end(self, world, authority, order):
        """After the handshake, and never an answer: each is read where an answer might stand."""
        context = authority.server(NAME, num_tickets=20000)

        def speaks(connection):
            with context.wrap_socket(connection, server_side=True) as spoken:
                waits(spoken)
        world.front.meets(speaks)
        order.becomes(WORD)
        log = order.settles("done")["log"]
        assert world.trendyolyemek.told(order) == [STEP] and log[0]["reason"] != "timeout"


class TestNames:
    @pytest.fixture
    def world(self):
        with World(below=Network, outbound_timeout="2s", retry_schedule="10ms", step_wait=0.001, outbound_allow="127.0.0.1/32") as made:
            yield made

    def test_names_of_firms_that_hang_leave_the_platforms_theirs(self, world):
        with front_of(world, "trendyolyemek") as front:
            world.below.leads(NAME, "127.0.0.1")
            for number in range(40):
                world.below.leads(f"hang{number}.test", "hang")
            world.restart(trendyolyemek_url=f"http://{NAME}:{front.port}")
            stuck = [order_for(world, f"https://hang{number}.test/orders") for number in range(40)]
            order = logged_in(world, "trendyolyemek").order("trendyolyemek", "hazir")  # its name is asked for behind theirs
            order.becomes(WORD)
            order.settles("done")
            assert all(len(each.delivery("courier")["log"]) <= 2 for each in stuck)
            assert fails(stuck[0]) == "the name was not resolved in time"

    def test_a_name_with_thousands_of_addresses(self, world):
        with front_of(world, "trendyolyemek") as front:
            world.below.leads(NAME, " ".join(["127.0.0.1", *(f"127.1.{n // 250}.{n % 250 + 1}" for n in range(4000))]))
            world.restart(trendyolyemek_url=f"http://{NAME}:{front.port}")
            logged_in(world, "trendyolyemek")

    def test_a_name_that_leads_elsewhere_when_it_is_asked_again(self, world, inside):
        """What is vetted is what is called: each question is another's answer."""
        port = inside.getsockname()[1]
        world.below.leads("firm.test", "127.0.0.1", "127.0.0.2", "169.254.169.254")
        order_for(world, f"https://firm.test:{port}/orders")
        assert is_called(inside, 20)
        connection, address = inside.accept()
        with connection:
            assert address[0].removeprefix("::ffff:") == "127.0.0.1"

    def test_one_address_that_may_be_called_among_others(self, world, inside):
        world.below.leads("firm.test", "169.254.169.254 127.0.0.2 10.0.0.1 ::1")
        assert fails(order_for(world, f"https://firm.test:{inside.getsockname()[1]}/orders")) == "the address may not be called"
        assert not is_called(inside)

    def test_a_dns_that_is_away_for_a_moment(self, world):
        with front_of(world, "trendyolyemek") as front:
            world.below.leads(NAME, "away", "127.0.0.1")
            world.restart(trendyolyemek_url=f"http://{NAME}:{front.port}", retry_schedule="1s,1s,1s")
            order = world.restaurant().connected("trendyolyemek").order("trendyolyemek", "hazir")
            order.becomes(WORD)
            log = order.settles("done")["log"]
            assert [row["result"] for row in log] == ["retry", "done"]  # it was never sent: no check
            assert world.trendyolyemek.tried(order) == [STEP]


class TestEverybodyElse:
    """All platforms but one hang, each with as many calls as it may have, and 128 firms."""

    def arrive(self, world, name):
        place = world.restaurant().connected(name)
        for _ in range(4):
            place.order(name, "hazir").becomes(WORD)

    def test_the_last_one_is_told_at_once(self):
        with World(step_wait=0.001, outbound_timeout="60s") as world:
            *others, good = FAKES
            place = logged_in(world, good)
            firms = [Front().meets(*[waits] * 8) for _ in range(32)]
            hangs = {name: world.platform(name).hang(STEP, times=999) for name in others}
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(lambda name: self.arrive(world, name), [name for name in others for _ in range(16)]))
                list(pool.map(lambda firm: self.dispatch(world, firm), firms))
            for hang in hangs.values():
                hang.holds(64)
            for firm in firms:
                firm.was_met(4)
            order = place.order(good, "hazir")
            order.becomes(WORD)
            order.settles("done")
            assert [hang.count for hang in hangs.values()] == [64] * 4 and [firm.met for firm in firms] == [4] * 32
            for firm in firms:
                firm.close()
            world.faults = False  # what hangs is let go in the middle
            world.server.kill()

    def dispatch(self, world, firm):
        place = world.restaurant()
        place.courier(dispatchUrl=f"http://127.0.0.1:{firm.port}/orders")
        for _ in range(4):
            place.order()
