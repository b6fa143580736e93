"""An edition as members really get it, and answers to it as their mail programs quote it."""

import email
import email.policy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from html import escape

from digest import store
from digest.models import Edition
from digest.steps import compose
from tests.steps.world import NOON, SERVICE, World

WHEN = NOON + timedelta(days=7)


@dataclass(frozen=True)
class Issue:
    """A rendered edition."""

    message_id: str
    subject: str
    text: str
    html: str  # what stands in its body


def issue(world: World, edition: Edition, email_address: str) -> Issue:
    """The edition as one member gets it."""
    with store.read(world.engine) as session:
        member = world.member(session, email_address)
        raw = compose.preview(session, world.settings, edition.id, member, NOON).wire
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    text, html = (parsed.get_body((form,)) for form in ("plain", "html"))
    assert text is not None
    assert html is not None
    body = re.search(r"<body[^>]*>(.*)</body>", html.get_content(), re.S)
    assert body is not None
    return Issue(str(parsed["Message-ID"]), str(parsed["Subject"]), text.get_content(), body[1])


def _answer(issue: Issue, sender: str, subject: str, text: str, html: str = "", headers: bool = True) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, SERVICE, subject
    message["Date"] = WHEN
    message["Message-ID"] = f"<{abs(hash((sender, text, html)))}@mail.example.org>"
    if headers:
        message["In-Reply-To"] = message["References"] = issue.message_id
    if html and not text:
        message.set_content(html, subtype="html")
    else:
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
    return message.as_bytes()


def outlook(issue: Issue, sender: str, *paragraphs: str) -> bytes:
    """Word-HTML above a header block; no In-Reply-To, as after a mailto: link."""
    said = "".join(f'<p class="MsoNormal">{escape(p)}<o:p></o:p></p>' for p in paragraphs)
    block = (
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal">'
        f"<b>From:</b> Digest &lt;{SERVICE}&gt;<br><b>Sent:</b> 30 November 2026 07:00<br>"
        f"<b>To:</b> {escape(sender)}<br><b>Subject:</b> {escape(issue.subject)}<o:p></o:p></p></div>"
    )
    html = f'<html><body lang="EN-GB"><div class="WordSection1">{said}{block}{issue.html}</div></body></html>'
    return _answer(issue, sender, f"RE: {issue.subject}", "", html, headers=False)


def gmail(issue: Issue, sender: str, *paragraphs: str) -> bytes:
    """Both forms, the answer above the quote."""
    wrote = f"On Mon, 30 Nov 2026 at 07:00, Digest <{SERVICE}> wrote:"
    text = "\n\n".join(paragraphs) + f"\n\n{wrote}\n\n" + _marked(issue.text)
    html = (
        '<div dir="ltr">' + "".join(f"<div>{escape(p)}</div><div><br></div>" for p in paragraphs) + "</div><br>"
        f'<div class="gmail_quote"><div dir="ltr" class="gmail_attr">{escape(wrote)}<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex">{issue.html}</blockquote></div>'
    )
    return _answer(issue, sender, f"Re: {issue.subject}", text, html)


def apple(issue: Issue, sender: str, answers: Sequence[tuple[str, str]]) -> bytes:
    """Plain text, each answer below the quoted line that holds `(words, answer)`'s words."""
    lines = [f"> On 30 Nov 2026, at 07:00, Digest <{SERVICE}> wrote:", ">"]
    for line in issue.text.splitlines():
        lines.append(f"> {line}".rstrip())
        for words, answer in answers:
            if words in line:
                lines += ["", answer, ""]
    return _answer(issue, sender, f"Re: {issue.subject}", "\n".join(lines) + "\n")


def phone(issue: Issue, sender: str, *paragraphs: str) -> bytes:
    """A few words, a tag line, and the quote without marks."""
    text = "\n\n".join(paragraphs) + "\n\nSent from my iPhone\n\n"
    text += f"On 30 Nov 2026, at 07:00, Digest <{SERVICE}> wrote:\n\n" + _marked(issue.text)
    return _answer(issue, sender, f"Re: {issue.subject}", text)


def _marked(text: str) -> str:
    return "".join(f"> {line}".rstrip() + "\n" for line in text.splitlines())


Quoting = Callable[..., bytes]
