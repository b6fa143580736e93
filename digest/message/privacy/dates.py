"""Dates of birth: by their label, beside a name or an age, or because nothing but a birth lies so far back."""

import re
from collections.abc import Iterable, Iterator, Sequence

from digest.message.privacy.context import AGE_UNIT, DASH, GAP, UPPER, Span, free, near, of_one_patient, sentence

_MONTH = (
    r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?:(?:18|19|20)\d\d|['’]?\d\d)(?!\d)"
_BETWEEN = rf"(?:{GAP}?[./{DASH}]{GAP}?)"
#: Dates that begin with a digit. The pattern begins with one class, which lets `re` pass over other text quickly.
_DAY_FIRST = (
    rf"\d(?:\d?{_BETWEEN}(?:\d{{1,2}}|(?i:[ivx]{{1,4}})){_BETWEEN}{_YEAR}|"
    rf"(?<=[12])\d\d\d[./{DASH}]\d\d?[./{DASH}]\d\d?(?!\d)|"
    rf"\d?(?i:st|nd|rd|th)?(?:{GAP}|-)?(?i:of )?{_MONTH}(?:{GAP}|,|-){{0,2}}{_YEAR})"
)
_DATE = rf"(?:{_DAY_FIRST}|{_MONTH}{GAP}\d{{1,2}}(?i:st|nd|rd|th)?,?{GAP}(?:18|19|20)\d\d(?!\d))"
_LABEL = re.compile(
    rf"[dD](?i:(?:{GAP}?\.?{GAP}?o{GAP}?\.?{GAP}?b\b\.?|ate of birth\b)"
    rf"[\s:=(|{DASH}]{{0,5}}(?:is |was |of |as )?)({_DATE}|(?:19|20)\d{{6}}(?!\d))"
)
_BORN = re.compile(
    rf"[bB](?i:orn(?: on| in)?(?: the)?|irth ?da(?:y|te)|\.)(?i:{GAP}on the form|{GAP}on file)?[\s:=(]{{0,3}}(?i:is |"
    rf"was )?((?:the )?{_DATE}|{_MONTH}{GAP}(?:of )?(?:18|19|20)\d\d(?!\d))"
)
_NEXT = re.compile(rf"[\s,;:(|/{DASH}]{{1,4}}(?:[MF]{GAP})?(?:ward \d\d?, )?({_DATE})")
_ALSO = re.compile(rf"{GAP}(?:and|or|&|/){GAP}({_DATE})")
_AGED = re.compile(rf"\d\d?\d?(?:(?i:{AGE_UNIT})|(?<=aged \d)|(?<=aged \d\d)|(?<=age \d\d))[\s,;:(]{{1,4}}({_DATE})")
_FULL = re.compile(_DAY_FIRST)
_OF_A_MAN = re.compile(
    rf"(\d\d?[./-]\d\d?[./-]\d\d(?:\d\d)?){GAP}(?i:wo)?(?i:man|male|lady|gentleman|boy|girl|female)\b"
)
#: The year of a birth; what else a mail dates lies closer.
_DOB = re.compile(r"\b(?:dob|d\.o\.b|dates? of birth)\b", re.I)
#: "b. 1949", "born in 1949": a year alone.
_YEAR_BORN = re.compile(
    rf"(?<!\w)(?:[bB]\.{GAP}?|[bB]orn{GAP}(?:in{GAP})?)((?:(?:Michaelmas|Christmas|Easter|spring|summer|autumn|winter|early|late){GAP}(?:of{GAP})?)?"
    rf"(?:19\d\d|200\d))(?!\d|{GAP}?(?:[{DASH}/]|to\b|and\b|or\b))"
)
#: "the first of January 1970", "second of March nineteen forty-six".
_IN_WORDS = re.compile(
    rf"(?i:((?:the{GAP})?(?:(?:twenty|thirty)-?{GAP}?)?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|"
    rf"\w{{3,6}}teenth|twentieth|thirtieth){GAP}(?:of{GAP})?{_MONTH},?{GAP}"
    rf"(?:(?:19|20)\d\d|nineteen{GAP}\w+(?:[{GAP[1:-1]}-]\w+)?|two{GAP}thousand(?:{GAP}and)?{GAP}\w+)))"
)
_OLD_SHORT = re.compile(rf"(?<![\d./-])\d\d?([./-])\d\d?\1[3-9]\d(?![\d./-]|{GAP}?%)")
_LONG_AGO = re.compile(r"19[0-9]\d(?!\d)")
_COHORT = re.compile(
    r"\b(?:before|after|between|since|until|till|from|to|than|and|or|by|in|published|founded|opened|act|"
    r"of)\W{0,3}(?:the )?$",
    re.I,
)
_NAMED = re.compile(rf"[{UPPER}]\w+{GAP}(?:was |is |were )?\(?$")


#: Without one of these a text calls no date a date of birth; they are quicker to look for than the patterns.
_HINTS = ("dob", "d.o", "d o", "birth", "born", "b.")
_NUMERIC = re.compile(r"\d[./-]\d\d?[./-]\d\d|\d(?:st|nd|rd|th)? (?:of )?[A-Z][a-z]{2,8}\.?,? '?\d\d")


def births(text: str) -> Iterator[Span]:
    """Dates that are called a date of birth."""
    low = text.lower()
    if not any(hint in low for hint in _HINTS):
        return
    for match in _LABEL.finditer(text):
        if free(text, match.start()):
            yield "dob", *match.span(1)
    for match in _BORN.finditer(text):
        start = match.start()
        if not free(text, start):
            continue
        said, after = sentence(text, start, match.end(), 80, 40)
        # "The service was born on …": somebody must be spoken of, unless it stands as a label does.
        label = not said.strip(" (>\t") or said.rstrip().endswith(("(", ",", ";"))
        if label or of_one_patient(said) or of_one_patient(after) or _NAMED.search(said):
            yield "dob", *match.span(1)


_LATELY = re.compile(r"202[2-9]|^202[2-9]")  # of a visit, more likely than of a birth


def beside(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """A full date right behind a patient's name or number is a date of birth, and so is another right behind it."""
    for kind, _, end in found:
        if kind in {"patient_name", "nhs_number", "hospital_number"} and (match := _NEXT.match(text, end, end + 60)):
            if _LATELY.search(match[1]):
                continue
            yield "dob", *match.span(1)
            if also := _ALSO.match(text, match.end(), match.end() + 40):
                yield "dob", *also.span(1)


def unlabelled(text: str, marks: Sequence[Span] = ()) -> Iterator[Span]:
    """Dates right behind an age, and full dates up to 1989 where one patient is spoken of, not a whole cohort."""
    if _NUMERIC.search(text):
        for match in (*_AGED.finditer(text), *_OF_A_MAN.finditer(text)):
            yield "dob", *match.span(1)
    born = "born" in text or "Born" in text
    for match in _YEAR_BORN.finditer(text) if born or "b." in text else ():
        said, after = sentence(text, match.start(), match.end(), 80, 60)
        if near(marks, *match.span(), 40, 40) or of_one_patient(f"{said} {after}"):
            yield "dob", *match.span(1)
    for match in _IN_WORDS.finditer(text) if " of " in text and (marks or born) else ():
        said, after = sentence(text, match.start(), match.end(), 120, 60)
        known = near(marks, *match.span(), 100, 60) or "born" in said.lower() or of_one_patient(f"{said} {after}")
        if known and not _LATELY.search(match[1]):
            yield "dob", *match.span(1)
    for match in _OLD_SHORT.finditer(text) if marks else ():
        if near(marks, *match.span(), 90, 40):
            yield "dob", *match.span()
    for year in _LONG_AGO.finditer(text):
        full = _FULL.match(text, year.start()) or next(
            (m for m in _FULL.finditer(text, max(0, year.start() - 22), year.end()) if m.end() == year.end()), None
        )
        if full and free(text, full.start(), "/.-"):
            start, end = full.span()
            said, after = sentence(text, start, end, 120, 60)
            theirs = (
                near(marks, start, end, 100, 60)
                or of_one_patient(f"{said} {after}")
                or _DOB.search(text[max(0, start - 120) : start])
            )
            if theirs and not _COHORT.search(said):
                yield "dob", start, end
