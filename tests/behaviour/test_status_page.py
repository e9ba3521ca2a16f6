"""The status page in a browser: what a person sees, with a mouse, a keyboard, a phone, in the dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.page import Face

pytestmark = pytest.mark.needs("chromium", "chromedriver")
QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
)
EVIL = "<img src=x onerror=\"document.title='owned'\">"


class Reader:
    """A person at a browser."""

    def __init__(self, browser: Any, face: Face) -> None:
        self.browser, self.face = browser, face

    def open(self, path: str = "/") -> None:
        self.browser.get(self.face.url + path)
        self.until(lambda: self.text("h1") != "")

    def until(self, true: Callable[[], object]) -> None:
        WebDriverWait(self.browser, 10, poll_frequency=0.05, ignored_exceptions=[Exception]).until(lambda _: true())

    def text(self, selector: str) -> str:
        return str(self.browser.find_element(By.CSS_SELECTOR, selector).text)

    def texts(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
        return list(self.browser.execute_script(script, selector))

    def click(self, text: str) -> None:
        self.browser.find_element(By.PARTIAL_LINK_TEXT, text).click()

    def where(self) -> str:
        return str(self.browser.current_url).removeprefix(self.face.url)

    def complaints(self) -> list[str]:
        """What the browser says of the page: blocked scripts, missing files, exceptions."""
        return [str(one["message"]) for one in self.browser.get_log("browser")]

    def emulate(self, command: str, **what: Any) -> None:
        self.browser.execute_cdp_cmd(f"Emulation.{command}", what)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for word in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    yield found
    found.quit()


@pytest.fixture
def reader(browser: Any) -> Iterator[Reader]:
    face = Face()
    found = Reader(browser, face)
    found.emulate("setEmulatedMedia", features=[])
    found.emulate("clearDeviceMetricsOverride")
    browser.get_log("browser")
    yield found
    assert found.complaints() == []
    browser.get("about:blank")
    face.stop()


def test_the_overview_tells_how_things_are_and_leads_to_each(reader: Reader) -> None:
    reader.open()
    tiles = reader.text(".tiles")
    assert "1 of 2 ready" in tiles
    assert "9,900 InSync" in tiles
    assert "2 problems" in tiles
    assert "wave 2 of 5" in reader.text(".rollout")
    assert "logroute approve 3f1c9a2b7d04" in reader.text(".notice")
    assert reader.texts(".problems code") == ["web/httpd.yaml:3:5", "web/other.yaml"]
    reader.click("100 RouterMissing")
    reader.until(lambda: reader.text("h1") == "Services")
    assert reader.where() == "/?view=services&reason=RouterMissing"
    assert len(reader.texts("tbody tr")) == 100


def test_filters_are_in_the_url_and_a_link_to_them_shows_the_same(reader: Reader) -> None:
    reader.open("/?view=services")
    reader.browser.find_element(By.NAME, "q").send_keys("web-0042")
    reader.until(lambda: reader.text("caption") == "10 services")
    assert reader.where() == "/?view=services&q=web-0042"
    reader.open(reader.where())
    assert reader.text("caption") == "10 services"
    assert reader.browser.find_element(By.NAME, "q").get_attribute("value") == "web-0042"
    reader.click("Routes")
    reader.until(lambda: reader.text("h1") == "Routes")
    reader.browser.back()
    reader.until(lambda: reader.text("caption") == "10 services")


def test_ten_thousand_services_are_shown_a_page_at_a_time_at_once(reader: Reader) -> None:
    reader.open("/?view=services&ready=true")
    assert reader.text("caption") == "9,901 services"
    assert len(reader.texts("tbody tr")) == 100
    reader.click("next")
    reader.until(lambda: "page 2 of 100" in reader.text(".pager"))
    assert reader.browser.execute_script("return document.querySelectorAll('*').length") < 3000


def test_a_change_shows_by_itself_and_leaves_what_is_typed_and_folded_open(reader: Reader) -> None:
    reader.open("/?view=plans")
    reader.browser.find_element(By.CSS_SELECTOR, "main details summary").click()
    reader.face.change(why="now it is another reason")
    reader.until(lambda: "now it is another reason" in reader.text("main"))
    assert reader.browser.find_element(By.CSS_SELECTOR, "main details").get_attribute("open") is not None
    assert "log_router" in reader.text(".diff .added")
    reader.open("/?view=services")
    field = reader.browser.find_element(By.NAME, "q")
    field.send_keys("web-0000")
    reader.until(lambda: reader.text("caption") == "10 services")
    reader.face.change(first="Contested")
    reader.until(lambda: "Contested" in reader.text("tbody"))
    assert reader.browser.switch_to.active_element == field
    assert reader.text("#live") == "live"


def test_nothing_that_a_spec_or_a_service_says_becomes_markup(reader: Reader) -> None:
    reader.face.change(why=EVIL, first=EVIL)
    for view in ("overview", "routes", "services", "plans", "events", "problems"):
        reader.open(f"/?view={view}&q={EVIL}" if view == "events" else f"/?view={view}")
        assert reader.browser.find_elements(By.CSS_SELECTOR, "main img, main script") == []
        assert "owned" not in reader.browser.title
    assert EVIL in reader.text("main")


def test_the_policy_lets_in_no_script_but_the_page_s_own(reader: Reader) -> None:
    reader.open()
    inline = "const s = document.createElement('script'); s.textContent = 'window.owned = 1'; document.body.append(s)"
    reader.browser.execute_script(f"try {{ {inline} }} catch {{}}")
    assert reader.browser.execute_script("return window.owned") is None
    assert any("Content Security Policy" in one or "TrustedScript" in one for one in reader.complaints())


def test_the_keyboard_reaches_everything_in_order(reader: Reader) -> None:
    reader.open("/?view=services")
    body = reader.browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert reader.browser.switch_to.active_element.text == "Skip to content"
    reader.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert reader.browser.switch_to.active_element.get_attribute("id") == "content"
    reader.browser.switch_to.active_element.send_keys(Keys.TAB)
    assert reader.browser.switch_to.active_element.get_attribute("name") == "q"
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert reader.browser.execute_script(outline) != "none"


def test_a_screen_reader_finds_landmarks_headings_names_and_news(reader: Reader) -> None:
    for view in ("overview", "routes", "services", "plans", "events", "problems"):
        reader.open(f"/?view={view}")
        assert len(reader.texts("h1")) == len(reader.texts("main")) == 1
        tree = reader.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        named = [(one["role"]["value"], one.get("name", {}).get("value", "")) for one in tree if not one["ignored"]]
        roles = {role for role, _ in named}
        assert {"main", "banner", "navigation", "heading", "status"} <= roles
        nameless = [
            role
            for role, name in named
            if role in ("link", "button", "textbox", "searchbox", "combobox", "table") and not name
        ]
        assert nameless == []
        assert reader.texts("[aria-current=page]") == [view.title()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(reader: Reader, scheme: str) -> None:
    """WCAG AA: 4.5 to 1."""
    reader.emulate("setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    for view in ("overview", "services", "events", "plans"):
        reader.open(f"/?view={view}")
        for details in reader.browser.find_elements(By.CSS_SELECTOR, "main details"):
            reader.browser.execute_script("arguments[0].open = true", details)
        faint = reader.browser.execute_script((Path(__file__).parent / "contrast.js").read_text())
        assert faint == []


def test_a_phone_shows_it_without_scrolling_sideways(reader: Reader) -> None:
    reader.emulate("setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    for view in ("overview", "routes", "services", "plans", "events", "problems"):
        reader.open(f"/?view={view}")
        assert reader.browser.execute_script("return document.documentElement.scrollWidth") <= 360


def test_a_controller_that_is_gone_is_told_and_one_that_comes_back_is_shown(reader: Reader) -> None:
    reader.open()
    reader.until(lambda: reader.text("#live") == "live")
    reader.face.server.stop(10)
    reader.until(lambda: "connect" in reader.text("#live"))
    assert "1 of 2 ready" in reader.text(".tiles")
    reader.face.come_back()
    reader.until(lambda: reader.text("#live") == "live")
    reader.complaints()  # of the connection that was refused


def test_a_service_tells_what_happened_to_it_with_the_difference(reader: Reader) -> None:
    reader.open("/?view=services")
    reader.click("prod/web-00000")
    reader.until(lambda: reader.text("h1") == "prod/web-00000")
    assert "RolloutStarted" in reader.text(".events")
    reader.browser.find_element(By.CSS_SELECTOR, ".events summary").click()
    assert "log_router" in reader.text(".diff")


def test_what_is_not_there_is_told_in_words(reader: Reader) -> None:
    reader.open("/?view=service&key=main/x/y/z")
    assert "there is no service main/x/y/z" in reader.text(".notice")
    reader.complaints()  # the browser says that something was a 404
