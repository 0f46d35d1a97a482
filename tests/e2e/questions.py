# SPDX-License-Identifier: Apache-2.0
"""questions.py - what kuryed asks a MongoDB, and the index by which each question is answered, however many orders there are.

Every question that goes through a relay must be one of these; test_mongo_plans.py puts each to the server's planner. That
may be another than MongoDB's, so which part of an index narrows a question down is reasoned here by MongoDB's rules ("The
ESR guideline", "Multikey index bounds", "Partial indexes" in its manual): a prefix of its members that are asked for by
equality ($in is such), then one that has a bound; a partial index where the question has the very condition of it.
"""

CUSTOMER = "document.customer.details"


class Rule:
    """`words`: members that the question asks by. `why`: the reason why it may go through more than it finds."""

    def __init__(self, collection, words, *indexes, why=None):
        self.collection, self.words, self.indexes, self.why = collection, set(words), set(indexes), why

    def __repr__(self):
        return f"{self.collection} {sorted(self.words)}: {sorted(self.indexes)}"

    def fits(self, question):
        return self.collection in (None, question.collection) and self.words <= question.words


RULES = [
    # One document by its key: a webhook, claim, settle, release, an order's state, an erasure. The rest of such a question
    # is read in the document, so that a guard costs no index.
    Rule(None, ["_id"], "_id_"),
    # A secret by its digest. An array, so that the index is multikey, which equality does not mind.
    Rule(None, ["looks"], "look"),
    # The same order again: three equalities, the whole key.
    Rule("orders", ["restaurantId", "platform", "platformOrderId"], "number"),
    # A list of what is owed or was given up: each branch of the $or by its partial index, which holds nothing else, be it
    # everybody's; a sort of what is left.
    Rule("orders", ["$or", "out.platform.at"], "dueToPlatform", "dueToCourier", "page", "pageOfAll"),
    Rule("orders", ["$or", "out.platform.dead"], "failedToPlatform", "failedToCourier", "page", "pageOfAll"),
    # What is due, oldest first: the bound on `at` and the order are the index's first member, `until` is read in the index.
    # Whoever is leased is passed over: as many as there are calls on their way.
    Rule("orders", ["out.platform.at"], "dueToPlatform"),
    Rule("orders", ["out.courier.at"], "dueToCourier"),
    # What was given up, of one restaurant: the index is skipped through, once for each reason that there is.
    Rule("orders", ["out.platform.dead"], "failedToPlatform"),
    Rule("orders", ["out.courier.dead"], "failedToCourier"),
    # The sweeps.
    Rule("orders", ["expiresAt"], "expiring"),
    Rule("orders", [CUSTOMER, "phone"], "phone"),
    Rule("orders", [CUSTOMER, "createdAt"], "personal"),
    # What has one status on the way to its end, newest first: two equalities, then the order.
    Rule("orders", ["restaurantId", "status", "rank"], "open", "page"),
    # What changed since a time, for a screen (in the index's order, merged where it is $in) and for a list, which sorts it.
    Rule("orders", ["restaurantId", "seenAt"], "changes", "page"),
    # The same of everybody, for an admin.
    Rule("orders", ["seenAt"], "pageOfAll", why="from the newest on, until the page is full"),
    # A page of all: the equality, then the order, and behind a cursor the bound on its first member. What the list leaves
    # out besides is read and passed over.
    Rule(None, ["restaurantId"], "page", "number"),
    Rule(None, ["createdAt"], "page", "pageOfAll"),
]
# Pages of all there are, from the newest on: in the index's order.
ALL = Rule(None, [], "page", "pageOfAll")


class Question:
    def __init__(self, command, asked):
        self.name, self.collection, self.filter = command.name, command.collection, asked
        self.sort = dict(command.document.get("sort") or {})
        self.limit = command.document.get("limit")
        self.words = set(self._words(asked))

    @staticmethod
    def _words(asked):
        for name, value in asked.items():
            yield name
            if name in ("$or", "$and"):
                for part in value:
                    for word in Question._words(part):
                        # A cursor's `_id` is a bound, not a key.
                        yield from [] if word == "_id" else [word]

    def rule(self):
        """None: no index is meant for it."""
        return next((rule for rule in RULES if rule.fits(self)), ALL if set(self.sort) == {"createdAt", "_id"} else None)

    def __repr__(self):
        return f"{self.name} {self.collection} {self.filter} by {self.sort}"


def questions(command):
    """What a command asks: nothing, one thing, or as many as it has updates."""
    document = command.document
    if command.name in ("update", "delete"):
        return [Question(command, one["q"]) for one in document["updates" if command.name == "update" else "deletes"]]
    if command.name == "aggregate":
        return [Question(command, stage["$match"]) for stage in document["pipeline"] if "$match" in stage]
    if command.name in ("find", "findAndModify"):
        return [Question(command, document.get("filter") or document.get("query") or {})]
    return []


def strange(commands):
    """Those without a rule, each once."""
    found = {}
    for command in commands:
        if command.name not in ("insert", "getMore"):
            found.update({(one.collection, *sorted(one.words)): one for one in questions(command) if not one.rule()})
    return list(found.values())
