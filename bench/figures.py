# SPDX-License-Identifier: Apache-2.0
"""figures.py - what is measured: figures with their counterparts and goals, in groups; the rows that come of them.

A group's `runs(run)` yields what was measured once for each repeat, as a dictionary; a figure takes two numbers out of it,
ours and the counterpart's. Where one cannot be measured here it raises Missing, and the rows say why.
"""
import statistics
from dataclasses import dataclass
from typing import Callable


class Missing(Exception):
    """What a group, or a figure, needs and is not here."""


class Failed(RuntimeError):
    """What was measured would mean nothing."""


@dataclass(frozen=True)
class Figure:
    name: str
    unit: str
    beside: str      # the counterpart; "" where the goal is the limit
    pair: Callable   # ours and the counterpart's, of what was measured once
    goal: str = ""   # of the ratio ("≤ 2.6"), or of ours ("≤ 10 ms")

    def met(self, pairs):
        """Whether the median does, and, where they differ, how many of the repeats."""
        if not self.goal:
            return ""
        sign, bound = self.goal.split()[:2]
        values = [ours / theirs if self.beside else ours for ours, theirs in pairs]
        good = [value <= float(bound) if sign == "≤" else value >= float(bound)
                for value in [statistics.median(values), *values]]
        some = f" ({sum(good[1:])} of {len(values)})" if len(set(good)) > 1 else ""
        return ("yes" if good[0] else "no") + some


@dataclass(frozen=True)
class Group:
    name: str
    figures: list
    runs: Callable


def within(name, unit, bound, ours):
    """A figure whose limit is the goal itself."""
    return Figure(name, unit, "", lambda run: (ours(run), bound), f"≤ {bound} {unit}")


def row(group, figure, runs):
    """Medians of ours and of the counterpart, of the ratio, and how far its repeats lie apart."""
    pairs = [figure.pair(run) for run in runs]
    ratios = [ours / theirs for ours, theirs in pairs]
    return missing(group, figure, None) | {
        "ours": statistics.median(ours for ours, _ in pairs), "theirs": statistics.median(theirs for _, theirs in pairs),
        "ratio": statistics.median(ratios), "spread": max(ratios) - min(ratios), "met": figure.met(pairs),
        "repeats": [{"ours": ours, "theirs": theirs} for ours, theirs in pairs]}


def missing(group, figure, why):
    return {"group": group.name, "figure": figure.name, "unit": figure.unit, "beside": figure.beside, "goal": figure.goal,
            "missing": why}


def rows(group, runs):
    for figure in group.figures:
        try:
            yield row(group, figure, runs)
        except Missing as why:
            yield missing(group, figure, str(why))
