"""The signs around a name (`signs.txt`), ready to be looked for. Pure.

Before a name the words are looked up one by one, so that most of what stands there costs a look into a dictionary.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digest.message.privacy.context import AGE, GAP, RECORD, STREET


@dataclass(frozen=True, slots=True)
class Sign:
    """What is said, as the group of things that mean the same; what it weighs; and how it goes on."""

    group: str
    weight: float
    goes_on: re.Pattern[str]


@dataclass(frozen=True)
class Signs:
    """The signs for a name's being a patient's, or those against it."""

    words: dict[str, list[Sign]]  # before a name, by the word they begin with
    line: list[Sign]  # the line up to a name
    behind: list[Sign]

    def before(self, ahead: str) -> Iterator[Sign]:
        """The signs in the words `ahead` of a name."""
        for word in _WORD.finditer(ahead):
            said = word[0].lower()
            if said.endswith(_OLOGISTS):
                said = "-ologist"
            for sign in self.words.get(said, ()):
                if sign.goes_on.fullmatch(ahead, word.end()):
                    yield sign
        at = ahead.rfind("\n") + 1
        if len(ahead) - at < _LINE and (at or len(ahead) < _LINE):
            for sign in self.line:
                if sign.goes_on.fullmatch(ahead, at):
                    yield sign


_LINE = 40  # characters at most in a line that is a sign
_OLOGISTS = ("ologist", "ologists")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_PART = re.compile(r"\{([A-Z_]+)\}")
_CLASS_OR_BLANK = re.compile(r"\[(?:[^\]\\]|\\.)*\]| ")


def _pattern(text: str, parts: dict[str, str]) -> str:
    """A pattern with its parts put in: lists of words become alternatives, blanks any blank."""

    def fill(match: re.Match[str]) -> str:
        part = parts[match[1]]
        if match[1] in _LISTS:
            return f"(?:{'|'.join(sorted(map(re.escape, part.split()), key=len, reverse=True))})"
        return _pattern(part, parts) if match[1] not in _OURS else part

    return _PART.sub(fill, text)


_GOES_ON = "\0"  # between a line and the indented one below it
_LISTS = {"KIN", "WHO", "TEST", "CASE", "ROLE", "ORG"}
_OURS = {"AGE": AGE, "RECORD": RECORD, "STREET": STREET}


def _blanks(pattern: str) -> str:
    return _CLASS_OR_BLANK.sub(lambda m: GAP if m[0] == " " else m[0], pattern)


def _words(text: str, parts: dict[str, str]) -> Iterator[str]:
    for word in text.split():
        if part := _PART.match(word):
            for one in parts[part[1]].split():
                yield one
                if word.endswith("s"):
                    yield f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
        else:
            yield word


def _joined(signs: list[Sign]) -> list[Sign]:
    """One pattern for those of the same group and weight, which is quicker to try."""
    ways: dict[tuple[str, float], list[str]] = {}
    for sign in signs:
        ways.setdefault((sign.group, sign.weight), []).append(sign.goes_on.pattern)
    return [Sign(*same, re.compile("|".join(f"(?:{way})" for way in each), re.I)) for same, each in ways.items()]


def _read() -> tuple[Signs, Signs]:
    parts, section = dict(_OURS), ""
    signs = {kind: Signs({}, [], []) for kind in ("", "not ")}
    text = Path(__file__).with_name("signs.txt").read_text("utf-8")
    for line in re.sub(r"\n {4}", _GOES_ON, text).splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section = line[1:-1]
        elif not section:
            name, _, value = line.partition(" = ")
            parts[name] = value.replace(_GOES_ON, " " if name in _LISTS else "")
        else:
            _add(signs["not " if section.startswith("not ") else ""], section.removeprefix("not "), line, parts)
    for each in signs.values():
        each.behind[:] = _joined(each.behind)
    return signs[""], signs["not "]


def _add(signs: Signs, section: str, line: str, parts: dict[str, str]) -> None:
    head, _, rest = line.partition(" | ")
    group, weight = head.split()
    words = ""
    if section == "before":
        words, _, rest = rest.partition("|")
    rest = rest.replace(_GOES_ON, "")
    if section != "behind":
        rest = rest.rstrip() + " {0,2}"
    sign = Sign(group, float(weight), re.compile(_blanks(_pattern(rest, parts)), re.I))
    if section == "before":
        for word in dict.fromkeys(_words(words.replace(_GOES_ON, " "), parts)):
            signs.words.setdefault(word, []).append(sign)
        if "{ROLE}" in words:
            signs.words.setdefault("-ologist", []).append(sign)
    else:
        (signs.line if section == "line" else signs.behind).append(sign)


FOR, AGAINST = _read()
