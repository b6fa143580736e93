"""Tables as text that can be searched: each cell behind the heading of its column, "DOB: 14/03/1953". Pure.

What a cell means stands only at the head of its column, often hundreds of rows above it.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from lxml import etree

#: For parsers of what strangers send: entities are not expanded, nothing is fetched, depth and size are bounded.
SAFE: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DATES = frozenset({*range(14, 23), *range(27, 37), *range(50, 59)})  # built-in number formats (ECMA-376, 18.8.30)
_DATED = re.compile(r"[yd](?![^\[]*\])", re.I)
_RECORD = re.compile(r"\b(?:d\.?o\.?b|date of birth|born|nhs|mrn|hosp\w*|chi|patient|pt)\b", re.I)
_NAME = re.compile(r"(?:full |first |last |sur|fore)?names?|name of pt", re.I)
_HEADING = 40  # characters; longer is no heading


def labelled(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as lines "HEADING: cell", the first row of words being the headings."""
    headings: Sequence[str] = ()
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not headings and sum(bool(cell) and not cell[:1].isdigit() for cell in cells) > 1:
            headings = [cell[:_HEADING] for cell in cells]
            if any(map(_RECORD.search, headings)):  # a table of patients: its names are theirs
                headings = [f"Patient {h}" if _NAME.fullmatch(h) else h for h in headings]
            yield "\t".join(cells) + "\n\n"
            continue
        for at, cell in enumerate(cells):
            if cell:
                heading = headings[at] if at < len(headings) else ""
                yield f"{heading}: {cell}\n" if heading else f"{cell}\n"
        yield "\n"


def labelled_csv(text: str) -> list[str]:
    """A comma, semicolon or tab separated table, labelled; empty when the text is none."""
    lines = text.splitlines()[:5]
    for mark in ",\t;":
        counts = {line.count(mark) for line in lines if line.strip()}
        if len(lines) > 1 and len(counts) == 1 and min(counts) >= 1:
            try:
                return list(labelled(csv.reader(text.splitlines(), delimiter=mark)))
            except csv.Error:
                return []
    return []


def rows(parts: dict[str, bytes], most: int) -> Iterator[str]:
    """The sheets of a workbook (SpreadsheetML, ECMA-376 18.3) from its parts, about `most` characters of them."""
    sheets = [name for name in parts if name.startswith("xl/worksheets/")]
    if not sheets:
        return
    shared = _shared(parts.get("xl/sharedStrings.xml"))
    dated = _dated(parts.get("xl/styles.xml"))
    size = 0
    for name in sorted(sheets):
        for piece in labelled(_sheet(parts[name], shared, dated)):
            yield piece
            size += len(piece)
            if size > most:
                return


def _shared(xml: bytes | None) -> list[str]:
    if not xml:
        return []
    root = etree.fromstring(xml, etree.XMLParser(**SAFE))
    return ["".join(item.itertext(f"{_NAMESPACE}t")) for item in root.iter(f"{_NAMESPACE}si")]


def _dated(xml: bytes | None) -> list[bool]:
    """For each cell style, whether it shows a number as a date."""
    if not xml:
        return []
    root = etree.fromstring(xml, etree.XMLParser(**SAFE))
    own = {f.get("numFmtId"): bool(_DATED.search(f.get("formatCode") or "")) for f in root.iter(f"{_NAMESPACE}numFmt")}
    styles = root.find(f"{_NAMESPACE}cellXfs")
    ids = [] if styles is None else [style.get("numFmtId") or "0" for style in styles]
    return [own.get(i, i.isdecimal() and int(i) in _DATES) for i in ids]


def _sheet(xml: bytes, shared: list[str], dated: list[bool]) -> Iterator[list[str]]:
    root = etree.fromstring(xml, etree.XMLParser(**SAFE))
    for row in root.iter(f"{_NAMESPACE}row"):
        cells: list[str] = []
        for cell in row.iter(f"{_NAMESPACE}c"):
            at = _column(cell.get("r") or "")
            if len(cells) < at <= len(cells) + 200:
                cells += [""] * (at - len(cells))
            cells.append(_cell(cell, shared, dated))
        yield cells


def _column(reference: str) -> int:
    """The column of a cell's reference, counted from 0: "C7" → 2; 0 when it has none."""
    number = 0
    for letter in re.match(r"[A-Z]{0,3}", reference)[0]:  # type: ignore[index]
        number = number * 26 + ord(letter) - 64
    return max(0, number - 1)


def _cell(cell: Any, shared: list[str], dated: list[bool]) -> str:
    value = cell.findtext(f"{_NAMESPACE}v") or ""
    kind = cell.get("t")
    if kind == "inlineStr":
        return "".join(cell.itertext(f"{_NAMESPACE}t"))
    if kind == "s":
        return shared[int(value)] if value.isdecimal() and int(value) < len(shared) else ""
    style = cell.get("s") or ""
    if kind in {None, "n"} and style.isdecimal() and int(style) < len(dated) and dated[int(style)]:
        return _date(value)
    return re.sub(r"\.0+$", "", value)


def _date(serial: str) -> str:
    """A day as Excel counts them: from 1 January 1900, with a 29 February that year (ECMA-376, 18.17.4.1)."""
    try:
        day = date(1899, 12, 30) + timedelta(days=int(float(serial)))
    except (ValueError, OverflowError):
        return serial
    return f"{day:%d/%m/%Y}"
