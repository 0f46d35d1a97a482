# SPDX-License-Identifier: Apache-2.0
"""test_keys.py - KURYE_SECRET_KEY: a wrong one is refused at the start, it is changed without a loss, and losing it is not
the end."""

import base64
import secrets
import sqlite3

import pytest

import manual
import stores
from mongo_relay import Hold
from process import WAIT, Kuryed
from world import World, data, eventually, together

MONGODB = stores.STORE == "mongodb"


def new_key():
    return base64.b64encode(secrets.token_bytes(32)).decode()


def refuses(world, **settings):
    """A server does not start, and says why without a part of any key; returns the reason."""
    server = Kuryed(world.environment(**settings))
    assert server.wait() == 1, server.text()
    for key in (part.split(":")[1] for part in settings["secret_key"].split(",")):
        assert key[:8] not in server.text()
    return server.log_contains(event="start_failed")["reason"]


def reseal(world, secret_key, *arguments):
    """Returns the exit status and all that was said."""
    run = Kuryed({"KURYE_STORE": world.store.where, "KURYE_SECRET_KEY": secret_key}, ["reseal", *arguments])
    status = run.wait(2 * WAIT)
    return status, run.stdout + run.text()


def forget_the_keys(world):
    """As a store was before keys were noted in it."""
    if MONGODB:
        world.store.database["keys"].delete_many({})
    else:
        store = sqlite3.connect(world.store.path)
        store.execute("DELETE FROM records WHERE kind = 6")
        store.commit()
        store.close()


class Place:
    """A restaurant with a platform and a firm, whose secrets are all in the store."""

    def __init__(self, world):
        self.world = world
        self.restaurant = world.restaurant().connected("dukkango")
        self.courier = self.restaurant.courier(dispatch=True, dispatchHeaders={"X-Key": "gizli"})

    def works(self):
        order = self.restaurant.order("dukkango")
        order.settles("done", "courier")
        self.courier.posts(order, 1)
        order.settles("done")


@pytest.fixture
def world():
    with World() as made:
        made.key = made.settings["secret_key"]
        yield made


@pytest.fixture
def place(world):
    made = Place(world)
    made.works()
    return made


class TestAtTheStart:
    def test_another_key_of_the_same_id_is_refused(self, world, place):
        world.server.stop()
        assert "key k1 of KURYE_SECRET_KEY is not the one" in refuses(world, secret_key=f"k1:{new_key()}")
        assert "key k1 of KURYE_SECRET_KEY is not the one" in refuses(world, secret_key=f"k2:{new_key()},k1:{new_key()}")
        world.start()
        place.works()

    def test_a_missing_key_is_refused(self, world, place):
        world.server.stop()
        assert "secrets of key k1, which KURYE_SECRET_KEY does not have" in refuses(world, secret_key=f"k2:{new_key()}")
        world.start()
        place.works()

    def test_so_it_is_where_nothing_was_sealed_yet(self, world):
        world.server.stop()
        assert "k1" in refuses(world, secret_key=f"k2:{new_key()}")
        assert reseal(world, f"k2:{new_key()}")[0] == 0  # for then nothing is lost

    def test_a_store_from_before_is_judged_by_its_secrets(self, world, place):
        world.server.stop()
        forget_the_keys(world)
        assert "no key of KURYE_SECRET_KEY opens any" in refuses(world, secret_key=f"k1:{new_key()}")
        second = new_key()
        world.start(secret_key=f"k2:{second},{world.key}")
        place.works()
        world.server.stop()
        assert "key k1" in refuses(world, secret_key=f"k2:{second}")  # all that were there were noted

    @pytest.mark.embedded_only
    def test_a_backup_brought_back_knows_its_key(self, world, place, tmp_path):
        saved = str(tmp_path / "saved.db")
        assert Kuryed({"KURYE_STORE": world.store.where}, ["backup", saved]).wait() == 0
        there = f"sqlite:{tmp_path}/there.db"
        assert Kuryed({"KURYE_STORE": there}, ["restore", saved]).wait() == 0
        assert "key k1" in refuses(world, store=there, secret_key=f"k1:{new_key()}", listen="127.0.0.1:0")
        world.restart(store=there)
        place.works()

    @pytest.mark.mongodb_only
    def test_servers_with_other_keys_do_not_come_beside(self, world, place):
        assert "key k1" in refuses(world, secret_key=f"k1:{new_key()}")
        assert "key k1" in refuses(world, secret_key=f"k3:{new_key()}")
        place.works()

    @pytest.mark.mongodb_only
    def test_of_two_that_begin_at_once_with_other_keys_one_stays_at_most(self, world):
        world.server.stop()
        for _ in range(5):
            forget_the_keys(world)
            servers = together(2, lambda n: Kuryed(world.environment(secret_key=f"b{n}:{new_key()}")))
            for server in servers:
                eventually(lambda: server.ended or server.logged(event="listening"), bool)
                if server.ended:
                    server.wait()
            assert sum(server.alive() for server in servers) <= 1
            for server in servers:
                server.kill()

    @pytest.mark.mongodb_only
    def test_where_the_store_answers_late_the_server_does_not_get_ready(self, world, place):
        world.server.stop()
        world.store.relay.down()
        server = Kuryed(world.environment(secret_key=f"k1:{new_key()}", request_deadline="1s"))
        line = server.log_contains(event="listening")
        world.store.relay.up()
        said = eventually(lambda: [row["reason"] for row in server.logged(event="store_failed")],
                          lambda reasons: any("key k1 of KURYE_SECRET_KEY" in reason for reason in reasons))
        assert said
        world.ops_address, world.address = line["opsListen"], line["listen"]
        assert world.call("GET", "/readyz", ops=True).status_code == 503
        assert place.restaurant.call("GET", place.restaurant.path).status_code == 503
        server.stop()
        world.start()
        place.works()


class TestChanged:
    def test_the_first_seals_and_all_open(self, world, place):
        second = f"k2:{new_key()}"
        world.restart(secret_key=f"{second},{world.key}")
        place.works()
        later = Place(world)
        later.works()
        if not MONGODB:
            world.server.stop()
        status, said = reseal(world, f"{second},{world.key}")
        assert status == 0 and "6 secrets are sealed by key k2, 3 of them anew" in said
        assert "key k1 is not needed any more" in said
        if MONGODB:
            place.works()  # beside a server that runs
            world.server.stop()
        assert not [piece for piece in world.store.contents() if b'"k1:' in piece]
        assert "key k2" in refuses(world, secret_key=world.key)
        world.start(secret_key=second)
        place.works()
        later.works()

    def test_twice_changes_nothing_more(self, world, place):
        world.server.stop()
        for _ in range(2):
            status, said = reseal(world, world.key)
            assert status == 0 and "3 secrets are sealed by key k1, 0 of them anew" in said

    def test_the_key_that_seals_cannot_be_left_out_before(self, world, place):
        second = f"k2:{new_key()}"
        world.restart(secret_key=f"{second},{world.key}")
        world.server.stop()
        assert "key k1" in refuses(world, secret_key=second)
        status, said = reseal(world, second)
        assert status == 1 and "2 do not open" not in said and "3 do not open: nothing was forgotten" in said
        assert "key k1" in refuses(world, secret_key=second)
        world.start(secret_key=f"{second},{world.key}")
        place.works()

    @pytest.mark.mongodb_only
    def test_one_that_was_killed_is_begun_again(self, world, place):
        both = f"k2:{new_key()},{world.key}"
        world.restart(secret_key=both)
        hold = Hold()
        world.store.relay.on("update", "integrations", then=hold)
        run = Kuryed({"KURYE_STORE": world.store.where, "KURYE_SECRET_KEY": both}, ["reseal"])
        assert hold.entered.wait(WAIT)
        run.kill()
        hold.release()
        place.works()
        assert "key k1" in refuses(world, secret_key=both.split(",")[0])
        status, said = reseal(world, both)
        assert status == 0 and "3 secrets are sealed by key k2" in said
        place.works()
        world.restart(secret_key=both.split(",")[0])
        place.works()

    @pytest.mark.mongodb_only
    def test_a_store_that_does_not_answer_is_told(self, world, place):
        world.store.relay.down()
        status, said = reseal(world, world.key)
        assert status == 1 and "kuryed reseal: MongoDB does not answer" in said
        world.store.relay.up()
        eventually(lambda: world.call("GET", "/readyz", ops=True).status_code, lambda status: status == 200)
        place.works()

    @pytest.mark.embedded_only
    def test_an_embedded_store_that_is_served_is_left_alone(self, world, place):
        status, said = reseal(world, f"k2:{new_key()},{world.key}")
        assert status == 1 and "in use by another kuryed" in said
        place.works()

    @pytest.mark.embedded_only
    def test_as_docs_operations_says(self, world, place, tmp_path):
        world.server.stop()
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc" / "secret-key").write_text(world.key + "\n")
        (tmp_path / "kurye.db").symlink_to(world.store.path)
        manual.runs("new-key", tmp_path)
        assert world.key in (tmp_path / "etc" / "secret-key").read_text()
        said = manual.runs("reseal", tmp_path, KURYE_STORE=world.store.where)
        assert "key k1 is not needed any more" in said
        manual.runs("old-key", tmp_path)
        left = (tmp_path / "etc" / "secret-key").read_text()
        assert world.key not in left and left.startswith("k2:")
        world.start(secret_key=left.strip())
        place.works()


def test_who_lost_the_key_goes_on_and_enters_the_secrets_anew(world, place):
    restaurant, courier = place.restaurant, place.courier
    world.server.stop()
    key = f"k1:{new_key()}"  # the same id again, as docker/make-secrets makes it
    status, said = reseal(world, key)
    assert status == 1 and "use --forget" in said
    status, said = reseal(world, key, "--forget")
    assert status == 0 and f"connection {restaurant.id}-dukkango: no key opens" in said
    assert f"integration {courier.id}: no key opens" in said
    world.start(secret_key=key)
    lost = restaurant.order("dukkango")
    lost.settles("failed", "courier")
    courier.posts(lost, 1)
    lost.settles("failed")
    assert world.dukkango.about(lost) == []
    data(restaurant.call("PUT", f"{restaurant.path}/platforms/dukkango",
                         {"enabled": True, "credentials": restaurant.credentials["dukkango"]}))
    signing = data(restaurant.call("POST", f"{courier.path}/rotate-signing-secret", {"graceSeconds": 0}))
    courier.firm["secrets"].append(signing["signingSecret"])
    courier.changes(dispatchHeaders={"X-Key": "gizli"})
    place.works()
    world.restart()
    place.works()


class TestTheCommand:
    def test_its_help_and_wrong_arguments(self):
        run = Kuryed({}, ["reseal", "--help"])
        assert run.wait() == 0 and "--forget" in run.stdout
        for arguments in (["--bogus"], ["--forget", "more"], ["more"]):
            run = Kuryed({}, ["reseal", *arguments])
            assert run.wait() == 64 and "usage: kuryed reseal" in run.text()

    def test_without_a_key_or_a_store(self, tmp_path):
        run = Kuryed({}, ["reseal"])
        assert run.wait() == 64 and "KURYE_SECRET_KEY: is required" in run.text()
        run = Kuryed({"KURYE_SECRET_KEY": "k1:AAAA"}, ["reseal"])
        assert run.wait() == 64 and "KURYE_SECRET_KEY: must be" in run.text()
        run = Kuryed({"KURYE_SECRET_KEY": f"k1:{new_key()}", "KURYE_STORE": f"sqlite:{tmp_path}/typo.db"}, ["reseal"])
        assert run.wait() == 1 and "there is no file" in run.text()
        assert not list(tmp_path.iterdir())
