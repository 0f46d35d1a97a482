# SPDX-License-Identifier: Apache-2.0
"""test_openapi.py - docs/openapi.yaml says what handlers/routes.c and model/err.h do, and all its examples fit."""

import re
import sys
from collections import namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "style")]

import check  # noqa: E402
from openapi import PAGES, description  # noqa: E402

DOCUMENT = description()
OPERATIONS = list(DOCUMENT.operations())
IDS = [f"{method} {path}" for method, path, _, _ in OPERATIONS]
CALLERS = {"WHO_COURIER": "courierKey", "WHO_RESTAURANT": "restaurantToken", "WHO_ADMIN": "adminToken", "WHO_TICKET": "ticket",
           "WHO_YANDEX": "yandexToken"}
ANSWERED_TO_NOBODY = {"OK", "STORE_BROKEN", "DAMAGED"}  # told as INTERNAL or NOT_UPDATED
YANDEX_ONLY = {"BAD_CLIENT", "NOT_NEW"}

Row = namedtuple("Row", "method path who body optional")


def text(name):
    return (ROOT / name).read_text()


def rows():
    """{`METHOD path`: Row} of handlers/routes.c."""
    source = text("handlers/routes.c")
    words = dict(re.findall(r"^#define (\w+) ([\w\"(].*?)(?: */\*.*)?$", source, re.M))

    def joined(expression):
        return "".join(part[1:-1] if part[0] == '"' else joined(words[part]) for part in re.findall(r'"[^"]*"|\w+', expression))

    found = {}
    for macro, inside in re.findall(r"^ +(GET|TAKES|MAY_TAKE|ROW|YANDEX)\(([^()]*)\),$", source, re.M):
        parts = [part.strip() for part in inside.split(",")]
        method = "GET" if macro == "GET" else parts.pop(0).strip('"')
        path, who = joined(parts[0]), words.get(parts[1], parts[1])
        body = "0" if macro == "GET" else "BODY" if macro in ("TAKES", "MAY_TAKE") else parts[2]
        optional = macro == "MAY_TAKE" or ".body_optional = true" in parts
        found[f"{method} {path}"] = Row(method, path, frozenset(re.findall(r"WHO_\w+", who)) - {"WHO_ANYONE"},
                                        int(words.get(body, body)), optional)
    assert found.keys() == check.routes_of(source), "a row that was not read"
    return found


ROWS = {name: row for name, row in rows().items() if not PAGES.fullmatch(row.path)}


def errors():
    """{name: (status, phrase, whether it may be tried again, text)} of model/err.h."""
    found = re.findall(r'^ +X\((\w+), (\d+), "([^"]*)", (\w+),[\s\\]*"([^"]*)"\)', text("model/err.h"), re.M)
    return {name: (int(status), phrase, retry == "true", said) for name, status, phrase, retry, said in found}


def must_answer(row):
    """The statuses that the loop and the router make of it, whatever the handler does."""
    ops = row.path in ("/livez", "/readyz", "/metrics")
    found = {400, 413, 500, 503} | ({415} if row.body else set())
    if row.who & {"WHO_RESTAURANT", "WHO_ADMIN", "WHO_YANDEX"}:
        found |= {401}
    if row.who in ({"WHO_RESTAURANT"}, {"WHO_ADMIN"}, {"WHO_RESTAURANT", "WHO_TICKET"}):
        found |= {403}
    if row.who == {"WHO_COURIER"}:
        found |= {404, 429}
    return found | ({404} if "{" in row.path and not ops else set())


def test_every_route_is_described_and_no_other():
    assert set(IDS) == ROWS.keys()


@pytest.mark.parametrize("method,path,operation,parameters", OPERATIONS, ids=IDS)
class TestOperation:
    def test_who_may_call(self, method, path, operation, parameters):
        row = ROWS[f"{method} {path}"]
        assert {name for one in operation["security"] for name in one} == {CALLERS[who] for who in row.who}

    def test_its_body(self, method, path, operation, parameters):
        row, body = ROWS[f"{method} {path}"], DOCUMENT.at(operation.get("requestBody", {}))
        if body:
            assert (body["x-max-bytes"], body["required"]) == (row.body, not row.optional)
        else:
            assert row.body == 0 or row.optional

    def test_its_parameters(self, method, path, operation, parameters):
        there = [DOCUMENT.at(one) for one in [*parameters, *operation.get("parameters", [])]]
        assert {one["name"] for one in there if one["in"] == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert any(one["name"] == "X-Request-Id" for one in there)
        for one in there:
            DOCUMENT.fits(one["schema"], one["example"])

    def test_its_statuses(self, method, path, operation, parameters):
        row, there = ROWS[f"{method} {path}"], {int(status) for status in operation["responses"]}
        assert must_answer(row) <= there
        assert (415 in there) == (row.body > 0)
        assert any(status < 300 or status == 101 for status in there)

    def test_its_examples_fit(self, method, path, operation, parameters):
        answers = {status: DOCUMENT.at(one) for status, one in operation["responses"].items()}
        for status, answer in [("request", DOCUMENT.at(operation.get("requestBody", {}))), *answers.items()]:
            for media, content in answer.get("content", {}).items():
                examples = DOCUMENT.examples_of(content)
                assert examples, f"{status} {media} has no example"
                for name, example in examples.items():
                    DOCUMENT.fits(content["schema"], example)
                    if isinstance(example, dict) and "statusCode" in example:
                        assert str(example["statusCode"]) == status, name
            for header in answer.get("headers", {}).values():
                DOCUMENT.fits(DOCUMENT.at(header)["schema"], DOCUMENT.at(header)["example"])
        assert all("X-Request-Id" in answer["headers"] for answer in answers.values())

    def test_its_words(self, method, path, operation, parameters):
        assert operation["operationId"] and operation["summary"].endswith((".", "?"))
        assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT.document["tags"]}


def test_names_are_used_once():
    names = [operation["operationId"] for _, _, operation, _ in OPERATIONS]
    assert len(names) == len(set(names))


def test_every_error_has_its_text():
    """By its name, as model/err.h tells it; and those of Yandex Eats as err_english() does."""
    examples = DOCUMENT.document["components"]["examples"]
    there = {name: (status, phrase, said) for name, (status, phrase, _, said) in errors().items()}
    for name in there.keys() - ANSWERED_TO_NOBODY - YANDEX_ONLY:
        status, phrase, said = there[name]
        told = examples[name]["value"]
        assert told["statusCode"] == status and told["error"] == phrase
        assert re.fullmatch(re.escape(said).replace("%s", r"\S+"), told["message"]), told
    english = dict(re.findall(r'\[ERR_(\w+)\] = "([^"]*)"', text("model/err.c")))
    for name, example in examples.items():
        if name.startswith("YANDEX_"):
            name = name.removeprefix("YANDEX_")
            assert example["value"][0]["description"].partition(": ")[0] == english.get(name, there[name][1])
    assert {f"YANDEX_{name}" for name in english} <= examples.keys()


@pytest.mark.parametrize("schema,table", [("Status", "model/status.h"), ("Platform", "model/platform.h"),
                                          ("DeliveryState", "model/target.h")])
def test_words_are_those_of_the_tables(schema, table):
    name = {"Status": "STATUS", "Platform": "PLATFORM", "DeliveryState": "DELIVERY"}[schema]
    lines = re.search(rf"#define {name}_TABLE\(X\)((?:.*\\\n)+.*)", text(table))[1]
    assert DOCUMENT.document["components"]["schemas"][schema]["enum"] == re.findall(r'X\(\w+, "([^"]+)"', lines)


def test_the_version_is_the_programs():
    assert f"version: '{DOCUMENT.document['info']['version']}'" in text("meson.build")


def test_what_is_sent_to_courier_firms():
    hook = DOCUMENT.document["webhooks"]["dispatch"]["post"]
    for parameter in hook["parameters"]:
        DOCUMENT.fits(parameter["schema"], parameter["example"])
    content = hook["requestBody"]["content"]["application/json"]
    for example in DOCUMENT.examples_of(content).values():
        DOCUMENT.fits(content["schema"], example)
