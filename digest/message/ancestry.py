"""What a reply's stored ancestors tell about its text: what is their words in it, and what stands between them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from digest.message import boilerplate, quote, reply
from digest.nouns import Segment, SegmentRole

NEW, QUOTE = SegmentRole.NEW, SegmentRole.QUOTE
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = 20  # a line with as many is not in two mails by chance
_RUN = 4  # words


def known(text: str, found: Sequence[Segment], ancestors: Iterable[str], parent: bool = True) -> tuple[Segment, ...]:
    """The segments of `text`, by what the texts of its `ancestors` hold; `parent`: the mail it answers is among them.

    A line that stands there is a quote, however it looks; one that does not, between two of a quote that do, is new,
    unless it may be the parent's.

    A line stands there when all its runs of four words do: a quote may have been broken into other lines. It needs 20
    letters, or lies between lines that have them: "Yes, we do." is said by many. All stays when nothing would be left.
    """
    lines = text.split("\n")
    before = _roles_of(lines, found)
    phrases = [_phrases(ancestor) for ancestor in ancestors]
    after = list(before)
    if phrases and parent:
        _answers_within(lines, before, after, phrases)
    gap: list[int] = []  # short lines that stand there, below one that became a quote
    quoting = False
    for i, line in enumerate(lines):
        words = _words(line) if before[i] is NEW else []
        long = sum(map(len, words)) >= _LETTERS
        if not line.strip():
            gap.append(i)
        elif not words or not (long or quoting) or not _all_in(words, phrases):
            quoting, gap = False, []
        elif not long:
            gap.append(i)
        else:
            if quoting:
                for j in gap:
                    after[j] = QUOTE
            after[i], quoting, gap = QUOTE, True, []
    if after == before:
        return tuple(found)
    if not any(role is NEW and reply.says_something(line) for line, role in zip(lines, after, strict=True)):
        return tuple(found)
    return reply.spans(lines, after)


def _answers_within(
    lines: Sequence[str], before: Sequence[SegmentRole], after: list[SegmentRole], phrases: Sequence["_Phrases"]
) -> None:
    """Make new what was written into a quote without a mark: lines no ancestor has, between two that one has.

    Only where a quote is otherwise the ancestors': else it is somebody else's mail, or they were stored in other words.
    """
    i = 0
    while i < len(lines):
        end = i
        while end < len(lines) and before[end] is QUOTE:
            end += 1
        filled = {k: w for k in range(i, end) if not quote.is_marked(lines[k]) and (w := _words(lines[k]))}
        long = {k for k, words in filled.items() if sum(map(len, words)) >= _LETTERS}
        stand = {k for k in long if _all_in(filled[k], phrases)}
        if len(stand) * 2 > len(long) > 0:
            stand |= {k for k in filled.keys() - long if _all_in(filled[k], phrases)}
            first, last = min(stand), max(stand)
            for k, words in filled.items():
                foreign = not _any_in(words, phrases) if k in long else k not in stand
                if foreign and first < k < last and not _belongs(lines, k):
                    after[k] = NEW
        i = max(end, i + 1)


def _belongs(lines: Sequence[str], i: int) -> bool:
    """Whether a program put the line into the quote: a field, an introduction, a banner, a disclaimer, a footer."""
    line = lines[i]
    return (
        bool(re.match(r"^\s*[*_]{0,2}[^\W\d_][\w -]{0,20}[*_]{0,2}\s?:", line) or "@" in line)
        or bool(quote.attribution(lines, i) or quote.footer(lines, i))
        or boilerplate.is_disclaimer(line)
        or boilerplate.is_banner(line)
    )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


class _Phrases:
    """The runs of up to four words that a text has; those of fewer are looked for seldom, and made then."""

    def __init__(self, text: str) -> None:
        self._said = _words(text)
        self._runs: dict[int, frozenset[tuple[str, ...]]] = {}

    def of(self, size: int) -> frozenset[tuple[str, ...]]:
        if size not in self._runs:
            self._runs[size] = frozenset(zip(*(self._said[i:] for i in range(size)), strict=False))
        return self._runs[size]


@lru_cache(maxsize=256)  # the mails of a thread have the same ancestors
def _phrases(text: str) -> _Phrases:
    return _Phrases(text)


def _runs(words: list[str], phrases: Sequence[_Phrases]) -> Iterator[bool]:
    """For each run of four words (or of all, if there are fewer), in order: whether a text has it."""
    size = min(_RUN, len(words))
    known = [one.of(size) for one in phrases]
    return (any(run in one for one in known) for run in zip(*(words[i:] for i in range(size)), strict=False))


def _all_in(words: list[str], phrases: Sequence[_Phrases]) -> bool:
    return all(_runs(words, phrases))


def _any_in(words: list[str], phrases: Sequence[_Phrases]) -> bool:
    return any(_runs(words, phrases))


def _roles_of(lines: Sequence[str], found: Sequence[Segment]) -> list[SegmentRole]:
    """The role of each line; segments begin and end with lines."""
    out: list[SegmentRole] = []
    position = at = 0
    for line in lines:
        while at + 1 < len(found) and found[at].end <= position:
            at += 1
        out.append(found[at].role if found else NEW)
        position += len(line) + 1
    return out
