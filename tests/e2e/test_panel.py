# SPDX-License-Identifier: Apache-2.0
"""test_panel.py - the restaurant's page in a real browser, as a restaurant would use it."""

import re
from contextlib import contextmanager

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser import SIZES, driver, judged, needs_axe, shoot, wears   # noqa: F401 - driver is a fixture
from fake import fails
from world import World, data, eventually

HOSTILE = "<img src=x onerror='window.hit=1'>\"'`${7*7}</script><script>window.hit=1</script>"


class Page:
    """One tab, logged in or not."""

    def __init__(self, driver, world):
        self.driver, self.world = driver, world

    def open(self, hash_=""):
        self.driver.get(f"http://{self.world.address}/panel{hash_}")
        return self

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        """Waits for it."""
        return eventually(lambda: self.all(css), bool)[0]

    def texts(self, css):
        """As they are shown; elements that go while they are read are read anew."""
        try:
            return [element.text for element in self.all(css)]
        except WebDriverException:
            return []

    def shows(self, css, pattern):
        """Waits until one of these elements shows it."""
        return eventually(lambda: [text for text in self.texts(css) if re.search(pattern, text)], bool)[0]

    def press(self, css, word=None):
        """Presses the first that can be pressed, and has this word where one is given."""
        def find():
            return [e for e in self.all(css) if e.is_displayed() and e.is_enabled() and (not word or word in e.text)]

        def pressed():
            try:
                found = find()
                return bool(found) and (found[0].click() or True)
            except WebDriverException:
                return False
        eventually(pressed, bool)

    def fill(self, name, text):
        field = self.one(f"[name={name}]")
        field.clear()
        field.send_keys(text)

    def log_in(self, restaurant):
        self.open()
        self.fill("token", restaurant.token)
        self.press("form button.main")
        self.one(".board")
        return self

    def live(self):
        self.shows(".pill", "^Canlı$")
        return self

    def column_of(self, order):
        found = self.all(f"[data-order='{order.id}']")
        return found[0].find_element(By.XPATH, "ancestor::section").get_attribute("data-status") if found else None

    def moves(self, order, status):
        def where():
            try:
                return self.column_of(order)
            except WebDriverException:
                return None
        eventually(where, lambda column: column and status in column)

    def shoot(self, name):
        shoot(self.driver, name)


@pytest.fixture
def page(driver, shared):
    """A tab nobody is logged in on."""
    made = Page(driver, shared).open()
    driver.execute_script("localStorage.clear(); sessionStorage.clear()")
    return made


@contextmanager
def another(page):
    """A second tab of the same browser."""
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    yield page.driver.current_window_handle, first
    page.driver.close()
    page.driver.switch_to.window(first)


class TestFiles:
    def test_they_are_strict_and_asked_about_again(self, shared):
        answer = shared.call("GET", "/panel")
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        for name in re.findall(r'/panel/([\w.]+)', answer.text):
            part = shared.call("GET", f"/panel/{name}")
            assert part.status_code == 200 and part.headers["X-Content-Type-Options"] == "nosniff"
            again = shared.call("GET", f"/panel/{name}", headers={"If-None-Match": part.headers["ETag"]})
            assert again.status_code == 304 and not again.content

    def test_nothing_else_is_there(self, shared):
        for path in ("/panel/", "/panel/routes.c", "/panel/../kurye.db", "/panel/%2e%2e", "/panel/words.py"):
            assert shared.call("GET", path).status_code == 404


class TestLogin:
    def test_a_wrong_token_is_told(self, page):
        page.fill("token", "krt_" + 48 * "0")
        page.press("form button.main")
        page.shows(".trouble", "geçerli değil")

    def test_the_token_goes_with_the_tab(self, page, shared):
        page.log_in(shared.restaurant())
        assert page.driver.execute_script("return localStorage.getItem('kurye.token')") is None
        page.press("button", "Çıkış")
        page.one("[name=token]")
        assert page.driver.execute_script("return sessionStorage.length") == 0

    def test_a_device_that_remembers_has_a_token_of_its_own(self, page, shared):
        place = shared.restaurant()
        page.fill("token", place.token)
        page.press("[name=keep]")
        page.fill("device", "Salon tableti")
        page.press("form button.main")
        page.one(".board")
        tokens = data(place.call("GET", f"{place.path}/tokens"))
        kept = page.driver.execute_script("return localStorage.getItem('kurye.token')")
        mine = next(one for one in tokens if one["name"] == "Salon tableti")
        assert kept != place.token and kept.endswith(mine["last4"])
        page.open()
        page.one(".board")  # nobody is asked again
        place.call("DELETE", f"{place.path}/tokens/{mine['tokenId']}")
        # Where it has not heard of it yet, it does with the next thing that it asks.
        page.driver.execute_script("document.querySelector('[data-view=\"#failures\"]')?.click()")
        page.shows(".trouble", "yeniden girin")


class TestBoard:
    def test_it_moves_when_a_courier_posts(self, page, shared):
        place = shared.restaurant()
        courier, order = place.courier(), place.order(displayId="K7")
        page.log_in(place).live()
        page.moves(order, "hazirlanacak")
        courier.posts(order, 1)
        page.moves(order, "teslim-edilecek")
        courier.posts(order, 2)
        page.moves(order, "teslim-edildi")

    def test_a_new_order_comes_by_itself(self, page, shared):
        place = shared.restaurant()
        page.log_in(place).live()
        order = place.order(displayId="YENİ-1", status="yeni", items=[{"name": "Çiğ Köfte", "quantity": 2, "note": "acısız"}])
        page.moves(order, "yeni")
        page.shows(f"[data-order='{order.id}']", "YENİ-1")
        page.shows(f"[data-order='{order.id}'] .items", "2×.*Çiğ Köfte(.|\n)*acısız")
        assert "YENİ-1" in page.one("#announcer").get_attribute("textContent")

    def test_two_tabs_see_the_same(self, page, shared):
        place = shared.restaurant()
        order = place.order(status="yeni")
        page.log_in(place).live()
        with another(page) as (_, first):
            page.log_in(place).live()
            page.press(f"[data-order='{order.id}'] button.main", "Kabul et")
            page.moves(order, "hazirlanacak")
            page.driver.switch_to.window(first)
            page.moves(order, "hazirlanacak")
            page.driver.switch_to.window(page.driver.window_handles[-1])
        assert order.now()["status"] == "hazirlanacak"

    def test_what_is_pressed_is_told_to_the_platform(self, page, shared):
        place = shared.restaurant().connected("dukkango")
        order = place.order("dukkango", status="yeni")
        page.log_in(place)
        for word, status in (("Kabul et", "hazirlanacak"), ("Hazır", "hazir"), ("Yola çıktı", "teslim-edilecek"),
                             ("Teslim edildi", "teslim-edildi")):
            page.press(f"[data-order='{order.id}'] button.main", word)
            page.moves(order, status)
        order.settles("done")
        assert shared.dukkango.told(order) == ["accept", "on-the-way", "delivered"]

    def test_a_keyboard_is_enough(self, page, shared):
        place = shared.restaurant()
        order = place.order(status="yeni")
        page.log_in(place)
        page.one(f"[data-order='{order.id}'] button.main")
        for _ in range(40):
            page.driver.switch_to.active_element.send_keys(Keys.TAB)
            if page.driver.switch_to.active_element.get_attribute("data-do") == "hazirlanacak":
                break
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        page.moves(order, "hazirlanacak")

    def test_it_speaks_english_too(self, page, shared):
        place = shared.restaurant()
        place.order(status="hazir")
        page.log_in(place)
        page.press("button", "English")
        page.shows(".column h2", "Ready")
        assert page.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
        page.press("button", "Türkçe")
        page.shows(".column h2", "Hazır")


class TestBadDays:
    def test_a_lost_server_shows_at_once_and_it_comes_back_without_a_reload(self, driver):
        with World() as world:
            world.faults = False
            place = world.restaurant()
            courier, order = place.courier(), place.order()
            page = Page(driver, world).log_in(place).live()
            driver.execute_script("window.mark = 'the same page'")
            port = world.address
            world.server.stop()
            page.shows(".banner", "Bağlantı yok")
            assert "stale" in page.one("body").get_attribute("class")
            world.start(listen=port)
            courier.posts(order, 1)
            page.live()
            page.moves(order, "teslim-edilecek")
            assert driver.execute_script("return window.mark") == "the same page"
            assert not page.one(".banner").is_displayed()

    def test_a_tablet_whose_clock_is_ahead_misses_nothing(self, driver):
        with World() as world:
            world.faults = False
            place, address = world.restaurant(), world.address
            wrong = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {
                "source": "const right = Date.now; Date.now = () => right() + 600000;"})
            page = Page(driver, world).log_in(place).live()
            world.server.stop()
            page.shows(".banner", "Bağlantı yok")
            world.start(listen=address)
            order = place.order(hazirlanmaSuresiDk=45)  # mostly before it is back
            page.live().moves(order, "hazirlanacak")
            page.shows(f"[data-order='{order.id}'] .clock", "^4[45] dk kaldı")
            driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", wrong)

    def test_strangers_words_stay_words(self, page, shared):
        place = shared.restaurant(name=HOSTILE)
        place.courier(name=HOSTILE)
        details = {"name": HOSTILE, "phone": HOSTILE[:64]}
        address = {key: HOSTILE for key in ("detailedAddress", "directions", "street", "district", "city")}
        order = place.order(displayId=HOSTILE[:32], orderNote=HOSTILE, courierNote=HOSTILE, badges=[HOSTILE[:60]],
                            originalPaymentMethod=HOSTILE, customer={"address": address, "details": details},
                            items=[{"name": HOSTILE, "quantity": 1, "note": HOSTILE, "options": [HOSTILE]}])
        order.becomes("hazirlaniyor", note=HOSTILE)
        page.log_in(place)
        page.shows(f"[data-order='{order.id}'] .items", re.escape(HOSTILE[:20]))
        page.press(f"[data-order='{order.id}'] .code")
        page.shows("dialog .history", re.escape(HOSTILE[:20]))
        page.press("dialog header button")
        page.press("nav a", "Ayarlar")
        page.shows(".row b", re.escape(HOSTILE[:20]))
        assert page.driver.execute_script("return window.hit") is None
        assert page.all("img, #content script") == []


class TestOrder:
    def test_a_failed_delivery_is_shown_and_tried_again(self, page, shared):
        place = shared.restaurant()
        account = place.connect("dukkango") and place.credentials["dukkango"]
        order = place.order("dukkango")
        data(place.call("DELETE", f"{place.path}/platforms/dukkango"))
        page.log_in(place).live()
        place.courier().posts(order, 1)
        order.settles("failed")
        page.shows("nav .count", "1")
        page.press("nav a", "Sorunlar")
        page.shows(".failure", "not_connected")
        place.connect("dukkango", **account)
        page.press(".failure button", "Yeniden dene")
        page.shows("#content", "Her şey yolunda")
        order.settles("done")  # which is later than that it failed no more
        assert shared.dukkango.told(order) == ["on-the-way"]

    def test_an_answer_that_comes_late_overwrites_no_later_one(self, page, shared):
        place = shared.restaurant().connected("dukkango")
        order = place.order("dukkango")
        shared.dukkango.next("on-the-way", fails(404))
        order.becomes("teslim-edilecek")
        order.settles("failed")
        page.log_in(place).live()
        page.shows("nav .count", "1")
        page.driver.execute_script("""
            const call = window.fetch;
            window.fetch = async (path, ...rest) => {
                const answer = await call(path, ...rest);
                if (path.startsWith('/api/v1/deliveries?') && !window.release)
                    await new Promise((done) => { window.release = done; });
                return answer;
            };""")
        page.press("nav a", "Sorunlar")  # asks, and its answer tarries
        eventually(lambda: page.driver.execute_script("return Boolean(window.release)"), bool)
        page.press(".failure button", "Yeniden dene")
        page.shows("#content", "Her şey yolunda")
        page.driver.execute_script("window.release()")
        page.driver.execute_async_script("setTimeout(arguments[0], 0)")  # what it set off has been done
        assert page.texts(".failure") == [] and page.texts("nav .count") in ([], [""], ["0"])

    def test_a_cancel_asks_for_the_platforms_reason(self, page, shared):
        place = shared.restaurant().connected("dukkango")
        order = place.order("dukkango")
        page.log_in(place)
        page.press(f"[data-order='{order.id}'] .code")
        page.press("dialog button.danger", "İptal et")
        page.press("dialog .choices button", "Ürün tükendi")
        page.moves(order, "cancelled")
        assert order.now()["history"][-1]["reasonId"] == "1"
        order.settles("done")


    def test_a_courier_is_called_from_the_order(self, page, shared):
        place = shared.restaurant()
        firm, order = place.courier(dispatch=True, autoDispatch=False, name="Hızlı Kurye"), place.order()
        page.log_in(place)
        page.press(f"[data-order='{order.id}'] .code")
        page.press("dialog .acts button", "Kurye çağır")
        page.press("dialog .choices button", "Hızlı Kurye")
        delivery = eventually(lambda: order.delivery("courier"), lambda one: one and one["state"] == "done")
        assert delivery["integrationId"] == firm.id

    def test_a_cancel_that_the_platform_refuses_is_shown(self, page, shared):
        place = shared.restaurant().connected("dukkango")
        order = place.order("dukkango")
        shared.dukkango.next("cancel", fails(404))
        page.log_in(place).live()
        order.becomes("cancelled", reasonId="1")
        order.settles("failed")
        page.shows("nav .count", "1")
        page.press("nav a", "Sorunlar")
        page.shows(".failure", "Platform iptali kabul etmedi")
        page.press(".failure button", "Yeniden dene")
        page.shows("#content", "Her şey yolunda")


class TestSettings:
    def test_a_key_is_shown_once_and_works(self, page, shared):
        place = shared.restaurant()
        order = place.order()
        page.log_in(place)
        page.press("nav a", "Ayarlar")
        page.press("button.main", "Kurye firması ekle")
        page.fill("name", "Hızlı Kurye")
        page.press("dialog form button.main")
        key = eventually(lambda: [e.get_attribute("value") for e in page.all(".secret")], bool)[0]
        assert key.startswith("krk_")
        page.press("dialog header button")
        page.shows(".row b", "Hızlı Kurye")
        assert key not in page.driver.page_source
        answer = shared.call("GET", "/api/v1/webhook/courier/ping", headers={"x-api-key": key})
        assert data(answer)["name"] == "Hızlı Kurye" and order.now()["status"] == "hazirlanacak"
        page.press(".row button", "Kapat")
        eventually(lambda: shared.call("GET", "/api/v1/webhook/courier/ping", headers={"x-api-key": key}).status_code,
                   lambda status: status == 404)

    def test_a_platform_is_connected_and_its_login_tested(self, page, shared):
        place = shared.restaurant()
        account = shared.dukkango.account()
        page.log_in(place)
        page.press("nav a", "Ayarlar")
        page.press("[data-platform=dukkango] button", "Bağla")
        for name, value in account.items():
            page.fill(name, value)
        page.press("dialog form button.main")
        page.press("[data-platform=dukkango] button", "Girişi dene")
        page.shows("[data-platform=dukkango]", "Giriş başarılı")


@needs_axe
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious(page, shared, scheme):
    wears(page.driver, scheme)
    place = shared.restaurant().connected("dukkango")
    courier = place.courier()
    courier.posts(place.order(), 1)
    order = place.order("dukkango", status="yeni", hazirlanmaSuresiDk=1, orderNote="az tuzlu", items=[{"name": "Lahmacun", "quantity": 3, "note": "acılı"}])
    lost = place.order(status="hazir", badges=["Temassız Teslimat"])
    assert judged(page.driver) == []
    page.log_in(place).live()
    page.moves(lost, "hazir")
    assert judged(page.driver) == []
    page.press(f"[data-order='{order.id}'] .code")
    page.one("dialog .history")
    assert judged(page.driver) == []
    page.press("dialog header button")
    for view in ("failures", "settings"):
        page.open(f"#{view}")
        page.one("#content > *")
        page.shows("#content h1", ".")
        assert judged(page.driver) == []
        page.shoot(f"{scheme}-{view}")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_screen(page, shared, size):
    place = shared.restaurant().connected("dukkango")
    for i, status in enumerate(("yeni", "hazirlanacak", "hazirlaniyor", "hazir", "teslim-edilecek")):
        place.order("dukkango" if i % 2 else "phone", status=status, displayId=f"A{100 + i}", orderNote="İnce hamur olsun lütfen",
                    items=[{"name": "Adana Dürüm", "quantity": 2, "options": ["Acılı"], "note": "Az pişmiş"}], badges=["Temassız Teslimat"])
    page.driver.set_window_size(*SIZES[size])
    page.log_in(place)
    for view in ("board", "failures", "settings"):
        page.open(f"#{view}")
        page.one("#content > *")
        assert page.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), f"{view} on a {size}"
        page.shoot(f"{size}-{view}")
    assert not [line for line in page.driver.get_log("browser") if "Content Security Policy" in line["message"]]
