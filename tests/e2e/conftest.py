# SPDX-License-Identifier: Apache-2.0
"""conftest.py - the fixtures that every file of the suite uses, and on which store it runs.

KURYE_TEST_STORE says which one, `sqlite` or `mongodb`; the latter is found by KURYE_TEST_MONGODB_URI.
"""

import os

import pytest

from stores import MONGODB_URI, STORE
from world import World

MARKS = {"embedded_only": "what is promised is about the embedded store's file",
         "mongodb_only": "what is promised is about a store of other processes"}
SKIPPED = 77  # what meson takes for a test that could not be run


def pytest_configure(config):
    for name, why in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {why}")
    if STORE == "mongodb" and not MONGODB_URI:
        pytest.exit("KURYE_TEST_MONGODB_URI is not set: NOTHING WAS TESTED on MongoDB (tools/mongodb starts one)",
                    returncode=1 if os.environ.get("CI") else SKIPPED)


def pytest_collection_modifyitems(config, items):
    """Takes out what does not apply to this store: it is not a test that was skipped."""
    other = "mongodb_only" if STORE == "sqlite" else "embedded_only"
    left_out = [item for item in items if item.get_closest_marker(other)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def world():
    with World() as made:
        yield made


@pytest.fixture(scope="module")
def shared():
    """A world that all tests of a file share: for tests that leave nothing behind."""
    with World() as made:
        yield made


@pytest.fixture(scope="module")
def restaurant(shared):
    """The shared world's restaurant, connected to every platform."""
    return shared.restaurant().connected("dukkango", "trendyolyemek", "migrosyemek")


@pytest.fixture(scope="module")
def courier(restaurant):
    return restaurant.courier()
