# SPDX-License-Identifier: Apache-2.0
"""test_cores.py - what is in memory, secrets and customers, does not get out of it: to a disk when it crashes, or to others
of the same user."""

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
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
        world.faults = False  # a sanitizer has something to say about a SIGSEGV
        dumped, cores = world.crashes(number)
        found = b"".join(open(core, "rb").read() for core in cores)
        return dumped, bool(cores), [canary for canary in (*world.settings["secret_key"].split(":")[1:], world.admin_token,
                                                           "Gülbahar Gizlioğlu") if canary.encode() in found]


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
def test_no_crash_leaves_one(number):
    assert crash(number) == (False, False, [])


if not re.search(rb"__[at]san_init", Path(process.BINARY).read_bytes()):  # whose shadow is too large for a core file
    def test_one_that_is_asked_for_has_it_all():
        """Which is why there is none; and the test above would see one."""
        dumped, there, found = crash(signal.SIGABRT, core_dumps="allowed")
        assert dumped
        assert len(found) == 3 or not there  # elsewhere, by a core_pattern of the machine's own


class AsNobody(Kuryed):
    """It runs as somebody who has no rights, wherever the binary lies."""

    AS = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []

    def launch(self, command, env):
        binary = shutil.copy(process.BINARY, env["HOME"])
        super().launch([*self.AS, *(binary if word == process.BINARY else word for word in command)], env)


@pytest.mark.embedded_only
@pytest.mark.parametrize("allowed", [False, True])
def test_its_environment_is_its_own(allowed):
    secret = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        server = AsNobody({"HOME": folder, "KURYE_STORE": f"sqlite:{folder}/kurye.db", "KURYE_SECRET_KEY": secret,
                           "KURYE_LISTEN": "127.0.0.1:0", "KURYE_OPS_LISTEN": "127.0.0.1:0",
                           "KURYE_CORE_DUMPS": "allowed" if allowed else "never"})
        server.log_contains(event="listening")
        told = subprocess.run([*server.AS, "cat", f"/proc/{server.process.pid}/environ"], capture_output=True, check=False)
        assert server.stop()[0] == 0
    assert (secret.encode() in told.stdout) == allowed and (told.returncode == 0) == allowed
