"""Asked before: earlier threads that ask the same thing. Pure and offline: BM25 over stemmed words.

A question's score is the share of its own weight that an earlier thread answers for, so that one threshold serves
short questions and long ones.
"""

import math
from collections import Counter
from collections.abc import Sequence

from digest.thread.words import content

# Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009): the usual constants.
_K1 = 1.2
_B = 0.75
#: The share of the question's weight that must be found again, and by how many different words.
_ENOUGH = 0.2
_WORDS = 2


def related(question: str, earlier: Sequence[tuple[int, str]], limit: int = 3) -> list[int]:
    """The ids of the earlier threads that ask what `question` asks, best first, at most `limit`.

    `earlier` holds (thread id, its title and question). Threads that merely share a word do not appear.
    """
    asked = set(content(question))
    bags = [(thread, Counter(content(text))) for thread, text in earlier]
    if not asked or not bags:
        return []
    average = sum(bag.total() for _, bag in bags) / len(bags) or 1.0
    weight = {word: _rarity(sum(word in bag for _, bag in bags), len(bags)) for word in asked}
    # A word that no earlier thread has cannot tell them apart, but a question full of such words is a new question.
    whole = sum(weight.values())
    scored = []
    for thread, bag in bags:
        shared = asked & bag.keys()
        damp = _K1 * (1 - _B + _B * bag.total() / average)
        score = sum(weight[word] * bag[word] * (_K1 + 1) / (bag[word] + damp) for word in shared) / whole
        if len(shared) >= _WORDS and score >= _ENOUGH:
            scored.append((-score, thread))
    return [thread for _, thread in sorted(scored)[:limit]]


def _rarity(holders: int, threads: int) -> float:
    return math.log(1 + (threads - holders + 0.5) / (holders + 0.5))
