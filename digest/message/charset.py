"""Bytes → text for mail as it really comes: mislabelled, unlabelled and unknown character sets. Nothing here raises."""

import base64
import codecs
import quopri
import re
from itertools import groupby

# Not character sets but transformations: quadratic, or able to smuggle escapes into text.
_REFUSED = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"})
# WHATWG Encoding, 4.2: these labels mean windows-1252 wherever people write mail.
_WESTERN = frozenset({"ascii", "iso8859-1", "cp1252"})

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
# RFC 2047, 2; spaces inside the encoded text are against the standard and common.
_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
# WHATWG Encoding, 4.2: what these labels mean; more characters than the standards they name have.
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932", "iso8859-9": "cp1254"}
_BOM = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# UTF-8 that was read as windows-1252 and written as UTF-8 again: "Itâ€™s Â£80".
_TWICE = re.compile("â€[\u0080-\u009f™œ˜¦“”•–—]|[ÂÃ][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œž]")
_BASE64 = re.compile(rb"\s*(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{0,76}={0,2}\s*")
_RESIDUE = re.compile(r"=(?:E2=80=[0-9A-F]{2}|C[23]=[0-9A-F]{2}|9[1-7]|A0|A3|20(?=\n|$)|3D|\n)")


def _western(error: UnicodeError) -> tuple[str, int]:
    """Error handler: read the bytes that do not fit as windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", "replace"), error.end


codecs.register_error("digest-western", _western)


def codec(label: str) -> str | None:
    """Python's name for a charset label, or None when there is no such character set."""
    try:
        name = codecs.lookup(label.strip().strip("\"'").lower()).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if name in _REFUSED else name


def decode(data: bytes, label: str = "") -> tuple[str, str]:
    """The text of `data`, and "" or what had to be guessed.

    What has no label, or a false one, is read as UTF-8, and bytes that do not fit as windows-1252.
    """
    name = codec(label) if label else "ascii"
    name = _BOM.get(data[:2], _WIDER.get(name or "", name))
    guess = "" if name else f"The character set {label[:40]!r} is not known; it was read as UTF-8 or windows-1252."
    if name in _WESTERN and label and name != "ascii":
        return data.decode("ascii", "digest-western"), ""
    if name and name not in {"ascii", "utf-8"}:
        try:
            return data.decode(name), ""
        except (UnicodeError, LookupError, ValueError):
            guess = f"The text is not {label[:40]!r} as it says; it was read as UTF-8 or windows-1252."
    try:
        return data.decode("utf-8"), guess
    except UnicodeDecodeError:
        return data.decode("utf-8", "digest-western"), guess or "The character set was mislabelled; it was guessed."


def clean(text: str) -> str:
    """Line ends as LF; control characters, byte order marks and lone surrogates gone."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def once(text: str) -> str:
    """Undo the reading of UTF-8 as windows-1252, line by line, where all of a line can be undone."""
    if not _TWICE.search(text):
        return text
    return "\n".join(_once(line) if _TWICE.search(line) else line for line in text.split("\n"))


def _once(line: str) -> str:
    try:
        # windows-1252 leaves five bytes undefined; programs pass them on as control characters
        data = b"".join(bytes((ord(c),)) if "\x80" <= c <= "\x9f" else c.encode("cp1252") for c in line)
        return data.decode("utf-8")
    except UnicodeError:
        return line


def undeclared_base64(data: bytes) -> bytes:
    """Undo base64 that nobody declared: only when a body is nothing else, of two lines or more, and holds a text."""
    if len(data) < 80 or not _BASE64.fullmatch(data):
        return data
    found = unbase64(data)
    return (
        found if found and b"\0" not in found and sum(c > 31 or c in b"\t\r\n" for c in found) == len(found) else data
    )


def residue(text: str) -> str:
    """Undo quoted-printable that nobody declared (RFC 2045, 6.7): only when at least three marks of it stand there."""
    if len(_RESIDUE.findall(text)) < 3:
        return text
    return clean(decode(quopri.decodestring(text.encode("utf-8", "replace")), "utf-8")[0])


def header(raw: str) -> str:
    """A raw header value (as the stdlib parser keeps it, surrogate-escaped) as unfolded, decoded text (RFC 2047)."""
    text = undeclared(raw)
    pieces: list[tuple[str, bytes]] = []  # charset ("" for what is not encoded), bytes
    end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        if between.strip() or not pieces or not pieces[-1][0]:
            pieces.append(("", between.encode("utf-8", "replace")))  # RFC 2047, 6.2: else the space is not shown
        charset = match[1].partition("*")[0].lower()  # RFC 2231, 5: a language may follow
        pieces.append((charset, _word(match[2], match[3])))
        end = match.end()
    pieces.append(("", text[end:].encode("utf-8", "replace")))
    # Some clients break a character between two words, so equal charsets are decoded together.
    decoded = (decode(b"".join(b for _, b in run), name or "utf-8")[0] for name, run in groupby(pieces, lambda p: p[0]))
    return " ".join(clean("".join(decoded)).split())


def undeclared(raw: str) -> str:
    """A raw header value with its 8-bit letters, of which the stdlib parser keeps the bytes."""
    return raw if raw.isascii() else decode(raw.encode("utf-8", "surrogateescape"), "utf-8")[0]


def _word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(data, header=True)
    return unbase64(data)


def unbase64(data: bytes) -> bytes:
    """Base64 as far as it goes: alien characters and wrong padding are passed over (RFC 2045, 6.8)."""
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return base64.b64decode(kept + b"=" * (-len(kept) % 4))
