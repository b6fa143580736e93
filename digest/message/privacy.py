"""Patient identifiers in text: numbers, dates of birth, names, addresses, phones, e-mails. Recall comes first.

Every pattern is anchored on a digit, a capital or a cue word, and every repetition is bounded: the time is linear.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digest.models import Hit, Place

_WORD = re.compile(r"[^\W\d_]{2,}")
_NHS = re.compile(r"(?<![\w+.])(?:\d{3}[ \u00a0-]?\d{3}[ \u00a0-]?\d{4})(?![\w]|[.,]\d)")
_NHS_CUE = re.compile(r"\bnhs\b(?:\s*(?:no|num|number|#|id))?[\s.:#(]*(?:is\s*)?$", re.I)
_OTHER_CUE = re.compile(
    r"\b(?:meeting|conference|webinar|zoom|teams|call|passcode|pin|tel|telephone|phone|mobile|mob|fax|bleep|ext|"
    r"dial\w*|isbn|"
    r"isrctn|nct|trial|doi|pmid|invoice|order|charity|company|vat|gmc|nmc|iban|account|sort code|ref)\b[^\n\d]{0,20}$",
    re.I,
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}})|(?:19|20)\d\d-\d\d-\d\d|\d{{1,2}}(?:st|nd|rd|"
    rf"th)?[ -](?:of )?{_MONTH}[ ,-]{{1,2}}(?:\d{{4}}|\d{{2}})\b"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
_DOB = re.compile(
    rf"(?:\bd\.?\s?o\.?\s?b\b\.?|\bdate of birth\b|\bborn(?: on)?(?: the)?\b|\bbirth ?da(?:te|"
    rf"y)\b)[\s:=(–-]{{0,4}}(?:is |was )?({_DATE})",
    re.I,
)
_DATE_NEXT = re.compile(rf"[\s,;(–-]{{1,4}}({_DATE})", re.I)
_NAME = (
    r"[A-Z][a-zà-öø-ÿ]+(?:['’-][A-Z]?[a-zà-öø-ÿ]+)*|[A-Z]['’][A-Z][a-zà-öø-ÿ]+|Ma?c[A-Z][a-zà-öø-ÿ]+|"
    r"[A-Z]{2,}(?:['’-][A-Z]{2,})*"
)
_TITLED = re.compile(
    rf"\b(?:Mrs|Mr|Miss|Ms|Mx|"
    rf"Master)\.?[ \u00a0](?:(?:[A-Z]\.?[ \u00a0]){{0,3}})(?:{_NAME})(?:[ \u00a0](?:{_NAME})){{0,3}}"
)
_WHO = (
    r"(?:patients?|pt|lady|gentleman|gent|woman|man|girl|boy|child|baby|chap|bloke|widow(?:er)?|daughter|son|wife|"
    r"husband|"
    r"mother|father|carer|relative|year[- ]old|y/?o|\d{2}[mf]|of (?:them|these|those|ours|mine|our patients|"
    r"my patients))"
)
_FULL_NAME = rf"(?:{_NAME})(?:[ \u00a0](?:{_NAME})){{1,3}}"
# "my patient Jo Bloggs", "a lady, Jo Bloggs", "one of them is Jo Bloggs"
_NAMED = re.compile(
    rf"\b(?i:{_WHO})\b(?: (?i:called|named|is|was|by the name of|whose name is|patient|lady|gentleman|man|woman)|"
    rf"[,:–-]| \()?"
    rf"[ \u00a0]{{0,2}}({_FULL_NAME})"
)
_NAME_CUE = re.compile(
    rf"\b(?i:(?:patient|pt)(?:'s|’s)? name|name of (?:the )?patient|patient|pt|"
    rf"name)\s?[:=][ \u00a0]{{0,2}}({_FULL_NAME}|[A-Z]{{2,}}, ?(?:{_NAME}))"
)
# A name right before what only a patient has: "Jo Bloggs (DOB …", "Jo Bloggs of 3 High Street", "Jo Bloggs, NHS no …"
_NAME_BEFORE = re.compile(
    rf"\b({_FULL_NAME})[ \u00a0]?[,(–-]?[ \u00a0]{{0,2}}(?:(?i:dob\b|d\.o\.b|date of birth|born\b|nhs (?:no|num|\d)|"
    rf"hosp\w* (?:no|num)|mrn\b)"
    rf"|(?:of|at|from|lives at|living at) \d{{1,4}}[A-Za-z]?,? [A-Z]|\d{{2}}[ -]?(?:yo|y/o|year[- ]old|yrs?)\b)"
)
_POSTCODE = re.compile(r"(?<![A-Za-z0-9])(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? {0,2}\d[ABD-HJLNP-UW-Z]{2})(?![A-Za-z0-9])")
_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Cl|Drive|Dr|Row|Way|Court|Ct|Crescent|Cres|Terrace|Place|Pl|"
    r"Gardens|Gdns|Grove|Hill|"
    r"Square|Sq|Walk|Park|View|Mews|Green|Rise|Parade|Fold|Croft|Gate|Mount|Vale|Meadows?|Cottages?|House|Farm|Yard|"
    r"Wharf|Quay|Bank|End|Brow)"
)
# A house and its street; town and county too when a postcode follows, which is a hit of its own.
_ADDRESS = re.compile(
    rf"\b(?:(?:[Ff]lat|[Aa]partment|[Aa]pt|[Uu]nit) \d{{1,4}}[A-Za-z]?,? )?\d{{1,4}}[A-Za-z]?,? "
    rf"(?:[A-Z][\w'’-]{{1,20}} ){{1,3}}{_STREET}\b\.?"
    r"(?:(?:,? [A-Z][\w'’-]{1,20}(?:[ -][A-Za-z][\w'’-]{1,20}){0,2}){1,3}(?=,? [A-Z]{1,2}\d[A-Z\d]? "
    r"{0,2}\d[A-Z]{2}))?(?!\w)"
)
_HOSPITAL = re.compile(
    r"\b(?i:hospital|hosp|mrn|pas|district|unit|crn|rxr|chi|h&c|case(?:note)?|local patient|pathology|lab|specimen|"
    r"patient)\.?\s?"
    r"(?i:no|num|number|id|identifier|ref|#)?\b[.:#]?[ \u00a0]{0,2}(?i:is |"
    r"was )?((?:[A-Z][A-Z0-9]{0,3}[ \u00a0-]?)?\d{5,10}[A-Z]?)\b"
)
_PHONE = re.compile(
    r"(?<![\w+/.@-])(?:\+44[ \u00a0]?(?:\(0\)[ \u00a0]?)?|0)(?:\d[ \u00a0()-]{0,2}){8,10}\d?(?![\w/]|\.\d)"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_PATIENT = re.compile(
    rf"\b(?i:{_WHO}|she|he|her|his|him|mrs|mr|miss|ms|dob|nhs (?:no|number)|hospital (?:no|number)|next of kin|nok|"
    rf"lives?|living|home)\b"
)
_SURELY = re.compile(
    r"\b(?:patient|pt|mrs|mr|miss|dob|date of birth|nhs (?:no|num)|hospital (?:no|num)|next of kin)\b", re.I
)
_PARAGRAPH = re.compile(r"\n[> ]*\n")
# Numbers of an organisation or a colleague are not a patient's.
_OFFICE = re.compile(
    r"\b(?i:office|switchboard|reception|surgery|practice|secretary|secretaries|helpline|hotline|hub|clinic|team|"
    r"desk|fax|bleep|my|me|us|our|contact|direct|ring us)\b"
)
_ORGANISATION = re.compile(
    r"\b(?i:surgery|practice|medical|health|hospital|clinic|centre|center|trust|alliance|office|registered|college|"
    r"hotel|venue|rooms?|hub|university|icb|house)\b"
)
# Words that begin a sentence or a heading, and things called after people: no names.
_NOT_NAMES = frozenset(
    re.findall(
        r"\w+",
        """the a an i we he she it they this that these those dear hi hello and but or so if when our my your his her
        their no yes not in on at for with from to of by as january february march april may june july august september
        october november december monday tuesday wednesday thursday friday saturday sunday
        nhs gp gps fit fds usc mdc mdt pcn icb des ct mri psa cxr egd ogd nice emis systmone ardens macmillan cancer
        alliance hospital trust clinic surgery practice centre medical royal university north south east west london
        english british scottish welsh irish england wales scotland ireland crohn barrett parkinson hodgkin""",
    )
)
_STAFF = re.compile(
    r"\b(?:surgeons?|consultants?|\w+ologists?|secretary|manager|nurse|director|chair|professor|registrar|"
    r"coordinator|MP|"
    r"lead|colleague|team|clinic|theatre|list|anaesthetist|physician|speaker|minister|judge|under|facebook)\b",
    re.I,
)


def valid_nhs_number(digits: str) -> bool:
    """Whether ten digits pass the check of the NHS Data Dictionary (modulus 11)."""
    if len(digits) != 10 or not digits.isdigit() or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(d) * (10 - i) for i, d in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


@dataclass(frozen=True, slots=True)
class Known:
    """Who is no patient: words of names and whole addresses (all lower case) of members, the author and the lists."""

    names: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str], addresses: Iterable[str]) -> "Known":
        """From names as people write them."""
        words = (word.lower() for name in names for word in _WORD.findall(name))
        return cls(frozenset(words), frozenset(address.lower() for address in addresses))


NOBODY = Known()


def identifiers(text: str, place: Place, known: Known = NOBODY, *, offset: int = 0) -> list[Hit]:
    """Every patient identifier in `text`, in order and without overlap. `offset` is added to the spans."""
    found = [
        *(
            (kind, s, e)
            for finder in (_nhs_numbers, _births, _hospital_numbers, _addresses, _phones)
            for kind, s, e in finder(text)
        ),
        *(("patient_name", s, e) for s, e in _names(text, known.names)),
        *(("email", s, e) for s, e in _emails(text, known.addresses)),
    ]
    found += [("dob", s, e) for s, e in _dates_beside(text, found)]
    return _settled([Hit(kind, place, offset + s, offset + e, text[s:e]) for kind, s, e in found])


def _settled(hits: list[Hit]) -> list[Hit]:
    """In order; what overlaps an earlier or longer hit goes."""
    out: list[Hit] = []
    for hit in sorted(hits, key=lambda h: (h.start, -h.end)):
        if not out or hit.start >= out[-1].end:
            out.append(hit)
    return out


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _nhs_numbers(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _NHS.finditer(text):
        before = text[max(0, match.start() - 40) : match.start()]
        if _NHS_CUE.search(before):
            yield "nhs_number", match.start(), match.end()  # named as one: a wrong digit does not make it harmless
        elif valid_nhs_number(_digits(match[0])) and not _OTHER_CUE.search(before):
            yield "nhs_number", match.start(), match.end()


def _births(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _DOB.finditer(text):
        yield "dob", match.start(1), match.end(1)


def _dates_beside(text: str, found: Iterable[tuple[str, int, int]]) -> Iterator[tuple[int, int]]:
    """A full date right behind a patient's name or number is a date of birth, whether it says so or not."""
    for kind, _, end in found:
        if kind in {"patient_name", "nhs_number", "hospital_number"} and (
            match := _DATE_NEXT.match(text, end, end + 40)
        ):
            yield match.start(1), match.end(1)


def _hospital_numbers(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _HOSPITAL.finditer(text):
        yield "hospital_number", match.start(1), match.end(1)


def _addresses(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _ADDRESS.finditer(text):
        near = text[max(0, match.start() - 80) : match.end() + 10]
        patient = _PATIENT.search(text, max(0, match.start() - 200), min(len(text), match.end() + 120))
        if patient and not _ORGANISATION.search(near):
            yield "address", match.start(), match.end()
    for match in _POSTCODE.finditer(text):
        near = text[max(0, match.start() - 100) : match.end() + 10]
        patient = _PATIENT.search(text, max(0, match.start() - 200), min(len(text), match.end() + 80))
        if patient and not _ORGANISATION.search(near):
            yield "postcode", match.start(), match.end()


def _phones(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _PHONE.finditer(text):
        if len(_digits(match[0])) not in {10, 11, 12}:
            continue
        before = _PARAGRAPH.split(text[max(0, match.start() - 120) : match.start()])[-1]
        line = before.rpartition("\n")[2]
        if (_PATIENT.search(line) or _SURELY.search(before)) and not _OFFICE.search(before[-50:]):
            yield "phone", match.start(), match.start() + len(match[0].rstrip(" ()-\u00a0"))


def _names(text: str, known: frozenset[str]) -> Iterator[tuple[int, int]]:
    for match in _TITLED.finditer(text):
        words = _WORD.findall(match[0])[1:]
        around = text[max(0, match.start() - 40) : match.start()] + "  " + text[match.end() : match.end() + 40]
        if words and not all(w.lower() in known for w in words) and not _STAFF.search(around):
            yield match.start(), match.end()
    for pattern in (_NAMED, _NAME_CUE, _NAME_BEFORE):
        for match in pattern.finditer(text):
            words = [w.lower() for w in _WORD.findall(match[1])]
            if len(words) > 1 and not set(words) & _NOT_NAMES and not all(w in known for w in words):
                yield match.start(1), match.end(1)


def _emails(text: str, own: frozenset[str]) -> Iterator[tuple[int, int]]:
    domains = {address.rpartition("@")[2] for address in own}
    for match in _EMAIL.finditer(text):
        address = match[0].lower().rstrip(".")
        before = text[max(0, match.start() - 80) : match.start()]
        if address.rpartition("@")[2] not in domains and _PATIENT.search(before) and not _OFFICE.search(before):
            yield match.start(), match.end()
