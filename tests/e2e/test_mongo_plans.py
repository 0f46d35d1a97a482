# SPDX-License-Identifier: Apache-2.0
"""test_mongo_plans.py - each question that goes out, put to the server's planner among thousands of orders.

Which index it is to be stands in questions.py, and every test's commands are held against that when its world closes. Here
all kinds happen among a restaurant's past of thousands; the server must name that index, and what the index lets through by
MongoDB's rules must be little beside what is asked for.
"""

import copy
import datetime
from collections import defaultdict

import pytest
from bson import ObjectId

from questions import ALL, CUSTOMER, RULES, questions, strange
from test_shard_key import happen
from watcher import Watcher
from world import World, data, eventually
from yandex import Yandex

pytestmark = pytest.mark.mongodb_only

PAST, PAST_DAYS = 3000, 300
FEW = 150  # documents that may be looked at in vain: pages, what other tests' orders are among
EPOCH = datetime.datetime(1970, 1, 1)
PARTIAL = {"open": {"rank": {"$lt": 5}}, "dueToPlatform": {"out.platform.at": {"$gt": EPOCH}},
           "dueToCourier": {"out.courier.at": {"$gt": EPOCH}}, "failedToPlatform": {"out.platform.dead": {"$exists": True}},
           "failedToCourier": {"out.courier.dead": {"$exists": True}}, "expiring": {"expiresAt": {"$gt": EPOCH}},
           "personal": {CUSTOMER: {"$exists": True}}, "phone": {CUSTOMER: {"$exists": True}}}


def live_through(world, place):
    """A restaurant's years: thousands that are over, the younger ones with personal data still in them."""
    made = place.order("phone", "yeni", orderType="gel_al")
    made.becomes("teslim-edildi")
    like = world.store.database.orders.find_one_and_delete({"_id": ObjectId(made.id)})
    now, rows = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None), []
    for n in range(PAST):
        at = now - datetime.timedelta(days=PAST_DAYS * (n + 1) / PAST)
        row = copy.deepcopy(like)
        row.update(_id=ObjectId(), platformOrderId=f"past-{n}", createdAt=at, updatedAt=at, seenAt=at, phone=f"5{n:09}")
        for one in row["history"]:
            one["at"] = at
        if n > PAST * 29 / PAST_DAYS:
            del row["phone"]
            row["document"]["customer"] = None
        rows.append(row)
    world.store.database.orders.insert_many(rows)


def ask_all(world, place):
    day = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    page = place.call("GET", "/api/v1/orders?limit=2").json()
    after = page["next"] if "next" in page else page["data"]["next"]
    for query in ("?status=hazir", f"?status=teslim-edildi&since={day}&limit=200", f"?since={day}", "?limit=2",
                  f"?limit=2&after={after}", f"?status=hazir&limit=2&after={after}"):
        assert place.call("GET", f"/api/v1/orders{query}").status_code == 200
    for who in (place.call, world.admin):
        for query in ("?state=failed", "?state=pending", f"?since={day}", "?limit=2", f"?limit=2&after={after}"):
            assert who("GET", f"/api/v1/deliveries{query}").status_code == 200
    data(world.admin("POST", "/api/v1/deliveries/replay", {"state": "failed"}))
    for path in ("/api/v1/restaurants", f"/api/v1/restaurants/{place.id}/tokens",
                 f"/api/v1/restaurants/{place.id}/courier-integrations", f"/api/v1/restaurants/{place.id}/platforms"):
        assert world.admin("GET", path).status_code == 200
    assert world.call("GET", "/metrics", ops=True).status_code == 200


@pytest.fixture(scope="module")
def asked():
    """The world, and all that its server asked, by the rules."""
    with World(outbound_timeout="500ms", lease_slack="200ms", retention_days="30") as world:
        place = world.restaurant().connected("dukkango", "trendyolyemek")
        live_through(world, place)
        world.restart()
        happen(world, place)
        courier, platform = place.courier(), Yandex(place)
        platform.status(platform.sends())
        with Watcher(place, since="2026-01-01T00:00:00Z"):
            order = place.order("dukkango", "hazir")
            courier.posts(order, 1)
        order.settles("done")
        ask_all(world, place)
        found = defaultdict(dict)

        def look():
            for command in world.store.relay.seen():
                for one in questions(command):
                    found[one.rule()].setdefault((one.collection, *sorted(one.words), *one.sort), one)
            return [rule for rule in (*RULES, ALL) if rule not in found]
        eventually(look, lambda missing: not missing)
        yield world.store.database, found


def plans(database, question):
    """The indexes that an explanation says are used, as MongoDB and FerretDB tell it; "": none, all is gone through."""
    asked = {"find": question.collection, "filter": question.filter, **({"sort": question.sort} if question.sort else {})}
    plan = database.command("explain", asked, verbosity="queryPlanner")["queryPlanner"]
    names, scans = set(), False

    def walk(part):
        nonlocal scans
        for one in part if isinstance(part, list) else [part]:
            if isinstance(one, dict):
                names.update(one[name] for name in ("indexName", "Index Name") if name in one)
                scans |= one.get("stage") == "COLLSCAN" or one.get("Node Type") == "Seq Scan"
                for name, more in one.items():
                    if name not in ("IndexCosts", "rejectedPlans", "allPlansExecution"):
                        walk(more)
    walk(plan)
    return names, scans, plan


def test_each_question_goes_by_an_index(asked):
    """By the one that is meant for it; DocumentDB, which knows no figures of a young collection, may take another of the
    restaurant's, and what an admin asks of everybody it goes through and sorts."""
    database, found = asked
    own = {name for name, index in database.orders.index_information().items() if index["key"][0][0] == "restaurantId"}
    for rule, kinds in found.items():
        for question in kinds.values():
            if question.collection == "orders" and question.filter and not rule.why:  # of the others there are too few
                names, scans, plan = plans(database, question)
                assert names and names <= rule.indexes | own and not scans, (question, names, plan)


def through(database, question, index):
    """How many entries of an index a question goes through: members by equality, and then one by a bound."""
    key = database[question.collection].index_information()[index]["key"]
    served = dict(PARTIAL.get(index, {}))
    for member, _ in key:
        if member not in question.filter:
            break
        served[member] = question.filter[member]
        if isinstance(served[member], dict) and "$in" not in served[member]:
            break
    ordered = [member for member, _ in key if member in question.sort] == list(question.sort)
    rest = {name for name in question.filter if name not in served and name not in ("$or", "rank")}
    count = database[question.collection].count_documents(served)
    return min(count, question.limit) if ordered and question.sort and not rest and question.limit else count


def branches(question):
    """A question for each branch of what is owed or given up; else itself."""
    parts = question.filter.get("$and", [{}])[0].get("$or")
    for part in parts or [{}]:
        one = copy.copy(question)
        one.filter = {**{name: value for name, value in question.filter.items() if name != "$and"}, **part}
        yield one


def test_an_index_lets_little_through_that_is_not_asked_for(asked):
    database, found = asked
    for rule, kinds in found.items():
        for question in kinds.values():
            if question.collection != "orders" or rule.why or (not question.limit and rule.indexes <= {"page", "pageOfAll", "number"}):
                continue  # a list without a bound is read page by page, as far as somebody wants
            for one in branches(question):
                wanted = database.orders.count_documents(one.filter)
                best = min((through(database, one, index), index) for index in rule.indexes)
                assert best[0] <= 2 * wanted + FEW, (one, best, wanted)


def test_a_question_that_no_index_is_meant_for_is_seen(asked):
    database, found = asked

    class Command:
        name, collection = "find", "orders"
        document = {"filter": {"status": "yeni"}}
    assert strange([Command])
    [one] = questions(Command)
    names, scans, _ = plans(database, one)
    assert scans or names == {"_id_"}  # by which DocumentDB goes through all
