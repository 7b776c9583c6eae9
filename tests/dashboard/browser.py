"""A real browser: Debian's chromium-headless-shell, driven by Playwright, and what it complains of."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect, sync_playwright

from tests.api.client import Api
from tests.cluster import packages
from tests.servers import axe

WIDE, NARROW = (1280, 800), (360, 740)
PATIENCE_MS = 100_000
"""How long what is expected may take, on a busy machine."""

expect.set_options(timeout=PATIENCE_MS)

_COUNT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
  `${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, for a session of tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=packages.program("chromium-headless-shell"), args=["--no-sandbox"], timeout=PATIENCE_MS
        )
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
    """

    page: Page
    api: Api
    complaints: list[str] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The server's."""
        return f"http://127.0.0.1:{self.api.listening.port}"

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
        """Takes what the policy of the page has refused so far."""
        self.complaints += self.page.evaluate("window.violations ?? []")

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

    def said(message: ConsoleMessage) -> None:
        # The browser says of every answer that is no success that it is one; tests look at those themselves.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            made.complaints.append(message.text)

    def loaded(response: Response) -> None:
        if not response.url.startswith(made.address):
            made.complaints.append(f"a request to {response.url}")
        elif (length := response.headers.get("content-length")) is not None:
            made.loaded[response.url.removeprefix(made.address)] = int(length)

    made.page.on("console", said)
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on("response", loaded)
    yield made
    if not made.page.is_closed() and how.get("java_script_enabled", True):
        made.note_violations()
    context.close()
    assert made.complaints == []
