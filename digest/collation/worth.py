"""How much each sentence of a thread is worth in its collation: a linear model over what can be seen of it. Pure.

Trained on threads whose summaries people tied to the sentences they rest on; `bench/train_worth.py` says how, and
`worth.json` holds the weights with their data, licence and figures. The structure of a conversation beats centrality:
what is early, new, near the question, concrete or taken up by others is what a coordinator picks.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from digest.collation import Contribution
from digest.collation.headings import Likeness, dot
from digest.collation.sentences import Sentence, split
from digest.collation.stance import only_sides, stance, thanks
from digest.nouns import SegmentRole, Stance
from digest.words import content as stems

_WORD = re.compile(r"[^\W_]+(?:['’.,/-][^\W_]+)*")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_NUMBER = re.compile(  # but not a year
    r"(?!\b(?:19|20)\d\d\b)\b\d|£|%|\b(?:half|third|quarter|two|three|four|five|six|seven|eight|nine|ten|dozen)s?\b",
    re.IGNORECASE,
)
_WE = re.compile(r"\b(?:we|our|ours|us)\b", re.IGNORECASE)
_I = re.compile(r"\b(?:I|my|me|mine)\b")
_YOU = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)
_ADVICE = re.compile(
    r"\b(?:should|suggest\w*|recommend\w*|propos\w+|try|need to|have to|must|would|could|worth|best|better"
    r"|prefer\w*)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(?:if|unless|provided|only|because|since|so that|as long as|otherwise)\b", re.IGNORECASE)
_OPINION = re.compile(
    r"\bI(?:'m| am|'d| would|'ve| have)? ?(?:\w+ )?(?:think|believe|feel|guess|suspect|doubt|hope)\b", re.I
)
_HANDING_OVER = re.compile(
    r"\b(?:attach\w*|enclos\w+|forward(?:ing|ed)|copy|link|here is|here are|happy to|put you in touch|apolog\w+|sorry"
    r"|ps|let me know|look(?:ing)? forward|good luck|hope (?:this|that))\b",
    re.IGNORECASE,
)
_LEANS = re.compile(r"\W*(?:it|that|this|they|these|those|he|she|so|and|but|then|also|not|or)\b", re.IGNORECASE)
_NAMED = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]+")


@lru_cache(maxsize=4096)  # every step of a draft asks about the same sentences, and so does the next draft
def words(text: str) -> int:
    """How many words a person would count; links are none."""
    return len(_WORD.findall(_LINK.sub(" ", text)))


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a message and its worth: about the share of people who would keep it."""

    message: int
    sentence: Sentence
    worth: float


def lines(contributions: Sequence[Contribution], weights: Mapping[str, float] | None = None) -> list[Line]:
    """Every sentence of a thread with its worth, in reading order. `weights`: others than the product's own."""
    weights = product_weights() if weights is None else weights
    return [
        Line(message, sentence, sum(weights.get(name, 0.0) * value for name, value in found.items()))
        for message, sentence, found in features(contributions)
    ]


@cache
def product_weights() -> Mapping[str, float]:
    """The weights that the service was delivered with: a feature's name → its weight."""
    stored = json.loads(resources.files("digest.collation").joinpath("worth.json").read_text(encoding="utf-8"))
    weights: dict[str, float] = stored["weights"]
    return weights


def features(contributions: Sequence[Contribution]) -> list[tuple[int, Sentence, dict[str, float]]]:
    """(message, sentence, what can be seen of it: name → 0 to about 1), in reading order."""
    said = [split(one.text, one.segments) for one in contributions]
    bags = [[frozenset(stems(s.text)) for s in sentences] for sentences in said]
    like = Likeness(s.text for sentences in said for s in sentences)
    vectors = [[like.vector(s.text) for s in sentences] for sentences in said]
    middle = _middle(vectors)
    taken_up = [_quoted(one) for one in contributions]
    asked: frozenset[str] = frozenset().union(*bags[0]) if bags else frozenset()
    talk = min(1.0, sum(map(len, said)) / max(1, len(said)) / _LONG_TALK)
    earlier: set[str] = set()
    out: list[tuple[int, Sentence, dict[str, float]]] = []
    for place, one in enumerate(contributions):
        own = frozenset[str]().union(*bags[place])
        later = [frozenset[str]().union(*bag) for bag in bags[place + 1 :]]
        within: set[str] = set()
        for at, sentence in enumerate(said[place]):
            bag = bags[place][at]
            size = len(bag) or 1
            found = _seen(sentence.text) | {
                "opening message": float(place == 0),
                "last message": float(place == len(contributions) - 1),
                "place of message": place / max(1, len(contributions) - 1),
                "first sentence": float(at == 0),
                "second sentence": float(at == 1),
                "early": 1 / (1 + 0.5 * at),
                "last sentence": float(at == len(said[place]) - 1 and at > 0),
                "place of sentence": at / max(1, len(said[place]) - 1),
                "only sentence": float(len(said[place]) == 1),
                "long message": math.log(len(said[place])) / 4,
                "new to the thread": len(bag - earlier) / size if place else 1.0,
                "new in the message": len(bag - within) / size,
                "near the question": len(bag & asked) / size if place else 0.0,
                "near the middle": dot(vectors[place][at], middle),
                "repeated later": sum(len(bag & other) / size for other in later) / max(1, len(later)),
                "quoted later": float(any(sentence.text.strip() in text for text in taken_up[place + 1 :])),
                "under a quote": float(_under_quote(one, sentence)),
                "first in opening": float(place == 0 and at == 0),
                "early in opening": float(place == 0) / (1 + 0.5 * at),
            }
            talked = {"long talk": talk} | {f"{name} in long talk": talk * found[name] for name in _IN_LONG_TALK}
            out.append((one.message, sentence, found | _beyond(found) | _together(found) | talked))
            within |= bag
        earlier |= own
    return out


# What counts differently when there is more of it: a feature, and from where on its surplus counts by itself.
_KNOTS = {
    "length": (0.4, 0.55, 0.7),
    "new to the thread": (0.3, 0.6, 0.8),
    "near the middle": (0.1, 0.25),
    "near the question": (0.15, 0.4),
}


def _beyond(found: Mapping[str, float]) -> dict[str, float]:
    return {f"{name} beyond {knot}": max(0.0, found[name] - knot) for name, knots in _KNOTS.items() for knot in knots}


# What counts more, or less, together than each by itself.
_PAIRS = (
    ("early", "new to the thread"),
    ("early", "length"),
    ("early", "long message"),
    ("length", "long message"),
)


# Where people write at length, another sentence of theirs is the one that counts than in a few lines from a phone.
_LONG_TALK = 8  # sentences a message, on average
_IN_LONG_TALK = (
    "early",
    "early in opening",
    "first sentence",
    "second sentence",
    "length",
    "up to 20 words",
    "new to the thread",
    "near the middle",
    "question",
    "agrees",
    "condition",
    "figures",
    "I",
)


def _together(found: Mapping[str, float]) -> dict[str, float]:
    return {f"{one} and {other}": found[one] * found[other] for one, other in _PAIRS}


@lru_cache(maxsize=4096)
def _seen(text: str) -> dict[str, float]:
    """What can be seen of a sentence by itself; not to be written into."""
    length = words(text)
    side, _ = stance(text)
    return {
        "bias": 1.0,
        "length": math.log(1 + length) / 4,
        "short": max(0, 6 - length) / 6,
        "up to 20 words": min(length, 20) / 20,
        "over 35 words": max(0, length - 35) / 35,
        "question": float(text.rstrip(")\"'”’ ").endswith("?")),
        "thanks": float(thanks(text)),
        "agrees": float(side is Stance.AGREE),
        "differs": float(side in (Stance.DISAGREE, Stance.MIXED)),
        "only takes sides": float(only_sides(text)),
        "figures": float(bool(_NUMBER.search(text))),
        "we": float(bool(_WE.search(text))),
        "I": float(bool(_I.search(text))),
        "you": float(bool(_YOU.search(text))),
        "advice": float(bool(_ADVICE.search(text))),
        "condition": float(bool(_CONDITION.search(text))),
        "opinion": float(bool(_OPINION.search(text))),
        "hands over": float(bool(_HANDING_OVER.search(text))),
        "leans": float(bool(_LEANS.match(text))),
        "link": float(bool(_LINK.search(text))),
        "colon": float(text.endswith(":")),
        "names": min(3, len(_NAMED.findall(text))) / 3,
        "letters": sum(c.isalpha() or c.isspace() for c in text) / (len(text) or 1),
    }


def _middle(vectors: Sequence[Sequence[Mapping[str, float]]]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for vector in (v for message in vectors for v in message):
        total.update(vector)
    length = math.sqrt(sum(w * w for w in total.values())) or 1.0
    return {stem: weight / length for stem, weight in total.items()}


def _quoted(one: Contribution) -> str:
    """What a message quotes of others while answering between the lines; "" when it quotes whole mails."""
    quotes = [one.text[s.start : s.end] for s in one.segments if s.role is SegmentRole.QUOTE]
    text = re.sub(r"(?m)^[>\s]+", "", "\n".join(quotes))
    return " ".join(text.split()) if len(text.split()) <= 120 else ""


def _under_quote(one: Contribution, sentence: Sentence) -> bool:
    """Whether a sentence is the first beneath a quoted passage: an answer to that very line."""
    for before, after in zip(one.segments, one.segments[1:], strict=False):
        if after.role is SegmentRole.NEW and after.start <= sentence.start < after.end:
            return before.role is SegmentRole.QUOTE and not one.text[after.start : sentence.start].strip()
    return False
