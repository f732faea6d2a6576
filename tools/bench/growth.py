"""How the time of training grows: with line width, classes, hidden size, batch, number of lines.

    .venv/bin/python tools/bench/growth.py [--sweeps width classes hidden batch lines]
        [--plot docs/images/growth.svg] [--seconds 2] [--quick]

The first four time a line in the bare update (recipe fast, random pictures, median of many
updates after the one that compiles). The last makes data sets of 100 to a million lines out of
the demonstration data, 100 lines a file, and times what grows with them: making the index, finding
it again in the next run, and planning and loading batches. More than some hundred files are hard
links to the first, each of which is read like a file of its own. Prints a markdown table for each
curve with the exponent of the power law that fits it best, and draws all of them.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

from growth_plot import Curve, save_svg, table

from lstmjax.cli.large_pages import use_large_pages

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
NET_SPEC = "[1,36,0,1 Ct3,3,16 Mp3,3 Lfys48 Lfx96 Lrx96 Lfx{hidden} O1c{classes}]"
QUICK_SPEC = "[1,8,0,1 Lfx{hidden} O1c{classes}]"
USUAL = {"width": 303, "classes": 111, "hidden": 256, "batch": 8}
SWEEPS = {
    "width": (150, 300, 600, 1200, 2400),
    "classes": (100, 400, 1600, 6400),
    "hidden": (64, 128, 256, 512),
    "batch": (1, 2, 4, 8, 16, 32),
    "lines": (100, 1_000, 10_000, 100_000, 1_000_000),
}
QUICK = {"width": (32, 64), "classes": (20, 40), "hidden": (8, 16), "batch": (1, 2)}
QUICK |= {"lines": (100, 1_000)}
NAMES = {
    "width": "width of the line, pixels",
    "classes": "classes",
    "hidden": "states of the last layer",
    "batch": "lines of a batch",
}
LINES_PER_FILE = 100
DISTINCT_FILES = 200
PIXELS_PER_LABEL = 14


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/growth.py", description=__doc__)
    parser.add_argument("--sweeps", nargs="+", choices=sorted(SWEEPS), default=tuple(SWEEPS))
    parser.add_argument("--plot", type=Path, help="where to write the drawing, an SVG")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to time each point")
    parser.add_argument("--quick", action="store_true", help="tiny networks and data, as a test")
    return parser.parse_args(argv)


# -- the update ---------------------------------------------------------------------------------


def seconds_per_line(net_spec: str, width: int, classes: int, batch: int, seconds: float) -> float:
    """Median seconds of an update over its number of lines.

    Args:
      net_spec: network with a fixed height.
      width: width of each line in pixels.
      classes: number of outputs; the last is the null.
      batch: lines in an update.
      seconds: time to go on; at least five updates are made.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from lstmjax.devices import choose_devices, replicated
    from lstmjax.netspec import parse
    from lstmjax.nn.build import build
    from lstmjax.training.config import TrainConfig
    from lstmjax.training.fast.optim import make_optimizer
    from lstmjax.training.fast.step import Controls
    from lstmjax.training.fast.update import make_update
    from lstmjax.training.state import TrainState

    root = parse.parse(net_spec, classes).root
    devices = choose_devices(batch)
    config = TrainConfig(batch=batch)
    params = build(root).init(jax.random.key(0))
    opt_state = make_optimizer(config).init(params)
    state = jax.device_put(TrainState(params, opt_state), replicated(devices))
    step = make_update(root, config, classes - 1, devices)
    random = np.random.default_rng(0)
    height = int(net_spec.split(",")[1])
    labels = max(width // PIXELS_PER_LABEL, 1)
    lines = (
        random.uniform(-1, 1, (height, width, batch, 1)).astype(np.float32),
        np.full(batch, width, np.int32),
        random.integers(0, classes - 1, (batch, labels)).astype(np.int32),
        np.full(batch, labels, np.int32),
        np.ones(batch, np.float32),
    )
    controls = Controls(jnp.float32(1e-3), jnp.asarray(False), np.uint32(1))
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < 6 or time.perf_counter() - begin < seconds:
        started = time.perf_counter()
        state, result = step(state, *lines, controls)
        jax.block_until_ready((state, result.loss))
        taken.append(time.perf_counter() - started)
        if len(taken) == 1:  # that one compiled
            begin = time.perf_counter()
    return statistics.median(taken[1:]) / batch


def update_curve(sweep: str, values: Sequence[int], spec: str, seconds: float) -> Curve:
    """Milliseconds of a line along one setting; the others stay as usual."""
    points = []
    for value in values:
        at = {**USUAL, sweep: value}
        net_spec = spec.format(hidden=at["hidden"], classes=at["classes"])
        taken = seconds_per_line(net_spec, at["width"], at["classes"], at["batch"], seconds)
        points.append((value, 1000 * taken))
        print(f"{sweep} {value}: {1000 * taken:.3f} ms a line", file=sys.stderr, flush=True)
    return Curve(f"Update and {sweep}", NAMES[sweep], "ms a line", points)


# -- the data -----------------------------------------------------------------------------------


def make_documents(folder: Path, lines: int) -> list[str]:
    """Write so many lines into files of a hundred, with the lines of the demonstration data."""
    from lstmjax.data.listing import read_list
    from lstmjax.formats import lstmf

    paths = read_list(EXAMPLES / "train.list")
    pages = cycle([page for path in paths for page in lstmf.load(path)])
    folder.mkdir()
    made: list[str] = []
    for i in range(-(-lines // LINES_PER_FILE)):
        path = folder / f"{i:05d}.lstmf"
        if i < DISTINCT_FILES:
            lstmf.save(tuple(islice(pages, LINES_PER_FILE)), path)
            hour_ago = time.time() - 3600
            os.utime(path, (hour_ago, hour_ago))
        else:
            os.link(made[i % DISTINCT_FILES], path)
        made.append(str(path))
    return made


def timed(make: Callable[[], object]) -> float:
    """Seconds of a call."""
    begin = time.perf_counter()
    make()
    return time.perf_counter() - begin


def loading(paths: Sequence[str], seconds: float) -> tuple[float, float]:
    """Seconds until the first batch is there, and per line after that, without an image kept."""
    from lstmjax.charset.codec import Codec
    from lstmjax.data.image import InputShape
    from lstmjax.data.lines import build_index
    from lstmjax.data.order import Shuffled
    from lstmjax.data.skips import Geometry
    from lstmjax.data.store import ImageStore
    from lstmjax.data.stream import LineStream, Position, StreamSettings
    from lstmjax.formats import traineddata

    codec = Codec.from_traineddata(traineddata.load(EXAMPLES / "demo.traineddata"))
    shape = InputShape(36, 0, 1)
    begin = time.perf_counter()
    index = build_index(paths)
    stream = LineStream(
        index, ImageStore(index, shape, 0), codec, Geometry(shape, 3, lambda width: width // 3),
        Shuffled(0), StreamSettings(8, 16, 0, 0), lambda *_: None, multiple=3,
    )  # fmt: skip
    plans = stream.plans(Position())
    stream.load(next(plans))
    first = time.perf_counter() - begin
    begin, lines = time.perf_counter(), 0
    for plan in plans:
        lines += len(stream.load(plan).plan.numbers)
        if time.perf_counter() - begin > seconds:
            break
    return first, (time.perf_counter() - begin) / lines


def data_curves(sizes: Sequence[int], seconds: float) -> Iterator[Curve]:
    """What grows with the number of lines."""
    from lstmjax.data import index_cache, lines

    index_cache._SETTLED_NS = -(10**15)  # type: ignore[misc]  # links are as new as this run
    lines._WORTH_CACHING = 0.0  # type: ignore[misc]
    scan, again, start, load = [], [], [], []
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            os.environ["XDG_CACHE_HOME"] = str(Path(scratch, "cache"))
            paths = make_documents(Path(scratch, "data"), size)
            scan.append((size, timed(lambda paths=paths: lines.build_index(paths))))
            again.append((size, timed(lambda paths=paths: lines.build_index(paths))))
            first, each = loading(paths, seconds)
            start.append((size, first))
            load.append((size, 1000 * each))
        print(f"{size} lines: index {scan[-1][1]:.3f} s, again {again[-1][1]:.3f} s, "
              f"first batch {first:.3f} s, {1000 * each:.3f} ms a line",
              file=sys.stderr, flush=True)  # fmt: skip
    what = "lines of data"
    yield Curve("First index", what, "s", scan)
    yield Curve("Index of the next run", what, "s", again)
    yield Curve("First batch of the next run", what, "s", start)
    yield Curve("Loading without a cache of images", what, "ms a line", load)


def main() -> None:
    arguments = parse_arguments()
    use_large_pages(*sys.argv)  # as the command does
    sweeps = QUICK if arguments.quick else SWEEPS
    spec = QUICK_SPEC if arguments.quick else NET_SPEC
    if arguments.quick:
        USUAL.update(width=32, classes=20, hidden=8, batch=2)
    seconds = min(arguments.seconds, 0.1) if arguments.quick else arguments.seconds
    updates = [sweep for sweep in SWEEPS if sweep in arguments.sweeps and sweep != "lines"]
    curves: list[Curve] = []
    if updates:
        from lstmjax.cache.programs import keep_programs
        from lstmjax.devices import expose_cores_as_devices

        expose_cores_as_devices()
        keep_programs()
        curves += [update_curve(sweep, sweeps[sweep], spec, seconds) for sweep in updates]
    if "lines" in arguments.sweeps:
        curves += data_curves(sweeps["lines"], seconds)
    print("\n\n".join(map(table, curves)))
    if arguments.plot:
        save_svg(curves, arguments.plot)


if __name__ == "__main__":
    main()
