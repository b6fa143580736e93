"""Patients' names: behind a title, behind a word for a patient, or before what only a patient has.

Recall comes first: a titled name is a patient's unless the words around it make it a member's or a colleague's.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from digest.message.privacy import stories
from digest.message.privacy.context import AGE, GAP, LOWER, RECORD, STREET, UPPER, WHO, WHO_WORDS, WORD, Span, free
from digest.message.privacy.no_names import ALSO_SURNAMES, ALSO_WORDS, LEADS, NO_INITIALS, NO_SURNAME, NOT_NAMES

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
    rf"[{UPPER}](?:\.(?:[{UPPER}]\.){{1,2}}|(?:{_CAMEL_REST}|{_REST})(?!\w)\.?){_MORE}{{0,4}}(?:,{GAP}?{_SURNAME})?"
)
_TITLE = r"(?:M(?:rs?|s|x|iss|str|aster|RS?|ISS)|Lady|Lord|Sir|Dame|Revd?|Fr)\b\.?"
_TITLES = re.compile(rf"{_TITLE}(?:{GAP}(?:and|&|/){GAP}{_TITLE})?{GAP}{{1,2}}")
_TITLED = re.compile(
    rf"{_TITLES.pattern}(?:{_INITIAL}{GAP}){{0,3}}(?:{_PARTICLE}{GAP}){{0,2}}"
    rf"(?:{_SURNAME}|{_INITIAL}(?![\w'’])){_MORE}{{0,3}}"
)

# --- what stands before a patient's name -----------------------------------------------------------------------------
_LINK = (
    rf"(?:,?{GAP}(?:of (?:mine|ours)|by the name of|is|was|called|named|known as|whose name is|who is called|"
    rf"I(?:['’]ll| will) call)|"
    rf"{GAP}?[,:–—-]|{GAP}\(|{GAP})"
)
#: "my patient Jo Bloggs", "a lady, Jo Bloggs", "pt: Jo Bloggs", "his wife Jo", "a 52 year old, Jo Bloggs".
_WHO_BEFORE = re.compile(
    rf"\b(?:{WHO}|(?:mother|father|mum|dad|parents?|son|daughter|wife|husband|widow|brother|sister|carer){GAP}of|"
    rf"{AGE}(?:{GAP}{WHO})?)(?:{_LINK}(?:,?{GAP}(?:called|named))?){GAP}{{0,2}}$",
    re.I,
)
_CALLED = re.compile(
    rf"\b(?:{WHO}(?:{GAP}of (?:mine|ours))?,?{GAP}(?:called|named)|(?:patient|"
    rf"pt)(?:['’]s)?{GAP}(?:full{GAP})?name(?:{GAP}is|{GAP}was)?|"
    rf"name{GAP}of{GAP}(?:the{GAP})?patient(?:{GAP}is)?|(?:his|her|their){GAP}name{GAP}(?:is|was)|"
    rf"known{GAP}to{GAP}us{GAP}as|(?:call|calls|called|know|knows){GAP}(?:him|her|them)(?:{GAP}as)?|"
    rf"patient|pt|(?:surname|first{GAP}name|forename|(?:patient|pt|case){GAP}(?:\w|\d\d?|one|two|three|"
    rf"four))(?:{GAP}(?:is|was))?)"
    rf"{GAP}?[:=]?{GAP}{{0,2}}$",
    re.I,
)
#: "my patient Olu", "his wife Maureen", "our lad Jayden": close enough for a first name alone.
_OURS = re.compile(
    rf"\b(?:my|our|his|her|their|one{GAP}of{GAP}my|one{GAP}of{GAP}our|a){GAP}(?:\w+{GAP})?(?:{WHO}|"
    rf"patients)(?:{GAP}of{GAP}(?:mine|ours))?(?:,?{GAP}|{GAP}\()$|"
    rf"(?:^|[.!?\n]{GAP}*)(?:daughter|son|wife|husband|mum|dad|mother|father|brother|sister|granddaughter|grandson){GAP}$|"
    rf"\b(?:pt|"
    rf"px){GAP}?:{GAP}?$|"
    rf"\b{AGE}(?:{GAP}[\w-]+){{0,2}},{GAP}$",
    re.I,
)
#: "the chap I mentioned last time, Jo Bloggs, has …"
_APPOSED = re.compile(rf"\b{WHO}(?:{GAP}[\w'’]+){{0,12}}(?:,{GAP}|{GAP}\()$", re.I)
_ENDS_APPOSED = re.compile(rf"[,)]|{GAP}(?:of|from|has|had|is|was|who|came|died)\b")
_AMONG = re.compile(
    rf"\b(?:one|two|another|some){GAP}of{GAP}(?:them|these|those|ours|mine|our{GAP}\w{{0,12}}{GAP}?patients|"
    rf"my{GAP}\w{{0,12}}{GAP}?patients),?"
    rf"(?:{GAP}(?:is|was|called)){{0,2}}{GAP}$",
    re.I,
)
_SUBJECT = re.compile(r"(?:^|\n)[> ]*(?:re|subject|concerning)\W{1,3}$", re.I)

# --- what stands behind it -------------------------------------------------------------------------------------------
_PATIENT_BEHIND = re.compile(
    rf"['’]?s?\.?{GAP}?(?:\([\w.+-]{{1,64}}@[\w.-]{{1,80}}\))?[,:(|–—-]?{GAP}{{0,2}}(?:(?:{RECORD})|{AGE}(?!{GAP}?(?:weeks?|days|wait|pathway|minutes|"
    rf"years? (?:ago|of|experience|in)))|"
    rf"(?<=[,(])\d\d\)|(?<=,[ \u00a0])\d\d\)|(?:of|at|from|lives at|living at) "
    rf"(?:(?:flat|apartment|apt|room|unit) \w{{1,4}}, ?)?\d{{1,4}}[A-Za-z]?,? (?!(?:Jan|Feb|"
    rf"Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))[A-Z]|is (?:my|our|a) patient\b|"
    rf"(?:is )?one of (?:my|our) patients\b|(?:is )?a patient of (?:mine|ours)\b|my patient\b)",
    re.I,
)
#: A form's next line: "Name: Jo Bloggs", "DOB: …".
_FORM_BEHIND = re.compile(rf"{GAP}*\n[>| ]*(?:{RECORD})", re.I)
_RECORD_BEHIND = re.compile(rf"[,(]?{GAP}?{RECORD}", re.I)
_DIGIT_SOON = re.compile(r"\W{1,3}\d|\.[A-Z]")
#: "Jo Bloggs, 19 Mill Lane", "Sister Jo Bloggs, 999 104 2173": an entry in a list of people.
_ENTRY_BEHIND = re.compile(
    rf"[,(]{GAP}?\(?(?:\d{{3}}[ -]\d{{3}}[ -]\d{{4}}(?!\d)|(?:(?:Flat|Apartment|Apt){GAP}\w{{1,4}},{GAP})?"
    rf"\d{{1,4}}[A-Za-z]?,?{GAP}(?:[{UPPER}][\w'’]+{GAP}){{1,3}}{STREET}\b(?!{GAP}(?:Surgery|Medical|Health|"
    rf"Practice|Clinic)))"
)
#: "Jo Bloggs, 14/03/1953", "BLOGGS Jo, ward 6, 14/03/1953": nothing but a birth lies so far back.
_BIRTH_BEHIND = re.compile(
    rf",?{GAP}\(?(?:[^\W\d]+{GAP}\d{{1,2}},{GAP})?(?:\d\d?[./-]\d\d?[./-](?:19\d\d|200\d|[3-9]\d)|"
    rf"(?:19\d\d|200\d)-\d\d-\d\d|\d\d?(?:st|nd|rd|th)?(?:{GAP}|-)[A-Z][a-z]{{2,8}}(?:{GAP}|-)(?:19\d\d|200\d))(?!\d)"
)
_AGE_BEHIND = re.compile(rf"\.?,?{GAP}?\(?(?:{AGE}|(?:dob{GAP}?)?\d\d?[./-]\d\d?[./-]\d\d)", re.I)
_INITIALS = re.compile(rf"(?:[{UPPER}]\.?{GAP}?){{1,2}}[{UPPER}]\.?(?!\w)")

# --- staff -----------------------------------------------------------------------------------------------------------
_ROLE = (
    r"(?:surgeons?|consultants?|\w{2,20}ologists?|radiographers?|secretar(?:y|ies)|(?<!care )managers?|nurses?|"
    r"sister|matron|"
    r"director|chair(?:man|woman|person)?|professor|registrar|co-?ordinators?|navigators?|mp|minister|judge|lead|"
    r"leads|"
    r"colleagues?|anaesthetists?|physicians?|speaker|president|editor|author|officer|administrator|receptionist|"
    r"practitioner|pharmacist|physio\w*|cns|prescribers?|counsellors?|therapists?|paramedics?|advis[eo]rs?|"
    r"clerks?|gp|fellow|trainee|dean|chief executive|ceo|coroner)"
)
_WORKS = (
    r"(?:clinics?|list|lists|team|secretary|firm|paper|talk|slides?|template|idea|points?|view|views|suggestions?|"
    r"e-?mails?|"
    r"message|theatre|study|work|pathway|service|office|unit|group|question|reply|comment|figures|audit|protocol|"
    r"view)"
)
_STAFF_BEHIND = re.compile(
    rf"(?:{GAP}?[,(–—-]{GAP}?|{GAP}(?:is |was |as )?(?:the|our|a|an|your|my|their|"
    rf"local)?{GAP}?)(?:[\w'’/-]+{GAP}){{0,3}}?{_ROLE}\b|"
    rf"['’]s?{GAP}(?:[\w-]+{GAP}){{0,2}}?{_WORKS}\b|"
    rf"{GAP}(?:runs|leads|chairs|heads|manages){GAP}|"
    rf",?{GAP}who{GAP}(?:also{GAP})?(?:runs?|leads?|chairs?|heads?|manages?|wrote|set|looks{GAP}after|works|"
    rf"teaches|does{GAP}the)\b|"
    rf"{GAP}(?:from|at|of|in){GAP}(?:the{GAP}|our{GAP})?(?:\w[\w'’&]+{GAP}){{0,3}}(?:alliance|macmillan|office|admin|reception|"
    rf"hospice|icb|trust|lab|laboratory|hub|"
    rf"university|college|department|cancer{GAP}research|nhs{GAP}england)\b|"
    rf"{GAP}?\((?:[\w/&-]+{GAP}){{0,3}}(?:\w{{2,20}}ology|ent|breast|colorectal|upper{GAP}gi|surgery|theatres?|"
    rf"palliative(?:{GAP}care)?)\)|"
    rf"{GAP}(?:operate[sd]|presented|presents|lectured|published|advise[sd]|recommends?|reported{GAP}(?:it|the|on)|"
    rf"chaired|led|wrote|"
    rf"examined{GAP}(?:her|him)|did{GAP}the{GAP}(?:operation|scope|biopsy|list|clinic)|"
    rf"is{GAP}happy{GAP}to{GAP}(?:take|see|accept|advise|discuss|help))\b|"
    rf"(?:{GAP}(?:in|at|from){GAP}[{UPPER}]\w+)?{GAP}(?:does|takes|sees|reports|will{GAP}(?:see|take|do|call)){GAP}"
    rf"(?:these|those|them|ours|all|most|any|patients|referrals|calls)\b|"
    rf"(?:['’]s)?(?:{GAP}\w+)?{GAP}?[,(–—-]{GAP}?(?:she|he)(?:['’]s|{GAP}is)?{GAP}(?:our|the|heads|runs|leads|chairs|"
    rf"manages)\b|"
    rf"{GAP}(?:ward|wing|suite|centre|unit|hospital|hospice|house|clinic|school|trust|foundation)\b|"
    rf"{GAP}?[<\[(](?:mailto:)?[\w.+-]{{1,64}}@|[^\n.]{{0,60}}\bwrote:|"
    rf",?{GAP}(?:frcs|frcgp|mrcgp|mbe|obe|cbe|mp|bsc|msc|rgn|phd|qc|kc)\b",
    re.I,
)
#: Somebody who was a nurse, or whose complaint the clinic is, is a patient all the same.
_NOT_STAFF = re.compile(
    rf"{GAP}?[,(–—-]?{GAP}?(?:(?:is|was){GAP})?(?:an?{GAP}|the{GAP})?(?:retired|former|ex-|{AGE})", re.I
)
#: "Mrs Bloggs's son": staff have children, too, but nobody writes of them.
_KIN_BEHIND = re.compile(
    rf"['’]s?{GAP}(?:\w+{GAP})?(?:son|daughter|wife|husband|widow|widower|mother|father|mum|dad|family)\b", re.I
)
_STAFF_BEFORE = re.compile(
    rf"\b{_ROLE}(?:{GAP}(?:is|was|for{GAP}\w+)|(?:{GAP}\w+){{1,3}},)?,?{GAP}(?:and{GAP}|\()?$|"
    rf"\b(?:under|cc:?|refer(?:red)?{GAP}to|(?:talk|slides|paper|lecture|template|study|audit|review|led|run|"
    rf"chaired|presentation|written|"
    rf"reported|webinar|clinic)s?{GAP}(?:by|from|of|with)|(?:opened|seen|reviewed|operated|reported|scoped|"
    rf"examined|signed|launched|presented)(?:,?{GAP}\w+){{0,4}}{GAP}by|"
    rf"agree{GAP}with|thanks(?:{GAP}(?:to|go{GAP}to))?,?|"
    rf"thank{GAP}you,?|regards,?|wishes,?|"
    rf"sincerely,?|cheers,?|faithfully,?|dear|hi|hello|as|ask{GAP}for|colleague|colleagues|team{GAP}of|"
    rf"service{GAP}of){GAP}{{0,2}}\n?$|"
    rf"(?:^|\n)[>| ]*\*?(?:from|to|cc|bcc|von|de|an|sent{GAP}by|on{GAP}[^\n]{{1,40}})\*?:?{GAP}*\*?$",
    re.I,
)
_SIGNED = re.compile(r"(?:regards|wishes|thanks|sincerely|cheers|faithfully),?\s{1,3}$", re.I)

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


def names(text: str, known: People) -> Iterator[Span]:
    """Every name that the text speaks of as a patient's, its title with it."""
    for match in _TITLED.finditer(text):
        start, end = match.span()
        if free(text, start):
            title = _TITLES.match(text, start, end)
            name, end = _trimmed(text, title.end() if title else start, end, first=1)
            if name < end and _titled(text, start, end, known):
                yield "patient_name", start, end
    yield from stories.lower_case(text)
    of_patients = "patient" in text
    for match in _RUN.finditer(text):
        start, end = match.span()
        run, comma, _ = match[0].partition(",")
        if comma and " " not in run:
            run = match[0]  # "QUILLFEATHER, Jocelyn"
        end = start + len(run)
        if len(run) < 3 and run.isupper() and not _DIGIT_SOON.match(text, end):
            continue  # "I", "A", "CT"
        word = run.rstrip(".").lower()
        if (
            word.isalpha()
            and len(word) > 2
            and (  # alone, as most are
                word in NOT_NAMES
                or not (
                    _may_tell(text[max(0, start - 24) : start])
                    or (of_patients and _MINE_BEHIND.match(text, end))
                    or stories.one_told(text, end)
                )
            )
        ):
            continue
        if not free(text, start, "'’-@/."):
            continue
        start, end = _trimmed(text, start, end)
        if start < end and _untitled(text, start, end, known):
            yield "patient_name", start, end


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
    while words and not first and _no_name(words[0][0]):
        del words[0]
    if not words:
        return start, start
    return words[0].start(), end if words[-1].end() > end - 2 else words[-1].end()


def _no_name(word: str) -> bool:
    return word.lower() in NOT_NAMES or word.lower() in LEADS


def _titled(text: str, start: int, end: int, known: People) -> bool:
    words = [w.lower() for w in WORD.findall(_TITLES.sub("", text[start:end], 1))]
    if (words and words[0] in NO_SURNAME) or stories.invented(text, start, end):
        return False
    ahead = text[max(0, start - 60) : start]
    if _PATIENT_BEHIND.match(text, end) or _OURS.search(ahead) or _CALLED.search(ahead):
        return True
    if words and known.named(words):
        return False
    if _NOT_STAFF.match(text, end) or _KIN_BEHIND.match(text, end):
        return True
    if text.startswith(("Sir", "Dame", "Lord"), start):  # public figures, nearly always
        return False
    return not (_STAFF_BEHIND.match(text, end) or _STAFF_BEFORE.search(ahead) or _SIGNED.search(ahead))


def _untitled(text: str, start: int, end: int, known: People) -> bool:
    run = text[start:end]
    words = [w.lower() for w in WORD.findall(run)]
    if words and not (NOT_NAMES - ALSO_SURNAMES).isdisjoint(words):
        return False
    if not words:
        return len(run) > 1 and bool(_INITIALS.fullmatch(run)) and bool(_AGE_BEHIND.match(text, end))
    ahead = text[max(0, start - 70) : start]
    behind = bool(
        _PATIENT_BEHIND.match(text, end)
        or (" " in run and any(one.match(text, end) for one in (_BIRTH_BEHIND, _ENTRY_BEHIND, _FORM_BEHIND)))
    )
    full = len(words) > 1 and not run.isupper()
    one = len(words) == 1 and stories.one_told(text, end)
    if not one and not behind and not _may_tell(ahead) and not _MINE_BEHIND.match(text, end):
        return full and _of_a_story(text, start, end, words, known)
    if _HOUSE_BEFORE.search(ahead):
        return False
    if run.isupper() and 1 < len(run) < 5 and len(words) == 1:  # an abbreviation, or initials
        return len(run) < 4 and run not in NO_INITIALS and bool(_AGE_BEHIND.match(text, end))
    if len(words) == 1 and _NO_GAP.fullmatch(run):
        told = bool(_OURS.search(ahead) or _CALLED.search(ahead)) and not _NOUN.match(text, end)
        told = told or (text[end : end + 1] == text[start - 2 : start - 1] == "," and bool(_APPOSED.search(ahead)))
        told = told or bool(_MINE_BEHIND.match(text, end)) or stories.one_told(text, end)
        return told and not known.named(words)
    told = bool(_WHO_BEFORE.search(ahead) or _CALLED.search(ahead) or _AMONG.search(ahead))
    told = told or (bool(_ENDS_APPOSED.match(text, end)) and bool(_APPOSED.search(ahead)))
    if not told and not behind and _SUBJECT.search(ahead):
        told = bool(_RECORD_BEHIND.match(text, end))
    if not behind and _STAFF_BEHIND.match(text, end) and not _NOT_STAFF.match(text, end):
        return False
    if stories.invented(text, start, end):
        return False
    return (told or behind or (full and _of_a_story(text, start, end, words, known))) and not known.named(words)


def _of_a_story(text: str, start: int, end: int, words: list[str], known: People) -> bool:
    """Whether what happens around a full name happens to patients."""
    if known.named(words) or (_STAFF_BEHIND.match(text, end) and not _NOT_STAFF.match(text, end)):
        return False
    if _STAFF_BEFORE.search(text[max(0, start - 60) : start]):
        return False
    return stories.told(text, start, end) and not stories.invented(text, start, end)


_MINE_BEHIND = re.compile(
    rf"[,(]?{GAP}\(?(?:is{GAP})?(?:one of (?:my|our) patients|a patient of (?:mine|ours)|my patient)\b", re.I
)
#: The last words of what may stand before a patient's name: looking at one word first spares most names the patterns.
_TELLS = WHO_WORDS | set(
    WORD.findall(
        """
        patients px them these those ours mine of is was called named as call old olds name surname forename one two
        three four him her them as
        """
    )
)


def _may_tell(ahead: str) -> bool:
    last = ahead.rstrip()
    if not last or last[-1] in ",(":
        return True
    word = last.rstrip(":=–—- ")[-20:].rpartition(" ")[2].strip("\"“'(\n\u00a0>").lower()
    return word in _TELLS or len(word) == 1 or word[:1].isdigit() or word[-1:].isdigit()


_HOUSE_BEFORE = re.compile(rf"(?<![\d)/.-])\d{{1,4}}[A-Za-z]?,?{GAP}$")
#: A word with a capital that is part of something's name: "Our patient Link group".
_NOUN = re.compile(rf"{GAP}(?:group|portal|leaflet|team)\b", re.I)


def again(text: str, found: Iterable[str], known: People) -> Iterator[Span]:
    """Where the distinctive words of names that were `found` stand alone: "Mrs Okafor … Okafor's scan"."""
    words = {
        word
        for name in found
        for word in _CAPITALS.findall(_TITLES.sub("", name, 1))
        if len(word) > 2 and not _no_name(word) and word.lower() not in known.words | ALSO_WORDS
    }
    if words:
        either = "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))
        for match in re.finditer(rf"(?<![\w@.])(?:{either})(?![\w@])", text):
            yield "patient_name", *match.span()
