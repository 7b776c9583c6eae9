"""A real browser: Debian's chromium-headless-shell, driven by Playwright, and what it complains of."""

import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.api.client import Api
from tests.cluster import packages
from tests.dashboard import without_netlink
from tests.servers import axe

WIDE, NARROW = (1280, 800), (360, 740)
PATIENCE_MS = 100_000
"""How long what is expected may take, on a busy machine."""

expect.set_options(timeout=PATIENCE_MS)

_NO_SUCCESS = "Failed to load resource: the server responded with a status of"

_COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
  `${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for a session of tests; networks that come and go do not disturb it."""
    with tempfile.TemporaryDirectory(prefix="affirm-browser-") as folder, sync_playwright() as playwright:
        start = Path(folder, "chromium")
        words = [sys.executable, without_netlink.__file__, packages.program("chromium-headless-shell")]
        start.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        start.chmod(0o700)
        browser = playwright.chromium.launch(executable_path=start, args=["--no-sandbox"], timeout=PATIENCE_MS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Tab:
    """A tab of the browser, and what went wrong in it.

    Args:
        page: Playwright's.
        api: the server.
        complaints: errors of scripts, of the console, of the policy of the pages, and requests to elsewhere.
        loaded: bytes of bodies by address, without the server's name.
        expected: parts of errors of the network that the test brings about, such as `status of 503`; no complaints.
        at: the address of another server than the API's.
    """

    page: Page
    api: Api
    complaints: list[str] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)
    expected: list[str] = field(default_factory=list)
    at: str = ""

    def watch(self, page: Page) -> Page:
        """Notes what goes wrong in a page of this tab's context."""
        page.on("console", lambda message: self._said(message))  # noqa: PLW0108, Playwright sets attributes of methods' objects
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", lambda response: self._loaded(response))  # noqa: PLW0108
        return page

    def _said(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        source = message.location.get("url", "")
        # The browser says of a page that is no success that it is none; tests look at those themselves.
        is_page = _NO_SUCCESS in message.text and any(source == page.url for page in self.page.context.pages)
        if not is_page and not any(one in message.text for one in self.expected):
            self.complaints.append(f"{message.text} {source}")

    def _loaded(self, response: Response) -> None:
        if not response.url.startswith(self.address):
            self.complaints.append(f"a request to {response.url}")
        elif (length := response.headers.get("content-length")) is not None:
            self.loaded[response.url.removeprefix(self.address)] = int(length)

    @property
    def address(self) -> str:
        """The server's."""
        return self.at or f"http://127.0.0.1:{self.api.listening.port}"

    def open(self, path: str) -> None:
        """Goes to a page."""
        self.page.goto(self.address + path)

    def log_in(self, role: str = "admin") -> None:
        """Logs in as a person does."""
        self.open("/login")
        self.page.get_by_label("Key").fill(self.api.keys[role])
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Overview").wait_for()

    def outcome(self) -> str:
        """The line that says what was done."""
        return self.page.get_by_role("status").inner_text()

    def note_violations(self) -> None:
        """Takes what the policy of the pages that are open has refused so far; the console has all the others'."""
        for page in self.page.context.pages:
            self.complaints += page.evaluate("window.violations ?? []")

    def findings(self, *rules: str) -> list[str]:
        """What keeps people out of this page, by axe-core: the serious ones, of all rules or of these alone."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe.script().read_text(encoding="utf-8"))
        found: Any = self.page.evaluate("rules => axe.run(rules.length ? {runOnly: rules} : {})", list(rules))
        return [
            f"{one['impact']}: {one['id']}: {', '.join(node['html'][:200] for node in one['nodes'][:3])}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]

    def findings_everywhere(self) -> list[str]:
        """As `findings`, also of what colours change in the dark, and what a narrow screen does, where no page asks to
        be moved sideways."""
        found = self.findings()
        self.page.emulate_media(color_scheme="dark")
        found += [f"dark: {one}" for one in self.findings("color-contrast")]
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        found += [f"narrow: {one}" for one in self.findings("scrollable-region-focusable", "target-size")]
        if (width := self.page.evaluate("document.documentElement.scrollWidth")) > NARROW[0]:
            found.append(f"narrow: it is {width} wide")
        self.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        return found


@contextmanager
def tab(browser: Browser, api: Api, size: tuple[int, int] = WIDE, **how: Any) -> Iterator[Tab]:
    """A tab with cookies of its own.

    Args:
        browser, api: see `Tab`.
        size: of its window.
        how: more of Playwright's, such as `color_scheme` or `java_script_enabled`.
    """
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **how)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(_COUNT_VIOLATIONS)
    made = Tab(context.new_page(), api)
    made.watch(made.page)
    yield made
    if how.get("java_script_enabled", True):
        made.note_violations()
    context.close()
    assert made.complaints == [], made.complaints
