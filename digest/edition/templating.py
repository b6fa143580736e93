"""The mails' templates, and the few words they are written with. Pure, but for reading the templates.

Every mail is a folder in templates/email/ with subject.txt, text.txt and html.html.
"""

import re
import textwrap
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

import css_inline
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from digest.assets import TEMPLATES
from digest.edition import Digest, Line, Who, markdown
from digest.edition.calendar import in_words
from digest.edition.compile import cut
from digest.nouns import ResourceKind

#: The text part's lines are no longer than this many characters; an address that is longer stays whole.
WIDTH = 72
#: As many Alliances that took part are named; of more, their number is enough to read on a phone.
NAMED = 8

_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


def subject(mail: str, **values: object) -> str:
    """The subject of `mail`, on one line. Raises jinja2's UndefinedError for a value not given, as the others do."""
    return " ".join(_render(f"{mail}/subject.txt", values).split())


def text(mail: str, **values: object) -> str:
    """The text part of `mail`, with no more than one blank line between paragraphs."""
    lines = (line.rstrip() for line in _render(f"{mail}/text.txt", values).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def html(mail: str, **values: object) -> str:
    """The HTML part of `mail`, its styles inlined; what cannot be (dark mode) stays in the head."""
    return _INLINER.inline(_render(f"{mail}/html.html", values))


def _render(template: str, values: dict[str, object]) -> str:
    return _TEMPLATES.get_template(template).render(values)


# --- filters -----------------------------------------------------------------------------------------------------


def _person(who: Who) -> str:
    return f"{who.name} ({who.alliance})" if who.alliance else who.name


def _apart(who: Who) -> str:
    """ "Priya Nair, Northern": a person by themselves."""
    return f"{who.name}, {who.alliance}" if who.alliance else who.name


def _quoted(words: str) -> str:
    """Somebody's words in quotation marks. A mark at their end whose other half was not quoted is left out."""
    if words.count("”") > words.count("“") or words.count('"') == 1:
        words = words.removesuffix("”").removesuffix('"')
    if words.count("“") > words.count("”") or words.count('"') == 1:
        words = words.removeprefix("“").removeprefix('"')
    return f"“{words}”"


def _by_answer(lines: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    """Points that stand together and answer the same sentence."""
    return [(answers, list(group)) for answers, group in groupby(lines, key=lambda line: line.answers)]


def _people(people: Iterable[Who]) -> str:
    """ "Priya Nair (Northern), Tom Reed (Peninsula)"."""
    return ", ".join(_person(who) for who in people)


def _date(moment: datetime) -> str:
    """ "3 November 2026", in the zone that `moment` bears."""
    return f"{moment.day} {moment:%B} {moment.year}"


def _counted(number: int, one: str, many: str = "") -> str:
    """ "1 reply", "2 replies"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _glance(digest: Digest) -> str:
    """ "2 new questions and 6 replies since the last issue, from 2 Alliances: Northern; Peninsula." """
    follows = digest.number > 1 and not digest.covers
    asked = _counted(digest.questions, "new question" if follows else "question")
    told = f"{asked} and {_counted(digest.replies, 'reply', 'replies')}"
    if follows:
        told += " since the last issue"
    if digest.alliances:
        told += f", from {_counted(len(digest.alliances), 'Alliance')}"
        if len(digest.alliances) <= NAMED:  # semicolons: an Alliance's own name may have commas
            told += f": {'; '.join(digest.alliances)}"
    return f"{told}."


def _titled(digest: Digest) -> str:
    """ "GP cancer leads: Issue 12", "…: round-up of Issues 9 to 12", "…: 2 questions for you"."""
    if digest.questions_only:
        return f"{digest.community}: {_counted(len(digest.unanswered), 'question')} for you"
    return f"{digest.community}: {'round-up of ' if digest.covers else ''}{_named(digest)}"


def _named(digest: Digest) -> str:
    """ "Issue 12", "Issues 9 to 12"; "Issues 9 and 11" where one was never sent."""
    numbers = sorted(digest.covers) or [digest.number]
    if len(numbers) == 1:
        return f"Issue {numbers[0]}"
    unbroken = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    listed = f"{numbers[0]} to" if unbroken else f"{', '.join(map(str, numbers[:-1]))} and"
    return f"Issues {listed} {numbers[-1]}"


def _preheader(digest: Digest) -> str:
    """What a mail program shows behind the subject: what waits for the reader, else how much there is to read."""
    asked = [item.title for item in digest.unanswered]
    return f"Can you help? {'; '.join(asked)}" if asked else _glance(digest)


#: What the mail calls the kinds of what is shared.
_KINDS = {
    ResourceKind.LINK: "Link",
    ResourceKind.FILE: "File",
    ResourceKind.GUIDELINE: "Guideline",
    ResourceKind.TOOL: "Tool",
    ResourceKind.TRIAL: "Trial",
    ResourceKind.CONTACT: "Ask them",
}


def _short(title: str) -> str:
    """A title as a link names it, where it has been read in full already."""
    return cut(title, 50)


def _paragraphs(plain: str) -> Markup:
    """Plain text as HTML: a paragraph at each blank line, a line break at each other."""
    blocks = (block.strip() for block in re.split(r"\n\s*\n", plain))
    return Markup("\n").join(
        Markup("<p>{}</p>").format(Markup("<br>\n").join(line.strip() for line in block.splitlines()))
        for block in blocks
        if block
    )


def _wrap(plain: str, indent: str = "", first: str | None = None) -> str:
    """Lines of at most WIDTH characters, each begun with `indent`, the first one with `first` if that is given."""
    wrapped: list[str] = []
    for line in plain.strip().splitlines():
        start = indent if wrapped or first is None else first
        wrapped += textwrap.wrap(
            line,
            WIDTH,
            initial_indent=start,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(wrapped)


def _underlined(heading: str, stroke: str) -> str:
    wrapped = _wrap(heading)
    return f"{wrapped}\n{stroke * max(map(len, wrapped.splitlines()), default=0)}"


def _on_the_web(url: str) -> bool:
    """Whether a link may be one: anything but http and https is shown and not linked."""
    return url.lower().startswith(("https://", "http://"))


_TEMPLATES = Environment(
    loader=FileSystemLoader(TEMPLATES / "email"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "apart": _apart,
    "by_answer": _by_answer,
    "counted": _counted,
    "date": _date,
    "glance": _glance,
    "moment": lambda at: in_words(at, at.tzinfo),
    "named": _named,
    "markdown": markdown.to_html,
    "paragraphs": _paragraphs,
    "people": _people,
    "plain": markdown.to_text,
    "preheader": _preheader,
    "quoted": _quoted,
    "short": _short,
    "titled": _titled,
    "underlined": _underlined,
    "what_it_is": _KINDS.__getitem__,
    "wrap": _wrap,
}
_TEMPLATES.tests["on_the_web"] = _on_the_web
