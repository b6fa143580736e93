"""The desk in Chromium: a whole week wide and on a phone, with JavaScript and without, and what only scripts do.

On every page: nothing fetched from elsewhere, nothing wrong in the console, no violation of the policy, nothing wider
than the screen, and nothing for axe to find.
"""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import col, select

from digest import store, worker
from digest.assets import SAMPLE
from digest.models import Collation, Delivery, Edition, Member, WebSession
from digest.nouns import Content, Role
from digest.postoffice import PostOffice
from digest.steps import collate, compose, publish
from tests.live import week
from tests.live.week import Desk, Service

pytestmark = [
    pytest.mark.skipif(not week.CHROMIUM, reason="Chromium is not on this machine"),
    pytest.mark.skipif(not week.AXE.is_file(), reason="axe-core is not installed: run scripts/test, or npm ci"),
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample community is not beside this checkout"),
]


@pytest.fixture
def service() -> Iterator[Service]:
    with week.service() as running:
        yield running


@pytest.mark.parametrize("way", week.WAYS)
def test_a_coordinator_gets_from_first_look_to_sent_edition(service: Service, way: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, week.desk(playwright, service, way) as desk:
        week.week(desk)
        assert desk.tally.clicks < 60
        week.sign_in(desk)
        week.besides(desk)
        tally = desk.tally
        assert (tally.axe, tally.console, tally.csp, tally.other) == ([], [], [], [])
    with store.read(service.engine) as session:
        assert len(session.exec(select(Delivery)).all()) == service.members() == service.received()


@pytest.fixture
def desk(service: Service) -> Iterator[Desk]:
    """A coordinator who has signed in, wide and with scripts, at the first thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, week.desk(playwright, service, "desktop") as made:
        week.sign_in(made)
        made.visit("/thread/1")
        yield made


def stored(service: Service) -> Content:
    """The first thread's collation as it counts."""
    with store.read(service.engine) as session:
        found = session.exec(
            select(Collation).where(Collation.thread_id == 1).order_by(col(Collation.version).desc())
        ).first()
        assert found is not None
        return found.content


SELECT = """() => {
  const run = [...document.querySelectorAll("[data-from]")].find(r => r.textContent.includes("Two of our practice"));
  const at = run.textContent.indexOf("ours are nurse") >= 0 ? 0 : run.textContent.indexOf("Two of our practice");
  const range = document.createRange();
  range.setStart(run.firstChild, at + 4);
  range.setEnd(run.firstChild, at + 19);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""


def test_selected_words_become_a_point_and_support_another(desk: Desk, service: Service) -> None:
    page = desk.page
    before = len(stored(service).points)
    page.evaluate(SELECT)
    desk.press(page.get_by_role("toolbar").get_by_role("button", name="Make a point"))
    point = stored(service).points[-1]
    assert (len(stored(service).points), point.label) == (before + 1, "of our practice"), "out to whole words"
    assert point.evidence[0].quote == point.label
    page.evaluate(SELECT)
    bar = page.get_by_role("toolbar")
    bar.get_by_role("combobox").select_option(index=0)
    desk.press(bar.get_by_role("button", name="Differs"))
    first = stored(service).points[0]
    assert point.evidence[0].message in first.opposers
    assert "of our practice" in [e.quote for e in first.evidence]
    assert desk.tally.csp == []


def test_the_bar_for_selected_words_is_reached_and_left_with_the_keys(desk: Desk) -> None:
    page = desk.page
    page.evaluate(SELECT)
    page.get_by_role("toolbar").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Make a point"
    page.keyboard.press("Escape")
    assert page.get_by_role("toolbar").count() == 0


def test_points_are_dragged_and_moved_with_the_keys(desk: Desk, service: Service) -> None:
    page = desk.page
    one, two, *rest = [p.id for p in stored(service).points]
    page.evaluate("document.addEventListener('htmx:after:swap', () => { window.swapped = (window.swapped ?? 0) + 1 })")
    page.locator(f"#point-{one}").evaluate("e => e.scrollIntoView({block: 'start'})")
    handle, target = (page.locator(at).bounding_box() for at in (f"#point-{two} .desk-handle", f"#point-{one}"))
    assert handle is not None
    assert target is not None
    page.mouse.move(handle["x"] + 20, handle["y"] + 10)
    page.mouse.down()
    page.mouse.move(handle["x"] + 10, handle["y"])  # a browser begins to drag once the mouse has moved
    page.mouse.move(target["x"] + 60, target["y"] + 10, steps=5)
    page.mouse.up()
    week.wait_for(lambda: page.evaluate("window.swapped") == 1, "the swap after the drag")
    assert [p.id for p in stored(service).points] == [two, one, *rest]
    page.locator(f"#label-{one}").focus()
    page.keyboard.press("Alt+ArrowUp")
    week.wait_for(lambda: page.evaluate("window.swapped") == 2, "the swap after the key")
    assert [p.id for p in stored(service).points] == [one, two, *rest]


def test_what_is_written_is_saved_as_it_goes_and_another_tab_does_not_overwrite_it(
    desk: Desk, service: Service
) -> None:
    page = desk.page
    tab = desk.watch(desk.context)
    tab.goto(f"{service.address}/thread/1")
    page.locator("#note").fill("Written in the first tab.")
    page.locator("#autosaved").filter(has_text="Saved at").wait_for()
    assert stored(service).note == "Written in the first tab."
    desk.expected = 409
    tab.locator("#note").fill("Written in the second.")
    tab.locator("#autosaved").filter(has_text="Nothing was overwritten.").wait_for()
    assert stored(service).note == "Written in the first tab."
    tab.locator("#save").click()
    tab.locator("text=Two versions of this collation").wait_for()
    with tab.expect_navigation():
        tab.locator("text=Save mine over it").click()
    assert stored(service).note == "Written in the second."


def test_what_was_typed_stays_when_it_cannot_be_saved(desk: Desk, service: Service) -> None:
    page = desk.page
    said = page.locator("#said")
    page.context.set_offline(True)
    page.locator("#note").fill("Words that took a while.")
    page.locator("#autosaved").filter(has_text="the service cannot be reached").wait_for()
    page.locator("#save").click()
    said.filter(has_text="The service could not be reached, so nothing was changed.").wait_for()
    page.context.set_offline(False)
    with store.transaction(service.engine) as session:
        for signed_in in session.exec(select(WebSession)):
            session.delete(signed_in)
    page.locator("#save").click()
    said.filter(has_text="You are signed out.").wait_for()
    main, desk.page = desk.page, desk.watch(desk.context)
    week.sign_in(desk)
    desk.page = main
    desk.press(page.locator("#save"))
    assert stored(service).note == "Words that took a while."
    assert page.locator("#note").input_value() == "Words that took a while."
    assert page.evaluate("document.activeElement.id") == "save"


def test_the_preview_follows_what_is_written_before_it_is_saved(desk: Desk, service: Service) -> None:
    from playwright.sync_api import Error

    page = desk.page
    desk.visit("/edition")
    steps = page.evaluate("history.length")

    def mail() -> str:
        try:
            frame = page.locator("#preview iframe:not(.desk-mail--coming)").last.element_handle().content_frame()
            return frame.content() if frame else ""
        except Error:  # it was exchanged for the next one meanwhile
            return ""

    size = page.locator("#size").get_attribute("value")
    page.locator("#introduction").click()
    for typed, shown in (("A busy week,", "A busy week,"), (" and **thank you** to everybody.", "thank you")):
        page.keyboard.type(typed)
        week.wait_for(lambda shown=shown: shown in mail(), f"the preview with {shown}")
    week.wait_for(lambda: "<strong" in mail(), "bold words")
    week.wait_for(lambda: page.locator("#preview iframe").count() == 1, "one preview alone")
    week.wait_for(lambda: page.locator("#size").get_attribute("value") != size, "another size")
    assert page.evaluate("document.activeElement.id") == "introduction"
    page.get_by_role("link", name="On a phone, dark").click()
    page.locator(".desk-mail--phone").first.wait_for()
    week.wait_for(lambda: "thank you" in mail(), "the dark preview")
    page.get_by_role("link", name="As plain text").click()
    page.locator("pre", has_text="thank you").wait_for()
    page.locator("#announcements").fill("A new template is on its way.")
    page.locator("pre", has_text="A new template").wait_for()
    assert page.locator("#introduction").input_value() == "A busy week, and **thank you** to everybody."
    assert page.evaluate("history.length") == steps, "Back leads back, not through every preview"
    with store.read(service.engine) as session:
        assert session.exec(select(Edition.introduction)).first() == ""
    assert (desk.tally.console, desk.tally.csp) == ([], [])


def test_threads_of_an_edition_are_dragged_and_moved_with_the_keys(desk: Desk, service: Service) -> None:
    page = desk.page
    desk.visit("/edition/1")
    desk.press(page.get_by_role("button", name="Review it now"))
    page.evaluate("document.addEventListener('htmx:after:swap', () => { window.swapped = (window.swapped ?? 0) + 1 })")

    def order() -> list[str]:
        return page.locator("li[data-place]").evaluate_all("all => all.map(e => e.dataset.place)")  # type: ignore[no-any-return]

    one, two, *rest = order()
    box = page.locator(f"#place-{two}").bounding_box()
    assert box is not None
    below = {"x": 300, "y": box["height"] - 8}
    page.locator(f"#place-{one}").drag_to(page.locator(f"#place-{two}"), target_position=below)  # type: ignore[arg-type]
    week.wait_for(lambda: page.evaluate("window.swapped") == 1, "the swap after the drag")
    assert order() == [two, one, *rest]
    page.locator(f"#up-{one}").focus()
    page.keyboard.press("Alt+ArrowUp")
    week.wait_for(lambda: page.evaluate("window.swapped") == 2, "the swap after the key")
    assert order() == [one, two, *rest]
    with store.read(service.engine) as session:
        edition = session.get_one(Edition, 1)
        stored = [str(place.thread_id) for place in compose.places(session, edition)]
    assert [id for id in stored if id in {one, two}] == [one, two]
    assert page.locator("#place-6").get_attribute("data-place") is None, "the mail puts what asks first by itself"


class Tap:
    """A mail server that takes so many mails of an edition and lets the others wait, until it is told to take more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = 10_000
        take = PostOffice.handle_DATA

        async def slowly(office: PostOffice, server: Any, session: Any, envelope: Any) -> str:
            if b"\r\nList-Id:" in envelope.original_content:  # not the service's own notices
                while self.open <= 0:
                    await asyncio.sleep(0.02)
                self.open -= 1
            return await take(office, server, session, envelope)

        monkeypatch.setattr(PostOffice, "handle_DATA", slowly)


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Tap:
    """Asked for before the service is: a connection keeps the server it was opened with."""
    return Tap(monkeypatch)


def send_now(service: Service) -> None:
    """Let the edition that collects go out with whatever of it can, without the desk."""
    now = worker.now()
    with store.transaction(service.engine) as session:
        ruth = session.exec(select(Member).where(Member.role == Role.COORDINATOR)).first()
        edition = session.exec(select(Edition)).first()
        assert ruth is not None
        assert edition is not None
        publish.close(session, service.settings, edition.id, now, ruth)
        for place in compose.places(session, edition):
            latest = collate.current(session, place.thread_id)
            assert latest is not None
            left = [m.id for m in collate.unaccounted(session, place.thread_id, latest.content)]
            content = latest.content.model_copy(update={"set_aside": latest.content.set_aside + left})
            saved = collate.save(session, place.thread_id, latest.version, content, ruth, now)
            collate.approve(session, place.thread_id, saved.version, ruth, now)
        for one in compose.hindrances(session, edition.id):
            assert one.thread_id is not None
            publish.include(session, edition.id, one.thread_id, False, ruth, now)
        publish.approve(session, edition.id, ruth, now)
        publish.send_now(session, service.settings, edition.id, ruth, now)


def test_the_sending_is_watched_stopped_and_gone_on_with_while_it_happens(
    tap: Tap, desk: Desk, service: Service
) -> None:
    page = desk.page
    everybody = service.members()

    def number(word: str) -> int:
        row = page.locator(".nhsuk-summary-list__row", has=page.get_by_text(word, exact=True))
        return int(row.locator("dd").inner_text()) if row.count() else 0

    tap.open = 3
    send_now(service)
    desk.visit("/edition/1")
    page.evaluate("window.loaded = 'once'")
    week.wait_for(lambda: number("Sent") == 3, "the first three mails on the page")
    assert number("Still to send") > 0
    desk.look("edition-being-sent")
    stop = page.get_by_role("button", name="Stop the rest")
    stop.focus()
    frames: list[str] = []
    page.on("request", lambda request: frames.append(request.url) if "/html" in request.url else None)
    tap.open = 2
    week.wait_for(lambda: number("Sent") == 5, "two more, while the page is watched")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Stop the rest", (
        "the focus stays while it counts"
    )
    assert frames == [], "nor is the mail below asked for again"
    desk.press(stop)
    page.get_by_text("The sending was stopped on").wait_for()
    desk.look("edition-stopped")
    tap.open = 10_000
    in_hand = number("Being sent")
    time.sleep(3)  # whatever had been begun has arrived, and nothing else
    assert 5 <= service.received() <= 5 + in_hand < everybody
    desk.visit("/edition/1/deliveries")
    desk.look("deliveries-stopped")
    desk.visit("/")
    desk.look("today-stopped")
    desk.visit("/edition/1")
    page.evaluate("window.loaded = 'once'")
    desk.press(page.get_by_role("button", name="Send the rest"))
    week.wait_for(lambda: number("Sent") == everybody, "all mails on the page")
    assert page.evaluate("window.loaded") == "once", "all of it without loading the page"
    assert service.received() == everybody
    tally = desk.tally
    assert (tally.axe, tally.console, tally.csp, tally.other) == ([], [], [], [])
