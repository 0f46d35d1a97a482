# SPDX-License-Identifier: Apache-2.0
"""test_settings.py - what the program says of its settings, and docs/settings.md, which must say the same."""

import re
from pathlib import Path

import pytest

from process import Kuryed

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
KEY = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
TOKEN = "cok-gizli-bir-yonetici-anahtari-0123456789"
SECRETS = ("STORE", "ADMIN_TOKEN", "SECRET_KEY")
GOOD = {"KURYE_SECRET_KEY": KEY, "KURYE_ADMIN_TOKEN": TOKEN, "KURYE_STORE": "mongodb://kurye:cokgizli@db.test/kurye"}


def judged(arguments=("--check-config",), **settings):
    """(exit status, stdout, lines on stderr)"""
    run = Kuryed({name: value for name, value in settings.items() if value is not None}, arguments)
    return run.wait(), run.stdout, run.noise


@pytest.fixture(scope="module")
def table():
    """The table of the page as --help has it: (name, type, default, range, sentence)."""
    status, text, _ = judged(["--help"])
    assert status == 0
    rows = re.findall(r"^(KURYE_\w+)=(.*)\n    (.*) \(([^()]*?)(; required)?(; or a file's path in the name with _FILE)?\)$",
                      text, re.M)
    assert len(rows) == text.count("\nKURYE_")
    return [read_row(*row) for row in rows]


def read_row(name, default, sentence, limits, required, is_secret):
    kinds = {"characters": "secret" if is_secret else "text", "a whole number": "number", "a duration": "duration",
             "durations": "durations"}
    kind = next(kind for word, kind in reversed(kinds.items()) if word in limits)
    limits = re.sub(r"a whole number from |a duration from ", "", limits).replace("durations with commas, each from", "of")
    return name, kind, f"`{default}`" if default else "required" if required else "", limits, sentence


def test_the_page_has_the_table_of_the_program(table):
    expected = "\n".join(f"| `{name}` | {' | '.join(rest)} |" for name, *rest in table).replace("|  |", "| |")
    shown = "\n".join(re.findall(r"^\| `KURYE_\w+` \|.*", PAGE.read_text(encoding="utf-8"), re.M))
    assert shown == expected


def test_every_setting_can_be_set_and_is_shown(table):
    given = {name: default.strip("`") for name, _, default, *_ in table if default.startswith("`")}
    given |= {"KURYE_OUTBOUND_ALLOW": "10.0.0.0/8", "KURYE_TRUSTED_PROXIES": "10.0.0.5/32,fd00::/8",
              "KURYE_PUBLIC_URL": "https://kurye.example", "KURYE_CONTACT": "destek@kurye.example", **GOOD}
    assert set(given) == {name for name, *_ in table}
    status, text, said = judged(**given)
    assert (status, said) == (0, [])
    shown = dict(line.split("=", 1) for line in text.replace("=1m\n", "=60s\n").splitlines())
    assert shown == {name: "***" if name[6:] in SECRETS else value for name, value in given.items()}


def test_all_that_is_wrong_is_said_at_once_by_name(table):
    wrong = {name: "\x7f" for name, *_ in table} | {"KURYE_YOK": "1", "KURYE_LISTEN_FILE": "/x"}
    status, text, said = judged(**wrong)
    assert (status, text) == (78, "")
    assert sorted(line.split(":")[0] for line in said) == sorted(wrong)
    assert all(re.fullmatch(r"KURYE_\w+: \S.*", line) for line in said)
    assert judged([], **wrong)[0::2] == (78, said)  # a start says the same


@pytest.mark.parametrize("name", SECRETS)
class TestFiles:
    """Every secret may stand in a file."""

    def judge(self, tmp_path, name, content, **more):
        file = tmp_path / "secret"
        file.write_bytes(content)
        return judged(**{**GOOD, f"KURYE_{name}": None, f"KURYE_{name}_FILE": str(file), **more})

    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
    def test_what_it_says_counts(self, tmp_path, name, end):
        assert self.judge(tmp_path, name, GOOD[f"KURYE_{name}"].encode() + end)[::2] == (0, [])

    @pytest.mark.parametrize("content", [b"", b"\n", b"x" * 5000, b"\0", b"kisa"], ids=["empty", "blank", "long", "nul", "short"])
    def test_what_is_no_secret_is_refused(self, tmp_path, name, content):
        status, _, said = self.judge(tmp_path, name, content)
        assert status == 78 and len(said) == 1 and said[0].startswith(f"KURYE_{name}")
        assert not content.strip() or content.decode() not in said[0]

    def test_a_nul_behind_a_good_one_is_refused(self, tmp_path, name):
        assert self.judge(tmp_path, name, GOOD[f"KURYE_{name}"].encode() + b"\0\n")[0] == 78

    def test_both_at_once_are_refused(self, tmp_path, name):
        good = GOOD[f"KURYE_{name}"]
        status, _, said = self.judge(tmp_path, name, good.encode(), **{f"KURYE_{name}": good})
        assert (status, said) == (78, [f"KURYE_{name}: KURYE_{name}_FILE is set too"])

    @pytest.mark.parametrize("path", ["/nowhere/secret", "/"])
    def test_what_cannot_be_read_is_refused(self, name, path):
        status, _, said = judged(**{**GOOD, f"KURYE_{name}": None, f"KURYE_{name}_FILE": path})
        assert status == 78 and len(said) == 1 and said[0].startswith(f"KURYE_{name}_FILE: cannot be read: ")


def test_version_and_misuse():
    status, text, said = judged(["--version"])
    assert (status, said) == (0, []) and re.fullmatch(r"kuryed \d+\.\d+\.\d+\n", text)
    for arguments in (["--verison"], ["--help", "--help"], ["--check-config", "x"]):
        status, text, said = judged(arguments)
        assert (status, text) == (2, "") and "usage: kuryed" in "\n".join(said)
