"""Where an author stops writing: valediction, name, signature, and what is added below; and the banner before them.

All functions look at one author's lines only, quotes taken out before.
"""

import re
from collections.abc import Iterator, Sequence

from digest.message import boilerplate
from digest.nouns import SegmentRole

_LETTERS = re.compile(r"[^\W\d_]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TITLES = _set("dr prof professor mr mrs ms miss mx sir dame rev")
# A valediction is a short line made of these words alone, besides the author's name. One of the first list has to be
# there: "the very best" alone is prose.
_VALEDICTION_HEADS = _set(
    """regards wishes thanks thank thanx thx ta yours sincerely faithfully cheers love care bw kr br rgds tia mtia best
    kind warm warmly hth soon bye cordially respectfully warmest haste diolch cofion hwyl slainte sláinte slàinte slán
    grüße grüsse gruß gruss grüßen grüssen mfg lg vg cordialement vous amicalement salutations merci saludos abrazo
    atentamente gracias saludo groet groeten mvg saluti grazie hälsning hälsningar hilsen mvh kh vh
    abraços atenciosamente obrigado pozdrawiam pozdrowienia poważaniem powazaniem"""
)
_VALEDICTION_WORDS = _VALEDICTION_HEADS | _set(
    """regard wish kindest kindly many you all the very truly take speak with and in advance much so again ever as
    always gratefully appreciation sent my greetings from good luck till until later for now have a nice lovely great
    day week weekend evening happy new year christmas easter break everyone everybody team both folks guys in aye
    gorau cynnes cynhesaf le meas gach dea ghuí dhea
    viele liebe herzliche freundliche freundlichen mit besten schöne beste bien à meilleures cordiales un cordial
    met vriendelijke hartelijke cordiali distinti med vänlig venlig vennlig z serdecznie"""
)

_THANKS = _set("thanks thank thx thanx ta cheers merci gracias grazie obrigado")
_WISH = re.compile(  # "Have a lovely weekend": a farewell when a name follows
    r"^\s*(?:have|enjoy|hope you have|wishing you(?: all)?)\W+(?:a|your|the)\W+(?:\w+\W+){0,3}"
    r"(?:weekends?|day|week|evening|afternoon|break|christmas|easter|new year|holidays?|summer)\W*$",
    re.I,
)
_PRONOUNS = re.compile(r"\s*[(\[]\s*(?:she|he|they|ze|any)\b[^)\]]{0,40}[)\]]", re.I)
_DELIMITER = re.compile(r"^\s{0,2}--\s?$")
# A postscript or a footnote still belongs to what was said; so does what is said to somebody by name.
_POSTSCRIPT = re.compile(
    r"^\s*(?:p\.?\s?(?:p\.?\s?)?s\b[.:,\s–-]|n\.?\s?b\b[.:,\s–-]|\[(?:\d{1,2}|\*{1,3})\]:?\s?\S|\(\d{1,2}\)\s|\*{1,3}\)\s|[¹²³]\s?\S|"
    r"(?:edit|edited|update|correction|addendum|appendix|post ?script(?:um)?)\b\s?[:–-]|@[^\W\d_]\w*[\s:,])",
    re.I,
)
_SENTENCE = re.compile(r"[.?!…][)\]\"'”’]*\s*$")
_TALKS = re.compile(r"\b(?:i|i'm|i’m|i've|i’ve|we|we've|you|your|my|our|me|us|if|this|that|these|those|it)\b", re.I)
# What people keep below their names in sentences: when and how to reach them, what their employer is proud of.
_ABOUT_SELF = re.compile(
    r"\b(?:i (?:normally |usually |currently |generally |only |also |do not |don.t )*(?:work|check|read|monitor)|"
    r"work(?:ing|s)? (?:days?|hours?|patterns?|week|flexib\w*|from home|part|"
    r"remote\w*|mon|tue|wed|thu|fri|across|together)|"
    r"(?:non|core)[- ]?working|office hours|hours (?:that|which)|out[- ]of[- ]hours|"
    r"out(?:side)? of (?:my |your |normal |office |core |usual )*hours|"
    r"(?:reply|respon\w+|action\w*|answer)\b.{0,40}\b(?:outside|out of|immediate\w*|straight ?away|weekends?|hours)|"
    r"(?:days?|leave)\b.{0,30}\b(?:off|annual)|annual leave|maternity|secretar\w+|p\.?a\.? |assistant|urgent|"
    r"(?:contact|ring|call|phone|e-?mail|reach|speak to) (?:me|us|my|our|the|him|her)\b|follow (?:us|me)|visit\b|"
    r"websites?\b|feedback|surveys?\b|award|winner|proud|committed|(?:our|nhs) values|"
    r"please (?:note|consider|think|help|do not|don.t|be aware|save)|registered|pronoun|she/her|he/him|they/them|"
    r"vaccin\w+|screening saves|nhs ?111|dial 999|monitored|mailbox|newsletter|subscribe|twitter|linkedin|facebook|"
    r"instagram|podcast)\b",
    re.I,
)
_CODE = re.compile(
    r"^\s*(?:diff --git |Index: |@@ |[-+]{3} \S|#!|```|~~~)|[{};\\]\s*$|<-|::|\(\)|</|/>|^\s*#\s?(?:include|if|end)",
    re.I,
)

_ITEM = re.compile(r"^\s*(?:[-*•·–▪◦]\s|\(?\w{1,3}[.)]\s)")
_NAME_LINE = re.compile(r"^(?:[-–—~/]{1,2}\s?)?[^\W\d_][\w'’.-]*(?:[ -][^\W\d_][\w'’.-]*){0,2}[,.]?$")
_GREETING = _set(
    "hi hello hey dear all everyone team colleagues morning afternoon evening folks both thanks yes no agreed"
)


def names(author: str) -> frozenset[str]:
    """The words of an author's name, lower case, without titles: what a line may consist of to be a signature's."""
    bare = re.sub(r"\(.*?\)|\[.*?\]|<.*?>|@\S*", " ", author)
    return frozenset(w.lower() for w in _LETTERS.findall(bare) if len(w) > 1) - _TITLES - {"gp", "via", "the"}


def split(lines: Sequence[str], author: frozenset[str], opening: bool = True) -> list[SegmentRole]:
    """What each line of one author's stretch is: NEW, SIGNATURE, DISCLAIMER or BANNER.

    `opening`: nothing of theirs stands above, so that a first line of thanks is what they had to say.
    """
    roles = [SegmentRole.NEW] * len(lines)
    start = _banners(lines, roles)
    end = _tail(lines, start, author, opening)
    goes_on, told, bare = (
        True,
        "",
        True,
    )  # no card yet; what the author said last below the name; not even a farewell yet
    for first, last in _stretches(lines, end):
        text = " ".join(lines[first:last])
        if boilerplate.is_disclaimer(text) or boilerplate.is_rule(text):
            roles[first:last] = [SegmentRole.DISCLAIMER] * (last - first)
            goes_on = goes_on and bool(boilerplate.is_rule(text))
        elif _POSTSCRIPT.match(text) or (
            goes_on and not bare and not _is_name(lines[first], author) and _is_afterthought(lines[first:last], told)
        ):
            goes_on, told = True, text
        else:
            roles[first:last] = [SegmentRole.SIGNATURE] * (last - first)
            goes_on = goes_on and all(_is_farewell(line, author) for line in lines[first:last])
        bare = False
    return roles


def _stretches(lines: Sequence[str], start: int) -> Iterator[tuple[int, int]]:
    """The paragraphs from `start` on; a postscript begins one even without a blank line above."""
    for first, last in _paragraphs(lines, start, len(lines)):
        begin = first
        for i in range(first + 1, last):
            if _POSTSCRIPT.match(lines[i]):
                yield begin, i
                begin = i
        yield begin, last


def _is_afterthought(paragraph: Sequence[str], told: str) -> bool:
    """Whether a paragraph below the name goes on: sentences that are not about the author, code, or what was promised.

    `told`: what the author has said below the name already.
    """
    if told.rstrip().endswith(":") or sum(bool(_CODE.search(line)) for line in paragraph) * 2 > len(paragraph):
        return True
    text = " ".join(paragraph)
    if (
        len(text) > 3000
        or text.lstrip()[:1] in "\"“”'‘*_–—"
        or _ABOUT_SELF.search(text)
        or boilerplate.is_tag_line(text)
    ):
        return False
    return len(_LETTERS.findall(text)) >= 7 and bool(_SENTENCE.search(text) and (told or _TALKS.search(text)))


def _is_farewell(line: str, author: frozenset[str]) -> bool:
    """A line of a valediction, the author's name or a tag line; not of a card."""
    words = [w.lower() for w in _LETTERS.findall(line)]
    return (
        bool(boilerplate.is_tag_line(line) or _DELIMITER.match(line))
        or all(w in _VALEDICTION_WORDS or w in author or w in _TITLES or len(w) == 1 for w in words)
        or _is_name(line, author)
    )


def _paragraphs(lines: Sequence[str], start: int, end: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first: int | None = None
    for i in range(start, end + 1):
        blank = i == end or not lines[i].strip()
        if first is None and not blank:
            first = i
        elif first is not None and blank:
            found.append((first, i))
            first = None
    return found


def _banners(lines: Sequence[str], roles: list[SegmentRole]) -> int:
    """Mark the banners a gateway put before the text; the index where the author starts."""
    start = 0
    for first, last in _paragraphs(lines, 0, len(lines))[:4]:
        text = " ".join(lines[first : min(last, first + 8)])[:700]
        if not boilerplate.is_rule(text) and not boilerplate.is_banner(text):
            break
        if boilerplate.is_rule(text) and not start:
            break
        roles[first:last] = [SegmentRole.BANNER] * (last - first)
        start = last
    return start


def _tail(lines: Sequence[str], start: int, author: frozenset[str], opening: bool) -> int:
    """The index from which on the author says goodbye; len(lines) when they do not."""
    size = len(lines)
    disclaimers = _only_disclaimers(lines, start)
    filled = [i for i in range(start, size) if lines[i].strip()]
    for position, i in enumerate(filled):
        following = filled[position + 1] if position + 1 < len(filled) else None
        at_start = i == start or not lines[i - 1].strip()
        left = len(filled) - position - 1
        if (
            (_DELIMITER.match(lines[i]) and (lines[i].endswith(" ") or (left <= 15 and _is_last(lines, i))))
            or boilerplate.is_tag_line(lines[i])
            or (
                left <= 40
                and (position or not opening or not _thanks(lines[i]))
                and _says_goodbye(lines[i], lines[following] if following is not None else "", left, author)
            )
            or (left <= 40 and (position or not opening) and at_start and _is_name(lines[i], author))
            or i == disclaimers
        ):
            return _with_rule(lines, i, start)
    return _lone_name(lines, filled, size, bool(author))


def _is_last(lines: Sequence[str], i: int) -> bool:
    """Whether no other "--" follows: two of them set paragraphs apart."""
    return not any(_DELIMITER.match(line) for line in lines[i + 1 :])


def _thanks(line: str) -> bool:
    """A courtesy that may be all somebody has to say."""
    return not _THANKS.isdisjoint(w.lower() for w in _LETTERS.findall(line))


def _lone_name(lines: Sequence[str], filled: Sequence[int], size: int, known: bool) -> int:
    """A name we do not know, alone on its line near the end, with nothing but a card of short lines below it.

    When the author is `known`, a last word alone is not taken for somebody else's name: it may be "Brilliant".
    """
    for position in range(len(filled) - (2 if known else 1), max(0, len(filled) - 8), -1):
        i = filled[position]
        line = lines[i].strip()
        if len(line) > 60 or line.endswith((".", "?", "!", ":")) or _ITEM.match(line) or " | " in line:
            break
        if not lines[i - 1].strip() and (i + 1 == size or not lines[i + 1].strip()) and _NAME_LINE.match(line):
            return i if _capitalised(line) else size
    return size


def _with_rule(lines: Sequence[str], i: int, start: int) -> int:
    """Take a rule right above into the signature."""
    above = i - 1
    while above > start and not lines[above].strip():
        above -= 1
    return above if above >= start and boilerplate.is_rule(lines[above]) else i


def _capitalised(line: str) -> bool:
    words = line.strip("-–—~/ ").split()
    return all(w[0].isupper() and not (w.isupper() and len(w.strip(",.")) > 3) for w in words) and not (
        {w.strip(",.").lower() for w in words} & _GREETING
    )


def _says_goodbye(line: str, following: str, left: int, author: frozenset[str]) -> bool:
    """A valediction: a short line of such words, with a name behind it or below it, or nothing more below."""
    if len(line) > 60 or line.rstrip().endswith("?"):
        return False
    if line.lstrip()[:1] in "hHeEwW" and _WISH.match(line):
        return _is_name(following, author)
    words = [w.lower() for w in _LETTERS.findall(line)]
    if not words or len(words) > 9:
        return False
    named = [w for w in words if w in author or w in _TITLES or len(w) == 1]
    rest = [w for w in words if w not in named]
    if not rest or not set(rest) & _VALEDICTION_HEADS:
        return False
    if not set(rest) <= _VALEDICTION_WORDS:
        # "Best wishes, Jo" of an author whose From has no name
        head, comma, tail = line.partition(",")
        if author or not comma or not _capitalised(tail) or len(tail.split()) > 2 or not _is_plain(head):
            return False
        return left <= 12
    if named or left == 0:
        return True
    return _is_name(following, author) or (len(following) <= 60 and _looks_named(following) and left <= 14)


def _is_plain(text: str) -> bool:
    words = [w.lower() for w in _LETTERS.findall(text)]
    return bool(words) and set(words) <= _VALEDICTION_WORDS and bool(set(words) & _VALEDICTION_HEADS)


def _looks_named(line: str) -> bool:
    """One to four words with capitals and no sentence: a name we do not know."""
    words = [w for w in line.replace(",", " ").split() if w[0].isalpha()]
    return (
        0 < len(words) <= 5
        and words[0][0].isupper()
        and not line.rstrip().endswith((".", "?", "!", ":", ";"))
        and _capitalised(words[0])
    )


def _is_name(line: str, author: frozenset[str]) -> bool:
    """The author's own name, perhaps with title, qualifications and role behind it."""
    text = (_PRONOUNS.sub("", line) if "(" in line or "[" in line else line).strip().lstrip("-–—~*_ ").rstrip("*_ ")
    if not text or not author or len(text) > 100 or text.endswith(("?", "!", ":")):
        return False
    words = [w.lower() for w in _LETTERS.findall(text) if set(w) != {"x"}]  # a kiss or two
    head = 0
    known = 0
    for word in words:
        if word in author:
            known += 1
        elif word not in _TITLES and len(word) > 1:
            break
        head += 1
    if known == 0:
        if len(words) == 1 and len(words[0]) > 2 and words[0] == text.rstrip(",.").lower():
            # Ben is short for Benjamin, and Annie is Ann's pet name
            return any(words[0] in name or (words[0].startswith(name) and len(name) > 2) for name in author)
        return _initials(text.rstrip("."), author)
    if head == len(words):
        return True
    if known < 2 and words[0] not in _TITLES:
        return False
    # behind the name: a comma, bracket or dash, or letters after the name such as MRCGP
    behind = _behind(text, head)
    return bool(re.match(r"\s*(?:[,(|/•·–—-]|[A-Z]{2,}\b|$)", behind)) and not text.endswith(".")


def _behind(text: str, head: int) -> str:
    position = 0
    for match in _LETTERS.finditer(text):
        if head == 0:
            break
        head -= 1
        position = match.end()
    return text[position:].lstrip(".")


def _initials(text: str, author: frozenset[str]) -> bool:
    return text.isalpha() and text.isupper() and len(text) <= 4 and {c.lower() for c in text} <= {w[0] for w in author}


def _only_disclaimers(lines: Sequence[str], start: int) -> int:
    """Where the run of disclaimers and rules that ends the text begins; -1 when it does not end so."""
    first = -1
    for begin, end in reversed(_paragraphs(lines, start, len(lines))):
        text = " ".join(lines[begin:end])
        if boilerplate.is_disclaimer(text, signed=False):
            first = begin
        elif not boilerplate.is_rule(text) and not boilerplate.goes_on(text):
            break
    return first
