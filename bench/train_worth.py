"""`python -m bench.train_worth BC3.jsonl`: fit the weights of `digest.collation.worth` and say how good they are.

A sentence's target is the share of people whose summary rests on it; the fit is ridge regression. Trained on are real
threads whose summaries are linked to source sentences, and invented ones of GPs in bench/invented.txt, where the key
sentences stand in [[double brackets]]. Written are the product's weights (digest/collation/worth.json), fitted to every
thread, and for each thread those fitted to all the others (bench/worth_folds.json), so that `bench/collate` measures
nothing that was trained on.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from bench import collate
from digest.collation.worth import features

WEIGHTS = Path(__file__).parents[1] / "digest/collation/worth.json"
INVENTED = Path(__file__).with_name("invented.txt")
#: How strongly weights are held near nothing. The figures hardly move between 1 and 10.
RIDGE = 3.0
#: One sentence of GPs counts as two of the other list, of which there are eight times as many.
OWN_KIND = 2.0
DIGITS = 4

Matrix = list[list[float]]
Sums = tuple[Matrix, list[float]]  # XᵀX and Xᵀy of the normal equations


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("threads", type=Path)
    parser.add_argument("--data", default="BC3 e-mail corpus (Ulrich, Murray and Carenini 2008)")
    parser.add_argument("--licence", default="CC BY-SA 3.0")
    args = parser.parse_args()
    threads = [json.loads(line) for line in args.threads.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(thread.get("gold") for thread in threads):
        sys.exit("Every thread needs gold: summaries whose sentences are linked to source sentences.")
    invented = marked(INVENTED.read_text(encoding="utf-8"))
    seen = [examples(thread) for thread in threads + invented]
    names = list(seen[0][0][0])
    counts = [1.0] * len(threads) + [OWN_KIND] * len(invented)
    sums = [normal(names, rows, count) for rows, count in zip(seen, counts, strict=True)]
    everything = added(sums)
    weights = solve(names, *everything)
    folds = {
        collate.fingerprint(thread): [round(w, DIGITS) for w in solve(names, *without(everything, own))]
        for thread, own in zip(threads + invented, sums, strict=True)
    }
    collate.FOLDS.write_text(_rows({"names": names, "weights": folds}), encoding="utf-8")
    stored = {
        "what": "weights of digest.collation.worth, a feature's name → its weight",
        "made by": "python -m bench.train_worth",
        "data": {args.data: args.licence, "bench/invented.txt": "MIT, as this project"},
        "figures, each thread left out of what scores it": {
            args.data: figures(threads),
            "bench/invented.txt": figures(invented),
        },
        "weights": {name: round(weight, DIGITS) for name, weight in zip(names, weights, strict=True)},
    }
    WEIGHTS.write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(stored["figures, each thread left out of what scores it"], indent=1))


def figures(threads: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    found = {}
    for budget in (200, 120):
        drafts = [collate.drafted(thread, budget) for thread in threads]
        found[f"{budget} words"] = {k: round(v, 3) for k, v in collate.score(threads, drafts, budget).items()}
    return found


def marked(text: str) -> list[dict[str, Any]]:
    """Threads written as `# subject`, `## author` and a text whose key sentences stand in [[double brackets]]."""
    threads = []
    for block in re.split(r"(?m)^# ", text)[1:]:
        subject, _, rest = block.partition("\n")
        messages: list[dict[str, str]] = []
        summary: list[dict[str, Any]] = []
        for number, part in enumerate(re.split(r"(?m)^## ", rest)[1:], start=1):
            author, _, said = part.partition("\n")
            name = f"{subject}/{number}"
            keys = re.findall(r"\[\[(.*?)\]\]", said)
            summary += [{"text": key, "links": [{"message": name, "text": key}]} for key in keys]
            messages.append({"id": name, "from": author, "text": re.sub(r"\[\[|\]\]", "", said).strip()})
        threads.append({"id": subject, "subject": subject, "messages": messages, "gold": [summary]})
    return threads


def _rows(stored: dict[str, Any]) -> str:
    """JSON with one thread a line."""
    rows = ",\n".join(f"  {json.dumps(print_)}: {json.dumps(values)}" for print_, values in stored["weights"].items())
    return f'{{\n "names": {json.dumps(stored["names"])},\n "weights": {{\n{rows}\n }}\n}}\n'


def examples(thread: dict[str, Any]) -> list[tuple[dict[str, float], float]]:
    """What can be seen of each sentence of a thread, and the share of people whose summary rests on it."""
    summaries = [collate.links(summary) for summary in thread["gold"]]
    found = []
    for message, sentence, seen in features(collate.contributions(thread)):
        line = (thread["messages"][message]["id"], sentence.text)
        votes = [any(collate.linked(line, sources) for sources in summary) for summary in summaries]
        found.append((seen, sum(votes) / len(votes)))
    return found


def normal(names: list[str], rows: list[tuple[dict[str, float], float]], count: float) -> Sums:
    xs = [[seen[name] for name in names] for seen, _ in rows]
    width = range(len(names))
    return (
        [[count * sum(x[i] * x[j] for x in xs) for j in width] for i in width],
        [count * sum(x[i] * y for x, (_, y) in zip(xs, rows, strict=True)) for i in width],
    )


def added(sums: list[Sums]) -> Sums:
    width = range(len(sums[0][1]))
    return (
        [[sum(one[0][i][j] for one in sums) for j in width] for i in width],
        [sum(one[1][i] for one in sums) for i in width],
    )


def without(everything: Sums, own: Sums) -> Sums:
    return (
        [[a - b for a, b in zip(row, less, strict=True)] for row, less in zip(everything[0], own[0], strict=True)],
        [a - b for a, b in zip(everything[1], own[1], strict=True)],
    )


def solve(names: list[str], xx: Matrix, xy: list[float]) -> list[float]:
    """(XᵀX + λI) w = Xᵀy by Gaussian elimination; the bias is not held down."""
    rows = [[*row, y] for row, y in zip(xx, xy, strict=True)]
    for i, name in enumerate(names):
        rows[i][i] += 1e-6 if name == "bias" else RIDGE
    size = len(rows)
    for i in range(size):
        pivot = max(range(i, size), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(i + 1, size):
            factor = rows[r][i] / rows[i][i]
            if factor:
                rows[r] = [a - factor * b for a, b in zip(rows[r], rows[i], strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (rows[i][size] - sum(rows[i][j] * found[j] for j in range(i + 1, size))) / rows[i][i]
    return found


if __name__ == "__main__":
    main()
