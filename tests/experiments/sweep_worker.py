"""A worker process for tests: space file, study, number of places."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "experiments"))

from sweeps.space import load_space  # noqa: E402
from sweeps.study import open_study  # noqa: E402
from sweeps.worker import Job, work  # noqa: E402


def job(space_path, where, count, grace=60.0):
    space = load_space(space_path)
    study = open_study(where, space)
    return Job(study, space, count, f"{where}.runs", str(HERE / "stub_training.py"), grace)


if __name__ == "__main__":
    space_path, where, count = sys.argv[1:]
    work(job(space_path, where, int(count)))
