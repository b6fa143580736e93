"""`bench/draft`: how long a thread of 40 replies takes to draft, and what starting and keeping the drafter costs.

The thread is made of the invented mails of bench/invented.txt, so that it can be measured anywhere.
"""

import json
import resource
import statistics
import time
from pathlib import Path

REPLIES = 40
ROUNDS = 20


def main() -> None:
    before, began = resident(), time.perf_counter()
    from digest.collation import Contribution, sentences, stance
    from digest.collation.draft import draft
    from digest.nouns import Kind, Segment, SegmentRole

    imported = time.perf_counter() - began
    texts = said(Path(__file__).with_name("invented.txt").read_text(encoding="utf-8"))
    question, replies = texts[0], (texts[1:] * 2)[:REPLIES]
    thread = [
        Contribution(
            number,
            f"Dr {author}",
            Kind.QUESTION if number == 0 else Kind.REPLY,
            text,
            (Segment(0, len(text), SegmentRole.NEW),),
        )
        for number, (author, text) in enumerate([question, *replies])
    ]
    began = time.perf_counter()
    content = draft(thread)
    first = time.perf_counter() - began
    times, work = [], []
    for _ in range(ROUNDS):
        sentences._split.cache_clear()  # a thread is drafted because it changed, so nothing is known of it yet
        stance.stance.cache_clear()
        began, worked = time.perf_counter(), time.process_time()
        draft(thread)
        times.append(time.perf_counter() - began)
        work.append(time.process_time() - worked)
    result = {
        "replies": REPLIES,
        "sentences_cited": sum(len(point.evidence) for point in content.points),
        "start_ms": round(imported * 1000),
        "first_draft_ms": round(first * 1000),
        "draft_ms_median": round(statistics.median(times) * 1000, 1),
        "draft_cpu_ms_median": round(statistics.median(work) * 1000, 1),
        "draft_ms_slowest": round(max(times) * 1000, 1),
        "memory_mb": round(resident() - before, 1),
    }
    print(json.dumps(result))


def said(text: str) -> list[tuple[str, str]]:
    """(author, text) of every invented mail."""
    parts = text.replace("[[", "").replace("]]", "").split("\n## ")[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].split("\n# ")[0].strip()) for part in parts]


def resident() -> float:
    """The most memory this process has had, in megabytes (Linux counts in kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
