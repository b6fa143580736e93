"""`bench/meaning [STREAM…] [--threads N]`: questions that were asked before, and quotes under headings.

Each way the service compares texts, beside BM25 over stems: the questions of asked_before.txt, the labelled streams
(`gold.json`), and a look-up among N threads beside reading them all. Needs what `scripts/setup test` installs.
"""

import argparse
import json
import math
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlmodel import Session, col, select

from digest import meaning, store
from digest.collation import headings
from digest.glossary import plainly
from digest.models import Collation, Community, Sense, Thread
from digest.nouns import Content, Evidence, Point
from digest.steps import asked
from digest.thread import similar
from digest.words import content as stems

Text = tuple[str, tuple[str, ...]]  # title and question; points
Ranking = list[tuple[float, int]]
Rank = Callable[[str, Sequence[Text]], Ranking]
PAIRS = Path(__file__).with_name("asked_before.txt")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("streams", type=Path, nargs="*")
    parser.add_argument("--threads", type=int, default=20_000)
    args = parser.parse_args()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    meaning.packed("Who chases the kit?")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown
    print(f"the model: {time.perf_counter() - began:.1f} s to its first vector, {grown / 1024:.0f} MB")
    pairs, alone = read_pairs(PAIRS)
    for half, name in ((0, "developed on"), (1, "reported")):
        print(f"\nasked before, {len(pairs[half::2])} of {len(pairs)} pairs among {len(pairs) + len(alone)} ({name})")
        for way, (rank, offer) in WAYS.items():
            print(f"  {way:20} {asked_before(pairs, alone, half, rank, offer)}")
    for way in ("words", "words and meaning"):
        for stream in args.streams:
            gold = json.loads((stream / "gold.json").read_text(encoding="utf-8"))
            print(f"{stream.name}: headings, {way:18} {under_headings(gold['threads'], way != 'words')}")
    if args.threads:
        look_up(args.threads, pairs)


# --- asked before ------------------------------------------------------------------------------------------------


def read_pairs(path: Path) -> tuple[list[tuple[Text, Text]], list[Text]]:
    """(earlier, later) pairs, and the questions that nobody asked twice."""
    earlier, pairs, alone = None, [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = [field.strip() for field in line[2:].split(" | ")]
        text = (". ".join(fields[:2]), tuple(fields[2].split(" ; ")) if len(fields) > 2 else ())
        if line.startswith("= "):
            earlier = text
        elif line.startswith("~ ") and earlier:
            pairs.append((earlier, text))
        elif line.startswith("- "):
            alone.append(text)
    return pairs, alone


def by_words(question: str, earlier: Sequence[Text]) -> Ranking:
    """As the service does without the extra."""
    bags = [similar.bag(*one) for one in earlier]
    holders = Counter(term for one in bags for term in one)
    mine = similar.bag(question)
    worth = {term: similar.rarity(holders[term], len(bags)) for term in holders.keys() | mine.keys()}
    return similar.ranked((similar.likeness(mine, one, worth), n) for n, one in enumerate(bags))


def by_meaning(question: str, earlier: Sequence[Text]) -> Ranking:
    near = meaning.nearness(plainly(question), [packed(similar.gist(*one)) for one in earlier])
    return similar.ranked((score, n) for n, score in enumerate(near))


def as_written(question: str, earlier: Sequence[Text]) -> Ranking:
    """By meaning, with the abbreviations as they are."""
    near = meaning.nearness(question, [packed(similar.gist(*one), as_it_is=True) for one in earlier])
    return similar.ranked((score, n) for n, score in enumerate(near))


def by_both(question: str, earlier: Sequence[Text]) -> Ranking:
    """As the service does with the extra."""
    words = {n: score for score, n in by_words(question, earlier)}
    near = meaning.nearness(plainly(question), [packed(similar.gist(*one)) for one in earlier])
    return similar.ranked((similar.blended(words.get(n, 0.0), score), n) for n, score in enumerate(near))


def bm25(question: str, earlier: Sequence[Text]) -> Ranking:
    """The peer: Robertson and Zaragoza (2009), over stems, as a share of what the question could score."""
    bags = [Counter(stems(". ".join((one[0], *one[1])))) for one in earlier]
    held = Counter(word for one in bags for word in one)
    average = sum(one.total() for one in bags) / len(bags)
    mine = set(stems(question))
    weight = {word: math.log(1 + (len(bags) - held[word] + 0.5) / (held[word] + 0.5)) for word in mine}

    def score(one: Counter[str]) -> float:
        damp = 1.2 * (0.25 + 0.75 * one.total() / average)
        found = sum(weight[word] * one[word] * 2.2 / (one[word] + damp) for word in mine & one.keys())
        return found / (sum(weight.values()) or 1)

    return similar.ranked((score(one), n) for n, one in enumerate(bags))


def at_least(least: float) -> similar.Cuts:
    """Whatever is so much alike is offered, and nothing else."""
    cut = similar.Cut(sure=least, alone=1.0, apart=0.0)
    return similar.Cuts(cut, cut)


WAYS: dict[str, tuple[Rank, similar.Cuts]] = {
    "BM25 over stems": (bm25, at_least(0.22)),
    "words": (by_words, similar.BY_WORDS),
    "meaning, as written": (as_written, at_least(0.6)),
    "meaning alone": (by_meaning, at_least(0.6)),
    "words and meaning": (by_both, similar.BY_MEANING),
}


@cache
def packed(text: str, as_it_is: bool = False) -> bytes:
    return meaning.packed(text if as_it_is else plainly(text))


def asked_before(
    pairs: Sequence[tuple[Text, Text]], alone: Sequence[Text], half: int, rank: Rank, cuts: similar.Cuts
) -> str:
    pool = [earlier for earlier, _ in pairs] + list(alone)
    places: list[int] = []
    offers: list[tuple[int | None, similar.Offer]] = []  # with the earlier question that asks the same
    for n in range(half, len(pairs), 2):
        found = rank(pairs[n][1][0], pool)
        ids = [id for _, id in found]
        places.append(ids.index(n) + 1 if n in ids else 0)
        offers.append((n, similar.offered(found, cuts)))
    for n in range(len(pairs) + half, len(pool), 2):
        found = [one for one in rank(pool[n][0], pool) if one[1] != n]
        offers.append((None, similar.offered(found, cuts)))
    count = len(places)
    surely = [(right, one.threads[: one.surely]) for right, one in offers]
    return (
        f"recall@1 {sum(p == 1 for p in places) / count:.2f} · @3 {sum(0 < p < 4 for p in places) / count:.2f}"
        f" · MRR {sum(1 / p for p in places if p) / count:.2f}"
        f" · surely {told(surely)} · offered {told([(right, one.threads) for right, one in offers])}"
    )


def told(offers: Sequence[tuple[int | None, Sequence[int]]]) -> str:
    """Of the questions that were asked before, how many find it, how many wrong ones stand beside it; and how many of
    the new ones are offered something.
    """
    asked = [(right, ids) for right, ids in offers if right is not None]
    new = [ids for right, ids in offers if right is None]
    return (
        f"{sum(right in ids for right, ids in asked) / len(asked):.2f}"
        f" (wrong beside it {sum(len(set(ids) - {right}) for right, ids in asked) / len(asked):.2f},"
        f" for a new question {sum(map(bool, new)) / len(new):.2f})"
    )


# --- quotes under headings -----------------------------------------------------------------------------------------


def under_headings(threads: Iterable[dict[str, Any]], with_meaning: bool) -> str:
    """Mean average precision of headings, the share of quotes nearest to their own, and what `moves` would do."""
    precision: list[float] = []
    nearest: list[bool] = []
    mended = spoiled = 0
    dice = random.Random(3)
    with patch.object(meaning, "installed", lambda: with_meaning):
        for points, quotes in labelled(threads):
            table = headings.nearness(points, [text for text, _ in quotes], headings.Likeness(q for q, _ in quotes))
            precision += [
                average_precision([row[n] for row in table], [own == n for _, own in quotes])
                for n in range(len(points))
            ]
            for row, (text, own) in zip(table, quotes, strict=True):
                nearest.append(row.index(max(row)) == own)
                other = dice.choice([n for n in range(len(points)) if n != own])
                mended += moves_to(points, quotes, text, other) == own
                spoiled += moves_to(points, quotes, text, own) not in (own, None)
    count = len(nearest)
    return (
        f"mAP {mean(precision):.3f} ({len(precision)} headings) · nearest to its own {mean(nearest):.3f}"
        f" ({count} quotes) · moved from a wrong one to its own {mended / count:.2f}"
        f" · moved from its own {spoiled / count:.2f}"
    )


def labelled(threads: Iterable[dict[str, Any]]) -> Iterator[tuple[list[str], list[tuple[str, int]]]]:
    """The headings of each thread that has several, and its quotes with the number of their own."""
    for thread in threads:
        points = thread.get("points") or []
        quotes = [(text, n) for n, point in enumerate(points) for text in point.get("evidence", [])]
        if len(points) > 1 and len(quotes) > 2:
            yield [point["text"] for point in points], quotes


def moves_to(points: Sequence[str], quotes: Sequence[tuple[str, int]], text: str, under: int) -> int | None:
    """Where the service would move a quote that stands under a heading; None: nowhere."""
    content = Content(points=[Point(id=str(n), label=label, own=True) for n, label in enumerate(points)])
    for at, (quote, own) in enumerate(quotes):
        evidence = Evidence(message=at + 1, start=0, end=1, quote=quote)
        content.points[under if quote == text else own].evidence.append(evidence)
    return next((int(m.to_point) for m in headings.moves(content) if m.evidence.quote == text), None)


def average_precision(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    hits = [place for place, n in enumerate(order, start=1) if relevant[n]]
    return sum(count / place for count, place in enumerate(hits, start=1)) / (len(hits) or 1)


def mean(values: Sequence[float]) -> float:
    return sum(values) / (len(values) or 1)


# --- among many threads ----------------------------------------------------------------------------------------------


def look_up(threads: int, pairs: Sequence[tuple[Text, Text]]) -> None:
    """One look-up among so many threads, beside reading every collation, and what the index passes over.

    The earlier questions of the pairs are among them; the others' words are shuffled, and half of them made up.
    """
    dice = random.Random(1)
    texts = [one for pair in pairs for one in pair]
    start = datetime(2020, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder, patch.object(meaning, "installed", lambda: False):
        engine = store.connect(f"sqlite:///{folder}/bench.db")
        store.migrate(engine)
        with store.transaction(engine) as session:
            community = Community(slug="bench")
            session.add(community)
            session.flush()
            for n in range(threads):
                title = pairs[n][0][0] if n < len(pairs) else invented(dice, texts)
                at = start + timedelta(hours=n)
                session.add(Thread(community_id=community.id, title=title, started_at=at))
            session.flush()
            for n, id in enumerate(session.exec(select(Thread.id).order_by(col(Thread.id))).all()):
                question = pairs[n][0][0] if n < len(pairs) else invented(dice, texts)
                session.add(written(community.id, id, question, [invented(dice, texts) for _ in range(4)], start))
        took = time.process_time()
        with store.transaction(engine) as session:
            while asked.catch_up(session, community.id, 500):
                pass
            took = 1000 * (time.process_time() - took) / threads
            for id in session.exec(select(Thread.id)).all():
                vector = dice.randbytes(meaning.SIZE)
                session.add(Sense(thread_id=id, community_id=community.id, words="", vector=vector))
        print(f"\namong {threads:,} threads, in milliseconds of processor time (writing one into the index {took:.1f})")
        late = start + timedelta(hours=threads + 1)
        questions = [Thread(id=0, community_id=community.id, title=later[0], started_at=late) for _, later in pairs]
        with store.read(engine) as session:
            every: list[tuple[int, dict[str, float]]] = []
            print(
                f"  reading every collation    {timed(lambda _: every.extend(read_all(session)), questions[:1]):8.1f}"
            )
            print(f"  the index, by words        {timed(lambda one: offers(session, one), questions):8.1f}")
            whole = [compared_with_all(every, one.title) for one in questions[:20]]
            same = sum(offers(session, one) == all_of_them for one, all_of_them in zip(questions, whole, strict=False))
            print(f"  the index offers what comparing with all does for {same} of {len(whole)} questions")
            with patch.object(meaning, "installed", lambda: True):
                print(f"  the index, with meaning    {timed(lambda one: offers(session, one), questions):8.1f}")
        engine.dispose()


def timed(look: Callable[[Thread], object], questions: Sequence[Thread]) -> float:
    """Milliseconds for one, the median."""
    took = []
    for one in questions:
        began = time.process_time()
        look(one)
        took.append(1000 * (time.process_time() - began))
    return sorted(took)[len(took) // 2]


def offers(session: Session, thread: Thread) -> similar.Offer:
    return asked.before(session, thread, asks(thread.title))


def read_all(session: Session) -> list[tuple[int, dict[str, float]]]:
    """What a look-up did before there was an index."""
    rows = session.exec(select(Thread, Collation).join(Collation))
    return [
        (thread.id, similar.bag(asked.asking(thread, one.content), (p.label for p in one.content.points)))
        for thread, one in rows
    ]


def compared_with_all(bags: Sequence[tuple[int, dict[str, float]]], title: str) -> similar.Offer:
    holders = Counter(term for _, held in bags for term in held)
    mine = similar.bag(f"{title}. {title}")
    worth = {term: similar.rarity(holders[term], len(bags)) for term in holders.keys() | mine.keys()}
    ranked = similar.ranked((similar.likeness(mine, held, worth), id) for id, held in bags)
    return similar.offered(ranked, similar.BY_WORDS)


def invented(dice: random.Random, texts: Sequence[Text]) -> str:
    """Twelve words in disorder: half of them of a question, half made up, some of those far more common than others."""
    words = dice.choice(texts)[0].split()
    made_up = [f"wo{'bcdfghjk'[n % 8]}{n}" for n in (int(dice.paretovariate(0.5)) % 30_000 for _ in range(6))]
    return " ".join(dice.sample(words, min(6, len(words))) + made_up)


def asks(question: str) -> Content:
    return Content(question=[Evidence(message=1, start=0, end=1, quote=question)])


def written(community_id: int, thread_id: int, question: str, points: Sequence[str], at: datetime) -> Collation:
    content = asks(question)
    content.points = [Point(id=str(n), label=label) for n, label in enumerate(points)]
    return Collation(community_id=community_id, thread_id=thread_id, version=1, content=content, saved_at=at)


if __name__ == "__main__":
    main()
