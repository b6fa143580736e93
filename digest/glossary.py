"""What general practice calls by several names: the abbreviation, the long form, the everyday word. Pure.

`glossary.txt` lists them, one thing a line: "2WW", "USC" and "two-week wait" meet, and so do "haemoptysis" and
"coughing up blood".
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from digest.words import common, stem

#: Stands before a thing's name among terms, so that the thing "bowel" is not the word "bowel".
THING = "="

_WORD = re.compile(r"[^\W_]+")
# "FIT", "CXRs", "A&G": counts only in capitals, because "fit" and "des" are ordinary words as well.
_CAPITALS = re.compile(r"[A-Z0-9][A-Z0-9&+]*s?")


def _read() -> tuple[dict[tuple[str, ...], str], int]:
    """Words → the plainest name of what they are a name of, and how many words the longest name has."""
    names: dict[tuple[str, ...], str] = {}
    for line in (Path(__file__).parent / "glossary.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            several = [name.strip() for name in line.split(",")]
            for name in several:
                words = _WORD.findall(name)
                as_written = _CAPITALS.fullmatch(name) and not name.isdigit()
                key = tuple(words) if as_written else tuple(stem(word.lower()) for word in words)
                names.setdefault(key, several[0])
    return names, max(map(len, names))


_NAMES, _LONGEST = _read()


def _found(text: str) -> Iterator[tuple[int, int, str | None]]:
    """The words of a text in order, as (start, end, the thing they name or None); the longest name wins."""
    words = list(_WORD.finditer(text))
    written = [word[0] for word in words]
    stems = [stem(word.lower()) for word in written]
    at = 0
    while at < len(words):
        for count in range(min(_LONGEST, len(words) - at), 0, -1):
            thing = _NAMES.get(tuple(written[at : at + count])) or _NAMES.get(tuple(stems[at : at + count]))
            if thing is not None:
                yield words[at].start(), words[at + count - 1].end(), thing
                at += count
                break
        else:
            yield words[at].start(), words[at].end(), None
            at += 1


def terms(text: str) -> list[str]:
    """What a text is about, in order: stems of its words, and things, each followed by the stems of its name."""
    found = []
    for start, end, thing in _found(text):
        if thing is not None:
            found += [THING + thing, *_stems(thing)]
        else:
            found += _stems(text[start:end])
    return found


@lru_cache(maxsize=65536)
def _stems(words: str) -> tuple[str, ...]:
    """The stems of words that carry meaning; a lone letter carries none."""
    return tuple(
        stem(word) for word in _WORD.findall(words.lower()) if not common(word) and (len(word) > 1 or word.isdigit())
    )


def named(thing: str) -> tuple[str, ...]:
    """The stems that `terms` puts behind a thing."""
    return _stems(thing.removeprefix(THING))


def plainly(text: str) -> str:
    """The text with every thing called by its plainest name, for a reader who does not know the abbreviations."""
    out, done = [], 0
    for start, end, thing in _found(text):
        if thing is not None:
            out += [text[done:start], thing]
            done = end
    return "".join([*out, text[done:]])
