# SPDX-License-Identifier: Apache-2.0
"""test_image_compose.py - the compose files as they stand, with secrets that the script makes.

The one with MongoDB is run where a registry has the image of it, and read through by the tool where none does.
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest
import requests

import manual
from container import BUILT, IMAGE, docker, inspect, unique
from process import WAIT, Kuryed
from world import World, eventually

pytestmark = [BUILT, pytest.mark.embedded_only]

FOLDER = pathlib.Path(__file__).parents[2] / "docker"
EMBEDDED, MONGODB = "compose.embedded.yaml", "compose.yaml"
PLUGIN = subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0
TOOL = ["docker", "compose"] if PLUGIN else ["docker-compose"]
HAS_MONGODB = IMAGE and subprocess.run(
    "docker image inspect mongo:8 || timeout 300 docker pull mongo:8", shell=True, capture_output=True).returncode == 0


class Composed:
    """What a compose file brings up, of a copy of the folder. Where it is published the engine says."""

    call, admin, restaurant = World.call, World.admin, World.restaurant

    def __init__(self, folder, file):
        self.folder, self.file = folder, folder / file
        self.project, self.session = unique("compose"), World.lone()
        self.admin_token = (folder / "secrets/admin_token").read_text()

    def __call__(self, *arguments):
        done = subprocess.run([*TOOL, "-p", self.project, "-f", str(self.file), *arguments], capture_output=True,
                              encoding="utf-8", timeout=20 * WAIT,
                              env={**os.environ, "KURYED_IMAGE": IMAGE, "KURYED_PORT": "0", "KURYED_OPS_PORT": "0"})
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def up(self):
        self("up", "--detach")
        self.address, self.ops_address = (self("port", "kuryed", port).strip() for port in ("8080", "9090"))
        eventually(self.is_ready, bool, pause=0.1)

    def is_ready(self):
        try:
            return self.call("GET", "/readyz", ops=True).status_code == 200
        except requests.ConnectionError:
            return False

    def server(self):
        return self("ps", "--quiet", "kuryed").strip()

    def keeps_what_it_took(self):
        """Orders, over a restart and over being made anew."""
        self.up()
        place = self.restaurant()
        courier, order = place.courier(), place.order()
        courier.posts(order, 1)
        for again in (["restart"], ["down"]):
            self(*again)
            self.up()
            assert order.now()["status"] == "teslim-edilecek"
        assert {self.address.split(":")[0], self.ops_address.split(":")[0]} == {"127.0.0.1"}
        for line in docker("logs", self.server()).splitlines():
            assert line.startswith("{")


@pytest.fixture
def folder(tmp_path):
    """The folder as it is in a fresh checkout, with its secrets made."""
    copy = tmp_path / "docker"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([copy / "make-secrets"], check=True, capture_output=True)
    return copy


@pytest.fixture
def composed(folder, request):
    made = Composed(folder, request.param)
    yield made
    made("down", "--volumes")


def test_the_script_makes_secrets_once_for_nobody_else(folder):
    secrets = folder / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    assert len(set(made.values())) == len(made) == 6
    (secrets / "admin_token").unlink()
    told = subprocess.run([folder / "make-secrets"], check=True, capture_output=True, encoding="utf-8").stdout
    assert told == "made docker/secrets/admin_token\n"
    again = {path.name: path.read_text() for path in secrets.iterdir()}
    assert {name for name in made if made[name] != again[name]} == {"admin_token"}
    run = Kuryed({f"KURYE_{name.upper()}_FILE": str(secrets / name) for name in ("admin_token", "secret_key", "store")},
                 ["--check-config"])
    assert run.wait() == 0, run.text()


def test_git_and_the_build_leave_the_secrets_out():
    assert "/docker/secrets/" in (FOLDER.parent / ".gitignore").read_text().splitlines()
    taken = [line for line in (FOLDER.parent / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert "!docker" not in taken and not [line for line in taken if re.search(r"secret|\*", line)]


@pytest.mark.parametrize("composed", [EMBEDDED, MONGODB], indirect=True)
def test_the_tool_takes_the_file_and_no_secret_is_in_it(composed):
    told = composed("config")
    for path in (composed.folder / "secrets").iterdir():
        assert path.read_text().strip() not in told


@pytest.mark.parametrize("composed", [EMBEDDED, MONGODB] if HAS_MONGODB else [EMBEDDED], indirect=True)
def test_it_runs_and_keeps_what_it_took(composed):
    composed.keeps_what_it_took()
    assert inspect(composed.server(), ".HostConfig.ReadonlyRootfs") is True
    assert inspect(composed.server(), ".HostConfig.CapDrop") == ["ALL"]
    assert composed("exec", "-T", "kuryed", "kuryed", "healthcheck", "--ready") == ""


@pytest.mark.parametrize("composed", [EMBEDDED], indirect=True)
def test_its_store_is_saved_and_restored_by_the_manual(composed, tmp_path):
    composed.up()
    place = composed.restaurant()
    courier, order = place.courier(), place.order()
    courier.posts(order, 1)
    places = {"docker compose -f docker/compose.embedded.yaml": " ".join([*TOOL, "-p", composed.project, "-f", str(composed.file)]),
              **({} if os.geteuid() == 0 else {"-m 700 -o 10001": "-m 777"})}
    published = {"KURYED_IMAGE": IMAGE, "KURYED_PORT": "0", "KURYED_OPS_PORT": "0",
                 **{name: value for name, value in os.environ.items() if name in ("DOCKER_HOST", "HOME")}}
    manual.runs("backup-container", tmp_path, places=places, **published)
    [backup] = (tmp_path / "backups").iterdir()
    courier.posts(order, 2)
    manual.runs("restore-container", tmp_path, places=places, BACKUP=backup.name, **published)
    composed.up()
    assert order.now()["status"] == "teslim-edilecek"
    courier.posts(order, 2)
