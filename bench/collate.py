"""`bench/collate THREADS.jsonl --words N --out FILE`: the lines that a draft rests on, best first, within N words.

THREADS.jsonl: a thread a line, `{"id", "subject", "messages": [{"id", "from", "text"}]}`, the question first.
FILE: `{"id", "lines": [{"message", "text"}]}`. For a thread that the weights were trained on, weights are taken that
did not see it. Threads that carry `gold` (summaries whose sentences are linked to source sentences) are scored,
beside sumy's LexRank and the first sentence of each reply.
"""

import argparse
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from email.message import EmailMessage
from email.utils import formataddr
from pathlib import Path
from typing import Any

from digest.collation import Contribution
from digest.collation.sentences import split
from digest.collation.shortlist import shortlist
from digest.collation.worth import Line, lines, words
from digest.message import Ours, understand
from digest.nouns import Kind

FOLDS = Path(__file__).with_name("worth_folds.json")
OURS = Ours("list@example.org", "digest@example.org")
Chosen = list[tuple[str, str]]  # (message id, text), best first
Method = Callable[[dict[str, Any], int], Chosen]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("threads", type=Path)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    try:
        threads = [json.loads(line) for line in args.threads.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        sys.exit(f"{args.threads} cannot be read as a thread in JSON on each line: {error}")
    began = time.perf_counter()
    ours = [drafted(thread, args.words) for thread in threads]
    took = time.perf_counter() - began
    with args.out.open("w", encoding="utf-8") as out:
        for thread, chosen in zip(threads, ours, strict=True):
            drawn = [{"message": message, "text": text} for message, text in chosen]
            out.write(json.dumps({"id": thread["id"], "lines": drawn}, ensure_ascii=False) + "\n")
    unseen = sum(fingerprint(thread) not in folds() for thread in threads)
    print(f"{len(threads)} threads, {unseen} of them unknown to the weights, in {took:.2f} s; lines in {args.out}")
    gold = [thread for thread in threads if thread.get("gold")]
    if gold:
        print(f"Within {args.words} words, over the {len(gold)} threads with linked summaries:")
        methods: dict[str, Method] = {
            "first sentences": first_sentences,
            "sumy LexRank": lexrank,
            "this draft": drafted,
        }
        for name, method in methods.items():
            try:
                figures = score(gold, [method(thread, args.words) for thread in gold], args.words)
            except ImportError:
                print(f"{name:16} not run: sumy is not installed")
                continue
            print(f"{name:16} " + " · ".join(f"{key} {value:.3f}" for key, value in figures.items()))


# --- the methods -------------------------------------------------------------------------------------------------


def drafted(thread: dict[str, Any], budget: int) -> Chosen:
    """The product's own lines; the weights have not seen the thread."""
    said = contributions(thread)
    found = lines(said, folds().get(fingerprint(thread)))
    return [_named(thread, line) for line in shortlist(found, budget)]


def first_sentences(thread: dict[str, Any], _: int) -> Chosen:
    """The first real sentence of each message, in order, then the second ones."""
    said = [[s for s in split(one.text, one.segments) if words(s.text) >= 4] for one in contributions(thread)]
    ranks = range(max(map(len, said), default=0))
    return [(thread["messages"][n]["id"], s[rank].text) for rank in ranks for n, s in enumerate(said) if rank < len(s)]


def lexrank(thread: dict[str, Any], budget: int) -> Chosen:
    """sumy's LexRank over the same sentences, central ones first."""
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence  # type: ignore[import-untyped]
    from sumy.nlp.stemmers import Stemmer  # type: ignore[import-untyped]
    from sumy.summarizers.lex_rank import LexRankSummarizer  # type: ignore[import-untyped]
    from sumy.utils import get_stop_words  # type: ignore[import-untyped]

    class Words:
        def to_words(self, text: str) -> list[str]:
            return re.findall(r"[^\W_]+", text)

    said = [
        (thread["messages"][n]["id"], s.text)
        for n, one in enumerate(contributions(thread))
        for s in split(one.text, one.segments)
    ]
    summarise = LexRankSummarizer(Stemmer("english"))
    summarise.stop_words = get_stop_words("english")
    sentences = [Sentence(text, Words()) for _, text in said]
    document = ObjectDocumentModel([Paragraph(sentences)])
    numbers = {id(sentence): number for number, sentence in enumerate(sentences)}
    chosen: dict[int, None] = {}  # it gives its best n in the order of the text, so n grows to learn which is best
    while len(chosen) < len(said) and sum(len(said[number][1].split()) for number in chosen) < 2 * budget:
        more = summarise(document, len(chosen) + 1)
        chosen |= dict.fromkeys(numbers[id(sentence)] for sentence in more)
    return [said[number] for number in chosen]


def contributions(thread: dict[str, Any]) -> list[Contribution]:
    """A thread's messages as the service would understand them had they come by mail."""
    found = []
    for number, message in enumerate(thread["messages"]):
        mail = EmailMessage()
        mail["From"] = formataddr((" ".join(message.get("from", "").split()), "writer@example.org"))
        mail["Subject"] = ("Re: " if number else "") + " ".join(thread.get("subject", "").split())
        mail.set_content(message["text"])
        read = understand(mail.as_bytes(), OURS)
        kind = Kind.REPLY if number else Kind.QUESTION
        found.append(Contribution(number, message.get("from", ""), kind, read.text, read.segments, links=read.links))
    return found


def _named(thread: dict[str, Any], line: Line) -> tuple[str, str]:
    return thread["messages"][line.message]["id"], line.sentence.text


# --- what was trained on -----------------------------------------------------------------------------------------


def fingerprint(thread: dict[str, Any]) -> str:
    """A thread's, whatever its ids and white space."""
    return hashlib.sha256(squash(" ".join(m["text"] for m in thread["messages"])).encode()).hexdigest()[:16]


def folds() -> dict[str, Mapping[str, float]]:
    """For each thread that the weights were trained on, those fitted to all the others."""
    stored = json.loads(FOLDS.read_text(encoding="utf-8"))
    return {print_: dict(zip(stored["names"], values, strict=True)) for print_, values in stored["weights"].items()}


# --- scoring -----------------------------------------------------------------------------------------------------


def squash(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def links(summary: Sequence[dict[str, Any]]) -> list[set[tuple[str, str]]]:
    """For each sentence of a summary that has any, the source sentences it rests on."""
    return [{(link["message"], squash(link["text"])) for link in s["links"]} for s in summary if s["links"]]


def linked(line: tuple[str, str], sources: set[tuple[str, str]]) -> bool:
    text = squash(line[1])
    return any(line[0] == message and text and other and (text in other or other in text) for message, other in sources)


def score(gold: Sequence[dict[str, Any]], drafts: Sequence[Chosen], budget: int) -> dict[str, float]:
    """coverage, precision, represented, verbatim: 0 to 1, averaged as the threads' summaries were written."""
    coverage, precision, represented, verbatim = [], [], [], []
    for thread, draft in zip(gold, drafts, strict=True):
        chosen: Chosen = []
        used = 0
        for line in draft:
            size = len(line[1].split())
            if not chosen or used + size <= budget * 1.05:
                chosen.append(line)
                used += size
        texts = {message["id"]: squash(message["text"]) for message in thread["messages"]}
        summaries = [links(summary) for summary in thread["gold"]]
        coverage += [
            sum(any(linked(line, sources) for line in chosen) for sources in summary) / len(summary)
            for summary in summaries
            if summary
        ]
        every = set[tuple[str, str]]().union(*(sources for summary in summaries for sources in summary))
        precision.append(sum(linked(line, every) for line in chosen) / (len(chosen) or 1))
        represented.append(len({message for message, _ in chosen}) / len(texts))
        verbatim += [squash(text) in texts[message] for message, text in chosen]
    return {
        name: sum(values) / (len(values) or 1)
        for name, values in (
            ("coverage", coverage),
            ("precision", precision),
            ("represented", represented),
            ("verbatim", verbatim),
        )
    }


if __name__ == "__main__":
    main()
