"""Each test of a step has a fresh community."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.steps.world import World, make


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make("", tmp_path)
    yield made
    made.engine.dispose()
