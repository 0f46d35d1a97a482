# SPDX-License-Identifier: Apache-2.0
"""process.py - the real binary as a child process, and every line that it logged."""

import json
import os
import resource
import shlex
import signal
import subprocess
import threading
import time

BINARY = os.environ.get("KURYED", "")
WAIT = 20.0  # seconds until a test gives up; sanitizer builds on a busy machine are slow
KEPT = ("PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE")


UNDER = shlex.split(os.environ.get("KURYED_UNDER", ""))  # a command that runs the binary: tests/meson.build has two

# A write over RLIMIT_FSIZE shall fail as on a full disk, not kill: see Kuryed.disk_full().
IGNORING = ("/usr/bin/env", "--ignore-signal=XFSZ")


class Kuryed:
    """One run of the binary: from its start to its exit."""

    def __init__(self, settings, arguments=()):
        if not BINARY:
            raise RuntimeError("set KURYED to the path of the binary under test")
        env = {name: os.environ[name] for name in KEPT if name in os.environ}
        # A proxy of the environment must never be used; port 9 would refuse every call. libmongoc's counters would lie
        # about in /dev/shm after a kill, and be met by the next process of that number.
        env.update(http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9", MONGOC_DISABLE_SHM="1", **settings)
        self.launch([*IGNORING, *UNDER, BINARY, *arguments], env)

    def launch(self, command, env):
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.log, self.noise, self.stdout = [], [], ""
        self.changed = threading.Condition()
        self.ended = False
        self.readers = [threading.Thread(target=read, daemon=True)
                        for read in (self._read_log, self._read_stdout)]
        for reader in self.readers:
            reader.start()

    def _lines(self):
        return self.process.stderr

    def _read_log(self):
        for raw in self._lines():
            text = raw.decode("utf-8", "replace").rstrip("\n")
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            with self.changed:
                if isinstance(line, dict):
                    self.log.append(line)
                else:
                    self.noise.append(text)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _read_stdout(self):
        self.stdout = self.process.stdout.read().decode("utf-8", "replace")

    def logged(self, **fields):
        """The lines so far that have all these fields."""
        with self.changed:
            return [line for line in self.log if fields.items() <= line.items()]

    def log_contains(self, timeout=WAIT, **fields):
        """Waits for a line that has all these fields and returns it."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.logged(**fields), timeout)
            found = self.logged(**fields)
            assert found, f"no log line with {fields}; the log ends with {self.text()[-2000:]}"
            return found[0]

    def text(self):
        """All of stderr, as one string to search in."""
        with self.changed:
            lines = [json.dumps(line, ensure_ascii=False) for line in self.log]
            return "\n".join(lines + self.noise)

    def alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=WAIT):
        """Waits for the exit; returns its status (negative: the signal)."""
        status = self.process.wait(timeout)
        for reader in self.readers:
            reader.join(WAIT)
        return status

    def kill(self):
        """As a power cut would."""
        self.process.kill()
        self.wait()

    def stop(self, timeout=WAIT):
        """Asks for a clean stop; returns (exit status, seconds it took)."""
        began = time.monotonic()
        if self.alive():
            self.signal(signal.SIGTERM)
        return self.wait(timeout), time.monotonic() - began

    def disk_full(self, full=True):
        """Makes every write of the process to a file fail, or lets them through again."""
        hard = resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0 if full else hard, hard))
