"""The text of a file that came with a mail: PDF, Word, Excel, PowerPoint, OpenDocument and plain text. Pure.

Only for being searched, so the order of reading matters more than the looks. Everything is bounded; what a bound left
out, and what could not be read at all, is told apart from a file that holds no text.
"""

import io
import logging
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from lxml import etree
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from digest.message import charset, spreadsheet

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it would tell of every rule a stranger's file breaks

MAX_PAGES = 60
MAX_CHARACTERS = 400_000
MAX_CONTENT = 4_000_000  # bytes of drawing instructions of a PDF's pages, unpacked
MAX_MEMBERS = 2_000  # of a zip
MAX_UNPACKED = 30_000_000  # bytes of the members that are read

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


# --- PDF (ISO 32000-2) ---------------------------------------------------------------------------------------------


def _pdf(data: bytes) -> Document:
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return Document("", Left.LOCKED)
        more = len(reader.pages) > MAX_PAGES
        pages, pictures, unpacked = [], False, 0
        for page in reader.pages[:MAX_PAGES]:
            contents = page.get_contents()
            unpacked += len(contents.get_data()) if contents is not None else 0
            if unpacked > MAX_CONTENT:
                more = True
                break
            pages.append(page.extract_text())
            pictures = pictures or "/XObject" in (page.get("/Resources") or {})
        pages += [str(v) for v in (reader.metadata or {}).values()]
        fields = reader.get_fields() or {}
        pages += [str(f.get("/V")) for f in list(fields.values())[:1_000] if f.get("/V")]
    # pypdf meets files that break every rule, and says so with whatever exception the broken rule led to
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OSError):
        return Document("", Left.DAMAGED)
    except (zlib.error, NotImplementedError, ArithmeticError, AssertionError, MemoryError, UnicodeError):
        return Document("", Left.DAMAGED)
    found = _bounded((charset.clean(page) + "\n\n" for page in pages), more)
    if pictures and not any(page.strip() for page in pages[: len(reader.pages)]):
        return Document(found.text.strip(), Left.SCAN)
    return found


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
