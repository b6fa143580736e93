"""How a whole reply stands where it does not say so in so many words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.train_leaning import DATA, WEIGHTS, fingerprint, fitted, read
from digest.collation.leaning import SIDES, features, leaning
from digest.collation.stance import stance
from digest.nouns import Stance


@pytest.mark.parametrize(
    ("new", "side", "cue"),
    [
        ("Ours has run like that since May and the complaints have dried up.", Stance.AGREE, "the complaints"),
        ("Hi Beth\n\nMade a big difference to our waits.", Stance.AGREE, "Made a big difference"),
        ("We lost two people that way and put it back to how it was.", Stance.DISAGREE, "We lost two people"),
        ("I worry that it will fall to the GP again.", Stance.DISAGREE, "I worry"),
        ("There are 14 practices and each sends about 20 a month to the hub in Ely.", Stance.INFO, ""),
        ("We use the national form and send it by e-mail.", Stance.INFO, ""),
        ("Could you say who reads the films?", Stance.NONE, ""),
    ],
)
def test_a_reply_leans_one_way_by_what_it_tells(new: str, side: Stance, cue: str) -> None:
    leans, shown = leaning(new)
    assert leans is side
    assert cue in shown
    assert shown in new


def test_what_a_reply_says_outright_counts_before_what_it_leans_to() -> None:
    new = "I disagree. Ours has run like that since May and the complaints have dried up."
    assert leaning(new) == stance(new) == (Stance.DISAGREE, "I disagree")


@given(st.text(alphabet="We stoped it. No? I’d 20%\n", max_size=200), st.booleans())
def test_the_words_shown_are_the_replys_own(new: str, proposed: bool) -> None:
    side, shown = leaning(new, proposed)
    assert shown in new
    assert bool(shown) == (side in (Stance.AGREE, Stance.DISAGREE, Stance.MIXED))


def test_the_weights_are_those_of_the_data_beside_the_script() -> None:
    stored = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    data = DATA.read_text(encoding="utf-8")
    assert stored["data"]["sha256"] == fingerprint(data), "Run python -m bench.train_leaning."


def test_names_and_numbers_weigh_nothing() -> None:
    mary, gwen = features("Ask Mary, 40 of ours did."), features("Ask Gwen, 75 of ours did.")
    assert set(mary) == set(gwen)


def test_weights_are_fitted_to_what_the_labels_say() -> None:
    replies = read("? Shall we?\nagree\tlovely\nagree\tlovely\ndisagree\tdreadful\ndisagree\tdreadful\n")
    weights = fitted([{reply.text: 1.0} for reply in replies], [reply.side for reply in replies])
    best = {name: SIDES[max(range(len(SIDES)), key=row.__getitem__)] for name, row in weights.items()}
    assert best == {"lovely": Stance.AGREE, "dreadful": Stance.DISAGREE}
