# SPDX-License-Identifier: Apache-2.0
"""browser.py - a real browser: Chromium by its driver, both of the distribution.

KURYED_SHOTS names a folder that screenshots are kept in, KURYED_AXE the script of axe-core, which judges how a page is for
those who do not see or use it as most do; tools/check brings both.
"""

import os
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

SHOTS = os.environ.get("KURYED_SHOTS")
AXE = os.environ.get("KURYED_AXE")
SIZES = {"phone": (390, 844), "tablet": (1180, 820), "desktop": (1600, 950)}

needs_axe = pytest.mark.skipif(not AXE and not os.environ.get("CI"), reason="KURYED_AXE is not set")


@pytest.fixture(scope="module")
def driver():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
                     "--window-size=1400,950", "--lang=tr"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield made
    made.quit()


def wears(driver, scheme):
    """By day, or by night: light, dark."""
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def shoot(driver, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


def judged(driver):
    """What axe-core finds serious."""
    driver.execute_script(Path(AXE).read_text())
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations))")
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found
            if one["impact"] in ("serious", "critical")]
