# SPDX-License-Identifier: Apache-2.0
"""threads.py - single threads of the binary, stopped as a debugger stops them: how a loop that is stuck looks."""

import contextlib
import ctypes
import os
from pathlib import Path

SEIZE, INTERRUPT, CONTINUE, DETACH = 0x4206, 0x4207, 7, 17  # linux/ptrace.h
ALL = 0x40000000  # __WALL of linux/wait.h

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]


def trace(request, thread):
    if libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}: {os.strerror(ctypes.get_errno())}")


def threads_of(process, names):
    """Ids of its threads that are named so."""
    found = [(int(task.name), (task / "comm").read_text().strip()) for task in Path(f"/proc/{process.pid}/task").iterdir()]
    assert set(names) <= {name for _, name in found}, found
    return [number for number, name in found if name in names]


def stop(process, thread):
    """Where it waits in the kernel: a loop that is at work may hold a lock, with which all would stop."""
    waiting = Path(f"/proc/{process.pid}/task/{thread}/syscall")
    trace(SEIZE, thread)
    while True:
        trace(INTERRUPT, thread)
        os.waitpid(thread, ALL)
        if not waiting.read_text().startswith("-1"):
            return
        trace(CONTINUE, thread)


@contextlib.contextmanager
def stopped(process, *names):
    """While inside, these threads do not get on; the tracer is the calling thread."""
    traced = threads_of(process, names)
    for thread in traced:
        stop(process, thread)
    try:
        yield
    finally:
        for thread in traced:
            trace(DETACH, thread)
