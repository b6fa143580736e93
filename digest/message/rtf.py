"""Rich text → plain text: Outlook's bodies in winmail.dat, and files."""

import compressed_rtf  # type: ignore[import-untyped]
from striprtf.striprtf import rtf_to_text

MAX_BYTES = 2_000_000


def text(data: bytes) -> str | None:
    """The words of a rich text, compressed as Outlook keeps it ([MS-OXRTFCP]) or not; None when they cannot be had.

    HTML that Outlook put into rich text ([MS-OXRTFEX]) gives its words, too. What is beyond MAX_BYTES is left out.
    """
    try:
        if data.lstrip()[:5] != b"{\\rtf":
            data = compressed_rtf.decompress(data[:MAX_BYTES])
        # Rich text is ASCII; other characters are escaped or in the code page that most Windows has
        rich = data[:MAX_BYTES].decode("cp1252", "replace")
        found: str = rtf_to_text(rich, "cp1252", "replace")  # type: ignore[no-untyped-call]
    except Exception:  # both libraries raise bare and assorted ones for whatever is not as they expect
        return None
    return "\n".join(line.removesuffix("|").replace("|", " | ") for line in found.split("\n"))
