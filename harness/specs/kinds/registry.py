"""All kinds of target by name; a new one is a file beside this and an entry here."""

from __future__ import annotations

from harness.specs.kinds.calibration import CALIBRATION
from harness.specs.kinds.comparison import COMPARISON
from harness.specs.kinds.confirmation import CONFIRMATION
from harness.specs.kinds.cost import COST
from harness.specs.kinds.curve import CURVE
from harness.specs.kinds.distributions import DISTRIBUTIONS
from harness.specs.kinds.kind import Kind
from harness.specs.kinds.ranks import RANKS
from harness.specs.kinds.readings import READINGS
from harness.specs.kinds.statistics import STATISTICS
from harness.specs.kinds.sweep import SWEEP

KINDS: dict[str, Kind] = {
    "comparison": COMPARISON,
    "confirmation": CONFIRMATION,
    "readings": READINGS,
    "calibration": CALIBRATION,
    "statistics": STATISTICS,
    "sweep": SWEEP,
    "cost": COST,
    "curve": CURVE,
    "ranks": RANKS,
    "distributions": DISTRIBUTIONS,
}
"""Kind of a target -> what it consists of."""
