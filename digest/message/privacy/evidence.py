"""Whose name a name is: signs in the words around it, each with a weight; what they add up to decides. Pure.

The weights are in the manner of log odds, set by hand and measured by `bench/identifiers`: nobody's mail was used to
fit them. Signs of one group say the same thing in several ways, so the strongest of them counts once.
"""

import re
from collections.abc import Sequence
from enum import Enum

from digest.message.privacy.context import AGE, GAP, STREET, WHO, WORD, Span, near
from digest.message.privacy.lexicon import CLINICAL, WORK
from digest.message.privacy.signs import AGAINST, FOR
from digest.words import low, stem


class Shape(Enum):
    """How a name is written, with how likely it is a patient's before anything else is known."""

    TITLED = 1.0  # Mrs Bloggs: few colleagues are called so, and recall comes first
    RECORDED = 0.0  # BLOGGS, Jo: as computers list people
    FULL = -1.6  # Jo Bloggs
    CAPITALS = -3.0  # JO BLOGGS
    ORDINARY = -5.0  # Cook Marsh: words of the language, too
    SINGLE = -3.5  # Jo
    INITIALS = -0.5  # J.B., and an age: looked at nowhere else
    PUBLIC = -2.0  # Sir Jo Bloggs


#: Somebody who was a nurse is a patient all the same.
_NOT_STAFF = re.compile(
    rf"{GAP}?[,(–—-]?{GAP}?(?:who{GAP})?(?:(?:is|was){GAP})?(?:an?{GAP}|the{GAP}|our{GAP})?(?:retired|former|ex-|{AGE}|\d\d,)",
    re.I,
)
_DIGIT = re.compile(r"\d")
#: "a 54 year old, Jo Bloggs", "67M Jo Bloggs".
_AGED = re.compile(
    rf"\b{AGE}(?:{GAP}[\w-]+){{0,2}}(?:,?{GAP}(?:called|named|is|was))?{GAP}?[,:(–—-]?{GAP}{{0,2}}$", re.I
)
_FICTION = re.compile(
    r"\b(?:imagin(?:e|ary)|suppose|fiction\w*|fictitious|made[- ]up|invented|hypothetical|pseudonym|so-called|"
    r"not (?:his|her|their|the patient['’]s) real name|names? (?:has|have) been changed|the typical patient)\b|"
    r"\b(?:joe|jo|fred|john|jane) (?:bloggs|doe)\b|"
    r"\b(?:test|dummy|example|sample|specimen|placeholder) (?:patient|record|name|entry)",
    re.I,
)
_ALONE = re.compile(r"[ \t]*(?:\n|$)")
_STREETS = re.compile(rf"{GAP}{STREET}(?!\w)")
_ON = re.compile(rf"\b(?:on|in|at|along|off|by|near|of){GAP}(?:the{GAP})?$")
#: Persons counted, to be told of one by one: "Three men this year. One, Jo Bloggs, …".
_ONE_OF = re.compile(
    rf"(?:^|[.;:!?–—,-][\s]{{0,2}}|\b(?:and|but|while){GAP})"
    rf"(?:one|another|a{GAP}(?:second|third|fourth|further)|(?:the{GAP}|my{GAP}|our{GAP})?"
    rf"(?:first|second|third|fourth|fifth|other|last|latest|next|youngest|oldest|eldest|worst|remaining))"
    rf"(?:{GAP}(?:one|was|is|being|of{GAP}(?:them|these|those|whom)))*[,:;(–—-]?{GAP}?$",
    re.I,
)
_COUNTED = re.compile(
    rf"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a{GAP}dozen|several|both|some|many|few|"
    rf"couple{GAP}of|pair{GAP}of|all|\d{{1,3}})(?:{GAP}[\w’'-]+){{0,3}}?{GAP}"
    rf"(?:(?P<theirs>patients|people|persons|men|women|ladies|gentlemen|chaps|lads|girls|boys|children|cases|referrals|"
    rf"kits|forms|letters|results|scans|deaths|diagnoses|cancers|of{GAP}(?:them|mine|ours|these|those)|families|smokers|"
    rf"misses|delays)|"
    rf"(?:colleagues|gps|doctors|nurses|practices|trusts|leads|members|consultants|speakers|surgeons|trainees|partners|"
    rf"registrars|pharmacists|radiologists|alliances|hospitals|volunteers|authors|papers|studies|sites|pcns|"
    rf"applicants|candidates|managers))\b",
    re.I,
)
_MEETING = re.compile(
    rf"\b(?:at|in|during|after){GAP}(?:the|our|a|last|this|yesterday[’']s|today[’']s|\w+day[’']s)"
    rf"(?:{GAP}[\w’'-]+){{0,2}}?{GAP}(?:conference|meeting|webinar|workshop|event|course|study{GAP}day|session|away{GAP}day|"
    rf"congress|agm)\b",
    re.I,
)
# These two are for text in lower case (`words.low`).
_ONE_PERSON = re.compile(rf"\b(?:{WHO}|dob|lives)\b")
_PRONOUN = re.compile(r"\b(?:she|he|her|hers|his|him)\b")
_SOMEBODY = re.compile(rf"\b(?:she|he|her|hers|his|him|{WHO})\b", re.I)


def signs(text: str, start: int, end: int, shape: Shape, marks: Sequence[Span] = ()) -> dict[str, float]:
    """The signs around a name and their weights, by group: a sum above nought speaks for a patient.

    Those against are looked for only where others speak for it. `marks`: numbers and dates that only patients have,
    found before.
    """
    ahead = text[max(0, start - 90) : start].rpartition("\n\n")[2]
    found = {"shape": shape.value, "told": _told(text, start, end)}
    for sign in FOR.behind:
        if sign.weight > found.get(sign.group, 0) and sign.goes_on.match(text, end, end + 120):
            found[sign.group] = sign.weight
    for sign in FOR.before(ahead):
        found[sign.group] = max(sign.weight, found.get(sign.group, 0))
    if _DIGIT.search(ahead) and _AGED.search(ahead):
        found["who"] = 5.0
    if ahead.endswith("Sister "):  # a nurse's title, or a nun's
        found.pop("who", None)
    if _ONE_OF.search(ahead):
        found["one of"] = _counted(text[max(0, start - 320) : start])
    if near(marks, start, end, 4, 4):
        found["mark"] = 5.0
    elif near(marks, start, end, 90, 90):
        found["mark"] = 1.5
    if shape is Shape.SINGLE:
        found.pop("entry", None)
        if found.keys().isdisjoint(_OF_ONE) and not _SOMEBODY.search(text, max(0, start - 120), end + 160):
            found["-nobody"] = -3.0
    if sum(found.values()) > 0:
        _against(found, text, start, end, ahead)
    return found


_OF_ONE = frozenset({"who", "kin", "relation", "record", "treated", "ours"})
_STRONG = frozenset({"record", "entry", "relation", "kin"})
#: What no sign of a patient outweighs: it is no person's name, or a correspondent's.
_SURE = frozenset({"thing", "mail", "heading", "place", "own"})


def _against(found: dict[str, float], text: str, start: int, end: int, ahead: str) -> None:
    strong = not found.keys().isdisjoint(_STRONG) or found.get("who", 0) >= 5
    retired = bool(_NOT_STAFF.match(text, end, end + 60))
    for sign in AGAINST.before(ahead):
        if not strong or sign.group in _SURE:
            found["-" + sign.group] = min(sign.weight, found.get("-" + sign.group, 0))
    for sign in AGAINST.behind:
        if (not (retired or strong) or sign.group in _SURE) and sign.goes_on.match(text, end, end + 120):
            found["-" + sign.group] = min(sign.weight, found.get("-" + sign.group, 0))
    if (
        "\n" in text
        and "ours" not in found
        and _ALONE.match(text, end)
        and not ahead.rpartition("\n")[2].strip("> |\t")
    ):
        found["-alone"] = -2.5
    if "-role" in found:  # whoever looks after patients is told and sent things, too
        found.pop("befell", None)
        found.pop("apposed", None)
    if _STREETS.search(text, start, end) and _ON.search(ahead):
        found["-street"] = -8.0
    if _MEETING.search(text, max(0, start - 90), end + 90):
        found["-meeting"] = -2.0
    if fictional(text, start, end):
        found["-fiction"] = -16.0


#: What shows somebody to be no patient wherever else they are named.
_OF_STAFF = frozenset({"-role", "-title", "-org", "-mail", "-heading", "-leads", "-letters"})


def of_staff(found: dict[str, float]) -> bool:
    """Whether the signs around a name make it a colleague's."""
    return not found.keys().isdisjoint(_OF_STAFF) and sum(found.values()) <= 0


def fictional(text: str, start: int, end: int) -> bool:
    """Whether the words around say that there is no such person."""
    return bool(_FICTION.search(text, max(0, start - 90), end + 90))


def _counted(before: str) -> float:
    """Who was counted last before one of them is named: patients, or staff."""
    last = None
    for last in _COUNTED.finditer(before):  # noqa: B007  (the last one counts)
        pass
    if last is None:
        return 0.5
    return 3.0 if last["theirs"] else -3.0


def _told(text: str, start: int, end: int) -> float:
    """What the words of the sentence, and of the one behind it where it goes on about the person, add up to."""
    before, ahead = low(text[max(0, start - 160) : start]), low(text[end : end + 220])
    before = before[max(before.rfind(stop) for stop in _STOPS) + 1 :]
    stops = [at for stop in _STOPS if (at := ahead.find(stop)) >= 0]
    behind = ahead[: min(stops, default=160)]
    said = {stem(word) for word in WORD.findall(f"{before} {behind}")}
    score = 0.6 * min(3, len(said & CLINICAL)) - 0.8 * min(2, len(said & WORK))
    if _ONE_PERSON.search(before) or _ONE_PERSON.search(behind):
        score += 0.8
    if _PRONOUN.search(ahead) and not CLINICAL.isdisjoint(stem(word) for word in WORD.findall(ahead)):
        score += 0.8
    return score


_STOPS = (". ", "? ", "! ", "\n\n", "\n>")
