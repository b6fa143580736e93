"""The grammar of agreeing, differing and making conditions (`cues.txt`), ready to be matched. Pure.

Its families are put together from who speaks, how strongly, and what of, not from whole phrases; how they weigh against
each other is `stance`'s affair.
"""

import re
from enum import StrEnum
from pathlib import Path


class Cue(StrEnum):
    """What a stretch of words does. The names are those of the families in the grammar."""

    AGREES = "agrees"
    DIFFERS = "differs"
    DOUBTS = "doubts"  # differs, unless the reply has agreed: then it speaks of something else
    BOTH = "both"  # of two minds, whatever else is said
    CONDITION = "condition"  # of two minds where its sentence welcomes something
    WELCOMES = "welcomes"
    PRAISES = "praises"  # is content with what is done here: agrees where that was proposed
    OTHERWISE = "otherwise"  # does it another way: differs where this one was proposed


def _families(text: str) -> dict[str, list[str]]:
    """Each `[family]` of the grammar: its ways of saying it, as regular expressions."""
    parts: dict[str, str] = {}
    families: dict[str, list[str]] = {}
    family = ""
    for line in re.sub(r"\n[ ]+", "", text).splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            family = line[1:-1]
            continue
        filled = re.sub(r"\{([A-Z]+)\}", lambda part: parts[part[1]], line)
        if family:
            families.setdefault(family, []).append(filled)
        else:
            name, _, pattern = filled.partition(" = ")
            parts[name] = pattern
    return families


class Way:
    """The ways of one family: a pattern of whole words, and whether it is looked for in the text in small letters.

    `re` tries alternatives twice as fast when it need not think of capitals, so only those with somebody's name do.
    """

    def __init__(self, cue: Cue, ways: list[str], small: bool) -> None:
        self.cue, self.small = cue, small
        self.pattern = re.compile(_WHOLE % "|".join(ways), 0 if small else re.IGNORECASE)


_WHOLE = r"(?<![\w'])(?:%s)(?!\w)"
_CAPITALS = "(?-i:"


def _ways(place: str) -> list[Way]:
    found = []
    for name, ways in _FAMILY.items():
        if name.endswith(f" {place}"):
            cue = Cue(name.split()[0])
            named = [way for way in ways if _CAPITALS in way]
            found += [Way(cue, [way for way in ways if way not in named], small=True)]
            found += [Way(cue, named, small=False)] if named else []
    return found


def _one(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_FAMILY[name]), re.IGNORECASE)


_FAMILY = _families(Path(__file__).with_name("cues.txt").read_text(encoding="utf-8"))

OPENING, ANYWHERE = _ways("opening"), _ways("anywhere")
PLUS_ONE, LEAD = _one("plus_one"), _one("lead")
YES, WE_DO, NO, WE_DO_NOT = _one("yes"), _one("we_do"), _one("no"), _one("we_do_not")
TAKES_BACK, CONTRAST = _one("takes_back"), _one("contrast")
NEGATIVE, NOT, NOT_FAR = _one("negative"), _one("not"), _one("not_far")
ASKS_ALONG, NOTHING_HERE, MANNERS = _one("asks_along"), _one("nothing_here"), _one("manners")
