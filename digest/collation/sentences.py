"""New text → sentences with their exact spans. Pure; `text[s.start:s.end] == s.text` always holds.

Sentences never cross a paragraph, a list item or a segment. Greeting lines and sign-offs are no sentences; a table is
one, because a row says nothing without its header.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.nouns import Segment, new_spans


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a message's text: `start` and `end` count in the whole text, half open."""

    start: int
    end: int
    text: str


_ITEM = re.compile(r"[ \t]*(?:[-–—*•‣◦·]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])[ \t]+")
_RULE = re.compile(r"[\W_]*")

# A line this long may have been wrapped by the writer's mail program (RFC 3676 suggests 66 to 78 columns).
_WRAPPED = 50

_NAMES = r"(?-i:(?:Dr\.?|Prof\.?)?\s*[A-Z][\w'’/-]*\.?)"
_GROUP = r"(?:all|everyone|everybody|both|team|folks|colleagues|friends|people|there|again|lovely|dear|and|&|to you)"
_GREETING = re.compile(
    rf"(?:(?:good\s+)?(?:morning|afternoon|evening|day)|hi|hiya|hello|hey|dear|greetings|all|everyone"
    rf"|everybody|team|folks|colleagues|friends)"
    rf"(?:,?\s+(?:{_GROUP}|{_NAMES})(?!\w)){{0,5}}\s*[,.!:–—-]*",
    re.IGNORECASE,
)
# Words that stand alone on a line as an answer, where otherwise a name would stand.
_ANSWER = (
    r"(?!(?:yes|no|agreed?|ditto|same|absolutely|definitely|likewise|seconded|correct|exactly|true|indeed|none|never)"
    r"\b)"
)
_CALLED = re.compile(rf"{_ANSWER}{_NAMES}(?:(?:,?\s+and\s+|,\s*|\s+){_NAMES}){{0,2}}\s*[,:–—-]", re.IGNORECASE)
_SIGN_OFF = re.compile(
    r"(?:(?:with\s+)?(?:many|kind(?:est)?|best|warm(?:est)?|(?:all|every) good)\s+)?(?:(?:regards|wishes|thanks"
    r"|thank you|cheers|best|ta|yours(?: sincerely| faithfully| ever)?|sincerely|all the best|bw|br|kr|bws|speak soon"
    r"|take care|atb)\b(?:\s+(?:and\s+)?(?:regards|wishes|again|in advance|all|everyone|so much|very much))?)"
    rf"(?:[\s,.!–—-]+{_NAMES}){{0,3}}[\s,.!–—x]*",
    re.IGNORECASE,
)
_SIGNED = re.compile(rf"[-–—~\s]*{_ANSWER}{_NAMES}(?:\s+{_NAMES}){{0,3}}[\s,.x]*", re.IGNORECASE)

_ABBREVIATIONS = """
    dr mr mrs ms miss prof st rev sr jr re al pt pts e.g eg i.e ie cf vs v approx ca c est incl excl esp resp ref refs
    fig figs tel ext dept hosp mg mcg ml kg cm mm hr hrs min mins wk wks mth mths mo yr yrs yo b.d o.d t.d.s p.r.n
    jan feb mar apr jun jul aug sept sep oct nov dec mon tue wed thu fri para paras sec no nos p pp vol ed a.k.a
    """
_BINDING = frozenset(_ABBREVIATIONS.split())
# These may also end a sentence, so they bind only to what cannot start one.
_EITHER = frozenset({"no", "nos", "etc", "a.m", "p.m", "am", "pm", "p", "v", "c", "min", "mar", "sec", "ed"})
_INITIALS = re.compile(r"[a-z](?:\.[a-z])+")  # "d.o.b.", "t.d.s."
_STOP = re.compile(r"[.!?…]+[)\]\"'”’»]*(?=\s|$)")


def split(text: str, segments: Sequence[Segment]) -> list[Sentence]:
    """The author's sentences, in order and without overlap, each inside one NEW segment of `text`."""
    return list(_split(text, tuple(segments)))


@lru_cache(maxsize=256)  # while a thread is drafted, each of its mails is asked for its sentences again and again
def _split(text: str, segments: tuple[Segment, ...]) -> tuple[Sentence, ...]:
    found: list[Sentence] = []
    for start, end in new_spans(list(segments)):
        blocks = [block for block in _blocks(text, start, end) if not _RULE.fullmatch(text, *block)]
        while blocks and (_GREETING.fullmatch(text, *blocks[0]) or _CALLED.fullmatch(text, *blocks[0])):
            blocks.pop(0)
        while blocks and (len(blocks) > 1 or found) and _signs(text, *blocks[-1]):
            blocks.pop()
        for number, (left, right) in enumerate(blocks):
            # "Hi Sam, we do" on one line: the sentence starts after the greeting.
            hail = _GREETING.match(text, left, right) if number == 0 else None
            if hail and hail[0].endswith((",", ".", "!", ":")):
                left = hail.end()
            found += [Sentence(a, b, text[a:b]) for a, b in _sentences(text, left, right)]
    return tuple(found)


def hail(text: str) -> int:
    """How long the greeting is that a text opens with: where its first sentence may start."""
    at = 0
    while True:
        start = len(text) - len(text[at:].lstrip())
        line = text.find("\n", start)
        end = len(text) if line < 0 else line
        if end < len(text) and (_GREETING.fullmatch(text, start, end) or _CALLED.fullmatch(text, start, end)):
            at = end
            continue
        greeting = _GREETING.match(text, start, end)
        return greeting.end() if greeting and greeting[0].endswith((",", ".", "!", ":")) else start


def _signs(text: str, start: int, end: int) -> bool:
    if text[text.rfind("\n", 0, start) + 1 : start].strip():  # behind a list marker stands an item, not a name
        return False
    return bool(_SIGN_OFF.fullmatch(text, start, end) or _SIGNED.fullmatch(text, start, end))


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Paragraphs, list items (without their markers) and tables, trimmed."""
    block: tuple[int, int] | None = None
    table = False
    for left, right in _lines(text, start, end):
        item, row = _ITEM.match(text, left, right), _row(text[left:right])
        blank = not text[left:right].strip()
        joins = block is not None and not blank and not item and row == table
        if joins and block is not None and (table or _wrapped(text, *block, left)):
            block = (block[0], right)
            continue
        if block is not None:
            yield _trim(text, *block)
        block, table = (None if blank else (item.end() if item else left, right)), row
    if block is not None:
        yield _trim(text, *block)


def _row(line: str) -> bool:
    return "|" in line and sum(bool(cell.strip()) for cell in line.split("|")) > 1


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop + 1


def _wrapped(text: str, start: int, end: int, following: int) -> bool:
    """Whether the line break after `end` was put there by a mail program rather than by the writer."""
    last = text.rfind("\n", start, end) + 1
    return end - max(start, last) >= _WRAPPED or text[following : following + 1].islower()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if _row(text[start:end].partition("\n")[0]):
        yield start, end
        return
    at = start
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and _ends(text, at, stop, end):
            yield _trim(text, at, stop.end())
            at = stop.end()
    if at < end:
        left, right = _trim(text, at, end)
        if left < right:
            yield left, right


def _ends(text: str, start: int, stop: re.Match[str], end: int) -> bool:
    following = text[stop.end() : min(end, stop.end() + 40)].lstrip()[:1]
    if stop[0][0] in "!?":  # 'they ask "why?" and wait' goes on; a phone's "does anybody? we do" does not
        return stop[0][-1] in "!?" or not following.islower()
    if stop[0].startswith(("..", "…")):
        return following.isupper()
    before = text[max(start, stop.start() - 20) : stop.start()].split()
    word = before[-1].lstrip("([\"'“‘").lower() if before else ""
    if word in _EITHER:
        return following.isalpha() and following.isupper()
    if word in _BINDING or _INITIALS.fullmatch(word) or (len(word) == 1 and word.isalpha() and following.isupper()):
        return False
    if following.islower():  # a phone's "works well. cornwall is patchy", but not "ref.x and"
        return len(word) > 3 and word.isalpha()
    return True
