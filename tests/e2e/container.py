# SPDX-License-Identifier: Apache-2.0
"""container.py - the image under test instead of the binary: a world whose server is a container.

KURYE_TEST_IMAGE names the image, KURYE_TEST_PREVIOUS_IMAGE that of the version before; `tools/image start` prints both.
"""

import functools
import json
import os
import secrets
import signal
import subprocess
import time

import pytest

from process import WAIT, Kuryed
from stores import STORE
from world import World

IMAGE, PREVIOUS = (os.environ.get(f"KURYE_TEST_{name}", "") for name in ("IMAGE", "PREVIOUS_IMAGE"))
BUILT = pytest.mark.skipif(not IMAGE, reason="KURYE_TEST_IMAGE names no image: tools/image builds one")
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--user=10001:10001", "--memory=256m",
            "--pids-limit=512")
SECRETS = ("ADMIN_TOKEN", "SECRET_KEY", "STORE")
NETWORK = ("--network=host",)  # where the pretend platforms are
STOP = 10  # seconds that an engine waits before it kills


def docker(*arguments, **more):
    """What the engine's client says; it must succeed."""
    done = subprocess.run(["docker", *arguments], capture_output=True, encoding="utf-8", timeout=6 * WAIT, **more)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def inspect(thing, form):
    """A part of what the engine knows about a container or an image."""
    return json.loads(docker("inspect", "--format", f"{{{{json {form}}}}}", thing))


def unique(kind):
    return f"kuryed-test-{kind}-{secrets.token_hex(6)}"


class Container(Kuryed):
    """One run of an image, with the least that it needs; its secrets are files, as they should be."""

    def __init__(self, image, settings, folder, options):
        self.name = unique("server")
        secret = os.path.join(folder, self.name)
        os.mkdir(secret)  # below a folder that is the tester's alone
        told = [f"--volume={secret}:/run/secrets:ro"]
        for name, value in settings.items():
            if name.removeprefix("KURYE_") in SECRETS:
                with open(os.path.join(secret, name), "w", encoding="utf-8") as file:
                    file.write(value)
                name, value = f"{name}_FILE", f"/run/secrets/{name}"
            told += ["--env", f"{name}={value}"]
        self.launch(["docker", "run", "--rm", f"--name={self.name}", *HARDENED, *told, *options, image],
                    os.environ)

    def signal(self, number):
        docker("kill", f"--signal={signal.Signals(number).name}", self.name)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self, timeout=WAIT):
        began = time.monotonic()
        if self.alive():
            docker("stop", f"--time={STOP}", self.name)
        return self.wait(timeout), time.monotonic() - began


class Containers:
    """What makes any world one of containers: World's own server, or several of them."""

    image, options = IMAGE, NETWORK

    def program(self, settings):
        """A container of the image that is current now; the embedded store is on a volume that all of them share."""
        return Container(self.image, settings, self.folder,
                         [*self.options, f"--volume={self.volume}:/var/lib/kuryed"])

    @functools.cached_property
    def volume(self):
        return unique("volume")

    def __exit__(self, *failed):
        try:
            super().__exit__(*failed)
        finally:
            docker("volume", "rm", "--force", self.volume)


class ContainerWorld(Containers, World):
    """World, with the image in place of the binary."""

    def __init__(self, image=IMAGE, options=NETWORK, **settings):
        self.image, self.options = image, options
        if STORE == "sqlite":
            settings = {"store": None, **settings}  # where the image keeps it
        super().__init__(**settings)
