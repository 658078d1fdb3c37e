"""A store without training."""

from __future__ import annotations

import pytest

from tests.stores import store_at


@pytest.fixture
def store(tmp_path):
    return store_at(tmp_path / "store")
