"""HTML → lines of text. Quotes become "> " lines, tables `cell | cell`, list items lines of their own.

Nothing is rendered and nothing remote is looked at. The walk is a loop, so that a mail cannot exhaust the stack.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from itertools import islice

from lxml import etree

from digest.message import charset, links

MAX_CELL = 300  # characters; a cell with more is a column of a page's layout
MAX_DEPTH = 30  # of quotes and of tables in tables; what is deeper stays at this depth
_SPACE = re.compile(r"[ \t\n\r\f\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_SOFT = re.compile(r"[ \t\n\r\f]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\u00ad\u034f\ufeff]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SKIP = _set("head style script title template noscript object svg math select textarea button")
_BLOCK = _set(
    """address article aside body blockquote caption center dd details div dl dt fieldset figure footer form h1 h2 h3 h4
    h5 h6 header hr html li main nav ol p pre section table tbody td tfoot th thead tr ul"""
)
_SPACED = _set("p h1 h2 h3 h4 h5 h6 pre dl figure")
_HIDDEN = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|font-size:[01](?:px|pt)?(?:;|$)|max-height:0(?:px)?(?:;|$)"
)
# Containers of what somebody else wrote: Yahoo, Proton, Tutanota, Zimbra/Zoho, GMX and AOL.
_QUOTE = re.compile(r"\b(?:yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|aolReplacedBody|gmx_quote)\b")
# Containers of a signature: Gmail, Thunderbird, OWA, Apple Mail, Proton, Samsung, Outlook for phones.
_SIGNATURE = re.compile(
    r"\b(?:gmail_signature|moz-signature|Signature|AppleMailSignature|protonmail_signature_block|composer_signature"
    r"|ms-outlook-mobile-signature)\b"
)
# Where Outlook and OWA put the header block of the mail they answer.
_BEFORE_HEADERS = re.compile(r"\b(?:divRplyFwdMsg|OutlookMessageHeader)\b")
_OUTLOOK_RULE = re.compile(r"border:none;border-top:solid #?(?:e1e1e1|b5c4df|[a-z0-9]+) 1\.0pt;padding:3\.0pt")
_INDENT = re.compile(r"border(?:-width)?:(?:none|0|medium none)")
_BOLD = _set("b strong")
_COLOUR = re.compile(r"(?<![-\w])color:\s*([^;]{1,40})")
_PLAIN = re.compile(  # black, what means it, and the dark greys and blue that Outlook, Gmail and Apple write in
    r"(?:black|windowtext|inherit|initial|auto|#0{3}|#0{6}|#1f497d|#2[0-9a-f]2[0-9a-f]2[0-9a-f]|#222|#333|#3[0-9a-f]{5}|"
    r"#1a1a1a|#1d1d1f|#242424|rgba?\(\s*(?:0|[1-5]\d)\s*,\s*(?:0|[1-5]\d)\s*,\s*(?:0|[1-5]\d)\b.*)\s*(?:!important)?$"
)
_WEIGHT = re.compile(r"font-weight:\s*(\w+)")
RULE = "_" * 32


@dataclass(slots=True)
class Line:
    """A line, and the targets of its links whose address it does not show.

    `tint`: the colour and weight that all of it is written in, when they are not the text's own ("#ff0000", "bold").
    """

    text: str
    links: tuple[str, ...] = ()
    tint: str = ""


@dataclass(slots=True)
class _Writer:
    lines: list[Line] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # of the line being written
    hidden: list[str] = field(default_factory=list)  # link targets of the line being written
    tints: set[str] = field(default_factory=set)  # of the line being written
    depth: int = 0

    def write(self, text: str, tint: str = "") -> None:
        self.words.append(text)
        if not text.isspace():
            self.tints.add(tint)

    def end_line(self) -> None:
        text = "".join(self.words)
        if "\u00a0" in text and not text.strip():
            self.words = []
            self.blank()  # Outlook's empty line is a paragraph with a hard space
        elif text.strip() or self.hidden:
            tint = next(iter(self.tints)) if len(self.tints) == 1 else ""
            self.lines.append(Line(self._prefix() + _SPACE.sub(" ", text).strip(), tuple(self.hidden), tint))
        self.words, self.hidden, self.tints = [], [], set()

    def break_line(self) -> None:
        if "".join(self.words).strip():
            self.end_line()
        else:
            self.words = []
            self.blank()

    def blank(self) -> None:
        self.end_line()
        if self.lines and self.lines[-1].text.strip("> "):
            self.lines.append(Line(self._prefix().rstrip()))

    def _prefix(self) -> str:
        return ">" * min(self.depth, MAX_DEPTH) + " " if self.depth else ""


def to_lines(html: str) -> tuple[list[Line], bool]:
    """The lines of an HTML text, and whether its layout was understood; when not, the words alone are there."""
    root, whole = _parse(html)
    if not whole:
        return _bare(html), False
    return ([] if root is None else _Walk(root).lines()), True


def _bare(html: str) -> list[Line]:
    """The words without their layout, for HTML that nests deeper than the parser goes."""
    text = re.sub(r"<(?:br|p|div|tr|li|h\d|blockquote)\b[^<>]{0,2000}>", "\n", html, flags=re.I)
    text = unescape(re.sub(r"<[^<>]{0,2000}>", " ", text))
    lines = (Line(_SPACE.sub(" ", _INVISIBLE.sub("", line)).strip()) for line in text.split("\n"))
    return [line for line in lines if line.text]


def anchors(html: str) -> list[tuple[str, str]]:
    """(text, target) of every link that shows something else than its address, in order."""
    root, _ = _parse(html)
    if root is None:
        return []
    found = []
    for element in root.iter("a"):
        target, text = _target(element), _words(element)
        if target and text and not _shows(text, target):
            found.append((text, target))
    return found


def _parse(html: str) -> tuple[etree._Element | None, bool]:
    """The tree, and whether it is whole: libxml2 stops at a depth of 2048 and leaves the rest out."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = etree.fromstring(charset.clean(html).encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return None, True
    return root, not any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log)


def _target(element: etree._Element) -> str:
    href = (element.get("href") or "").strip()
    return links.unwrap(href) if href.lower().startswith(("http://", "https://")) else ""


def _words(element: etree._Element) -> str:
    """The first words of an element; enough of them to know a link or a signature by."""
    return _SPACE.sub(" ", "".join(islice(element.itertext(), 40))[:2000]).strip()


def _shows(text: str, target: str) -> bool:
    """Whether a link's text is its address, perhaps without the scheme or shortened."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", links.unwrap(text).lower()).rstrip("/….")
    return bool(bare) and " " not in bare and re.sub(r"^https?://(?:www\.)?", "", target.lower()).startswith(bare)


class _Walk:
    """One pass over the tree. What an element does at its end is kept on a stack beside the walk."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.out = _Writer()
        self.rows: list[tuple[_Writer, list[list[Line]]]] = []  # outer writer, cells of the row so far
        self.lists: list[int] = []  # the next number of each open list; 0 for bullets
        self.pre = 0
        self.links = 0  # open ones; their colour says nothing
        self.tints: list[
            tuple[etree._Element, str, bool]
        ] = []  # elements that set colour or weight; colour; whether bold

    def lines(self) -> list[Line]:
        skipping: etree._Element | None = None
        for event, element in self._events():
            if skipping is not None:
                if event == "end" and element is skipping:
                    skipping = None
                    self._text(element.tail)
                continue
            if event == "start":
                if self._unseen(element):
                    if element.tag in _BLOCK:
                        self.out.end_line()
                    skipping = element
                    continue
                self._start(element)
                self._text(element.text)
            else:
                self._end(element)
                if element is not self.root:
                    self._text(element.tail)
        while self.rows:
            self._end_row()
        self.out.end_line()
        while self.out.lines and not self.out.lines[-1].text.strip("> "):
            self.out.lines.pop()
        return self.out.lines

    def _events(self) -> Iterator[tuple[str, etree._Element]]:
        yield from etree.iterwalk(self.root, events=("start", "end"))

    def _unseen(self, element: etree._Element) -> bool:
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIP or element.get("hidden") is not None:
            return True
        style = element.get("style")
        return bool(style and _HIDDEN.search(re.sub(r"\s", "", style.lower())))

    def _text(self, text: str | None) -> None:
        if not text:
            return
        text = _INVISIBLE.sub("", text)
        tint = f"{self.tints[-1][1]} {'bold' if self.tints[-1][2] else ''}".strip() if self.tints else ""
        if not self.pre:
            self.out.write(_SOFT.sub(" ", text), tint)
            return
        first, *rest = text.split("\n")
        self.out.write(first, tint)
        for line in rest:
            self.out.break_line()
            self.out.write(line, tint)

    def _start(self, element: etree._Element) -> None:
        tag = str(element.tag)
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        style = re.sub(r"\s*([:;])\s*", r"\1", (element.get("style") or "").lower())
        if tag == "br":
            self.out.break_line()
            return
        if tag == "a":
            self.links += 1
        if not self.links and (tag in _BOLD or tag == "font" or "color:" in style or "font-weight:" in style):
            _, colour, bold = self.tints[-1] if self.tints else (element, "", False)
            self.tints.append((element, *_tint(element, style, colour, bold)))
        if tag in {"td", "th"}:
            self._start_cell()
        elif tag == "tr":
            self.out.end_line()
            if len(self.rows) >= MAX_DEPTH:
                return
            self.rows.append((self.out, []))
        elif tag in _BLOCK:
            self.out.end_line()
        if tag in _SPACED and not _compact(names):
            self.out.blank()
        if tag in {"ul", "ol"}:
            start = element.get("start") or ""
            self.lists.append(
                0 if tag == "ul" else int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1
            )
        elif tag == "li":
            self._bullet()
        elif tag == "hr":
            self.out.write(RULE)
            self.out.end_line()
        if tag == "pre" or "white-space:pre" in style:
            self.pre += 1
        if _is_quote(tag, names, style, element):
            self.out.blank()
            self.out.depth += 1
        if _BEFORE_HEADERS.search(names) or (tag == "div" and _OUTLOOK_RULE.search(style)):
            if not (self.out.lines and self.out.lines[-1].text.endswith(RULE)):
                self.out.write(RULE)
                self.out.end_line()
        elif _SIGNATURE.search(names) and not _delimited(element, self.out):
            self.out.blank()
            self.out.lines.append(Line(self.out._prefix() + "-- "))

    def _end(self, element: etree._Element) -> None:
        tag = str(element.tag)
        names = f"{element.get('class') or ''} {element.get('id') or ''}"
        style = re.sub(r"\s*([:;])\s*", r"\1", (element.get("style") or "").lower())
        if self.tints and self.tints[-1][0] is element:
            self.tints.pop()
        if tag == "a":
            self.links -= 1
            self._link(element)
        if tag in {"td", "th"}:
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag in _BLOCK:
            self.out.end_line()
        if tag in {"ul", "ol"} and self.lists:
            self.lists.pop()
        if tag == "pre" or "white-space:pre" in style:
            self.pre -= 1
        if _is_quote(tag, names, style, element):
            self.out.end_line()
            self.out.depth = max(0, self.out.depth - 1)
        if (tag in _SPACED and not _compact(names)) or tag in {"ul", "ol", "table"}:
            self.out.blank()

    def _bullet(self) -> None:
        if self.lists and self.lists[-1]:
            self.out.write(f"{self.lists[-1]}. ")
            self.lists[-1] += 1
        else:
            self.out.write("- ")

    def _link(self, element: etree._Element) -> None:
        target, text = _target(element), _words(element)
        if target and not _shows(text, target):
            self.out.hidden.append(target)
        # An address shown in wrapped form is unwrapped with the rest of the text, in `body`.

    def _start_cell(self) -> None:
        if not self.rows:
            self.out.end_line()
            return
        self.out.end_line()
        self.out = _Writer(depth=self.out.depth)

    def _end_cell(self) -> None:
        if not self.rows or self.out is self.rows[-1][0]:
            self.out.end_line()
            return
        self.out.end_line()
        self.rows[-1][1].append(self.out.lines)
        self.out = _Writer(depth=self.out.depth)

    def _end_row(self) -> None:
        if not self.rows:
            return
        outer, cells = self.rows.pop()
        filled = [cell for cell in cells if any(line.text.strip("> ") for line in cell)]
        prefix = outer._prefix()
        if len(filled) > 1 and all(sum(len(line.text) for line in cell) <= MAX_CELL for cell in cells):
            texts = [" ".join(filter(None, (line.text[len(prefix) :].strip() for line in cell))) for cell in cells]
            hidden = tuple(link for cell in cells for line in cell for link in line.links)
            outer.lines.append(Line(prefix + " | ".join(texts), hidden))
        else:
            for cell in filled:
                outer.lines += cell
        self.out = outer


def _tint(element: etree._Element, style: str, colour: str, bold: bool) -> tuple[str, bool]:
    """The colour inside an element ("" for the text's own: black, and what programs write in); whether bold."""
    if match := _COLOUR.search(style) or _COLOUR.match(f"color:{element.get('color') or ''}".lower()):
        colour = "" if _PLAIN.match(match[1]) else match[1].replace(" ", "")
    if match := _WEIGHT.search(style):
        return colour, match[1] in {"bold", "bolder", "600", "700", "800", "900"}
    return colour, bold or element.tag in _BOLD


def _compact(names: str) -> bool:
    # Word's paragraphs have no margins: an empty line is a paragraph of its own there.
    return "Mso" in names or "elementToProof" in names


def _is_quote(tag: str, names: str, style: str, element: etree._Element) -> bool:
    if tag == "blockquote":
        indented = not element.get("type") and "quote" not in names and bool(_INDENT.search(style))
        return not indented  # "indent more" in Gmail and Outlook makes a blockquote without a border
    return bool(_QUOTE.search(names))


def _delimited(element: etree._Element, out: _Writer) -> bool:
    """Whether a "-- " stands already at the start of a signature, or right before it."""
    before = next((line.text for line in reversed(out.lines) if line.text.strip()), "")
    inside = _words(element)
    return before.lstrip("> ").rstrip() == "--" or inside.startswith("-- ") or inside in {"", "--"}
