"""Whether a word is an ordinary English one, or else somebody's or something's name: by SCOWL's list."""

from functools import cache
from pathlib import Path

_WORDS = Path(__file__).parent / "vendor/english-words.txt"  # put there when the package is built


@cache
def _words() -> frozenset[str]:
    try:
        return frozenset(_WORDS.read_text(encoding="utf-8").split("\n"))
    except FileNotFoundError:
        message = (
            f"{_WORDS} is missing. Install the package again, its build fetches it: without it names are not told."
        )
        raise RuntimeError(message) from None


def is_word(word: str) -> bool:
    """Whether dictionaries have this lower-case word. Names of people are in none, but for "mark" and the like."""
    return word in _words()
