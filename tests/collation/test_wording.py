"""What is sent to a language model, and what of its answer may stand."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collation.draft import draft
from digest.collation.wording import Ask, ask, suggestions, unborne
from tests.collation.threads import BETH, SAM, asks, says

RINGS = says(2, SAM, "Beth Frame’s idea works. Our receptionist rings everybody on day ten, but not on Fridays.")
LETTER = says(3, BETH, "We send 40 letters after six weeks, only if the practice has not rung Mr Ada Person by then.")
AT = LETTER.text.index("Ada Person")
MASKED = replace(LETTER, masks={(AT, AT + 10): "patient_name"})
THREAD = [asks("Sam, who rings people about a missed test?"), RINGS, MASKED]
CONTENT = draft(THREAD)


def asked() -> Ask:
    found = ask(THREAD, CONTENT, [SAM, BETH, "Dr Will Grace"])
    assert found is not None
    return found


def answer(point: str, text: str, *cites: tuple[str, str]) -> str:
    quotes = [{"id": number, "quote": quote} for number, quote in cites]
    return json.dumps({"clauses": [{"point": point, "text": text, "cites": quotes}]})


def number_of(words: str) -> tuple[str, str]:
    """A sent sentence's number, and the point's under which it was sent."""
    sent = json.loads(asked().payload)
    return next((s["id"], p["id"]) for p in sent["points"] for s in p["sentences"] if words in s["text"])


def test_names_and_identifiers_do_not_leave_the_machine() -> None:
    sent = asked().payload
    assert not any(name in sent for name in ("Beth", "Frame", "Sam", "Ada", "Osei"))
    assert "[patient’s name removed]" in sent
    assert "Person 1, who rings" in sent


def test_a_word_that_is_also_a_name_stays_where_it_is_no_name() -> None:
    found = ask([asks("What will Will do?"), RINGS], draft([asks("What will Will do?"), RINGS]), ["Dr Will Grace"])
    assert found is not None
    assert "What will Person 1 do?" in found.payload


def test_a_clause_that_stands_in_what_it_cites_becomes_a_suggestion_for_its_point() -> None:
    sentence, point = number_of("receptionist")
    said = answer(point, "Reception rings everybody, but not on Fridays", (sentence, "rings everybody on day ten"))
    kept, dropped = suggestions(said, asked())
    assert (list(kept.values()), dropped) == (["Reception rings everybody, but not on Fridays"], [])
    assert next(iter(kept)) in {p.id for p in CONTENT.points}
    assert suggestions(f"```json\n{said}\n```", asked())[0] == kept


@pytest.mark.parametrize(
    ("text", "quote", "why"),
    [
        ("Reception rings everybody", "rings everybody on day ten", "negation"),
        ("Reception never rings and not on Fridays", "on day ten", "negation"),
        ("Reception rings on day nine, not on Fridays", "on day ten", "number"),
        ("Reception rings all on day ten, not Fridays", "on day ten", "number"),
        ("Reception gives aspirin, not on Fridays", "on day ten", "drug"),
        ("Reception gives rivaroxaban, not on Fridays", "on day ten", "drug"),
        ("Reception rings from Leeds, not on Fridays", "on day ten", "name"),
        ("Person 2 rings, not on Fridays", "on day ten", "person"),
        ("Reception rings, not on Fridays, unless asked", "on day ten", "condition"),
        ("Reception rings, not on Fridays", "rings everyone", "verbatim"),
        ("Reception rings, not on Fridays: https://example.org", "on day ten", "more than words"),
        ("<b>Reception rings</b>, not on Fridays", "on day ten", "more than words"),
        ("not " * 200, "on day ten", "too long"),
        ("", "on day ten", "too long"),
    ],
)
def test_a_clause_that_lies_is_dropped(text: str, quote: str, why: str) -> None:
    sentence, point = number_of("receptionist")
    kept, (dropped,) = suggestions(answer(point, text, (sentence, quote)), asked())
    assert kept == {}
    assert why in dropped


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Certainly! Here you are.",
        "[]",
        "{}",
        '{"clauses": {}}',
        '{"clauses": [1, null, "x", {"point": 1}]}',
        '{"clauses": [{"point": "p1", "text": "x", "cites": [{"id": "s99", "quote": "x"}]}]}',
        '{"clauses": [{"point": "p99", "text": "x", "cites": [{"id": "s1", "quote": "x"}]}]}',
        '{"clauses": [{"point": "p1", "text": "x", "cites": []}]}',
        '{"clauses": [{"point": "p1", "text": 3, "cites": [{"id": "s1", "quote": ["x"]}]}]}',
        "[" * 100_000,
    ],
)
def test_rubbish_gives_no_suggestion(said: str) -> None:
    kept, dropped = suggestions(said, asked())
    assert kept == {}
    assert dropped or said in ("",)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["clauses", "point", "text", "cites", "id", "quote"]), inner)
        ),
        max_leaves=12,
    )
)
def test_no_answer_makes_it_raise(said: object) -> None:
    assert suggestions(json.dumps(said), asked())[0] == {}


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("6 weeks later a letter goes out", "A letter goes out six weeks later."),
        ("It can’t be repeated", "It can't be repeated."),
        ("Only if FIT is negative", "We do it only if FIT is negative."),
    ],
)
def test_another_spelling_of_the_same_is_borne_out(text: str, ground: str) -> None:
    assert unborne(text, ground) == ""


@pytest.mark.parametrize(
    ("text", "ground", "why"),
    [
        ("Returns fell from 7 to 18", "Returns fell from 18 to 7.", "places"),
        ("We give 50 to people over 40", "We give 40 to people over 50.", "places"),
        ("Do not refer; the X-ray is repeated", "Refer; the X-ray is not repeated.", "moved"),
        ("They never ring but send letters", "They ring but never send letters.", "moved"),
        ("Refer only if FIT is positive", "Refer only if FIT is not positive.", "left out"),
    ],
)
def test_what_turns_its_ground_round_is_dropped(text: str, ground: str, why: str) -> None:
    assert why in unborne(text, ground)


def test_nothing_is_asked_about_what_a_person_wrote_or_what_was_worded_already() -> None:
    own = CONTENT.model_copy(update={"points": [p.model_copy(update={"own": True}) for p in CONTENT.points]})
    worded = CONTENT.model_copy(update={"points": [p.model_copy(update={"suggestion": "x"}) for p in CONTENT.points]})
    assert ask(THREAD, own, []) is None
    assert ask(THREAD, worded, []) is None
