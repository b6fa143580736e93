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


def _families(text: str) -> dict[str, re.Pattern[str]]:
    """Each `[family]` of the grammar as one pattern."""
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
    return {
        # The families of cues are whole words; the others say themselves where they end.
        name: re.compile(_WHOLE % "|".join(ways) if " " in name else "|".join(ways), re.IGNORECASE)
        for name, ways in families.items()
    }


_WHOLE = r"(?<![\w'])(?:%s)(?!\w)"
_FAMILY = _families(Path(__file__).with_name("cues.txt").read_text(encoding="utf-8"))

OPENING = [(Cue(name.split()[0]), pattern) for name, pattern in _FAMILY.items() if name.endswith(" opening")]
ANYWHERE = [(Cue(name.split()[0]), pattern) for name, pattern in _FAMILY.items() if name.endswith(" anywhere")]
ANYWHERE.append((Cue.AGREES, _FAMILY["plus_one"]))
LEAD = _FAMILY["lead"]
YES, WE_DO, NO, WE_DO_NOT = (_FAMILY[name] for name in ("yes", "we_do", "no", "we_do_not"))
TAKES_BACK, CONTRAST = _FAMILY["takes_back"], _FAMILY["contrast"]
NEGATIVE, NOT, NOT_FAR = _FAMILY["negative"], _FAMILY["not"], _FAMILY["not_far"]
ASKS_ALONG, NOTHING_HERE, MANNERS = _FAMILY["asks_along"], _FAMILY["nothing_here"], _FAMILY["manners"]
