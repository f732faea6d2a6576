"""The server process of `--view`, started by a training run.

Both sides write a JSON object a line. stdin: run, host and port, then {"waiting": iteration or
null}. stdout: {"url": ...} or {"error": ...}, then {"next": "one" or "all"} for each click. The
process ends when its stdin is closed.
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
    """Serve until the training run closes the pipe."""
    loop = asyncio.get_running_loop()
    messages = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(messages), sys.stdin)
    asked = json.loads(await messages.readline())
    settings = ServerSettings(asked["host"], asked["port"])
    control = Control(go_on=lambda how: _tell({"next": how}))
    try:
        served = listen(Site(named([RunFiles(Path(asked["run"]))]), settings, control))
    except LstmjaxError as err:
        _tell({"error": str(err)})
        return
    _tell({"url": served.url})
    while line := await messages.readline():  # empty at the end of the pipe
        control.waiting = json.loads(line).get("waiting")
    await served.close()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training
    asyncio.run(serve())
