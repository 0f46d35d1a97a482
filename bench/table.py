# SPDX-License-Identifier: Apache-2.0
"""table.py - the rows as a table for a terminal, as one for docs/performance.md, and the machine that they are of."""
import os, platform, re, subprocess

import disk

COLUMNS = ("figure", "ours", "theirs", "whose", "ratio", "spread", "goal", "met")
LIBRARIES = ("libmicrohttpd", "json-c", "libcurl", "sqlite3", "libmongoc-1.0", "libssl")
BEGIN, END = "<!-- bench/run --record: begin -->", "<!-- bench/run --record: end -->"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(row):
    whose = row["beside"] or "the goal"
    if row["missing"]:
        return row["figure"], "-", "-", whose, "-", "-", row["goal"], row["missing"]
    ours, theirs = (f"{number(row[name])} {row['unit']}".rstrip() for name in ("ours", "theirs"))
    spread = f"{row['spread']:.2f}" if len(row["repeats"]) > 1 else "-"
    return row["figure"], ours, theirs, whose, f"{row['ratio']:.2f}", spread, row["goal"], row["met"]


def text(rows):
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(rows):
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine(folder):
    """What a figure may depend on."""
    def said(*command):
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    model = re.search(r"^model name\s*: (.*)", open("/proc/cpuinfo", encoding="utf-8").read(), re.M)
    p50, p99 = disk.flushes_ms(folder, 200, 2)
    return {"cores": os.cpu_count(), "processor": model[1] if model else platform.machine(), "kernel": platform.release(),
            "flush p50 ms": round(p50, 3), "flush p99 ms": round(p99, 3),
            "libraries": {name: said("pkg-config", "--modversion", name) for name in LIBRARIES}}


def record(path, report):
    """Writes the table between its two marks, with what it is of."""
    of, there = report["machine"], path.read_text(encoding="utf-8")
    head = (f"Commit {report['commit']}, {report['time']}: {of['cores']} cores of {of['processor']}, Linux {of['kernel']}; a flush of the disk "
            f"takes {of['flush p50 ms']} ms (p50), {of['flush p99 ms']} ms (p99). "
            + ", ".join(f"{name} {version}" for name, version in of["libraries"].items()) + f"; MongoDB: {of['mongodb']}.")
    before, _, rest = there.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{head}\n\n{markdown(report['rows'])}\n{END}{after}", encoding="utf-8")
