# SPDX-License-Identifier: Apache-2.0
"""test_backup.py - a backup made while webhooks come in, and what a restore of it brings back: by the manual's commands."""

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from bson import json_util

import manual
import stores
from fake import fails
from process import BINARY, IGNORING, WAIT, Kuryed
from world import World, data, eventually

THREADS = 4


@pytest.fixture
def world():
    with World(retry_schedule="1h") as made:
        yield made


@pytest.fixture
def place(world):
    return world.restaurant().connected("trendyolyemek")


class Keeper:
    """Whoever saves a world's store, and brings it back, as docs/operations.md tells."""

    def __init__(self, world):
        self.world, self.folder = world, world.folder

    def saves(self):
        raise NotImplementedError

    def restores(self):
        raise NotImplementedError


class OfFile(Keeper):
    def saves(self):
        folder = Path(self.folder, "backups")
        folder.mkdir(exist_ok=True)
        told = manual.runs("backup-embedded", self.folder)
        [self.backup] = folder.iterdir()
        assert told == f"wrote {self.backup}\n"
        assert stat.S_IMODE(self.backup.stat().st_mode) == 0o600

    def restores(self):
        manual.runs("restore-embedded", self.folder, BACKUP=str(self.backup))
        assert {path.name for path in Path(self.folder, "before").iterdir()} >= {"kurye.db", "kurye.db.lock"}


class OfMongoDB(Keeper):
    def __init__(self, world):
        super().__init__(world)
        self.database = world.store.database
        self.backup = f"{self.folder}/kurye.gz"
        etc = Path(self.folder, "etc")
        etc.mkdir()
        (etc / "store").write_text(f"{stores.MONGODB_URI.rstrip('/')}/{self.database.name}\n", encoding="utf-8")

    def _runs(self, name):
        manual.runs(name, self.folder, BACKUP=self.backup, PATH=f"{tools()}:{manual.path(self.folder)}")

    def saves(self):
        self._runs("backup-mongodb")

    def restores(self):
        self.database.client.drop_database(self.database.name)
        self._runs("restore-mongodb")
        for filter, update in manual.updates("doubt-mongodb"):
            self.database.orders.update_many(*(json_util.loads(json_util.dumps(part)) for part in (filter, update)))


def tools():
    """The folder of MongoDB's own tools."""
    folder = os.environ.get("KURYED_MONGODB_TOOLS", "")
    found = shutil.which("mongodump", path=f"{folder}:{os.environ['PATH']}")
    if not found:
        assert not os.environ.get("CI"), "there is no mongodump: tools/mongodb tools makes one"
        pytest.skip("there is no mongodump: set KURYED_MONGODB_TOOLS to what `tools/mongodb tools` says")
    return os.path.dirname(found)


@pytest.fixture
def keeper(world):
    return {"sqlite": OfFile, "mongodb": OfMongoDB}[stores.STORE](world)


class Load:
    """New orders and webhooks about them, one after the other on each thread, until it shall end."""

    def __init__(self, place, courier):
        self.place, self.courier = place, courier
        self.acknowledged, self.changed, self.ends = [], threading.Condition(), threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(THREADS)]

    def _run(self):
        while not self.ends.is_set():
            order = self.place.order()
            self.courier.posts(order, 1)
            with self.changed:
                self.acknowledged.append(order)
                self.changed.notify_all()

    def reaches(self, count):
        """Waits for so many orders; returns all so far."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.acknowledged) >= count, WAIT)
            return list(self.acknowledged)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join(WAIT)


def test_all_that_was_acknowledged_before_it_is_there_again_and_what_is_owed_goes_on_in_doubt(world, place, keeper):
    courier = place.courier()
    told, platform = place.order("trendyolyemek", "hazir"), world.trendyolyemek
    platform.next("on-the-way", fails(400))
    courier.posts(told, 1)
    eventually(told.delivery, lambda delivery: delivery["tries"] == 1)
    with Load(place, courier) as load:
        before = load.reaches(50)
        keeper.saves()
        load.reaches(len(before) + 50)
    platform.orders[told.platform_id]["state"] = "Shipped"  # what was told after the backup, and is forgotten by it
    world.kill()
    keeper.restores()
    world.start()

    assert [order.now()["status"] for order in before] == ["teslim-edilecek"] * len(before)
    kept = data(place.call("GET", "/api/v1/orders?limit=200"))
    assert {order["status"] for order in kept} <= {"hazirlanacak", "hazir", "teslim-edilecek"}
    courier.posts(told, 2)
    told.settles("done")
    assert platform.tried(told) == ["on-the-way", "check", "delivered"]


@pytest.mark.embedded_only
class TestTheFile:
    def test_of_a_server_that_was_killed_has_what_only_its_log_has(self, world, place, keeper):
        order = place.order()
        order.becomes("hazir")
        world.kill()
        assert Path(f"{world.store.path}-wal").stat().st_size > 0
        keeper.saves()
        keeper.restores()
        world.start()
        assert order.now()["status"] == "hazir"

    def test_replaces_nothing(self, world, keeper):
        keeper.saves()
        was = keeper.backup.read_bytes()
        refuses(world, "backup", keeper.backup, "is there already")
        assert keeper.backup.read_bytes() == was
        refuses(world, "restore", keeper.backup, "kurye.db is there already")
        assert world.call("GET", "/readyz", ops=True).status_code == 200

    def test_is_not_restored_beside_the_log_of_another(self, world, keeper):
        keeper.saves()
        world.kill()
        os.unlink(world.store.path)
        refuses(world, "restore", keeper.backup, "kurye.db-wal is there already")
        assert not os.path.exists(world.store.path)
        os.unlink(f"{world.store.path}-wal")
        assert command(world, "restore", keeper.backup)[0] == 0
        world.start()

    @pytest.mark.parametrize("content, text", [
        (None, "unable to open database file"), (b"", "holds nothing"), (b"no database" * 100, "file is not a database"),
        ("CREATE TABLE a (b)", "is another program's database"),
        ("CREATE TABLE heart (beat); PRAGMA user_version = 999", "was made by a newer one")])
    def test_must_be_a_store(self, world, content, text):
        source = Path(world.folder, "source.db")
        if isinstance(content, str):
            with contextlib.closing(sqlite3.connect(source)) as made:
                made.executescript(content)
        elif content is not None:
            source.write_bytes(content)
        status, told, trouble = command(world, "restore", source, store=f"sqlite:{world.folder}/new.db")
        assert (status, told) == (1, "") and text in trouble
        assert not list(Path(world.folder).glob("new.db*"))

    def test_cannot_be_written(self, world):
        refuses(world, "backup", f"{world.folder}/none/a.db", "cannot make")
        os.mkdir(f"{world.folder}/full")
        full = subprocess.run(["prlimit", "--fsize=4096", *IGNORING, BINARY, "backup", f"{world.folder}/full/a.db"],
                              env={**os.environ, **world.environment()}, capture_output=True, text=True, check=False)
        assert full.returncode == 1 and "cannot copy" in full.stderr
        assert not os.listdir(f"{world.folder}/full")


@pytest.mark.parametrize("arguments, where, text", [
    (["backup"], None, "usage: kuryed backup FILE"), (["backup", "--now"], None, "usage: "),
    (["restore", "a.db", "b.db"], None, "usage: "), (["backup", "a.db"], "mongodb://127.0.0.1:9/a", "names a MongoDB"),
    (["restore", "a.db"], "postgres://", "KURYE_STORE: must be sqlite:PATH")])
def test_wrong_arguments_are_told(arguments, where, text):
    run = Kuryed({"KURYE_STORE": where} if where else {}, arguments)
    assert run.wait() == 64 and text in run.text() and run.stdout == ""


def command(world, *arguments, **settings):
    """One run of a subcommand beside the server; returns its exit status and what it said on stdout and stderr."""
    run = Kuryed(world.environment(**settings), arguments)
    return run.wait(), run.stdout, run.text()


def refuses(world, word, file, text):
    status, told, trouble = command(world, word, file)
    assert (status, told) == (1, "") and f"kuryed {word}: " in trouble and text in trouble
