# SPDX-License-Identifier: Apache-2.0
"""test_confine.py - what docs/kuryed.service takes away is taken: the filters that confine.py sets bite."""

import subprocess
import sys
from pathlib import Path

import pytest

from process import WAIT

HERE = Path(__file__).parent
WITHIN = (sys.executable, HERE / "confine.py", HERE.parents[1] / "docs/kuryed.service")
REFUSED = {"resources": ("os.sched_setaffinity(0, os.sched_getaffinity(0))", "Operation not permitted"),
           "another family": ("socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)", "Address family not supported"),
           "memory to write and to execute": ("mmap.mmap(-1, 4096, prot=7)", "Operation not permitted")}
LEFT = {"a network": "socket.socket(socket.AF_INET6, socket.SOCK_STREAM)", "a file": "open('/proc/self/status').close()",
        "a process": "os.waitpid(os.fork() or os._exit(0), 0)"}


def tried(code, *within):
    command = [*within, sys.executable, "-c", f"import mmap, os, socket; {code}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=WAIT, check=False)


@pytest.mark.parametrize("code, why", REFUSED.values(), ids=REFUSED)
def test_what_it_takes_is_refused(code, why):
    assert why not in tried(code).stderr
    assert why in tried(code, *WITHIN).stderr


@pytest.mark.parametrize("code", LEFT.values(), ids=LEFT)
def test_what_it_leaves_is_there(code):
    done = tried(code, *WITHIN)
    assert done.returncode == 0, done.stderr
