"""The lines of a thread that are worth most within a number of words, every message represented. Pure."""

from collections.abc import Sequence

from digest.collation.worth import Line

#: From this worth on a line is kept beside the one that represents its message.
ENOUGH = 0.25
# How strongly a line's length counts against it where room is short: 0 not at all, 1 worth by the word.
_THRIFT = 0.4
_SHORTEST = 8  # words: shorter lines save no more room
_UNREPRESENTED = 0.3  # what leaving a message out costs, in worth: less than a good line of another is worth


def shortlist(lines: Sequence[Line], budget: int) -> list[Line]:
    """At most `budget` words of `lines`: first one of each message, then what else is worth it, best first."""
    chosen = sorted(_one_each(lines, budget), key=lambda line: -line.worth)
    room = budget - sum(_size(line) for line in chosen)
    rest = [line for line in lines if line.worth >= ENOUGH and line not in chosen]
    while fitting := [line for line in rest if _size(line) <= room]:
        best = max(fitting, key=lambda line: line.worth / max(_SHORTEST, _size(line)) ** _THRIFT)
        chosen.append(best)
        rest.remove(best)
        room -= _size(best)
    return chosen


def _size(line: Line) -> int:
    return len(line.sentence.text.split())


def _one_each(lines: Sequence[Line], budget: int) -> list[Line]:
    """The lines, one of each message, whose worth together is greatest within the budget."""
    messages: dict[int, list[Line]] = {}
    for line in lines:
        messages.setdefault(line.message, []).append(line)
    best = [max(said, key=lambda line: line.worth) for said in messages.values()]
    if sum(map(_size, best)) <= budget:
        return best
    # Multiple-choice knapsack: the words used → the greatest worth that can be had for them, and its lines.
    reached: dict[int, tuple[float, tuple[Line, ...]]] = {0: (0.0, ())}
    all_fit = sum(min(map(_size, said)) for said in messages.values()) <= budget
    for said in messages.values():
        further: dict[int, tuple[float, tuple[Line, ...]]] = {}
        if not all_fit:
            further = {used: (worth - _UNREPRESENTED, taken) for used, (worth, taken) in reached.items()}
        for used, (worth, taken) in reached.items():
            for line in said:
                size = used + _size(line)
                if size <= budget and (size not in further or further[size][0] < worth + line.worth):
                    further[size] = (worth + line.worth, (*taken, line))
        reached = further
    return list(max(reached.values(), key=lambda one: one[0])[1])
