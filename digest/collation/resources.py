"""What people share in a thread: links, files, guidelines, tools, trials, and offers to be asked. Pure.

Links and files can be opened. The others are named in a sentence, which is quoted: they are locked as points are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from digest.collation import Contribution, evidence
from digest.collation.sentences import split
from digest.nouns import Resource, ResourceKind

# What a link is called when its author called it nothing: "here", "this page", or its address again.
_SAYS_NOTHING = re.compile(
    r"\W*(?:(?:click|see|read|look|more|please|it'?s|the|this|that|a|our|my|on|and|here|there|link|page|one|website|web"
    r"|site|below|above|attached|file|document|pdf|download|open|view|now)\W*)*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?:https?://|www\.|mailto:)|^\S+\.\S+/?\S*$", re.IGNORECASE)
_FILE = re.compile(r"[^/]+\.(?:pdf|docx?|xlsx?|pptx?|odt|ods|odp|rtf|txt|csv|zip|png|jpe?g|mp4)", re.IGNORECASE)
# Parameters that say who clicked, not what is shown.
_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|_hs\w+|at_medium|at_campaign", re.IGNORECASE)

# NICE names its guidance by these letters and a number; SIGN by a number alone.
_GUIDELINE = re.compile(
    r"\b(?:(?:NICE )?(?:NG|CG|DG|QS|TA|HST|IPG|MTG|HTG|HTE|MIB|PH|SC|SG) ?\d{1,4}|SIGN ?\d{2,3})(?![\w-]|\.\d)"
)
_REGISTERED = r"\b(?:ISRCTN ?\d{8}|NCT ?\d{8}|EudraCT ?\d{4}-\d{6}-\d{2}|IRAS ?(?:ID ?)?\d{6})\b"
_NAME = r"(?:[A-Z][\w’'-]*[A-Z0-9][\w’'-]*|[A-Z][\w’'-]+)"  # an acronym or a capitalised word
_NAMED = rf"(?:{_NAME}(?:[ -]{_NAME}){{0,3}})"
_TRIAL = re.compile(rf"{_REGISTERED}|\b(?P<name>{_NAMED})[ -](?:trial|study|registry|cohort)\b")
_TOOL = re.compile(
    rf"\b(?P<name>{_NAMED})[ -](?:tool|toolkit|toolbox|app|calculator|dashboard|decision aid|risk score|search pack"
    r"|template|module|e-learning|checklist|plug-?in)\b"
)
# Tools of early cancer diagnosis in English general practice that are called by their name alone.
_KNOWN_TOOLS = re.compile(r"\b(?:Q-?Cancer|C the Signs|Gateway ?C|eRATs?|Ardens|PinPoint|Cytosponge)\b")
# A capital letter that only begins a sentence or names whose it is makes no name.
_NO_NAME = frozenset(
    {"a", "an", "and", "any", "are", "as", "at", "but", "by", "dr", "each", "every", "for", "from", "has", "have", "he"}
    | {"her", "here", "his", "how", "i", "if", "in", "is", "it", "its", "just", "my", "new", "no", "not", "now", "of"}
    | {"old", "on", "one", "or", "our", "ours", "she", "so", "some", "that", "the", "their", "there", "these", "they"}
    | {"this", "those", "to", "we", "what", "when", "which", "who", "you", "your", "nhs", "gp", "gps", "nice", "cancer"}
    | {"alliance", "trust", "network", "practice", "hospital", "pilot", "local", "national", "english", "british"}
)
_OFFERS = re.compile(
    r"\b(?:happy|glad|willing|pleased|delighted) to (?:\w+ )?(?:share|send|talk|chat|help|show|forward|discuss|speak"
    r"|meet|put|pass|explain|be (?:asked|contacted|rung|e-?mailed))\b"
    r"|(?:^|[.,;:!?–—-]\s*|\b(?:please|just|do|or|and|then|free to|anyone) )(?:e-?mail|message|ring|call|contact|dm"
    r"|text|ask|phone) (?:me|us)\b(?! (?:that|if|whether|to|for|why|how|what|about))"
    r"|\b(?:drop|give|send) (?:me|us) an? (?:\w+ )?(?:line|note|ring|call|shout|mail|e-?mail|message)\b"
    r"|\b(?:i|we)(?:'ll| can| could| will)(?: \w+)? (?:send|share|forward|e-?mail|pass|show|introduce|put) (?:you\b"
    r"|anyone|anybody|a copy|copies|it (?:to you|on|over|round|across|along)"
    r"|(?:the|our|my) (?:\w+ ){0,3}?(?:with|to) (?:you|anyone|anybody|people|everybody|everyone|the (?:group|list))\b)"
    r"|\bput (?:you|anyone|people) in touch\b|\bget in touch\b|\bcome and (?:see|visit|look)\b"
    r"|\byou(?:'re| are) (?:very |most )?welcome to (?:visit|use|have|a copy|come|it)",
    re.IGNORECASE,
)


def resources(contributions: Sequence[Contribution], offering: Iterable[int]) -> list[Resource]:
    """Everything shared in a thread, each once, in order. `offering`: the messages whose offers count, the replies."""
    found: dict[str, Resource] = {}
    answers = set(offering)
    for one in contributions:
        hidden = {one.text[start:end].lower() for start, end in one.masks} - {""}
        for url in one.links:
            if not any(words in url.lower() or words in unquote(url).lower() for words in hidden):
                _keep(found, key(url), Resource(message=one.message, title=_title(url, one), url=url))
        for name in one.attachments:
            _keep(found, name.lower(), Resource(message=one.message, title=name, kind=ResourceKind.FILE))
        for sentence in split(one.text, one.segments):
            for kind, title in _names(sentence.text, one.message in answers):
                cited = evidence(one, sentence)
                if _plain(title) in _plain(cited.quote):  # else an identifier stands in it
                    _keep(
                        found,
                        f"{kind} {re.sub(r'[^a-z0-9]', '', title.lower())}",
                        Resource(message=one.message, title=title, kind=kind, evidence=cited),
                    )
    return list(found.values())


def _keep(found: dict[str, Resource], name: str, new: Resource) -> None:
    """Keep a resource once, under the first title that somebody gave it."""
    old = found.get(name)
    if old is None:
        found[name] = new
    elif old.url and old.title == address(old.url) and new.title != address(new.url):
        found[name] = old.model_copy(update={"title": new.title})


def key(url: str) -> str:
    """What makes two links the same: without scheme, www, a slash at the end, fragment and tracking parameters."""
    parts = urlsplit(url)
    query = urlencode([(n, v) for n, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(n)])
    return (parts.netloc.lower().removeprefix("www.") + parts.path.rstrip("/") + (f"?{query}" if query else "")) or url


def address(url: str) -> str:
    """A link as a person reads it: host and path."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return (parts.netloc.removeprefix("www.") + parts.path + query).rstrip("/") or url


def _title(url: str, one: Contribution) -> str:
    """The words a link stood behind; else the name of the file it leads to; else its address."""
    anchor = " ".join(one.anchors.get(url, "").split())
    if anchor and not _SAYS_NOTHING.fullmatch(anchor) and not _ADDRESS.search(anchor):
        return anchor
    last = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    return last if _FILE.fullmatch(last) else address(url)


def _names(text: str, answers: bool) -> Iterator[tuple[ResourceKind, str]]:
    """What a sentence names; one that asks shares nothing."""
    if text.rstrip(")\"'”’ ").endswith("?"):
        return
    for hit in _GUIDELINE.finditer(text):
        yield ResourceKind.GUIDELINE, hit[0] if "SIGN" in hit[0] else hit[0].removeprefix("NICE ").replace(" ", "")
    for hit in _TRIAL.finditer(text):
        if name := _named(text, hit.start("name"), hit["name"]) if hit["name"] else hit[0]:
            yield ResourceKind.TRIAL, name
    tools = [
        name + text[hit.end("name") : hit.end()]
        for hit in _TOOL.finditer(text)
        if (name := _named(text, hit.start("name"), hit["name"]))
    ]
    tools += [hit[0] for hit in _KNOWN_TOOLS.finditer(text) if not any(hit[0] in tool for tool in tools)]
    yield from ((ResourceKind.TOOL, tool) for tool in tools)
    if answers and _OFFERS.search(text.replace("’", "'")):
        yield ResourceKind.CONTACT, " ".join(text.split())


def _named(text: str, start: int, name: str) -> str:
    """The name without words that only look like one; "" when nothing of it is a name."""
    words = re.split(r"(?<=[ -])", name)
    opens = not text[:start].strip() or text[:start].rstrip()[-1] in ".!?:("
    while (
        words
        and not words[0].endswith("-")
        and (words[0].strip(" ’'").lower() in _NO_NAME or (opens and _plain_word(words[0])))
    ):
        words.pop(0)
        opens = False
    return "".join(words).strip(" -")


def _plain_word(word: str) -> bool:
    """Whether a word that opens a sentence may be an ordinary one: one capital, the first letter."""
    return word[:1].isupper() and word[1:].strip(" -").islower()


def _plain(text: str) -> str:
    return " ".join(text.split()).replace(" ", "")
