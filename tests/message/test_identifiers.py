"""The gate against labelled prose: `identifiers/*.txt`, invented people, read by `bench.identifiers`."""

from pathlib import Path

import pytest

from bench.identifiers import SET, cases, score


def test_patient_identifiers_are_found_and_what_only_looks_like_them_is_left_alone() -> None:
    result = score([case for path in sorted(SET.glob("*.txt")) for case in cases(path)])
    assert result.wanted.total() >= 200
    assert result.recall >= 0.97, result.missed
    assert result.precision >= 0.95, result.wrong


@pytest.mark.parametrize("path", sorted(SET.glob("*.txt")), ids=lambda path: path.stem)
def test_no_type_of_identifier_is_left_behind(path: Path) -> None:
    result = score(cases(path))
    assert {kind: result.found[kind] / wanted for kind, wanted in result.wanted.items() if wanted} == {
        kind: pytest.approx(1, abs=0.15) for kind in result.wanted
    }
