# SPDX-License-Identifier: Apache-2.0
"""conftest.py - the fixtures that every file of the suite uses."""

import pytest

from world import World


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
    return shared.restaurant().connected("dukkango", "trendyolyemek")


@pytest.fixture(scope="module")
def courier(restaurant):
    return restaurant.courier()
