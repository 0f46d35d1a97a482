# SPDX-License-Identifier: Apache-2.0
"""below.py - what is preloaded between kuryed and the system (tests/below/), and the switches by which a test moves it.

    with World(below=Disk) as world, world.below.has(FULL):
"""

import mmap
import os
import shutil
import struct
from contextlib import contextmanager
from pathlib import Path

from process import BINARY
from world import eventually

NUMBER = struct.Struct("<q")


class Below:
    """A library that was built beside the binary, and a page of numbers that it shares with the test."""

    so = ""
    switches = ()

    def __init__(self, folder):
        self.folder = folder
        path = Path(folder, f"{self.so}.switches")
        path.write_bytes(bytes(NUMBER.size * len(self.switches)))
        with path.open("r+b") as file:
            self.page = mmap.mmap(file.fileno(), 0)
        self.settings = {f"{self.so.upper()}": str(path)}

    def environment(self):
        path = Path(BINARY).parent / "tests" / f"{self.so}.so"
        assert path.exists(), f"{path} was not built"
        # A sanitizer's runtime wants to be the first library, and need not.
        return {"LD_PRELOAD": str(path), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
                **self.settings}

    def __getitem__(self, name):
        return NUMBER.unpack_from(self.page, NUMBER.size * self.switches.index(name))[0]

    def __setitem__(self, name, value):
        NUMBER.pack_into(self.page, NUMBER.size * self.switches.index(name), value)


class Faulty(Below):
    """One of which kinds of calls fail."""

    def breaks(self, kinds, after=0, times=0, **more):
        """From now on, once so many calls that it concerns went well, so often (0: until it heals)."""
        self["kinds"] = 0
        for name, value in {"after": after, "times": times, "met": 0, **more}.items():
            self[name] = value
        self["kinds"] = kinds

    def heals(self):
        self["kinds"] = 0

    @contextmanager
    def has(self, *trouble, **more):
        self.breaks(*trouble, **more)
        try:
            yield
        finally:
            self.heals()


FULL, BAD_WRITE, BAD_SYNC, READ_ONLY, STALL, BAD_READ, NO_OPEN, DIE = (1 << bit for bit in range(8))


class Disk(Faulty):
    """The disk behind a world's folder: tests/below/disk.c."""

    so = "below_disk"
    switches = ("kinds", "after", "times", "met", "stalled")

    def __init__(self, folder):
        super().__init__(folder)
        self.platter = Path(folder, "platter")
        self.platter.mkdir()
        self.settings |= {"BELOW_DISK_FOLDER": str(folder), "BELOW_DISK_PLATTER": str(self.platter)}

    def holds(self):
        """Waits until a flush stalls."""
        eventually(lambda: self["stalled"], bool)

    def power_cut(self, store):
        """What was not on the disk is gone; nobody may have the store open."""
        for path in self._files(store):
            path.unlink()
        for path in self.platter.iterdir():
            if path.suffix == ".pages":
                path.unlink()
            else:
                shutil.copy(path, self.folder)

    def flushed(self, store):
        """What the test itself did to the files is on the disk."""
        for path in self.platter.iterdir():
            path.unlink()
        for path in self._files(store):
            shutil.copy(path, self.platter)

    def _files(self, store):
        return [path for path in Path(self.folder).glob(f"{Path(store.path).name}*") if path.suffix != ".lock"]


class Network(Below):
    """Where names lead, and which authorities are believed: tests/below/network.c."""

    so = "below_network"

    def __init__(self, folder):
        self.names = Path(folder, "names")
        self.names.touch()
        self.settings = {"BELOW_NETWORK_NAMES": str(self.names)}

    def leads(self, name, *answers):
        """From now on: to these addresses, several with spaces; each answer once, the last one for good."""
        with self.names.open("a") as file:
            file.writelines(f"{name} {answer}\n" for answer in answers)

    def believes(self, authority):
        """From the next start on."""
        self.settings["BELOW_NETWORK_AUTHORITIES"] = str(authority.path)


class Clock(Below):
    """The machine's clocks: tests/below/clock.c."""

    so = "below_clock"
    switches = ("wrong", "slept")

    def steps(self, hours):
        """The wall clock is set by so much, back where it is negative."""
        self["wrong"] += int(hours * 3600_000)

    def sleeps(self, hours):
        """The machine sleeps, and both clocks that know of that go on."""
        self["slept"] += int(hours * 3600_000)
        self["wrong"] += int(hours * 3600_000)


class Alloc(Below):
    """The memory of the process: tests/below/alloc.c."""

    so = "below_alloc"
    switches = ("armed", "after", "times", "others", "asked", "met")

    @contextmanager
    def starves(self, after, times=1):
        """So many pieces are given, and then so many not (0: none)."""
        self["after"], self["times"], self["asked"], self["met"] = after, times, 0, 0
        self["armed"] = 1
        try:
            yield
        finally:
            self["armed"] = 0


SOCKET, CONNECT, NAME, POLL, ACCEPT, SEND, RECEIVE = (1 << bit for bit in range(7))


class Sockets(Faulty):
    """A system that runs out of them: tests/below/sockets.c."""

    so = "below_sockets"
    switches = ("kinds", "after", "times", "met", "number", "rounds")

    def breaks(self, kinds, number, **more):
        """`number` is the errno, of names the EAI_."""
        super().breaks(kinds, number=number, **more)
