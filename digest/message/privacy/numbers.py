"""NHS numbers and hospital numbers."""

import re
from collections.abc import Iterable, Iterator

from digest.message.privacy.context import DASH, GAP, Span, before, free, near, of_one_patient, sentence

#: How the three groups of an NHS number are set apart; a quote may break the line between them.
_APART = rf"(?:{GAP}{{1,3}}|{GAP}?[{DASH}./]{GAP}?|{GAP}?\n[> ]{{0,8}})?"
_NHS = re.compile(rf"\d\d\d{_APART}\d\d\d{_APART}\d\d\d\d(?![\w]|[.,/{DASH}]\d)")
#: A slip of the pen: a digit too few or too many, which only the words before it show to be an NHS number.
_NEARLY = re.compile(rf"\d{{2,4}}{_APART}\d{{2,4}}{_APART}\d{{3,5}}(?![\w]|[.,]\d)")
_CUE = re.compile(r"\bnhs\W{0,3}(?:no|num|number|#|id)?[\s.:#(=|]{0,6}(?:is |was )?$", re.I)
_CALLED = re.compile(r"[nN](?i:hs\W{0,3}(?:no|num|#|:|id))")
_OTHER = re.compile(
    r"\b(?:tel|telephone|phone|mobile|mob|fax|bleep|ext|isbn|isrctn|nct|trial|doi|pmid|invoice|order|charity|company|"
    r"vat|gmc|nmc|iban|account|sort code|snomed|ticket|batch|lot|grant|award|licen[cs]e|version|job|room|serial|utr)\b"
    r"[^\n\d]{0,24}$|"
    # What a meeting is joined by, only where the number is called so: people meet about patients, too.
    r"\b(?:(?:meeting|conference|webinar|zoom|webex|teams)(?: (?:meeting|conference|call|webinar))?"
    r"(?: (?:id|code|number|no|pin|passcode|link))?|(?:access|join(?:ing)?|dial(?:[- ]?in)?|entry)"
    r"(?: (?:code|number|with|on))?|id|code|pin|passcode)"
    r"(?:[\s.:#(=]| is| was){0,4}$",
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


#: Letters and digits as hospitals number people: "RX1 448120", "SGH/2019/04471", "HX-2201-884".
_CODE = re.compile(
    rf"(?<![\w./-])[A-Z]{{1,4}}\d?(?:{GAP}R)?(?:{GAP}|[{DASH}/])?\d(?:[\d{DASH}/]|{GAP}(?=\d)){{3,12}}"
    rf"[A-Z]{{0,2}}(?!\w|[.,]\d)|"
    rf"(?<![\w./-])\d{{5,8}}[{DASH}/][A-Z](?!\w)"
)
#: What else is numbered so: practices (ODS), guidelines, trials, tickets, grants, roads, postcodes, wards, laws.
_NO_CODE = re.compile(
    r"(?:[A-Z]\d{5}|.*\d\d?[./-]\d\d?[./-](?:\d\d){1,2}|(?:DOB|NHS|MRN|CHI|UBRN|NCT|NG|DG|QS|CG|TA|ISRCTN|INC|CHG|RITM|"
    r"REQ|SR|CAS|REC|IRAS|CPMS|NIHR|GMC|NMC|PMC|PMID|DOI|CA|CD|BRCA|"
    r"PO|INV|RFC|ISO|EN|BS|COVID|HbA|FP|M|A|B|V|VAT|GB|PALS|PROJ|WP|COM|UK)[ /-]?\d.*|"
    r"(?:CT|MRI|USS|FIT|PSA|CEA|CRP|ESR|HB|HR|BP|BMI|"
    r"MCV|ALT|ALP|GP|AT|ON|IN|TO|OF|BY|FY|QOF|DES|LES|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[ /-]?\d.*)"
)
_CODE_AHEAD = re.compile(
    r"\b(?:trial|study|grant|award|ticket|ref(?:erence)?s? (?:from|of) \w+|invoice|order|batch|lot|room|ward|version|"
    r"licen[cs]e|isbn|doi|"
    r"meeting|code|passcode|pin|job|charity|company|account|site|ods|practice|read|snomed|opcs|icd|form|template|policy|sop|"
    r"incident|datix|complaint|model|serial|asset|plate|registration|flight|train|bus|road|junction)\b[^\n.]{0,24}$",
    re.I,
)


def _line(text: str, start: int, end: int) -> str:
    return " ".join(sentence(text, start, end, 100, 60))


def unlabelled(text: str, marks: Iterable[Span]) -> Iterator[Span]:
    """Codes such as hospitals give, right behind a patient's name or where nothing but a patient is spoken of."""
    marks = list(marks)
    for code in _CODE.finditer(text):
        start, end = code.span()
        if near(marks, start, end, 0, 0) or not _FEWEST <= len(digits(code[0])) <= _MOST or _NO_CODE.fullmatch(code[0]):
            continue
        said = before(text, start, 60)
        if _CODE_AHEAD.search(said) or _OTHER.search(said):
            continue
        if near(marks, start, end, 100, 40) or _OF_A_PATIENT.search(said) or of_one_patient(_line(text, start, end)):
            yield "hospital_number", start, end


_OF_A_PATIENT = re.compile(
    rf"\b(?:histo(?:logy)?|ct|mri|scan|bloods?|result|report|sample|biopsy|letter|film|x-?ray|referral|hosp(?:ital)?|prison|inmate|filed|"
    rf"registered)(?:{GAP}\w+)?(?:{GAP}(?:for|of|on|as|no|number|under))?:?{GAP}$",
    re.I,
)

_BESIDE = re.compile(
    rf"(?:[,;:(]{GAP}?|{GAP})\(?(\d{{10}}(?!\w|[.,]\d)|\d\d\d(?:{GAP}|[{DASH}])\d\d\d(?:{GAP}|[{DASH}])\d\d\d\d)(?!\w|[.,]\d)"
)


def nhs_beside(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """What looks like an NHS number right behind a patient's name or date of birth, though a digit may be wrong."""
    for kind, _, end in found:
        if kind in {"patient_name", "dob"} and (match := _BESIDE.match(text, end)):
            yield "nhs_number", *match.span(1)
