# SPDX-License-Identifier: Apache-2.0
"""test_crash_long.py - as test_crash.py, many times; and a store, or one of two servers, that comes and goes."""

import pytest

from below import Disk
from crash import OneOfTwo, Pair, plays
from stores import STORE


def test_many_times():
    plays({"sqlite": 60, "mongodb": 25}[STORE])


@pytest.mark.embedded_only
def test_the_power_fails_many_times():
    plays(25, below=Disk)


@pytest.mark.mongodb_only
def test_one_of_two():
    plays(15, Pair, OneOfTwo)
