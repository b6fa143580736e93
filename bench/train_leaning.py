"""`python -m bench.train_leaning`: fit the weights of `digest.collation.leaning` and say how good they are.

Trained on is bench/stances.txt: replies invented for this, each under the proposal it answers (a line that begins with
"?"), behind its label. The fit is softmax regression, held near nothing by `RIDGE`. Its figures are those of replies to
proposals it was not trained on: every proposal is left out once, in `FOLDS` turns.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from digest.collation.leaning import SIDES, decided, features
from digest.collation.questions import proposes
from digest.collation.stance import stance
from digest.nouns import Stance

DATA = Path(__file__).with_name("stances.txt")
WEIGHTS = Path(__file__).parents[1] / "digest/collation/leaning.json"
RIDGE = 1.0
FOLDS = 5
STEPS, RATE = 200, 0.05
#: What was seen in fewer replies, or weighs less, is left out: it tells nothing, and the file stays small.
SEEN, LEAST = 2, 0.2
DIGITS = 2

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the data; `proposal` counts from 0."""

    proposal: int
    proposed: bool
    side: Stance
    text: str


def main() -> None:
    data = DATA.read_text(encoding="utf-8")
    replies = read(data)
    seen = [{name: one.value for name, one in features(r.text, r.proposed).items()} for r in track(replies, "Reading…")]
    leans = [stance(r.text, r.proposed)[0] for r in replies]
    guessed: list[Stance] = list(leans)
    for fold in track(range(FOLDS), "Judging…"):
        inside = [i for i, r in enumerate(replies) if r.proposal % FOLDS != fold]
        weights = fitted([seen[i] for i in inside], [replies[i].side for i in inside])
        for i, reply in enumerate(replies):
            if reply.proposal % FOLDS == fold and leans[i] is Stance.INFO:
                guessed[i] = decided(seen[i], weights)
    weights = fitted(seen, [reply.side for reply in replies])
    stored = {
        "what": "weights of digest.collation.leaning: what can be seen of a reply → its weight for " + ", ".join(SIDES),
        "made by": "python -m bench.train_leaning",
        "data": {"bench/stances.txt": "MIT, as this project", "sha256": fingerprint(data)},
        "replies": dict(Counter(reply.side.value for reply in replies)),
        "figures, each proposal left out of what reads its replies": {
            "the grammar alone": scores(replies, leans),
            "with these weights": scores(replies, guessed),
        },
    }
    head = json.dumps(stored, ensure_ascii=False, indent=1).removesuffix("\n}")
    rows = ",\n".join(f"  {json.dumps(k, ensure_ascii=False)}: {json.dumps(v)}" for k, v in sorted(weights.items()))
    WEIGHTS.write_text(f'{head},\n "weights": {{\n{rows}\n }}\n}}\n', encoding="utf-8")
    print(json.dumps(stored["figures, each proposal left out of what reads its replies"], indent=1))


def fingerprint(data: str) -> str:
    return hashlib.sha256(data.encode()).hexdigest()


def read(data: str) -> list[Reply]:
    """The replies of the data. Raises ValueError where a label is none."""
    replies: list[Reply] = []
    proposal, asked = -1, ""
    for line in data.splitlines():
        if line.startswith("? "):
            proposal, asked = proposal + 1, line[2:]
        elif "\t" in line:
            label, _, text = line.partition("\t")
            replies.append(Reply(proposal, proposes(asked), Stance(label), text))
    return replies


def fitted(seen: Sequence[dict[str, float]], sides: Sequence[Stance]) -> dict[str, list[float]]:
    """What can be seen → its weight for each of `SIDES`, by Adam over all replies at once."""
    counts = Counter(name for one in seen for name in one)
    place = {name: i for i, name in enumerate(sorted(name for name, n in counts.items() if n >= SEEN))}
    rows, columns, values = (
        np.array(found)
        for found in zip(
            *(
                (row, place[name], value)
                for row, one in enumerate(seen)
                for name, value in one.items()
                if name in place
            ),
            strict=True,
        )
    )
    y = np.eye(len(SIDES))[[SIDES.index(side) for side in sides]]
    w, mean, square = (np.zeros((len(place), len(SIDES))) for _ in range(3))
    for step in range(1, STEPS + 1):
        off = _shares(_summed(rows, w[columns] * values[:, None], len(seen))) - y
        slope = _summed(columns, off[rows] * values[:, None], len(place)) / len(seen) + RIDGE / len(seen) * w
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        w = w - RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return {
        name: [round(float(value), DIGITS) for value in w[i]]
        for name, i in place.items()
        if np.abs(w[i]).max() >= LEAST
    }


def _summed(places: NDArray[np.int64], values: Matrix, size: int) -> Matrix:
    """Sparse sums: `values`, a row each, added up by the place that each belongs to."""
    return np.stack([np.bincount(places, weights=column, minlength=size) for column in values.T], axis=1)


def _shares(sums: Matrix) -> Matrix:
    grown = np.exp(sums - sums.max(axis=1, keepdims=True))
    shares: Matrix = grown / grown.sum(axis=1, keepdims=True)
    return shares


def scores(replies: Sequence[Reply], guessed: Sequence[Stance]) -> dict[str, float]:
    """The F1 of each stance, and their mean."""
    found: dict[str, float] = {}
    for side in SIDES:
        both = sum(r.side is side is g for r, g in zip(replies, guessed, strict=True))
        either = sum((r.side is side) + (g is side) for r, g in zip(replies, guessed, strict=True))
        found[side.value] = round(2 * both / either, 3) if either else 0.0
    return found | {"mean": round(sum(found.values()) / len(found), 3)}


if __name__ == "__main__":
    main()
