"""Names that somebody in a hurry wrote small: "mrs khan", "pt jo bloggs, 58f". Pure."""

import re
from collections.abc import Iterator

from digest.english import is_word
from digest.message.privacy.context import GAP, WORD, Span, free
from digest.message.privacy.lexicon import CLINICAL, WORK
from digest.words import common, stem

_TITLED = re.compile(r"mrs?\.? ([a-z][a-z'’-]{1,20})(?: ([a-z][a-z'’-]{2,20}))?(?![\w@])")
#: The words for a patient are looked for one by one, as literals are found faster than alternatives.
_PATIENTS = ("pt", "patient", "px", "re")
_NAME = re.compile(
    rf"[:,]?{GAP}(?:called{GAP}|named{GAP})?((?:[a-z]\.?{GAP})?[a-z][a-z'’-]+(?:{GAP}[a-z][a-z'’-]+){{0,2}})(?![\w@])"
)
_RECORD = re.compile(
    rf",?{GAP}\(?(?:\d{{1,3}} ?(?:[mf]\b|y/?o\b|yrs?\b|years? old)|dob\b|"
    rf"\d\d?[./-]\d\d?[./-]\d\d|\d{{3}}[ -]?\d{{3}}[ -]?\d{{4}})"
)
#: "joan oyelaran dob 3.4.51": whatever stands before, who has a record is a patient.
_OF_RECORD = re.compile(
    rf"{GAP},?\(?{GAP}{{0,2}}(?:dob|d\.o\.b|date of birth|nhs ?(?:no|num|#|:|\d)|mrn|hosp\w{{0,5}}\.? (?:no|num|id))\b"
)
_TWO_BEFORE = re.compile(rf"(?<![\w@.-])([a-z][a-z'’-]{{2,20}}){GAP}([a-z][a-z'’-]{{2,20}})$")
_RECORDS = ("dob", "d.o.b", "date of birth", "nhs", "mrn", "hosp")
#: Magnetic resonance is written as "mr", too.
_NO_MISTER = frozenset(
    WORD.findall(
        """
        scan scans imaging image images mri angiogram angiography spectroscopy cholangiogram enterography elastography
        prostate pelvis brain liver spine guided and or
        """
    )
)


def names(text: str) -> Iterator[Span]:
    """The names behind a title in small letters, or a word for a patient."""
    for match in _TITLED.finditer(text):
        first, second = match[1], match[2]
        if free(text, match.start()) and not common(first) and first not in _NO_MISTER:
            end = match.end(2) if second and not is_word(second) else match.end(1)
            yield "patient_name", match.start(), end
    yield from _beside_records(text)
    for word in _PATIENTS:
        at = text.find(word)
        while at >= 0:
            end = at + len(word)
            if not text[end : end + 1].isalpha() and free(text, at) and (said := _NAME.match(text, end)):
                name = _length(said[1], bool(_RECORD.match(text, said.end())))
                if name:
                    yield "patient_name", said.start(1), said.start(1) + name
            at = text.find(word, end)


def _beside_records(text: str) -> Iterator[Span]:
    """Two words right before what only patients have, at least one of which is no word of the language."""
    for label in _RECORDS:
        at = text.find(label)
        while at >= 0:
            ahead = text[max(0, at - 50) : at].rstrip(" ,(\u00a0")
            if (found := _TWO_BEFORE.search(ahead)) and _OF_RECORD.match(text, max(0, at - 50) + len(ahead)):
                said = found.groups()
                if not any(common(one) or stem(one) in CLINICAL or stem(one) in WORK for one in said) and not all(
                    map(is_word, said)
                ):
                    start = max(0, at - 50) + found.start()
                    yield "patient_name", start, start + len(found[0])
            at = text.find(label, at + 1)


def _length(said: str, record: bool) -> int:
    """How many characters of these words are a name; 0 for none."""
    words = said.split()
    while words and any(map(common, words)):
        words.pop()
    if len(words) < 2:
        return 0
    parts = [part for part in re.split(r"[ .'’-]+", " ".join(words)) if len(part) > 1]
    if any(stem(part) in CLINICAL for part in parts):
        return 0
    named = record or (not is_word(parts[0]) and not (is_word(parts[-1]) and "-" not in words[-1]))
    if len(words) > 2 and not record and is_word(words[-1]):
        words.pop()
    return len(" ".join(words)) if named and parts else 0
