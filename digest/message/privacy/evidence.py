"""Whose name a name is: signs in the words around it, each with a weight; what they add up to decides. Pure.

The weights are in the manner of log odds, set by hand and measured by `bench/identifiers`: nobody's mail was used to
fit them. Signs of one group say the same thing in several ways, so the strongest of them counts once.
"""

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from digest.message.privacy.context import AGE, GAP, STREET, WHO_WORDS, WORD, Span, near
from digest.message.privacy.lexicon import CLINICAL, WORK
from digest.message.privacy.signs import AGAINST, FOR
from digest.words import stem


class Shape(Enum):
    """How a name is written, with how likely it is a patient's before anything else is known."""

    TITLED = 1.3  # Mrs Bloggs: few colleagues are called so, and recall comes first
    RECORDED = 0.0  # BLOGGS, Jo: as computers list people
    FULL = -1.9  # Jo Bloggs
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
    r"\b(?:imagin(?:e|ary)|suppose|fiction\w*|fictitious|made[- ](?:\w+ )?up|invented|hypothetical|pseudonym|so-called|"
    r"not (?:his|her|their|the patient['’]s) real name|names? (?:has|have) been changed|the typical patient)\b|"
    r"\b(?:joe|jo|fred|john|jane) (?:bloggs|doe)\b|\brole[- ]?play|\btest test\b|"
    r"\b(?:test|dummy|example|sample|specimen|placeholder) (?:patient|record|name|entry)",
    re.I,
)
_BEHIND_NAME = re.compile(rf"[A-Z][\w’'-]+{GAP}\($")
_ADJECTIVE = re.compile(rf"{GAP}[a-z]")
_SENTENCE = re.compile(
    r"^$|[.?!\n]\s*$|,\s?$|\b(?:that|taken|you|this|there|agreed|well|one|point|said|done|spotted)\s$", re.I
)
_ALONE = re.compile(r"[ \t]*(?:\n|$)")
_STREETS = re.compile(rf"{GAP}{STREET}(?!\w)")
_THE = re.compile(rf"\bthe{GAP}$", re.I)
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


@lru_cache(maxsize=65536)
def _clinical(word: str) -> bool:
    return stem(word) in CLINICAL


@lru_cache(maxsize=65536)
def _of_work(word: str) -> bool:
    return stem(word) in WORK


def talk(text: str) -> float:
    """How much a text as a whole speaks as one does of patients: illness, and somebody who is he or she."""
    words = set(WORD.findall(text.lower()))
    score = 0.3 * min(3, sum(map(_clinical, words))) + (0.5 if not words.isdisjoint(_PRONOUNS) else 0)
    return score or (0.1 if not words.isdisjoint(_OF_PATIENTS) else 0)


_OF_PATIENTS = WHO_WORDS | {
    *("patients", "ours", "mine", "surname", "letter", "consent", "complaint", "kit", "sample", "case", "initials"),
    *("mrn", "gp", "hospital", "clinic", "nurse", "referral", "parents", "family", "told", "waited"),
}
_PRONOUNS = frozenset({"she", "he", "her", "hers", "his", "him"})


def signs(
    text: str, start: int, end: int, shape: Shape, marks: Sequence[Span] = (), talk: float = 0
) -> dict[str, float]:
    """The signs around a name and their weights, by group: a sum above nought speaks for a patient.

    Those against are looked for only where others speak for it. `marks`: numbers and dates that only patients have,
    found before. `talk`: see there, of the whole text.
    """
    ahead = text[max(0, start - 90) : start].rpartition("\n\n")[2]
    around = _Around(text, start, end)
    found = {"shape": shape.value, "talk": talk, "told": around.told()}
    for sign in FOR.behind:
        if sign.weight > found.get(sign.group, 0) and sign.goes_on.match(text, end, end + 120):
            found[sign.group] = sign.weight
    for sign in FOR.before(ahead):
        found[sign.group] = max(sign.weight, found.get(sign.group, 0))
    if _DIGIT.search(ahead) and _AGED.search(ahead):
        found["who"] = 5.0
    if ahead.endswith("Sister "):  # a nurse's title, or a nun's
        found.pop("who", None)
    if not _ORDINALS.isdisjoint(around.said) and _ONE_OF.search(ahead):
        found["one of"] = _counted(text[max(0, start - 320) : start])
    if found.keys() <= _VAGUE:
        found["-no sign"] = -0.8
    if near(marks, start, end, 4, 4):
        found["mark"] = 5.0
    elif near(marks, start, end, 90, 90):
        found["mark"] = 1.5
    if shape is Shape.SINGLE:
        found.pop("entry", None)
        if found.keys().isdisjoint(_TOLD) and _ADJECTIVE.match(text, end):
            found.pop("ours", None)  # "our Healthwatch survey"
        if found.keys().isdisjoint(_OF_ONE) and not around.somebody():
            found["-nobody"] = -3.0
        elif _BEHIND_NAME.search(ahead):
            found["-place"] = -4.0  # "Jo Bloggs (Wessex)"
        elif ahead.endswith(("from ", "From ")) and found.keys().isdisjoint(_OF_ONE):
            found["-place"] = -3.0
        elif talk:
            found["goes on"] = 0.5 * min(3, sum(word in _PRONOUNS for word in around.behind))
    if sum(found.values()) > 0:
        _against(found, text, start, end, ahead, shape)
    return found


_OF_ONE = frozenset({"who", "kin", "relation", "record", "treated", "ours"})
_VAGUE = frozenset({"shape", "talk", "told"})
_TOLD = frozenset({"befell", "owns", "kin", "she", "apposed", "relation", "record", "lives"})
_STRONG = frozenset({"record", "entry", "relation", "kin"})
#: What no sign of a patient outweighs: it is no person's name, or a correspondent's.
_SURE = frozenset({"thing", "mail", "heading", "place", "own"})


def _against(found: dict[str, float], text: str, start: int, end: int, ahead: str, shape: Shape) -> None:
    strong = not found.keys().isdisjoint(_STRONG) or found.get("who", 0) >= 5
    retired = bool(_NOT_STAFF.match(text, end, end + 60))
    for sign in AGAINST.before(ahead):
        if not strong or sign.group in _SURE:
            found["-" + sign.group] = min(sign.weight, found.get("-" + sign.group, 0))
    for sign in AGAINST.behind:
        if sign.group == "vocative" and "\n" not in ahead[-1:] and not _SENTENCE.search(ahead):
            continue
        if (not (retired or strong) or sign.group in _SURE) and sign.goes_on.match(text, end, end + 120):
            found["-" + sign.group] = min(sign.weight, found.get("-" + sign.group, 0))
    if (
        "\n" in text
        and "ours" not in found
        and _ALONE.match(text, end)
        and not ahead.rpartition("\n")[2].strip("> |\t")
    ):
        found["-alone"] = -2.5
    if _THE.search(ahead):
        found["-the"] = -4.0
    if "-role" in found:  # whoever looks after patients is told and sent things, too
        found.pop("befell", None)
        found.pop("listed", None)
        found.pop("apposed", None)
    if shape is Shape.SINGLE and "-place" in found:
        found["-place"] -= 3  # towns are written like first names
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


class _Around:
    """The words around a name: of its sentence, of what stands before that, and all behind the name."""

    def __init__(self, text: str, start: int, end: int) -> None:
        before, behind = text[max(0, start - 160) : start].lower(), text[end : end + 220].lower()
        begins = max(before.rfind(stop) for stop in _STOPS) + 1
        ends = min((at for stop in _STOPS if (at := behind.find(stop)) >= 0), default=160)
        rest = WORD.findall(behind[:ends])
        self.said = {*WORD.findall(before[begins:]), *rest}
        self.behind = [*rest, *WORD.findall(behind[ends:])]
        self.past = WORD.findall(before[:begins])

    def told(self) -> float:
        """What the words of the sentence and of its neighbours add up to."""
        score = 0.6 * min(3, sum(map(_clinical, self.said))) - 0.8 * min(2, sum(map(_of_work, self.said)))
        if not self.said.isdisjoint(_ONE_PERSON):
            score += 0.8
        later = any(map(_clinical, self.behind))
        if later and not _PRONOUNS.isdisjoint(self.behind):
            score += 0.8
        return score + 0.25 * min(3, sum(map(_clinical, self.past)) + later)

    def somebody(self) -> bool:
        """Whether one person is spoken of."""
        return any(not _SOMEBODY.isdisjoint(words) for words in (self.said, self.behind, self.past))


_STOPS = (". ", "? ", "! ", "\n\n", "\n>")
_ONE_PERSON = WHO_WORDS | {"dob", "lives"}
_SOMEBODY = WHO_WORDS | _PRONOUNS
_ORDINALS = frozenset(
    WORD.findall(
        "one another second third fourth further first fifth other last latest next youngest oldest eldest worst "
        "remaining"
    )
)
