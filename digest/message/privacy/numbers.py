"""NHS numbers and hospital numbers."""

import re
from collections.abc import Iterable, Iterator

from digest.message.privacy.context import DASH, GAP, Span, before, free

#: How the three groups of an NHS number are set apart; a quote may break the line between them.
_APART = rf"(?:{GAP}{{1,3}}|{GAP}?[{DASH}./]{GAP}?|{GAP}?\n[> ]{{0,8}})?"
_NHS = re.compile(rf"\d\d\d{_APART}\d\d\d{_APART}\d\d\d\d(?![\w]|[.,/{DASH}]\d)")
#: A slip of the pen: a digit too few or too many, which only the words before it show to be an NHS number.
_NEARLY = re.compile(rf"\d{{2,4}}{_APART}\d{{2,4}}{_APART}\d{{3,5}}(?![\w]|[.,]\d)")
_CUE = re.compile(r"\bnhs\W{0,3}(?:no|num|number|#|id)?[\s.:#(=|]{0,6}(?:is |was )?$", re.I)
_CALLED = re.compile(r"[nN](?i:hs\W{0,3}(?:no|num|#|:|id))")
_OTHER = re.compile(
    r"\b(?:meeting|conference|webinar|zoom|webex|teams|call|join|access|passcode|code|pin|tel|telephone|phone|"
    r"mobile|mob|"
    r"fax|bleep|ext|dial\w*|isbn|isrctn|nct|trial|doi|pmid|invoice|order|charity|company|vat|gmc|nmc|iban|account|"
    r"sort code|"
    r"snomed|ticket|batch|lot|grant|award|licen[cs]e|version|job|room|serial|utr)\b[^\n\d]{0,24}$",
    re.I,
)
_OTHER_BEHIND = re.compile(
    r"[^\n\d]{0,12}\b(?:as|is) (?:the|your|our|a) (?:\w+ )?(?:code|passcode|pin|id|meeting|conference)|#|"
    rf"{GAP}?(?:tests?|patients|referrals|kits|rows|people|records)\b",
    re.I,
)

_LABEL = r"(?:\W{0,2}(?:no|num|number|id|identifier|ref|reference|#)\b)"
_IS = rf"[\s.:#=(|{DASH}]{{0,4}}(?:(?:is|was)[ :])?{GAP}?"
_HOSPITAL = re.compile(
    rf"\b(?:(?:hospital|hosp|district|unit|case ?notes?|patient|pt|pathology|lab|specimen|histology|sample|x|h&c|"
    rf"cris|epic|emis)"
    rf"\.?{_LABEL}|"
    rf"(?:mrn|crn|pas|chi|accession|specimen|sample){_LABEL}?|\br[a-z0-9]{{2}}{_LABEL}){_IS}$|\b(?:pt|"
    rf"patient)[: ]{{1,2}}$",
    re.I,
)
_VALUE = re.compile(rf"\d[A-Z0-9]{{0,13}}(?:(?:{GAP}|[{DASH}/])\d[A-Z0-9]{{0,9}}){{0,3}}(?!\w)")
_PREFIX = re.compile(rf"(?<!\w)[A-Z][A-Z0-9]{{0,4}}(?:{GAP}|[{DASH}])?$")
_BEHIND = re.compile(
    rf"{GAP}(?:is|was|being|as){GAP}(?:his|her|their|the|a|my patient['’]s){GAP}(?:hospital|hosp|unit|mrn|patient|"
    rf"case ?note)",
    re.I,
)
#: "one was RX 0482217, who had …": whatever is followed by "who" is a person.
_WHO_BEHIND = re.compile(rf",?{GAP}(?:who|whose|whom)\b")
_NOT_DIGITS = re.compile(r"\D")
_FEWEST, _MOST = 5, 14  # digits


def valid_nhs_number(digits: str) -> bool:
    """Whether ten digits pass the check of the NHS Data Dictionary (modulus 11)."""
    if len(digits) != 10 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(d) * (10 - i) for i, d in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


def _issued(number: str) -> bool:
    """Whether ten digits may be somebody's: none begins with nought but Scottish ones, which begin with a birth."""
    if number[0] == "0" and not (1 <= int(number[:2]) <= 31 and 1 <= int(number[2:4]) <= 12):
        return False
    return valid_nhs_number(number)


def digits(text: str) -> str:
    """The digits of a text."""
    return _NOT_DIGITS.sub("", text)


def nhs_numbers(text: str) -> Iterator[Span]:
    """Numbers that pass the check, and numbers that are called NHS numbers: a wrong digit makes none harmless."""
    for match in _NHS.finditer(text):
        start, end = match.span()
        if not free(text, start, "+.£$€"):
            continue
        ahead = before(text, start, 48)
        if _CUE.search(ahead) or (
            _issued(digits(match[0])) and not _OTHER.search(ahead) and not _OTHER_BEHIND.match(text, end)
        ):
            yield "nhs_number", start, end
    if not _CALLED.search(text):
        return
    for match in _NEARLY.finditer(text):
        if 9 <= len(digits(match[0])) <= 11 and _CUE.search(before(text, match.start(), 30)):
            yield "nhs_number", *match.span()


def hospital_numbers(text: str) -> Iterator[Span]:
    """Numbers of a patient in a hospital's, laboratory's or cancer register's books: only ever by their label."""
    for value in _VALUE.finditer(text):
        start, end = value.span()
        if end - start < _FEWEST or not _FEWEST <= len(digits(value[0])) <= _MOST:
            continue
        if free(text, start) and _HOSPITAL.search(before(text, start, 48)):
            yield "hospital_number", start, end
            continue
        prefix = _PREFIX.search(text, max(0, start - 6), start)
        start = prefix.start() if prefix else start
        person = prefix is not None and _WHO_BEHIND.match(text, end)
        if free(text, start) and (_HOSPITAL.search(before(text, start, 48)) or _BEHIND.match(text, end) or person):
            yield "hospital_number", start, end


_BESIDE = re.compile(
    rf"(?:[,;:(]{GAP}?|{GAP})\(?(\d{{10}}(?!\w|[.,]\d)|\d\d\d(?:{GAP}|[{DASH}])\d\d\d(?:{GAP}|[{DASH}])\d\d\d\d)(?!\w|[.,]\d)"
)


def nhs_beside(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """What looks like an NHS number right behind a patient's name or date of birth, though a digit may be wrong."""
    for kind, _, end in found:
        if kind in {"patient_name", "dob"} and (match := _BESIDE.match(text, end)):
            yield "nhs_number", *match.span(1)
