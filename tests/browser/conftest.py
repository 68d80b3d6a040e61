"""A real Chromium before a live server with its policy on; everything that the console complains about is kept."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from apps.accounts.models import User
from tests.web import world as w

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # playwright's loop runs in the tests' own thread

HERE = Path(__file__).parent
SCREENSHOTS = HERE / "screenshots"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-gl=angle", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip
REPORT_VIOLATIONS = """
document.addEventListener('securitypolicyviolation',
  (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI));
"""
NOT_RUN = pytest.StashKey[int]()


def chromium() -> str | None:
    """$CHROMIUM, then chromium on PATH, then Playwright's own."""
    for found in (os.environ.get("CHROMIUM"), shutil.which("chromium"), shutil.which("chromium-browser")):
        if found:
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser these tests are not run, and said so; REQUIRE_BROWSER=1 makes that a failure."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker("browser")
    if not ours or chromium():
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError(f"{len(ours)} browser tests need Chromium: install it, or set CHROMIUM to its path.")
    config.stash[NOT_RUN] = len(ours)
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if count := config.stash.get(NOT_RUN, 0):
        terminalreporter.write_line(f"{count} browser tests not run: no Chromium (set CHROMIUM to its path)")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    return {**browser_type_launch_args, "executable_path": chromium(), "args": ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict) -> dict:
    return {**browser_context_args, "viewport": {"width": 1400, "height": 950}, "reduced_motion": "reduce"}


PATIENCE_S = 30.0
DRAWN = (
    "[...document.querySelectorAll('[data-figure],[data-cell]')].every((e) => e.dataset.drawn)"
    " && !document.querySelector('[hx-trigger=load]')"
)


@dataclass
class Seat:
    """Somebody before a page: `complaints` are console errors, uncaught exceptions and policy violations."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of ours and wait until its figures are drawn."""
        self.page.goto(self.address + path)
        self.drawn()
        return self.page

    def drawn(self) -> None:
        """Not by wait_for_function: from its second look on it evaluates inside the page, which the policy forbids."""
        patience = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(DRAWN):
            assert time.monotonic() < patience, "figures, or parts that load by themselves, did not come"
            self.page.wait_for_timeout(50)

    def picture(self, name: str) -> None:
        """A screenshot for people, with SCREENSHOTS=1; the folder is ignored by git."""
        if os.environ.get("SCREENSHOTS") != "1":
            return
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture
def owner(transactional_db) -> User:
    return User.objects.create_superuser("rosa", password="correct horse")


@pytest.fixture
def world(owner: User) -> w.World:
    return w.build(owner)


@pytest.fixture
def stranger_seat(live_server, context: BrowserContext) -> Iterator[Seat]:
    """Nobody is signed in yet."""
    context.add_init_script(REPORT_VIOLATIONS)
    context.set_default_timeout(60_000)
    seat = Seat(context.new_page(), live_server.url)
    seat.page.on("console", lambda m: seat.complaints.append(m.text) if m.type == "error" else None)
    seat.page.on("pageerror", lambda error: seat.complaints.append(str(error)))
    return seat


@pytest.fixture
def seat(stranger_seat: Seat, client, owner: User, live_server) -> Seat:
    """The owner is signed in."""
    client.force_login(owner)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    stranger_seat.page.context.add_cookies([cookie])
    return stranger_seat
