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
        ("I’m afraid I disagree.", Stance.DISAGREE, "I disagree"),
        ("No, that is for the hospital.", Stance.DISAGREE, "No"),
        ("Not convinced by letters.", Stance.DISAGREE, "Not convinced"),
        ("I would never ask for that.", Stance.DISAGREE, "I would never ask"),
        ("Agree with Beth, and I would not wait for the trust.", Stance.AGREE, "Agree with"),
        ("Agree on texts. But I’m not convinced by calls.", Stance.MIXED, "I’m not convinced"),
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
        ("Not by text, please.", Stance.DISAGREE, "Not by text, please"),
        ("Count our network in.", Stance.AGREE, "Count our network in"),
        ("Wholeheartedly. Returns doubled.", Stance.AGREE, "Wholeheartedly"),
        ("Beth’s point is a good one.", Stance.AGREE, "Beth’s point is a good one"),
        ("I can’t think of a reason not to.", Stance.AGREE, "can’t think of a reason not"),
        ("We find the same in Kent.", Stance.AGREE, "We find the same"),
        ("I’d be wary of that.", Stance.DISAGREE, "I’d be wary"),
        ("I’m really not keen. It turns a duty into a transaction.", Stance.DISAGREE, "I’m really not keen"),
        ("We tried it for a year and stopped.", Stance.DISAGREE, "tried it for a year and stopped"),
        ("That hasn’t been our experience.", Stance.DISAGREE, "hasn’t been our experience"),
        ("I was of Beth’s view until I saw the figures.", Stance.AGREE, "was of Beth’s view until"),
        ("Not unreasonable at all.", Stance.AGREE, "Not unreasonable at all"),
        ("I can’t see the harm.", Stance.AGREE, "I can’t see the harm"),
        ("I’d stop short of that.", Stance.DISAGREE, "stop short of"),
        ("Would I do it again? No. Two cancers in a year.", Stance.DISAGREE, "No"),
        ("Agree with Beth about results. But I would still try it.", Stance.MIXED, "But"),
        (
            "I don’t think that I could support it, although I like the leaflet.",
            Stance.DISAGREE,
            "I don’t think that I",
        ),
        ("Short answer, no.", Stance.DISAGREE, "Short answer, no"),
        ("It doesn’t worry me.", Stance.INFO, ""),
        ("Against it, unless somebody else owns the results.", Stance.DISAGREE, "Against"),
        ("Only if the hospital acts on it. Then yes.", Stance.MIXED, "Only if"),
        ("In principle, yes.", Stance.MIXED, "In principle"),
        ("Beth is right about the young. Beyond that I would talk first.", Stance.MIXED, "Beyond that"),
        ("The letter, yes. The form with its boxes, no.", Stance.MIXED, "The letter, yes."),
        ("An X-ray is done only if they have a cough.", Stance.INFO, ""),
        ("It depends on the symptom, so ours has three columns.", Stance.MIXED, "It depends on"),
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


@pytest.mark.parametrize(
    ("new", "to_a_proposal", "to_an_open_question"),
    [
        ("Yes, it is for adults.", Stance.AGREE, Stance.INFO),  # somebody's aside was answered
        ("It works well here and I wouldn't go back.", Stance.AGREE, Stance.INFO),
        ("A different approach in Kent: the coder does it.", Stance.DISAGREE, Stance.INFO),
        ("We don't. The portal sends a text.", Stance.DISAGREE, Stance.INFO),
        ("Agree with Beth.", Stance.AGREE, Stance.AGREE),
        ("No. That was tried.", Stance.DISAGREE, Stance.DISAGREE),
    ],
)
def test_what_was_asked_tells_what_an_answer_stands_for(
    new: str, to_a_proposal: Stance, to_an_open_question: Stance
) -> None:
    assert stance(new, proposed=True)[0] is to_a_proposal
    assert stance(new, proposed=False)[0] is to_an_open_question


def test_a_number_with_a_plus_is_no_agreement() -> None:
    assert stance("Ages 50+ 10 of them, and a ratio of 3+1.")[0] is Stance.INFO


@given(st.text(st.sampled_from("I agree dis’not. yes,no\n+1?but only if we "), max_size=80))
def test_a_cue_stands_verbatim_in_the_text(new: str) -> None:
    side, cue = stance(new)
    assert cue in new
    assert bool(cue) == (side in (Stance.AGREE, Stance.DISAGREE, Stance.MIXED))
