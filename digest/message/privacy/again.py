"""Where words that were found once stand again, however they are spaced, wrapped, quoted or punctuated there."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

_BETWEEN = re.compile(r"[\W_]+")
_TOKEN = re.compile(r"[^\s<>\"]+")


def plain(words: str) -> str:
    """Letters and digits alone, so that spacing, dashes, line breaks and quote marks do not matter."""
    return _BETWEEN.sub("", words).lower()


def everywhere(text: str, wanted: Iterable[tuple[str, str]]) -> dict[tuple[int, int], str]:
    """The spans of `text` that say any of (words, type), whole words only: (start, end) → type. Linear in the text.

    A web address that says them in its own way, with "%20" for a blank (RFC 3986, 2.1), counts as a whole.
    """
    letters = plain(text)
    wanted = [(words, type) for words, type in wanted if plain(words)]
    found: dict[tuple[int, int], str] = {}
    for token in _TOKEN.finditer(text) if "%" in text else ():
        if "%" in token[0]:
            said = plain(unquote(token[0]))
            found |= {token.span(): type for words, type in wanted if plain(words) in said}
    present = [(words, type) for words, type in wanted if plain(words) in letters]
    if present:
        places = [at for at, one in enumerate(text) if one.isalnum() for _ in one.lower()]
        found |= {span: type for words, type in present for span in _spans(text, letters, places, words)}
    return found


def _spans(text: str, letters: str, places: list[int], words: str) -> Iterator[tuple[int, int]]:
    wanted = plain(words)
    at = letters.find(wanted)
    while at >= 0:
        start, end = places[at], places[at + len(wanted) - 1] + 1
        whole = not (start and text[start - 1].isalnum()) and not text[end : end + 1].isalnum()
        # What reaches much further than the words do, quote marks apart, is other sentences' letters.
        if whole and end - start <= 2 * len(words) + 24:
            yield start, end
        at = letters.find(wanted, at + 1)
