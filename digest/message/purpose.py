"""What a mail that a person wrote does: question, reply, announcement, answer to the digest, or about the list itself.

Told by what the text does, and by its place in the thread.
"""

import re
from functools import lru_cache

from digest.message import turn
from digest.nouns import Kind, Turn
from digest.words import low

# What a mail about the list itself says, in lower case: who is on it, at which address, and how it works.
_LIST = r"(?:(?:mailing |e-?mail |distribution |outlook )?(?:list|group|stream|circle|forum|community)\b(?! of\b))"
_SUBJECT_OF_LIST = re.compile(
    rf"\b{_LIST} (?:housekeeping|rules|etiquette|guidelines|admin\w*|maintenance|settings)\b|\bhousekeeping\b|"
    r"^(?:\[[^\]]*\]\s*)?(?:a )?(?:very )?(?:warm )?welcome,? (?!(?:to )?(?:the|our|back)\b)|"
    r"\bwelcome to (?:\w+ ){0,4}(?:new )?(?:members?|colleagues|joiners|starters|leads?)\b|\bnew members?\b|"
    r"\b(?:unsubscribe|remove|take) me\b|\bchange of (?:e-?mail )?address\b|\bmy new (?:e-?mail|address)\b|"
    r"\bnew e-?mail address\b|\bchang(?:e|ing) my (?:e-?mail|address)\b|"
    rf"\b\w+ {_LIST} (?:is|will be|has) (?:moving|moved|closing|changing|migrating)"
    r"(?:\W*$|:| (?:on|from|in|to|at|next)\b)|"
    rf"\b(?:join(?:ing)?|leav(?:e|ing)|add(?:ing|ed)? (?:me |us )?to|subscribing to) (?:the|this|your|our) {_LIST}"
)
_MEMBERSHIP = re.compile(
    rf"\b(?:add(?:ed)?|subscribed?|admit(?:ted)?) (?:me |us |him |her |them )?to (?:the|this|your) {_LIST}|"
    rf"\b(?:join|leave|come off) (?:the|this|your) {_LIST}|"
    rf"\b(?:take|remove|drop) (?:me|us|my .{{0,30}}?) (?:off|from) (?:the|this|your) {_LIST}|"
    r"\b(?:unsubscribe|remove|take) me (?:please|off)\b"
)
_ADDRESS = re.compile(
    r"\b(?:change|update|swap|swop|switch|correct|replace) my (?:\w+ ){0,3}?(?:e-?mail|address)\b|"
    r"\b(?:swap|swop|switch|move|change) me (?:over |across )?(?:to|on)\b.{0,40}\b(?:address|e-?mail|account)\b|"
    r"\b(?:use|write to|send to) (?:me at )?(?:my|this) new (?:e-?mail|address)\b"
)
_MECHANICS = re.compile(
    rf"\b(?:our|this|the|old|new)\b[^.!?\n]{{0,30}}\b{_LIST}[^.!?\n]{{0,20}}"
    r" (?:moves?|is moving|will move|will be replaced|closes|will close|has moved|is changing) |"
    rf"\b(?:new|old) (?:{_LIST} )?address\b|\bwill forward until\b|\breply[- ]all\b|"
    r"\bsubjects? (?:lines? )?will (?:start|begin|have|carry)\b|\bin the subject(?: line)?\b|"
    r"\b(?:keep|leave) patient (?:details|identifiers|data) out\b|\bfresh (?:e-?mail|message) for a (?:fresh|new)\b|"
    r"\b(?:everybody|everyone|all members) (?:is|are|will be) moved\b|\barchive\b.{0,30}\bsearch"
)
_SHORT = 600  # characters; who wants their address changed has little else to say


# The patterns below are for text in lower case, too (`words.low`).
# "Anyone stuck can ring Jo" tells what anyone may do; "anyone know whether it can be done" asks.
_STATES = (
    r"(?!(?! (?:else|know|has|had|have|got|us(?:e|es|ing)|tried|done|seen|here|out there|in|up for|running|doing|found|"
    r"finding|manag|come|able|willing|getting|heard|read|looked|been|working|cracked|set|made)\w*\b)"
    r"(?: [\w'’,-]+){1,8}? (?:can|could|should|may|might|must|will|is|are|needs?|please)\b[^?\n]*(?:[.!\n]|$))"
)
_ASKS = re.compile(
    r"\?(?:\s|$|[\"'”’)*])|"
    # a question that ends in a full stop
    rf"(?:^|[.!?:\n])\s*(?:any(?:one|body)\b{_STATES}|(?:and |but |so )?(?:"
    r"(?:is|are|was|will) (?:this|that|there|it|your|any\w*|others)|"
    r"(?:do|does|did|have|has|can|could|would|are|will) (?:you|your|others|people|colleagues|any\w*)|"
    r"(?:how|what|which|who|where|when|why) (?:\w+ )?(?:do|does|did|are|is|have|has|would|can|could|should) "
    r"(?:you|your|others|people|colleagues|any\w*|practices|areas))\b)|"
    r"\b(?:(?:does|do|has|have|is|are|can|could|would|did) (?:any|some)(?:one|body)\b|"
    r"any(?:one|body) (?:else |out there )?(?:know|have|has|got|using|use|tried|willing|able|done|seen)|"
    r"any (?:advice|thoughts|ideas|suggestions|experience|views|tips|pointers|help|examples)\b|"
    r"(?:would|i'd|we'd|i would|we would|should) "
    r"(?:be (?:very |really |most )?(?:grateful|interested|keen|glad|pleased)|welcome|like|love|appreciate) "
    r".{0,60}\b(?:hear|know|find out|see|views|thoughts|advice|examples|copies|experience|learn|if any)|"
    r"(?:interested|keen|curious|grateful|great|good|helpful|useful|nice) "
    r"to (?:hear|know|learn|see|understand|find out) (?:\w+ ){0,3}?"
    r"(?:how|what|which|who|where|when|why|whether|if|from|about|your|other|people|colleagues|examples)\b|"
    r"(?:advice|help|thoughts|views|suggestions|ideas|tips|pointers|experiences?|examples|input|comments|guidance)\b"
    r"(?! (?:on (?:it|this|them) )?(?:back )?(?:to|by)\b)"  # "comments to me by Friday, please" sets a task
    r".{0,40}\b(?:please|welcome|appreciated|received|needed|wanted|sought|requested)\b|"
    r"help (?:needed|wanted|please|sought)\b|"
    r"if (?:you|any(?:one|body)|any of you|your \w+) (?:have|has|know|knows|use|uses|do|does|run|runs|already)\b"
    r".{0,120}\b(?:get in touch|let (?:me|us) know|send|share|contact|e-?mail|reply|tell|drop)\b|"
    r"please (?:could|can|would) (?:you|any|some)|i(?:'m|’m| am)? (?:wonder|trying to find|looking for)|"
    r"we are (?:wondering|looking for)\b|can (?:you|people|colleagues) (?:share|tell|advise|let))",
    re.M,
)
_RHETORICAL = re.compile(
    r"(?:any|have) (?:\w+ )?questions\b[^?]{0,60}\?|did you know[^?]{0,200}\?|interested\?|want to know more\?"
)
# What advertisements ask nobody in particular; next to what announces, it asks nothing.
_INVITES = re.compile(
    r"(?:have you ever|would (?:this|you like|you love|it)|could (?:this|it|you) be|fancy|want to|looking to|ready to|"
    r"why not|are you (?:interested|passionate|keen|ready|looking|free to join)|is this you)\b[^?\n]{0,200}\?"
)
_TELLS = re.compile(
    r"\b(?:for (?:your )?information\b|please (?:see|find) (?:below|attached|enclosed)|(?:registration|bookings?|"
    r"places|nominations|applications) (?:is|are|now|opens?|closes?|still)\b|"
    r"(?:is|are) now (?:open|available|live|published)|save the date\b|pleased to (?:announce|share|say|tell)|"
    r"join us\b|has (?:just )?(?:been )?(?:published|launched|released|announced)\b|to register\b|"
    r"book(?:ing)? (?:a place|here|at|by)\b|(?:is|are) recruiting\b|vacancy\b|closing date\b|open access\b|"
    r"is published\b|accepted (?:by|for publication)\b|went live\b|happy to share\b|job advert|sign up\b|webinar\b|"
    r"onward sharing\b|please (?:share|circulate|forward|cascade)\b|free (?:to|for) (?:members|all|gps)\b|"
    r"apply (?:at|by|via|here|to|online|through)\b|job description\b|interviews? (?:on|will|are|is|\d)|"
    r"closes (?:at|on)\b|secondment\b|informal (?:chats?|discussions?|enquiries)\b|open (?:until|till)\b)"
)


def by_a_person(new_text: str, subject: str, in_thread: bool, to_digest: bool) -> tuple[Kind, str]:
    """Question, reply, announcement, digest-reply or (a mail about the list itself) admin, and why.

    `in_thread`: it answers a stored message. `to_digest`: it answers our own digest.
    """
    if to_digest:
        return Kind.DIGEST_REPLY, "It answers the digest."
    text = f"{subject}\n{new_text}"
    tells = _tells(text)
    asked = _asked(new_text if in_thread else text, tells)
    if in_thread:
        if asked and turn.says(new_text):
            return Kind.QUESTION, f"It answers an earlier message, but changes the topic and asks: {asked[0]}"
        if asked:
            return Kind.REPLY, f"It answers an earlier message of its thread, and asks: {asked[0]}"
        return Kind.REPLY, "It answers an earlier message of its thread."
    if about := about_the_list(subject, new_text):
        return Kind.ADMIN, about
    if asked and tells > 1 and ("?" not in text or not _asked(new_text, tells)):
        asked = ()  # it announces; a question mark in its subject alone is how advertisements begin
    if asked:
        more = f" And: {asked[1]}" if len(asked) > 1 else ""
        return Kind.QUESTION, f"It starts a thread and asks: {asked[0]}{more}"
    return Kind.ANNOUNCEMENT, "It starts a thread and asks nothing."


def about_the_list(subject: str, new_text: str) -> str:
    """Why a mail that begins a thread is about the list itself; "" when it is not."""
    if _SUBJECT_OF_LIST.search(low(subject)):
        return "The subject is about the list itself."
    text = low(new_text[:3000])
    if len({match[0] for match in _MECHANICS.finditer(text)}) > 1:
        return "It is about how the list works."
    who, where = _MEMBERSHIP.search(text), len(new_text) < _SHORT and _ADDRESS.search(text)
    if not who and not where:
        return ""
    if any(
        _ASKS.search(one) and not _MEMBERSHIP.search(one) and not _ADDRESS.search(one) for one in turn.sentences(text)
    ):
        return ""  # "Thank you for letting me join the group. Does anybody …?"
    return "It is about who is on the list." if who else "It is about its author's address on the list."


def turns(new_text: str) -> Turn:
    """Whether an answer's own words may be about something else than what it answers."""
    if not _asked(new_text, _tells(new_text)):
        return Turn.NONE
    return turn.turn(_without(_dense(new_text), _RHETORICAL)[1], _ASKS)


def first_asked(new_text: str) -> str:
    """The first sentence that asks, as it stands; "" when none does."""
    return next((one for one in turn.sentences(new_text) if _ASKS.search(low(one))), "")


@lru_cache(maxsize=512)  # a mail is looked at before and after its place is known
def _tells(text: str) -> int:
    """How many things a text says that announcements say."""
    return len(_TELLS.findall(low(text)))


@lru_cache(maxsize=512)
def _asked(text: str, tells: int) -> tuple[str, ...]:
    """What a text asks, each thing as an excerpt, in order; what nobody is meant to answer left out."""
    text, lower = _without(_dense(text), _RHETORICAL)
    if tells:
        text, lower = _without(text, _INVITES)
    found = (match.start() + len(match[0]) - len(match[0].lstrip(".!:\n ")) for match in _ASKS.finditer(lower))
    return tuple(dict.fromkeys(_excerpt(text, at) for at in found))


def _without(text: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    """The text with a space for whatever ends in a question mark and fits, and the same in lower case."""
    lower = low(text)
    if "?" in lower and (found := list(pattern.finditer(lower))):
        ends = [0, *(match.end() for match in found)]
        starts = [*(match.start() for match in found), len(text)]
        text = " ".join(text[a:b] for a, b in zip(ends, starts, strict=True))
        lower = low(text)
    return text, lower


def _dense(text: str) -> str:
    """The text without blank lines: the patterns look past white space, which must not be without end."""
    return "\n".join(line.strip() for line in text[:20_000].splitlines() if line.strip())


def _excerpt(text: str, at: int) -> str:
    """The sentence around `at`, its end left out when it is long."""
    start = max(text.rfind(mark, 0, at) for mark in (". ", "\n", "? ", "! ")) + 1
    end = min((found for mark in (". ", "\n", "? ", "! ") if (found := text.find(mark, at)) >= 0), default=len(text))
    said = " ".join(text[start : min(end + 1, start + 1000)].split())
    return f"“{said}”." if len(said) <= 120 else f"“{said[:119].rstrip()}…”."
