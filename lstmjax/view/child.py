"""The server of `--view`, started by a training: settings and news come on stdin, clicks go out.

In: a line with run, host and port; then lines {"waiting": iteration or null}. Out: {"url": ...} or
{"error": ...}; then {"next": "one" or "all"} for each click. It ends with its input.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from lstmjax.errors import LstmjaxError
from lstmjax.view.files import RunFiles
from lstmjax.view.server import Control, Site, listen, named
from lstmjax.view.settings import ServerSettings


def _tell(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


async def serve() -> None:
    """Answer until the training has ended."""
    loop = asyncio.get_running_loop()
    news = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(news), sys.stdin)
    asked = json.loads(await news.readline())
    settings = ServerSettings(asked["host"], asked["port"])
    control = Control(go_on=lambda how: _tell({"next": how}))
    try:
        served = listen(Site(named([RunFiles(Path(asked["run"]))]), settings, control))
    except LstmjaxError as err:
        _tell({"error": str(err)})
        return
    _tell({"url": served.url})
    while line := await news.readline():
        control.waiting = json.loads(line).get("waiting")
    await served.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training
    asyncio.run(serve())
