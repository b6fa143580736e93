"""What kind of mail it is. `by_machine` reads what the mail itself settles, and names the header and the standard;
`by_a_person` tells question, reply and announcement apart for the rest.

`Precedence: list`, `List-Id` and the like prove nothing: the stream is a list (DESIGN.md, rules learnt).
"""

import re
from collections.abc import Collection

from digest.message.parse import Parsed
from digest.nouns import Kind

_PREFIX = r"^(?:\s*\[[^\]]{1,40}\])*\s*"
_BOUNCE_FROM = re.compile(r"^(?:mailer-daemon|postmaster|mail-?delivery\w*|microsoftexchange[0-9a-f]+)@", re.I)
_BOUNCE_SUBJECT = re.compile(
    _PREFIX
    + r"(?:undeliver|delivery (?:status notification|(?:has )?fail|incomplete|delayed)|mail delivery (?:fail|sub)|"
    r"returned mail|failure notice|message not delivered|unzustellbar|non remis|delivery report)",
    re.I,
)
_READ_SUBJECT = re.compile(
    _PREFIX + r"(?:read|not read|read receipt|gelesen|lu|leído|lido|letto|gelezen|displayed|"
    r"return receipt)\s*(?:\(displayed\))?:",
    re.I,
)
_READ_BODY = re.compile(
    r"^\s*your message\b.{0,600}?\bwas (?:read|deleted without being read|displayed)\b|this is a (?:return|"
    r"read) receipt",
    re.I | re.S,
)
_RECALL = re.compile(
    r"would like to recall the message|möchte die nachricht .{0,200}zurückrufen|souhaite rappeler le message",
    re.I | re.S,
)
_RECALL_SUBJECT = re.compile(_PREFIX + r"(?:recall|message recall (?:success|failure)|rückruf|rappel)\s*:", re.I)
_AWAY_SUBJECT = re.compile(
    _PREFIX + r"(?:automatic(?: e-?mail)? (?:reply|response)|auto(?:mated)?[- ]?(?:reply|response|responder)\b|auto:|"
    r"out[- ]of[- ](?:the[- ])?office|ooo\s*:|vacation reply|abwesenheit|automatische antwort|réponse automatique|"
    r"absence du bureau|respuesta automática|risposta automatica|automatisch antwoord)",
    re.I,
)
_AWAY_TOO = re.compile(  # what people write over an answer that a phone sends for them
    _PREFIX
    + r"(?:(?:i'?m|i am|currently)?\s*(?:on|away on) (?:annual |maternity |paternity |parental |sick |study )?leave|"
    r"(?:i'?m |i am )?on (?:my )?holidays?|(?:i'?m |i am )?away (?:from|until|till)|ooo)\b",
    re.I,
)
_ANSWERS = re.compile(r"\b(?:re|aw)\s*:", re.I)
_AWAY_BODY = re.compile(
    r"\b(?:i am|i'm|i will be|i shall be) (?:currently |now |presently )?(?:away|out of (?:the )?office|"
    r"on (?:\w+ )?leave|on holiday|not in the office)\b"
    r".{0,200}\b(?:until|till|returning|return|back on|from|between|access to (?:my )?e-?mail|contact|urgent)\b",
    re.I | re.S,
)
_LIST_SERVER = re.compile(
    r"^(?:mailman|listserv|majordomo|sympa|listmaster|listadmin|postorius|lyris|ezmlm)(?:-\w+)?@|[-+](?:request|"
    r"owner|admin|confirm|bounces|noreply)(?:\+\S*)?@",
    re.I,
)
_LIST_SUBJECT = re.compile(
    _PREFIX + r"(?:confirm [0-9a-f]{8,}|your (?:confirmation|subscription|message to \S+) (?:is|awaits|has)|"
    r"\S+ (?:subscription|unsubscription|unsubscribe) (?:notification|confirmation|request)|"
    r"(?:un)?subscribe\s*$|you have been (?:un)?subscribed|\d+ \S+ moderator request)",
    re.I,
)
# Families of what unwanted mail says; one alone is nothing, two by a stranger are.
_SPAM = (
    re.compile(
        r"gift ?cards?|wire transfer|bitcoin|crypto(?:currency)?|lottery|inheritance|beneficiary|western union|"
        r"bank details",
        re.I,
    ),
    re.compile(
        r"(?:mailbox|account|password|e-?mail|storage|quota)\b.{0,40}\b(?:full|limit|exceeded|expir|suspend|verif|"
        r"deactivat|upgrade|held)",
        re.I,
    ),
    re.compile(
        r"click (?:here|below|the link|on the link)|log ?in (?:now|here)|keep my (?:messages|password|account)|"
        r"claim (?:your|my)|verify (?:now|your)",
        re.I,
    ),
    re.compile(
        r"limited (?:time )?offer|special offer|free (?:audit|trial|quote|consultation|demo|sample)|\d+ ?% off|"
        r"discount|no obligation|act now",
        re.I,
    ),
    re.compile(r"reply stop|to stop (?:hearing|receiving)|opt[- ]?out|remove (?:me|you) from|unsubscribe", re.I),
    re.compile(
        r"marketing|leads\b|seo\b|private patients|new customers|boost your|fills? your diary|rank(?:ing)? on google|"
        r"web ?site design|email lists?\b",
        re.I,
    ),
    re.compile(
        r"action required|final (?:notice|reminder|warning)|within (?:24|48) hours|immediately|urgent(?:ly)?\b|"
        r"quick favou?r|are you (?:free|available)",
        re.I,
    ),
    re.compile(
        r"dear (?:dr\.? )?(?:doctor|customer|user|client|sir ?(?:/|or) ?madam|valued|e-?mail (?:user|owner)|account)",
        re.I,
    ),
)
_ABOUT_LIST = re.compile(
    r"\b(?:list|group|mailing list|stream|community) (?:housekeeping|rules|etiquette|guidelines|admin\w*|"
    r"maintenance)\b|\bhousekeeping\b|"
    r"\bwelcome to (?:\w+ ){0,4}(?:new )?(?:members?|colleagues|joiners|starters|leads?)\b|\bnew members?\b|"
    r"\b(?:please )?(?:unsubscribe|remove|take) me\b|\bchange of (?:e-?mail )?address\b|\bthis list (?:is|"
    r"will be) (?:moving|closing)",
    re.I,
)
_ASKS = re.compile(
    r"\?(?:\s|$|[\"'”’)*])|\b(?:does|do|has|have|is|are|can|could|would|did) (?:any|some)(?:one|body)\b|\bany(?:one|"
    r"body) (?:else |out there )?"
    r"(?:know|have|has|got|using|use|tried|willing|able|done|seen)|\bany (?:advice|thoughts|ideas|suggestions|"
    r"experience|views|tips|pointers|help)\b|"
    r"\b(?:would|i'd|we'd|i would|we would|should) (?:be (?:very |really |most )?(?:grateful|interested|keen|glad|"
    r"pleased)|welcome|like|love|appreciate)"
    r" .{0,60}\b(?:hear|know|see|views|thoughts|advice|examples|copies|experience|learn|if any)|"
    r"\bplease (?:could|can|would) (?:you|any|some)|\bi(?:'m| am)? (?:wonder|trying to find|looking for)|"
    r"\bwe are (?:wondering|looking for)\b|"
    r"\bviews please\b|\bcan (?:you|people|colleagues) (?:share|tell|advise|let)",
    re.I,
)
_RHETORICAL = re.compile(
    r"(?:any|have) (?:\w+ )?questions\b[^?]{0,60}\?|did you know[^?]{0,200}\?|interested\?|want to know more\?", re.I
)
_TELLS = re.compile(
    r"\bfor (?:your )?information\b|\bplease (?:see|find) (?:below|attached|enclosed)|\b(?:registration|bookings?|"
    r"places|nominations|applications) "
    r"(?:is|are|now|opens?|closes?|still)\b|\b(?:is|are) now (?:open|available|live|published)|\bsave the date\b|"
    r"\bpleased to (?:announce|share|say|tell)|"
    r"\bjoin us\b|\bhas (?:just )?(?:been )?(?:published|launched|released|announced)\b|\bto register\b|"
    r"\bbook(?:ing)? (?:a place|here|at|by)\b|"
    r"\bsign up\b|\bwebinar\b|\bonward sharing\b|\bplease (?:share|circulate|forward|cascade)\b|\bfree (?:to|"
    r"for) (?:members|all|gps)\b",
    re.I,
)


def by_machine(
    parsed: Parsed,
    new_text: str,
    *,
    digest_address: str = "",
    stream_address: str = "",
    member: bool = False,
    spoof: str = "",
) -> tuple[Kind | None, str]:
    """The kind that the mail settles by itself, and why; (None, "") when a person wrote it for people to read."""
    if digest_address and parsed.sender[1] == digest_address and digest_address != stream_address:
        return Kind.ADMIN, "It is our own digest coming back: From is the digest's address."
    for rule in (_report, _calendar, _recall, _list_server, _away):
        kind, reason = rule(parsed, new_text)
        if kind:
            return kind, reason
    return _spam(parsed, new_text, member, spoof)


def _report(parsed: Parsed, text: str) -> tuple[Kind | None, str]:
    report = parsed.params.get("report-type", "").lower() if parsed.content_type == "multipart/report" else ""
    subject, sender = parsed.get("subject"), parsed.sender[1]
    if report == "delivery-status" or "message/delivery-status" in parsed.types:
        return Kind.BOUNCE, "Content-Type is a delivery status report (RFC 3464)."
    if report == "feedback-report" or "message/feedback-report" in parsed.types:
        return Kind.BOUNCE, "Content-Type is a complaint about a mail (RFC 5965)."
    if report == "disposition-notification" or "message/disposition-notification" in parsed.types:
        return Kind.RECEIPT, "Content-Type is a disposition notification (RFC 8098)."
    if parsed.get("x-failed-recipients"):
        return Kind.BOUNCE, "X-Failed-Recipients names an address that could not be reached."
    null_path = any(value.strip() == "<>" for value in parsed.all("return-path"))
    if _BOUNCE_SUBJECT.match(subject) and (null_path or _BOUNCE_FROM.match(sender)):
        why = "Return-Path is empty (RFC 5321, 4.5.5)" if null_path else "From is a mail system"
        return Kind.BOUNCE, f"{why} and the subject says that delivery failed."
    if _BOUNCE_FROM.match(sender):
        return Kind.BOUNCE, "From is a mail system (RFC 2142; RFC 5321, 4.5.5)."
    if _READ_SUBJECT.match(subject) and _READ_BODY.search(text[:2000]):
        return Kind.RECEIPT, "The subject and the text are those of a read receipt."
    return None, ""


def _calendar(parsed: Parsed, _text: str) -> tuple[Kind | None, str]:
    if parsed.methods and parsed.methods[0] not in {"", "PUBLISH"}:
        return Kind.CALENDAR, f"A text/calendar part has the method {parsed.methods[0][:20]} (RFC 5546)."
    if parsed.content_type == "text/calendar":
        return Kind.CALENDAR, "Content-Type is text/calendar (RFC 6047)."
    if parsed.get("content-class").lower() == "urn:content-classes:calendarmessage":
        return Kind.CALENDAR, "Content-Class says that it is an Outlook invitation."
    return None, ""


def _recall(parsed: Parsed, text: str) -> tuple[Kind | None, str]:
    if parsed.get("x-ms-exchange-organization-recallreport"):
        return Kind.RECALL, "X-MS-Exchange-Organization-RecallReport: Outlook recalls a message."
    if _RECALL_SUBJECT.match(parsed.get("subject")) and _RECALL.search(text[:1000]):
        return Kind.RECALL, "The subject and the text are those of an Outlook recall."
    return None, ""


def _list_server(parsed: Parsed, _text: str) -> tuple[Kind | None, str]:
    sender = parsed.sender[1]
    if parsed.get("list-administrivia").lower() == "yes" or parsed.get("x-list-administrivia").lower() == "yes":
        return Kind.ADMIN, "X-List-Administrivia says that the list server wrote it."
    if _LIST_SERVER.search(sender):
        return Kind.ADMIN, "From is a list server's address (RFC 2142, 6)."
    if _LIST_SUBJECT.match(parsed.get("subject")):
        return Kind.ADMIN, "The subject is a list server's command or answer."
    return None, ""


def _away(parsed: Parsed, text: str) -> tuple[Kind | None, str]:
    subject = parsed.get("subject")
    submitted = parsed.get("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return Kind.AUTO_REPLY, f"Auto-Submitted is {submitted[:30]} (RFC 3834, 5)."
    for name in ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponder", "x-mail-autoreply"):
        if parsed.get(name).lower() not in {"", "no"}:
            return Kind.AUTO_REPLY, f"{name.title()} says that a program answered."
    if parsed.get("precedence").lower() == "auto_reply":
        return Kind.AUTO_REPLY, "Precedence is auto_reply (RFC 3834, 2)."
    if _AWAY_SUBJECT.match(subject):
        suppress = parsed.get("x-auto-response-suppress")
        because = "X-Auto-Response-Suppress is set and the" if suppress else "The"
        return Kind.AUTO_REPLY, f"{because} subject is that of an out-of-office reply."
    if len(text) < 800 and "?" not in text and _ANSWERS.search(subject):
        if _AWAY_TOO.match(subject):
            return Kind.AUTO_REPLY, "The subject says that the sender is away, before the subject it answers."
        if (match := _AWAY_BODY.search(text)) and match.start() < 120:
            return Kind.AUTO_REPLY, "A short answer that says no more than that its sender is away."
    return None, ""


def _spam(parsed: Parsed, text: str, member: bool, spoof: str) -> tuple[Kind | None, str]:
    if member and not spoof:
        return None, ""  # a filter's mistake must not cost a member their say
    if parsed.get("x-spam-flag").lower() == "yes" or parsed.get("x-spam-status").lower().startswith("yes"):
        return Kind.SPAM, "X-Spam-Flag or X-Spam-Status says so."
    level = parsed.get("x-ms-exchange-organization-scl")
    if level.isdigit() and int(level) >= 5:
        return Kind.SPAM, f"X-MS-Exchange-Organization-SCL is {level} (Exchange: 5 or more is spam)."
    if parsed.get("in-reply-to") and not spoof:
        return None, ""  # it answers somebody
    said = f"{parsed.get('subject')}\n{text[:2000]}"
    cues = sum(bool(pattern.search(said)) for pattern in _SPAM)
    if cues >= 2 or (cues and spoof):
        return Kind.SPAM, "The sender is not a member and the text sells, threatens or asks for money."
    return None, ""


def by_a_person(new_text: str, subject: str, in_thread: bool, to_digest: bool) -> tuple[Kind, str]:
    """Question, reply, announcement, digest-reply or (a mail about the list itself) admin, and why.

    `in_thread`: it answers a stored message. `to_digest`: it answers our own digest.
    """
    if to_digest:
        return Kind.DIGEST_REPLY, "It answers the digest."
    if in_thread:
        return Kind.REPLY, "It answers an earlier message of its thread."
    if _ABOUT_LIST.search(subject):
        return Kind.ADMIN, "The subject is about the list itself."
    text = _RHETORICAL.sub(" ", f"{subject}\n{new_text}")
    asks, tells = _ASKS.search(text), len(_TELLS.findall(text))
    if asks and not (tells > 1 and "?" not in text):
        return Kind.QUESTION, "It starts a thread and asks: " + _excerpt(text, asks.start())
    return Kind.ANNOUNCEMENT, "It starts a thread and asks nothing."


def _excerpt(text: str, at: int) -> str:
    start = max(text.rfind(mark, 0, at) for mark in (". ", "\n", "? ", "! ")) + 1
    said = " ".join(text[max(start, at - 80) : at + 60].split())
    return f"“{said[:80].strip()}”."


def spoofed(parsed: Parsed, people: Collection[tuple[frozenset[str], Collection[str]]], *, via_list: bool) -> str:
    """Why the sender may not be who it says, as a sentence; "" when nothing speaks against it.

    `people`: the words of each member's name, and their addresses. A list breaks DMARC (RFC 7960), so a failure counts
    only for mail that did not come through one.
    """
    name, address = parsed.sender
    if sum(1 for key, _ in parsed.headers if key == "from") > 1:
        return "The mail has more than one From header (RFC 5322, 3.6)."
    results = parsed.all("authentication-results")[:1]  # the topmost is our own host's (RFC 8601, 5)
    if not via_list and results and re.search(r"\bdmarc\s*=\s*fail\b", results[0], re.I):
        return "The mail server says that the sender's domain did not send this (Authentication-Results: dmarc=fail)."
    shown = _words(name)
    known = any(address in addresses for _, addresses in people)
    inside = re.search(r"[^\s<>\"'()]+@[^\s<>\"'()]+", name[:300])
    if not known and inside and inside[0].lower() != address and any(inside[0].lower() in found for _, found in people):
        return "The name shows a member's address, but the mail comes from another one."
    if not known and any(len(words) > 1 and words <= shown for words, _ in people):
        return "The name is a member's, but the address is not known."
    sender = next((value for key, value in parsed.headers if key == "sender"), "")
    if sender and known and not via_list and (at := sender.rfind("@")) >= 0:
        host = sender[at + 1 :].strip("<> \t\r\n").lower()
        ours = address.rpartition("@")[2]
        if host and host != ours and not host.endswith("." + ours) and not ours.endswith("." + host):
            return "Sender and From name different organisations (RFC 5322, 3.6.2)."
    return ""


def _words(name: str) -> frozenset[str]:
    return frozenset(w.lower() for w in re.findall(r"[^\W\d_]{2,}", name)) - {"dr", "prof", "mr", "mrs", "ms", "miss"}


def name_words(name: str) -> frozenset[str]:
    """The words of a person's name without title, lower case: equal however "Last, First" is turned."""
    return _words(name)
