"""The desk driven in Chromium as the coordinator drives it: a whole week, from first look to sent edition.

The service is the real one (pages, worker, IMAP and SMTP of the in-process post office) on the sample community, with
the week of `week_stream` in it. Every page and state is looked at: for axe, for what the console says, for what the
policy forbade, for what is wider than the screen, and, with `out`, in a picture.
"""

import asyncio
import re
import shutil
import smtplib
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlmodel import col, func, select
from starlette.types import ASGIApp, Receive, Scope, Send

from digest import demo, store, worker
from digest.assets import SAMPLE
from digest.config import Settings
from digest.models import Edition, Member, Message
from digest.nouns import EditionStatus, Role
from digest.postoffice import PostOffice
from digest.steps import collate, enrol
from digest.web.app import create_app
from digest.web.server import serve
from tests.live import week_stream

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Playwright, Request

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
UNDO_SECONDS = 6
PATIENCE = 60.0  # seconds until what the service does by itself must have happened

#: The states of which the coordinator's guide shows a picture (`bench/week --guide docs/pictures`), and what each shows
#: from the top on.
GUIDE = {
    "today": "header",
    "held": "header",
    "thread-1": "header",
    "thread-edited": "#point-c1",
    "version": "header",
    "edition-in-review": "header",
    "edition-about-to-leave": "header",
}

#: How the week is driven: a name, the screen's width, and whether scripts run.
WAYS = {"desktop": (1280, True), "phone": (375, True), "plain": (1280, False)}


# --- the service -------------------------------------------------------------------------------------------------


class Timed:
    """Counts the seconds that pages (not styles and scripts) keep the server busy."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.seconds, self.slowest = app, 0.0, (0.0, "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        await self.app(scope, receive, send)
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            took = time.perf_counter() - began
            self.seconds += took
            self.slowest = max(self.slowest, (took, f"{scope['method']} {scope['path']}"))


@dataclass
class Service:
    """The service with the week in it, and where its mail goes."""

    settings: Settings
    engine: Engine = field(repr=False)
    office: PostOffice = field(repr=False)
    timed: Timed
    community_id: int

    @property
    def address(self) -> str:
        return self.settings.public_address

    def editions_sent(self) -> int:
        with store.read(self.engine) as session:
            return session.exec(
                select(func.count()).select_from(Edition).where(Edition.status == EditionStatus.SENT)
            ).one()

    def members(self) -> int:
        with store.read(self.engine) as session:
            return session.exec(select(func.count()).select_from(Member).where(col(Member.active))).one()

    def received(self) -> int:
        """How many copies of an edition the post office has taken."""
        return sum(b"\r\nList-Id:" in wire.split(b"\r\n\r\n", 1)[0] for _, wire in self.office.outbox)

    def mailed_link(self, address: str, known: int) -> str:
        """The sign-in link mailed to this address after the `known` ones."""
        wait_for(lambda: len(self.mailed_links(address)) > known, "the sign-in link")
        return self.mailed_links(address)[-1]

    def mailed_links(self, address: str) -> list[str]:
        """The sign-in links mailed to this address, each once."""
        found: dict[str, None] = {}
        for recipient, wire in list(self.office.outbox):
            if recipient == address:
                text = wire.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode("utf-8", "replace")
                found |= dict.fromkeys(re.findall(rf"{re.escape(self.address)}/sign-in/[\w-]+", text))
        return list(found)


def wait_for(there: object, what: str) -> None:
    """Until `there()`; an error that names `what` when it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not there():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {PATIENCE:.0f} seconds")
        time.sleep(0.1)


@contextmanager
def service() -> Iterator[Service]:
    """The service on loopback with the week in its mailbox, read and drafted."""
    with tempfile.TemporaryDirectory(prefix="week-") as data, PostOffice({demo.SERVICE}) as office:
        settings = demo.sample_settings(Path(data), office)
        topics = ("Cancer care reviews", "FIT", "Safety netting", "Vague symptoms", "Lung", "Prostate")
        community = settings.community[0].model_copy(update={"topics": topics})
        web = settings.web.model_copy(update={"undo_seconds": UNDO_SECONDS})
        smtp = settings.smtp.model_copy(update={"messages_per_minute": 600})
        settings = settings.model_copy(update={"community": (community,), "web": web, "smtp": smtp})
        engine = store.connect(settings.database)
        store.migrate(engine)
        with store.transaction(engine) as session:
            community_id = enrol.communities(session, settings)[community.slug]
            enrol.members(session, community_id, enrol.read_csv(SAMPLE / "members.csv"), worker.now())
        number = 0
        with smtplib.SMTP("127.0.0.1", office.smtp_port) as smtp_client:
            for raw in week_stream.mails(worker.now()):
                smtp_client.sendmail("gp-leads-bounces@lists.example.org", [demo.SERVICE], raw)
                number += 1
        timed = Timed(create_app(settings, engine))
        stop = asyncio.Event()
        loop = asyncio.new_event_loop()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.run_until_complete(
                worker.together(stop, serve(timed, settings, stop), worker.run(engine, settings, stop))
            )

        running = threading.Thread(target=run)
        running.start()
        try:

            def drafted() -> bool:
                with store.read(engine) as session:
                    filed = session.exec(
                        select(func.count()).select_from(Message).where(col(Message.filed_at).is_not(None))
                    ).one()
                    return filed == number and bool(session.exec(select(Edition.id)).first())

            wait_for(drafted, "the week's mail")
            yield Service(settings, engine, office, timed, community_id)
        finally:
            loop.call_soon_threadsafe(stop.set)
            running.join()
            loop.close()
            engine.dispose()


# --- the browser -------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What a week took, and what was wrong on the way."""

    clicks: int = 0
    pages: int = 0
    axe: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    csp: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)  # wider than the screen, asked for from elsewhere


WIDEST = """(() => {
  const right = e => Math.round(e.getBoundingClientRect().right);
  const wide = [...document.querySelectorAll("body *")].filter(e => right(e) > document.documentElement.clientWidth);
  wide.sort((a, b) => right(b) - right(a));
  return wide.slice(0, 3).map(e => `${e.tagName}.${e.className}#${e.id} ${right(e)}`).join(", ");
})()"""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
AXE_RUN = """rules => axe.run(document, {iframes: false, runOnly: rules})
  .then(found => found.violations.map(v => v.id + " " + v.nodes[0].html + " " + (v.nodes[0].any[0]?.message ?? "")))"""

REPORT_CSP = """addEventListener("securitypolicyviolation",
  e => (window.violations ??= []).push(e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile))"""


class Desk:
    """A coordinator's browser. Every click is counted; what is typed is not, but going to a field is."""

    def __init__(
        self, context: "BrowserContext", service: Service, way: str, out: Path | None, guide: Path | None
    ) -> None:
        self.service, self.way, self.out, self.guide = service, way, out, guide
        self.width, self.script = WAYS[way]
        self.tally = Tally()
        self.context = context
        self.pictures = 0
        self.expected = 200  # the answer the next page gives
        self.axe = AXE.read_text(encoding="utf-8")
        self.page = self.watch(context)
        self.twin: Page | None = None  # without scripts, axe looks at the same pages in a browser of its own

    def watch(self, context: "BrowserContext") -> "Page":
        page = context.new_page()
        page.on("console", lambda message: self._console(page, message))
        page.on("pageerror", lambda error: self.tally.console.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._request(page, request))
        return page

    def _console(self, page: "Page", message: "ConsoleMessage") -> None:
        if "Content Security Policy" in message.text:
            self.tally.csp.append(f"{page.url}: {message.text}")
        # Chromium says so of every answer that is not a success; those that are meant are named.
        elif message.type in {"error", "warning"} and f"status of {self.expected}" not in message.text:
            self.tally.console.append(f"{page.url}: {message.text}")

    def _request(self, page: "Page", request: "Request") -> None:
        if not request.url.startswith(self.service.address):
            self.tally.other.append(f"{page.url} asked for {request.url}")

    # what a hand does

    def link(self, locator: "Locator") -> None:
        """Follow a link."""
        self.tally.clicks += 1
        with self.page.expect_navigation():
            locator.click()
        self.tally.pages += 1

    def menu(self, name: str) -> None:
        """Go to a page of the menu, which on a phone is opened first."""
        link = self.page.get_by_role("navigation", name="Menu").get_by_role("link", name=name, exact=True)
        more = self.page.locator("#toggle-menu")
        if not link.count() or not link.is_visible():
            self.tick(more)
        self.link(link)

    def press(self, locator: "Locator") -> None:
        """Press a button that sends a form, and wait until what comes of it is shown."""
        self.tally.clicks += 1
        self.tally.pages += 1
        if not self.script:
            with self.page.expect_navigation():
                locator.click()
            return
        self.page.evaluate(
            "window.before = true; document.addEventListener('htmx:after:swap', () => { window.before = false })"
        )
        locator.click()
        wait_for(self._changed, "the page after a button")
        self.page.wait_for_load_state()

    def _changed(self) -> bool:
        """Whether the page is another one, or what is in it was swapped."""
        from playwright.sync_api import Error

        try:
            return not self.page.evaluate("window.before")
        except Error:  # it is being left this very moment
            return False

    def tick(self, locator: "Locator") -> None:
        """Tick a box, open what is folded."""
        self.tally.clicks += 1
        locator.click()

    def choose(self, locator: "Locator", value: str) -> None:
        """Choose from a list: one click opens it, one chooses."""
        self.tally.clicks += 2
        locator.select_option(label=value)

    def type(self, locator: "Locator", words: str) -> None:
        """Go to a field and write."""
        self.tally.clicks += 1
        locator.fill(words)

    def visit(self, path: str) -> None:
        """Open an address, as from a bookmark: no click, and only to look."""
        self.page.goto(self.service.address + path)

    # what an eye sees

    def look(self, name: str) -> None:
        """Check what is shown now and take its picture."""
        page, tally = self.page, self.tally
        for frame in page.frames:
            frame.wait_for_load_state()
        at = page.evaluate("scrollY")
        if self.guide is not None and name in GUIDE:
            top = page.locator(GUIDE[name]).first.evaluate("e => e.getBoundingClientRect().top + scrollY")
            page.evaluate(f"scrollTo(0, {max(0, top - 24)})")
            page.screenshot(path=self.guide / f"{name}.jpg", type="jpeg", quality=55)
        if page.locator("main iframe").count():  # Chromium paints a sandboxed frame only where it is in sight
            page.locator("main iframe").scroll_into_view_if_needed()
            page.wait_for_timeout(300)
        where = f"{self.way} {name}"
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            tally.other.append(f"{where}: wider than the screen: {page.evaluate(WIDEST)}")
        tally.csp += [f"{where}: {one}" for one in page.evaluate("window.violations ?? []")]
        looked_at = page
        if not self.script:
            if self.twin is None:
                raise AssertionError("no browser for axe")
            self.twin.goto(page.url)
            looked_at = self.twin
        looked_at.evaluate(self.axe)
        tally.axe += [f"{where}: {one}" for one in looked_at.evaluate(AXE_RUN, RULES)]
        if self.out is not None:
            self.pictures += 1
            page.screenshot(path=self.out / f"{self.way}-{self.pictures:02}-{name}.png", full_page=True)
        if self.script:  # the same in the dark, where colours alone are different
            page.emulate_media(color_scheme="dark")
            dark = page.evaluate(AXE_RUN, COLOURS)
            tally.axe += [f"{where}, dark: {one}" for one in dark]
            if self.out is not None:
                page.screenshot(path=self.out / f"{self.way}-{self.pictures:02}-{name}-dark.png", full_page=True)
            page.emulate_media(color_scheme="light")
        page.evaluate(f"scrollTo(0, {at})")


@contextmanager
def desk(
    playwright: "Playwright", service: Service, way: str, out: Path | None = None, guide: Path | None = None
) -> Iterator[Desk]:
    """A browser for one way of driving the week."""
    width, script = WAYS[way]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    size = {"width": width, "height": 812 if width < 500 else 900}
    context = browser.new_context(viewport=size, java_script_enabled=script)  # type: ignore[arg-type]
    if script:
        context.add_init_script(REPORT_CSP)
    made = Desk(context, service, way, out, guide)
    if not script:
        other = browser.new_context(viewport=size)  # type: ignore[arg-type]
        other.route("**/*.js", lambda route: route.abort())
        made.twin = other.new_page()
    yield made
    browser.close()


# --- the week ----------------------------------------------------------------------------------------------------


def week(desk: Desk) -> None:
    """From first look to sent edition, as a person would: what waits is decided, corrected, approved, sent."""
    page, service = desk.page, desk.service
    sign_in(desk)
    desk.look("today")
    held(desk)
    desk.menu("Next edition")
    desk.look("edition-collecting")
    desk.press(page.get_by_role("button", name="Review it now"))
    desk.look("edition-in-review")
    threads(desk)
    desk.menu("Next edition")
    desk.type(page.locator("#introduction"), "A **busy** week: thank you to everybody who wrote.")
    desk.press(page.get_by_role("button", name="Save your words"))
    desk.look("edition-introduced")
    desk.press(page.get_by_role("button", name="Approve Issue 1"))
    desk.look("edition-approved")
    desk.press(page.get_by_role("button", name="Send it now"))
    desk.look("edition-about-to-leave")
    wait_for(lambda: service.received() == service.members(), "the edition")
    wait_for(lambda: service.editions_sent() == 1, "the end of the sending")
    if desk.script:  # the page follows by itself
        page.locator("main strong.nhsuk-tag", has_text="Sent").wait_for()
        page.locator("#said", has_text="about to leave").wait_for(state="detached")
        desk.look("edition-watched")
    desk.menu("Past editions")
    desk.look("past-editions")
    desk.link(page.locator("main").get_by_role("link", name="Issue 1"))
    desk.look("edition-sent")
    desk.press(page.get_by_role("button", name="Sign out"))
    desk.look("signed-out")


def sign_in(desk: Desk, email: str = "") -> None:
    """By a mailed link, in the browser that asked for it; the coordinator, unless it is somebody else's address."""
    page = desk.page
    with store.read(desk.service.engine) as session:
        email = email or session.exec(select(Member.email).where(Member.role == Role.COORDINATOR)).one()
    desk.visit("/")
    desk.look("sign-in")
    desk.type(page.get_by_label("Email address"), email)
    known = len(desk.service.mailed_links(email))
    desk.press(page.locator("main button"))
    desk.look("check-mail")
    page.goto(desk.service.mailed_link(email, known))
    desk.look("sign-in-link")
    desk.press(page.locator("main button"))
    if desk.twin is not None:
        desk.twin.context.add_cookies(desk.context.cookies())  # type: ignore[arg-type]


def held(desk: Desk) -> None:
    """One that may identify a patient, a member who writes from another address, and a stranger."""
    page = desk.page
    desk.menu("Held")
    desk.look("held")
    desk.press(page.get_by_role("button", name="Redact and let it in"))
    desk.look("held-redacted")
    alias = page.locator("article", has_text="clare.at.home@example.net")
    desk.tick(alias.locator("summary", has_text="another address"))
    desk.choose(alias.get_by_label("Whose address is it?"), "Dr Clare Hollingbery (East Midlands)")
    desk.press(alias.get_by_role("button", name="Add it as an alias"))
    desk.look("held-alias-added")
    stranger = page.locator("article", has_text="imogen")
    desk.tick(stranger.locator("summary", has_text="Discard it"))
    desk.press(stranger.get_by_role("button", name="Discard it"))
    desk.look("held-none")


def threads(desk: Desk) -> None:
    """Each thread that waits for approval: the first is edited as a person would, the others read and approved."""
    page = desk.page
    desk.link(page.get_by_role("link", name=re.compile("its collation is not approved yet")).first)
    for number in range(1, week_stream.THREADS + 1):
        desk.look(f"thread-{number}")
        if number == 1:
            edit(desk)
        approve(desk, number)
        following = page.get_by_role("button", name=re.compile("^Next: "))
        if not following.count():
            return
        desk.link(following)


def edit(desk: Desk) -> None:
    """Select words to make a point, write it in one's own words, move it up, and undo."""
    page = desk.page
    before = page.locator("fieldset.desk-point").count()
    desk.press(page.get_by_role("button", name=re.compile("^Make a point")).first)
    assert page.locator("fieldset.desk-point").count() == before + 1
    desk.type(page.locator("#label-c1"), "What the coordinator makes of it")
    desk.press(page.locator("#point-c1").get_by_role("button", name="Move up"))
    assert page.locator("#point-c1").locator("text=Your words").count() == 1
    desk.look("thread-edited")
    desk.press(page.get_by_role("button", name=re.compile("^Undo the last change")))
    desk.press(page.locator("#point-c1").get_by_role("button", name="Take out"))
    assert page.locator("fieldset.desk-point").count() == before
    desk.look("thread-undone")


def approve(desk: Desk, number: int) -> None:
    """Approve the collation; what the draft left open is set aside first."""
    page = desk.page
    if page.locator("article.desk-message--open").count():
        for article in page.locator("article.desk-message--open").all():
            desk.tick(article.locator("label", has_text="Set aside"))
    desk.press(page.locator("#approve"))
    desk.look(f"thread-{number}-approved")


#: Pages of the desk that a week need not lead to; looked at besides, without a click being counted.
BESIDES = (
    ("threads", "/threads"),
    ("versions", "/thread/1/versions"),
    ("version", "/thread/1/version/3"),
    ("move", "/message/2/move"),
    ("discarded", "/discarded"),
    ("members", "/members"),
    ("member", "/member/2"),
    ("member-new", "/members/new"),
    ("member-digest", "/member/2/digest"),
    ("member-erase", "/member/2/erase"),
    ("members-import", "/members/import"),
    ("audit", "/audit"),
    ("audit-of-a-thread", "/audit?about=thread%201"),
    ("today-when-sent", "/"),
    ("edition-2", "/edition/2"),
    ("no-answer", "/thread/6"),
    ("edition-on-a-phone", "/edition/1?look=phone"),
    ("edition-dark", "/edition/1?look=dark"),
    ("edition-text", "/edition/1?look=text"),
    ("deliveries", "/edition/1/deliveries"),
    ("not-found", "/thread/999"),
)


#: A member list with a new line, a changed one, and one as it is.
LIST = """email,name,alliance
new.lead@example.org,Dr Bronwen Achterberg-Featherstonehaugh,South Yorkshire and Bassetlaw
dev.chaudhuri@example.com,Dr Dev Chaudhuri,Greater Manchester
anjali.deshmukh@example.org,Dr Anjali Deshmukh,Humber and North Yorkshire
"""


def besides(desk: Desk) -> None:
    """The pages that the week did not lead to."""
    for name, path in BESIDES:
        desk.expected = 404 if name == "not-found" else 200
        desk.visit(path)
        desk.look(name)
    desk.expected = 200
    refusals(desk)
    changes_of_mind(desk)
    reader(desk)


def refusals(desk: Desk) -> None:
    """What cannot be done is said on the page, and nothing that was written is lost."""
    page = desk.page
    desk.visit("/members/import")
    desk.tick(page.locator("summary", has_text="Or paste the list"))
    desk.type(page.locator("#text"), LIST)
    desk.press(page.get_by_role("button", name="Check the list"))
    desk.look("members-import-checked")
    desk.expected = 409
    desk.visit("/members/new")
    desk.type(page.locator("#name"), "Dr Nobody")
    desk.type(page.locator("#email"), "not an address")
    desk.press(page.get_by_role("button", name="Add the member"))
    desk.look("member-refused")
    desk.expected = 400
    desk.visit("/edition/2")
    desk.tick(page.locator("summary", has_text="Add a date"))
    desk.type(page.locator("#what-1"), "A webinar on a day that is not given")
    desk.type(page.locator("#introduction"), "Written before the date was left out.")
    desk.press(page.get_by_role("button", name="Save your words"))
    desk.look("edition-refused")
    desk.visit("/thread/2")
    desk.tick(page.locator("summary", has_text="Write another point"))
    desk.type(page.locator("#quote-new"), "Words that nobody wrote in this thread")
    desk.press(page.locator("#save"))
    desk.look("thread-refused")
    desk.expected = 409
    desk.visit("/thread/2")
    with store.transaction(desk.service.engine) as session:  # somebody else saves in the meantime
        ruth = session.exec(select(Member).where(Member.role == Role.COORDINATOR)).one()
        latest = collate.current(session, 2)
        assert latest is not None
        content = latest.content.model_copy(update={"note": "What somebody else wrote."})
        collate.save(session, 2, latest.version, content, ruth, worker.now())
    desk.type(page.locator("#note"), "Written at the same time.")
    desk.press(page.locator("#save"))
    desk.look("conflict")
    desk.expected = 200


def changes_of_mind(desk: Desk) -> None:
    """Words are hidden and shown again, a thread is held back, split and put together again."""
    page = desk.page
    desk.visit("/thread/4")
    one = page.locator("article.desk-message", has_text="40 scans so far").first
    desk.tick(one.locator("summary", has_text="hide words"))
    desk.type(one.get_by_label("Words that identify a patient"), "40 scans so far")
    desk.press(one.get_by_role("button", name="Hide them"))
    desk.look("words-hidden")
    desk.press(page.get_by_role("button", name=re.compile("^Show them again")))
    desk.look("words-shown-again")
    desk.tick(one.locator("summary", has_text="hide words"))
    with page.expect_navigation():
        one.get_by_role("button", name=re.compile("^Begin a new thread here")).click()
    desk.look("thread-split")
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("^Undo it")).first.click()
    desk.look("split-undone")


def reader(desk: Desk) -> None:
    """What a GP sees who signs in: threads with approved collations, past editions, and their own choices."""
    desk.press(desk.page.get_by_role("button", name="Sign out"))
    with store.read(desk.service.engine) as session:
        email = session.exec(select(Member.email).where(Member.role == Role.GP)).first()
    assert email is not None
    sign_in(desk, email)
    for name, path in (
        ("gp-threads", "/threads"),
        ("gp-thread", "/thread/1"),
        ("gp-editions", "/editions"),
        ("gp-edition", "/edition/1"),
        ("gp-digest", "/digest"),
    ):
        desk.visit(path)
        desk.look(name)
