"""Made-up cells of a specification curve, for its renderers."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sample import COLUMNS, LEVEL, sample_cells

from harness.evaluation.readings import by_value, compare_readings, summarise_readings
from harness.evaluation.score_tables import score_table

FOCUS = {
    "law.transitional": [0.25, 0.5, 1.0],
    "law.first_draw": ["without-replacement", "with-replacement"],
    "law.fill": ["first-law", "uniform"],
    "law.angle": ["off", "eq4", "apex"],
    "law.gap": ["raw", "standardised"],
}
ROWS: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "TriSampler": ("trained", FOCUS),
    "Uniform Sampling": ("trained", {}),
    "SimANS": ("control", {"law.gap": ["raw", "standardised"], "law.a": [0.5, 1.0]}),
}


def readings_of(row: str, values: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """All combinations, named as harness.specs.expansion names them."""
    readings = []
    for chosen in product(*values.values()):
        reading = dict(zip(values, chosen, strict=True))
        text = ", ".join(f"{path.partition('.')[2]} {value}" for path, value in reading.items())
        readings.append({"row": row, "name": f"{row}: {text}" if text else row, "reading": reading})
    return readings


def readings_scores(readings: list[dict[str, Any]], seeds: int, queries: int = 120) -> pd.DataFrame:
    """Scores whose mean depends on the readings a little and on the seed a little less."""
    rng = np.random.default_rng(7)
    hardness, parts = rng.normal(0, 0.2, queries), []
    for of in readings:
        lift = 0.02 * (of["reading"].get("law.transitional", 1) == 0.25) - 0.01 * (of["row"] == "SimANS")
        lift += 0.01 * (of["reading"].get("law.angle") == "apex")
        for seed in range(seeds):
            value = 0.5 + lift + hardness + rng.normal(0, 0.005) + rng.normal(0, 0.05, queries)
            part = {"row": of["name"], "seed": seed, "dataset": "ms-pas", "split": "test"}
            part |= {"measure": "RR(rel=2)@10", "query": [f"q{q:03}" for q in range(queries)]}
            parts.append(pd.DataFrame({**part, "value": value.clip(0, 1)}))
    return pd.concat(parts, ignore_index=True)


def sample_readings(seeds: int = 3, rows: tuple[str, ...] = tuple(ROWS), few: bool = False) -> dict[str, Any]:
    """Cells as `harness reproduce` writes them; `few` keeps two paths of the focus."""
    chosen = {row: ROWS[row] for row in rows}
    if few:
        chosen["TriSampler"] = ("trained", {path: FOCUS[path] for path in ("law.angle", "law.gap")})
    readings = [of for row, (_, values) in chosen.items() for of in readings_of(row, values)]
    scores, column = readings_scores(readings, seeds), COLUMNS[0] | {"published": False}
    for reading in readings:
        per_seed = score_table(scores, reading["name"], column).mean(axis=1)
        reading |= {"mean": float(per_seed.mean()), "per_seed": [float(value) for value in per_seed]}
        reading |= {"kind": ROWS[reading["row"]][0], "recipe": "continue-contrastive", "sampler": "s"}
        reading |= {"summary": f"What {reading['row']} does.", "fingerprints": []}
    paths = list(dict.fromkeys(path for reading in readings for path in reading["reading"]))
    pairs = compare_readings(scores, column, readings, focus="TriSampler", level=LEVEL)
    about = sample_cells(seeds, simulation=True)
    for key in ("baseline", "rows", "smallest_difference", "verdict_reason", "reproducibility"):
        del about[key]
    return about | {
        "target": "trisampler/table-5-readings",
        "title": "Table 5 over all readings",
        "kind": "readings",
        "columns": [column],
        "focus": "TriSampler",
        "paths": paths,
        "readings": readings,
        "pairs": pairs,
        "summary": summarise_readings(pairs),
        "by_value": by_value(pairs, readings, paths),
    }
