# SPDX-License-Identifier: Apache-2.0
"""test_cores.py - a crash leaves no core file: what is in memory, secrets and customers, does not get to a disk."""

import os
import re
import resource
import signal
from pathlib import Path

import pytest

import process
from process import Kuryed
from world import World

CUSTOMER = {"address": {"detailedAddress": "Saklı Sokak No: 77, Moda"},
            "details": {"name": "Gülbahar Gizlioğlu", "phone": "+905550001122"}}


class Crashing(Kuryed):
    """Its core file may be as large as it likes, and would lie in its folder."""

    def launch(self, command, env):
        super().launch(["/usr/bin/env", "--chdir", env["TMPDIR"], *command], env)


class Crash(World):
    program = Crashing

    def environment(self, **changes):
        return {"TMPDIR": self.folder, **super().environment(**changes)}

    def crashes(self, number):
        """Ends the server so; returns whether a core was dumped, and the core files that lie there."""
        pid = self.server.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_CORE)
        assert hard != 0, "no process may dump a core here, so that nothing is shown: ulimit -H -c"
        resource.prlimit(pid, resource.RLIMIT_CORE, (hard, hard))
        self.server.signal(number)
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.server.wait()
        cores = [os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.startswith("core")]
        return ended.si_code == os.CLD_DUMPED, cores


def crash(number, **settings):
    with Crash(**settings) as world:
        world.restaurant().connected("dukkango").order(customer=CUSTOMER)
        dumped, cores = world.crashes(number)
        found = b"".join(open(core, "rb").read() for core in cores)
        return dumped, bool(cores), [canary for canary in (*world.settings["secret_key"].split(":")[1:], world.admin_token,
                                                           "Gülbahar Gizlioğlu") if canary.encode() in found]


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_no_crash_leaves_one(number):
    assert crash(number) == (False, False, [])


@pytest.mark.skipif(bool(re.search(rb"__[at]san_init", Path(process.BINARY).read_bytes())),
                    reason="the shadow of a sanitizer is too large for a core file")
def test_one_that_is_asked_for_has_it_all():
    """Which is why there is none; and the test above would see one."""
    dumped, there, found = crash(signal.SIGABRT, core_dumps="allowed")
    assert dumped
    assert len(found) == 3 or not there  # elsewhere, by a core_pattern of the machine's own
