"""Trials in MLflow: ordinary runs, nested under a parent run for their study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.records.mlflow_mirror import USED_BY, MlflowMirror
from harness.runs.stages import Stages
from harness.targets.mirror import MirroredCommand, mirroring_runs
from harness.tuning.study import FINGERPRINT, OpenStudy

EXPERIMENT = "tuning"
PARENT = "mlflow.parentRunId"


@contextmanager
def mirrored_stages(stages: Stages, studies: Sequence[OpenStudy]) -> Iterator[Stages]:
    """Yield stages that mirror the trials of one tuning's studies to MLflow."""
    tuning = studies[0].tuning
    call = f"tune {tuning.name} --scale {tuning.scale}{tuning.resolved.instead.options}"

    parents: dict[str, str] = {}

    def parent(mirror: MlflowMirror, of: OpenStudy) -> str:
        if of.identity not in parents:
            tags = {
                "mlflow.runName": of.title,
                "tuning": tuning.name,
                "row": of.spec.row,
                "scale": tuning.scale,
            }
            parents[of.identity] = mirror.parent(of.identity, tags)
        return parents[of.identity]

    def tags(mirror: MlflowMirror, fingerprint: str) -> dict[str, str]:
        for of in studies:
            for trial in of.trials():
                if trial.user_attrs.get(FINGERPRINT) == fingerprint:
                    row = of.spec.row
                    return {
                        "mlflow.runName": f"{row}, trial {trial.number}",
                        PARENT: parent(mirror, of),
                        "tuning": tuning.name,
                        "row": row,
                        "scale": tuning.scale,
                        f"{USED_BY}tuning/{tuning.name}": row,
                    }
        return {
            "mlflow.runName": "below trials",
            "scale": tuning.scale,
            f"{USED_BY}tuning/{tuning.name}": "start",
        }

    def folders() -> list[Path]:
        named = [trial.user_attrs.get(FINGERPRINT) for of in studies for trial in of.trials()]
        runs = [stages.store.run(name) for name in dict.fromkeys(named) if name is not None]
        return [folder for folder in runs if (folder / "spec.json").exists()]

    description = MirroredCommand(EXPERIMENT, tags, folders, call, tuning.spec.title, f"harness {call}")
    with mirroring_runs(stages, description) as mirroring:
        yield mirroring
