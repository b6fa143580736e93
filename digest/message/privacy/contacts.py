"""Addresses, postcodes, phone numbers and e-mail addresses: a patient's, not an organisation's or a colleague's."""

import re
from collections.abc import Iterable, Iterator, Sequence

from digest.message.privacy.context import (
    DASH,
    GAP,
    STREET,
    UPPER,
    WHO,
    Span,
    around,
    free,
    near,
    of_a_colleague,
    of_an_office,
    of_an_organisation,
    of_one_patient,
    sentence,
)
from digest.message.privacy.numbers import digits

# --- houses ----------------------------------------------------------------------------------------------------------
_CAPITAL = rf"[{UPPER}][\w'’.-]{{0,24}}"
_NUMBER = rf"\d{{1,4}}[A-Za-z]?(?:{GAP}?[-/–]{GAP}?\d{{1,4}})?"
_NAMED = rf"(?:(?:The{GAP})?{_CAPITAL}(?:{GAP}{_CAPITAL}){{0,2}},{GAP}?\n?)"
_FLAT = rf"(?:(?:[Ff]lat|[Aa]partment|[Aa]pt|[Uu]nit|[Rr]oom){GAP}{_NUMBER},?{GAP}?\n?)"
#: Town and county too when a postcode follows, which is a hit of its own.
_TOWN = (
    rf"(?:(?:,?(?:{GAP}|\n)|,){_CAPITAL}(?:[ -][A-Za-z][\w'’-]{{1,20}}){{0,2}}){{1,3}}"
    rf"(?=,?(?:{GAP}|\n){{1,2}}[A-Z]{{1,2}}\d[A-Z\d]?{GAP}{{0,2}}\d[A-Z]{{2}})"
)
_ADDRESS = re.compile(
    rf"{_FLAT}?{_NAMED}{{0,2}}{_NUMBER},?{GAP}(?:{_CAPITAL}{GAP}){{1,3}}{STREET}\b\.?(?:{GAP}(?:North|South|East|"
    rf"West)\b)?(?:{_TOWN})?(?!\w)|"
    rf"{_FLAT}?{_NAMED}{{1,2}}(?:{_CAPITAL}{GAP}){{1,3}}{STREET}\b(?:{_TOWN})?(?!\w)"
)
#: Streets of one word, and "The Crescent": a house only where somebody lives there.
_HOUSE = re.compile(r"[\d,]")
_STREETS = re.compile(STREET + r"\b")
_FLAT_BEFORE = re.compile(rf"{_FLAT}$")
_ODD = re.compile(
    rf"\d\d{{0,3}}[A-Za-z]?,?{GAP}(?:The{GAP}{_CAPITAL}|{_CAPITAL}(?:way|gate|side|wood|field|croft|dale|bank|"
    rf"well))(?!\w)"
)
_LIVES = re.compile(
    rf"\b(?:lives?|living|resid\w+|moved|address(?:{GAP}\w+){{0,4}}|of|from){GAP}?(?:at|in|from|to|is|was|"
    rf":)?[\s:,]{{0,3}}$",
    re.I,
)
_ADDRESS_IS = re.compile(
    rf"\b(?:(?:home|old|new|his|her|their|patient(?:['’]s)?|previous|current){GAP})?address"
    rf"(?:{GAP}on{GAP}(?:the{GAP}|her{GAP}|his{GAP})?\w+)?(?:{GAP}(?:is|was)|{GAP}?:|{GAP}?,){GAP}{{0,3}}$",
    re.I,
)
_HOME = re.compile(rf"\b(?:{WHO}|pt|mrs|mr|miss|ms|he|she|his|her|lives|living|lived|resid\w+|home)\b(?!s)", re.I)
#: A house without number or street, as in Wales: "her address is Ty Gwyn, Heol y Bryn, SA1 1AA".
_LABELLED = re.compile(
    rf"\b(?:home|his|her|their|patient['’]s|new|old){GAP}address(?:{GAP}(?:is|was)|{GAP}?:){GAP}{{1,3}}"
    rf"({_CAPITAL}(?:[ ,]{{1,2}}[\w'’.-]{{1,24}}){{1,9}}?)(?=,?{GAP}[A-Z]{{1,2}}\d[A-Z\d]?{GAP}{{0,2}}\d[A-Z]{{2}})",
    re.I,
)
#: A farm, a cottage, a hostel, where somebody lives: "They're at Pen-y-Bont, Chapel Road", "of Higher Fold Farm".
_PLACE = (
    rf"(?:(?:[Tt]he|[Nn]r\.?|[Bb]y|[Nn]ear|[Cc]/o){GAP})?(?:(?:[Ff]lat|[Pp]itch|[Rr]oom|[Cc]roft|[Pp]lot|[Bb]erth|[Uu]nit|"
    rf"[Nn]o\.?|[Nn]umber){GAP}(?:[Nn]o\.?{GAP})?)?(?:\d{{1,4}}[A-Za-z]?{GAP})?"
)
_WORDLIKE = rf"(?![A-Z]{{1,2}}\d){_CAPITAL}"
_PLACES = rf"{_PLACE}{_WORDLIKE}(?:{GAP}{_WORDLIKE}|{GAP}\d{{1,4}}){{0,3}}"
_STAYS = re.compile(
    rf"(?:(?:[Ll]ives?|[Ll]iving|[Ll]ived|[Rr]esid\w+|[Ss]tay(?:s|ing)|[Mm]oved|[Hh]ome|(?:[Tt]hey|[Hh]e|[Ss]he)(?:['’](?:re|s)|{GAP}(?:are|is|was))|[Vv]isited{GAP}(?:her|him)|"
    rf"[Aa]ddress(?:{GAP}on{GAP}\w+)?(?:{GAP}(?:is|was))?[\"”]?:?|[Ww]r(?:ite|ote|itten)|[Ss]ent|[Gg]one|[Pp]osted|[Rr]eturned|drove|went)"
    rf"(?:{GAP}(?!(?:in|at|over|to|from|is|was)\b)[\w’'-]+){{0,5}}?(?:{GAP}(?:in|at|over|above|to|from|is|was|with))?|(?:^|[.;]{GAP})(?:[Ii]t['’]s|[Tt]hat['’]s)){GAP}"
    rf"(?=(?:[Tt]he{GAP})?{_PLACES},)({_PLACES}(?:,{GAP}{_PLACES}){{1,3}})"
)
#: What `_STAYS` needs, and is quicker to look for: a comma between two places.
_BETWEEN = re.compile(
    rf"\b[{UPPER}\d][\w'’.-]{{0,24}},{GAP}"
    rf"(?=(?:(?:[Tt]he|[Nn]r\.?|[Bb]y|[Nn]ear|[Cc]/o){GAP})?(?:[a-z]{{2,6}}\.?{GAP})?[{UPPER}\d])"
)
_HOUSES = (
    "Farm",
    "Cottage",
    "Lodge",
    "Barn",
    "Bungalow",
    "Croft",
    "Rectory",
    "Vicarage",
    "Hostel",
    "Caravan",
    "Manor",
    "Villa",
    "Almshouse",
)
_HOUSE_OF = re.compile(
    rf"(?:\bof|\bat|,|\(){GAP}"
    rf"((?:[Tt]he{GAP})?{_CAPITAL}(?:{GAP}{_CAPITAL}){{0,2}}{GAP}(?:{'|'.join(_HOUSES)})s?(?:{GAP}Park)?"
    rf"(?:,{GAP}{_PLACES}){{0,2}})"
)
_IN_BRACKETS = re.compile(rf"[(](The{GAP}{_CAPITAL}(?:,{GAP}{_PLACES}){{1,3}})[)]")
_POSTCODE = re.compile(r"\d[A-Za-z\d]? {0,2}\d[A-Za-z]{2}(?![A-Za-z0-9])")  # from its first digit: that is quicker

# --- phones ----------------------------------------------------------------------------------------------------------
_PHONE = re.compile(
    rf"[+0(](?:(?<=\+)\d|(?<=\()0|)(?:{GAP}|[().{DASH}]){{0,2}}(?:\d(?:{GAP}|"
    rf"[().{DASH}]){{0,2}}){{8,12}}\d?(?![\w/]|\.\d)"
)
#: Geographic and mobile numbers, and those of other countries. Freephone, business and premium numbers (Ofcom's
#: National Telephone Numbering Plan) are nobody's own.
_PERSONAL = re.compile(r"(?:0044|44|\+44)0?[127]|0[127]|\+(?!44)[1-9]|00(?!44)[1-9]")
_MOBILE = re.compile(r"(?:0044|44|\+44)?0?7")
_SIGNED_OFF = re.compile(
    rf"\n[>| ]*(?:m|t|p|h|w|tel|mob|mobile|phone|telephone|direct|office|work|cell)\b\.?{GAP}?[:.]?{GAP}{{0,3}}$", re.I
)
_FROM = ("from ", "off ", "on ")
_LABEL = re.compile(r"(?<!his )(?<!her )(?<!their )\b(?:m|t|tel|mob|mobile|phone)\W{0,3}$", re.I)
#: "One of mine wrote to me from …", "we had one back from …".
_CAME_FROM = re.compile(
    rf"\b(?:wrote|writes|written|writing|e-?mailed|messaged|texted|replied|rang|rings|phoned|contacted|"
    rf"came|comes|come|one{GAP}back|reply|texts?|calls?|voicemails?|e-?consults?)\b(?:{GAP}\w+){{0,5}}{GAP}(?:from|off|on){GAP}$",
    re.I,
)
_THEIRS = re.compile(
    rf"{GAP}?[,(]?{GAP}?(?:as |is |was )?\(?(?:his|her|their|the patient|patient|{WHO}\)|nok\b|"
    rf"wife|husband|son|daughter|mum|dad|mother|father)",
    re.I,
)

# --- e-mail ----------------------------------------------------------------------------------------------------------
_MAIL_TAIL = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
#: Mailboxes of a function (RFC 2142 and custom), and the domains of public bodies.
_FUNCTION = re.compile(
    r"(?:^|[._+-])(?:info|admin|office|enquir\w+|contact|feedback|help|helpdesk|support|appointments?|bookings?|"
    r"referrals?|hub|"
    r"team|clinic|secretar\w+|reception|practice|surgery|pals|complaints|results|lab|pathology|cancer|2ww|usc|fit|"
    r"noreply|"
    r"no-reply|postmaster|list|digest|newsletter|communications|comms|events|training|research|"
    r"screening)(?:[._+-]|$)",
    re.I,
)
_PUBLIC = re.compile(r"(?:^|\.)(?:nhs\.(?:net|uk|scot|wales)|gov\.uk|ac\.uk|police\.uk|parliament\.uk)$", re.I)
#: Where anybody can have a mailbox, patients and members alike: the large providers' and those named after mail.
_ANYBODYS = re.compile(
    r"(?:^|\.)(?:gmail|googlemail|hotmail|outlook|live|msn|yahoo|ymail|rocketmail|icloud|me|mac|aol|btinternet|"
    r"btopenworld|sky|virgin|virginmedia|talktalk|ntlworld|blueyonder|tiscali|plus|proton|protonmail|pm|gmx|fastmail|"
    r"zoho|hey|yandex|o2|orange|eircom|(?:web|e|my)?mail)\.[\w.-]+$",
    re.I,
)
_ACTS = re.compile(
    r"\b(?:write|writes|wrote|e-?mail|mail|reply|contact|send|sends|copy|ask|asked)(?: (?:it|them|this|us|me|"
    r"details|to|in|on|at|"
    r"an e-?mail))*:?\s{0,2}$",
    re.I,
)


_OWN_MAIL = re.compile(
    rf"\b(?:(?:{WHO})(?:['’]s)?|his|her|their|own|personal|home|['’]s){GAP}e-?mail(?:{GAP}address)?(?:{GAP}(?:is|"
    rf"was))?:?{GAP}{{0,2}}$",
    re.I,
)
#: "… wrote back within the minute", "… e-mails me daily".
_OF_A_SENDER = re.compile(
    rf",?{GAP}(?:wrote|writes|replied|e-?mail(?:s|ed){GAP}(?:me|us|back)|messaged|asked{GAP}(?:me|us|whether|if|for)|came{GAP}back)\b(?!:)"
)
#: The lines above a quote name correspondents.
_HEADING = re.compile(r"(?:^|\n)[>| ]*\*?(?:(?:from|to|cc|bcc|on)\b|[\w-]{2,20}: )[^\n]*$", re.I)


def addresses(text: str, marks: Sequence[Span] = (), of_patients: bool = True) -> Iterator[Span]:
    """A house and its street where one patient is spoken of. `marks`: what only patients have, found before.

    `of_patients`: whether the text speaks of any.
    """
    reached = 0
    for street in _STREETS.finditer(text):
        if street.start() < reached or not free(text, street.start()):
            continue
        if not _HOUSE.search(text, max(reached, street.start() - 90), street.start()):
            continue  # neither a number nor the comma behind a house's name
        for match in _ADDRESS.finditer(text, max(reached, street.start() - 90), street.end() + 110):
            start, end = match.span()
            if start < street.start() < end:
                house = match[0][: street.start() - start]
                named = re.split(r"\d", house, maxsplit=1)[0]  # "Elm Tree Surgery, 3 ": whose house it is
                behind = max((e for _, s, e in marks if start <= s and e < street.start()), default=start)
                if behind > start:  # "Mr Jo Bloggs, 3 Mill Lane" is no house called after him
                    start = street.start() - len(text[behind : street.start()].lstrip(" ,(\n"))
                if free(text, start) and not of_an_organisation(named) and _private(text, start, end, marks):
                    yield "address", start, end
                reached = end
    if "address" in text:
        for match in _LABELLED.finditer(text):
            if not of_an_organisation(match[0]):
                yield "address", *match.span(1)
    if marks or of_patients:
        for match in _homes(text):
            start, end = match.span(1)
            said = text[max(0, start - 200) : start]
            if of_an_organisation(match[0]) or _NO_HOME.search(text, start, end):
                continue
            if near(marks, start, end, 200, 60) or of_one_patient(said) or of_one_patient(text[end : end + 60]):
                yield "address", start, end
    for match in _ODD.finditer(text):
        start, end = match.span()
        if free(text, start) and _LIVES.search(text[max(0, start - 50) : start]) and _private(text, start, end, marks):
            flat = _FLAT_BEFORE.search(text, max(0, start - 24), start)
            yield "address", flat.start() if flat else start, end


def _homes(text: str) -> Iterator[re.Match[str]]:
    """Places that may be a home without a number or a street; group 1 is the place."""
    reached = 0
    for comma in _BETWEEN.finditer(text):
        if comma.start() < reached:
            continue
        for match in _STAYS.finditer(text, max(reached, comma.start() - 200), comma.end() + 200):
            yield match
            reached = match.end()
    if any(house in text for house in _HOUSES):
        yield from _HOUSE_OF.finditer(text)
    if "(The" in text:
        yield from _IN_BRACKETS.finditer(text)


#: Towns and institutions alone are no home: months and days least of all.
_NO_HOME = re.compile(
    r"\b(?:NHS|A&E|ED|GP|CT|MRI|MDT|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|June|"
    r"July|August|September|October|November|December|Royal|Infirmary|Cancer|Alliance|Dr|Prof|Mr|Mrs|Ms|Miss|FIT|ICB|PCN)\b"
)


def postcodes(text: str, houses: Sequence[Span] = (), marks: Sequence[Span] = ()) -> Iterator[Span]:
    """A full postcode where one patient is spoken of, or below one of the `houses`."""
    for match in _POSTCODE.finditer(text):
        start, end = match.start(), match.end()
        while start > 0 and match.start() - start < 2 and text[start - 1].isascii() and text[start - 1].isalpha():
            start -= 1
        code = text[start:end]
        if start == match.start() or not free(text, start):
            continue
        if (code == code.upper() or (code == code.lower() and " " in code)) and (
            any(above <= start < above + 60 for _, _, above in houses) or _private(text, start, end, marks)
        ):
            yield "postcode", start, end


def _private(text: str, start: int, end: int, marks: Sequence[Span]) -> bool:
    """Whether a place is spoken of as a patient's, and not as an organisation's."""
    label = text[max(0, start - 50) : start]
    if _ADDRESS_IS.search(label) and not of_an_organisation(label):
        return True
    if near(marks, start, end, 30, 30):
        return True
    said, after = sentence(text, start, end, 160, 70)
    if of_an_organisation(said[-80:]) or of_an_organisation(after[:12]):
        return False
    return bool(_HOME.search(said)) or of_one_patient(after)


def phones(text: str, marks: Sequence[Span] = (), staff: Sequence[Span] = ()) -> Iterator[Span]:
    """A phone number to reach one patient by. `staff`: where colleagues are named."""
    for match in _PHONE.finditer(text):
        start = match.start()
        number = ("+" if match[0][0] == "+" else "") + digits(match[0])
        if not free(text, start, "+/.@-") or not 10 <= len(number) <= 15 or not _PERSONAL.match(number):
            continue
        end = start + len(match[0].rstrip(" ().-\u00a0"))
        said, after = sentence(text, start, end, 120, 40)
        line = said.rpartition("\n")[2] if said.count("\n") > 1 else said
        if _SIGNED_OFF.search(said) and not said[: said.rfind("\n") + 1].rstrip().endswith((":", ",")):
            line = ""  # "M: 07700 900000" on a line of its own is a signature's, unless a name or a birth is near
        # Organisations answer landlines.
        if of_a_colleague(line[-60:]) or (not _MOBILE.match(number) and of_an_office(line[-60:])):
            continue
        if near(staff, start, start, 90, 0) and not near(marks, start, end, 90, 30):
            continue
        theirs = _THEIRS.match(after) or (_MOBILE.match(number) and _CAME_FROM.search(said))
        mobile = (
            _MOBILE.match(number)
            and not _LABEL.search(said)
            and of_one_patient(f"{text[max(0, start - 160) : start]} {after}")
        )
        told = near(marks, start, end, 60, 30) or (mobile and near(marks, start, end, 200, 60))
        if of_one_patient(line) or theirs or told:
            yield "phone", start, end


def organisations(addresses: Iterable[str]) -> frozenset[str]:
    """The domains of addresses, but for those where anybody has a mailbox."""
    domains = {address.rpartition("@")[2] for address in addresses}
    return frozenset(domain for domain in domains if not _ANYBODYS.search(domain))


def emails(
    text: str,
    own: frozenset[str],
    domains: frozenset[str],
    marks: Sequence[Span] = (),
    staff: Sequence[Span] = (),
) -> Iterator[Span]:
    """An e-mail address of one patient, spoken of as such or right behind one of the `marks`.

    `own`, `domains`: addresses of members and the lists, and of organisations. `staff`: where colleagues are named.
    """
    at = text.find("@")
    while at >= 0:
        start = at
        while start > max(0, at - 64) and (text[start - 1].isalnum() or text[start - 1] in "_.+'-"):
            start -= 1
        tail = _MAIL_TAIL.match(text, at + 1)
        if (
            start < at
            and tail
            and tail[0].lower() not in domains
            and text[start : tail.end()].lower() not in own
            and (near(marks, start, start, 3, 0) or not near(staff, start, start, 90, 0))
            and (near(marks, start, start, 3, 0) or _theirs(text, start, at, tail.end()))
        ):
            yield "email", start, tail.end()
        at = text.find("@", at + 1)


def _theirs(text: str, start: int, at: int, end: int) -> bool:
    """Whether an e-mail address is spoken of as one patient's."""
    if _PUBLIC.search(text[at + 1 : end]) or _FUNCTION.search(text[start:at]):
        return False
    said, after = sentence(text, start, end, 100, 40)
    if said.endswith(_FROM) and _CAME_FROM.search(said) and not of_an_office(said[-50:]) and not of_a_colleague(said):
        return True
    if _OF_A_SENDER.match(text, end):
        return True
    if not of_one_patient(" ".join(around(text, start, end, 100, 40))):
        return False
    if _OWN_MAIL.search(said):
        return True
    heading = text[start - 1 : start] == "<" and _HEADING.search(said)
    return not (
        of_an_office(said[-50:]) or of_a_colleague(said[-50:]) or _ACTS.search(said) or heading
    ) and of_one_patient(f"{said} {after}")
