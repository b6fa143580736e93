"""Files for tests: the smallest that Word, Excel and PDF readers take."""

import io
import zipfile

from pypdf import PdfReader, PdfWriter

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def zipped(**members: str) -> bytes:
    """A zip; "__" in a name is a slash and "_DOT_" a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), text)
    return out.getvalue()


def docx(*paragraphs: str, entities: str = "") -> bytes:
    """A Word document; each paragraph's words are runs of their own, as Word leaves them after editing."""
    body = "".join(
        "<w:p>" + "".join(f"<w:r><w:t xml:space='preserve'>{word} </w:t></w:r>" for word in p.split()) + "</w:p>"
        for p in paragraphs
    )
    return zipped(word__document_DOT_xml=f"{entities}<w:document xmlns:w='{_W}'><w:body>{body}</w:body></w:document>")


def xlsx(*rows: tuple[str | int, ...]) -> bytes:
    """An Excel workbook: texts are shared strings, numbers beginning with a date's style where they are dates."""
    texts = list(dict.fromkeys(cell for row in rows for cell in row if isinstance(cell, str)))
    lines = ""
    for number, row in enumerate(rows, start=1):
        cells = ""
        for column, cell in zip("ABCDEFGH", row, strict=False):
            where = f"{column}{number}"
            if isinstance(cell, str):
                cells += f"<c r='{where}' t='s'><v>{texts.index(cell)}</v></c>"
            else:
                cells += f"<c r='{where}' s='{int(cell < 100_000)}'><v>{cell}</v></c>"
        lines += f"<row r='{number}'>{cells}</row>"
    return zipped(
        xl__sharedStrings_DOT_xml=f"<sst xmlns='{_S}'>" + "".join(f"<si><t>{t}</t></si>" for t in texts) + "</sst>",
        xl__styles_DOT_xml=f"<styleSheet xmlns='{_S}'><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs>"
        "</styleSheet>",
        xl__worksheets__sheet1_DOT_xml=f"<worksheet xmlns='{_S}'><sheetData>{lines}</sheetData></worksheet>",
    )


def pdf(*pages: str, password: str = "", picture: bool = False) -> bytes:
    """A PDF with a line of text on each page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    shown = "/XObject << /Im0 << >> >>" if picture else ""
    for text in pages:
        draw = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        kids.append(f"{len(objects) + 1} 0 R")
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects) + 2} 0 R /Resources "
            f"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> {shown} >> >>",
            f"<< /Length {len(draw)} >>\nstream\n{draw}\nendstream",
        ]
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    out = _written(objects)
    if not password:
        return out
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(out)))
    writer.encrypt(password, algorithm="RC4-128")
    locked = io.BytesIO()
    writer.write(locked)
    return locked.getvalue()


def nested_forms(depth: int, times: int) -> bytes:
    """A PDF whose page draws a form so many times, which draws another as often, and so on."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"]
    for level in range(depth + 1):
        draw = "/X Do " * times if level < depth else "BT (x) Tj ET"
        kind = "/XObject /Subtype /Form /BBox [0 0 9 9]" if level else "/Page /Parent 2 0 R /Contents 4 0 R"
        resources = f"/Resources << /XObject << /X {len(objects) + (2 if level else 3)} 0 R >> >>"
        stream = f"/Length {len(draw)} >>\nstream\n{draw}\nendstream"
        if level:
            objects.append(f"<< /Type {kind} {resources if level < depth else ''} {stream}")
        else:
            objects += [f"<< /Type {kind} /MediaBox [0 0 595 842] {resources} >>", f"<< {stream}"]
    return _written(objects)


def _written(objects: list[str]) -> bytes:
    """The objects of a PDF as a file (ISO 32000-2, 7.5)."""
    out, at = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        at.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in at)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF".encode()
