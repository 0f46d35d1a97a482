# SPDX-License-Identifier: Apache-2.0
"""counting.py - kuryed of the tests' World, run by callgrind, which counts the instructions of all threads and libraries."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Callgrind:
    """What runs a World's binary from now on; `options` are callgrind's."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="kuryed-callgrind-")
        self.prefix = f"--vgdb-prefix={self.folder.name}/vgdb"
        self.command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.folder.name}/counts",
                        self.prefix, *options]

    def counts(self, pid, act):
        """callgrind's file of what the process executes while `act` runs."""
        for old in self._files():
            old.unlink()
        self._ask(pid, "zero")
        act()
        self._ask(pid, "dump")
        dump, = self._files()
        return dump

    def _files(self):
        return list(pathlib.Path(self.folder.name).glob("counts*"))

    def _ask(self, pid, what):
        subprocess.run(["vgdb", f"--pid={pid}", self.prefix, what], check=True, capture_output=True)


def worlds(binary):
    """The tests' modules `process` and `world`, for this binary on the embedded store."""
    os.environ.update(KURYED=str(pathlib.Path(binary).resolve()), KURYE_TEST_STORE="sqlite")
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    import process
    import world
    return process, world


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit():
    """The last that changed the program."""
    return output("git", "-C", str(ROOT), "log", "-1", "--format=%h", "--", "handlers", "model", "server", "meson.build")
