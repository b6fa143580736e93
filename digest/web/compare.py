"""Two versions of a collation beside each other: what was added, taken out and changed, in words."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from digest.nouns import Content, Evidence, Point

#: A message's id → how a page names its author.
Name = Callable[[int], str]

_TOKEN = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text: as it was, added or taken out."""

    text: str
    change: str = ""  # "", "added" or "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs, under its heading."""

    heading: str
    pieces: tuple[Piece, ...]


def changes(before: Content, after: Content, name: Name) -> list[Change]:
    """What differs between two versions, in reading order; an empty list when they say the same."""
    return [
        *_lists("The question", before.question, after.question),
        *_points(before, after, name),
        *_lists("What the asker did", before.outcome, after.outcome),
        *_lists("Still open", before.open, after.open),
        *_words("In the coordinator’s own words", before.note, after.note),
        *_words("Links and files", _lines(r.title for r in before.resources), _lines(r.title for r in after.resources)),
        *_words("Set aside", _people(before.set_aside, name), _people(after.set_aside, name)),
    ]


def _points(before: Content, after: Content, name: Name) -> Iterator[Change]:
    old = {p.id: (n, p) for n, p in enumerate(before.points, start=1)}
    kept = [p.id for p in after.points if p.id in old]
    for number, point in enumerate(after.points, start=1):
        if point.id not in old:
            yield Change(f"Point {number} is new", (Piece(_written(point, name), "added"),))
            continue
        place, was = old[point.id]
        yield from _words(f"Point {number}", _written(was, name), _written(point, name))
        if kept.index(point.id) != [i for i in old if i in kept].index(point.id):
            yield Change(f"Point {number} was point {place}", ())
    ids = {p.id for p in after.points}
    for id, (number, point) in old.items():
        if id not in ids:
            yield Change(f"Point {number} was taken out", (Piece(_written(point, name), "removed"),))


def _written(point: Point, name: Name) -> str:
    """A point in lines of text, so that one comparison shows every difference."""
    return _lines(
        (
            point.label + (" (the coordinator’s words)" if point.own else ""),
            *(f"“{' '.join(e.quote.split())}” {name(e.message)}" for e in point.evidence),
            *([f"Supported by {_people(point.supporters, name)}"] if point.supporters else []),
            *([f"Differs: {_people(point.opposers, name)}"] if point.opposers else []),
        )
    )


def _people(messages: Sequence[int], name: Name) -> str:
    return ", ".join(map(name, messages))


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def _lists(heading: str, before: Sequence[Evidence], after: Sequence[Evidence]) -> Iterator[Change]:
    yield from _words(heading, _lines(e.quote for e in before), _lines(e.quote for e in after))


def _words(heading: str, before: str, after: str) -> Iterator[Change]:
    """The words that differ; nothing when none do."""
    if before == after:
        return
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[Piece] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            pieces.append(Piece("".join(old[a:b])))
            continue
        if b > a:
            pieces.append(Piece("".join(old[a:b]), "removed"))
        if d > c:
            pieces.append(Piece("".join(new[c:d]), "added"))
    yield Change(heading, tuple(pieces))
