"""A small network on the lines that the repository carries, quick enough for tests."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
NET_SPEC = "[1,12,0,1 Ct3,3,4 Mp3,2 Lfys8 Lfx12 O1c1]"


def flags(output, *extra, iterations=200, train_list=EXAMPLES / "train.list"):
    """Arguments of a training run that takes seconds."""
    return [
        "lstmtraining", "--traineddata", EXAMPLES / "demo.traineddata", "--net_spec", NET_SPEC,
        "--model_output", output, "--train_listfile", train_list, "--learning_rate", "0.005",
        "--max_iterations", iterations, *extra,
    ]  # fmt: skip
