"""The subject line: base subject (RFC 5256, 2.1), list tags, reply and forward prefixes, the `[T14]` token. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

# What mail programs put before a subject: English, German, Dutch, Nordic and Finnish, Italian, French, Spanish,
# Portuguese, Polish and Czech, Hungarian, Romanian, Turkish, Welsh, Greek, Russian, Arabic, Hebrew, Chinese. Those that
# open an English subject too ("Ref:", "Rep:", "I:") are left out.
_REPLY = r"re|r|aw|antw(?:ort)?|sv|svar|vs|rif|rép\.?|res|odp|vá|răs|ynt|atb|απ|σχετ|отв(?:ет)?|رد|השב|回复|回覆|答复"
_FORWARD = r"fwd?|wg|vb|vl|doorst|tr|enc|rv|pd|továbbítás|пересл|πρθ|转发|轉寄"

# RFC 5256: subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"; Outlook also writes "Re[2]:" and "Re(2):"
_PREFIX = re.compile(rf"(?P<word>{_REPLY}|{_FORWARD})\s*(?:[\[(]\d+[\])])?\s*[:：]\s*", re.IGNORECASE)
_IS_FORWARD = re.compile(rf"(?:{_FORWARD})", re.IGNORECASE)
_TOKEN = re.compile(r"\[T(\d{1,9})\]", re.IGNORECASE)
# RFC 5256: subj-blob; a list's tag or "[EXTERNAL]", which some gateways follow with a colon, or write without brackets
_TAG = re.compile(r"(?:\[{1,2}[^\[\]]{1,60}\]{1,2}\s*:?|ext(?:ern(?:al)?)?\s*:)\s*", re.IGNORECASE)
# what some programs curl, and others straighten again
_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u2011": "-", "…": "..."})
_TRAILER = re.compile(r"\s*\(fwd\)\s*$", re.IGNORECASE)  # RFC 5256: subj-trailer
_WAS = re.compile(r"[(\[]was:?\s+(.+?)[)\]]?$", re.IGNORECASE)
_WRAPPED = re.compile(r"\[fwd:(.*)\]\s*", re.IGNORECASE)  # RFC 5256: subj-fwd


@dataclass(frozen=True, slots=True)
class Base:
    """A subject taken apart. `text` is the base subject, lower case, "" when nothing is left.

    `was` is the earlier base subject when the writer names it, as in "Incidental findings (was: CT access)".
    """

    text: str
    is_reply: bool
    is_forward: bool
    token: int | None
    was: str = ""


def base(subject: str) -> Base:
    """Take a decoded subject apart: "Re: [LIST] AW: Two-week clinics [T14]" → ("two-week clinics", reply, 14)."""
    text, reply, forward, token = _strip(subject)
    was = _WAS.search(text)
    return Base(_folded(text), reply, forward, token, _folded(_strip(was[1])[0]) if was else "")


def _folded(text: str) -> str:
    return text.translate(_PLAIN).casefold()


@lru_cache(maxsize=4096)
def read(subject: str, topic: str) -> Base:
    """The subject taken apart; a prefix we do not know is one when Outlook's Thread-Topic is what follows it."""
    plain, known = base(topic), base(subject)
    if not plain.text or known.is_reply:
        return known
    if known.text == plain.text or not known.text.endswith(plain.text):
        return known
    before = _TAG.sub("", known.text[: -len(plain.text)] + " ").strip()
    # [MS-OXCMSG], PidTagSubjectPrefix: at most three characters and a colon; some languages' are longer
    if before.endswith(":") and " " not in before and len(before) <= 8:
        return Base(plain.text, True, known.is_forward, known.token, known.was)
    return known


def about(subject: str) -> str:
    """What a program's mail is about: "Recall: Chest X-ray access", "Zugesagt: …" in any language; "" for no more."""
    first, colon, rest = subject.partition(":")
    return rest if colon and rest.strip() and len(_TAG.sub("", first).split()) < 4 else subject


def title(subject: str) -> str:
    """The subject as a thread's title: no prefixes, list tags or token, a capital first; never empty."""
    text = _strip(subject)[0]
    if text[1:2].isupper():  # eConsult, pH
        return text
    return text[:1].upper() + text[1:] if text else "No subject"


def _strip(subject: str) -> tuple[str, bool, bool, int | None]:
    found = _TOKEN.search(subject)
    text = " ".join(_TOKEN.sub(" ", subject).split())
    reply = forward = False
    while True:
        before = text
        text = _TRAILER.sub("", text)
        forward = forward or text != before
        if prefix := _PREFIX.match(text):
            if _IS_FORWARD.fullmatch(prefix["word"]):
                forward = True
            else:
                reply = True
            text = text[prefix.end() :]
        elif wrapped := _WRAPPED.fullmatch(text):
            forward = True
            text = wrapped[1].strip()
        elif (tag := _TAG.match(text)) and len(text) > tag.end():  # RFC 5256: a blob is kept when nothing else is there
            text = text[tag.end() :]
        if text == before:
            return text.strip(), reply, forward, int(found[1]) if found else None
