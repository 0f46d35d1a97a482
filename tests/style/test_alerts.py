# SPDX-License-Identifier: Apache-2.0
"""test_alerts.py - docs/alerts.yml and docs/grafana.json: promtool takes them, each alert fires when it should and not
before, and a paragraph says what to do."""

import json
import re
import sys
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
from promtool import ALERTS, BOARD, ROOT, asked, board_queries, promtool  # noqa: E402

ROUTE = 'route="POST /api/v1/webhook/courier/status-update"'
SERVER = 'job="kuryed",instance="a"'


def latencies(metric, labels, fast, slow, edges):
    """A histogram's three series: so many more a minute below the first edge, and so many above it."""
    low, high = edges
    each = {f'{metric}_bucket{{{labels},le="{low}"}}': fast, f'{metric}_bucket{{{labels},le="{high}"}}': fast + slow,
            f'{metric}_bucket{{{labels},le="+Inf"}}': fast + slow}
    return {series: f"0+{more}x120" for series, more in each.items()}


def webhooks(slow):
    return latencies("kuryed_http_request_duration_seconds", f"{SERVER},{ROUTE}", 1000 - slow, slow, ("0.01", "1"))


def commits(slow):
    return latencies("kuryed_store_commit_duration_seconds", SERVER, 1000 - slow, slow, ("0.0005", "0.5"))


def lags(slow):
    return latencies("kuryed_delivery_lag_seconds", f'{SERVER},platform="dukkango"', 100 - slow, slow, ("1", "300"))


def counts(metric, label, **more):
    """Counters by the word of one label, each so many more a minute."""
    return {f'{metric}{{{SERVER},{label}="{word.replace("_", "-" if label == "result" else "_")}"}}': f"0+{n}x120"
            for word, n in more.items()}


def deliveries(**more):
    return {series.replace("result=", 'platform="dukkango",result='): values
            for series, values in counts("kuryed_deliveries_total", "result", **more).items()}


def logins(**more):
    return {series.replace("deliveries", "logins"): values for series, values in deliveries(**more).items()}


def gauge(metric, values, labels=""):
    return {f"{metric}{{{SERVER}{labels}}}": values}


# For each alert: series (a value a minute) by which it fires, after so many minutes, and those by which it must not,
# though they come near.
STORIES = {
    "KuryedDown": (gauge("up", "1x5 0x20"), 10, gauge("up", "1x8 0x1 1x20")),
    "KuryedRestarts": (gauge("process_start_time_seconds", "1x5 2x5 3x5 4x60"), 20,
                       gauge("process_start_time_seconds", "1x5 2x5 3x60")),
    "KuryedStuck": (gauge("kuryed_ready", "1x5 0x20", ',part="loops"'), 10,
                    gauge("kuryed_ready", "1x9 0x0 1x20", ',part="loops"')),
    "KuryedConnectionsNearLimit": (
        {**gauge("kuryed_http_connections", "11000x20"), **gauge("kuryed_http_connections_max", "12000x20")}, 10,
        {**gauge("kuryed_http_connections", "10000x20"), **gauge("kuryed_http_connections_max", "12000x20")}),
    "KuryedFilesNearLimit": (
        {**gauge("process_open_fds", "950x20"), **gauge("process_max_fds", "1000x20")}, 10,
        {**gauge("process_open_fds", "850x20"), **gauge("process_max_fds", "1000x20")}),
    "KuryedClockOff": (gauge("kuryed_store_clock_offset_seconds", "-7x20"), 15,
                       gauge("kuryed_store_clock_offset_seconds", "4x20")),
    "KuryedVersionsDiffer": (
        {'kuryed_build_info{instance="a",version="1"}': "1x180", 'kuryed_build_info{instance="b",version="2"}': "1x180"}, 130,
        {'kuryed_build_info{instance="a",version="1"}': "1x60", 'kuryed_build_info{instance="b",version="2"}': "1x180"}),
    "KuryedWebhooksFailing": (counts("kuryed_webhooks_total", "outcome", moved=980, failed=20), 15,
                              counts("kuryed_webhooks_total", "outcome", moved=995, busy=5, final=100)),
    "KuryedWebhooksSlow": (webhooks(slow=30), 20, webhooks(slow=5)),
    "KuryedRefusing": (counts("kuryed_http_refused_total", "reason", held=3), 15,
                       counts("kuryed_http_refused_total", "reason", draining=100, held=0)),
    "KuryedWrongKeys": (counts("kuryed_webhooks_total", "outcome", moved=10, throttled=5), 25,
                        counts("kuryed_webhooks_total", "outcome", moved=10, throttled=0, no_integration=50)),
    "KuryedStoreFailing": (gauge("kuryed_ready", "1x5 0x20", ',part="store"'), 10,
                           gauge("kuryed_ready", "1x9 0x0 1x20", ',part="store"')),
    "KuryedStoreJobsFailing": (counts("kuryed_store_jobs_failed_total", "verb", move=12), 20,
                               counts("kuryed_store_jobs_failed_total", "verb", move=3)),
    "KuryedDiskSlow": (commits(slow=30), 20, commits(slow=5)),
    "KuryedSweepsFailing": (counts("kuryed_sweeps_total", "result", failed=1, ok=0), 80,
                            counts("kuryed_sweeps_total", "result", failed=1, ok=1)),
    "KuryedDamaged": (gauge("kuryed_store_damaged_total", "0x5 1x30"), 10, gauge("kuryed_store_damaged_total", "1x40")),
    "KuryedPlatformFailing": (deliveries(done=4, retry=5, give_up=1), 25, deliveries(done=10, retry=4, give_up=1, nothing=90)),
    "KuryedBreakerOpen": (gauge("kuryed_breakers_open", "0x5 1x30", ',platform="dukkango"'), 25,
                          gauge("kuryed_breakers_open", "0x5 1x10 0x30", ',platform="dukkango"')),
    "KuryedOwedOld": (gauge("kuryed_owed_oldest_seconds", "0+60x30"), 15,
                      gauge("kuryed_owed_oldest_seconds", "0+60x6 0x30")),
    "KuryedDeliveriesLate": (lags(slow=20), 30, lags(slow=3)),
    "KuryedDeliveriesGivenUp": (gauge("kuryed_deliveries_failed_total", "0+1x60", ',platform="dukkango"'), 30,
                                gauge("kuryed_deliveries_failed_total", "0x10 1x10 2x60", ',platform="dukkango"')),
    "KuryedFailedKept": (gauge("kuryed_failed", "150x500", ',party="platform"'), 400,
                         gauge("kuryed_failed", "150x60 20x500", ',party="platform"')),
    "KuryedLoginsFailing": (logins(done=1, give_up=2), 70, logins(done=3, give_up=1, wait=1)),
    "KuryedPollsFailing": (counts("kuryed_polls_total", "result", ok=1, failed=2, limited=1), 30,
                           counts("kuryed_polls_total", "result", ok=5, busy=3, limited=1)),
    "KuryedOrdersNotTaken": (counts("kuryed_polled_orders_total", "result", known=9, broken=2), 25,
                             {'kuryed_polled_orders_total{result="broken"}': "0x4 1x60"}),
    "KuryedWatchersLost": (counts("kuryed_watchers_lost_total", "reason", slow=3), 15,
                           counts("kuryed_watchers_lost_total", "reason", slow=1, dead=50)),
}


def played(name, series, minutes, firing):
    """A test of promtool's: after so many minutes these alerts fire and no other. What it prints has the story's name."""
    expr = f'label_replace(count by (alertname) (ALERTS{{alertstate="firing"}}), "story", "{name}", "", "")'
    return {"interval": "1m", "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "promql_expr_test": [{"expr": expr, "eval_time": f"{minutes}m",
                                  "exp_samples": [{"labels": f'{{alertname="{alert}",story="{name}"}}', "value": 1}
                                                  for alert in firing]}]}


def test_each_alert_fires_when_it_should_and_neither_sooner_nor_for_less(tmp_path):
    assert list(STORIES) == list(ALERTS)
    tests = []
    for name, (fires, minutes, quiet) in STORIES.items():
        tests += [played(name, fires, 0, ()), played(name, fires, minutes, (name,)), played(name, quiet, minutes, ())]
    stories = tmp_path / "stories.yml"
    stories.write_text(json.dumps({"rule_files": [str(ROOT / "docs" / "alerts.yml")], "evaluation_interval": "1m",
                                   "tests": tests}))
    promtool("test", "rules", stories)


def test_promtool_takes_the_rules():
    promtool("check", "rules", ROOT / "docs" / "alerts.yml")


def test_each_alert_says_how_bad_it_is_and_where_to_read_on():
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^### (Kuryed\w+)$(.*?)(?=^##)", manual, re.M | re.S))
    assert list(told) == list(ALERTS)
    for name, text in told.items():
        assert re.findall(r"^- \*([^*]+):\* ", text, re.M) == ["Noticed", "Look at", "Do"], name
    for name, rule in ALERTS.items():
        assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"}), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"


def test_what_the_dashboard_asks_is_promql(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": expr} for number, (_, expr) in enumerate(board_queries())]
    assert len(rules) > 20
    board = tmp_path / "board.yml"
    board.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    promtool("check", "rules", board)


def overlap(one, other):
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in (("x", "w"), ("y", "h")))


def test_the_dashboard_is_whole():
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= 24, panel["title"]
        for target in panel.get("targets", ()):
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert named <= (asked(target["expr"])[1] or {"instance"}), panel["title"]
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert not [(one["title"], other["title"]) for one, other in combinations(panels, 2)
                if overlap(one["gridPos"], other["gridPos"])]
