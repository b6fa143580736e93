"""What kind of mail it is, where the mail settles it by itself: each rule names the header and the standard.

`purpose` tells question, reply and announcement apart for the rest.

`Precedence: list`, `List-Id` and the like prove nothing: the stream is a list (DESIGN.md, rules learnt).
"""

import re
from collections.abc import Sequence

from digest.message.parse import Parsed
from digest.nouns import Kind
from digest.words import low

_PREFIX = r"^(?:\s*\[[^\]]{1,40}\])*\s*"
_BOUNCE_FROM = re.compile(r"^(?:mailer-daemon|postmaster|mail-?delivery\w*|microsoftexchange[0-9a-f]+)@", re.I)
_BOUNCE_SUBJECT = re.compile(
    _PREFIX
    + r"(?:undeliver|delivery (?:status notification|(?:has )?fail|incomplete|delayed)|mail delivery (?:fail|sub)|"
    r"returned mail|failure notice|bounced?\s?:|message bounced|"
    r"(?:message|e-?mail|mail) (?:could )?not (?:be )?delivered|"
    r"unzustellbar|non remis|delivery report)",
    re.I,
)
# What a program that could not deliver says of it, with the server's words (RFC 5321, 4.2; RFC 3463).
_BOUNCED = re.compile(
    r"\b(?:could not be delivered|(?:was|were) not delivered|undeliverable|delivery (?:has )?failed|"
    r"unable to deliver)\b"
    r".{0,600}?\b[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3}\b|\w)",
    re.I | re.S,
)
_READ_SUBJECT = re.compile(
    _PREFIX + r"(?:(?:read|not read|read receipt|gelesen|lu|leído|lido|letto|gelezen|displayed|return receipt)"
    r"\s*(?:\(displayed\))?:|return receipt \(displayed\))",
    re.I,
)
_READ_BODY = re.compile(
    r"^\s*your message\b.{0,600}?\bwas (?:read|deleted without being read|displayed)\b|this is a (?:return|"
    r"read) receipt",
    re.I | re.S,
)
_RECALL = re.compile(
    r"would like to recall the message|your attempt to recall|recall report|"
    r"möchte die nachricht .{0,200}zurückrufen|souhaite rappeler le message",
    re.I | re.S,
)
_RECALL_SUBJECT = re.compile(_PREFIX + r"(?:recall|message recall (?:success|failure)|rückruf|rappel)\s*:", re.I)
_AWAY_SUBJECT = re.compile(
    _PREFIX + r"(?:.{0,60}/\s*)?(?:(?:automatic(?: e-?mail)?|automated|auto)[- ]?(?:reply|response|responder)|"
    r"out[- ]of[- ](?:the[- ])?office(?: (?:reply|notification|message))?|vacation reply|abwesenheit\w*|"
    r"automatische antwort|réponse automatique|absence du bureau|respuesta automática|risposta automatica|"
    r"automatisch antwoord|ymateb awtomatig|allan o'r swyddfa)"
    r"(?=\s*(?:$|[:;(\[/–-]|re\b|fwd?\b|until\b|till\b|from\b|\d))|" + _PREFIX + r"(?:auto|ooo)\s*:",
    re.I,
)
_AWAY_TOO = re.compile(  # what people write over an answer that a phone sends for them
    _PREFIX
    + r"(?:(?:i'?m|i am|currently)?\s*(?:on|away on) (?:annual |maternity |paternity |parental |sick |study )?leave|"
    r"(?:i'?m |i am )?on (?:my )?holidays?|(?:i'?m |i am )?away (?:from|until|till)|ooo)\b",
    re.I,
)
_ANSWERS = re.compile(r"\b(?:re|aw)\s*:", re.I)
# What answers by itself says early on …
_AWAY_BODY = re.compile(
    r"\b(?:i am|i'm|i’m|i will be|i shall be) (?:currently |now |presently )?(?:away|out of (?:the )?office|"
    r"on (?:\w+ )?leave|on holiday|not in the office)\b"
    r".{0,200}\b(?:until|till|returning|return|back on|from|between|access to (?:my )?e-?mail|contact|urgent)\b|"
    r"\bi (?:only |currently |normally )*work (?:part[- ]time|on\b|mon|tue|wed|thu|fri)"
    r".{0,200}\b(?:respond|reply|answer|get back)\b|"
    r"\bi (?:have )?(?:now |recently )?(?:left|retired|no longer work)\b"
    r".{0,200}\b(?:contact|redirect|forward|send|e-?mail)\b|"
    r"\bthank you for (?:contacting|getting in touch|your (?:e-?mail|message|enquiry))\b"
    r".{0,300}\b(?:aim|endeavour|try|will) (?:to )?(?:respond|reply|answer|get back)\b",
    re.I | re.S,
)
# … also of its sender, by name.
_AWAY_NAMED = re.compile(
    r"^\W*(?:(?:dr|prof(?:essor)?|mrs?|ms|miss|sister|nurse)\.? )?((?:[^\W\d_][\w'’-]+ ){1,3})"
    r"(?:is|will be) (?:currently |now |presently )?(?:away\b|out of (?:the )?office|on (?:\w+ )?leave|on holiday)",
    re.I,
)
_CLAUSE = re.compile(r"[.!;:,\n]|\bbut\b|\bso\b")
_AUTOMATED = re.compile(
    r"\bthis is an? (?:automat(?:ed|ic)|auto)[- ]?(?:generated )?(?:reply|response|message|e-?mail|acknowledge?ment)\b|"
    r"\bthis (?:e-?mail|message|reply) (?:was|is|has been) (?:sent|generated) automatically\b",
    re.I,
)
# … and what it goes on about; the clauses of a person who answers have something else to say.
_ABOUT_AWAY = re.compile(
    r"\b(?:away|leave|office|return\w*|back|until|till|contact\w*|urgent\w*|e-?mails?|respon\w+|reply|replies|answer\w*|"
    r"(?:phone|ring|call|speak to) (?:me|us|the|our|my|him|her|them)|messages?|thank\w*|colleagues?|cover\w*|during|"
    r"meanwhile|absence|assist\w*|deal\w*|secretary|days?|work(?:ing|s)?|left|retired|redirect\w*|automat\w+|regards|"
    r"wishes|holidays?|monitored|access|dear|hello|sorry|soon)\b|\d{5}",
    re.I,
)
_LIST_SERVER = re.compile(
    r"^(?:mailman|listserv|majordomo|sympa|listmaster|listadmin|postorius|lyris|ezmlm)(?:-\w+)?@|[-+](?:request|"
    r"owner|admin|confirm|bounces|noreply)(?:\+\S*)?@",
    re.I,
)
#: Where a list's members write to its server or its owner (RFC 2142, 6; what Sympa, LISTSERV and Mailman answer to).
_TO_SERVER = re.compile(
    r"^(?:mailman|listserv|majordomo|sympa|listmaster|lyris|ezmlm)@|"
    r"[-+](?:request|owner|subscribe|unsubscribe|join|leave|confirm|editor)(?:[+=]\S*)?@",
    re.I,
)
_LIST_SUBJECT = re.compile(
    _PREFIX + r"(?:confirm [0-9a-f]{8,}|your (?:confirmation|subscription|message to \S+) (?:is|awaits|has)|"
    r"\S+ (?:subscription|unsubscription|unsubscribe) (?:notification|confirmation|request)|"
    r"(?:un)?subscribe\s*$|you have been (?:un)?subscribed|\d+ \S+ moderator request)",
    re.I,
)
_ANSWERED_INVITE = re.compile(
    _PREFIX + r"(?:accepted|declined|tentative(?:ly accepted)?|tentatively accepted|cancell?ed(?: event)?|"
    r"(?:updated )?invitation|new time proposed|zugesagt|abgelehnt|accepté|refusé|aceptado)\s*:",
    re.I,
)
# Families of what unwanted mail says, in lower case, from a word's start on; one alone is nothing, two by a stranger
# are.
_OFFERS = (
    (
        r"gift ?cards?|wire transfer|bitcoin|crypto(?:currency)?|lottery|inheritance|beneficiary|western union|"
        r"bank details"
    ),
    (
        r"(?:mailbox|account|password|e-?mail|storage|quota|membership)\b.{0,40}\b"
        r"(?:full|limit|exceeded|expir|suspend|verif|deactivat|upgrade|held|closed|terminated)|"
        r"(?:confirm|verify|validate|update) your (?:\w+ )?"
        r"(?:password|account|mailbox|details|identity|log-?in|membership)"
    ),
    (
        r"click (?:here|below|the link|on the link)|log ?in (?:now|here)|keep my (?:messages|password|account)|"
        r"claim (?:your|my)|verify (?:now|your)"
    ),
    (
        r"limited (?:time )?offer|special offer|"
        r"free (?:[\w-]+ ){0,3}(?:audit|trial|quote|consultation|demo|sample|pilot)\b|"
        r"\d+ ?% off|discount|no[- ]obligation|act now|limited (?:slots|places|seats)|"
        r"first (?:\w+ ){1,2}to (?:reply|respond|sign)|at no cost|risk[- ]free|money[- ]back"
    ),
    (
        r"reply (?:stop|remove)|to stop (?:hearing|receiving|these)|opt[- ]?out|remove (?:me|you) from|unsubscribe|"
        r"not (?:wish|want) to (?:receive|hear)|not interested,? (?:just|please|simply)"
    ),
    (
        r"call for (?:papers|speakers|abstracts)|(?:submit|send) (?:\w+ ){0,3}manuscripts?|special issue|"
        r"processing charge|editorial board|"
        r"eminent (?:\w+ )?(?:researcher|scientist|speaker|author)|keynote speaker|predatory"
    ),
    (
        r"marketing|leads\b|seo\b|private patients|new customers|boost your|fills? your diary|"
        r"rank(?:ing|ed|s)? (?:\w+ ){0,3}on google|(?:page (?:one|1)|first page|top) of (?:google|every search|search)|"
        r"search (?:engine|ranking)|web ?site design|email lists?\b|(?:double|triple|grow|increase) your (?:\w+ )?"
        r"(?:referrals|patients|revenue|income|sales|clients|visibility)"
    ),
    (
        r"action required|final (?:notice|reminder|warning)|within (?:24|48) hours|immediately|urgent(?:ly)?\b|"
        r"quick favou?r|are you (?:free|available)|by (?:tonight|midnight|end of (?:today|day))"
    ),
    (
        r"dear (?:dr\.? )?(?:doctor|customer|user|client|sir ?(?:/|or) ?madam|valued|e-?mail (?:user|owner)|account|"
        r"esteemed|respected|healthcare (?:leader|professional|provider)|practice (?:owner|manager)|business owner)"
    ),
    (  # flattery, as strangers begin
        r"esteemed|honou?rable self|greetings of the day|immense pleasure|your valuable (?:contribution|presence|time)|"
        r"(?:i|we) (?:noticed|saw|see|came across|read|understand) (?:that )?(?:your|you)\b|"
        r"(?:hope (?:this|my)|this) (?:e-?mail|message|note) finds you"
    ),
    (  # who sells asks for a talk, and for whoever pays
        r"(?:\d\d|five|ten|fifteen|twenty|thirty)[ -]?min(?:ute)?s?\b.{0,40}"
        r"\b(?:with|of your time|call|chat|demo|slot)|"
        r"(?:book|schedule|arrange|grab|pick) (?:a |an |some )?(?:[\w-]+ ){0,2}(?:time|call|demo|slot|chat|meeting) "
        r"(?:with (?:me|us)|today|now|here|below)|"
        r"(?:strategy|discovery|sales|intro(?:ductory)?) (?:call|session)|hop on a call|calendly|"
        r"(?:quick|brief|short) (?:call|demo|chat)\b"
    ),
    (
        r"(?:holds?|owns?|control\w*) (?:the|a|your) budget|budget[- ]holders?|decision[- ]makers?|"
        r"procurement (?:lead|team)|"
        r"(?:business development|partnerships?|sales|account|growth) (?:director|manager|executive|lead|team)\b|"
        r"(?:brochure|one[- ]pager|price list|datasheet|pricing)\b|registration fee|usd ?\$?\d|trusted by|"
        r"(?:our|the) (?:\w+ )?(?:platform|solution|software|product|technology)\b.{0,60}"
        r"\b(?:helps?|cuts?|reduces?|saves?|improves?|increases?)|\bai (?:triage|solution|platform|assistant|tool)\b"
    ),
)
_SPAM = tuple(re.compile(rf"\b(?:{family})") for family in _OFFERS)


def to_server(recipients: Sequence[str]) -> bool:
    """Whether a mail is written to a list's server or owner alone, and so is about the list."""
    return bool(recipients) and all(map(_TO_SERVER.search, recipients))


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
    null_path = _null_path(parsed)
    if _BOUNCE_SUBJECT.match(subject) and (null_path or _BOUNCE_FROM.match(sender)):
        why = "Return-Path is empty (RFC 5321, 4.5.5)" if null_path else "From is a mail system"
        return Kind.BOUNCE, f"{why} and the subject says that delivery failed."
    if _BOUNCE_FROM.match(sender):
        return Kind.BOUNCE, "From is a mail system (RFC 2142; RFC 5321, 4.5.5)."
    submitted = parsed.get("auto-submitted").lower()
    if (null_path or (submitted and submitted != "no")) and _BOUNCED.search(text[:2000]):
        return Kind.BOUNCE, "A program sent it, and it tells with what code delivery failed (RFC 5321, 4.2)."
    if _READ_SUBJECT.match(subject) and _READ_BODY.search(text[:2000]):
        return Kind.RECEIPT, "The subject and the text are those of a read receipt."
    return None, ""


def _null_path(parsed: Parsed) -> bool:
    return any(value.strip() == "<>" for value in parsed.all("return-path"))


def _calendar(parsed: Parsed, text: str) -> tuple[Kind | None, str]:
    if parsed.methods and parsed.methods[0] not in {"", "PUBLISH"}:
        return Kind.CALENDAR, f"A text/calendar part has the method {parsed.methods[0][:20]} (RFC 5546)."
    if parsed.content_type == "text/calendar":
        return Kind.CALENDAR, "Content-Type is text/calendar (RFC 6047)."
    if parsed.get("content-class").lower() == "urn:content-classes:calendarmessage":
        return Kind.CALENDAR, "Content-Class says that it is an Outlook invitation."
    if _ANSWERED_INVITE.match(parsed.get("subject")) and len(text.split()) < 3:
        return Kind.CALENDAR, "The subject is that of an answer to an invitation, and nothing else is said (RFC 5546)."
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
    if _null_path(parsed):
        return (
            Kind.AUTO_REPLY,
            "Return-Path is empty, as only what programs send has it (RFC 5321, 4.5.5; RFC 3834, 3.3).",
        )
    if parsed.get("precedence").lower() == "auto_reply":
        return Kind.AUTO_REPLY, "Precedence is auto_reply (RFC 3834, 2)."
    if _AWAY_SUBJECT.match(subject):
        suppress = parsed.get("x-auto-response-suppress")
        because = "X-Auto-Response-Suppress is set and the" if suppress else "The"
        return Kind.AUTO_REPLY, f"{because} subject is that of an out-of-office reply."
    if len(text) < 800 and "?" not in text and _ANSWERS.search(subject):
        if _AWAY_TOO.match(subject):
            return Kind.AUTO_REPLY, "The subject says that the sender is away, before the subject it answers."
        if (match := _AWAY_BODY.search(text)) and match.start() < 120 and _says_no_more(text):
            return Kind.AUTO_REPLY, "A short answer that says no more than that its sender is away."
        named = _AWAY_NAMED.match(text)
        if named and _is_sender(named[1], parsed.sender[0]) and _says_no_more(text):
            return Kind.AUTO_REPLY, "A short answer that says of its sender, by name, no more than being away."
        if _AUTOMATED.search(text):
            return Kind.AUTO_REPLY, "A short answer that says that it is automatic."
    return None, ""


def _is_sender(said: str, sender: str) -> bool:
    """Whether all words of a name are in the sender's."""
    return set(said.lower().split()) <= {word for word in re.split(r"[^\w'’-]+", sender.lower()) if word}


def _says_no_more(text: str) -> bool:
    """Whether next to all clauses of a text are about being away and whom to ask instead."""
    clauses = [len(clause.split()) for clause in _CLAUSE.split(text) if not _ABOUT_AWAY.search(clause)]
    return sum(size for size in clauses if size > 3) * 4 < len(text.split())


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
    said = low(f"{parsed.get('subject')}\n{text[:2000]}")
    cues = sum(bool(pattern.search(said)) for pattern in _SPAM)
    if cues >= 2 or (cues and spoof):
        return Kind.SPAM, "The sender is not a member and the text sells, threatens or asks for money."
    return None, ""
