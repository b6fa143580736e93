"""How a reply stands, and the words that show it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collation.stance import stance
from digest.nouns import Stance


@pytest.mark.parametrize(
    ("new", "side", "cue"),
    [
        ("Agree with Beth, we do the same.", Stance.AGREE, "Agree with"),
        ("I completely agree that texts work.", Stance.AGREE, "I completely agree that"),
        ("+1", Stance.AGREE, "+1"),
        ("Same here.", Stance.AGREE, "Same here"),
        ("Exactly what Beth said.", Stance.AGREE, "Exactly what Beth said"),
        ("Yes. We have had it since spring.", Stance.AGREE, "Yes"),
        ("I couldn’t agree more.", Stance.AGREE, "couldn’t agree more"),
        ("I’m afraid I disagree.", Stance.DISAGREE, "I’m afraid I disagree"),
        ("No, that is for the hospital.", Stance.DISAGREE, "No"),
        ("Not convinced by letters.", Stance.DISAGREE, "Not convinced"),
        ("I would never ask for that.", Stance.DISAGREE, "I would never"),
        ("Agree with Beth, and I would not wait for the trust.", Stance.AGREE, "Agree with"),
        ("Agree on texts. But I’m not convinced by calls.", Stance.MIXED, "not convinced"),
        ("Works well if somebody owns it.", Stance.MIXED, "Works well if"),
        ("It depends on the practice.", Stance.MIXED, "It depends on"),
        ("Fine by us provided that hard lumps go straight in.", Stance.MIXED, "provided"),
        ("A half-way house.", Stance.MIXED, "half-way house"),
        ("I wouldn’t go back.", Stance.AGREE, "I wouldn’t go back"),
        ("Hi Beth\n\nNo. We stopped it.", Stance.DISAGREE, "No"),
        ("Hi Beth, in line:\n\nYes, since May.", Stance.AGREE, "Yes"),
        ("We do, since 2023, and ENT asked for it.", Stance.AGREE, "We do"),
        ("Completely with Beth about that.", Stance.AGREE, "Completely with Beth"),
        ("Beth is right.", Stance.AGREE, "Beth is right"),
        ("I’d back Beth here.", Stance.AGREE, "I’d back Beth"),
        ("Strongly against, sorry.", Stance.DISAGREE, "Strongly against"),
        ("Not by text, please.", Stance.DISAGREE, "Not by text, please."),
        ("The checklist says what was said.", Stance.INFO, ""),
        ("We agreed a form with urology last year.", Stance.INFO, ""),
        ("The network has support, exactly nine sites; however, it costs.", Stance.INFO, ""),
        ("Our rate went up by 11 points.", Stance.INFO, ""),
        ("Thanks all, very helpful", Stance.NONE, ""),
        ("Many thanks. Could you send me the form?", Stance.NONE, ""),
        ("", Stance.NONE, ""),
    ],
)
def test_a_stance_has_its_cue(new: str, side: Stance, cue: str) -> None:
    assert stance(new) == (side, cue)


def test_a_number_with_a_plus_is_no_agreement() -> None:
    assert stance("Ages 50+ 10 of them, and a ratio of 3+1.")[0] is Stance.INFO


@given(st.text(st.sampled_from("I agree dis’not. yes,no\n+1?but only if we "), max_size=80))
def test_a_cue_stands_verbatim_in_the_text(new: str) -> None:
    side, cue = stance(new)
    assert cue in new
    assert bool(cue) == (side in (Stance.AGREE, Stance.DISAGREE, Stance.MIXED))
