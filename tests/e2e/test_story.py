# SPDX-License-Identifier: Apache-2.0
"""test_story.py - what tools/demo plays: by itself, and for a reader who pastes the curl and presses Ctrl-C."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from process import WAIT

STORY = Path(__file__).parents[2] / "tools" / "story.py"
# What `tools/deps check` installs, and `tools/deps demo` does not.
FOR_TESTS = ("bson", "jsonschema", "pymongo", "pytest", "requests", "selenium", "websocket", "yaml")
DEMO = ("import runpy, sys; sys.modules.update(dict.fromkeys(%r)); del sys.argv[0]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')" % (FOR_TESTS,))


@pytest.fixture
def story():
    """The story that leaves the server running, read up to the look at the order that it prints last."""
    with subprocess.Popen([sys.executable, STORY], stdout=subprocess.PIPE, text=True) as process:
        text = ""
        for line in process.stdout:
            text += line
            if line.startswith('curl -H "Authorization'):
                break
        yield process, text
        process.terminate()  # not killed: it ends the server that it started
        assert process.wait(WAIT) == 0


def run(command):
    done = subprocess.run(["bash", "-c", command + " -s --noproxy '*'"], capture_output=True, text=True, timeout=WAIT, check=True)
    return json.loads(done.stdout)["data"]


def test_once_ends_by_itself_and_well():
    done = subprocess.run([sys.executable, "-c", DEMO, STORY, "--once"], capture_output=True, text=True, timeout=3 * WAIT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    calls = re.findall(r"PUT /\S+/(\w+)/", done.stdout)  # a poll may see the order meanwhile: it is then acknowledged
    assert [call for call in calls if call != "success"] == ["accept", "ontheway", "complete"]
    assert re.findall(r'received  POST /\w+ {"kuzeyOrderId".*-> (\d+)$', done.stdout, re.M) == ["200"]


@pytest.mark.parametrize("name, calls", [("getiryemek", 3), ("yemeksepeti", 2), ("trendyolyemek", 4), ("migrosyemek", 4)])
def test_it_is_played_with_any_platform(name, calls):
    done = subprocess.run([sys.executable, "-c", DEMO, STORY, "--once", "--platform", name], capture_output=True, text=True,
                          timeout=3 * WAIT)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert f"{calls} calls to its platform" in done.stdout


def test_the_curls_that_are_printed_work(story):
    _, text = story
    deliver, look = re.findall(r"^curl (?:.*\\\n)*.*$", text, re.M)
    assert run(deliver)["status"] == "teslim-edildi"
    assert [row["status"] for row in run(look)["history"]] == ["yeni", "teslim-edilecek", "teslim-edildi"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_it(story, number):
    process, _ = story
    process.send_signal(number)
    assert process.wait(WAIT) == 0


def test_a_server_that_does_not_start_is_a_failure():
    done = subprocess.run([sys.executable, STORY, "--once"], env={"KURYED": "/bin/false"}, capture_output=True, text=True,
                          timeout=WAIT)
    assert done.returncode == 1
    assert "demo FAILED: the server did not start" in done.stderr
