# SPDX-License-Identifier: Apache-2.0
"""test_metrics.py - what GET /metrics counts, and that a server alone never loses a claim."""

import json
import os
import re
import socket
import struct
import subprocess
import time
from contextlib import contextmanager, nullcontext

import pytest

from fake import fails
from process import BINARY
from promtool import ROOT, SCRAPED, asked, promtool, queries
from stores import STORE
from world import PLATFORMS, World, data, eventually, new_id

SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="[^"\\]*",?)+)\})? (-?\d+(?:\.\d+)?)')


def metrics(world):
    """{(family, frozenset of labels): value} of all that is counted."""
    answer = world.call("GET", "/metrics", ops=True)
    assert answer.status_code == 200
    samples = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            family, labels, value = SAMPLE.fullmatch(line).groups()
            samples[family, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] = float(value)
    return samples


def family_of(name, families):
    """Of a series: a histogram's have the name of three."""
    whole = re.sub("_(bucket|sum|count)$", "", name)
    return whole if families.get(whole) == "histogram" else name


def counted(world, family, **labels):
    """The sum of a family's counters that have these labels."""
    return sum(value for (name, found), value in metrics(world).items()
               if name == family and labels.items() <= found)


def claims(world):
    return {result: counted(world, "kuryed_claims_total", result=result) for result in ("won", "lost", "failed")}


class TestMetrics:
    def test_they_are_prometheus_text(self, shared):
        answer = shared.call("GET", "/metrics", ops=True)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = dict(re.findall(r"^# TYPE (\w+) (counter|gauge|histogram)$", answer.text, re.M))
        assert list(families) == re.findall(r"^# HELP (\w+) [A-Z].*\.$", answer.text, re.M)
        assert {family_of(name, families) for name, _ in metrics(shared)} <= families.keys()
        assert shared.call("GET", "/metrics").status_code == 404

    def test_round_trips_to_the_store_are_counted(self, world):
        world.restaurant().order()
        sent = counted(world, "kuryed_store_commands_total", result="ok")
        took = counted(world, "kuryed_store_command_seconds_total")
        assert (sent > 0) == (took > 0) == (STORE == "mongodb")

    def test_each_job_of_the_store_is_timed_and_so_is_a_commit(self, world):
        orders = [world.restaurant().order() for _ in range(3)]
        for order in orders:
            order.becomes("hazirlanacak")
        assert counted(world, "kuryed_store_job_duration_seconds_count", verb="create") == 3
        assert counted(world, "kuryed_store_job_duration_seconds_count", verb="move") == 3
        assert counted(world, "kuryed_store_job_duration_seconds_sum", verb="move") > 0
        assert counted(world, "kuryed_store_jobs_failed_total") == 0
        commits = counted(world, "kuryed_store_commit_duration_seconds_count")
        assert (commits >= 6) == (STORE == "sqlite")
        assert counted(world, "kuryed_store_commit_jobs_sum") >= commits

    def test_each_sweep_is_counted(self, world):
        eventually(lambda: results(world, "kuryed_sweeps_total"), lambda found: found.get("ok", 0) >= 1)
        assert results(world, "kuryed_sweeps_total").keys() == {"ok"}

    def test_the_process_says_what_it_uses(self, world):
        world.restart(core_dumps="allowed")  # or only root may look
        pid = world.server.process.pid
        eventually(lambda: counted(world, "process_open_fds") - len(os.listdir(f"/proc/{pid}/fd")), lambda more: more == 0)
        assert counted(world, "process_max_fds") >= counted(world, "kuryed_http_connections_max")
        assert 1 << 20 < counted(world, "process_resident_memory_bytes") < counted(world, "process_virtual_memory_bytes")
        assert 0 < counted(world, "process_cpu_seconds_total") < 60
        assert counted(world, "process_threads") == len(os.listdir(f"/proc/{pid}/task"))
        assert abs(counted(world, "process_start_time_seconds") - (time.time() - time.monotonic() + world.server.started)) < 2
        version = subprocess.run([BINARY, "--version"], text=True, stdout=subprocess.PIPE).stdout.split()[1]
        assert counted(world, "kuryed_build_info", version=version) == 1


DOCUMENTED = re.compile(r"^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\| .+ \|$", re.M)


@pytest.fixture(scope="module")
def lively():
    """A world in which a bit of everything has happened: (what /metrics says, {family: type}, {family: {label: words}})."""
    with World() as world:
        place = world.restaurant().connected("dukkango")
        courier, order = place.courier(), fetched(place, "dukkango")
        courier.posts(order, 1)
        order.settles("done")
        eventually(lambda: owed(world), lambda found: found == (0, 0))
        text = world.call("GET", "/metrics", ops=True).text
        families = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
        labels = {family: {} for family in families}
        for name, found in metrics(world):
            for label, word in found:
                labels[family_of(name, families)].setdefault(label, set()).add(word)
        yield text, families, labels


class TestDocuments:
    def test_promtool_has_nothing_to_say(self, lively):
        promtool("check", "metrics", text=lively[0])

    def test_each_family_is_documented_and_there_is_no_other(self, lively):
        _, families, labels = lively
        rows = DOCUMENTED.findall((ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"))
        assert {name: kind for name, kind, _ in rows} == families and len(rows) == len(families)
        for name, _, words in rows:
            assert set(re.findall(r"`(\w+)`", words)) == labels[name].keys() - {"le"} or not labels[name], name

    def test_what_alerts_and_dashboard_ask_for_is_there(self, lively):
        _, families, labels = lively
        for where, expression in queries():
            selectors, grouped = asked(expression)
            known = set(SCRAPED)
            assert selectors, where
            for name, matchers in selectors:
                family = family_of(name, families)
                known |= labels.get(family, {}).keys()
                assert family in families or name == "up", f"{where}: {name}"
                assert (family == name) == (families.get(family) != "histogram"), f"{where}: {name}"
                for label, (_, value) in matchers.items():
                    words = labels.get(family, {}).get(label, set())
                    assert label in SCRAPED or set(value.split("|")) <= words, f"{where}: {label} {value}"
            assert grouped <= known | {"le"}, f"{where}: {grouped}"

    def test_each_family_is_asked_for_by_somebody(self, lively):
        _, families, _ = lively
        asked_for = {family_of(name, families) for _, expression in queries() for name, _ in asked(expression)[0]}
        assert families.keys() - asked_for == {"process_virtual_memory_bytes", "process_threads"}  # of interest by hand


ROUTE = "POST /api/v1/webhook/courier/status-update"


def outcomes(world):
    """The webhooks' outcomes that there were."""
    return {dict(labels)["outcome"]: value for (name, labels), value in metrics(world).items()
            if name == "kuryed_webhooks_total" and value}


class TestRequests:
    def test_each_webhook_is_counted_by_what_came_of_it(self, world):
        place = world.restaurant()
        courier, order, other = place.courier(), place.order(), place.order()
        courier.posts(order, 1, headers={"Idempotency-Key": "a"})
        courier.posts(order, 1, headers={"Idempotency-Key": "a"})
        courier.posts(order, 1)
        courier.post(other, 2, headers={"Idempotency-Key": "b"})
        courier.post(other, 1, headers={"Idempotency-Key": "b"})
        courier.post(other, 2)
        courier.send({"restaurantId": place.id, "orderId": new_id(), "status": 1})
        courier.post(order, 2, key="krk_nobody")
        courier.post(order, 2, key="")
        courier.post(order, 3)
        courier.send(b"{", content_type="text/plain")
        assert outcomes(world) == {"moved": 3, "same": 1, "key_reused": 1, "final": 1, "unknown_order": 1,
                                   "no_integration": 1, "no_key": 1, "malformed": 2}
        assert counted(world, "kuryed_http_requests_total", route=ROUTE) == 11
        assert counted(world, "kuryed_http_requests_total", route=ROUTE, code="200") == 4
        assert counted(world, "kuryed_http_requests_total", route=ROUTE, code="415") == 1
        # Of what its headers alone refuse no time is taken.
        assert counted(world, "kuryed_http_request_duration_seconds_count", route=ROUTE) == 9

    def test_a_route_is_named_by_its_template_and_what_is_none_has_one_word(self, world):
        order = world.restaurant().order()
        order.now()
        world.call("GET", "/api/v1/order/" + order.id)
        world.call("BREW", "/api/v1/orders")
        text = world.call("GET", "/metrics", ops=True).text
        assert order.id not in text
        assert counted(world, "kuryed_http_requests_total", route="GET /api/v1/orders/{id}", code="200") == 1
        assert counted(world, "kuryed_http_requests_total", route="unknown", code="404") == 1
        assert counted(world, "kuryed_http_requests_total", route="unknown", code="405") == 1
        assert counted(world, "kuryed_http_requests_total", route="GET /metrics", code="200") == 4

    def test_what_the_deadline_answers_has_failed_and_has_not_moved(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        world.restart(request_deadline="1s")
        with world.store.stalled():
            assert courier.post(order, 1).status_code == 500
        eventually(lambda: counted(world, "kuryed_http_held_requests"), lambda held: held == 0)
        assert outcomes(world) == {"failed": 1}

    def test_whoever_leaves_before_the_answer_is_counted_as_gone(self, world):
        place = world.restaurant()
        courier, order = place.courier(), place.order()
        with world.store.stalled():
            with socket.create_connection((world.host, world.port)) as client:
                body = json.dumps({"restaurantId": place.id, "orderId": order.id, "status": 1})
                client.sendall(f"POST {ROUTE[5:]} HTTP/1.1\r\nHost: x\r\nx-api-key: {courier.key}\r\n"
                               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                eventually(lambda: counted(world, "kuryed_http_held_requests"), lambda held: held == 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leaves without a word
            eventually(lambda: counted(world, "kuryed_http_requests_total", route=ROUTE, code="499"), lambda gone: gone == 1)
        eventually(lambda: outcomes(world), lambda found: found == {"moved": 1})


def fetched(place, name):
    """One that owes a courier firm nothing, so that nothing but its platform's calls is claimed."""
    return place.order(name, "hazir", orderType="gel_al")


class TestClaims:
    def test_each_debt_is_claimed_once(self, world):
        place = world.restaurant().connected(*PLATFORMS)
        courier = place.courier()
        orders = [fetched(place, name) for name in PLATFORMS for _ in range(10)]
        for order in orders:
            courier.posts(order, 1)
        for order in orders:
            order.settles("done")
        assert claims(world) == {"won": len(orders), "lost": 0, "failed": 0}

    def test_a_retry_is_claimed_again_and_nobody_lost_it(self, world):
        place = world.restaurant().connected("dukkango")
        order = fetched(place, "dukkango")
        world.dukkango.next("on-the-way", fails(503), times=2)
        place.courier().posts(order, 1)
        order.settles("done")
        assert claims(world) == {"won": 3, "lost": 0, "failed": 0}

    def test_what_finds_its_account_busy_waits_for_it(self, world):
        place = world.restaurant().connected("dukkango")
        courier = place.courier()
        orders = [fetched(place, "dukkango") for _ in range(20)]
        hang = world.dukkango.hang("on-the-way", times=4, done=True)
        for order in orders:
            courier.posts(order, 1)
        hang.holds(4)
        assert claims(world)["won"] == 4
        world.dukkango.release()
        for order in orders:
            order.settles("done")
        assert claims(world)["won"] >= 20 and claims(world)["lost"] == 0

    def test_a_move_during_the_call_is_claimed_when_the_call_is_over(self, world):
        place = world.restaurant().connected("dukkango")
        courier, order = place.courier(), fetched(place, "dukkango")
        hang = world.dukkango.hang("on-the-way", done=True)
        courier.posts(order, 1)
        assert hang.entered.wait(20)
        courier.posts(order, 2)
        world.dukkango.release()
        order.settles("done")
        eventually(lambda: world.dukkango.told(order), lambda told: told == ["on-the-way", "delivered"])
        assert claims(world)["lost"] == 0


def results(world, family, **labels):
    """The family's series that have these labels and do not stand at 0, by `result`."""
    return {dict(found)["result"]: value for (name, found), value in metrics(world).items()
            if name == family and labels.items() <= found and value}


def owed(world, party="platform"):
    """What is counted as owed and as failed; None: it is not told."""
    found = metrics(world)
    return tuple(found.get((family, frozenset({("party", party)}))) for family in ("kuryed_owed", "kuryed_failed"))


class TestDeliveries:
    def test_tries_are_counted_by_how_they_were_judged_and_timed(self, world):
        place = world.restaurant().connected("dukkango")
        order = fetched(place, "dukkango")
        world.dukkango.next("on-the-way", fails(503), times=2)
        place.courier().posts(order, 1)
        order.settles("done")
        assert results(world, "kuryed_deliveries_total", platform="dukkango") == {"retry": 2, "done": 1}
        assert results(world, "kuryed_logins_total", platform="dukkango") == {"done": 1}
        assert counted(world, "kuryed_delivery_try_duration_seconds_count", platform="dukkango") == 3
        assert counted(world, "kuryed_deliveries_total", platform="trendyolyemek") == 0
        # Both pauses between the tries are in it: 50 ms and 100 ms.
        assert counted(world, "kuryed_delivery_lag_seconds_count", platform="dukkango") == 1
        assert counted(world, "kuryed_delivery_lag_seconds_bucket", platform="dukkango", le="0.1") == 0
        assert counted(world, "kuryed_delivery_lag_seconds_sum", platform="dukkango") > 0.12

    def test_a_step_that_was_filled_in_has_no_lag(self, world):
        place = world.restaurant().connected("trendyolyemek")
        order = place.order("trendyolyemek", "yeni", orderType="gel_al")
        place.courier().posts(order, 1)
        order.settles("done")
        assert results(world, "kuryed_deliveries_total", platform="trendyolyemek") == {"done": 3}
        assert counted(world, "kuryed_delivery_lag_seconds_count", platform="trendyolyemek") == 1

    def test_a_courier_firm_is_one_of_all(self, world):
        place = world.restaurant()
        firm = place.courier(dispatch=True)
        order = place.order(status="hazir")
        data(place.call("POST", f"{order.path}/call-courier", {"integrationId": firm.id}))
        order.settles("done", party="courier")
        assert results(world, "kuryed_deliveries_total", platform="courier")["done"] == 1
        assert counted(world, "kuryed_delivery_try_duration_seconds_count", platform="courier") == 1

    def test_refused_credentials_are_a_login_given_up_and_a_delivery_failed(self, world):
        place = world.restaurant()
        place.connect("dukkango", restSecretKey="yanlis")
        order = fetched(place, "dukkango")
        place.courier().posts(order, 1)
        order.settles("failed")
        assert results(world, "kuryed_logins_total", platform="dukkango") == {"give-up": 1}
        assert results(world, "kuryed_deliveries_total", platform="dukkango") == {"give-up": 1}
        assert counted(world, "kuryed_deliveries_failed_total", platform="dukkango") == 1

    def test_what_has_failed_is_kept_until_it_is_replayed(self, world):
        place = world.restaurant().connected("dukkango")
        order = fetched(place, "dukkango")
        world.dukkango.next("on-the-way", fails(503), times=4)
        place.courier().posts(order, 1)
        order.settles("failed")
        eventually(lambda: owed(world), lambda found: found == (0, 1))
        assert counted(world, "kuryed_deliveries_failed_total") == 1
        data(place.call("POST", f"/api/v1/deliveries/{order.id}-platform/replay"))
        order.settles("done")
        eventually(lambda: owed(world), lambda found: found == (0, 0))
        assert counted(world, "kuryed_deliveries_failed_total") == 1

    def test_a_breaker_is_open_until_a_call_gets_through(self, world):
        world.restart(retry_schedule="1h")  # one try a fact; and no poll, which would get through
        place = world.restaurant().connected("trendyolyemek")
        orders = [fetched(place, "trendyolyemek") for _ in range(12)]
        world.trendyolyemek.next("on-the-way", fails(500), times=10)
        hang = world.trendyolyemek.hang("on-the-way", done=True)
        for order in orders:
            order.becomes("teslim-edilecek")
        assert hang.entered.wait(20)
        eventually(lambda: counted(world, "kuryed_breakers_open", platform="trendyolyemek"), lambda n: n == 1)
        assert counted(world, "kuryed_breakers_open") == 1 and counted(world, "kuryed_calls") >= 1
        eventually(lambda: counted(world, "kuryed_owed_oldest_seconds"), lambda oldest: oldest > 0)
        assert owed(world)[0] > 0
        world.trendyolyemek.release()
        eventually(lambda: counted(world, "kuryed_breakers_open"), lambda n: n == 0)


    def test_a_courier_firms_host_that_keeps_failing_is_one_of_couriers(self, world):
        world.restart(retry_schedule="1h")
        place = world.restaurant()
        firm = place.courier(dispatch=True)
        world.firms.next("dispatch", fails(500), times=10)
        for _ in range(10):
            data(place.call("POST", f"{place.order(status='hazir').path}/call-courier", {"integrationId": firm.id}))
        eventually(lambda: counted(world, "kuryed_breakers_open", platform="courier"), lambda n: n == 1)
        assert results(world, "kuryed_deliveries_total", platform="courier") == {"retry": 10}
        data(place.call("POST", f"{place.order(status='hazir').path}/call-courier", {"integrationId": firm.id}))
        eventually(lambda: counted(world, "kuryed_breakers_open", platform="courier"), lambda n: n == 0)


class TestStoreAway:
    def test_the_rest_is_told_at_once_and_nothing_is_made_up(self, world):
        world.restart(request_deadline="1s")
        eventually(lambda: owed(world), lambda found: found == (0, 0))
        assert counted(world, "kuryed_ready", part="store") == 1
        with away(world):
            eventually(lambda: counted(world, "kuryed_ready", part="store"), lambda ready: ready == 0)
            assert owed(world) == (None, None)
            assert counted(world, "kuryed_ready", part="loops") == 1
            eventually(lambda: counted(world, "kuryed_store_jobs_failed_total", verb="put"), lambda failed: failed >= 1)
        eventually(lambda: owed(world), lambda found: found == (0, 0))
        assert counted(world, "kuryed_ready", part="store") == 1


@contextmanager
def away(world):
    """The store fails, and somebody has noticed."""
    with world.store.stalled() if STORE == "mongodb" else nullcontext():
        world.server.disk_full(STORE == "sqlite")
        assert world.admin("POST", "/api/v1/restaurants", {"name": "x"}).status_code >= 500
        yield
    world.server.disk_full(False)
