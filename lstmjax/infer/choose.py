"""Which implementation reads for a model: compiled loops on the host where they can, else XLA."""

from lstmjax.cache.programs import keep_programs
from lstmjax.infer.forward import Forward
from lstmjax.infer.model import LoadedModel
from lstmjax.simd.trial import works


def make_forward(model: LoadedModel, *, own_process: bool = False) -> Forward:
    """Prepare a model for reading with Tesseract's arithmetic.

    Networks of the usual kinds run in compiled loops on all cores, others with JAX.

    Args:
      model: what to run.
      own_process: whether this process is there for reading alone. It may then be forked to load
        lines, or JAX, should it be needed, be set up for all of it: one device a core, and a cache
        of compiled code.
    """
    if works():
        from lstmjax.infer.host.network import make_host_forward

        host = make_host_forward(model, own_process=own_process)
        if host is not None:
            return host
    if own_process:
        from lstmjax.devices import expose_cores_as_devices

        keep_programs()
        expose_cores_as_devices()
    from lstmjax.infer.device import make_device_forward

    return make_device_forward(model)
