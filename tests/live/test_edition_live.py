"""The rendered edition before a real browser, a real spam filter and other people's readers of signatures.

What Chromium makes of it stands in out/mail/ afterwards, for looking at: in the light and in the dark, on a phone, a
tablet and a screen.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from digest.edition.compile import only_questions
from digest.edition.render import freeze, wire
from tests.edition.sample import KITS, LEAFLET, MASTERCLASS, SENDER, edition, parts
from tests.edition.test_render import FROZEN, READER, every_mail
from tests.live.servers import program

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "out/mail"
#: The longest words a mail can have: an address nobody can break, a name of one piece.
LONG = replace(
    KITS,
    title="Wer" + "klebeetikettenbeschriftungs" * 3,
    content=KITS.content.model_copy(update={"note": f"https://www.example.org/{'a' * 300}"}),
)
MAILS = {
    "edition": parts(wire(FROZEN, READER))[1],
    "questions": parts(wire(freeze(only_questions(edition()), SENDER), READER))[1],
    "round-up": parts(wire(freeze(replace(edition(), covers=(9, 10, 12)), SENDER), READER))[1],
    "long": parts(wire(freeze(edition(LONG, LEAFLET, MASTERCLASS), SENDER), READER))[1],
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=str(program("chromium", "chromium")), args=options)
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 600, 1200])
@pytest.mark.parametrize("name", MAILS)
def test_a_mail_fits_and_is_accessible_at_every_width_in_the_light_and_in_the_dark(
    name: str, width: int, scheme: str, chromium: Browser
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(MAILS[name])
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    card = page.locator(".card").bounding_box()
    assert card is not None
    assert card["width"] <= 640
    assert asked == []  # nothing is loaded from anywhere
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 24, 29)"
    assert dark == (scheme == "dark")
    page.add_script_tag(path=ROOT / "node_modules/axe-core/axe.min.js")
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']})")["violations"]
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found] == []
    page.close()


def test_no_mail_looks_like_spam(tmp_path: Path) -> None:
    """SpamAssassin's rules without network or training; what it has to say for a mail is not counted, only against."""
    filter_ = program("spamassassin", "spamassassin")
    options = ["--local", "--nocreate-prefs", "--prefspath=/dev/null", "--test-mode", "--cf=use_bayes 0"]
    received = b"Received: from mail.example.org (mail.example.org [10.0.0.25]) by mx.nhs.example with ESMTPS id 1;\r\n"
    for number, mail in enumerate(every_mail()):
        date = re.search(rb"\r\nDate: ([^\r]+)", mail)
        assert date is not None
        sent = received + b"\t" + date[1] + b"\r\n" + mail
        report = subprocess.run([filter_, *options], input=sent, capture_output=True, check=True, timeout=120).stdout
        rules = re.findall(rb"(?m)^ ?(-?\d+\.\d) ([A-Z][A-Z0-9_]+) ", report.partition(b"Content analysis details")[2])
        assert rules, report[-2000:]
        against = [(float(points), rule.decode()) for points, rule in rules if float(points) > 0]
        assert sum(points for points, _ in against) < 1.0, (number, against)
