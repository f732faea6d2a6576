"""Which loops read for a model: those that take several lines at once, or `exact`."""

from lstmjax.infer.forward import Forward
from lstmjax.infer.host_forward import HostForward, LineReader
from lstmjax.infer.model import LoadedModel
from lstmjax.simd.trial import works


def make_forward(model: LoadedModel, *, own_process: bool = False) -> Forward:
    """Prepare a model for reading with Tesseract's arithmetic, on all cores.

    Args:
      model: model to run.
      own_process: whether this process is there for reading alone, so that it may be forked to load
        lines.
    Raises: SpecError: the network does not end in a softmax.
    """
    return HostForward(model, _make_reader(model), _make_reader, own_process)


def _make_reader(model: LoadedModel) -> LineReader:
    # `works` has tried a small operation; without vector instructions `exact` reads.
    if works():
        from lstmjax.infer.host.network import make_host_network

        network = make_host_network(model)
        if network is not None:
            return network
    from lstmjax.infer.exact_reader import make_exact_reader

    return make_exact_reader(model)
