"""Patients' names: what is written like a person's name, and by the signs around it is a patient's (`evidence`). Pure.

Recall comes first: a titled name is a patient's unless the words around it make it a member's or a colleague's.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from digest.english import is_word
from digest.message.privacy import evidence, lower_case
from digest.message.privacy.context import AGE, GAP, LOWER, RECORD, UPPER, WORD, Span, free
from digest.message.privacy.evidence import Shape
from digest.message.privacy.lexicon import CLINICAL, WORK
from digest.message.privacy.no_names import (
    ALSO_SURNAMES,
    ALSO_WORDS,
    LEADS,
    NO_INITIALS,
    NO_SURNAME,
    NOT_NAMES,
    PLACES,
    STAFF_TITLES,
)
from digest.words import stem

#: What follows the first capital of a name: "O’Neil", "Smith-Jones"; Mc, Mac, De and the like written as one word.
_REST = (
    rf"(?:['’][{UPPER}])?(?:[{LOWER}]{{1,30}}|[{UPPER}]{{1,30}})?(?:(?!['’]s(?!\w))['’\-\u2010\u2011](?:[{UPPER}]|"
    rf"al-)?[{LOWER}{UPPER}]{{1,30}}){{0,3}}"
)
_CAMEL_REST = rf"[{LOWER}]{{1,3}}[{UPPER}][{LOWER}]{{1,30}}(?:-[{UPPER}][{LOWER}]{{1,30}})?"
_PART = rf"[{UPPER}](?:{_CAMEL_REST}|{_REST})"
_INITIAL = rf"[{UPPER}]\.?(?:{GAP}?[{UPPER}]\.){{0,2}}"
_PARTICLE = (
    rf"(?:v[ao]n|de[rnl]?|d[aoiu]s?|dell[ao]|l[ae]|el|al|bin|bint|ibn|ap|ter|ten|te|zu|y|e|[Vv]an{GAP}de[rn]?|"
    rf"von{GAP}der|de{GAP}l[ao]s?|"
    rf"Mac{GAP}Giolla|Mac|Nic|N[ií]|U[íi]|[ÓO]|St\.?)"
)
_SURNAME = rf"(?:(?:al|el)-)?{_PART}(?!\w)"
#: A run of names: "Jocelyn Quillfeather", "J. van der Meulen", "QUILLFEATHER, Jocelyn".
_MORE = rf"(?:{GAP}(?:{_PARTICLE}{GAP}){{0,2}}(?:{_INITIAL}(?![\w'’])|{_SURNAME}))"
#: It begins with one class of characters, which lets `re` pass over other text quickly.
_RUN = re.compile(
    rf"[{UPPER}](?:\.(?:[{UPPER}]\.){{1,2}}|(?:{_CAMEL_REST}|{_REST})(?!\w)(?:(?<=\b[{UPPER}])\.|(?<=\bWm)\.|(?<=\bJas)\.|(?<=\bGeo)\.|(?<=\bChas)\.|(?<=\bThos)\.|(?<=\bSt)\.)?)"
    rf"{_MORE}{{0,4}}(?:,{GAP}?{_SURNAME}(?!{GAP}[{UPPER}]))?"
)
_TITLE = r"(?:M(?:rs?|s|x|iss|str|aster|RS?|ISS)|Lady|Lord|Sir|Dame|Revd?|Fr)\b\.?"
_TITLE_WORD = re.compile(rf"{_TITLE}{GAP}")
_TITLES = re.compile(rf"{_TITLE}(?:{GAP}(?:and|&|/){GAP}{_TITLE})?{GAP}{{1,2}}")
_TITLED = re.compile(
    rf"{_TITLES.pattern}(?:{_INITIAL}{GAP}){{0,3}}(?:{_PARTICLE}{GAP}){{0,2}}"
    rf"(?:{_SURNAME}|{_INITIAL}(?![\w'’])){_MORE}{{0,3}}"
)

#: Initials are somebody's where an age or a date of birth follows.
_AGE_BEHIND = re.compile(rf"\.?,?{GAP}?\(?(?:{AGE}|{RECORD}|(?:dob{GAP}?)?\d\d?[./-]\d\d?[./-]\d\d)", re.I)
_INITIALS = re.compile(rf"(?:[{UPPER}]\.?{GAP}?){{1,2}}[{UPPER}]\.?(?!\w)")
_DIGIT_SOON = re.compile(r"\W{1,3}\d|\.[A-Z]")

_CAPITALS = re.compile(rf"[{UPPER}][\w'’\-\u2010\u2011]*")
_NO_GAP = re.compile(r"[^\s,]+")
_TRAILS = re.compile(rf",?{GAP}(?:DOB|D\.O\.B|NHS|MRN|Born|Date|Hospital|Hosp|Aged|CHI)\.?$")


@dataclass(frozen=True, slots=True)
class People:
    """Members and correspondents, by the words of their names (lower case)."""

    each: frozenset[frozenset[str]] = frozenset()
    words: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, names: Iterable[str]) -> "People":
        """From names as people write them."""
        each = frozenset(frozenset(w.lower() for w in WORD.findall(name)) for name in names) - {frozenset()}
        return cls(each, frozenset().union(*each) if each else frozenset())

    def __or__(self, other: "People") -> "People":
        return People(self.each | other.each, self.words | other.words)

    def named(self, words: list[str]) -> bool:
        """Whether these words are part of one person's name; initials fit anybody."""
        return self.words.issuperset(words) and any(person.issuperset(words) for person in self.each)


_SHORT = 400  # characters; what so few say takes no time to weigh
#: Where a text speaks of nobody's illness, a name is looked at only before what a record has.
_RECORD_SOON = re.compile(rf"\W{{0,4}}(?:\d|aged?\b|{RECORD})", re.I)
#: What a name in the manner of a list, "Quillfeather, Jocelyn", is followed by.
_LISTED = re.compile(r"\s*(?:[(/|\d]|$|\n|dob\b|nhs\b|mrn\b)", re.I)


def names(
    text: str, known: People, marks: Sequence[Span], talk: float, *, subject: bool = False
) -> tuple[list[Span], list[Span]]:
    """Every name that the text speaks of as a patient's, its title with it; and the names of staff.

    `marks`: numbers and dates that only patients have, found before. `talk`: how the whole text speaks.
    """
    found: list[tuple[Span, float]] = [(span, _CERTAIN) for span in lower_case.names(text)]
    staff: list[Span] = []
    for start, end, shape in _candidates(text):
        if not talk and len(text) > _SHORT and shape is not Shape.TITLED and not _RECORD_SOON.match(text, end):
            continue
        signs = evidence.signs(text, start, end, shape, marks, talk)
        score = sum(signs.values()) + (_SUBJECT if subject and (shape is not Shape.SINGLE or "label" in signs) else 0)
        words = [word.lower() for word in WORD.findall(_TITLES.sub("", text[start:end], 1))]
        if score > (_KNOWN if words and known.named(words) else 0):
            found.append((("patient_name", start, end), score))
        elif evidence.of_staff(signs):
            staff.append(("staff", start, end))
    found += _beside(text, [span for span, _ in found])
    theirs = {text[s:e].rpartition(" ")[2] for _, s, e in staff}
    return [
        span for span, score in found if score >= _CERTAIN or text[span[1] : span[2]].rpartition(" ")[2] not in theirs
    ], staff


def _beside(text: str, found: Sequence[Span]) -> Iterator[tuple[Span, float]]:
    """Names that are joined to a patient's: "Reginald & Sheila Popplewell", "Non and Mair, twins"."""
    for _, start, end in found:
        at = start
        while listed := _LIST_BEFORE.search(text, max(0, at - 60), at):  # "Hugh Platt, Irene Gumbs and Mrs Radley"
            if _written(listed[1]) is not Shape.FULL:
                break
            at = listed.start()
            yield ("patient_name", *listed.span(1)), 0.1
        before = _AND_BEFORE.search(text, max(0, start - 30), start)
        if before and not _alone(before[1].lower()):
            yield ("patient_name", *before.span(1)), 0.1
        if (behind := _AND_BEHIND.match(text, end)) and not _alone(behind[1].lower()):
            yield ("patient_name", *behind.span(1)), 0.1


_LIST_BEFORE = re.compile(rf"(?<![\w'’])({_PART}(?:{GAP}{_PART}){{1,2}})(?:,|,?{GAP}(?:and|&)){GAP}$")
_AND_BEFORE = re.compile(rf"(?<![\w'’])({_PART}){GAP}(?:and|&){GAP}$")
_AND_BEHIND = re.compile(rf"{GAP}(?:and|&){GAP}({_PART})(?!\w|{GAP}[{UPPER}])")
_SUBJECT = 1.2  # what a name in a subject weighs: colleagues are rarely what mails are about
_KNOWN = 9.0  # a member's name has to be shown to be somebody else's, too
_CERTAIN = 6.0  # a patient, whoever else is called so


def _candidates(text: str) -> Iterator[tuple[int, int, Shape]]:
    """What is written like a person's name, and how."""
    for match in _TITLED.finditer(text):
        start, end = match.span()
        if free(text, start):
            title = _TITLES.match(text, start, end)
            name, end = _trimmed(text, title.end() if title else start, end, first=1)
            if name < end and _titled(text, start, end):
                yield start, end, Shape.PUBLIC if text.startswith(("Sir", "Dame", "Lord"), start) else Shape.TITLED
    for match in _RUN.finditer(text):
        start, end = match.span()
        run, comma, _ = match[0].partition(",")
        if comma and " " not in run and ((run.isupper() and len(run) > 3) or _LISTED.match(text, end)):
            run = match[0]  # "QUILLFEATHER, Jocelyn"
        run = run.removesuffix(" I").removesuffix(", I")
        end = start + len(run)
        if len(run) < 3 and run.isupper() and not _DIGIT_SOON.match(text, end):
            continue  # "I", "A", "CT"
        word = run.rstrip(".").lower()
        if " " not in run and not run.isupper() and _alone(word):
            continue  # as most are
        if _TITLE_WORD.match(run):
            continue
        if not free(text, start, "'’-@/."):
            continue
        start, end = _trimmed(text, start, end)
        if start < end and (shape := _untitled(text, start, end)):
            yield start, end, shape


def _trimmed(text: str, start: int, end: int, first: int = 0) -> tuple[int, int]:
    """A run of capital words without the ones at its ends that belong to no name: "Saw Jo Bloggs", "Jo Bloggs DOB".

    Words like King and Page are left where another name stands before them, and so are the `first` words.
    """
    if _NO_GAP.fullmatch(text, start, end) and not first:
        return (start, start) if _no_name(text[start:end].rstrip(".")) else (start, end)
    trail = _TRAILS.search(text, start, end)
    end = trail.start() if trail else end
    words = list(_CAPITALS.finditer(text, start, end))
    while len(words) > first and _no_name(words[-1][0]):
        if words[-1][0].lower() in ALSO_SURNAMES and any(not _no_name(w[0]) for w in words):
            break
        words.pop()
    if words and not first and len(words) > 1 and _begins(text, start) and _starts(words[0][0]):
        del words[0]
    while words and not first and (_no_name(words[0][0]) or words[0][0].lower() in STAFF_TITLES):
        del words[0]
    if not words:
        return start, start
    return words[0].start(), end if words[-1].end() > end - 2 else words[-1].end()


_BEGINS = re.compile(r"[.?!:;–—-]\s{1,2}$")


def _begins(text: str, start: int) -> bool:
    """Whether a sentence begins here."""
    return start == 0 or text[start - 1] in '\n"“(' or bool(_BEGINS.search(text, max(0, start - 3), start))


def _starts(word: str) -> bool:
    """Whether a word has its capital because a sentence begins with it."""
    return len(word) > 2 and is_word(word.lower()) and word.lower() not in ALSO_WORDS


_CONTRACTION = re.compile(r"(?:n['’]t|['’](?:s|ve|ll|d|re|m))$")


@lru_cache(maxsize=65536)
def _alone(word: str) -> bool:
    """Whether a word is no name by itself."""
    word = _CONTRACTION.sub("", word)
    if word in NOT_NAMES or word in PLACES or word in STAFF_TITLES:
        return True
    parts = re.split(r"[-'’]", word)
    if len(parts) == 1 and word in ALSO_WORDS:
        return False
    return all(len(part) < 3 or is_word(part) for part in parts)


def _no_name(word: str) -> bool:
    return word.lower() in NOT_NAMES or word.lower() in LEADS


def _titled(text: str, start: int, end: int) -> bool:
    words = [w.lower() for w in WORD.findall(_TITLES.sub("", text[start:end], 1))]
    if (words and words[0] in NO_SURNAME) or _SEVERAL.search(text, max(0, start - 20), start):
        return False
    if not words and text[end - 1 : end] in "AXYZ" and not _AGE_BEHIND.match(text, end):
        return False  # a letter for a name
    return not (text[start - 1 : start] in _QUOTES and all(map(is_word, words)))  # "Mr Average"


#: "eleven Mrs Evanses"
_SEVERAL = re.compile(
    rf"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|dozen|many|all{GAP}the|the){GAP}$"
)
_QUOTES = frozenset("\"“‘'")


def _untitled(text: str, start: int, end: int) -> Shape | None:
    shape = _written(text[start:end])
    if shape is Shape.INITIALS and not _AGE_BEHIND.match(text, end):
        return None
    return None if shape and _HOUSE_BEFORE.search(text, max(0, start - 12), start) else shape


@lru_cache(maxsize=65536)
def _written(run: str) -> Shape | None:
    """What kind of a name a run of words with capitals may be."""
    words = [w.lower() for w in WORD.findall(run)]
    if words and not _NEVER.isdisjoint(words):
        return None
    if not words:
        return Shape.INITIALS if len(run) > 1 and _INITIALS.fullmatch(run) else None
    if len(words) == 1 and run.isupper():  # an abbreviation, or initials
        return Shape.INITIALS if 1 < len(run) < 4 and run not in NO_INITIALS else None
    if len(words) == 1 and _NO_GAP.fullmatch(run) and _alone(run.lower()):
        return None
    if not _LETTERS.isdisjoint(words) or any(map(_MEDICAL.search, words)):
        return None
    if any(stem(word) in _THINGS for word in words if word not in _EITHER):
        return None
    return _shape(run, words)


_ACRONYM = re.compile(rf"(?<![\w.'’-])[{UPPER}]{{2,3}}(?![\w.'’-])")


def _shape(run: str, words: list[str]) -> Shape:
    if all(map(is_word, words)) and ALSO_WORDS.isdisjoint(words):
        return Shape.ORDINARY
    if not run.isupper() and _ACRONYM.search(run):
        return Shape.ORDINARY  # "Mac OS"
    if _RECORDED.fullmatch(run) and not is_word(words[-1]):
        return Shape.RECORDED
    if run.isupper():
        return Shape.CAPITALS
    return Shape.SINGLE if _NO_GAP.fullmatch(run) else Shape.FULL


_RECORDED = re.compile(rf"[{UPPER}][{UPPER}'’-]{{3,30}},?{GAP}[{UPPER}][{LOWER}]+(?:{GAP}[{UPPER}]\.?)?")
#: Endings of procedures, diseases and drugs, which are more than any dictionary has.
_MEDICAL = re.compile(
    r"\w{3}(?:oscopy|oscopic|ology|ologist|itis|(?:carcin|sarc|lymph|melan|myel|aden|gli|terat|mesotheli|fibr)\w{0,6}oma|ectomy|ostomy|otomy|graphy|aemia|osis|opathy|uria|algia|plasty|therapy|"
    r"[mx]ab|tinib|ciclib|parib|sartan|statin|azole|cillin|olol|parin|xaban|gliptin|gliflozin|formin|mycin|cycline|dipine|"
    r"penia|cytosis|megaly|plegia|trophy|scopist)s?$"
)
#: What doctors write behind their names.
_LETTERS = frozenset(
    {
        "mrcgp",
        "frcgp",
        "frcs",
        "frcp",
        "frcr",
        "mrcp",
        "mbe",
        "obe",
        "cbe",
        "rgn",
        "mbbs",
        "mbchb",
        "drcog",
        "bsc",
        "msc",
    }
)
_THINGS = CLINICAL | WORK
_EITHER = ALSO_SURNAMES | ALSO_WORDS
_NEVER = (NOT_NAMES | PLACES) - ALSO_SURNAMES


_HOUSE_BEFORE = re.compile(rf"(?<![\d)/.-])\d{{1,4}}[A-Za-z]?,?{GAP}$")


def _known(word: str, known: People) -> bool:
    return all(part in known.words or part in ALSO_WORDS for part in WORD.findall(word.lower()))


def again(text: str, found: Iterable[str], known: People) -> Iterator[Span]:
    """Where the distinctive words of names that were `found` stand alone: "Mrs Okafor … Okafor's scan"."""
    words = {
        word
        for name in found
        for word in _CAPITALS.findall(_TITLES.sub("", name, 1))
        if len(word) > 2 and not _no_name(word) and not _known(word, known)
    }
    if words:
        either = "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))
        for match in re.finditer(rf"(?<![\w@.])(?:{either})(?![\w@])", text):
            yield "patient_name", *match.span()
