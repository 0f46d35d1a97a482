# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.yaml as the server gives it."""

from openapi import FILE


def test_it_is_served_to_whoever_asks(shared):
    answer = shared.call("GET", "/openapi.yaml", headers={"Origin": "https://viewer.example"})
    assert answer.status_code == 200 and answer.content == FILE.read_bytes()
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = shared.call("GET", "/openapi.yaml", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and not again.content
