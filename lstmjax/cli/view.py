"""Show runs in a browser, live or afterwards."""

import signal
import sys

from absl import flags

from lstmjax.cli.flags import parse
from lstmjax.errors import UsageError


def _define(values: flags.FlagValues) -> None:
    flags.DEFINE_string(
        "host", "127.0.0.1", "Address to listen on; warns if other machines can reach it",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer(
        "port", 0, "Port to listen on; 0: the first free one from 8624 on", 0, 65535,
        flag_values=values,
    )  # fmt: skip


def main(argv: list[str]) -> int:
    """Run the tool.

    Args:
      argv: the arguments after the tool's name.
    Returns: the exit status.
    """
    values, rest = parse("view", _define, argv)
    for argument in rest:
        if argument.startswith("-"):
            raise UsageError(f"flags such as {argument} come before the runs")
    if not rest:
        raise UsageError(
            "which run? Name the --model_output of one or more runs, or the folder they are in"
        )
    return _serve(rest, values.host, values.port)


def _serve(names: list[str], host: str, port: int) -> int:
    import asyncio

    from lstmjax.view.files import find_runs
    from lstmjax.view.server import Site, listen, named, warning
    from lstmjax.view.settings import ServerSettings

    runs = named([run for name in names for run in find_runs(name)])
    settings = ServerSettings(host, port)

    async def serve() -> None:
        served = listen(Site(runs, settings))
        for text in filter(None, (warning(settings), f"{served.url} shows:")):
            print(text, file=sys.stderr)
        for name, _ in runs:
            print(f"  {name}", file=sys.stderr)
        print("Ctrl-C ends it.", file=sys.stderr, flush=True)
        await asyncio.Event().wait()

    # A shell that starts a program in the background may make it ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asyncio.run(serve())
    return 0
