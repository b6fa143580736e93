"""Words that carry meaning: lower-cased, common words left out, English endings taken off. Pure."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:[-/.][0-9]+)*")

# Besides the language's own, the words that every mail among GPs has.
_COMMON_WORDS = """
    a about above after again all almost already also although always am an and another any anybody anyone anything are
    around as at back be because been before being below between both but by can could dear did do does doing done down
    during each either else enough even ever every everyone everybody few find first for from further get gets getting
    give given go goes going good got had has have having he hello help her here hers hi him his how however i if in
    into is it its just keep kind know known last lot made make many may maybe me mine might more morning most much
    must my need needs neither never new next no nobody non none nor not nothing now of off often ok on once one only
    onto or other others our ours out over own people per perhaps please put quite rather really regards right said
    same say see seem seems send sent shall she should since so some somebody someone something soon still such sure
    take tell than thank thanks that the their theirs them themselves then there these they thing things think this
    those though through to together too try two under until up upon us use used using very want was way we well were
    what when where whether which while who whom whose why will wish with within without would yes yet you your yours
    don doesn didn isn aren wasn weren won can't couldn shouldn wouldn haven hasn hadn ll ve re d s t m
    gp gps nhs
    """
_COMMON = frozenset(_COMMON_WORDS.split())

_ENDINGS = (
    ("ically", "ic"), ("ations", "at"), ("ation", "at"), ("ements", ""), ("ement", ""), ("ments", ""), ("ment", ""),
    ("nesses", ""), ("ness", ""), ("ingly", ""), ("edly", ""), ("ities", "iti"), ("ity", "iti"), ("sses", "ss"),
    ("ies", "i"), ("ied", "i"), ("ing", ""), ("als", ""), ("al", ""), ("ers", ""), ("ed", ""), ("er", ""),
    ("ly", ""), ("es", ""), ("s", ""), ("e", ""), ("y", "i"),
)  # fmt: skip

_SHY = ("er", "ers", "al", "als")  # these are often part of the word itself: refer, trial


@lru_cache(maxsize=65536)  # a community says the same words again and again
def stem(word: str) -> str:
    """The word without its English ending, so that "referrals", "referred" and "referring" meet. Short words stay."""
    if len(word) < 4 or not word.isalpha() or word.endswith(("ss", "us", "is")):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= (4 if ending in _SHY else 3):
            base = word[: len(word) - len(ending)] + instead
            # referr(ed) → refer, but bill(ed) stays as it is
            return base[:-1] if len(base) > 4 and base[-1] == base[-2] and base[-1] not in "lsz" else base
    return word


def low(text: str) -> str:
    """The text in lower case, every character at its place (some are two in lower case, and stay).

    A pattern in lower case over this text finds what one that ignores case finds, several times as fast: Python's
    looks at the first letter of each alternative only when case counts.
    """
    found = text.lower()
    return found if len(found) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def common(word: str) -> bool:
    """Whether a lower-cased word stands in every mail and so says nothing of what one is about."""
    return word in _COMMON


def content(text: str) -> list[str]:
    """The stems of the words that say what `text` is about, in order, with repetitions."""
    return list(_content(text))


@lru_cache(maxsize=8192)  # of a thread being drafted or shown, the same sentences are asked about again and again
def _content(text: str) -> tuple[str, ...]:
    return tuple(stem(word) for word in _WORD.findall(text.lower().replace("\u2019", "'")) if word not in _COMMON)
