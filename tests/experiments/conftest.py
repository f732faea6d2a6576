"""Makes `experiments/` importable, as it is for its scripts."""

import sys
from pathlib import Path

EXPERIMENTS = str(Path(__file__).parents[2] / "experiments")
if EXPERIMENTS not in sys.path:
    sys.path.insert(0, EXPERIMENTS)
