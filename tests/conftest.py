from __future__ import annotations

import pytest

from .place import Place


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Place:
    place = Place(tmp_path_factory.mktemp("made"))
    done = place.reproduce()
    assert done.returncode == 0, done.stderr
    assert "TriSampler" in done.stdout and "41.4" in done.stdout
    return place
