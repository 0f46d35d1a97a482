# SPDX-License-Identifier: Apache-2.0
"""openapi.py - docs/openapi.yaml as the tests use it: which operation a request is, and whether its answer is as described.

Every answer that the suite gets by a World's session is judged: its status, headers and media type must be documented,
its body must fit with no member more, and an error's text must be one of those that stand there as examples. What was
accepted must fit the request's schema too. So must what watchers and courier firms are told. Bodies of one shape are looked
at once.
"""

import json
import re
import urllib.parse
from functools import lru_cache
from pathlib import Path

import jsonschema
import yaml

FILE = Path(__file__).parents[2] / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")
PAGES = re.compile(r"/(panel|docs)(/.*)?")  # for people: no part of the interface
ARG = "[^/%]{1,80}"  # as server/router.h has it


def closed(schema):
    """The same where no object has a member that is not named."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(one) for name, one in schema.items()}
    if isinstance(schema.get("properties"), dict) and "object" in schema.get("type", ()):
        made.setdefault("additionalProperties", False)
        made["patternProperties"] = {"^v2$": True}  # what a newer version wrote, in a test
    return made


def shape(document):
    """What two documents share where it need not be looked at the second."""
    if isinstance(document, dict):
        return tuple((name, shape(one)) for name, one in document.items())
    if isinstance(document, list):
        return frozenset(map(shape, document))
    return type(document)


class Description:
    def __init__(self, file=FILE):
        self.document = yaml.load(file.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.components = {kind: {"components": {"schemas": make(self.document["components"]["schemas"])}}
                           for kind, make in {"closed": closed, "open": lambda schemas: schemas}.items()}
        self.paths = [(re.compile(re.sub(r"\{\w+\}", ARG, path)), path) for path in self.document["paths"]]
        self.no_route = json.dumps(self.document["components"]["examples"]["NO_ROUTE"]["value"], ensure_ascii=False,
                                   separators=(",", ":")).encode()
        self.seen = set()

    def at(self, node):
        """What a reference leads to; anything else is itself."""
        while "$ref" in node:
            found = self.document
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node

    def fits(self, schema, document, kind="closed"):
        """Raises jsonschema.ValidationError where it does not."""
        schema = closed(schema) if kind == "closed" else schema
        jsonschema.Draft202012Validator({**schema, **self.components[kind]}).validate(document)

    def fits_once(self, where, schema, document, kind="closed"):
        """The same, and quick where one of this shape was there before."""
        known = (where, kind, shape(document))
        if known not in self.seen:
            self.fits(schema, document, kind)
            self.seen.add(known)

    def operations(self):
        """(method, path, operation, the path's parameters) of each."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method], item.get("parameters", [])

    def methods_of(self, path):
        """{method: (path in the document, operation)}; what stands there exactly comes before a {…}."""
        found = {}
        for pattern, name in sorted(self.paths, key=lambda pair: "{" in pair[1], reverse=True):
            if pattern.fullmatch(path):
                item = self.document["paths"][name]
                found.update({method.upper(): (name, item[method]) for method in METHODS if method in item})
        return found

    def examples_of(self, content):
        """{name: value} of one media type."""
        found = {name: self.at(one)["value"] for name, one in content.get("examples", {}).items()}
        return found | ({"": content["example"]} if "example" in content else {})

    # ---- an answer ----

    def judge(self, method, path, status, headers, body, sent=None):
        """`headers` by lower-case names, `body` in bytes; `sent`: the document of the request, where it was one."""
        methods = self.methods_of(path)
        if PAGES.fullmatch(path):
            return
        wanted = "GET" if method == "HEAD" else method
        if wanted not in methods or (method == "HEAD" and path.endswith("/events")):
            self._judge_refusal(methods, method, status, headers, body)
            return
        name, operation = methods[wanted]
        where = f"{method} {name} {status}"
        if status == 404 and body in (b"", self.no_route):
            return  # on the other port
        responses = operation["responses"]
        assert str(status) in responses, f"{where} is not documented: {body[:200]!r}"
        response = self.at(responses[str(status)])
        self._judge_headers(where, response, headers)
        if method != "HEAD":
            self._judge_body(where, response, status, headers, body)
        if status < 300 and sent is not None:
            self._judge_sent(where, operation, sent)

    def _judge_refusal(self, methods, method, status, headers, body):
        example = self.document["components"]["examples"]["BAD_METHOD" if methods else "NO_ROUTE"]["value"]
        assert status == example["statusCode"], f"{method} {status}: no such operation is documented"
        if methods:
            assert set(headers["allow"].split(", ")) == set(methods), f"{method}: {headers['allow']}, not {set(methods)}"
        if method != "HEAD":
            document = json.loads(body)
            assert document == example or [{"code": 100, "description": example["error"]}] == document, body

    def _judge_headers(self, where, response, headers):
        for name, header in response.get("headers", {}).items():
            header = self.at(header)
            value = headers.get(name.lower())
            assert value is not None or not header.get("required"), f"{where}: no {name}"
            if value is not None:
                self.fits(header["schema"], value)

    def _judge_body(self, where, response, status, headers, body):
        content = response.get("content")
        if not content:
            assert not body, f"{where}: {body[:200]!r}"
            return
        media = headers.get("content-type", "").partition(";")[0]
        assert media in content, f"{where}: {media} is not documented"
        if not media.endswith("json"):
            return
        document = json.loads(body)
        self.fits_once(where, content[media]["schema"], document)
        if isinstance(document, list) or "statusCode" in document:
            assert any(self._says(name, example, document) for name, example in self.examples_of(content[media]).items()), \
                f"{where}: {document} is none of its examples"

    @staticmethod
    def _says(name, example, document):
        """Whether the error is the example's; of a field's, wherever the field is."""
        if not name.endswith("BAD_FIELD"):
            return document == example
        head = re.compile(r"(?<=: )[^:]*(?=\W+$)")
        return head.sub("", json.dumps(document)) == head.sub("", json.dumps(example))

    def _judge_sent(self, where, operation, sent):
        content = self.at(operation.get("requestBody", {})).get("content", {})
        if "application/json" in content:
            self.fits_once(where, content["application/json"]["schema"], sent, "open")

    # ---- what others are told ----

    def judge_message(self, message):
        """Of the WebSocket."""
        self.fits_once("a message", {"$ref": "#/components/schemas/EventMessage"}, message)

    def judge_dispatch(self, headers, document):
        """To a courier firm."""
        hook = self.document["webhooks"]["dispatch"]["post"]
        for parameter in hook["parameters"]:
            self.fits(parameter["schema"], headers.get(parameter["name"]))
        self.fits_once("a dispatch", hook["requestBody"]["content"]["application/json"]["schema"], document)


@lru_cache(maxsize=1)
def description():
    return Description()


def wrong_dispatch(headers, document):
    """What is not as described in what a courier firm is told, or None."""
    try:
        description().judge_dispatch(headers, document)
    except jsonschema.ValidationError as error:
        return f"not as docs/openapi.yaml has it: {error.message}"
    return None


def judge_answer(answer, *_, **__):
    """A hook of the requests library."""
    request = answer.request
    if "Server" in answer.headers and "X-Request-Id" not in answer.headers:
        return  # a proxy's own
    try:
        sent = json.loads(request.body) if answer.ok else None
    except (TypeError, ValueError):
        sent = None
    headers = {name.lower(): value for name, value in answer.headers.items()}
    description().judge(request.method, urllib.parse.urlsplit(request.url).path, answer.status_code, headers,
                        answer.content, sent)
