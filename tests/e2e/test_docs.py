# SPDX-License-Identifier: Apache-2.0
"""test_docs.py - the guide for courier firms: every example on it is run as it stands there, and what it tells is so."""

import base64
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests
from selenium.webdriver.common.by import By

from browser import SIZES, driver, judged, needs_axe, shoot, wears   # noqa: F401 - driver is a fixture
from fake import Fake, fails, loses
from fake_courier import SHAPE, misshapen, signature
from process import WAIT
from world import World, data, eventually, new_id, refused

ROOT = Path(__file__).parents[2]
PAGES = ("tr", "en")
PROGRAMS = {"bash": ["bash"], "javascript": ["node"], "python": [sys.executable], "php": ["php"]}
SUFFIXES = {"bash": ".sh", "javascript": ".mjs", "python": ".py", "php": ".php"}
KEY, TOKEN, SECRET = "YOUR_API_KEY_HERE", "RESTAURANT_TOKEN_HERE", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RESTAURANT, ORDER, INTEGRATION = (f"507f1f77bcf86cd7994390{number}" for number in (11, 12, 13))
FIRM = "https://kurye-firmasi.example/orders"


class Guide(HTMLParser):
    """A page of it: its examples, what it shows, its tables, and its skeleton: all that is not within a sentence."""
    VOID = {"meta", "link", "input"}
    INLINE = {"a", "b", "code", "strong", "small"}

    def __init__(self, text):
        super().__init__()
        self.open, self.skeleton, self.ids, self.links = [], [], [], []
        self.runs, self.shows, self.tables, self.text = {}, {}, [], text
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in self.INLINE:
            self.skeleton.append((tag, given.get("id"), given.get("class")))
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src") if name in given]
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in self.VOID:
            self.open.append((tag, given))

    def handle_endtag(self, tag):
        opened, _ = self.open.pop()
        assert opened == tag, f"{tag} ends {opened}"

    def handle_data(self, text):
        for tag, given in self.open:
            if tag in ("td", "th"):
                self.tables[-1][-1][-1] += text
            if "data-runs" in given:
                language = given["class"].removeprefix("language-")
                self.runs[given["data-runs"]] = (language, self.runs.get(given["data-runs"], ("", ""))[1] + text)
            if "data-shows" in given:
                self.shows[given["data-shows"]] = self.shows.get(given["data-shows"], "") + text

    def table(self, *heads):
        """The rows below one of these heads, as texts on one line."""
        found = [rows for rows in self.tables if rows[0][0] in heads]
        assert len(found) == 1
        return [[" ".join(cell.split()) for cell in row] for row in found[0][1:]]


@pytest.fixture(scope="module")
def guides(shared):
    return {page: Guide(shared.call("GET", f"/docs/{page}").text) for page in PAGES}


@pytest.fixture(params=PAGES)
def guide(guides, request):
    return guides[request.param]


class Scene:
    """A restaurant with a courier firm and an order, in whose names the examples are run."""

    def __init__(self, world):
        self.world, self.place = world, world.restaurant()
        self.courier = self.place.courier(dispatch=True)
        self.order = self.place.order(status="yeni")

    def run(self, guide, name, folder, **changes):
        """The example as it stands on the page, but for who and what it is about; what it printed."""
        language, text = guide.runs[name]
        names = {KEY: self.courier.key, TOKEN: self.place.token, SECRET: self.courier.made["signingSecret"],
                 RESTAURANT: self.place.id, ORDER: self.order.id, INTEGRATION: self.courier.id,
                 FIRM: self.courier.firm["url"], **changes}
        for old, new in names.items():
            text = text.replace(old, new)
        script = folder / f"example{SUFFIXES[language]}"
        script.write_text(text, encoding="utf-8")
        done = subprocess.run([*PROGRAMS[language], str(script)], capture_output=True, encoding="utf-8", timeout=3 * WAIT,
                              env={"PATH": os.environ["PATH"], "no_proxy": "127.0.0.1", "LANG": "C.UTF-8"})
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def scene(shared):
    return Scene(shared)


class Between(Fake):
    """What stands between a courier firm and us, and may answer in our place."""

    def __init__(self, world):
        self.there = f"http://{world.address}"
        super().__init__()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def route(self, call):
        call.step = "report"

    def apply(self, call):
        names = ("Content-Type", "x-api-key", "Idempotency-Key")
        answer = requests.post(self.there + call.path, data=call.body, headers={name: call.headers[name] for name in names})
        return answer.status_code, answer.json()

    def keys(self):
        return [call.headers["Idempotency-Key"] for call in self.calls]


def examples(name):
    """Its languages, as the folder of sources has them."""
    return sorted(path.name for path in (ROOT / "docs/guide/examples").glob(f"{name}.*"))


class TestPages:
    def test_the_pages_are_one_in_two_languages(self, guides):
        assert guides["tr"].skeleton == guides["en"].skeleton
        assert guides["tr"].runs == guides["en"].runs and guides["tr"].shows == guides["en"].shows

    def test_every_example_is_on_the_page(self, guide):
        assert sorted(guide.runs) == examples("*")

    def test_it_is_valid(self, guide):
        done = subprocess.run(["tidy", "-q", "-e", "-utf8"], input=guide.text, capture_output=True, encoding="utf-8")
        assert done.stderr == ""

    def test_its_links_lead_somewhere(self, shared, guide):
        assert len(guide.ids) == len(set(guide.ids))
        for link in guide.links:
            if link.startswith("#"):
                assert link[1:] in guide.ids
            elif link.startswith("/"):
                assert shared.call("GET", link).status_code == 200, link

    def test_it_is_served_strictly(self, shared):
        for path in ("/docs", "/docs/tr", "/docs/en", "/docs/guide.css", "/docs/guide.js"):
            answer = shared.call("GET", path)
            policy = answer.headers["Content-Security-Policy"]
            assert answer.status_code == 200 and answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        for path in ("/docs/", "/docs/tr.html", "/docs/TR", "/docs/de", "/docs/guide.js/"):
            refused(shared.call("GET", path), 404, "Adres bulunamadı")

    def test_it_speaks_the_readers_language(self, shared, guides):
        for languages, page in ((None, "tr"), ("tr-TR,en;q=0.5", "tr"), ("en-GB,en;q=0.9", "en")):
            answer = shared.call("GET", "/docs", headers={"Accept-Language": languages})
            assert (answer.text, answer.headers["Vary"]) == (guides[page].text, "Accept-Language")


class TestDeployment:
    def test_it_names_where_it_was_called(self, shared, guide):
        assert f"curl http://{shared.address}/api/v1/webhook/courier/ping" in guide.runs["ping.curl"][1]

    def test_a_hostile_host_is_not_repeated(self, shared):
        for host in ("<script>alert(1)</script>", "a'b", "a\"b", "$(id).example", "x/y", "a@b"):
            answer = shared.call("GET", "/docs/en", headers={"Host": host})
            assert host not in answer.text and "curl https://kurye.example/api/v1" in answer.text

    def test_it_names_address_contact_and_settings(self):
        with World(public_url="https://kurye.firma.example", contact="<b>Destek</b> & 'biz' 0850 ğ",
                   retry_schedule="2s,3m", outbound_timeout="1500ms") as world:
            for page in PAGES:
                text = world.call("GET", f"/docs/{page}").text
                assert "curl https://kurye.firma.example/api/v1/webhook/courier/ping" in text
                assert "&lt;b&gt;Destek&lt;/b&gt; &amp; &#39;biz&#39; 0850 ğ" in text and "<b>Destek" not in text
                assert "<code>2s,3m</code>" in text and "1500ms" in text and world.address not in text

    def test_without_a_contact_it_names_the_restaurant(self, guides):
        assert "API anahtarını aldığınız restoran<" in guides["tr"].text
        assert "the restaurant that gave you the API key<" in guides["en"].text


class TestExamples:
    @pytest.mark.parametrize("name", examples("ping"))
    def test_ping(self, guide, scene, tmp_path, name):
        printed = scene.run(guide, name, tmp_path)
        assert scene.courier.id in printed and scene.place.id in printed

    @pytest.mark.parametrize("name", examples("status"))
    def test_the_status_is_reported(self, guide, scene, tmp_path, name):
        printed = scene.run(guide, name, tmp_path)
        assert "Sipariş durumu başarıyla güncellendi" in printed and scene.order.id in printed
        assert scene.order.now()["status"] == "teslim-edilecek"

    @pytest.mark.parametrize("name", examples("repeat"))
    def test_a_report_is_repeated_until_it_gets_through(self, guide, scene, tmp_path, name):
        """Once our answer has got lost, or we were busy; and harmlessly as often as it is run."""
        with Between(scene.world) as between:
            for trouble in (loses(), fails(503, retry_after=0)):
                between.next("report", trouble)
                printed = scene.run(guide, name, tmp_path, **{between.there: between.url})
                assert scene.order.id in printed and "teslim-edildi" in printed
        assert between.keys() == [f"{scene.order.id}-2"] * 4
        assert scene.order.steps()[1:] == [("teslim-edildi", "courier")]

    def test_what_no_repeat_mends_is_sent_once(self, guide, scene, tmp_path):
        for name in examples("repeat"):
            with Between(scene.world) as between:
                printed = scene.run(guide, name, tmp_path, **{between.there: between.url, ORDER: new_id()})
            assert len(between.keys()) == 1 and "404" in printed

    def test_the_state_is_asked_for(self, guide, scene, tmp_path):
        scene.courier.posts(scene.order, 1)
        assert json.loads(scene.run(guide, "state.curl", tmp_path))["data"]["status"] == "teslim-edilecek"

    def test_a_test_order_is_sent(self, guide, scene, tmp_path):
        made = json.loads(scene.run(guide, "test.curl", tmp_path))["data"]
        told = scene.world.firms.received("dispatch", scene.place.ours({**made, "platformOrderId": None})).json()
        assert told["customer"]["details"]["name"] == "TEST" and told["price"] == 1

    def test_an_order_is_sent_to_oneself(self, guide, scene, tmp_path):
        """As the pretend firm judges it, which also judges what we send."""
        assert " 200 " in scene.run(guide, "order.curl", tmp_path)
        assert scene.world.firms.received("dispatch", scene.order).signed_by == scene.courier.firm["secrets"]


# How a program tells whether a request is genuine: what is put behind the example.
ASKS = {
    "javascript": "\nimport { readFileSync } from 'node:fs'\nfor (const [secret, headers, body] of JSON.parse(readFileSync(0)))"
                  "\n  console.log(isGenuine(secret, headers, Buffer.from(body, 'base64')) === true)\n",
    "python": "\nimport json, sys\nfor secret, headers, body in json.load(sys.stdin):"
              "\n    print('true' if is_genuine(secret, headers, base64.b64decode(body)) is True else 'false')\n",
    "php": "\nforeach (json_decode(file_get_contents('php://stdin'), true) as [$secret, $headers, $body]) {"
           "\n    echo isGenuine($secret, $headers, base64_decode($body)) === true ? \"true\\n\" : \"false\\n\";\n}\n",
}


@pytest.fixture(scope="module")
def received(shared):
    """What the pretend firm got of us while its secret was being changed, and both secrets."""
    place = shared.restaurant()
    courier = place.courier(dispatch=True)
    new = data(place.call("POST", f"{courier.path}/rotate-signing-secret", {}))["signingSecret"]
    courier.firm["secrets"].append(new)
    told = shared.firms.received("dispatch", place.order(orderNote="ığüşöç 🍕"))
    return told, courier.made["signingSecret"], new


class TestSignature:
    def cases(self, received):
        """(what it is, genuine or not, secret, headers, body)"""
        told, old, new = received
        headers = {name.lower(): value for name, value in told.headers.items()}
        first, second = headers["webhook-signature"].split(" ")
        stale = str(int(headers["webhook-timestamp"]) - 301)
        ahead = str(int(headers["webhook-timestamp"]) + 600)
        other = "whsec_" + base64.b64encode(bytes(32)).decode()

        def changed(**fields):
            return {**headers, **{f"webhook-{name}": value for name, value in fields.items()}}

        def without(name):
            return {key: value for key, value in headers.items() if key != f"webhook-{name}"}

        def signed(at):
            return changed(timestamp=at, signature=signature(new, told.id, at, told.body))
        return [
            ("as it came, the new secret", True, new, headers, told.body),
            ("as it came, the old secret", True, old, headers, told.body),
            ("the order of signatures", True, new, changed(signature=f"{second} {first}"), told.body),
            ("unknown versions beside it", True, new, changed(signature=f"v1a,AAAA v2 {first} {second}"), told.body),
            ("another's secret", False, other, headers, told.body),
            ("another body", False, new, headers, told.body.replace(b"125.5", b"1.5")),
            ("a byte more", False, new, headers, told.body + b" "),
            ("an empty body", False, new, headers, b""),
            ("another id", False, new, changed(id=told.id.replace("-1-", "-2-")), told.body),
            ("another time", False, new, changed(timestamp=str(int(headers["webhook-timestamp"]) + 1)), told.body),
            ("signed too long ago", False, new, signed(stale), told.body),
            ("signed ahead of time", False, new, signed(ahead), told.body),
            ("a time that is none", False, new, signed("soon"), told.body),
            ("no version", False, new, changed(signature=first.removeprefix("v1,")), told.body),
            ("another version", False, new, changed(signature=first.replace("v1,", "v2,")), told.body),
            ("half a signature", False, new, changed(signature=first[:20]), told.body),
            ("no signature", False, new, changed(signature=""), told.body),
            ("no header of a signature", False, new, without("signature"), told.body),
            ("no time", False, new, without("timestamp"), told.body),
            ("no id", False, new, without("id"), told.body)]

    @pytest.mark.parametrize("name", examples("verify"))
    def test_it_is_told_from_a_forgery(self, guide, received, tmp_path, name):
        language, text = guide.runs[name]
        cases = self.cases(received)
        script = tmp_path / f"example{SUFFIXES[language]}"
        script.write_text(text + ASKS[language], encoding="utf-8")
        asked = json.dumps([(secret, headers, base64.b64encode(body).decode()) for _, _, secret, headers, body in cases])
        done = subprocess.run([*PROGRAMS[language], str(script)], input=asked, capture_output=True, encoding="utf-8",
                              timeout=2 * WAIT)
        assert done.returncode == 0 and not done.stderr, done.stderr
        told = dict(zip((what for what, *_ in cases), done.stdout.split(), strict=True))
        assert told == {what: "true" if genuine else "false" for what, genuine, *_ in cases}


class TestFacts:
    # What a courier firm never meets: other callers' errors, and a WebSocket's.
    OTHERS = {"OK", "BAD_CLIENT", "UNAUTHORIZED", "FORBIDDEN", "NOT_FOUND", "BACKWARD", "TAKEN", "COURIER_PICKUP",
              "COURIER_PLATFORMS", "COURIER_TOO_LATE", "COURIER_NO_ADDRESS", "COURIER_OTHER_FIRM", "NOT_REPLAYABLE", "NOT_NEW",
              "UPGRADE", "STORE_BROKEN", "NO_MEMORY"}   # the last two are told as others of the table

    def test_its_errors_are_those_that_are_told(self, guide):
        header = (ROOT / "model/err.h").read_text(encoding="utf-8")
        rows = re.findall(r'X\((\w+), (\d+), "[^"]*", (\w+),[\s\\]*"([^"]*)"', header)
        assert len(rows) > 30 and self.OTHERS < {name for name, *_ in rows}
        there = {(http + ("*" if retry == "true" else ""), text.replace("%s", "Idempotency-Key"))
                 for name, http, retry, text in rows if name not in self.OTHERS}
        told = guide.table("HTTP")
        assert {(row[0], row[1]) for row in told} == there and len(told) == len(there)
        assert all((row[3] in ("yineleyin", "repeat")) == row[0].startswith("5") for row in told)

    def test_what_it_shows_of_answers_is_what_comes(self, guide, scene):
        def keys(document):
            return {key: keys(value) for key, value in document.items()} if isinstance(document, dict) else None
        order = {"restaurantId": scene.place.id, "orderId": scene.order.id, "status": 1}
        answers = {"ping": scene.courier.asks("ping"), "status": scene.courier.send(order),
                   "state": scene.courier.asks(f"orders/{scene.order.id}"),
                   "error": scene.courier.send({**order, "orderId": new_id()})}
        for name, answer in answers.items():
            assert keys(json.loads(guide.shows[name])) == keys(answer.json()), name
        assert json.loads(guide.shows["error"]) == answers["error"].json()
        assert json.loads(guide.shows["status"])["message"] == answers["status"].json()["message"]

    def test_the_order_is_told_field_by_field(self, guide):
        def paths(shape, path=""):
            for name, kinds in shape.items():
                if isinstance(kinds, dict):
                    yield from paths(kinds, f"{path}{name}.")
                else:
                    yield f"{path}{name}", type(None) in kinds
        shown = json.loads(guide.shows["dispatch"])
        assert misshapen(shown, SHAPE) is None
        told = guide.table("Alan", "Field")
        assert len(told) == len(list(paths(SHAPE)))
        assert {row[0]: row[1].endswith("| null") for row in told} == dict(paths(SHAPE))
        headers = dict(line.split(": ") for line in guide.shows["headers"].splitlines())
        assert set(headers) == {"Content-Type", "webhook-id", "webhook-timestamp", "webhook-signature"}
        assert headers["webhook-id"] == f"{shown['kuzeyOrderId']}-courier-1-dispatch"

    def test_its_words_and_figures_are_the_codes(self, guide):
        def source(name, pattern):
            found = re.findall(pattern, (ROOT / name).read_text(encoding="utf-8"))
            assert found, f"{name} has no {pattern}"
            return found
        for name in ("model/platform.h", "model/status.h"):
            for word in source(name, r'X\(\w+, "([^"]+)"\)'):
                assert f"<code>{word}</code>" in guide.text, word
        for name in source("model/order_read.c", r'methods\[\] = \{(.*), NULL')[0].split(", "):
            assert f"<code>{json.loads(name)}</code>" in guide.text
        for name, what, figure in (("server/throttle.h", "#define THROTTLE_WRONG_MAX ", "60"),
                                   ("server/throttle.h", "#define THROTTLE_WINDOW_MS ", "60000"),
                                   ("server/lane.h", "#define LANE_CALLS_MAX ", "64"),
                                   ("server/client.c", "#define RETRY_AFTER_MAX_S ", "3600"),
                                   ("handlers/routes.c", "#define WEBHOOK_BODY ", "16384"),
                                   ("handlers/courier_calls.c", "#define TEST_LIFE_MS ", r"\(INT64_C\(24\) \* 60 \* 60 \* 1000\)"),
                                   ("model/integration.c", "#define GRACE_DEFAULT_S ", "86400"),
                                   ("model/integration.c", "#define GRACE_MAX_S ", "604800"),
                                   ("model/dialect_courier.c", "#define LEAD_MS ", r"\(INT64_C\(15\) \* 60 \* 1000\)"),
                                   ("model/target.c", "#define WAIT_FREE_MS ", r"\(INT64_C\(60\) \* 60 \* 1000\)"),
                                   ("model/target.c", "#define JITTER_SHARE ", "0.2")):
            source(name, f"{what}{figure}\\b" if figure[-1] != ")" else what + figure)   # else the page tells another one

    def test_the_examples_are_those_of_the_contract(self, guide):
        """Its four programs, indented; only the host is another."""
        clients = {"status.curl": "curl", "status.javascript": "fetch", "status.python": "requests", "status.php": "php"}
        for name, file in clients.items():
            printed = (ROOT / f"tests/e2e/clients/{file}.txt").read_text(encoding="utf-8")
            ours = re.sub(r"http://[\d.:]+", "https://backend.paketsefim.com", guide.runs[name][1])
            assert [line.strip() for line in ours.splitlines() if line] == printed.splitlines()

    def test_the_changelog_begins_with_this_version(self, shared, guide):
        done = subprocess.run([os.environ["KURYED"], "--version"], capture_output=True, encoding="utf-8", timeout=WAIT)
        rows = guide.table("Sürüm", "Version")
        assert rows[0][0] == done.stdout.split()[-1] and re.fullmatch(r"\d{4}-\d\d-\d\d", rows[0][1])


class TestReading:
    """As a developer's browser shows it."""

    def test_one_language_of_programs_is_shown(self, driver, shared):
        driver.get(f"http://{shared.address}/docs")

        def shown():
            return {code.get_attribute("data-runs") for code in driver.find_elements(By.CSS_SELECTOR, "[data-runs]")
                    if code.is_displayed()}
        alone = {"state.curl", "order.curl", "test.curl"}
        for language in ("javascript", "python", "php"):
            driver.find_element(By.ID, f"as-{language}").click()
            assert shown() == alone | {f"{name}.{language}" for name in ("ping", "status", "repeat", "verify")}
        driver.find_element(By.ID, "as-curl").click()
        assert shown() == alone | {"ping.curl", "status.curl", "repeat.curl"} | set(examples("verify"))  # none is curl's

    def test_an_example_is_copied(self, driver, shared, guides):
        driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
        driver.get(f"http://{shared.address}/docs/tr")
        driver.find_element(By.CSS_SELECTOR, "figure .copy").click()
        eventually(lambda: driver.find_element(By.CSS_SELECTOR, "figure .copy").text, lambda text: text == "Kopyalandı")
        copied = driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
        assert copied == guides["tr"].runs["ping.curl"][1]

    @needs_axe
    @pytest.mark.parametrize("scheme", ["dark", "light"])
    @pytest.mark.parametrize("page", PAGES)
    def test_axe_finds_nothing_serious(self, driver, shared, page, scheme):
        wears(driver, scheme)
        driver.get(f"http://{shared.address}/docs/{page}")
        assert judged(driver) == []
        shoot(driver, f"docs-{page}-{scheme}")

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("page", PAGES)
    def test_nothing_is_wider_than_the_screen(self, driver, shared, page, size):
        driver.set_window_size(*SIZES[size])
        driver.get(f"http://{shared.address}/docs/{page}")
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        shoot(driver, f"docs-{page}-{size}")
        assert not [line for line in driver.get_log("browser") if "Content Security Policy" in line["message"]]
