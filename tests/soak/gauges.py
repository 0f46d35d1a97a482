# SPDX-License-Identifier: Apache-2.0
"""gauges.py - what a process holds, looked at again and again, and whether it grows."""

import os
import re
import statistics
import threading
from pathlib import Path

MIB = 1 << 20
ARENA = 64 * MIB  # HEAP_MAX_SIZE of glibc's malloc
PAIRS = 400  # samples that are compared with each other


def memory(pid):
    """{name: MiB} of /proc/PID/smaps_rollup."""
    rows = re.findall(r"^(\w+): +(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return {name: int(kib) / 1024 for name, kib in rows}


def arenas(pid):
    """How many arenas malloc has beside the heap itself."""
    maps = re.findall(r"^(\w+)-\w+ rw-p 00000000 00:00 0 *$", Path(f"/proc/{pid}/maps").read_text(), re.M)
    return sum(int(begin, 16) % ARENA == 0 for begin in maps)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def look(pid):
    found = memory(pid)
    return {"resident": found["Rss"], "heap and stacks": found["Anonymous"], "descriptors": descriptors(pid),
            "threads": len(os.listdir(f"/proc/{pid}/task")), "malloc arenas": arenas(pid)}


def growth(values):
    """By how much of its median a series rises from its first to its last: Theil and Sen's slope, which peaks do not move."""
    values = values[::max(1, len(values) // PAIRS)]
    if len(values) < 4:
        return 0.0
    slope = statistics.median((later - earlier) / (j - i) for i, earlier in enumerate(values)
                              for j, later in enumerate(values[i + 1:], i + 1))
    return slope * (len(values) - 1) / max(statistics.median(values), 1e-9)


class Gauges(threading.Thread):
    """Looks once a second until it is stopped; only while somebody plays."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.over, self.counts, self.series = pid, threading.Event(), threading.Event(), []

    def run(self):
        while not self.over.wait(1.0):
            if self.counts.is_set():
                self.series.append(look(self.pid))

    def stop(self):
        self.over.set()
        self.join()

    def grown(self):
        """{what: growth over the last half}"""
        half = self.series[len(self.series) // 2:]
        return {name: growth([sample[name] for sample in half]) for name in half[0]} if half else {}

    def highest(self):
        return {name: max(sample[name] for sample in self.series) for name in self.series[0]} if self.series else {}
