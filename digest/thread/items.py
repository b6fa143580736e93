"""An answer to the digest, taken apart: which stretch of its new text answers which of the digest's items. Pure.

A stretch says itself what it answers (by a token, an item's number or its title), or stands below the item that it
quotes, or has words that only one item has. What shows none of these is nobody's, and a person is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest.nouns import Segment, SegmentRole
from digest.thread import similar
from digest.words import content

BY_TOKEN = "answers the digest; it names the token of this thread"  # noqa: S105 - a reason, no secret
BY_NUMBER = "answers the digest; it names the number of this thread’s item"
BY_TITLE = "answers the digest; it names this thread’s title"
BY_PLACE = "answers the digest; it stands below what it quotes of this thread"
BY_WORDS = "answers the digest; its words are closest to this thread’s question"

_TOKEN = re.compile(r"\[T(\d{1,9})\]", re.IGNORECASE)
_LINE = re.compile(r"\S.*")
_MARKS = re.compile(r"^[>|\s]+")
_BARE = re.compile(r"\(?(\d{1,2})\s*[.):]\s*(?=\S)")
_NAMED = re.compile(
    r"(?:(?:re|on|for|to|regarding|as for|ad)\b[\s:]*)?"
    r"(?:(?:item|question|query|number|topic|thread|point)\s*(?:no\b\.?|number)?|q|no\.|nr\.|#)\s*#?(\d{1,2})\b",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^\W*(?:(?:item|question|q)\s*)?(\d{1,2})\s*[.):]\s", re.IGNORECASE)
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
# "The second of these", "your third item": not "the first thing I would do".
_ORDINAL = re.compile(
    rf"(?:(?:re|on|for|to|regarding|as for)\b[\s:]*)?(?:the |your )?({'|'.join(_ORDINALS)}|last)\s+"
    r"(?:of (?:these|those|them|the (?:\w+ )?(?:items|questions|queries|topics|threads))\b|"
    r"(?:item|question|query|topic|thread|one)\b(?! (?:is|was|i|we|to|would|for|about)\b))",
    re.IGNORECASE,
)
_MOST_OF = 0.6  # a title's words that a line must have to be that title
_ALIKE = 0.2  # how near an item must be to words that decide for it
_CLEAR = 0.6  # how near the second best may come, as a share of the best, for words to decide
_GREETING = 5  # words
_CHANCE = 6  # words; a longer line that stands in a question is no accident
_BELOW = 3  # lines below an item's number within which its question stands
_BULLETS = "-*•·–◦"
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_LEAD = 80  # characters at the start of a stretch in which it may name what it answers


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the digest. `id`: the message that began its thread, `question`: what that said, `asker`: its author.

    `thread`: what `[T14]` numbers. `said`: what others said in the thread, which decides only where nothing else does.
    """

    id: int
    thread: int
    title: str
    question: str = ""
    asker: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A stretch of the new text. `item`: the id of what it answers; None: nobody can tell."""

    start: int
    end: int
    item: int | None
    reason: str = ""


def take_apart(text: str, segments: Sequence[Segment], items: Sequence[Item], digest: str = "") -> list[Answer]:
    """The stretches of the new text in order, neighbours with different items.

    `items`: what the digest may have held. `digest`: its text, where it is stored.
    """
    numbers, printed = _numbers(digest or _quoted(text, segments), items)
    if printed:  # what it did not print, nobody answers
        items = [item for item in items if item.id in numbers.values()]
    found: list[Answer] = []
    above: int | None = None  # the item that the quote has come to
    seen: set[int] = set()  # items quoted so far
    blocks = _blocks(text, segments)
    for at, (segment, new) in enumerate(blocks):
        if not new:
            for item in _headings(text[segment.start : segment.end].split("\n"), items).values():
                above = item
                seen.add(item)
            continue
        below = any(not n and _headings(text[s.start : s.end].split("\n"), items) for s, n in blocks[at + 1 :])
        inline = below or any(n and earlier.start > 0 and found for earlier, n in blocks[:at])
        placed = above if above is not None and (inline or len(seen) == 1) else None
        found += _segment(text, segment, items, numbers, printed, placed)
    return _settled(text, found, items)


def _blocks(text: str, segments: Sequence[Segment]) -> list[tuple[Segment, bool]]:
    """New segments with words in them, and quotes, in order."""
    return [
        (segment, segment.role is SegmentRole.NEW)
        for segment in segments
        if segment.role is SegmentRole.QUOTE
        or (segment.role is SegmentRole.NEW and text[segment.start : segment.end].strip())
    ]


def _quoted(text: str, segments: Sequence[Segment]) -> str:
    return "\n".join(text[s.start : s.end] for s in segments if s.role is SegmentRole.QUOTE)


# --- the digest's items ------------------------------------------------------------------------------------------


def _headings(lines: Sequence[str], items: Sequence[Item]) -> dict[int, int]:
    """Line number → the item that the line is the title or the question of."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines):
        plain = _MARKS.sub("", line)
        if not plain.strip():
            continue
        item = _titled(plain, items)
        if item is None and _HEADING.match(plain):  # "1. Prehab: how early? (Dr Jo Bloggs, Kent). Should we …"
            item = _titled(_HEADING.sub("", plain).partition(" (")[0], items)
        if item is not None:
            found[number] = item.id
    return found


def _titled(line: str, items: Sequence[Item]) -> Item | None:
    """The item whose title or question a line is; None when it is none's, or might be several's."""
    words = set(content(line))
    best: list[tuple[float, Item]] = []
    for item in items:
        title = set(content(item.title))
        shared = words & title
        whole = len(shared) >= _MOST_OF * len(title) and 3 * len(shared) >= len(words)
        if title and whole and (len(shared) > 1 or shared == words):
            best.append((len(shared) / len(title) + len(shared) / len(words), item))
        elif item.question and len(line.split()) > _CHANCE and _same(line, item.question):
            best.append((2.0, item))
    best.sort(key=lambda one: -one[0])
    if not best or (len(best) > 1 and best[0][0] == best[1][0]):
        return None
    return best[0][1]


def _same(line: str, question: str) -> bool:
    return " ".join(line.split()).casefold() in " ".join(question.split()).casefold()


def _numbers(digest: str, items: Sequence[Item]) -> tuple[dict[int, int], bool]:
    """Number → item: as the digest printed them (then True), else by their order in it."""
    lines = digest.split("\n")
    headings = _headings(lines, items)
    printed: dict[int, int] = {}
    above: tuple[int, int] | None = None  # a number, and the line it stands on: the coordinator's own words follow it
    for at, line in enumerate(lines):
        match = _HEADING.match(_MARKS.sub("", line))
        if match:
            above = int(match[1]), at
        if at in headings and above is not None and at - above[1] <= _BELOW:
            printed.setdefault(above[0], headings[at])
            above = None
    for number, paragraph in _paragraphs(lines):
        if number not in printed and (item := _told(paragraph, items)) is not None:
            printed[number] = item
    return printed or dict(enumerate(dict.fromkeys(headings.values()), start=1)), bool(printed)


def _paragraphs(lines: Sequence[str]) -> list[tuple[int, str]]:
    """The digest's numbered paragraphs, their wrapped lines joined."""
    found: list[tuple[int, list[str]]] = []
    goes_on = False
    for line in lines:
        plain = _MARKS.sub("", line).strip()
        if match := _HEADING.match(f"{plain} "):
            found.append((int(match[1]), [plain[match.end() :]]))
            goes_on = True
        elif goes_on and plain and plain[0] not in _BULLETS:
            found[-1][1].append(plain)
        elif plain:
            goes_on = False
    return [(number, " ".join(said)) for number, said in found]


def _told(paragraph: str, items: Sequence[Item]) -> int | None:
    """The item that a digest's paragraph tells: by a sentence of its question, its asker's name, or words."""
    whole = [
        item.id
        for item in items
        if any(len(one.split()) > _CHANCE and _same(one, paragraph) for one in _SENTENCE.split(item.question))
    ]
    if len(whole) == 1:
        return whole[0]
    words = set(content(paragraph))
    named = [item for item in items if (name := set(content(item.asker))) and name <= words]
    if len(named) == 1 and words & set(content(f"{named[0].title} {named[0].question}")) - set(content(named[0].asker)):
        return named[0].id
    return _closest(paragraph, named or items)


# --- what a stretch says of itself -------------------------------------------------------------------------------


def _segment(
    text: str, segment: Segment, items: Sequence[Item], numbers: dict[int, int], printed: bool, placed: int | None
) -> list[Answer]:
    """A new segment, cut where a line names another item than the one before (lines are paragraphs, unwrapped)."""
    found: list[Answer] = []
    item, reason = placed, BY_PLACE if placed is not None else ""
    lines = [(m.start(), m[0].rstrip()) for m in _LINE.finditer(text, segment.start, segment.end)]
    bare = _bare([line for _, line in lines], items, numbers, printed)
    for start, said in lines:
        end = start + len(said)
        named = _named(said, items, numbers, bare)
        if named is not None:
            item, reason = named
        if found and found[-1].item == item:
            found[-1] = Answer(found[-1].start, end, item, found[-1].reason)
        else:
            found.append(Answer(start, end, item, reason))
    return found


def _bare(lines: Sequence[str], items: Sequence[Item], numbers: dict[int, int], printed: bool) -> bool:
    """Whether numbers at the start of lines are the digest's, and not those of a list of the author's own.

    A list counts from one. So does an answer to the first items, but then no line has another item's words, and one at
    least has its own item's where the digest itself has no numbers (`printed`).
    """
    found = [(int(match[1]), line) for line in lines if (match := _BARE.match(line))]
    if not all(number in numbers for number, _ in found):
        return False
    if [number for number, _ in found] != list(range(1, len(found) + 1)) or len(found) == 1:
        return True
    if printed:
        return all(_closest(line, items) in (numbers[number], None) for number, line in found)
    closest = [(numbers[number], _closest(line, items)) for number, line in found]
    return any(own == other for own, other in closest) and all(other in (own, None) for own, other in closest)


def _named(paragraph: str, items: Sequence[Item], numbers: dict[int, int], bare: bool) -> tuple[int, str] | None:
    """What a paragraph says that it answers; `bare`: a number alone may say it."""
    for token in _TOKEN.finditer(paragraph):
        for item in items:
            if item.thread == int(token[1]):
                return item.id, BY_TOKEN
    if numbers and (ordinal := _ORDINAL.match(paragraph)):
        said = ordinal[1].lower()
        number = max(numbers) if said == "last" else _ORDINALS.index(said) + 1
        if number in numbers:
            return numbers[number], BY_NUMBER
    named = _NAMED.match(paragraph) or (_BARE.match(paragraph) if bare else None)
    if named and int(named[1]) in numbers:
        return numbers[int(named[1])], BY_NUMBER
    head = re.split(r"[:–—]| - ", paragraph[:_LEAD], maxsplit=1)[0]
    if len(head) < min(len(paragraph), _LEAD) and (item_ := _titled(head, items)) is not None:
        return item_.id, BY_TITLE
    return None


def _settled(text: str, found: Sequence[Answer], items: Sequence[Item]) -> list[Answer]:
    """Words decide where nothing else did; a greeting or a thank-you goes with the stretch beside it."""
    by_words = [
        _by_words(text, answer, items) if answer.item is None and _says(text, answer) else answer for answer in found
    ]
    out: list[Answer] = []
    for at, answer in enumerate(by_words):
        if answer.item is None and not _says(text, answer):
            after = next((other for other in by_words[at + 1 :] if other.item is not None), None)
            beside = after or next((other for other in reversed(out) if other.item is not None), None)
            if beside is not None:
                answer = Answer(answer.start, answer.end, beside.item, beside.reason)
        if out and out[-1].item == answer.item:
            out[-1] = Answer(out[-1].start, answer.end, answer.item, out[-1].reason)
        else:
            out.append(answer)
    return out


def _says(text: str, answer: Answer) -> bool:
    """Whether a stretch says anything: "Hello Ruth," and "Thanks for this" do not."""
    said = text[answer.start : answer.end].strip()
    greets = said.endswith(",") and len(said.split()) <= _GREETING
    return not greets and bool(content(said))


def _by_words(text: str, answer: Answer, items: Sequence[Item]) -> Answer:
    words = text[answer.start : answer.end]
    item = _closest(words, items)
    if item is None and any(one.said for one in items):
        item = _closest(words, [replace(one, question=f"{one.question}\n{one.said}") for one in items])
    return answer if item is None else Answer(answer.start, answer.end, item, BY_WORDS)


def _closest(words: str, items: Sequence[Item]) -> int | None:
    """The item that words are about; None where none is, or the second is nearly as close."""
    ranked = similar.scores(words, [(item.id, f"{item.title}. {item.question}") for item in items])
    if not ranked or ranked[0][0] < _ALIKE or (len(ranked) > 1 and ranked[1][0] > _CLEAR * ranked[0][0]):
        return None
    return ranked[0][1]
