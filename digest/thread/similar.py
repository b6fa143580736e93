"""Asked before: earlier threads that ask the same thing. Pure and offline: BM25 over stemmed words.

A question's score is the share of its own weight that an earlier thread answers for, so that one threshold serves
short questions and long ones.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from digest.words import content

# Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009): the usual constants.
_K1 = 1.2
_B = 0.75
# The share of the question's weight that must be found again, and by how many different words.
_ENOUGH = 0.22
_WORDS = 2
# Abbreviations (CA125, FIT, PSA) name the topic in medicine, so each counts for so many ordinary words.
_ABBREVIATION = re.compile(r"\b(?=[A-Z0-9]*[A-Z])[A-Z0-9]{2,}s?\b")
_ABBREVIATED = 2.0


def related(question: str, earlier: Sequence[tuple[int, str]], limit: int = 3) -> list[int]:
    """The ids of the earlier threads that ask what `question` asks, best first, at most `limit`.

    `question` is a thread's title and question; `earlier` holds (thread id, title, question and, where there are any,
    the labels of its points). Threads that merely share a word do not appear.
    """
    return [thread for _, thread in scores(question, earlier)[:limit]]


def scores(question: str, earlier: Sequence[tuple[int, str]]) -> list[tuple[float, int]]:
    """What `related` goes by: (score, id) of the threads that ask the same, best first."""
    asked = set(content(question))
    bags = [(thread, Counter(content(text))) for thread, text in earlier]
    if not asked or not bags:
        return []
    average = sum(bag.total() for _, bag in bags) / len(bags) or 1.0
    names = set(content(" ".join(_ABBREVIATION.findall(question))))
    weight = {
        word: _rarity(sum(word in bag for _, bag in bags), len(bags)) * (_ABBREVIATED if word in names else 1.0)
        for word in asked
    }
    # Words that no earlier thread has count in the whole: a question full of them is a new question.
    whole = sum(weight.values())
    scored = []
    for thread, bag in bags:
        shared = asked & bag.keys()
        damp = _K1 * (1 - _B + _B * bag.total() / average)
        score = sum(weight[word] * bag[word] * (_K1 + 1) / (bag[word] + damp) for word in shared) / whole
        if len(shared) >= _WORDS and score >= _ENOUGH:
            scored.append((-score, thread))
    return [(-score, thread) for score, thread in sorted(scored)]


def _rarity(holders: int, threads: int) -> float:
    return math.log(1 + (threads - holders + 0.5) / (holders + 0.5))
