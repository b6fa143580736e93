"""`bench/reply MBOX`: what of a reply is new, ours beside other libraries, on every reply whose ancestors are in MBOX.

Truth comes from the archive, by no rule of ours. A line counts when it has 20 letters or more; letters alone are
compared. It is an ancestor's when it stands in the text of a mail that the reply descends from, else the author's.
- leak: the share of ancestors' lines that were kept;   - loss: the share of the author's lines that were dropped;
- perfect: the share of replies with neither.
For nobody count, because neither "kept" nor "dropped" would be a mistake, or because it cannot be told which it was:
- lines behind a "-- " delimiter, the list's footer (what many senders' mails have), lines that the same sender (by
  name: people have several addresses) repeats in three or more mails, PGP's armour, what an archive says it left out;
- a quote of something else: marked lines that stand in no ancestor, and lines of somebody else's earlier mail;
- what introduces a quote ("On … wrote:", a block of header fields) down to the quote's first line, where a gateway of
  the reader's puts its banner; and one line between two unmarked ancestors' lines, where it rewrote an address;
- an address, a command or a phrase that the author repeats: one ancestor's line, unmarked, between the author's own;
- a quoted line whose letters the author's own lines hold, too: in what is kept the two look alike.
The parts of a patch series hang below their first and answer nobody, so they are no replies; `--every` takes them, too.
"ours with ancestors" is what the service does because it stores them; it is given what the truth is made of, so the
comparison with the libraries is "ours". The fixtures of quotequail know neither signatures nor new text in a forward,
and are empty where nothing is left: there ours keeps signatures, ends at a forward and is nothing when it says so.
Everyone reads the same text: decoded by `digest.message.body`. `reply-fixtures.json` beside MBOX is run as well.
"""

import argparse
import json
import re
import signal
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from digest.mailbox.archive import arrivals, count
from digest.message import ancestry, body, html, quote, reply
from digest.message.parse import parse
from digest.nouns import SegmentRole

LETTERS = 20  # of a line that counts
REPEATED = 3  # mails of one sender in which a line is a signature
SHARED = 10  # senders whose mails have the same line: it is the list's
PATIENCE = 5  # seconds a library has for one mail

_NOT_LETTERS = re.compile(r"[\W\d_]+")
_MARK = re.compile(r"^\s{0,4}[>|]")
_MARKS = re.compile(r"^[\s>|]*")
_DELIMITER = re.compile(r"^-- ?$")
_LABEL = re.compile(r"^[\s*_]{0,4}[^\s:]{1,20}(?: ?[^\s:]{1,12})?[*_]{0,2}\s?:")
_SAID = re.compile(r"(?:\bwrote|\bwrites|\bsaid|schrieb|écrit|escribió|skrev|skrifaði)\W*$|[:>]\s*$", re.I)
_DATED = re.compile(r"\d{4}|\d:\d\d")
_ATTRIBUTION = re.compile(r"\d.*\bwrote:$|^-----(?:BEGIN|END) PGP|^Hash: \w+$")
_LEFT_OUT = re.compile(r"\{\{dropped:|\[\[elided ")  # pipermail's words
_TORN = re.compile(r"^(?:\s*>+\s*(?:\w+(?: \w+)?)?|\s*<?\S+(?:@| at )\S+>.{0,20})\s*:$")  # "> wrote:" below "On …"
_RUN_TOGETHER = re.compile(r"^From \S+@\S+ \w{3} \w{3} +\d")  # the next mail, in an mbox that lacks the blank line
_PART = re.compile(r"^\s*\[[^\]]*(?:\bpatch\b|\b\d+/\d+\b)", re.I)  # git-format-patch(1)
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Case:
    """What a library may know besides the plain text: what we know, and, of a fixture, what it was written for."""

    context: reply.Context = reply.NOTHING
    html: str = ""
    languages: tuple[str, ...] = ("en",)
    unwrap: bool = False
    quotes_only: bool = False  # signatures are to stay, forwards are quotes, and nothing may be left
    ancestors: tuple[str, ...] = ()


Library = Callable[[str, Case], str]


@dataclass(slots=True)
class Mail:
    """A mail of the archive. `letters`: each line's, without quote marks; `all`: those of the whole text as one."""

    id: str
    sender: str
    parents: tuple[str, ...]
    context: reply.Context
    answers: bool
    lines: list[str]
    letters: list[str]
    all: str
    position: int


@dataclass(slots=True)
class Score:
    leaked: int = 0
    theirs: int = 0
    lost: int = 0
    own: int = 0
    perfect: int = 0
    replies: int = 0
    late: int = 0  # mails given up on
    passed: Counter[str] = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "leak": round(self.leaked / max(self.theirs, 1), 4),
            "loss": round(self.lost / max(self.own, 1), 4),
            "perfect": round(self.perfect / max(self.replies, 1), 4),
        }
        if self.passed:
            out["fixtures"] = dict(sorted(self.passed.items())) | {"all": self.passed.total()}
        return out | ({"given_up": self.late} if self.late else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mbox", type=Path)
    parser.add_argument("--limit", type=int, help="look at the first N replies only")
    parser.add_argument("--every", action="store_true", help="also take the parts of patch series")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # the libraries' own
    console = Console(stderr=True)
    mails = {m.id: m for m in track(read(args.mbox), "Reading", count([args.mbox]), console=console) if m.id}
    repeated, said = nobodys(mails.values()), first_said(mails.values())
    known = [m for m in mails.values() if m.parents and all(p in mails for p in m.parents)]
    replies = [m for m in known if m.answers or args.every][: args.limit]
    if not replies:
        sys.exit(f"{args.mbox} holds no reply whose ancestors are in it, too.")
    libraries, missing = with_peers()
    scores: dict[str, Score] = {name: Score() for name in libraries}
    for mail in track(replies, "Replies", console=console):
        ancestors = ancestors_of(mail, mails)
        theirs, own = truth(mail, ancestors, repeated, said)
        text = "\n".join(mail.lines)
        case = Case(mail.context, ancestors=tuple("\n".join(a.lines) for a in ancestors))
        for name, library in libraries.items():
            mark(scores[name], in_time(library, text, case, scores[name]), theirs, own)
    sets = fixtures(args.mbox.parent / "reply-fixtures.json", libraries, scores)
    show(Console(), scores, sets, missing, len(replies))
    first, *others = scores
    result = scores[first].as_dict() | {"replies": len(replies), "fixture_cases": sets}
    print(json.dumps(result | {"libraries": {n: scores[n].as_dict() for n in others}, "not_run": missing}))


def read(mbox: Path) -> Iterator[Mail]:
    for position, arrival in enumerate(arrivals([mbox])):
        parsed = parse(arrival.raw)
        lines = [line.text for line in body.lines(parsed)[0]]
        lines = lines[: next((i for i, line in enumerate(lines) if _RUN_TOGETHER.match(line)), len(lines))]
        letters = [_letters(_MARKS.sub("", line)) for line in lines]
        name, address = parsed.sender
        yield Mail(
            id=next(iter(parsed.ids("message-id")), ""),
            sender=" ".join(sorted(_WORD.findall(name.casefold()))) or address,
            parents=tuple(dict.fromkeys(parsed.ids("references") + parsed.ids("in-reply-to"))),
            context=reply.Context(f"{name} {re.split('@| at ', address)[0]}", parsed.get("subject")),
            answers=not _PART.match(parsed.get("subject")),
            lines=lines,
            letters=letters,
            all="".join(letters),
            position=position,
        )


def _letters(text: str) -> str:
    return _NOT_LETTERS.sub("", text).casefold()


def nobodys(mails: Iterable[Mail]) -> set[tuple[str, str]]:
    """(sender, letters) of what a sender repeats; ("", letters) of what is the list's own."""
    times: Counter[tuple[str, str]] = Counter()
    senders: defaultdict[str, set[str]] = defaultdict(set)
    for mail in mails:
        own = {x for line, x in zip(mail.lines, mail.letters, strict=True) if len(x) >= LETTERS and not _marked(line)}
        times.update((mail.sender, x) for x in own)
        for x in own:
            senders[x].add(mail.sender)
    return {key for key, n in times.items() if n >= REPEATED} | {
        ("", x) for x, who in senders.items() if len(who) >= SHARED
    }


def _marked(line: str) -> bool:
    return bool(_MARK.match(line))


def ancestors_of(mail: Mail, mails: dict[str, Mail]) -> list[Mail]:
    found: dict[str, Mail] = {}
    waiting = list(mail.parents)
    while waiting:
        name = waiting.pop()
        if name in mails and name not in found and name != mail.id:
            found[name] = mails[name]
            waiting += mails[name].parents
    return list(found.values())


def first_said(mails: Iterable[Mail]) -> dict[str, tuple[int, str]]:
    """Letters of every unmarked line → where in the archive they stand first, and who said them."""
    found: dict[str, tuple[int, str]] = {}
    for mail in mails:
        for line, x in zip(mail.lines, mail.letters, strict=True):
            if len(x) >= LETTERS and not _marked(line):
                found.setdefault(x, (mail.position, mail.sender))
    return found


def truth(
    mail: Mail, ancestors: Sequence[Mail], repeated: set[tuple[str, str]], said: dict[str, tuple[int, str]]
) -> tuple[list[str], list[str]]:
    """The lines (their letters) that are an ancestor's, and those that are the author's."""
    theirs: dict[int, str] = {}
    own: dict[int, str] = {}
    quoted: set[int] = set()  # line numbers
    signed = False
    for i, (line, x) in enumerate(zip(mail.lines, mail.letters, strict=True)):
        signed = signed or bool(_DELIMITER.match(line))
        from_ancestor = bool(x) and (len(x) >= LETTERS or _marked(line)) and any(x in a.all for a in ancestors)
        if from_ancestor or _marked(line):
            quoted.add(i)
        if len(x) < LETTERS or ("", x) in repeated or (mail.sender, x) in repeated or _LEFT_OUT.search(line):
            continue
        position, who = said.get(x, (mail.position, mail.sender))
        if from_ancestor:
            theirs[i] = x
        elif position < mail.position and who != mail.sender:
            continue
        elif not _marked(line) and not signed and not _ATTRIBUTION.search(line):
            own[i] = x
    names = {w.casefold() for a in ancestors for w in _WORD.findall(a.context.author)}
    nobodys = _introductions(mail.lines, quoted, names) | _between(mail.lines, quoted)
    repeats = _repeats(mail.lines, theirs, own)
    kept = "".join(x for i, x in enumerate(mail.letters) if i not in quoted or i in repeats)
    return (
        [x for i, x in theirs.items() if i not in repeats and x not in kept],
        [x for i, x in own.items() if i not in nobodys],
    )


def _between(lines: list[str], quoted: set[int]) -> set[int]:
    """Single lines directly between two unmarked ancestors' lines."""
    unmarked = {i for i in quoted if not _marked(lines[i])}
    return {i for i in range(len(lines)) if i not in quoted and i - 1 in unmarked and i + 1 in unmarked}


def _repeats(lines: list[str], theirs: dict[int, str], own: dict[int, str]) -> set[int]:
    """Unmarked ancestors' lines that stand alone among the author's own, blank lines passed over."""
    filled = [i for i, line in enumerate(lines) if line.strip()]
    sides = zip([-1, *filled[:-1]], filled, [*filled[1:], -1], strict=True)
    return {
        i
        for above, i, below in sides
        if i in theirs
        and not _marked(lines[i])
        and (above in own or below in own)
        and not any(k in theirs or (k >= 0 and _marked(lines[k])) for k in (above, below))
    }


def _introductions(lines: list[str], quoted: set[int], names: set[str]) -> set[int]:
    """Lines that stand above a quote and say whose it is: "On … wrote:" or fields, in whatever language."""
    found: set[int] = set()
    for start in quoted:
        if start - 1 in quoted:
            continue
        i = start - 1
        while i >= 0 and i > start - 6 and len(_letters(lines[i])) < LETTERS and not _LABEL.match(lines[i]):
            i -= 1  # blank lines and "Hi Ann,"
        end = i + 1
        while i >= 0 and i not in quoted and lines[i].strip() and end - i < 10:
            i -= 1
        block = range(i + 1, end)
        tail = f" {lines[start]}" if _TORN.match(lines[start]) else ""
        for k in block[-3:]:
            whole = " ".join(lines[k:end]) + tail
            words = {w.casefold() for w in _WORD.findall(whole)}
            if _SAID.search(whole) and (words & names or "@" in whole or " at " in whole or _DATED.search(whole)):
                found.update(range(k, end))
                break
    for first, end in _field_blocks(lines):
        start = next((i for i in range(end, min(end + 8, len(lines))) if i in quoted), 0)
        if start:
            found.update(range(first, start))
    return found


def _field_blocks(lines: list[str]) -> Iterator[tuple[int, int]]:
    """(first, end) of each run of three or more "Label: value" lines, one with an address."""
    first, fields, end, address = 0, 0, 0, False
    for i, line in enumerate([*lines, "."]):
        if i < len(lines) and _LABEL.match(line):
            first = first if fields else i
            fields, end = fields + 1, i + 1
            address = address or "@" in line or " at " in line
        elif (i == len(lines) or line.strip()) and not (fields and i == end and i < len(lines) and "@" in line):
            if fields >= 3 and address:
                yield first, end
            fields, address = 0, False
        elif line.strip():
            end = i + 1  # a long list of recipients goes on


def mark(score: Score, kept: str, theirs: list[str], own: list[str]) -> None:
    letters = "".join(_letters(_MARKS.sub("", line)) for line in kept.split("\n"))
    leaked = sum(x in letters for x in theirs)
    lost = sum(x not in letters for x in own)
    score.leaked += leaked
    score.theirs += len(theirs)
    score.lost += lost
    score.own += len(own)
    score.perfect += not leaked and not lost
    score.replies += 1


def ours(text: str, case: Case) -> str:
    lines = text.split("\n")
    if not case.quotes_only:
        return reply.new_text(text, reply.segments(text, case.context))
    forward = next((i for i in range(len(lines)) if (block := quote.headers(lines, i)) and block.forward), len(lines))
    lines = lines[:forward]
    roles, left = reply.roles(lines, case.context)
    roles = [SegmentRole.NEW if role is SegmentRole.SIGNATURE else role for role in roles]
    return reply.new_text("\n".join(lines), reply.spans(lines, roles)) if left else ""


def ours_with_ancestors(text: str, case: Case) -> str:
    return reply.new_text(text, ancestry.known(text, reply.segments(text, case.context), case.ancestors))


def with_peers() -> tuple[dict[str, Library], list[str]]:
    """Ours and each library as a function of a text; and the names of those that are not here."""
    makers: dict[str, Callable[[], Library]] = {
        "mail-parser-reply": _mail_parser_reply,
        "email-reply-parser": _email_reply_parser,
        "quotequail": _quotequail,
        "talon": _talon,
        "email-reply-extractor": _email_reply_extractor,
    }
    found: dict[str, Library] = {
        "ours": ours,
        "ours with ancestors": ours_with_ancestors,
        "dropping marked lines": _drop_marked,
    }
    missing: list[str] = []
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError:
            missing.append(name)
    return found, missing


def _drop_marked(text: str, _: Case) -> str:
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))


def _mail_parser_reply() -> Library:
    from mailparser_reply import EmailReplyParser

    parser = lru_cache(lambda languages: EmailReplyParser(languages=list(languages)))
    return lambda text, case: parser(case.languages).parse_reply(text=text) or ""


def _email_reply_parser() -> Library:
    from email_reply_parser import EmailReplyParser

    return lambda text, _: EmailReplyParser.parse_reply(text)


def _quotequail() -> Library:
    import quotequail

    def read_it(text: str, case: Case) -> str:
        if case.unwrap:
            found = quotequail.unwrap(text) or {"text_top": text}
            return "\n".join(found.get(part) or "" for part in ("text_top", "text_bottom"))
        if case.html:
            return _text_of(
                "".join(part for shown, part in quotequail.quote_html(case.html, quote_intro_line=True) if shown)
            )
        return "\n".join(part for shown, part in quotequail.quote(text, limit=10**6, quote_intro_line=True) if shown)

    return read_it


def _talon() -> Library:
    from talon import quotations

    def read_it(text: str, case: Case) -> str:
        if case.html:
            return _text_of(quotations.extract_from_html(case.html))
        return quotations.extract_from_plain(text)

    return read_it


def _email_reply_extractor() -> Library:
    import email_reply_extractor

    return lambda text, case: (
        email_reply_extractor.extract_new_text(None if case.html else text, html_body=case.html or None).text
    )


def _text_of(markup: str) -> str:
    return "\n".join(line.text for line in html.to_lines(markup)[0])


def in_time(library: Library, text: str, case: Case, score: Score) -> str:
    """What a library keeps; everything when it takes too long or fails, as whoever uses it would have to."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        return library(text, case)
    except Exception:
        score.late += 1
        return text
    finally:
        signal.alarm(0)


def fixtures(path: Path, libraries: dict[str, Library], scores: dict[str, Score]) -> dict[str, int]:
    """How many cases each set of `path` has; what passed goes into `scores`."""
    if not path.exists():
        print(f"{path} is not there, so the fixtures were not run.", file=sys.stderr)
        return {}
    cases = json.loads(path.read_text())
    for case in cases:
        markup = case["text"] if case["kind"] == "html" else ""
        plain = _text_of(markup) if markup else case["text"]
        told = Case(
            html=markup,
            languages=tuple(case.get("langs", ["en"])),
            unwrap="unwrap" in case["set"],
            quotes_only="quotequail" in case["set"],
        )
        for name, library in libraries.items():
            if name == "ours with ancestors":
                continue  # a fixture has none
            kept = in_time(library, plain, told, scores[name])
            scores[name].passed[case["set"]] += passes(case, kept)
    return dict(sorted(Counter(case["set"] for case in cases).items()))


def passes(case: dict[str, Any], kept: str) -> bool:
    kept = "".join(kept.split())
    wanted = case.get("expected")
    if wanted is not None and case["kind"] == "html":
        wanted = _text_of(wanted)
    return (
        (wanted is None or "".join(wanted.split()) == kept)
        and all("".join(part.split()) in kept for part in case.get("must", []))
        and not any("".join(part.split()) in kept for part in case.get("mustnot", []))
    )


def show(console: Console, scores: dict[str, Score], sets: dict[str, int], missing: list[str], replies: int) -> None:
    table = Table("", "leak", "loss", "perfect", "fixtures passed", title=f"{replies} replies")
    for name, score in scores.items():
        figures = score.as_dict()
        shares = [f"{figures[key]:.1%}" for key in ("leak", "loss", "perfect")]
        table.add_row(name, *shares, f"{score.passed.total()} of {sum(sets.values())}" if score.passed else "")
    console.print(table)
    if missing:
        console.print(f"Not run, because not installed: {', '.join(missing)}.")


if __name__ == "__main__":
    main()
