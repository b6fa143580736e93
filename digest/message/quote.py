"""Where other people's words stand: marked lines, "On … wrote:", Outlook's header blocks, forwards, list footers."""

import re
from collections.abc import Sequence

MAX_ATTRIBUTION = 5  # lines an "On … wrote:" may be wrapped into
# ">" and, as some programs have it, indented by a few spaces, or "|" (but not a table's row, which ends with one, too).
_MARK = re.compile(r"^(?:\s{0,4}>|\|(?:\s.*[^|\s]\s*|[\s|]*)$)")

_WROTE = (
    r"wrote|writes|said|schrieb|schreibt|geschrieben|a écrit|écrit|escribió|ha scritto|scrisse|schreef|geschreven|"
    r"skrev|"
    r"escreveu|napisał\(a\)|napisał|napisała|pisze|kirjoitti|написал|пишет|yazdı|napsal|írta|"
    r"ysgrifennodd|έγραψε|a scris|scrisse|skrifaði"
)
# How an attribution starts: "On 5 January", which a mail program may wrap, or a name or a date, then within two lines.
_OPENS = re.compile(
    r"^[\s?]*(?:-{1,4}\s*)?(?:on|am|le|el|il|op|den|em|w dniu|dnia|på|dne|in a message dated|at|quoting)\b"
    r"(?=.{0,80}(?:\d|@|<|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b))",
    re.I,
)
_OPENS_BARE = re.compile(
    r"^\s*(?:\d{1,4}[./年-]\s?\d|\d{1,2} \w+ \d{4}|(?:mon|tue|wed|thu|fri|sat|sun)\w*\b|[\"'*<]?[^\W\d_])", re.I
)
_CLOSES = re.compile(rf"(?:\b(?:{_WROTE})\b.{{0,90}}[:：]|\b(?:{_WROTE})\s?|[写寫]道\s?[:：])\s*$", re.I)
_ENDINGS = (":", "：", *_WROTE.replace("\\", "").split("|"))
_DATED = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\b\d{1,2}:\d{2}\b|\b(?:19|20)\d\d\b|@|\bat\b \S+\.\w+|<[^>]*>", re.I
)
# A date or a time and an address at its end, in a language we do not know: "5 янв. 2026 г. в 09:00, Ann <a@x.org>:".
_DATED_ADDRESS = re.compile(r"(?:(?:19|20)\d\d|\d{1,2}[:.]\d\d).{0,100}<[^<>\s]+(?:@| at )[^<>\s]+>\s?[:：]\s*$")
# Where a program broke an attribution that it had marked itself: "On … Ann Carter <ann@example.org" / "> wrote:".
_ADDRESSED = re.compile(r"<[^<>\s]+(?:@| at )[^<>\s]+>")
_CLOSES_MARKED = re.compile(rf"^\s*>+\s*(?:\b(?:{_WROTE})\b)?\s*[:：]\s*$", re.I)
# Yahoo's apps leave no line break behind it: "On Mon, 5 Jan 2026 at 9:00, Ann<ann@example.org> wrote:   Hi all".
_CLOSES_WITHIN = re.compile(rf"^.{{10,200}}<[^<>]{{3,100}}>\s+(?:{_WROTE})\s?:\s+\S", re.I)
_ELISION = re.compile(
    r"^\s*(?:\.{2,}|…|[\[<({]\s*(?:\.{2,}|…|(?:big )?(?:snip|cut|skip)\w*.{0,20})\s*[\])>}])\s*$", re.I
)
_ELIDERS = frozenset(".…[<({")
_OLD_GMAIL = re.compile(r"^\s*\d{4}[/-]\d{1,2}[/-]\d{1,2}\s.{0,100}<[^<>\s]+@[^<>\s]+>:?\s*$")

_ORIGINAL = re.compile(
    r"^\s*[-_*=]{2,}\s*(?:(?:original|reply|urspr[uü]ngliche|message d.origine|mensaje original|messaggio originale|"
    r"oorspronkelijk|mensagem original|opprinnelig|oprindelig|ursprungligt)\b.{0,30}?|.{0,20}(?:message|nachricht|"
    r"bericht|meddelande|melding))"
    r"\s*[-_*=]{2,}\s*$",
    re.I,
)
_FORWARD = re.compile(
    r"^\s*(?:[-_*]{2,}\s*(?:forwarded (?:message|by|mail)|weitergeleitete nachricht|message transféré|"
    r"mensaje reenviado|"
    r"doorgestuurd bericht|messaggio inoltrato)\b.{0,60}|begin forwarded message\s*:?|"
    r"anfang der weitergeleiteten.{0,20})\s*[-_*]*\s*$",
    re.I,
)
_RULES = frozenset("-_=*─")
_LINE = re.compile(r"^\s*(?:_{5,}|-{5,}|={5,}|\*{5,}|─{5,})\s*$")

_LABELS: dict[str, str] = {
    label: role
    for role, labels in {
        "from": "from von de van da fra från od lähettäjä от",
        "date": "sent date gesendet datum envoyé enviado fecha verzonden inviato data sendt dato skickat wysłano",
        "to": "to an à a para aan till til do vastaanottaja кому",
        "cc": "cc kopie copie kopia kopi bcc с",
        "subject": "subject betreff objet asunto onderwerp oggetto assunto emne ämne temat aihe тема",
        "other": "reply-to importance attachments organization organisation priority priorität wichtigkeit",
    }.items()
    for label in labels.split()
}
_LABEL = re.compile(r"^\s*[*_]{0,2}([^\W\d_][\w-]{0,14})[*_]{0,2}\s?[:：][*_]{0,2}(?:\s+(.*)|)$")

_ANY_LABEL = re.compile(r"^\s*[*_]{0,2}[^\W\d_][\w-]{0,20}(?: [\w-]{1,12}){0,2}[*_]{0,2}\s?[:：][*_]{0,2}\s*(\S.*)$")
_YEAR = re.compile(r"(?:^|[\s.,/-])(?:19|20)\d\d(?:\D|$)")

_FOOTER = re.compile(
    r"mailing list\b|listinfo/|to unsubscribe\b|unsubscribe ?(?:from|send|by|here|at|:)|to leave (?:this|the) (?:list|"
    r"group)|you receive (?:all|every|these)\b.{0,60}\b(?:group|list)\b|mute this (?:topic|thread)|"
    r"you (?:are receiving|received|are subscribed)\b.{0,60}(?:subscribed|list|group|member)|googlegroups\.com|"
    r"groups\.io|"
    r"jiscmail|list archives?|manage your subscription|mailman",
    re.I,
)
_OPENERS = frozenset("[_-=#*yY")
_SCRUBBED = re.compile(r"^\s*\[\[alternative HTML version deleted\]\]\s*$")  # what pipermail leaves of a part
_SEPARATOR = re.compile(r"^\s*(?:_{10,}|-{10,}|={10,}|-=-=.*|--\s?|#{5,}|\*{10,})\s*$")


def is_marked(line: str) -> bool:
    """A line with a quote mark."""
    return line.lstrip()[:1] in {">", "|"} and bool(_MARK.match(line))


def attribution(lines: Sequence[str], i: int) -> int:
    """The end of an "On … wrote:" that starts at line `i`; 0 when none does."""
    first = lines[i]
    if ">" in first[10:300] and _OPENS.match(first[:120]) and _CLOSES_WITHIN.match(first[:400]):
        return i + 1
    if not first.strip() or len(first) > 300 or not any(map(_may_close, lines[i : i + MAX_ATTRIBUTION])):
        return 0
    reach = MAX_ATTRIBUTION if _OPENS.match(first) else 2 if _OPENS_BARE.match(first) else 0
    if _OLD_GMAIL.match(first) and mark_follows(lines, i + 1):
        return i + 1
    for end in range(i, min(i + reach, len(lines))):
        last = lines[end].rstrip()
        if end > i and _CLOSES_MARKED.match(last) and _DATED.search(" ".join(lines[i:end])):
            return end + 1
        if not last or is_marked(last) or len(last) > 300 or (end > i and _OPENS.match(last)):
            return 0
        colon = last.endswith((":", "："))
        if not _may_close(last):
            continue
        text = " ".join(line.strip() for line in lines[i : end + 1])
        marked = mark_follows(lines, end + 1)
        if len(text) < 200 and _DATED_ADDRESS.search(text):
            return end + 1
        if _CLOSES.search(text) and ((colon and _DATED.search(text)) or marked):
            return end + 1
        if colon and marked and len(text) < 200 and (_ADDRESSED if end > i else _DATED).search(text):
            return end + 1  # a language we do not know: a date or an address, a colon, and then marks
    return 0


def _may_close(line: str) -> bool:
    """A quick look, before the patterns: most lines do not end like an attribution."""
    return line.rstrip().lower().endswith(_ENDINGS)


def mark_follows(lines: Sequence[str], i: int) -> bool:
    """Whether the next line that says something is marked; "[…]" for what was cut out of a quote says nothing."""
    while i < len(lines) and (not lines[i].strip() or _ELISION.match(lines[i][:60])):
        i += 1
    return i < len(lines) and is_marked(lines[i])


def elided(lines: Sequence[str], i: int) -> bool:
    """Whether line `i` stands for what was cut out of the quote that goes on below it."""
    return lines[i].lstrip()[:1] in _ELIDERS and bool(_ELISION.match(lines[i][:60])) and mark_follows(lines, i + 1)


def torn(lines: Sequence[str], i: int) -> int:
    """The end of what a program broke off the marked line above `i`, because it did not fit; 0 when nothing was."""
    if i == 0 or not is_marked(lines[i - 1]) or is_marked(lines[i]) or not lines[i].strip():
        return 0
    above, line = lines[i - 1].rstrip(), lines[i].lstrip()
    if len(above) + 1 + len(line.split(None, 1)[0]) <= 70 or (above[-1] in ".?!:;…" and not line[0].islower()):
        return 0
    if len(line) < 40 and i + 1 < len(lines) and is_marked(lines[i + 1]):
        return i + 1
    if not line[0].islower() or above[-1] in ".?!:;…":
        return 0
    while i + 1 < len(lines) and len(lines[i]) >= 60 and lines[i + 1].strip() and not is_marked(lines[i + 1]):
        i += 1  # the rest of its paragraph
    return i + 1


class Headers:
    """A block of header lines as mail programs print them over what they quote or forward."""

    def __init__(self, end: int, fields: dict[str, str], forward: bool) -> None:
        self.end = end
        self.fields = fields  # role (from, to, cc, date, subject) → value
        self.forward = forward  # the block says that it is a forward


def headers(lines: Sequence[str], i: int) -> Headers | None:
    """The header block that starts at line `i`, its rule included; None when none does."""
    if ":" not in lines[i][:60] and lines[i].lstrip()[:1] not in _RULES:
        return None
    start = i
    forward = bool(_FORWARD.match(lines[i]))
    explicit = forward or bool(_ORIGINAL.match(lines[i]))
    if explicit or _LINE.match(lines[i]):
        start = _filled(lines, i + 1)
        if not explicit and start < len(lines) and (_FORWARD.match(lines[start]) or _ORIGINAL.match(lines[start])):
            block = headers(lines, start)
            return block if block is None or block.end > start else None
    fields: dict[str, str] = {}
    end = j = start
    foreign = 0
    while j < len(lines) and j - end <= 3 and len(fields) + foreign < 9:
        match = _LABEL.match(lines[j])
        role = _LABELS.get(match[1].lower()) if match else None
        if match and role and (role not in fields or role in {"to", "other"}):
            fields.setdefault(role, (match[2] or "").strip())
            end = j + 1
        elif not lines[j].strip():
            if _LABEL.match(lines[_filled(lines, j)] if _filled(lines, j) < len(lines) else "") is None:
                break
        elif match and start > i and not fields:
            foreign += 1  # a language we do not know, but a rule stands above
            end = j + 1
        elif not fields:
            break
        elif "to" in fields or "cc" in fields or end == j:
            pass  # a long list of recipients goes on
        j += 1
    known = {"from", "date", "to", "subject"} & set(fields)
    if len(known) >= 3 and "from" in fields and _first_label(lines, start) in {"from", "date", "subject", "to"}:
        return Headers(end, fields, forward)
    if explicit:
        return Headers(max(end, i + 1), fields, forward)
    if foreign >= 3 and start > i and any("@" in line for line in lines[start:end]):
        return Headers(end, {}, False)
    return _foreign(lines, start)


def _foreign(lines: Sequence[str], i: int) -> Headers | None:
    """A block in a language we do not know: four fields, of which the first has an address and one a date."""
    values: list[str] = []
    if i >= len(lines) or "@" not in lines[i]:
        return None
    while i + len(values) < len(lines) and (match := _ANY_LABEL.match(lines[i + len(values)])):
        values.append(match[1])
        if len(values) == 7:
            break
    if len(values) >= 4 and "@" in values[0] and any(_YEAR.search(value) for value in values[1:4]):
        return Headers(i + len(values), {}, False)
    return None


def _first_label(lines: Sequence[str], i: int) -> str:
    match = _LABEL.match(lines[i]) if i < len(lines) else None
    return _LABELS.get(match[1].lower(), "") if match else ""


def _filled(lines: Sequence[str], i: int) -> int:
    """The next line that is not blank, at most three further on."""
    for j in range(i, min(i + 4, len(lines))):
        if lines[j].strip():
            return j
    return min(i, len(lines))


def footer(lines: Sequence[str], i: int) -> int:
    """The end of a list's footer that starts at line `i`; 0 when none does."""
    if lines[i].lstrip()[:1] not in _OPENERS:
        return 0
    if _SCRUBBED.match(lines[i]):
        return i + 1
    separator = bool(_SEPARATOR.match(lines[i]))
    if not separator and not re.match(r"^\s*you received this message because you\b", lines[i], re.I):
        return 0
    end, at = 0, i + 1 if separator else i
    while at < len(lines) and at - i < 20:  # paragraphs, each of which must speak of the list
        start = at = _filled(lines, at)
        while at < len(lines) and at - start < 12 and lines[at].strip() and not is_marked(lines[at]):
            at += 1
        if start == at or not _FOOTER.search(" ".join(lines[start:at])[:2000]):
            break
        end = at
    return end + 1 if 0 < end < len(lines) and _SEPARATOR.match(lines[end]) else end
