# SPDX-License-Identifier: Apache-2.0
"""confine.py - runs a command within what a systemd unit leaves of the system's calls, where no systemd starts it.

usage: confine.py UNIT COMMAND...

Of the unit it knows SystemCallFilter, by the groups of the machine's own systemd, RestrictAddressFamilies,
MemoryDenyWriteExecute and SystemCallArchitectures=native, as filters of the kernel; and NoNewPrivileges.
"""

import errno
import mmap
import os
import re
import socket
import subprocess
import sys

import seccomp
from seccomp import ALLOW, EQ, ERRNO, MASKED_EQ, Arg, SyscallFilter

EXEC_AND_WRITE = mmap.PROT_EXEC | mmap.PROT_WRITE


def settings(unit):
    """{name: its values, in the order of their lines}."""
    found = {}
    with open(unit, encoding="utf-8") as lines:
        for name, value in re.findall(r"^(\w+)=(.*)$", lines.read(), re.M):
            found.setdefault(name, []).append(value)
    return found


def calls(group):
    """What a name of SystemCallFilter= stands for."""
    if not group.startswith("@"):
        return {group}
    told = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True,
                          check=True).stdout
    return set().union(*(calls(word) for word in re.findall(r"^ +([@\w-]+)$", told, re.M)))


def allowed(lines):
    """@default is always in it, says systemd.exec(5)."""
    left = calls("@default")
    for line in lines:
        named = set().union(*map(calls, line.lstrip("~").split()))
        left = left - named if line.startswith("~") else left | named
    return left


def filter_calls(names, refusal):
    within = SyscallFilter(ERRNO(refusal))
    for name in names:
        if seccomp.resolve_syscall(seccomp.Arch(), name) >= 0:   # it may be another processor's, or newer than the library
            within.add_rule(ALLOW, name)
    within.load()


def filter_arguments(families):
    """The kernel takes of several filters the strictest answer."""
    within = SyscallFilter(ALLOW)
    for family in set(socket.AddressFamily) - families:
        within.add_rule(ERRNO(errno.EAFNOSUPPORT), "socket", Arg(0, EQ, int(family)))
    within.add_rule(ERRNO(errno.EPERM), "mmap", Arg(2, MASKED_EQ, EXEC_AND_WRITE, EXEC_AND_WRITE))
    for name in ("mprotect", "pkey_mprotect"):
        within.add_rule(ERRNO(errno.EPERM), name, Arg(2, MASKED_EQ, mmap.PROT_EXEC, mmap.PROT_EXEC))
    within.load()


def main(unit, *command):
    given = settings(unit)
    assert given["MemoryDenyWriteExecute"] == ["yes"] and given["SystemCallArchitectures"] == ["native"]
    names = allowed(given["SystemCallFilter"])
    refusal = getattr(errno, given["SystemCallErrorNumber"][0])
    filter_arguments({getattr(socket, name) for name in given["RestrictAddressFamilies"][0].split()})
    filter_calls(names, refusal)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
