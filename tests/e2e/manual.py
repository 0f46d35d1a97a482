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


def runs(name, folder, then="", places=None, **environment):
    """Runs a block with the folders of a machine below `folder`, and texts in other places; `then` is run in the same
    shell. Returns what it wrote."""
    text = block(name)
    for there, here in {"/etc/kuryed": f"{folder}/etc", "/var/lib/kuryed": folder,
                        "/var/backups/kuryed": f"{folder}/backups", **(places or {})}.items():
        text = text.replace(there, here)
    programs = Path(folder, "bin")
    programs.mkdir(exist_ok=True)
    if not (programs / "kuryed").exists():
        (programs / "kuryed").symlink_to(os.path.abspath(process.BINARY))
    kept = {name: os.environ[name] for name in process.KEPT if name in os.environ}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text + then], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=3 * process.WAIT, check=False,
        env={**kept, **environment, "PATH": f"{programs}:{environment.get('PATH') or os.environ['PATH']}"})
    assert done.returncode == 0, f"{name}: {done.returncode} {done.stdout}{done.stderr}"
    return done.stdout


def updates(name):
    """A block of the shell's `db.orders.updateMany(filter, update)`: each as (filter, update) in extended JSON."""
    for filter, update in re.findall(r"^db\.orders\.updateMany\((\{.*\}), (\{\$set.*\})\)$", block(name), re.M):
        yield tuple(json.loads(re.sub(r"(\$\w+)(?=:)", r'"\1"', text.replace("'", '"').replace(
            "new Date()", 'ISODate("9999-01-01T00:00:00Z")')).replace('ISODate(', '{"$date": ').replace(')', '}'))
            for text in (filter, update))
