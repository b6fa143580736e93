"""Addresses in text, and the real targets of the links that security gateways wrap."""

import re
from itertools import islice
from urllib.parse import parse_qs, unquote, urlsplit

from digest.message import charset

# The last character of an address is no punctuation; a closing bracket belongs to it only when it opened there.
URL = re.compile(r"\bhttps?://[^\s<>\"“”|\\^`{}\[\]]{1,4000}", re.I)
_TAIL = ".,;:!?'’…*_"

# Host suffix → the query's keys that may hold the target. Mimecast, EdgePilot and the like keep it to themselves: their
# links stay as they are.
_WRAPPERS = {
    ".safelinks.protection.outlook.com": ("url",),  # Microsoft Defender for Office 365
    ".safelinks.protection.office365.us": ("url",),
    ".safelink.emails.azure.net": ("destination",),  # Microsoft's own mailings
    "linkprotect.cudasvc.com": ("a",),  # Barracuda
    "clicktime.symantec.com": ("u",),
    "scanmail.trustwave.com": ("u",),
    "trendmicro.com": ("url",),  # …/wis/clicktime/…
    ".protection.sophos.com": ("u",),  # in base64
    "secure-web.cisco.com": (),  # in the path
    "urldefense.com": (),  # Proofpoint, v3
    "urldefense.us": (),
    "urldefense.proofpoint.com": ("u",),  # Proofpoint, v1 and v2
    "www.google.com": ("q", "url"),
    "www.google.co.uk": ("q", "url"),
}
_ONLY_UNDER = {"www.google.com": "/url", "www.google.co.uk": "/url", "trendmicro.com": "/wis/clicktime"}
_PROOFPOINT_3 = re.compile(r"/v3/__(.+?)__;([A-Za-z0-9_-]*)")
_RUNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # Proofpoint v3: "**A" is two, "**B" three …


def find(text: str) -> list[tuple[int, int]]:
    """(start, end) of every web address in `text`, without the punctuation that follows it."""
    spans = []
    for match in URL.finditer(text):
        url = match[0]
        size, surplus = len(url), url.count(")") - url.count("(")
        while size and (url[size - 1] in _TAIL or (url[size - 1] == ")" and surplus > 0)):
            surplus -= url[size - 1] == ")"
            size -= 1
        if size > len("https://"):
            spans.append((match.start(), match.start() + size))
    return spans


def unwrap(url: str) -> str:
    """The address a wrapped link leads to; `url` itself when it is not wrapped, or not in a way that can be undone."""
    for _ in range(3):  # a wrapped link is wrapped again when it is forwarded
        inner = _unwrapped(url)
        if inner == url:
            break
        url = inner
    return url


def _unwrapped(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return url
    suffix = next(
        (suffix for suffix in _WRAPPERS if host == suffix.lstrip(".") or host.endswith(_dotted(suffix))), None
    )
    if suffix is None or not parts.path.startswith(_ONLY_UNDER.get(suffix, "")):
        return url
    query = parse_qs(parts.query)
    inner = next((query[key][0] for key in _WRAPPERS[suffix] if key in query), "")
    if suffix == "urldefense.proofpoint.com" and "/v2/" in parts.path:
        inner = unquote(inner.replace("-", "%").replace("_", "/"))
    elif suffix.startswith("urldefense.") and (match := _PROOFPOINT_3.search(url)):
        inner = _proofpoint_3(match[1], match[2])
    elif suffix == "secure-web.cisco.com":
        inner = unquote(parts.path.rpartition("/")[2])
    elif suffix == ".protection.sophos.com":
        inner = charset.unbase64(inner.replace("-", "+").replace("_", "/").encode()).decode("utf-8", "replace")
    return inner if inner.startswith(("http://", "https://")) and not re.search(r"[\s\x00-\x1f\ufffd]", inner) else url


def _dotted(suffix: str) -> str:
    return suffix if suffix.startswith(".") else f".{suffix}"


def _proofpoint_3(text: str, encoded: str) -> str:
    """What Proofpoint put "*" for is in `encoded`, in order: a character each, "**" and a letter for a run of them."""
    left = iter(charset.unbase64(encoded.replace("-", "+").replace("_", "/").encode()).decode("utf-8", "replace"))

    def restored(match: re.Match[str]) -> str:
        size = _RUNS.index(match[1]) + 2 if match[1] else 1
        return "".join(islice(left, size)) or match[0]

    plain = re.sub(r"\*(?:\*([A-Za-z0-9_-]))?", restored, text) if encoded else text
    return re.sub(r"^(https?):/{1,3}", r"\1://", plain)  # relays make "//" one slash


def unwrap_all(text: str) -> str:
    """`text` with every wrapped address replaced by its target."""
    if "http" not in text.lower():
        return text
    out, end = [], 0
    for start, stop in find(text):
        out += [text[end:start], unwrap(text[start:stop])]
        end = stop
    return "".join(out) + text[end:]
