# SPDX-License-Identifier: Apache-2.0
"""test_image.py - the image: what is in it, how it is run with the least rights, and how it is stopped."""

import re
import signal
import subprocess
import tarfile

import pytest

from container import BUILT, IMAGE, ContainerWorld, docker, inspect, unique
from test_hardening import is_hardened
from test_lifecycle import stops_under_load
from world import eventually

pytestmark = BUILT

MEGABYTE = 1000 * 1000
ENGINES = {".dockerenv", "dev/console", "etc/hosts", "etc/hostname", "etc/resolv.conf"}  # put into each container
TOLD = "org.opencontainers.image."


@pytest.fixture
def world():
    with ContainerWorld() as made:
        yield made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The image's files, as a container of it would see them."""
    name, archive = unique("files"), tmp_path_factory.mktemp("image") / "image.tar"
    docker("create", f"--name={name}", IMAGE)
    docker("export", f"--output={archive}", name)
    docker("rm", "--volumes", name)
    with tarfile.open(archive) as files:
        yield files


@pytest.mark.embedded_only
class TestWhatIsInIt:
    def test_it_is_small(self, unpacked):
        assert sum(file.size for file in unpacked) <= 40 * MEGABYTE
        assert inspect(IMAGE, ".Size") <= 40 * MEGABYTE

    def test_one_program_its_libraries_and_nothing_that_could_serve_an_intruder(self, unpacked):
        files = [file for file in unpacked if file.isfile() and file.name not in ENGINES]
        libraries = {file.name for file in files if re.fullmatch(r"(usr/)?lib.*\.so[.\d]*", file.name)}
        assert {file.name for file in files} - libraries == {
            "usr/local/bin/kuryed", "etc/ssl/certs/ca-certificates.crt", "etc/passwd", "etc/group", "etc/nsswitch.conf"}
        assert not [file.name for file in files if file.mode & 0o6022], "not root's alone to change"

    def test_its_user_owns_the_volume_and_nothing_else(self, unpacked):
        assert inspect(IMAGE, ".Config.User") == "10001:10001"
        assert list(inspect(IMAGE, ".Config.Volumes")) == ["/var/lib/kuryed"]
        assert [file.name for file in unpacked if file.uid or file.gid] == ["var/lib/kuryed"]

    def test_the_program_is_hardened(self, unpacked, tmp_path):
        program = tmp_path / "kuryed"
        program.write_bytes(unpacked.extractfile("usr/local/bin/kuryed").read())
        is_hardened(program)

    def test_its_labels_say_what_it_is(self):
        labels = inspect(IMAGE, ".Config.Labels")
        assert {f"{TOLD}title", f"{TOLD}description"} <= set(labels)
        assert labels[f"{TOLD}licenses"] == "Apache-2.0"
        assert f"kuryed {labels[f'{TOLD}version']}\n" == docker("run", "--rm", IMAGE, "--version")
        assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels[f"{TOLD}revision"])

    def test_how_it_is_run(self):
        assert inspect(IMAGE, ".Config.StopSignal") == "SIGTERM"
        assert inspect(IMAGE, ".Config.Healthcheck.Test") == ["CMD", "/usr/local/bin/kuryed", "healthcheck"]
        assert list(inspect(IMAGE, ".Config.ExposedPorts")) == ["8080/tcp"]  # the ops port is nobody's by default

    def test_without_secrets_it_says_which_are_missing(self):
        done = subprocess.run(["docker", "run", "--rm", IMAGE], capture_output=True, encoding="utf-8", timeout=60)
        assert (done.returncode, done.stderr) == (78, "KURYE_SECRET_KEY: is required\n")


class TestRun:
    def test_a_webhook_through_the_container_is_kept_and_told(self, world):
        place = world.restaurant().connected("dukkango")
        courier, orders = place.courier(), [place.order("dukkango") for _ in range(2)]
        courier.posts(orders[0], 1)
        orders[0].settles("done")
        world.restart()
        courier.posts(orders[1], 1)
        world.kill()
        world.start()
        for order in orders:
            order.settles("done")
            assert order.now()["status"] == "teslim-edilecek"
            assert "on-the-way" in world.dukkango.told(order)

    def test_it_runs_without_any_right(self, world):
        with open(f"/proc/{inspect(world.server.name, '.State.Pid')}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines())
        assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
        assert [int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [0] * 5
        assert status["NoNewPrivs"] == "1"

    def test_no_secret_is_in_what_the_engine_shows(self, world):
        shown = docker("inspect", world.server.name)
        assert world.admin_token not in shown and world.secret_key not in shown

    def test_under_load_it_stops_soon_and_loses_nothing(self, world):
        stops_under_load(world)


def test_its_health_is_the_servers_own_and_not_its_stores():
    """In a network without anything: a MongoDB is away, then."""
    options = ("--network=none", "--health-interval=500ms", "--health-timeout=2s", "--health-retries=1",
               "--health-start-period=0s")
    with ContainerWorld(options=options, listen=None, ops_listen=None) as world:
        def becomes(state):
            eventually(lambda: inspect(world.server.name, ".State.Health.Status"), lambda now: now == state, pause=0.2)
        assert (world.address, world.ops_address) == ("0.0.0.0:8080", "0.0.0.0:9090")
        becomes("healthy")
        world.server.signal(signal.SIGSTOP)
        becomes("unhealthy")
        world.server.signal(signal.SIGCONT)
        becomes("healthy")
