"""The desk for who uses no mouse, sees little, or sees nothing: keys alone, the names a screen reader says, big text.

What axe can tell is asked on every page of the week (`tests.live.week`); this is what it cannot: where the keys lead,
whether one sees it, and whether all of a page stays there when its text grows or its window shrinks (WCAG 2.2, AA).
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from digest.assets import SAMPLE
from tests.live import week
from tests.live.week import Desk, Service

pytestmark = [
    pytest.mark.skipif(not week.CHROMIUM, reason="Chromium is not on this machine"),
    pytest.mark.skipif(not week.AXE.is_file(), reason="axe-core is not installed: run scripts/test, or npm ci"),
    pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample community is not beside this checkout"),
]

#: The pages where a coordinator works, in the states in which most can be done.
PAGES = (
    "/",
    "/held",
    "/thread/1",
    "/edition",
    "/members",
    "/member/2",
    "/members/import",
    "/audit",
    "/thread/1/versions",
)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with week.service() as running:
        yield running


@pytest.fixture(scope="module")
def desk(service: Service) -> Iterator[Desk]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, week.desk(playwright, service, "desktop") as made:
        week.sign_in(made)
        made.visit("/edition/1")
        made.press(made.page.get_by_role("button", name="Review it now"))
        yield made


#: How an element looks that may have the focus. A box to tick is drawn beside its label, and shows the focus there.
LOOK = """const look = e => {
  const outer = e.matches("[type=checkbox], [type=radio]") ? getComputedStyle(e.nextElementSibling, "::before")
    : getComputedStyle(e);
  const inner = e.matches("summary") ? getComputedStyle(e.firstElementChild) : outer;
  return [outer, inner].map(s => [s.outline, s.boxShadow, s.backgroundColor, s.border].join(" ")).join(" ");
};"""
FOCUSED = f"""() => {{
  {LOOK}
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  const beside = e.labels?.[0];
  return {{
    what: `${{e.tagName}} ${{e.id}} ${{(e.innerText ?? "").trim().slice(0, 40)}}`,
    look: look(e),
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    free: !top || e.contains(top) || top.contains(e) || Boolean(beside?.contains(top)),
    skip: e.matches(".nhsuk-skip-link, iframe"),
    index: [...document.querySelectorAll("*")].indexOf(e),
    unlabelled: e.matches("a, button") && !(e.textContent + (e.getAttribute("aria-label") ?? "")).trim(),
  }};
}}"""
RESTING = f"""() => {{
  {LOOK}
  document.activeElement?.blur();
  const all = [...document.querySelectorAll("*")].map((e, i) => [i, e]);
  const may = all.filter(([, e]) => e.matches("a, button, input, select, textarea, summary, pre, [tabindex]"));
  return may.map(([i, e]) => [i, look(e)]);
}}"""


def walked(desk: Desk) -> list[dict[str, Any]]:
    """Everything that Tab leads to on the page, in order."""
    page = desk.page
    page.evaluate("() => { getSelection().removeAllRanges(); document.activeElement?.blur(); scrollTo(0, 0); }")
    found: list[dict[str, Any]] = []
    for _ in range(600):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if one is None or (found and one["index"] == found[0]["index"]):
            return found
        found.append(one)
    raise AssertionError("Tab never comes back: it is caught somewhere")


@pytest.mark.parametrize("path", PAGES)
def test_the_keys_lead_through_a_page_in_its_order_and_one_sees_where_one_is(desk: Desk, path: str) -> None:
    desk.visit(path)
    found = walked(desk)
    assert len(found) > 8
    order = [one["index"] for one in found]
    assert order == sorted(order), "the order of the keys is the order of what is read"
    assert [one["what"] for one in found if one["unlabelled"]] == []
    assert [one["what"] for one in found if not one["seen"]] == [], "out of sight"
    assert [one["what"] for one in found if not one["free"]] == [], "under something else"
    plain = dict(desk.page.evaluate(RESTING))
    same = [one["what"] for one in found if not one["skip"] and plain.get(one["index"]) == one["look"]]
    assert same == [], "nothing shows that these have the focus"


SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }"""
SCROLLS = ".nhsuk-u-visually-hidden, .nhsuk-header__navigation-list, select, textarea, .desk-enter, [hidden]"
CLIPPED = """scrolls => [...document.querySelectorAll("main *, header *")].filter(e => {
  if (!e.innerText?.trim() || e.closest(scrolls)) return false;
  const style = getComputedStyle(e);
  const hides = overflow => ["hidden", "clip"].includes(overflow);
  return (hides(style.overflowX) && e.scrollWidth > e.clientWidth + 1)
    || (hides(style.overflowY) && e.scrollHeight > e.clientHeight + 1);
}).map(e => `${e.tagName}.${e.className} ${e.innerText.slice(0, 40)}`)"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_lost_in_a_narrow_window_or_with_spaced_or_doubled_text(desk: Desk, path: str) -> None:
    page = desk.page
    size = page.viewport_size
    assert size is not None
    try:
        for width, style in (
            (320, ""),  # 1.4.10: 400 % of 1280
            (1280, SPACED),  # 1.4.12
            (320, SPACED),
            (1280, "html { font-size: 200% !important; }"),  # 1.4.4: the text alone
            (640, ""),  # 1.4.4: 200 % of 1280
        ):
            page.set_viewport_size({"width": width, "height": 900})
            desk.visit(path)
            for folded in page.locator("main details").all():
                folded.evaluate("e => { e.open = true }")
            if style:  # as a browser's own setting would, which the page's policy does not reach
                page.evaluate(
                    "css => { const s = new CSSStyleSheet(); s.replaceSync(css); document.adoptedStyleSheets = [s]; }",
                    style,
                )
            page.wait_for_timeout(400)  # the menu moves what no longer fits
            assert page.evaluate(WIDE) <= 0, f"wider than {width} px with {style!r}: {page.evaluate(week.WIDEST)}"
            assert page.evaluate(CLIPPED, SCROLLS) == [], f"cut off at {width} px with {style!r}"
    finally:
        page.set_viewport_size(size)


@pytest.mark.parametrize("path", PAGES)
def test_a_screen_reader_finds_its_way_by_landmarks_headings_and_names(desk: Desk, path: str) -> None:
    page = desk.page
    desk.visit(path)
    for landmark in ("banner", "main", "contentinfo"):
        assert page.get_by_role(landmark).count() == 1
    assert page.get_by_role("navigation", name="Menu").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.locator("html").get_attribute("lang") == "en-GB"
    levels = [int(level) for level in page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(e => e.tagName[1])")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("main :is(input:not([type=hidden]), select, textarea:not([hidden]))")]
          .filter(e => !e.labels?.length && !e.getAttribute("aria-label")).map(e => e.name)"""
    )
    assert unnamed == []
    # Buttons of one name that do different things cannot be told apart in a list of buttons.
    buttons = page.locator("main button:visible").evaluate_all(
        """all => all.map(e =>
          [e.textContent.replace(/\\s+/g, " ").trim(), `${e.form?.getAttribute("action")} ${e.value}`])"""
    )
    names: dict[str, set[str]] = {}
    for name, does in buttons:
        names.setdefault(name, set()).add(does)
    several = {name for name, does in names.items() if len(does) > 1 and not name.startswith("Make a point")}
    assert several == set()


def test_what_was_done_is_said_and_the_focus_stays_where_it_was_done(desk: Desk) -> None:
    page = desk.page
    desk.visit("/thread/1")
    said = page.get_by_role("status").and_(page.locator("#said"))
    down = page.locator("fieldset.desk-point").first.get_by_role("button", name="Move down")
    down.focus()
    desk.tally.clicks += 1
    point = page.evaluate("document.activeElement.closest('fieldset').id")
    page.keyboard.press("Enter")
    week.wait_for(lambda: said.inner_text() == "Saved.", "what was done, in words")
    assert page.evaluate("document.activeElement.closest('fieldset')?.id") == point
    desk.visit("/held")
    page.get_by_role("button", name="Redact the ticked").focus()
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="Tick the messages first").wait_for()
    assert page.evaluate("document.activeElement.classList.contains('nhsuk-error-summary')"), "an error takes the focus"
    assert page.title().startswith("Error: ")
