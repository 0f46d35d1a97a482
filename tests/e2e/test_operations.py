# SPDX-License-Identifier: Apache-2.0
"""test_operations.py - docs/operations.md from the first command on, as somebody who has nothing yet goes through it."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

import manual
import process
import stores
from process import WAIT, Kuryed
from promtool import ALERTS, promtool
from test_copy import destination, needs_mongodb  # noqa: F401, a fixture
from world import World

DOCS = manual.DOCUMENT.parent
LISTEN = {"KURYE_LISTEN": "127.0.0.1:0", "KURYE_OPS_LISTEN": "127.0.0.1:0"}


class ByHand(Kuryed):
    """The server, started by commands of the manual, on other ports than the usual ones."""

    def __init__(self, text, folder):
        self.text = manual.moved(text, folder)
        super().__init__({**LISTEN, "PATH": manual.path(folder)})

    def launch(self, command, env):
        super().launch(["bash", "-euc", self.text], env)


@pytest.fixture
def folder(tmp_path):
    manual.runs("secrets", tmp_path)
    return tmp_path


def test_the_secrets_are_their_owners_alone_and_are_made_once(folder):
    kept = {path.name: path.read_text() for path in Path(folder, "etc").iterdir()}
    assert sorted(kept) == ["admin-token", "secret-key"] and kept["secret-key"].startswith("k1:")
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path(folder, "etc").iterdir()} == {0o600}
    assert kept["secret-key"].removeprefix("k1:") != kept["admin-token"]
    manual.runs("secrets", folder)
    assert {path.name: path.read_text() for path in Path(folder, "etc").iterdir()} == kept


def test_from_nothing_to_an_order_on_its_way(folder):
    server = ByHand(manual.block("start"), folder)
    at = server.log_contains(event="listening")
    told = manual.runs("first", folder, places={"127.0.0.1:8080": at["listen"], "127.0.0.1:9090": at["opsListen"]})
    readiness, ping, answer = (json.loads(text) for text in told.replace("}{", "}\n{").splitlines())
    assert readiness["ready"] is True and ping["success"] is True
    assert answer["data"]["status"] == "teslim-edilecek"
    told = manual.runs("replay", folder, places={"127.0.0.1:8080": at["listen"]})
    assert json.loads(told)["data"] == {"replayed": 0, "more": False}
    assert server.stop()[0] == 0
    assert (folder / "kurye.db").exists() and "KURYE_ADMIN_TOKEN=***" in server.stdout


def test_all_but_these_are_run():
    """They install, or they start what a machine has one of."""
    assert [line.split("#")[0].strip() for line in manual.left_out()] == [
        "docker/make-secrets", "tools/deps demo",
        "useradd --system --home-dir /var/lib/kuryed --shell /usr/sbin/nologin kuryed", "apt-get install nginx-light"]


def test_the_log_is_sifted(tmp_path):
    rows = [{"level": level, "event": "x"} for level in ("info", "warn", "error", "debug")]
    log = tmp_path / "kuryed.log"
    log.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    told = manual.runs("errors", tmp_path, places={"kuryed.log": str(log)})
    assert [json.loads(line) for line in told.splitlines()] == rows[1:3]


def test_prometheus_takes_what_it_is_given(tmp_path):
    (tmp_path / "prometheus.yml").write_text(manual.block("prometheus"))
    shutil.copy(DOCS / "alerts.yml", tmp_path / "kuryed-alerts.yml")
    assert f"{len(ALERTS)} rules found" in promtool("check", "config", tmp_path / "prometheus.yml")


def test_the_store_of_the_manual_is_taken(folder):
    told = manual.runs("store", folder, KURYE_SECRET_KEY_FILE=str(folder / "etc/secret-key"))
    assert "KURYE_STORE=***" in told and "PASSWORD" not in told


@needs_mongodb
def test_the_embedded_store_moves_by_the_manual(destination, folder, monkeypatch):  # noqa: F811
    monkeypatch.setattr(stores, "STORE", "sqlite")
    with World() as world:
        world.restaurant().order()
        shutil.copytree(folder / "etc", Path(world.folder, "etc"))
        Path(world.folder, "etc/store").write_text(f"{destination.where}\n", encoding="utf-8")
        world.server.stop()
        told = manual.runs("copy", world.folder)
        assert told == "copied 1 orders, 3 records (0 were there already), all compared equal\n"


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    judge = shutil.which("systemd-analyze")
    if not judge:
        assert not os.environ.get("CI"), "there is no systemd-analyze (Debian: systemd)"
        pytest.skip("there is no systemd-analyze")
    unit = tmp_path / "kuryed.service"
    text = (DOCS / "kuryed.service").read_text(encoding="utf-8")
    assert text.count("/usr/local/bin/kuryed") == 1
    unit.write_text(text.replace("/usr/local/bin/kuryed", os.path.abspath(process.BINARY)), encoding="utf-8")
    done = subprocess.run([judge, "verify", "--man=no", unit], capture_output=True, text=True, timeout=WAIT, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([judge, "security", "--offline=true", "--threshold=15", "--no-pager", unit],
                          capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
