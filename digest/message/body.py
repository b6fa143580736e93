"""The texts of a mail → its lines: one normalised text, in which every offset counts from then on.

Which text: the plain one of an alternative, unless it is empty or a stub, then the HTML. A list's footer that came as a
part of its own follows, then the mails that are attached, as forwarded ones. Links keep to their line, so that the
author's own can be told from quoted ones.
"""

import re

from digest.message import links
from digest.message.html import Line, anchors, to_lines
from digest.message.parse import Parsed, Text

MAX_LINES = 50_000
MAX_FIELD = 200  # characters of an attached mail's header
_STUB = re.compile(r"(?:does not|doesn't|cannot|can't|unable to) (?:support|display|show|read|view) .{0,20}HTML", re.I)
# "My answers are in red": only the HTML shows them.
_COLOURED = re.compile(r"\bin (?:\w+ )?(?:red|blue|green|purple|orange|pink|colou?r|bold)\b", re.I)
_WORD = re.compile(r"\w+")
_BRACKETED = re.compile(r"\s?<((?:https?://|mailto:|tel:)[^<>\s]+)>")
_PICTURE = re.compile(r"\[(?:cid:[^\]\s]{1,200}|image: [^\]\n]{0,200})\]")  # where Outlook and Gmail had a picture
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u3000]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\u00ad\ufeff\u2028\u2029\x85]")


def lines(parsed: Parsed) -> tuple[list[Line], bool]:
    """The mail's lines, and whether its paragraphs may still be broken into lines at a fixed width."""
    out: list[Line] = []
    wrapped = False
    for text in parsed.texts:
        part, may_wrap = _lines(text, parsed)
        wrapped = wrapped or (may_wrap and not out)
        if out and part:
            out.append(Line(""))
        out += part
    for mail in parsed.mails:
        out += _passed_on(mail, parsed)
    if len(out) > MAX_LINES:
        parsed.say(f"The text has more than {MAX_LINES} lines; the rest was left out.")
    out = out[:MAX_LINES]
    for line in out:
        if "http" in line.text:
            line.text = links.unwrap_all(line.text)
    return _squeezed(out), wrapped


def _passed_on(mail: Parsed, parsed: Parsed) -> list[Line]:
    """An attached mail as mail programs print one that is forwarded: a rule, whose it is, and its lines."""
    found, _ = lines(mail)
    for problem in mail.problems:
        parsed.say(problem)
    if not any(line.text.strip() for line in found):
        return []
    said = ((name, " ".join(mail.get(name.lower()).split())) for name in ("From", "Date", "Subject", "To"))
    named = [Line(f"{name}: {value[:MAX_FIELD]}") for name, value in said if value]
    return [Line(""), Line("---------- Forwarded message ----------"), *named, Line(""), *found]


def _lines(text: Text, parsed: Parsed) -> tuple[list[Line], bool]:
    if text.kind == "html":
        return _from_html(text.text, parsed), False
    if text.html and _COLOURED.search(text.text[:1000]):
        return _from_html(text.html, parsed), False
    if text.html and _is_stub(text):
        from_html = _from_html(text.html, parsed)
        if sum(len(line.text) for line in from_html) > 2 * len(text.text):
            return from_html, False
    plain = _SPACES.sub(" ", _PICTURE.sub("", _INVISIBLE.sub("", text.text))).split("\n")
    if text.flowed:
        plain = unflow(plain, text.delsp)
    shown = anchors(text.html) if text.html and "<" in text.text else []
    return _without_targets([line.rstrip() if line != "-- " else line for line in plain], shown), not text.flowed


def _from_html(html: str, parsed: Parsed) -> list[Line]:
    found, whole = to_lines(html)
    if not whole:
        parsed.say("The HTML is nested too deep to be understood; its words are shown without their layout.")
    return found


def _is_stub(text: Text) -> bool:
    """Whether a plain text is empty, says "use an HTML reader", or is much shorter than its HTML can be."""
    words = len(_WORD.findall(text.text[:5000]))
    return words == 0 or (words < 60 and bool(_STUB.search(text.text))) or words * 100 < len(text.html) // 50


def unflow(plain: list[str], delsp: bool = False) -> list[str]:
    """RFC 3676, 4: join flowed lines of equal quote depth; "-- " is never flowed; undo space-stuffing."""
    out: list[str] = []
    open_depth: int | None = None  # quote depth of the paragraph that goes on, if one does
    pieces: list[str] = []

    def close() -> None:
        if pieces:
            out.append("".join(pieces))
            pieces.clear()

    for raw in plain:
        content = raw.lstrip(">")
        depth = len(raw) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if open_depth != depth or content == "-- ":
            close()
        if not pieces:
            pieces.append(">" * depth + " " if depth else "")
        pieces.append(content[:-1] if flows and delsp else content)
        open_depth = depth if flows else None
        if not flows:
            close()
    close()
    return out


def _without_targets(plain: list[str], shown: list[tuple[str, str]]) -> list[Line]:
    """Take `<target>` out behind a link's text where the HTML shows that link; elsewhere it stays."""
    targets: dict[str, set[str]] = {}
    for text, target in shown:
        targets.setdefault(target.rstrip("/"), set()).add(text.split()[-1])
    out: list[Line] = []
    for line in plain:
        taken: list[str] = []

        def take(match: re.Match[str], line: str = line, taken: list[str] = taken) -> str:
            target = links.unwrap(match[1])
            before = line[max(0, match.start() - 2000) : match.start()].rstrip()
            if target.startswith("mailto:") and before.endswith(target.removeprefix("mailto:")):
                return ""  # Outlook writes ann@example.org<mailto:ann@example.org>
            if before.endswith(target) or before.endswith(match[1]):
                return ""  # and https://example.org<https://example.org>
            last = before.split()[-1] if before else ""
            if any(last.endswith(word) for word in targets.get(target.rstrip("/"), ())) or (
                not before and target.rstrip("/") in targets
            ):
                taken.append(target)
                return ""
            return match[0]

        out.append(Line(_BRACKETED.sub(take, line) if "<" in line else line, ()))
        out[-1].links = tuple(taken)
    return out


def _squeezed(raw: list[Line]) -> list[Line]:
    """No blank line at either end, never two in a row."""
    out: list[Line] = []
    for line in raw:
        if line.text.strip() or line.links or (out and out[-1].text.strip()):
            out.append(line)
    while out and not out[-1].text.strip() and not out[-1].links:
        out.pop()
    return out
