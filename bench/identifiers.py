"""`bench/identifiers`: how many patient identifiers of a labelled set are found, by type, and what is found wrongly.

The set is `tests/message/identifiers/*.txt`: a case a line, `[[type|text]]` around each identifier, a line break as
`\\n`. A span counts as found when hits cover all its letters and digits: half a name shown is a name shown. A hit
that touches no labelled span is a false alarm. The last line is one JSON object.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from digest.message.privacy import Known, identifiers
from digest.nouns import Place

SET = Path(__file__).parent.parent / "tests" / "message" / "identifiers"
LABEL = re.compile(r"\[\[(\w+)\|(.*?)\]\]", re.S)
#: The members of the community whose mail this could be.
MEMBERS = Known.of(
    [
        "Dr Helen Marsh",
        "Sunil Patel",
        "Bronwen Ellis",
        "Tom Adeyemi",
        "Jean-Luc Moreau",
        "Siobhan O'Rourke",
        "Mark Young",
        "Rosa White",
        "Grace Long",
    ],
    ["helen.marsh@surgery.example.org", "stream@lists.example.org"],
)


@dataclass(frozen=True)
class Case:
    """A text and the identifiers in it: (type, start, end)."""

    text: str
    gold: tuple[tuple[str, int, int], ...]


@dataclass
class Score:
    """What was found: by type, and the texts of what was missed or found wrongly."""

    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    other_type: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found.total() / (self.wanted.total() or 1)

    @property
    def precision(self) -> float:
        return self.found.total() / ((self.found + self.alarms).total() or 1)


def cases(path: Path) -> list[Case]:
    """The labelled texts of a file; lines that start with "#" are headings."""
    return [_case(line) for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def _case(line: str) -> Case:
    line = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), line.replace("\\n", "\n"))
    text, gold, at = "", [], 0
    for label in LABEL.finditer(line):
        text += line[at : label.start()]
        gold.append((label[1], len(text), len(text) + len(label[2])))
        text, at = text + label[2], label.end()
    return Case(text + line[at:], tuple(gold))


def score(found_in: list[Case], known: Known = MEMBERS) -> Score:
    """What the gate finds in these texts, against what it should find."""
    out = Score()
    for case in found_in:
        hits = identifiers(case.text, Place.BODY, known)
        covered = {at for hit in hits for at in range(hit.start, hit.end)}
        for kind, start, end in case.gold:
            out.wanted[kind] += 1
            if all(at in covered or not case.text[at].isalnum() for at in range(start, end)):
                out.found[kind] += 1
                out.other_type += not any(h.type == kind and h.start < end and start < h.end for h in hits)
            else:
                out.missed.append(f"{kind} {case.text[start:end]!r} in {case.text!r}")
        for hit in hits:
            if not any(hit.start < end and start < hit.end for _, start, end in case.gold):
                out.alarms[hit.type] += 1
                out.wrong.append(f"{hit.type} {hit.text!r} in {case.text!r}")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*", default=sorted(SET.glob("*.txt")))
    parser.add_argument("--misses", action="store_true", help="print what was missed and what was found wrongly")
    parser.add_argument("--part", choices=("odd", "even"), help="every second case only")
    args = parser.parse_args()
    picked = slice({"odd": 0, "even": 1, None: 0}[args.part], None, 2 if args.part else 1)
    chosen = [case for path in args.files for case in cases(path)[picked]]
    if not chosen:
        sys.exit("There is no labelled case in these files.")
    began = time.perf_counter()
    result = score(chosen)
    seconds = time.perf_counter() - began
    if args.misses:
        print(*(f"missed: {m}" for m in result.missed), *(f"wrong: {w}" for w in result.wrong), sep="\n")
    for kind in sorted(result.wanted | result.alarms):
        print(
            f"{kind:16} {result.found[kind]:4} of {result.wanted[kind]:4} found, {result.alarms[kind]:3} false alarms"
        )
    print(
        json.dumps(
            {
                "cases": len(chosen),
                "recall": round(result.recall, 4),
                "precision": round(result.precision, 4),
                "other_type": result.other_type,
                "seconds": round(seconds, 3),
            }
        )
    )


if __name__ == "__main__":
    main()
