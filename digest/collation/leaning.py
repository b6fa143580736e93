"""How a whole reply stands, also where it never says so: a small linear model behind the grammar of `stance`. Pure.

Most people differ without a word of differing ("ours filled up with people who had no form"). What such words lean
towards is learnt from invented replies, by `bench/train_leaning.py`; `leaning.json` holds the weights with their data,
licence and figures. Where a reply says outright how it stands, the grammar decides, for it is right more often.
"""

import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from operator import itemgetter

from digest.collation.stance import cues, sentence_spans, stance
from digest.nouns import Stance

SIDES = (Stance.AGREE, Stance.DISAGREE, Stance.MIXED, Stance.INFO, Stance.NONE)
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d[\d.,]*|[?!%£+]")
_LONGEST = 3  # words that are looked at together
#: What the words of a reply come to together: as much as a few cues, however long it is.
_WORDS = 2.0
_CUE = 0.7
_MOST_WORDS = 60  # a longer reply is simply long
_MOST_NUMBERS = 4
#: Natural logarithm of odds. In a real stream more of what has no plain cue is news than among the invented replies,
#: which were written to take sides; and a side that is wrongly shown costs more trust than one that is not.
_NEWS = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Something seen in a reply: how much of it (0 to about 1), and where; nowhere when it is of the whole."""

    value: float
    start: int = 0
    end: int = 0


@lru_cache(maxsize=1024)
def leaning(new: str, proposed: bool = True) -> tuple[Stance, str]:
    """The stance of a reply's whole new text and the words that show it, verbatim ("" for `info` and `none`).

    `proposed`: whether what was asked takes yes or no (see `stance`).
    """
    side, cue = stance(new, proposed)
    if side is not Stance.INFO:
        return side, cue
    seen = features(new, proposed)
    weights = product_weights()
    side = decided({name: one.value for name, one in seen.items()}, weights)
    if side in (Stance.INFO, Stance.NONE):
        return side, ""
    shown = _shows(new, seen, weights, SIDES.index(side))
    return (side, shown) if shown else (Stance.INFO, "")


def decided(seen: Mapping[str, float], weights: Mapping[str, Sequence[float]]) -> Stance:
    """Which of `SIDES` what can be seen leans to; `info` unless another is surer by `_NEWS`."""
    sums = [_NEWS if side is Stance.INFO else 0.0 for side in SIDES]
    for name, value in seen.items():
        for place, weight in enumerate(weights.get(name, ())):
            sums[place] += weight * value
    return SIDES[max(range(len(SIDES)), key=sums.__getitem__)]


@cache
def product_weights() -> Mapping[str, Sequence[float]]:
    """The weights that the service was delivered with: what can be seen → its weight for each of `SIDES`."""
    stored = json.loads(resources.files("digest.collation").joinpath("leaning.json").read_text(encoding="utf-8"))
    weights: dict[str, list[float]] = stored["weights"]
    return weights


def features(new: str, proposed: bool = True) -> dict[str, Seen]:
    """What can be seen of a reply: runs of up to three words, those of its first sentence again, the grammar's cues."""
    plain = new.replace("’", "'")
    spans = sentence_spans(plain)
    runs: dict[str, Seen] = {}
    for place, (start, end) in enumerate(spans):
        tokens = [("^", start, start), *_tokens(plain, start, end), ("$", end, end)]
        for length in range(1, _LONGEST + 1):
            for at in range(len(tokens) - length + 1):
                run = tokens[at : at + length]
                name = " ".join(token for token, _, _ in run)
                if name in ("^", "$"):
                    continue
                runs.setdefault(name, Seen(0.0, run[0][1], run[-1][2]))
                if not place and length < _LONGEST:
                    runs.setdefault(f"first: {name}", Seen(0.0, run[0][1], run[-1][2]))
    share = _WORDS / math.sqrt(len(runs) or 1)
    seen = {name: Seen(share, one.start, one.end) for name, one in runs.items()}
    for cue in cues(plain, spans):
        seen.setdefault(f"cue: {cue.cue}", Seen(_CUE, cue.start, cue.end))
    seen["all"] = Seen(1.0)
    seen["asks"] = Seen(sum(plain[a:b].rstrip().endswith("?") for a, b in spans) / (len(spans) or 1))
    seen["one sentence"] = Seen(float(len(spans) == 1))
    seen["words"] = Seen(min(1.0, len(plain.split()) / _MOST_WORDS))
    seen["numbers"] = Seen(min(1.0, len(re.findall(r"\d+", plain)) / _MOST_NUMBERS))
    seen["nothing proposed"] = Seen(float(not proposed))
    return seen


def _tokens(plain: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """(word, where): numbers are all the same, and so are names, that nobody's name may weigh anything."""
    found: list[tuple[str, int, int]] = []
    for hit in _TOKEN.finditer(plain, start, end):
        word = hit[0]
        if word[0].isdigit():
            word = "#"
        elif found and word[0].isupper() and not word.isupper() and not word.startswith("I'"):
            word = "N"
        else:
            word = word.lower()
        found.append((word, hit.start(), hit.end()))
    return found


def _shows(new: str, seen: Mapping[str, Seen], weights: Mapping[str, Sequence[float]], place: int) -> str:
    """The sentence that leans most towards a side: no word of it shows that alone."""
    leans: dict[tuple[int, int], float] = {}
    spans = sentence_spans(new.replace("’", "'"))
    for name, one in seen.items():
        if one.end > one.start and (weight := weights.get(name)):
            span = spans[bisect_right(spans, one.start, key=itemgetter(0)) - 1]
            leans[span] = leans.get(span, 0.0) + one.value * (weight[place] - sum(weight) / len(weight))
    start, end = max(leans, key=leans.__getitem__, default=(0, 0))
    return new[start:end].strip()
