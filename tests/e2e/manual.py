# SPDX-License-Identifier: Apache-2.0
"""manual.py - the commands of docs/operations.md, to be run as an operator would, in other places.

A block of them has a name, in a comment before it: <!-- run: NAME -->. The style suite sees to it that each is run.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import process

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"


def block(name):
    """What stands there, as it is written."""
    found = re.findall(rf"^<!-- run: {name} -->\n```\w+\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    assert len(found) == 1, f"docs/operations.md has {len(found)} blocks called {name}"
    return found[0]


def left_out():
    """The first line of each block that no test runs."""
    return re.findall(r"^<!-- not run: .+ -->\n```\w+\n(.*)", DOCUMENT.read_text(encoding="utf-8"), re.M)


def moved(text, folder, places=None):
    """The text with the folders of a machine below `folder`, and more of it in other places."""
    for there, here in {"/etc/kuryed": f"{folder}/etc", "/var/lib/kuryed": str(folder),
                        "/var/backups/kuryed": f"{folder}/backups", **(places or {})}.items():
        text = text.replace(there, here)
    return text


def path(folder):
    """The PATH of an operator: `kuryed` is the binary under test."""
    programs = Path(folder, "bin")
    programs.mkdir(exist_ok=True)
    if not (programs / "kuryed").exists():
        (programs / "kuryed").symlink_to(os.path.abspath(process.BINARY))
    return f"{programs}:{os.environ['PATH']}"


def runs(name, folder, places=None, **environment):
    """Runs a block; returns what it wrote on stdout."""
    kept = {name: os.environ[name] for name in process.KEPT if name in os.environ}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", moved(block(name), folder, places)], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=3 * process.WAIT, check=False,
        env={**kept, "PATH": path(folder), **environment})
    assert done.returncode == 0, f"{name}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout


def updates(name):
    """A block of the shell's `db.orders.updateMany(filter, update)`: each as (filter, update) in extended JSON."""
    for filter, update in re.findall(r"^db\.orders\.updateMany\((\{.*\}), (\{\$set.*\})\)$", block(name), re.M):
        yield tuple(json.loads(re.sub(r"(\$\w+)(?=:)", r'"\1"', text.replace("'", '"').replace(
            "new Date()", 'ISODate("9999-01-01T00:00:00Z")')).replace('ISODate(', '{"$date": ').replace(')', '}'))
            for text in (filter, update))
