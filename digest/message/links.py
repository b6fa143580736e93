"""Addresses in text, and the real targets of the links that security gateways wrap."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

# The last character of an address is no punctuation; a closing bracket belongs to it only when it opened there.
URL = re.compile(r"\bhttps?://[^\s<>\"“”|\\^`{}\[\]]{1,4000}", re.I)
_TAIL = ".,;:!?'’…*_"

# Host suffix → the query's key that holds the target.
_WRAPPERS = {
    ".safelinks.protection.outlook.com": "url",  # Microsoft Defender for Office 365
    "www.google.com": "q",
    "linkprotect.cudasvc.com": "a",  # Barracuda
    "secure-web.cisco.com": "",  # path
    "urldefense.com": "",  # Proofpoint, v3
    "urldefense.proofpoint.com": "u",  # Proofpoint, v1 and v2
    "protect.mimecast.com": "",  # opaque: stays as it is
}
_PROOFPOINT_3 = re.compile(r"/v3/__(.+?)__;")


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
    key = next((key for suffix, key in _WRAPPERS.items() if host == suffix or host.endswith(suffix)), None)
    if key is None or (host == "www.google.com" and parts.path != "/url"):
        return url
    inner = ""
    if key:
        inner = next(iter(parse_qs(parts.query).get(key, [])), "")
        if host == "urldefense.proofpoint.com" and "/v2/" in parts.path:
            inner = unquote(inner.replace("-", "%").replace("_", "/"))
    elif host == "urldefense.com" and (match := _PROOFPOINT_3.search(url)):
        inner = match[1]
    elif host == "secure-web.cisco.com":
        inner = unquote(parts.path.rpartition("/")[2])
    return inner if inner.startswith(("http://", "https://")) and not re.search(r"\s", inner) else url


def unwrap_all(text: str) -> str:
    """`text` with every wrapped address replaced by its target."""
    if "http" not in text.lower():
        return text
    out, end = [], 0
    for start, stop in find(text):
        out += [text[end:start], unwrap(text[start:stop])]
        end = stop
    return "".join(out) + text[end:]
