"""A collation as a form without JavaScript: what was sent becomes Content, and every button is one change to it.

The form carries everything it shows, so nothing is lost when it is sent back with a fault or a conflict. Words cited
are looked up again in the stored messages; whether a line may stand is decided by `steps.collate`, not here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import FormData

from digest.nouns import Content, Evidence, Point, Resource, Segment, mask, new_spans


class Stored(Protocol):
    """A stored message's words, as `steps.collate.grounds` gives them."""

    @property
    def text(self) -> str: ...
    @property
    def segments(self) -> Sequence[Segment]: ...
    @property
    def masks(self) -> Mapping[tuple[int, int], str]: ...


Grounds = Mapping[int, Stored]


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person sent. `faults`: field → sentence; `entered`: the words that could not be taken in."""

    content: Content
    faults: dict[str, str] = field(default_factory=dict)
    entered: dict[str, str] = field(default_factory=dict)
    anchor: str = ""  # where on the page the person was


def read(form: FormData, grounds: Grounds, known: Sequence[Resource]) -> Edit:
    """The form as Content, with the pressed button's change made to it."""
    faults: dict[str, str] = {}
    entered: dict[str, str] = {}

    def quoted(name: str) -> list[Evidence]:
        words = _text(form, name)
        if not words:
            return []
        found = find(words, grounds)
        if found is None:
            faults[name] = "These words do not stand in any message of this thread. Copy them exactly, without gaps."
            entered[name] = words
        return [found] if found else []

    points = []
    for id in _texts(form, "point"):
        evidence = _cited(_texts(form, f"evidence.{id}"), grounds) + quoted(f"quote.{id}")
        label = _text(form, f"label.{id}") or (evidence[0].quote if evidence else "")
        if not label:
            faults[f"label.{id}"] = "Write what this point says, or take the point out."
        point = _point(id, label, evidence, _numbers(form, f"for.{id}"), _numbers(form, f"against.{id}"))
        point.answers, point.suggestion = _text(form, f"answers.{id}"), _text(form, f"suggestion.{id}")
        points.append(point)
    evidence, label = quoted("quote.new"), _text(form, "label.new")
    if evidence or label:
        if "quote.new" in faults:
            entered["label.new"] = label
        else:
            points.append(
                _point(_free(points), label or evidence[0].quote, evidence, [e.message for e in evidence], [])
            )
    asked = _cited(_texts(form, "question"), grounds)
    content = Content(
        question=asked + [e for e in quoted("quote.question") if e not in asked],
        points=points,
        resources=[r for r in known if resource_key(r) in _texts(form, "resource")],
        open=_cited(_texts(form, "open"), grounds),
        outcome=_cited(_texts(form, "outcome"), grounds),
        set_aside=_numbers(form, "aside"),
        note=_text(form, "note"),
    )
    return Edit(content, faults, entered, _press(_text(form, "do"), content, grounds, form))


def find(words: str, grounds: Grounds) -> Evidence | None:
    """Where these words stand in what somebody wrote, however they are wrapped; the earliest message wins."""
    parts = words.strip().strip("“”\"'‘’").split()
    if not parts:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE)
    for message, ground in grounds.items():
        for start, end in new_spans(list(ground.segments)):
            if hit := pattern.search(ground.text, start, end):
                return _evidence(message, hit.start(), hit.end(), grounds)
    return None


def resource_key(resource: Resource) -> str:
    """A resource as the form names it."""
    return f"{resource.message} {resource.url or resource.title}"


def begin_from(content: Content, earlier: Content) -> str:
    """Take over the points of an earlier collation, as the coordinator's own words: its evidence is not this thread's.

    What is already said here is left out. Returns where on the page the first of them stands.
    """
    first = ""
    said = {_plain(p.label) for p in content.points}
    for old in earlier.points:
        if _plain(old.label) not in said:
            content.points.append(Point(id=_free(content.points), label=_plain(old.label), own=True))
            first = first or f"point-{content.points[-1].id}"
    return first or "points"


def _press(button: str, content: Content, grounds: Grounds, form: FormData) -> str:
    """Make the change that a button stands for, and say where on the page the person was."""
    verb, _, rest = button.partition(" ")
    points = content.points
    if verb == "quote":
        for evidence in _selected(rest, grounds):
            id = _free(points)
            points.append(_point(id, evidence.quote, [evidence], [evidence.message], []))
            content.set_aside = [m for m in content.set_aside if m != evidence.message]
            return f"point-{id}"
    if verb == "ask":
        content.question += [e for e in _selected(rest, grounds) if e not in content.question]
        return "question"
    if verb == "take" and rest.isdecimal():
        return _take(int(rest), _text(form, f"side.{rest}"), content, grounds)
    id, _, cited = rest.partition(" ")
    at = next((n for n, point in enumerate(points) if point.id == id), None)
    if at is None:
        return ""
    point = points[at]
    if verb in {"cite", "differ"}:
        for evidence in _selected(cited, grounds):
            point.evidence = list({e.id: e for e in [*point.evidence, evidence]}.values())
            _side(point, evidence.message, verb == "cite")
            content.set_aside = [m for m in content.set_aside if m != evidence.message]
    elif verb == "word" and point.suggestion:  # a model's wording becomes the coordinator's own, or nobody's
        point.label, point.own, point.suggestion = point.suggestion, True, ""
    elif verb == "up" and at > 0:
        points.insert(at - 1, points.pop(at))
    elif verb == "down" and at + 1 < len(points):
        points.insert(at + 1, points.pop(at))
    elif verb == "remove":
        points.pop(at)
        return f"point-{points[min(at, len(points) - 1)].id}" if points else "collation"
    elif verb == "join" and at > 0:
        above = points[at - 1]
        points[at - 1 : at + 1] = [_joined(above, point)]
        return f"point-{above.id}"
    elif verb == "split" and len(point.evidence) > 1:
        for evidence in [e for e in point.evidence if e.id == cited]:
            rest_of_it = [e for e in point.evidence if e is not evidence]
            stays = [m for m in point.supporters if m != evidence.message or m in {e.message for e in rest_of_it}]
            apart = _point(_free(points), evidence.quote, [evidence], [evidence.message], [])
            points[at] = _point(point.id, point.label, rest_of_it, stays, point.opposers)
            points[at].answers = apart.answers = point.answers
            points.insert(at + 1, apart)
    return f"point-{id}"


def _take(message: int, side: str, content: Content, grounds: Grounds) -> str:
    """Say of a whole reply what it is for: "for ID" or "against ID" of a point, or "aside"."""
    stance, _, id = side.partition(" ")
    if message not in grounds or stance not in {"for", "against", "aside"}:
        return f"message-{message}"
    if stance == "aside":
        content.set_aside = list(dict.fromkeys([*content.set_aside, message]))
    for point in content.points:
        if stance == "aside":
            point.supporters = [m for m in point.supporters if m != message]
            point.opposers = [m for m in point.opposers if m != message]
        elif point.id == id:
            _side(point, message, stance == "for")
            content.set_aside = [m for m in content.set_aside if m != message]
    return f"message-{message}"


def _side(point: Point, message: int, supports: bool) -> None:
    """Somebody stands on one side of a point and not on the other."""
    stays, leaves = (point.supporters, point.opposers) if supports else (point.opposers, point.supporters)
    if message not in stays:
        stays.append(message)
    leaves[:] = [m for m in leaves if m != message]


def _selected(span: str, grounds: Grounds) -> list[Evidence]:
    """Words somebody selected, without the space around them and out to whole words; none for a span of nothing."""
    found = []
    for cited in _cited([span], grounds):
        text, start, end = grounds[cited.message].text, cited.start, min(cited.end, len(grounds[cited.message].text))
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start == end:
            continue
        inside = [(s, e) for s, e in new_spans(list(grounds[cited.message].segments)) if s <= start < end <= e]
        least, most = inside[0] if inside else (start, end)
        while start > least and text[start - 1].isalnum() and text[start].isalnum():
            start -= 1
        while end < most and text[end - 1].isalnum() and text[end].isalnum():
            end += 1
        found.append(_evidence(cited.message, start, end, grounds))
    return found


def _point(id: str, label: str, evidence: list[Evidence], supporters: list[int], opposers: list[int]) -> Point:
    """A point whose line is the coordinator's own unless it stands in a quote."""
    own = not any(_plain(label) in _plain(e.quote) for e in evidence)
    return Point(id=id, label=label, own=own, supporters=supporters, opposers=opposers, evidence=evidence)


def _joined(above: Point, point: Point) -> Point:
    cited = {e.id: e for e in above.evidence + point.evidence}
    joined = _point(
        above.id,
        above.label,
        list(cited.values()),
        list(dict.fromkeys(above.supporters + point.supporters)),
        list(dict.fromkeys(above.opposers + point.opposers)),
    )
    joined.answers = above.answers or point.answers
    return joined


def _cited(spans: Sequence[str], grounds: Grounds) -> list[Evidence]:
    """Spans named in the form, with the words that stand there now; what cannot be one is left out."""
    found = {}
    for span in spans:
        numbers = span.split(":")
        if len(numbers) == 3 and all(n.isdecimal() and len(n) < 10 for n in numbers):
            message, start, end = map(int, numbers)
            if message in grounds and start < end:
                found[span] = _evidence(message, start, end, grounds)
    return list(found.values())


def _evidence(message: int, start: int, end: int, grounds: Grounds) -> Evidence:
    ground = grounds[message]
    return Evidence(message=message, start=start, end=end, quote=mask(ground.text, ground.masks, start, end))


def _free(points: Sequence[Point]) -> str:
    """An id that no point has."""
    taken = {p.id for p in points}
    return next(id for n in range(1, len(points) + 2) if (id := f"c{n}") not in taken)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def _texts(form: FormData, name: str) -> list[str]:
    return list(dict.fromkeys(v for v in form.getlist(name) if isinstance(v, str)))


def _numbers(form: FormData, name: str) -> list[int]:
    return [int(v) for v in _texts(form, name) if v.isdecimal() and len(v) < 10]
