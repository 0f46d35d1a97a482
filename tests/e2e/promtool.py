# SPDX-License-Identifier: Apache-2.0
"""promtool.py - Prometheus' own judge of metrics, rules and their tests, and what our documents ask for by PromQL."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8"))
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
BOARD = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
SCRAPED = {"instance", "job"}  # labels that Prometheus gives to all that it scrapes; `up` is a series of its own

METRIC = re.compile(r'\b((?:kuryed|process)_\w+|up)\b(?:\{([^}]*)\})?')
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r'\b(?:by|without|on|ignoring)\s*\(([^)]*)\)')


def promtool(*arguments, text=None):
    """What it prints; fails where it finds fault."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    command = shutil.which("promtool") or shutil.which("promtool", path=cache / "kuryed" / "prometheus")
    if not command:
        missing = "promtool is missing (tools/deps check fetches it): NOT CHECKED"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    done = subprocess.run([command, *map(str, arguments)], input=text, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def board_queries():
    """(panel, PromQL) of the dashboard, its variables filled in."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")


def queries():
    """(where it stands, PromQL) of all that we ask for."""
    yield from ((name, rule["expr"]) for name, rule in ALERTS.items())
    yield from board_queries()


def asked(expression):
    """(metric, {label: (operator, value)}) of each selector, and the labels that are grouped by."""
    selectors = [(name, {label: (operator, value) for label, operator, value in MATCHER.findall(matchers or "")})
                 for name, matchers in METRIC.findall(expression)]
    grouped = {label.strip() for labels in GROUPED.findall(expression) for label in labels.split(",")}
    return selectors, grouped - {""}
