# SPDX-License-Identifier: Apache-2.0
"""test_performance.py - docs/performance.md has a row for each figure that bench/run takes, which are those of docs/design.md 8."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import figures  # noqa: E402
import table  # noqa: E402
from groups import GROUPS  # noqa: E402

PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
GOAL = re.compile(r"[≤≥] [\d.]+")


def section(text, heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def rows(markdown):
    """The cells of a table, without its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in re.findall(r"^\|.*\|$", markdown, re.M)[2:]]


@pytest.mark.parametrize("name, goals, groups", rows(section(DESIGN, "8. Figures")))
def test_each_goal_of_the_design_is_a_figures(name, goals, groups):
    named = re.findall(r"`([\w-]+)`", groups)
    taken = {goal for group in GROUPS if group.name in named for figure in group.figures for goal in GOAL.findall(figure.goal)}
    assert named and set(named) <= {group.name for group in GROUPS}
    assert set(GOAL.findall(goals)) <= taken, "no figure has this goal"


def recorded():
    return rows(PAGE.partition(table.BEGIN)[2].partition(table.END)[0])


def test_the_table_has_each_figure_with_its_counterpart_and_its_goal():
    there = [(row[0], row[3], row[6]) for row in recorded()]
    assert there == [(figure.name, figure.beside or "the goal", figure.goal) for group in GROUPS for figure in group.figures]


def test_what_is_not_met_is_named_with_a_reason():
    reasons = section(PAGE, "What is not met, and why")
    assert [row[0] for row in recorded() if re.match(r"no( \(|$)", row[7]) and f"**{row[0]}**" not in reasons] == []


def test_each_group_is_explained():
    explained = {name for row in rows(section(PAGE, "What the rows are")) for name in re.findall(r"`([\w-]+)`", row[0])}
    assert explained == {group.name for group in GROUPS}


def test_a_row_is_met_by_its_median_and_says_where_repeats_differ():
    ratio = figures.Figure("a", "/s", "b", lambda run: run, "≥ 0.70")
    limit = figures.within("a", "ms", 10, lambda run: run)
    assert ratio.met([(7, 10), (8, 10), (9, 10)]) == "yes"
    assert ratio.met([(6, 10), (8, 10), (9, 10)]) == "yes (2 of 3)"
    assert ratio.met([(6, 10), (5, 10), (9, 10)]) == "no (1 of 3)"
    assert limit.met([(10, 10)]) == "yes" and limit.met([(11, 10)]) == "no"


def test_what_could_not_be_measured_keeps_its_row():
    def absent(_):
        raise figures.Missing("no container engine")
    row, = figures.rows(figures.Group("a", [figures.within("image", "MB", 40, absent)], None), [1])
    assert table.cells(row) == ("image", "-", "-", "the goal", "-", "-", "≤ 40 MB", "no container engine")
