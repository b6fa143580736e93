"""`bench/fuzz [MAIL …] [--minutes N]`: parse → new text → kind → privacy over mutated real mail.

Hypothesis takes a mail of the archives, cuts, doubles and splices it, says a false charset or encoding of it, or blows
a piece of it up to hundreds of kilobytes. Every case must be understood without an exception, hold what holds of every
mail (`sound`), and take time that grows with its size: what is slow beside ordinary mail is run again with twice the
body, and is a find when that takes more than three times as long. A find is shrunk and kept as a file, to become a
fixture.
"""

import argparse
import json
import random
import statistics
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from digest.mailbox.archive import arrivals
from digest.message import Ours, Person, Understood, ancestry, attachment, understand
from digest.message.purpose import by_a_person, turns
from digest.message.reply import new_text
from digest.nouns import UNREAD_FILE

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"
DEFAULT = ("gp-stream/mail", "linux-mips-2000.mbox.gz", "r-package-devel.mbox.gz")
ROUND = 300  # cases a round; each has its own seed
SLOW = 30  # times an ordinary mail's time a kilobyte, and …
NOTICED = 0.3  # … seconds: then the case is run at twice the length
OURS = Ours("stream@lists.example.org", "digest@example.org", (Person("Dr Ann Carter", ("ann.carter@example.org",)),))

# What parsers stumble over, beside the mail's own pieces.
CRUMBS = (
    *(b"\r\n", b"\n\n", b"\0", b"\xff", b"\xc3", b"\xe2\x80", b"=", b"=3D", b"=\r\n", b"=?utf-8?q?", b"?=", b"\x1b$B"),
    *(
        b"--",
        b"-- \r\n",
        b"> ",
        b">>>>> ",
        b"| ",
        b"<",
        b"<div>",
        b"</blockquote>",
        b"<blockquote>",
        b"<table><tr><td>",
    ),
    *(
        b"&#x110000;",
        b"<!--",
        b"<![CDATA[",
        b"<style>",
        b"style='display:none'",
        b"<a href='https://x.org/?u=",
        b"[cid:",
    ),
    *(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", b"Content-Type: message/rfc822\r\n\r\n"),
    *(b"Content-Type: text/html; charset=utf-16\r\n", b"Content-Transfer-Encoding: base64\r\n", b"charset=utf-7"),
    *(
        b"format=flowed; delsp=yes",
        b"On 1 Jan 2026, Ann wrote:\r\n",
        b"From: a@x\r\nSent: 1\r\nTo: b\r\nSubject: c\r\n",
    ),
    *(
        b"Kind regards\r\nAnn\r\n",
        b"confidential\r\n\r\n",
        b"999 104 2172",
        b"https://x.org/((((",
        b"BEGIN:VCALENDAR\r\n",
    ),
    *(b"\x78\x9f\x3e\x22\x01\x00", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xf0\x9f\x91\x8d", b"begin 644 a.txt\r\n"),
)


class Unsound(Exception):
    """What was understood breaks a promise; the text says which."""


class Slow(Exception):
    """Time grows faster than the size."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mail", type=Path, nargs="*", help=".eml files, folders, mboxes; else ../shared/corpora")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", type=Path, default=Path("fuzz-finds"), help="the folder for what was found")
    args = parser.parse_args()
    mails = sample(args.mail or [CORPORA / name for name in DEFAULT if (CORPORA / name).exists()])
    if not mails:
        sys.exit("There is no mail to mutate; name .eml files, a folder or an mbox.")
    ordinary = pace(mails[:200])
    print(f"{len(mails)} mails, {ordinary * 1e6:.0f} µs a kilobyte, seed {args.seed}", file=sys.stderr)
    cases, finds = run(mails, ordinary, args.seed, time.monotonic() + args.minutes * 60, args.keep)
    result = {
        "cases": cases,
        "exceptions": sum(n for (name, _), n in finds.items() if name != "Slow"),
        "slow": sum(n for (name, _), n in finds.items() if name == "Slow"),
        "minutes": args.minutes,
        "seed": args.seed,
        "finds": [f"{name} at {where}" for name, where in finds],
    }
    print(json.dumps(result))
    sys.exit(bool(finds))


def sample(paths: list[Path], most: int = 3000, size: int = 60_000) -> list[bytes]:
    """Mails up to `size` bytes, shuffled the same way each time."""
    found = [arrival.raw for arrival in arrivals(paths) if len(arrival.raw) <= size]
    random.Random(1).shuffle(found)
    return found[:most]


def pace(mails: list[bytes]) -> float:
    """The median time of an unharmed mail, in seconds a kilobyte."""
    return statistics.median(_time(raw) / (len(raw) / 1000) for raw in mails)


def _time(raw: bytes) -> float:
    began = time.process_time()
    understand(raw, OURS)
    return time.process_time() - began


def run(
    mails: list[bytes], ordinary: float, first: int, until: float, keep: Path
) -> tuple[int, Counter[tuple[str, str]]]:
    """(cases, finds by exception and place); each find is written once into `keep`."""
    finds: Counter[tuple[str, str]] = Counter()
    cases = 0
    last = b""

    def check(raw: bytes) -> None:
        nonlocal cases, last
        cases, last = cases + 1, raw
        if time.monotonic() < until:
            look(raw, mails[cases % len(mails)], ordinary)

    while time.monotonic() < until:
        number = first + cases
        try:
            _round(mails, number, check)
        except Flaky:
            continue  # a machine that was busy: the same case was not slow again
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            key = (type(error).__name__, f"{Path(at.filename).name}:{at.lineno}")
            if key not in finds:
                keep.mkdir(parents=True, exist_ok=True)
                file = keep / f"{key[0]}-{number}.eml"
                file.write_bytes(last)
                print(f"{key[0]} at {key[1]}: {str(error)[:200]} ({file})", file=sys.stderr)
            finds[key] += 1
    return cases, finds


def _round(mails: list[bytes], number: int, check: Callable[[bytes], None]) -> None:
    @seed(number)
    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(wounded(mails))
    def one(raw: bytes) -> None:
        check(raw)

    one()


@st.composite
def wounded(draw: st.DrawFn, mails: list[bytes]) -> bytes:
    """A real mail, and what may befall one."""
    raw = bytearray(mails[draw(st.integers(0, len(mails) - 1))])
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 200)))
        what = draw(st.integers(0, 5))
        if what == 0:
            raw[start:end] = b""
        elif what == 1:
            raw[start:end] = draw(st.sampled_from(CRUMBS))
        elif what == 2:
            raw[start:end] = draw(st.binary(max_size=8))
        elif what == 3:  # a piece of another mail
            other = mails[draw(st.integers(0, len(mails) - 1))]
            at = draw(st.integers(0, len(other)))
            raw[start:start] = other[at : at + draw(st.integers(0, 2000))]
        elif what == 4:  # a line end, a quote mark or a tag after every line
            crumb = draw(st.sampled_from((b"\r\n", b"\n> ", b"\n<div>", b"\r", b"\n| ", b" \n", b"=\n")))
            raw[start:] = raw[start:].replace(b"\n", crumb)
        else:  # a bomb
            piece = bytes(raw[start:end]) or draw(st.sampled_from(CRUMBS))
            raw[start:end] = piece * (draw(st.sampled_from((10, 3000, 100_000))) // len(piece) + 1)
    return bytes(raw)


def look(raw: bytes, other: bytes, ordinary: float) -> None:
    """Understand one mail in every way the service does. Raises what goes wrong."""
    began = time.process_time()
    understood = understand(raw, OURS)
    took = time.process_time() - began
    sound(understood)
    text = new_text(understood.text, understood.segments)
    by_a_person(text, understood.subject, in_thread=False, to_digest=False)
    turns(text)
    parent = understand(other, OURS)
    segments = ancestry.known(
        understood.text, understood.segments, [parent.text, understood.text[: len(understood.text) // 2]]
    )
    if "".join(understood.text[s.start : s.end] for s in segments) != understood.text:
        raise Unsound("the segments do not cover the text when ancestors are known")
    for number in range(1, min(len(understood.attachments), 3) + 1):
        attachment(raw, number)
    if took > NOTICED and took / (len(raw) / 1000) > SLOW * ordinary:
        grows(raw, took)


def sound(understood: Understood) -> None:
    """What holds for every mail. Raises Unsound."""
    text, segments = understood.text, understood.segments
    if "".join(text[s.start : s.end] for s in segments) != text:
        raise Unsound("the segments do not cover the text")
    if any(a.role == b.role for a, b in pairwise(segments)):
        raise Unsound("two neighbours have one role")
    for said in (text, understood.subject, understood.from_name, understood.from_address, understood.message_id):
        if "\0" in said or "\r" in said:
            raise Unsound("a control character that a database may refuse")
        said.encode()  # a lone surrogate cannot be stored
    # A file that could not be searched holds its mail without a place.
    if any(not 0 <= hit.start < hit.end for hit in understood.hits if hit.type != UNREAD_FILE):
        raise Unsound("a hit without a place")


def grows(raw: bytes, took: float) -> None:
    """Raises Slow when twice the body takes more than three times as long, twice over."""
    head, gap, rest = raw.partition(b"\n\n") if b"\r\n\r\n" not in raw else raw.partition(b"\r\n\r\n")
    twice = min(_time(head + gap + rest * 2) for _ in range(2))
    if twice > 3 * min(took, _time(raw)):
        raise Slow(f"{len(raw)} bytes take {took:.2f} s, twice the body {twice:.2f} s")


if __name__ == "__main__":
    main()
