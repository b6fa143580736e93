"""The text of a file that came with a mail: PDF, Word, Excel, PowerPoint, OpenDocument, rich and plain text.

Only for being searched, so the order of reading matters more than the looks. Everything is bounded; what a bound left
out, and what could not be read at all, is told apart from a file that holds no text.
"""

import io
import logging
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lxml import etree
from pypdf import PageObject, PdfReader, apply_configuration
from pypdf.errors import LimitReachedError, PyPdfError
from pypdf.generic import DictionaryObject

from digest.message import charset, rtf, spreadsheet

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would tell of every rule a stranger's file breaks

MAX_PAGES = 60
MAX_CHARACTERS = 400_000
MAX_OPERATORS = 200_000  # drawing instructions of a PDF, about ten bytes each
MAX_FORMS = 100  # different ones on a page
MAX_STREAM = 4_000_000  # bytes of one stream of a PDF, unpacked
MAX_MEMBERS = 2_000  # of a zip
MAX_UNPACKED = 12_000_000  # bytes of the members that are read

_LIMITS: dict[str, Any] = {
    "zlib_maximum_output_length": MAX_STREAM,
    "lzw_maximum_output_length": MAX_STREAM,
    "run_length_maximum_output_length": MAX_STREAM,
    "brotli_maximum_output_length": MAX_STREAM,
    "array_based_stream_maximum_output_length": MAX_STREAM,
    "stream_decoding_work_maximum_length": 4 * MAX_STREAM,
    "stream_parsing_work_maximum_count": 2 * MAX_OPERATORS,
    "page_tree_maximum_entries": 20_000,
    "form_fields_maximum_entries": 2_000,
}

#: The parts of a zipped document that hold what people wrote (ECMA-376 part 1; OASIS ODF 1.3 part 2).
_PARTS = re.compile(
    r"word/(?:document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml|"
    r"xl/(?:sharedStrings|styles|worksheets/sheet\d+|comments\d*|threadedComments/[\w.]+)\.xml|"
    r"ppt/(?:slides/slide\d+|notesSlides/notesSlide\d+|comments/[\w.]+)\.xml|content\.xml|docProps/core\.xml"
)
#: Elements after which a reader sees a new line or a new cell.
_BREAKS = frozenset({"p", "br", "cr", "tr", "h", "si", "row", "list-item", "table-row", "comment", "title", "subject"})
_CELLS = frozenset({"tab", "tc", "table-cell"})
#: What cannot be searched because it holds pictures or sound only.
_PICTURES = re.compile(r"(?:image|audio|video)/")


class Left(Enum):
    """Why a file, or the rest of it, was not searched; each is the end of a sentence."""

    NOTHING = ""
    LOCKED = "it is protected by a password"
    DAMAGED = "it is damaged"
    LARGE = "it is longer than is searched"
    PICTURE = "it is a picture or a recording"
    SCAN = "it holds pictures of pages and no text"
    UNKNOWN = "it is of a kind that cannot be searched"


@dataclass(frozen=True, slots=True)
class Document:
    """What was read of a file, and why not more."""

    text: str
    left: Left = Left.NOTHING


def document(data: bytes, content_type: str, name: str) -> Document:
    """The text of a file, told by its bytes first: what mails call their files is often wrong. Never raises."""
    start = data[:1024]
    if b"%PDF-" in start:
        return _pdf(data)
    if start[:4] == b"PK\x03\x04":
        return _zipped(data)
    if (
        start[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    ):  # MS-CFB: an encrypted docx or xlsx (MS-OFFCRYPTO), or an old one
        locked = "EncryptedPackage".encode("utf-16-le") in data[:2_000_000]
        return Document("", Left.LOCKED if locked else Left.UNKNOWN)
    if start.lstrip().startswith(b"{\\rtf"):
        words = rtf.text(data)
        return Document("", Left.DAMAGED) if words is None else _bounded([words], len(data) > rtf.MAX_BYTES)
    if _PICTURES.match(content_type):
        return Document("", Left.PICTURE)
    if content_type.startswith("text/") or name.lower().endswith(
        (".txt", ".csv", ".tsv", ".md", ".log", ".json", ".xml")
    ):
        return _plain(data)
    return Document("", Left.UNKNOWN if data else Left.NOTHING)


def _plain(data: bytes) -> Document:
    text, _ = charset.decode(data[: 4 * MAX_CHARACTERS], "")
    text = charset.clean(text)
    return _bounded(spreadsheet.labelled_csv(text) or [text], len(data) > 4 * MAX_CHARACTERS)


def _bounded(pieces: Iterable[str], more: bool = False) -> Document:
    kept, size = [], 0
    for piece in pieces:
        kept.append(piece[: MAX_CHARACTERS - size])
        size += len(piece)
        if size >= MAX_CHARACTERS:
            more = True
            break
    return Document("".join(kept), Left.LARGE if more else Left.NOTHING)


class _Spent(Exception):
    """A PDF's budget of drawing instructions is used up."""


class _Budget:
    """Counts the instructions of a PDF, also those of forms, which may draw further forms many times over."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.form = 0  # what a form of this page takes at most

    def open(self, page: PageObject) -> None:
        """Pay for reading the page's own instructions."""
        contents = page.get_contents()
        self._pay(len(contents.get_data()) // 10 if contents is not None else 0)
        self.form = max(100, max(_form_sizes(page), default=0) // 10)

    def spend(self, operator: bytes, *_: object) -> None:
        """Pay for carrying out an instruction; for a form's, before it is read."""
        self._pay(self.form if operator == b"Do" else 1)

    def _pay(self, costs: int) -> None:
        self.left -= costs
        if self.left < 0:
            raise _Spent


def _form_sizes(page: DictionaryObject) -> Iterator[int]:
    """The bytes of every form (ISO 32000-2, 8.10) that a page or its forms name, each once, a hundred at most."""
    waiting: list[DictionaryObject] = [page]
    seen = 0
    while waiting:
        resources = waiting.pop().get("/Resources")
        drawn = resources.get_object().get("/XObject") if resources is not None else None
        for one in drawn.get_object().values() if drawn is not None else ():
            form = one.get_object()
            if form is None or form.get("/Subtype") != "/Form" or any(form is w for w in waiting):
                continue
            seen += 1
            if seen > MAX_FORMS:
                raise _Spent
            yield len(form.get_data())
            waiting.append(form)


# --- PDF (ISO 32000-2) ---------------------------------------------------------------------------------------------


def _pdf(data: bytes) -> Document:
    pages: list[str] = []
    try:
        with apply_configuration(**_LIMITS):
            reader = PdfReader(io.BytesIO(data), strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                return Document("", Left.LOCKED)
            more, pictures = _pages(reader, pages)
            written = any(page.strip() for page in pages)
            pages += [str(value) for value in (reader.metadata or {}).values()]
            pages += [str(value) for f in (reader.get_fields() or {}).values() if (value := f.get("/V"))]
    except LimitReachedError:
        more, pictures, written = True, False, True
    # pypdf meets files that break every rule, and says so with whatever exception the broken rule led to
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OSError):
        return Document("", Left.DAMAGED)
    except (zlib.error, NotImplementedError, ArithmeticError, AssertionError, MemoryError):
        return Document("", Left.DAMAGED)
    found = _bounded((charset.clean(page) + "\n\n" for page in pages), more)
    return found if written or not pictures else Document(found.text.strip(), Left.SCAN)


def _pages(reader: PdfReader, texts: list[str]) -> tuple[bool, bool]:
    """Add the text of a PDF's pages to `texts`. Whether some were left out, and whether they hold pictures."""
    budget, pictures = _Budget(MAX_OPERATORS), False
    try:
        for page in reader.pages[:MAX_PAGES]:
            budget.open(page)
            texts.append(page.extract_text(visitor_operand_before=budget.spend))
            pictures = pictures or "/XObject" in (page.get("/Resources") or {})
    except _Spent:
        return True, pictures
    return len(reader.pages) > MAX_PAGES, pictures


# --- zipped XML ------------------------------------------------------------------------------------------------------


def _zipped(data: bytes) -> Document:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            wanted = [m for m in members[:MAX_MEMBERS] if _PARTS.fullmatch(m.filename)]
            if not wanted:
                return Document("", Left.UNKNOWN)
            if any(m.flag_bits & 1 for m in wanted):
                return Document("", Left.LOCKED)
            parts: dict[str, bytes] = {}
            budget, more = MAX_UNPACKED, len(members) > MAX_MEMBERS
            for member in wanted:
                with archive.open(member) as part:
                    xml = part.read(budget + 1)  # what the directory says of sizes may be a lie
                if len(xml) > budget:
                    more = True
                    break
                budget -= len(xml)
                parts[member.filename] = xml
        return _bounded(
            [*spreadsheet.rows(parts, MAX_CHARACTERS), *(words(x) for n, x in parts.items() if _prose(n))], more
        )
    except (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, EOFError, OSError, NotImplementedError, ValueError):
        return Document("", Left.DAMAGED)
    except RuntimeError:  # what zipfile raises for a password
        return Document("", Left.LOCKED)


def _prose(name: str) -> bool:
    return not name.startswith(("xl/worksheets/", "xl/sharedStrings", "xl/styles"))


class _Words:
    """Collects the text of an XML part in reading order, as its parser comes upon it."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def start(self, _tag: str, _attributes: object, /) -> None:
        pass

    def doctype(self, _name: str, _public: str | None, _system: str | None, /) -> None:
        raise ValueError("A part that declares entities is no part of an office document.")  # ECMA-376 part 2, 6.2.5

    def data(self, text: str, /) -> None:
        self.pieces.append(text)

    def end(self, tag: str, /) -> None:
        name = tag.rpartition("}")[2]
        if name in _BREAKS:
            self.pieces.append("\n")
        elif name in _CELLS:
            self.pieces.append("\t")

    def close(self) -> str:
        return "".join(self.pieces) + "\n\n"


def words(xml: bytes) -> str:
    """The text of an XML part; entities are not expanded and nothing outside is fetched."""
    parser = etree.XMLParser(  # type: ignore[call-overload]  # its stubs want methods that lxml does not
        target=_Words(), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    return str(etree.fromstring(xml, parser))
