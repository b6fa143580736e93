"""What the author wrote ("new text"), and what else stands there: quote, signature, disclaimer, banner, footer.

Roles are found per line. Stripping is for display: every line keeps its place in the text, whatever its role.
"""

import colorsys
import re
from collections.abc import Sequence
from dataclasses import dataclass

from digest.message import quote, signoff
from digest.nouns import Segment, SegmentRole

NEW, QUOTE, FOOTER = SegmentRole.NEW, SegmentRole.QUOTE, SegmentRole.FOOTER
_ITEM = re.compile(r"^\s*(?:[-*•·–▪◦o]\s+|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]\s+)\S", re.I)
_FORWARDED = re.compile(r"^(?:\s*\[[^\]]{1,40}\]\s*)*(?:fwd?|wg|tr|rv|i)\s*:", re.I)
_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening)|g'day|greetings|hallo|liebe\w?|"
    r"bonjour|cher|hola|ciao)\b[^.?!:]{0,40}[,.!:]?\s*$|^\s*[^\W\d_][^.?!:\d]{0,25},\s*$",
    re.I,
)
# What is written above a quote to say that the answers stand in it.
_WITHIN = re.compile(
    r"\b(?:in-?line|below|beneath|underneath|interspersed|in between|within your|"
    r"in (?:your|the) (?:text|e-?mail|message)|"
    r"in (?:red|blue|green|bold|italics|capitals|caps))\b",
    re.I,
)
_IN_COLOUR = re.compile(
    r"\bin (?:\w+ )?(red|blue|green|purple|orange|pink|brown|colou?r|bold|italics)\b|"
    r"\b(?:comments?|answers?|answered|repl(?:y|ies|ied)|respon\w+|thoughts)\b.{0,60}"
    r"\b(?:below|within|in-?line|in the text)\b",
    re.I,
)
_TAG = re.compile(r"\[[^\]\s]{2,30}\]")
_HEX = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b", re.I)
_RGB = re.compile(r"rgba?\((\d{1,3}),\s*(\d{1,3}),\s*(\d{1,3})")
_HUES = (
    (16, "red"),
    (45, "orange"),
    (70, "yellow"),
    (165, "green"),
    (255, "blue"),
    (300, "purple"),
    (345, "pink"),
    (361, "red"),
)


@dataclass(frozen=True, slots=True)
class Context:
    """What helps to read a reply: the author's name, the mail's subject, the stream's address."""

    author: str = ""
    subject: str = ""
    stream: str = ""


NOTHING = Context()


def segments(text: str, context: Context = NOTHING) -> tuple[Segment, ...]:
    """Segments that cover `text`, in order; neighbours differ in role. All is new when next to nothing would be."""
    lines = text.split("\n")
    return spans(lines, roles(lines, context)[0])


def spans(lines: Sequence[str], found: Sequence[SegmentRole]) -> tuple[Segment, ...]:
    """Roles of lines as segments of the text that the lines make, joined by LF."""
    out: list[Segment] = []
    start = position = 0
    total = sum(len(line) + 1 for line in lines) - 1
    for i, line in enumerate(lines):
        position += len(line) + 1
        if i + 1 == len(lines) or found[i + 1] != found[i]:
            end = min(position, total)
            if end > start:
                out.append(Segment(start, end, found[i]))
            start = end
    return tuple(out)


def new_text(text: str, found: Sequence[Segment]) -> str:
    """The author's words: new segments, one blank line between them; no other blank lines doubled."""
    parts = (text[s.start : s.end].strip("\n") for s in found if s.role is NEW)
    return re.sub(r"\n\s*\n+", "\n\n", "\n\n".join(part for part in parts if part.strip())).strip()


def roles(
    lines: Sequence[str], context: Context = NOTHING, tints: Sequence[str] = ()
) -> tuple[list[SegmentRole], bool]:
    """The role of each line, and whether anything was left after stripping; when not, every line is new.

    `tints`: each line's colour and weight where they are not the text's own, see `html.Line`.
    """
    for lenient in (False, True):
        found = _roles(lines, context, lenient)
        if any(tints):
            _take_coloured(lines, found, tints)
        _close_gaps(lines, found)
        if any(role is NEW and says_something(line) for line, role in zip(lines, found, strict=True)):
            return found, not lenient
    return [NEW] * len(lines), not any(says_something(line) for line in lines)


def answers(text: str, found: Sequence[Segment]) -> tuple[tuple[Segment, Segment | None], ...]:
    """Each new segment of `text`, in order, with the quoted passage right above that it answers, None without one.

    The passage is the last paragraph of the quote, as a span of `text`; "On … wrote:" is none.
    """
    out: list[tuple[Segment, Segment | None]] = []
    for above, segment in zip([None, *found], found, strict=False):
        if segment.role is NEW and text[segment.start : segment.end].strip():
            out.append((segment, _last_paragraph(text, above) if above and above.role is QUOTE else None))
    return tuple(out)


def _last_paragraph(text: str, quoted: Segment) -> Segment | None:
    lines = text[quoted.start : quoted.end].split("\n")
    starts = [quoted.start]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    end = len(lines)
    while end and not lines[end - 1].strip(" >|\t"):
        end -= 1
    first = end
    while first and lines[first - 1].strip(" >|\t"):
        first -= 1
    if first == end or any(quote.attribution(lines, i) for i in range(first, end)):
        return None
    return Segment(starts[first], starts[end - 1] + len(lines[end - 1]), QUOTE)


def says_something(line: str) -> bool:
    """Whether a line is more than punctuation."""
    return any(c.isalnum() or ord(c) > 0x2190 for c in line)  # a lone emoji says something, too


def _roles(lines: Sequence[str], context: Context, lenient: bool) -> list[SegmentRole]:
    """`lenient`: the author wrote nothing above the first quote, so what is not marked below it is read as theirs."""
    size = len(lines)
    found: list[SegmentRole | None] = [None] * size
    authors = {0: signoff.names(context.author)}  # line → who writes from there on
    written = False  # the author has said something above, more than a greeting or that they answer below
    below = False  # a marked line stands right above
    i = 0
    while i < size:
        marked, below = below, False
        if quote.is_marked(lines[i]) or quote.elided(lines, i):
            end, role, below = i + 1, QUOTE, True
        elif marked and (end := quote.torn(lines, i)):
            role = QUOTE
        elif end := quote.footer(lines, i):
            role = FOOTER
        elif end := quote.attribution(lines, i):
            role = QUOTE
            if indented := _indented(lines, end):
                end = indented
            elif not (quote.mark_follows(lines, end) or (not written and (lenient or _marked_later(lines, end)))):
                end = size
        elif block := quote.headers(lines, i):
            end, role = block.end, QUOTE
            if _is_forward(block, context) or (lenient and not written):
                authors[end] = signoff.names(block.fields.get("from", ""))
            elif written or not quote.mark_follows(lines, end):
                end = size
        else:
            written = written or _is_said(lines[i])
            i += 1
            continue
        found[i:end] = [role] * (end - i)
        i = end
    _sign_off(lines, found, authors)
    return [role or NEW for role in found]


def _take_coloured(lines: Sequence[str], found: list[SegmentRole], tints: Sequence[str]) -> None:
    """Make new what stands inside a quote in a colour (or in bold) of its own, when the author says so or nothing else.

    Where the author names a colour and some of it is in that, nothing else is theirs; people call many things red, and
    then any colour will do, but for that of the quoted signature. Most of a quote in one colour is the quote's own.
    """
    above = next((i for i, role in enumerate(found) if role is QUOTE), 0)
    said = _IN_COLOUR.search(" ".join(lines[:above])[:3000])
    if not said and any(r is NEW and says_something(line) for line, r in zip(lines, found, strict=True)):
        return
    quoted = [i for i, role in enumerate(found) if role is QUOTE and says_something(lines[i])]
    own = [i for i in quoted if tints[i] and not quote.headers(lines, i) and not quote.attribution(lines, i)]
    if any(tints[i] != "bold" for i in own):
        own = [i for i in own if tints[i] != "bold"]  # bold is for headings and header fields, then
    named = [i for i in own if said and _hue(tints[i]) == (said[1] or "").lower()]
    own = named or [i for i in own if i not in _signed(lines, found)]
    if len(own) * 2 < len(quoted):
        for i in own:
            found[i] = NEW


def _signed(lines: Sequence[str], found: Sequence[SegmentRole]) -> set[int]:
    """The lines within quotes that sign what is quoted, and what employers put below it."""
    out: set[int] = set()
    author: frozenset[str] = frozenset()
    start = 0
    for i in range(len(lines) + 1):
        block = quote.headers(lines, i) if i < len(lines) and found[i] is QUOTE else None
        if i == len(lines) or found[i] is not QUOTE or block:
            split = signoff.split(lines[start:i], author)
            out |= {start + j for j, role in enumerate(split) if role is not NEW and found[start + j] is QUOTE}
            author = signoff.names(block.fields.get("from", "")) if block else author
            start = max(start, block.end if block else i + 1)
    return out


def _hue(tint: str) -> str:
    """The name of a colour that mail programs offer: red, orange, green, blue, purple, pink; "" for others."""
    if match := _HEX.match(tint):
        digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
        red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    elif match := _RGB.match(tint):
        red, green, blue = (min(int(match[i]), 255) / 255 for i in (1, 2, 3))
    else:
        return tint.partition(" ")[0].removeprefix("dark").removeprefix("light")
    hue, light, strong = colorsys.rgb_to_hls(red, green, blue)
    if strong < 0.2 or not 0.1 < light < 0.95:
        return ""
    degrees = hue * 360
    return next(name for end, name in _HUES if degrees < end)


def _is_said(line: str) -> bool:
    return bool(line.strip()) and not (len(line) < 120 and (_GREETING.match(line) or _WITHIN.search(line)))


def _indented(lines: Sequence[str], i: int) -> int:
    """The end of a quote that is set in by spaces throughout, as Outlook for Mac does; 0 when none starts here."""
    end = 0
    while i < len(lines) and (not lines[i].strip() or lines[i].startswith("    ")):
        end = i + 1 if lines[i].strip() else end
        i += 1
    return end


def _marked_later(lines: Sequence[str], i: int) -> bool:
    """Whether marked lines come before the next quote begins: then the author answers between them."""
    while i < len(lines) and not quote.is_marked(lines[i]):
        if quote.attribution(lines, i) or quote.headers(lines, i):
            return False
        i += 1
    return i < len(lines)


def _is_forward(block: quote.Headers, context: Context) -> bool:
    """A forward brings something new unless the forwarded mail came through the stream itself."""
    if not (block.forward or _FORWARDED.match(context.subject)):
        return False
    recipients = f"{block.fields.get('to', '')} {block.fields.get('cc', '')}".lower()
    subject = block.fields.get("subject", "")
    if context.stream and context.stream in recipients:
        return False
    return not any(tag in subject for tag in _TAG.findall(context.subject))


def _sign_off(lines: Sequence[str], found: list[SegmentRole | None], authors: dict[int, frozenset[str]]) -> None:
    """Find banner, signature and disclaimer in each stretch that nobody else wrote."""
    i = 0
    opening = True  # nothing of the author's own has been seen yet
    author = authors[0]
    while i < len(lines):
        author = authors.get(i, author)
        if found[i] is not None:
            i += 1
            continue
        end = i + 1
        while end < len(lines) and found[end] is None and end not in authors:
            end += 1
        found[i:end] = signoff.split(lines[i:end], author, opening)
        opening = opening and all(role is not NEW or not lines[j].strip() for j, role in enumerate(found[i:end], i))
        i = end


def _close_gaps(lines: Sequence[str], found: list[SegmentRole]) -> None:
    """A blank line belongs to the text around it; between two roles, to the one that is not new."""
    i = 0
    while i < len(lines):
        if lines[i].strip():
            i += 1
            continue
        end = i
        while end < len(lines) and not lines[end].strip():
            end += 1
        before = found[i - 1] if i else (found[end] if end < len(lines) else NEW)
        after = found[end] if end < len(lines) else before
        found[i:end] = [after if before is NEW else before] * (end - i)
        i = end


def reflow(lines: Sequence[str], found: Sequence[SegmentRole]) -> list[tuple[int, int]]:
    """Which lines make one line: (first, last + 1) in order, soft wraps of the author's own paragraphs undone.

    A line break is soft when the next line's first word would not have fitted into the author's width (RFC 5322, 2.1.1:
    at most 78 characters). List items, tables, indented code and everything that is not new keep their breaks.
    """
    new = [len(line) for line, role in zip(lines, found, strict=True) if role is NEW and " " in line.strip()]
    width = max((size for size in new if size <= 100), default=0)
    out: list[tuple[int, int]] = []
    for i in range(len(lines)):
        if out and i and width >= 50 and _is_soft(lines, found, i, width):
            out[-1] = (out[-1][0], i + 1)
        else:
            out.append((i, i + 1))
    return out


def _is_soft(lines: Sequence[str], found: Sequence[SegmentRole], i: int, width: int) -> bool:
    """Whether the break before line `i` is soft."""
    above, below = lines[i - 1], lines[i]
    if quote.is_marked(above) or quote.is_marked(below):
        return False
    if found[i] is not NEW or found[i - 1] is not NEW or not above.strip() or not below.strip():
        return False
    if _ITEM.match(below) or " | " in above or " | " in below or "\t" in above or "\t" in below:
        return False
    if below.startswith("    ") or (below.startswith(" ") and not _ITEM.match(above) and not above.startswith(" ")):
        return False
    if len(above) > width:
        return False
    return len(above) + 1 + len(below.split(None, 1)[0]) > width
