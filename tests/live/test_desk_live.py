"""The desk in Chromium: a week from first look to sent edition, wide and on a phone, with JavaScript and without.

On every page: nothing fetched from elsewhere, nothing wrong in the console (a policy violation would stand there),
nothing wider than the screen, and nothing for axe to find.
"""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from sqlalchemy import Engine
from sqlmodel import select

from digest import store, worker
from digest.assets import SAMPLE
from digest.config import CommunitySettings, Settings
from digest.mailbox.archive import arrivals
from digest.models import Delivery, Edition, Member, WebSession
from digest.nouns import EditionStatus, Role
from digest.steps import enrol, publish, receive, signin
from digest.web.app import create_app

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page, Request

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not on this machine"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run scripts/test, or npm ci"),
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample community is not beside this checkout"),
]


@dataclass
class Service:
    """The desk over the sample week, on a free port of this machine."""

    address: str
    settings: Settings
    community_id: int
    engine: Engine = field(repr=False)

    def link(self, role: Role) -> str:
        """A fresh sign-in link for somebody with this role."""
        with store.transaction(self.engine) as session:
            member = session.exec(select(Member).where(Member.role == role)).first()
            assert member is not None
            return signin.link(session, self.settings, member, datetime.now(UTC))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    community = CommunitySettings(
        slug="leads",
        name="GP cancer leads",
        stream_address="gp-leads@lists.example.org",
        digest_sender="GP leads digest <digest@example.org>",
    )
    settings = Settings(public_address=address, data=tmp_path, community=(community,))
    engine = store.connect(settings.database)
    store.migrate(engine)
    now = datetime.now(UTC)
    with store.transaction(engine) as session:
        community_id = enrol.communities(session, settings)[community.slug]
        enrol.members(session, community_id, enrol.read_csv(SAMPLE / "members.csv"), now)
        receive.store(session, community_id, list(arrivals([SAMPLE / "mail"])))
        publish.ensure_collecting(session, community, community_id, now)
    worker.take_in(engine, community_id, community)
    server = uvicorn.Server(uvicorn.Config(create_app(settings, engine), log_level="warning"))
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    yield Service(address, settings, community_id, engine)
    server.should_exit = True
    serving.join()
    listener.close()
    engine.dispose()


class Watched:
    """A browser's page, and everything about it that should not be."""

    def __init__(self, page: "Page", address: str) -> None:
        self.page, self.address = page, address
        self.wrong: list[str] = []
        self.expected = 200  # the answer the next page gives
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("request", self._request)

    def _console(self, message: "ConsoleMessage") -> None:
        refused = f"the server responded with a status of {self.expected}"  # Chromium says so of every 4xx
        if message.type in {"error", "warning"} and refused not in message.text:
            self.wrong.append(f"{self.page.url}: {message.text}")

    def _request(self, request: "Request") -> None:
        if not request.url.startswith(self.address):
            self.wrong.append(f"{self.page.url} asked for {request.url}")

    def look(self) -> None:
        """Check the page that is shown now."""
        page = self.page
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            self.wrong.append(f"{page.url} is wider than the screen")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(
            "axe.run(document, {iframes: false}).then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))"
        )
        self.wrong += [f"{page.url}: axe: {violation}" for violation in found]


@contextmanager
def chromium(service: Service, width: int, script: bool) -> Iterator[Watched]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
        yield Watched(context.new_page(), service.address)
        browser.close()


@pytest.mark.parametrize(("width", "script"), [(1200, True), (375, True), (1200, False), (375, False)])
def test_a_coordinator_gets_from_first_look_to_sent_edition(service: Service, width: int, script: bool) -> None:
    with chromium(service, width, script) as watched:
        page, look = watched.page, watched.look if script else lambda: None  # axe is a script itself
        page.goto(service.address)
        look()
        assert page.title().startswith("Sign in")
        sign_in(service, page, Role.COORDINATOR, look)
        assert "Questions nobody has answered" in page.content()
        look()
        decide_about_held(service, page, look)
        page.goto(f"{service.address}/edition")
        look()
        press(page.locator("text=Review it now"))
        look()
        watched.expected = 409
        approve_collations(service, page, look)
        page.goto(f"{service.address}/edition")
        page.fill("#introduction", "A **busy** week.")
        press(page.locator("text=Save the introduction"))
        press(page.locator("text=Approve Issue 1"))
        look()
        frame = page.locator("iframe").get_attribute("src")
        assert "<strong>busy</strong>" in page.request.get(f"{service.address}{frame}").text()
        press(page.locator("text=Send it now"))
        assert "done=sending" in page.url
        look()
        for path in ("/", "/threads", "/editions", "/members", "/discarded", "/message/2/move"):
            page.goto(service.address + path)
            look()
        press(page.locator("text=Sign out"))
        look()
        read_as_member(service, page, look)
        assert watched.wrong == []
    with store.read(service.engine) as session:
        assert session.exec(select(Edition.status).where(Edition.number == 1)).one() is EditionStatus.SENDING
        people = session.exec(select(Member)).all()
        assert len(session.exec(select(Delivery)).all()) == len(people)


def test_what_was_typed_stays_when_it_cannot_be_saved(service: Service) -> None:
    with chromium(service, 1200, True) as watched:
        page = watched.page
        sign_in(service, page, Role.COORDINATOR, lambda: None)
        page.goto(f"{service.address}/thread/1")
        note, said = page.locator("#note"), page.locator("#said")
        note.fill("Words that took a while.")
        page.context.set_offline(True)
        page.locator("#save").click()
        said.filter(has_text="The service could not be reached, so nothing was changed.").wait_for()
        page.context.set_offline(False)
        with store.transaction(service.engine) as session:
            for signed_in in session.exec(select(WebSession)):
                session.delete(signed_in)
        page.locator("#save").click()
        said.filter(has_text="You are signed out.").wait_for()
        tab = page.context.new_page()
        sign_in(service, tab, Role.COORDINATOR, lambda: None)
        note.press("End")
        note.type(" More.")
        assert said.inner_text() == "", "what was said is over"
        change(page.locator("#save"), "Saved.")
        assert page.locator("#note").input_value() == "Words that took a while. More."
        assert focused(page) == "save"
        tab.goto(f"{service.address}/thread/1")
        tab.locator("#note").fill("Theirs.")
        change(tab.locator("#save"), "Saved.")
        page.locator("#note").fill("Mine.")
        page.locator("#save").click()
        page.locator("text=Two versions of this collation").wait_for()
        assert page.title().startswith("Two versions")
        watched.look()
        assert [w for w in watched.wrong if "axe" in w or "Policy" in w] == []
        with page.expect_navigation():
            page.locator("text=Save mine over it").click()
        assert page.locator("#note").input_value() == "Mine."


def press(button: "Locator") -> None:
    """Click what leads to another page, and wait until it is there."""
    with button.page.expect_navigation():
        button.click()


def change(button: "Locator", words: str) -> None:
    """Press a button that swaps what is in <main>; without JavaScript it leads to the same on a new page.

    `words` are what the page then says of it.
    """
    page = button.page
    if page.locator("body.js-enabled").count() == 0:
        press(button)
        assert words in page.locator(".desk-done, .nhsuk-notification-banner, .nhsuk-error-summary").inner_text()
        return
    page.locator("main > *").first.evaluate("e => { e.id = 'before'; window.sameDocument = true }")
    button.click()
    page.locator("#before").wait_for(state="detached")
    page.locator("#said, .nhsuk-error-summary").filter(has_text=words).wait_for()
    assert page.evaluate("window.sameDocument"), "the page was loaded anew"


def sign_in(service: Service, page: "Page", role: Role, look: Callable[[], None]) -> None:
    page.goto(service.link(role))
    look()
    press(page.locator("main button"))


def decide_about_held(service: Service, page: "Page", look: Callable[[], None]) -> None:
    page.goto(f"{service.address}/held")
    look()
    assert page.locator("mark").count() >= 3
    change(page.locator("text=Redact and let it in").first, "The words are hidden for good")
    page.locator("summary:has-text('Discard it')").first.click()
    change(page.locator("button:has-text('Discard it')").first, "The message is discarded.")
    assert "Nothing is held." in page.content()
    look()


def approve_collations(service: Service, page: "Page", look: Callable[[], None]) -> None:
    """Every thread that stands in the way: one is edited as a person would, the rest are approved as they are."""
    page.goto(f"{service.address}/edition")
    waiting = [
        link.get_attribute("href") or "" for link in page.locator("a:has-text('its collation is not approved')").all()
    ]
    assert len(waiting) > 3
    for number, thread in enumerate(waiting):
        page.goto(service.address + thread)
        look()
        if number == 0:
            before = page.locator("fieldset.desk-point").count()
            change(page.locator("text=Make a point").first, "Saved.")
            assert page.locator("fieldset.desk-point").count() == before + 1
            assert page.url.endswith("#point-c1") or focused(page) == "point-c1"
            page.locator("#label-c1").fill("What the coordinator makes of it")
            change(page.locator("#point-c1").get_by_role("button", name="Move up"), "Saved.")
            assert page.url.endswith("#point-c1") or focused(page) == "up-c1", "to move it up once more"
            assert page.locator("#point-c1").locator("text=Your words").count() == 1
            change(page.locator("#point-c1").get_by_role("button", name="Take out"), "Saved.")
            assert page.locator("fieldset.desk-point").count() == before
            look()
        approve = page.locator("#approve")
        if page.locator("text=Not used yet").count():
            change(approve, "neither used nor set aside")
            look()
            for box in page.locator("article.desk-message--open input[name=aside]").all():
                box.check(force=True)
        change(approve, "The collation is approved.")


def focused(page: "Page") -> str:
    """The id of what has the focus, which must be in sight."""
    where = page.evaluate("(e => [e.id, e.getBoundingClientRect().bottom, innerHeight])(document.activeElement)")
    assert 0 < where[1] < where[2] + 1, f"{where[0]} is out of sight"
    return str(where[0])


def read_as_member(service: Service, page: "Page", look: Callable[[], None]) -> None:
    sign_in(service, page, Role.GP, look)
    for path in ("/threads", "/thread/1", "/editions", "/edition/1"):
        page.goto(service.address + path)
        look()
        assert page.locator("main form").count() == 0
    assert page.locator("nav >> text=Held").count() == 0
