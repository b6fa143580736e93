"""What the words around a candidate say: whether they speak of one patient, of staff, or of an organisation."""

import re
import string
from bisect import bisect_right
from collections.abc import Callable, Sequence

Span = tuple[str, int, int]  # type, start, end

WORD = re.compile(r"[^\W\d_]{2,}")
#: Blanks that stand inside a line, those of word processors too.
GAP = r"[ \u00a0\u2007\u2009\u202f]"
DASH = r"\-\u2010-\u2015"


def _letters(upper: bool) -> str:
    """The letters of Latin, Greek and Cyrillic writing as the inside of a character class."""
    wanted = [
        code
        for first, last in ((0x41, 0x250), (0x370, 0x530), (0x1E00, 0x2000))
        for code in range(first, last)
        if chr(code).isalpha() and chr(code).isupper() is upper
    ]
    ranges: list[list[int]] = []
    for code in wanted:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(a)}-{chr(b)}" if a != b else chr(a) for a, b in ranges)


UPPER, LOWER = _letters(upper=True), _letters(upper=False)

#: One person who is spoken of as a patient, or a patient's relative. Plurals are populations.
WHO_WORDS = frozenset(
    [
        "patient",
        "pt",
        "px",
        "lady",
        "gentleman",
        "gent",
        "woman",
        "man",
        "girl",
        "boy",
        "lad",
        "child",
        "baby",
        "toddler",
        "teenager",
        "chap",
        "bloke",
        "fella",
        "widow",
        "widower",
        "daughter",
        "son",
        "wife",
        "husband",
        "partner",
        "mother",
        "father",
        "mum",
        "mam",
        "dad",
        "sister",
        "brother",
        "niece",
        "nephew",
        "grandson",
        "granddaughter",
        "carer",
        "relative",
        "nok",
    ]
)
NOT_OF_A_FIRM = r"(?<!gp )(?<!senior )(?<!practice )(?<!managing )(?<!executive )(?<!salaried )"
WHO = (
    rf"(?:next of kin|{NOT_OF_A_FIRM}partner(?! (?:at|in)\b)|"
    rf"{'|'.join(sorted(WHO_WORDS - {'partner'}, key=len, reverse=True))})"
)
#: What only a person's own record has.
RECORD = (
    r"(?:dob\b|d\.\s?o\.\s?b|date of birth|born\b|b\.\s?\d|nhs\s?(?:no|num|#|:|\d)|hosp\w{0,5}\.? (?:no|num|id)|"
    r"mrn\b|"
    r"chi (?:no|num|\d))"
)
AGE_UNIT = r"(?:[ -]?(?:years?|yrs?)[ -]?olds?\b|[ -]?(?:y/?o|yrs?|[MFmf])\b)"
AGE = rf"(?:aged? \d{{1,3}}\b|(?:an? )?\d{{1,3}}{AGE_UNIT})"
STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Cl|Drive|Dr|Row|Way|Court|Ct|Crescent|Cres|Terrace|Terr?|"
    r"Place|Pl|"
    r"Gardens|Gdns|Grove|Gr|Hill|Square|Sq|Walk|Park|View|Mews|Green|Rise|Parade|Fold|Croft|Gate|Mount|Vale|Meadows?|"
    r"Cottages?|House|Farm|Yard|Wharf|Quay|Bank|End|Brow|Embankment|Boulevard|Chase|Common|Heath|Approach|Wynd|"
    r"Brae|Loan)"
)
_PRONOUN = re.compile(r"\b(?:she|he|her|hers|his|him)\b", re.I)
_PERSON = re.compile(
    rf"\b(?:{WHO}|mrs|mr|miss|ms|mx|dob|lives|living|resides?|{AGE})\b(?!['’]? (?:line|portal|group|quer))", re.I
)
#: A colleague spoken of as "she" is no patient.
_STAFF = re.compile(
    r"\b(?:colleagues?|secretar(?:y|ies)|managers?|nurses?|co-?ordinators?|navigators?|registrars?|consultants?|"
    r"surgeons?|"
    r"\w{2,20}ologists?|receptionists?|pharmacists?|leads?|practitioners?|trainees?|cns|direct (?:line|dial)|gp|dr|"
    r"doctor)\b",
    re.I,
)
#: How colleagues are reached.
_COLLEAGUE = re.compile(
    r"\b(?:fax|bleep|direct|my (?:mobile|number|phone|line|tel|e-?mail|address|cell|"
    r"landline)|"
    r"(?:call|ring|text|phone|contact|reach|whatsapp|email|mail|message|get|give|ask) me)\b",
    re.I,
)
#: How organisations are reached.
_OFFICE = re.compile(
    r"\b(?:switchboard|reception|office|secretary|secretaries|surgery|practice|helpline|hot ?line|(?:support|"
    r"nurse|patient|advice|phone|"
    r"booking) line|hub|"
    r"clinics?|teams?|desk|ward|lab|laboratory|pathology|department|pals|our|us|trust|hospital(?!\W? (?:no|num|id|"
    r"ref))|"
    r"alliance|icb|service|centre|screening|shop|store|pharmacy|chemist|optician|work(?:place|s)?)\b",
    re.I,
)
_ORGANISATION = re.compile(
    r"\b(?:surgery|practice|medical|health|hospital|clinic|centre|center|trust|alliance|office|registered|college|"
    r"hotel|inn|venue|rooms?|hub|university|icb|lab|laboratory|pathology|cdc|van|scanner|pharmacy|chemist|meet(?:ing)?s?|"
    r"course|conference|library|church hall|street team|research|freepost|post the|supermarket|car park)\b",
    re.I,
)
_WORDS = string.ascii_letters + string.digits
#: A full stop that ends a sentence, not an abbreviation.
_STOP = re.compile(
    r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bNo)(?<!\bno)(?<!\bSt)(?<!\bpt)(?<!\bPt)(?<!\b[A-Z])(?<!Hosp)(?<!hosp)"
    r"(?<!tel)(?<!Tel)(?<!mob)[.!?][\"”’)]{0,2}\s+(?=[\"“(]?\w)|\n[> \t]*(?:\n|(?:[*•·–-]|\d{1,2}[.)])[ \t])"
)


_QUOTE_MARKS = re.compile(r"[>| \t]*")
_WRAPPED, _SHORT = 45, 15  # characters; a line that ends sooner was ended by its author
_GOES_ON = re.compile(r"[\w(\"“‘'£+](?![\w -]{0,20}:)")


def unwrapped(text: str) -> tuple[str, Callable[[int], int] | None]:
    """A text with its wrapped lines joined by a blank, quote marks left out; and where a place in it was before.

    None when nothing was joined.
    """
    pieces: list[str] = []
    places: list[tuple[int, int]] = [(0, 0)]  # (in the new text, in the old one)
    length = at = 0
    before = ""
    for line in text.splitlines(keepends=True):
        start = match.end() if (match := _QUOTE_MARKS.match(line)) else 0
        wrapped = len(before) > (_SHORT if before[-1:].isalnum() else _WRAPPED)
        if wrapped and _GOES_ON.match(line, start):
            pieces[-1] = pieces[-1].rstrip()
            length = places[-1][0] + len(pieces[-1])
            pieces.append(" ")
            places += [(length, at - 1), (length + 1, at + start)]
            length += 1
            rest = line[start:]
        else:
            places.append((length, at))
            rest = line
        pieces.append(rest)
        length += len(rest)
        at += len(line)
        before = line[start:].rstrip()
    if len(places) == len(pieces) + 1 and " " not in {p for p in pieces if len(p) == 1}:
        return text, None
    new = [n for n, _ in places]

    def old(place: int) -> int:
        joined, origin = places[bisect_right(new, place) - 1]
        return origin + place - joined

    return "".join(pieces), old


def free(text: str, start: int, also: str = "") -> bool:
    """Whether nothing that belongs to a word or a longer number stands right before `start`."""
    return start == 0 or not (text[start - 1].isalnum() or text[start - 1] in "_" + also)


def before(text: str, start: int, size: int) -> str:
    """Up to `size` characters before `start`, within its paragraph."""
    return text[max(0, start - size) : start].rpartition("\n\n")[2]


def around(text: str, start: int, end: int, back: int, ahead: int) -> tuple[str, str]:
    """Up to `back` and `ahead` characters before and after a span; words that the limits cut are left out."""
    left, right = text[max(0, start - back) : start], text[end : end + ahead]
    if start > back and text[start - back - 1].isalnum():
        left = left.lstrip(_WORDS) if left and left[0] in _WORDS else left
    if end + ahead < len(text) and text[end + ahead].isalnum():
        right = right.rstrip(_WORDS)
    return left, right


def sentence(text: str, start: int, end: int, back: int, ahead: int) -> tuple[str, str]:
    """What stands before and after a span in its sentence, no more than `back` and `ahead` characters."""
    left, right = around(text, start, end, back, ahead)
    last = None
    for last in _STOP.finditer(left):  # noqa: B007  (the last one counts)
        pass
    stop = _STOP.search(right)
    return left[last.end() :] if last else left, right[: stop.start()] if stop else right


def of_one_patient(text: str) -> bool:
    """Whether these words speak of one person as of a patient."""
    return bool(_PERSON.search(text)) or (bool(_PRONOUN.search(text)) and not _STAFF.search(text))


def of_a_colleague(text: str) -> bool:
    """Whether a number or an e-mail address behind these words is one to reach a colleague by."""
    return bool(_COLLEAGUE.search(text))


def of_an_office(text: str) -> bool:
    """Whether a number or an e-mail address behind these words is one to reach an organisation by."""
    return bool(_OFFICE.search(text))


def of_an_organisation(text: str) -> bool:
    """Whether a house in these words is an organisation's."""
    return bool(_ORGANISATION.search(text))


def near(marks: Sequence[Span], start: int, end: int, back: int, ahead: int) -> bool:
    """Whether something that only patients have stands close by."""
    return any(s < end + ahead and e > start - back for _, s, e in marks)
