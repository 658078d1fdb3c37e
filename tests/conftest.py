from __future__ import annotations

import shutil

import pytest
from filelock import FileLock

from harness.reports import drawing
from harness.training.schedule import linear_schedule
from tests.place import TARGET, Place

DRAW = drawing._bytes
BLANK = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" viewBox="0 0 1 1"></svg>\n',
    "png": b"\x89PNG\r\n\x1a\n",
}


@pytest.fixture(scope="session", autouse=True)
def nothing_of_yours():
    """The store, results and MLflow server that you work with are none of the tests' business."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HARNESS_STORE", "HARNESS_RESULTS", "HARNESS_EXPERIMENTS", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def undrawn():
    """Figures are put together, and blank: drawing takes longest of a small table, and has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        blank(patch)
        yield


@pytest.fixture
def undrawn_once(monkeypatch):
    """The same, for one test."""
    blank(monkeypatch)


def blank(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(drawing, "_bytes", lambda figure, kind, metadata: BLANK[kind])


@pytest.fixture(scope="session")
def made(tmp_path_factory, request) -> Place:
    """A small table with one seed; it is made once, and each worker has a copy of its own."""
    alone = not hasattr(request.config, "workerinput")
    shared = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    with FileLock(shared / "made.lock"):
        if not (shared / "made").exists():
            place = Place(tmp_path_factory.mktemp("first"))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(drawing, "_bytes", DRAW)
                done = place.say("reproduce", TARGET, "--scale", "simulation", "--seeds", "1")
            assert done.code == 0, done.err
            assert "TriSampler" in done.out and "41.4" in done.out
            place.copy(shared / "made")
    return Place.at(shared / "made").copy(tmp_path_factory.mktemp("worker") / "made")


@pytest.fixture(scope="session")
def interrupted(made, tmp_path_factory):
    """A store in which a run stopped in its last round."""
    place = made.copy(tmp_path_factory.mktemp("interrupted") / "place")
    for folder in place.runs("continued"):
        shutil.rmtree(folder)

    def stop(step: int, *arguments: object) -> float:
        if step == 25:
            raise KeyboardInterrupt
        return linear_schedule(step, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("harness.training.learner.linear_schedule", stop)
        assert place.call(patch, "reproduce", TARGET, "--scale", "simulation", "--seeds", "1") == 130
    return place
