"""What a full name stands in when it is a patient's and nothing next to it says so: the telling of what befell them."""

import re
from collections.abc import Iterator

from digest.message.privacy.context import AGE, GAP, WHO, WORD, Span
from digest.words import common

_AHEAD, _BEHIND = 90, 90  # characters looked at

#: "The referral for Jo Bloggs", "thinking of Jo Bloggs", "someone I looked after for years, Jo Bloggs".
_ABOUT = re.compile(
    rf"(?:\b|^)(?:(?:(?:the|a|an|his|her|my|our|their|this|that){GAP}(?:[\w-]+{GAP}){{0,2}}|(?:^|[:;.,(\n–—-]){GAP}*)"
    rf"(?:referral|letter|scan|complaint|"
    rf"results?|biopsy|story|death|appointment|request|kit|slot|CT|MRI|X-ray|colonoscopy|notes|operation|diagnosis)"
    rf"{GAP}(?:for|about|of|on|regarding|concerning)|"
    rf"(?:thinking|reminded|think){GAP}of|remember|rip|rest{GAP}in{GAP}peace|(?:we|i|they|have|has|had){GAP}lost|"
    rf"(?:my|the|our){GAP}(?:next|last|first|other|latest|youngest|oldest)(?:{GAP}(?:one|case|{WHO}))?{GAP}(?:is|was)|"
    rf"(?:looked|cared){GAP}after[^.?!\n]{{0,40}},|(?:known|seen|treated|visited){GAP}(?:since|for|most|every)"
    rf"[^.?!\n]{{0,40}},)"
    rf"{GAP}{{1,2}}(?:poor{GAP}|dear{GAP}|old{GAP}|little{GAP})?$",
    re.I,
)
_DONE = (
    r"(?:referred|rejected|returned|bounced|sent|seen|scoped|scanned|discharged|diagnosed|told|admitted|downgraded|"
    r"triaged|listed|booked|turned (?:down|away)|put|given|treated|operated|biopsied|found|lost|missed|fobbed|"
    r"declined|refused|recalled|called|losing|waiting|bleeding|vomiting|dying|dead|jaundiced|an[ae]emic|breathless)"
)
_OWNS = (
    r"(?:referral|scan|ct|mri|x-ray|cxr|psa|fit|h(?:a?emoglo)?b(?:in)?|ca-?125|bloods?|results?|biopsy|histology|"
    r"appointment|diagnosis|symptoms?|lump|cough|pain|bleeding|weight|tumou?r|cancer|chemo\w*|kit|smear|colonoscopy|"
    r"gastroscopy|son|daughter|wife|husband|widow|widower|mother|father|mum|dad|family|funeral|death|complaint|"
    r"solicitors?)"
)
#: ", who waited", "was sent home", "'s scan", "(male, 62)", ", 71, with", "died": what happens to patients.
_BEFELL = re.compile(
    rf"['’]s?{GAP}(?:[\w-]+{GAP}){{0,2}}{_OWNS}\b|"
    rf",?{GAP}whose{GAP}(?:[\w-]+{GAP}){{0,2}}{_OWNS}\b|"
    rf",?{GAP}\(?(?:fe)?male\b|{GAP}?\((?:f|m)\b[,/ ]{{0,2}}\d|"
    rf",{GAP}\d\d,{GAP}(?:with|who|has|had|was|is|came|presented|an?{GAP})|"
    rf"(?:,?{GAP}who)?{GAP}(?:is|was|has|had|got)(?:{GAP}(?:been|now|just|also|never|not|already|twice|finally|only|still|"
    rf"since|then|had|the)){{0,3}}{GAP}{_DONE}\b|"
    rf"(?:,?{GAP}who)?{GAP}(?:has|had){GAP}(?:never{GAP}|only{GAP}|just{GAP}|already{GAP})?(?:had|got|an?|his|her|two|three|"
    rf"four|five|six|\d+){GAP}(?:[\w-]+{GAP}){{0,2}}(?:{_OWNS}|fits?|kits|scans|visits|months?|weeks?|mass|lesion|nodule|"
    rf"stent|stoma|fall|seizure|stroke)\b|"
    rf"(?:,?{GAP}who)?{GAP}(?:died|waited|presented|DNA['’]?d|collapsed|relapsed|lost{GAP}(?:weight|\d|a{GAP}stone)|"
    rf"turned{GAP}out{GAP}to{GAP}have|came{GAP}(?:in|back|via|to{GAP}see{GAP}me)|went{GAP}(?:to|through){GAP}(?:A&E|ED)|"
    rf"needs{GAP}(?:his|her|an?){GAP}|gave{GAP}(?:her|his|me{GAP}(?:her|his)){GAP}?consent|gave{GAP}consent)\b|"
    rf",?{GAP}(?:the|a|an)?{GAP}?(?:[\w-]+{GAP}){{0,2}}(?:retired|former|{AGE})",
    re.I,
)
#: Nobody at all: made up for a talk, or called otherwise than their name is.
_FICTION = re.compile(
    r"\b(?:imagine|imaginary|suppose|fiction\w*|fictitious|made[- ]up|invented|hypothetical|pseudonym|"
    r"not (?:his|her|their|the patient['’]s) real name|name(?:s)? (?:has|have) been changed)\b",
    re.I,
)


#: What is said of one person by a first name alone: "Colm's PSA", "Tommy, a 9 year old", "Siân is 34 and was told".
_ONE_BEFELL = re.compile(
    rf"['’]s{GAP}(?:son|daughter|wife|husband|widow|mum|dad|mother|father|funeral|weight|cough|lump|biopsy|psa|symptoms)\b|"
    rf",{GAP}an?{GAP}\d{{1,2}}[ -]year[ -]old\b|{GAP}is{GAP}\d\d{GAP}and{GAP}(?:was|has|had|lives|works)\b",
    re.I,
)


def one_told(text: str, end: int) -> bool:
    """Whether a first name that ends here is followed by what only one person has or is."""
    return text[end : end + 1] in "'’, " and bool(_ONE_BEFELL.match(text, end, end + 40))


def told(text: str, start: int, end: int) -> bool:
    """Whether a full name stands in what is told of a patient."""
    if _BEFELL.match(text, end, end + _BEHIND):
        return True
    return bool(_ABOUT.search(text[max(0, start - _AHEAD) : start]))


def invented(text: str, start: int, end: int) -> bool:
    """Whether the words around a name say that nobody is called so."""
    return bool(_FICTION.search(text, max(0, start - _AHEAD), end + _BEHIND))


_LOWER_TITLED = re.compile(r"\bmrs?\.? ([a-z][a-z'’-]{1,20})(?: ([a-z][a-z'’-]{2,20}))?(?![\w@])")
_LOWER_PATIENT = re.compile(
    rf"\b(?:pt|patient|px|re)\b[:,]?{GAP}([a-z][a-z'’-]+(?:{GAP}[a-z][a-z'’-]+){{1,2}}),?{GAP}\(?"
    r"(?:\d{1,3} ?(?:[mf]\b|y/?o\b|yrs?\b|years? old)|dob\b|\d\d?[./-]\d\d?[./-]\d\d)"
)
#: Magnetic resonance is written as "mr", too.
_NO_MISTER = frozenset(
    WORD.findall(
        """
        scan scans imaging image images mri angiogram angiography spectroscopy cholangiogram enterography elastography
        prostate pelvis brain liver spine guided and or
        """
    )
)


def lower_case(text: str) -> Iterator[Span]:
    """Names that somebody in a hurry wrote small: "mrs khan", "pt jo bloggs, 58f"."""
    for match in _LOWER_TITLED.finditer(text):
        first, second = match[1], match[2]
        if not common(first) and first not in _NO_MISTER:
            end = match.end(2) if second and not common(second) and not second.endswith("ed") else match.end(1)
            yield "patient_name", match.start(), end
    for match in _LOWER_PATIENT.finditer(text):
        if not any(map(common, match[1].split())):
            yield "patient_name", *match.span(1)
