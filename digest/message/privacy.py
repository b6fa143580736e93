"""Patient identifiers in text: numbers, dates of birth, names, addresses, phones, e-mails. Recall comes first.

Candidates are found by patterns that start with a digit, a capital or "@", and then judged by the words around them.
Every repetition is bounded and every window has a fixed size, so the time is linear in the text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from digest.nouns import Hit, Place

Span = tuple[str, int, int]  # type, start, end

_WORD = re.compile(r"[^\W\d_]{2,}")
_GAP = r"[ \u00a0]"

# --- numbers -----------------------------------------------------------------------------------------------------
_NHS = re.compile(rf"\d\d\d(?:{_GAP}|-)?\d\d\d(?:{_GAP}|-)?\d\d\d\d(?![\w]|[.,]\d)")
_NHS_CUE = re.compile(r"\bnhs\b(?:\s*(?:no|num|number|#|id))?[\s.:#(]{0,4}(?:is\s)?$", re.I)
_OTHER_CUE = re.compile(
    r"\b(?:meeting|conference|webinar|zoom|teams|call|passcode|pin|tel|telephone|phone|mobile|mob|fax|bleep|ext|"
    r"dial\w*|"
    r"isbn|isrctn|nct|trial|doi|pmid|invoice|order|charity|company|vat|gmc|nmc|iban|account|sort code|"
    r"ref)\b[^\n\d]{0,20}$",
    re.I,
)
_LONG_NUMBER = re.compile(r"\d\d\d\d\d\d{0,5}[A-Z]?(?!\w)")
_HOSPITAL_CUE = re.compile(
    r"\b(?:hospital|hosp|mrn|pas|district|unit|crn|rxr|chi|h&c|case(?:note)?|local patient|pathology|lab|specimen|"
    r"patient)"
    rf"\.?\s?(?:no|num|number|id|identifier|ref|#)?\b[.:#]?{_GAP}{{0,2}}(?:is |"
    rf"was )?((?-i:[A-Z][A-Z0-9]{{0,3}}[ \u00a0-]?)?)$",
    re.I,
)
_PHONE = re.compile(r"(?:\+44(?:[ \u00a0]?\(0\))?|0)[ \u00a0()-]{0,2}(?:\d[ \u00a0()-]{0,2}){8,10}\d?(?![\w/]|\.\d)")
_POSTCODE = re.compile(r"[A-Z][A-Z]?\d[A-Z\d]? {0,2}\d[A-Z]{2}(?![A-Za-z0-9])")

# --- dates -------------------------------------------------------------------------------------------------------
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_DATE = (
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}})|(?:19|20)\d\d-\d\d-\d\d|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?[ -](?:of )?{_MONTH}[ ,-]{{1,2}}(?:\d{{4}}|\d{{2}})\b|{_MONTH} \d{{1,2}}(?:st|nd|rd|"
    rf"th)?,? \d{{4}})"
)
_DOB = re.compile(
    rf"(?:d\.?\s?o\.?\s?b\b\.?|date of birth\b|born(?: on)?(?: the)?\b|birth ?da(?:te|y)\b)[\s:=(–-]{{0,4}}(?:is |"
    rf"was )?({_DATE})",
    re.I,
)
_BIRTH = ("dob", "d.o", "d o", "birth", "born")
_DATE_NEXT = re.compile(rf"[\s,;(–-]{{1,4}}({_DATE})", re.I)

# --- names -------------------------------------------------------------------------------------------------------
_NAME = (
    r"[A-Z](?:[a-zà-öø-ÿ]{1,30}(?:['’-][A-Z]?[a-zà-öø-ÿ]{1,30}){0,3}|"
    r"['’][A-Z][a-zà-öø-ÿ]{1,30}(?:-[A-Z][a-zà-öø-ÿ]{1,30})?|"
    r"a?c[A-Z][a-zà-öø-ÿ]{1,30}|"
    r"[A-Z]{1,30}(?:['’-][A-Z]{1,30}){0,3})(?!\w)"
)
_FULL_NAME = re.compile(rf"[A-Z]{{2,30}}(?:['’-][A-Z]{{1,30}}){{0,3}}, ?{_NAME}|{_NAME}(?:{_GAP}{_NAME}){{1,4}}")
_TITLED = re.compile(rf"M(?:rs|r|iss|s|x|aster)\.?{_GAP}(?:[A-Z]\.?{_GAP}){{0,3}}{_NAME}(?:{_GAP}{_NAME}){{0,3}}")
_WHO = (
    r"(?:patients?|pt|lady|gentleman|gent|woman|man|girl|boy|child|baby|chap|bloke|widow(?:er)?|daughter|son|wife|"
    r"husband|"
    r"mother|father|carer|relative|year[- ]old|y/?o|\d{2}[mf]|of (?:them|these|those|ours|mine|our patients|"
    r"my patients))"
)
# "my patient Jo Bloggs", "a lady, Jo Bloggs", "one of them is Jo Bloggs", "patient's name: Jo Bloggs"
_WHO_BEFORE = re.compile(
    rf"\b(?:{_WHO}(?:,? (?:called|named|is|was|by the name of|whose name is|patient|lady|gentleman|man|woman)|[,:–-]|"
    rf" \()?"
    rf"|(?:(?:patient|pt)(?:'s|’s)? name|name of (?:the )?patient|patient|pt|name)\s?[:=]){_GAP}{{0,2}}$",
    re.I,
)
# … or right before what only a patient has: "(DOB …", "of 3 High Street", ", NHS no …", ", 74 year old"
_PATIENT_BEHIND = re.compile(
    rf"{_GAP}?[,(–-]?{_GAP}{{0,2}}(?:(?i:dob\b|d\.o\.b|date of birth|born\b|nhs (?:no|num|\d)|hosp\w{{0,5}} (?:no|"
    rf"num)|mrn\b)"
    r"|(?:of|at|from|lives at|living at) \d{1,4}[A-Za-z]?,? [A-Z]|(?:aged )?\d{2}[ -]?(?:yo\b|y/o|year[- ]old|yrs?\b))"
)
_TRAILS = re.compile(r"[ \u00a0](?:DOB|NHS|MRN|Born|Date|Hospital|Hosp|Aged)$")
_LEADS = frozenset(("patient", "pt", "lady", "name", "re", "mum", "dad"))
_STAFF = re.compile(
    r"\b(?:surgeons?|consultants?|\w{1,20}ologists?|secretary|manager|nurse|director|chair|professor|registrar|"
    r"coordinator|"
    r"mp|lead|colleague|team|clinic|theatre|list|anaesthetist|physician|speaker|minister|judge|under)\b",
    re.I,
)
# Words that begin a sentence or a heading, and things called after people: no names.
_NOT_NAMES = frozenset(
    _WORD.findall(
        """the an we he she it they this that these those dear hi hello and but or so if when our my your his her their
        no yes not in on at for with from to of by as january february march april may june july august september
        october november december monday tuesday wednesday thursday friday saturday sunday
        nhs gp gps fit fds usc mdc mdt pcn icb des ct mri psa cxr egd ogd nice emis systmone ardens macmillan cancer
        alliance hospital trust clinic surgery practice centre medical royal university north south east west london
        english british scottish welsh irish england wales scotland ireland crohn barrett parkinson hodgkin"""
    )
)

# --- places and addresses ----------------------------------------------------------------------------------------
_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Close|Cl|Drive|Dr|Row|Way|Court|Ct|Crescent|Cres|Terrace|Place|Pl|"
    r"Gardens|"
    r"Gdns|Grove|Hill|Square|Sq|Walk|Park|View|Mews|Green|Rise|Parade|Fold|Croft|Gate|Mount|Vale|Meadows?|Cottages?|"
    r"House|"
    r"Farm|Yard|Wharf|Quay|Bank|End|Brow)"
)
# A house and its street; town and county too when a postcode follows, which is a hit of its own.
_ADDRESS = re.compile(
    rf"\d\d?\d?\d?[A-Za-z]?,? (?:[A-Z][\w'’-]{{1,20}} ){{1,3}}{_STREET}\b\.?"
    r"(?:(?:,? [A-Z][\w'’-]{1,20}(?:[ -][A-Za-z][\w'’-]{1,20}){0,2}){1,3}"
    r"(?=,? [A-Z]{1,2}\d[A-Z\d]? {0,2}\d[A-Z]{2}))?(?!\w)"
)
_FLAT = re.compile(r"(?:[Ff]lat|[Aa]partment|[Aa]pt|[Uu]nit) (?:\d{1,4}[A-Za-z]?,? )?$")
_MAIL_TAIL = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_MAIL_HEAD = re.compile(r"[\w.+-]{1,64}$")

# --- what surrounds them -----------------------------------------------------------------------------------------
_PATIENT = re.compile(
    rf"\b(?:{_WHO}|she|he|her|his|him|mrs|mr|miss|ms|dob|nhs (?:no|number)|hospital (?:no|number)|next of kin|nok|"
    rf"lives?|"
    r"living|home)\b",
    re.I,
)
_SURELY = re.compile(
    r"\b(?:patient|pt|mrs|mr|miss|dob|date of birth|nhs (?:no|num)|hospital (?:no|num)|next of kin)\b", re.I
)
# Numbers of an organisation or a colleague are not a patient's.
_OFFICE = re.compile(
    r"\b(?:office|switchboard|reception|surgery|practice|secretary|secretaries|helpline|hotline|hub|clinic|team|desk|"
    r"fax|"
    r"bleep|my|me|us|our|contact|direct)\b",
    re.I,
)
_ORGANISATION = re.compile(
    r"\b(?:surgery|practice|medical|health|hospital|clinic|centre|center|trust|alliance|office|registered|college|"
    r"hotel|"
    r"venue|rooms?|hub|university|icb)\b",
    re.I,
)
_PARAGRAPH = re.compile(r"\n[> ]*\n")


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

    def also(self, names: Iterable[str], addresses: Iterable[str]) -> "Known":
        """With more people."""
        more = Known.of(names, addresses)
        return Known(self.names | more.names, self.addresses | more.addresses)


NOBODY = Known()


def valid_nhs_number(digits: str) -> bool:
    """Whether ten digits pass the check of the NHS Data Dictionary (modulus 11)."""
    if len(digits) != 10 or not digits.isdecimal() or len(set(digits)) == 1:
        return False
    check = 11 - sum(int(d) * (10 - i) for i, d in enumerate(digits[:9])) % 11
    return check % 11 == int(digits[9]) and check != 10


def identifiers(text: str, place: Place, known: Known = NOBODY, *, offset: int = 0) -> list[Hit]:
    """Every patient identifier in `text`, in order and without overlap. `offset` is added to the spans."""
    found: list[Span] = [*_names(text, known.names), *_emails(text, known.addresses), *_births(text)]
    for finder in (_nhs_numbers, _hospital_numbers, _addresses, _postcodes, _phones):
        found += finder(text)
    found += list(_dates_beside(text, found))
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


def _free(text: str, start: int, also: str = "") -> bool:
    """Whether nothing that belongs to a word or a longer number stands right before `start`."""
    return start == 0 or not (text[start - 1].isalnum() or text[start - 1] in "_" + also)


def _before(text: str, start: int, size: int) -> str:
    return text[max(0, start - size) : start]


def _nhs_numbers(text: str) -> Iterator[Span]:
    for match in _NHS.finditer(text):
        start, end = match.span()
        if not _free(text, start, "+."):
            continue
        before = _before(text, start, 40)
        if _NHS_CUE.search(before):
            yield "nhs_number", start, end  # named as one: a wrong digit does not make it harmless
        elif valid_nhs_number(_digits(match[0])) and not _OTHER_CUE.search(before):
            yield "nhs_number", start, end


def _births(text: str) -> Iterator[Span]:
    low = text.lower()
    if not any(cue in low for cue in _BIRTH):
        return
    for match in _DOB.finditer(text):
        if _free(text, match.start()):
            yield "dob", match.start(1), match.end(1)


def _dates_beside(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """A full date right behind a patient's name or number is a date of birth, whether it says so or not."""
    for kind, _, end in found:
        if kind in {"patient_name", "nhs_number", "hospital_number"} and (
            match := _DATE_NEXT.match(text, end, end + 40)
        ):
            yield "dob", match.start(1), match.end(1)


def _hospital_numbers(text: str) -> Iterator[Span]:
    for match in _LONG_NUMBER.finditer(text):
        cue = _HOSPITAL_CUE.search(_before(text, match.start(), 40))
        if cue:
            yield "hospital_number", match.start() - len(cue[1]), match.end()


def _addresses(text: str) -> Iterator[Span]:
    for match in _ADDRESS.finditer(text):
        if _free(text, match.start()) and _private(text, match.start(), match.end()):
            flat = _FLAT.search(_before(text, match.start(), 24))
            yield "address", match.start() - (len(flat[0]) if flat else 0), match.end()


def _postcodes(text: str) -> Iterator[Span]:
    for match in _POSTCODE.finditer(text):
        if _free(text, match.start()) and _private(text, match.start(), match.end()):
            yield "postcode", match.start(), match.end()


def _private(text: str, start: int, end: int) -> bool:
    """Whether a place is spoken of as a patient's, and not as an organisation's."""
    return bool(_PATIENT.search(text, max(0, start - 200), end + 120)) and not _ORGANISATION.search(
        text, max(0, start - 80), end + 10
    )


def _phones(text: str) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        if not _free(text, match.start(), "+/.@-") or len(_digits(match[0])) not in {10, 11, 12, 13}:
            continue
        before = _PARAGRAPH.split(_before(text, match.start(), 120))[-1]
        line = before.rpartition("\n")[2]
        if (_PATIENT.search(line) or _SURELY.search(before)) and not _OFFICE.search(before[-50:]):
            yield "phone", match.start(), match.start() + len(match[0].rstrip(" ()-\u00a0"))


def _names(text: str, known: frozenset[str]) -> Iterator[Span]:
    for match in _TITLED.finditer(text):
        start, end = match.span()
        words = [word.lower() for word in _WORD.findall(match[0])][1:]
        around = f"{_before(text, start, 40)} | {text[end : end + 40]}"
        if words and _free(text, start) and not known.issuperset(words) and not _STAFF.search(around):
            yield "patient_name", start, end
    for match in _FULL_NAME.finditer(text):
        start, end = match.span()
        first = text[start:end].split(None, 1)[0].rstrip(",")
        if first.lower() in _LEADS:  # "Patient Jo Bloggs"
            start += text[start:end].index(" ") + 1
        if trail := _TRAILS.search(text[start:end]):  # "Jo Bloggs DOB"
            end = start + trail.start()
        words = [word.lower() for word in _WORD.findall(text[start:end])]
        if len(words) < 2 or not _NOT_NAMES.isdisjoint(words) or known.issuperset(words) or not _free(text, start):
            continue
        if _WHO_BEFORE.search(_before(text, start, 50)) or _PATIENT_BEHIND.match(text, end):
            yield "patient_name", start, end


def _emails(text: str, own: frozenset[str]) -> Iterator[Span]:
    domains = {address.rpartition("@")[2] for address in own}
    at = text.find("@")
    while at >= 0:
        head = _MAIL_HEAD.search(_before(text, at, 64))
        tail = _MAIL_TAIL.match(text, at + 1)
        if head and tail and tail[0].lower() not in domains:
            start = at - len(head[0])
            before = _before(text, start, 80)
            if _PATIENT.search(before) and not _OFFICE.search(before):
                yield "email", start, tail.end()
        at = text.find("@", at + 1)
