# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml as the server gives it, and the requests that schemathesis makes out of it, good ones and broken ones.

That has real keys, and for most of its tries ids of what is there, so that it comes past the doors. The ids and secrets of
the document's examples are replaced by those of the world, so that its examples, too, are what is sent. KURYED_SCHEMATHESIS
names the folder of its program (tools/check fetches it).
"""

import json
import os
import subprocess

import pytest

from openapi import FILE
from process import KEPT
from world import WEBHOOK, data
from yandex import Yandex, an_order

FOLDER = os.environ.get("KURYED_SCHEMATHESIS")
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method")
SEED = 20241105
TRIES = 6  # of each operation, beside those for each border of its schema
HOLDS = 0.95  # how often an id is one that is there

needs_it = pytest.mark.skipif(not FOLDER, reason="KURYED_SCHEMATHESIS names no folder: tools/check fetches schemathesis")


def run(program, *arguments, cwd=None):
    """Its output, where it is content."""
    done = subprocess.run([os.path.join(FOLDER, program), *map(str, arguments)], cwd=cwd, text=True, capture_output=True,
                          env={name: os.environ[name] for name in KEPT if name in os.environ})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Subject:
    """A world with something of each kind, under the names that the document's examples have."""

    def __init__(self, world):
        place = world.restaurant(restaurantId="507f1f77bcf86cd799439011").connected("dukkango")
        courier, firm = place.courier(), place.courier(dispatch=True)
        yandex = Yandex(world.restaurant(), placeId="4711")
        orders = [place.order("dukkango", "yeni", orderId="507f1f77bcf86cd799439012"), place.order("dukkango", "hazir"),
                  place.order("phone"), place.order("phone", "cancelled")]
        theirs = [yandex.sends(an_order("4711", eatsId="240101-123456")), yandex.sends()]
        token = data(place.call("POST", f"{place.path}/tokens", {"name": "Kasa"}), 201)["tokenId"]
        self.names = {"507f1f77bcf86cd799439013": firm.id, "507f1f77bcf86cd799439014": token,
                      "507f1f77bcf86cd799439015": theirs[0], "client_id: 507f1f77bcf86cd799439011": f"client_id: {yandex.id}",
                      "kry_0123456789abcdef0123456789abcdef0123456789abcdef": yandex.secret}
        self.things = {"restaurants": [place.id], "orders": [order.id for order in orders], "firms": [firm.id, courier.id],
                       "deliveries": [f"{order.id}-platform" for order in orders], "platforms": ["dukkango"],
                       "theirs": theirs, "places": ["4711"]}
        self.keys = {"courierKey": {"api_key": courier.key}, "restaurantToken": {"bearer": place.token},
                     "adminToken": {"bearer": world.admin_token}, "yandexToken": {"bearer": yandex.logs_in()}}

    def description(self):
        text = FILE.read_text()
        for theirs, ours in self.names.items():
            assert theirs in text, f"{theirs} is in no example"
            text = text.replace(theirs, ours)
        return text

    def configuration(self):
        """In TOML, whose texts and lists are written as JSON's."""
        lines = ["phases.coverage.extra-data-sources.responses = false"]  # they hold other restaurants' ids
        lines += [f"dictionaries.{name}.values = {json.dumps(values)}" for name, values in self.things.items()]
        lines += [f"auth.openapi.{scheme}.{name} = {json.dumps(value)}"
                  for scheme, key in self.keys.items() for name, value in key.items()]
        for path, bound in {
                "^/api/v1/restaurants/": {"path.id": "restaurants", "path.integrationId": "firms", "path.platform": "platforms"},
                "^/api/v1/(orders|webhook/courier/orders)/": {"path.id": "orders", "body.integrationId": "firms"},
                "^/api/v1/deliveries/": {"path.deliveryId": "deliveries"},
                f"^{WEBHOOK}$": {"body.restaurantId": "restaurants", "body.orderId": "orders"},
                "^/order$": {"body.restaurantId": "places"},
                "^/order/": {"path.orderId": "theirs", "body.restaurantId": "places"}}.items():
            lines += ["[[operations]]", f"include-path-regex = {json.dumps(path)}"]
            lines += [f'parameters."{name}" = {{dictionary = "{things}", probability = {HOLDS}}}' for name, things in bound.items()]
        return "\n".join(lines)


def schemathesis(folder, address, description, configuration, *options):
    (folder / "openapi.yaml").write_text(description)
    (folder / "schemathesis.toml").write_text(configuration)
    return run("schemathesis", "run", folder / "openapi.yaml", "--url", f"http://{address}", "--checks", ",".join(CHECKS), "--seed",
               SEED, "--max-examples", TRIES, "--generation-database", "none", "--no-color", "--request-timeout", 30, *options,
               cwd=folder)


def test_it_is_served_to_whoever_asks(shared):
    answer = shared.call("GET", "/openapi.yaml", headers={"Origin": "https://viewer.example"})
    assert answer.status_code == 200 and answer.content == FILE.read_bytes()
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = shared.call("GET", "/openapi.yaml", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.content


@needs_it
def test_the_document_is_openapi():
    run("openapi-spec-validator", FILE)


@needs_it
@pytest.mark.embedded_only
def test_the_main_port_answers_as_described(world, tmp_path):
    subject = Subject(world)
    told = schemathesis(tmp_path, world.address, subject.description(), subject.configuration(),
                        "--exclude-tag", "Operations", "--exclude-operation-id", "watchEvents")  # it speaks no WebSocket
    assert "Stateful" in told and "Fuzzing" in told, told


@needs_it
def test_the_ops_port_answers_as_described(shared, tmp_path):
    schemathesis(tmp_path, shared.ops_address, FILE.read_text(), "", "--include-tag", "Operations")
