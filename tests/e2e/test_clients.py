# SPDX-License-Identifier: Apache-2.0
"""test_clients.py - the contract's own client examples, unchanged but for host and key."""

import pathlib
import subprocess
import sys

import pytest

from process import WAIT

EXAMPLES = pathlib.Path(__file__).parent / "clients"
HOST, KEY = "https://backend.paketsefim.com", "YOUR_API_KEY_HERE"
RESTAURANT, ORDER = "507f1f77bcf86cd799439011", "507f1f77bcf86cd799439012"
CLIENTS = {"curl": ("bash", "example.sh"), "fetch": ("node", "example.mjs"),
           "requests": (sys.executable, "example.py"), "php": ("php", "example.php")}


@pytest.mark.parametrize("name", CLIENTS)
def test_the_example_works_as_printed(world, tmp_path, name):
    restaurant = world.restaurant(restaurantId=RESTAURANT)
    courier = restaurant.courier()
    order = restaurant.order(orderId=ORDER)
    program, file = CLIENTS[name]
    text = (EXAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    assert (text.count(HOST), text.count(KEY)) == (1, 1)
    script = tmp_path / file
    text = text.replace(HOST, f"http://{world.address}").replace(KEY, courier.key)
    script.write_text(text, encoding="utf-8")
    run = subprocess.run([program, str(script)], capture_output=True, encoding="utf-8", timeout=2 * WAIT)
    assert run.returncode == 0, run.stderr
    for part in ("Sipariş durumu başarıyla güncellendi", ORDER, "teslim-edilecek", "updatedAt"):
        assert part in run.stdout
    assert order.now()["status"] == "teslim-edilecek"
