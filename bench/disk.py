# SPDX-License-Identifier: Apache-2.0
"""disk.py - what the disk does: how long its flushes take when nothing but they is to do, and how many ours makes.

The flushes are fio's: writes one behind the other in a file that is as large as kuryed's log at rest, each flushed, at the pace
that is asked for. (With rate_process=poisson, which would be as irregular as clients are, fio 3.33 dies of writes larger than a
page.)
"""
import json, os, pathlib, subprocess

LOG_BYTES = 4 << 20  # model/sqlite_conn.c: a thousand pages, then the log is begun anew
RECORD_BYTES = 4096 + 24  # a page and its head: what one move writes, if nothing shares its flush


def flushes_ms(folder, rate, seconds, size=RECORD_BYTES):
    """The median and the 99th percentile in ms."""
    out = subprocess.run(
        ["fio", "--name=flushes", f"--directory={folder}", "--filename=fio", "--ioengine=psync", "--rw=write",
         f"--bs={size}", f"--size={LOG_BYTES // size * size}", "--overwrite=1", "--fdatasync=1", f"--rate_iops={rate}",
         "--time_based", f"--runtime={seconds}", "--percentile_list=50:99", "--output-format=json"],
        check=True, capture_output=True, text=True).stdout
    job, = json.loads(out[out.index("{"):])["jobs"]
    found = job["sync"]["lat_ns"]["percentile"]
    return found["50.000000"] / 1e6, found["99.000000"] / 1e6


def settle(folder):
    """Lets it finish what seeding has left, so that it is not counted against the webhooks."""
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    os.sync()


class Counter:
    """Counts flushes, and the bytes that were written for them, of a server that is started with these settings."""

    def __init__(self, folder, library):
        self.path = pathlib.Path(folder) / "flushes"
        self.path.write_bytes(bytes(16))
        self.settings = {"BENCH_FLUSHES": str(self.path), "LD_PRELOAD": str(library)}

    def read(self):
        data = self.path.read_bytes()
        return int.from_bytes(data[:8], "little"), int.from_bytes(data[8:], "little")
