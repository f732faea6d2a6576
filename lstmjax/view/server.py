"""The pages of runs, read from their files; nothing here changes a run or imports JAX.

Only pages of this server get answers: the Host header must name this machine, so that a foreign
page cannot reach it under a name of its own (DNS rebinding), and Next needs a header that foreign
pages may not send. Every text is put into the page as text, never as HTML.
"""

import errno
import importlib.util
import ipaddress
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import tornado.httpserver
import tornado.web

from lstmjax.errors import UsageError
from lstmjax.training.lock import holder
from lstmjax.view.files import RunFiles, read_object, read_records
from lstmjax.view.settings import ServerSettings

_WEB = Path(__file__).parent / "web"
_WEB_FILES = {"view.js": "text/javascript", "charts.js": "text/javascript", "view.css": "text/css"}
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_FIRST_SAMPLES = 200_000  # bytes of samples.jsonl, from the end, that a new page gets
_LAST_PORT = 65535
_STREAMS = ("metrics", "layers", "samples")


@dataclass
class Control:
    """The connection to a training run that pauses until Next is pressed, if there is one.

    Attributes:
      waiting: iteration at which the run pauses; None while it does not.
      go_on: called with `one` or `all`; None if no training listens.
    """

    waiting: int | None = None
    go_on: Callable[[str], None] | None = None


@dataclass(frozen=True)
class Site:
    """The content and address of a server.

    Attributes:
      runs: runs to show, with their names.
      settings: address of the server.
      control: connection to the training run that started the server.
    """

    runs: tuple[tuple[str, RunFiles], ...]
    settings: ServerSettings
    control: Control = field(default_factory=Control)


def named(runs: list[RunFiles]) -> tuple[tuple[str, RunFiles], ...]:
    """Runs with the shortest names that tell them apart; a run given twice stands once."""
    distinct = list({run.base.absolute(): run for run in runs}.values())
    bases = [run.base.name for run in distinct]
    return tuple(
        (run.base.name if bases.count(run.base.name) == 1 else str(run.base), run)
        for run in distinct
    )


def host_is_ours(header: str, settings: ServerSettings) -> bool:
    """Whether a Host header names this machine: an address, localhost, its name, or --host."""
    name = header.strip().lower()
    # An IPv6 address stands in brackets, with colons of its own; else a colon begins the port.
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    # Foreign names can be made to lead here, addresses cannot.
    try:
        ipaddress.ip_address(name)
    except ValueError:
        local = {"localhost", settings.host.lower()}
        if not settings.is_local:
            local.add(socket.gethostname().lower())
        return name in local
    return True


class _Handler(tornado.web.RequestHandler):
    """Headers, checks and helpers of all answers."""

    @property
    def site(self) -> Site:
        return self.settings["site"]

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-cache")
        self.clear_header("Server")

    def prepare(self) -> None:
        # An answer that is finished here goes to no handler.
        if not host_is_ours(self.request.headers.get("Host", ""), self.site.settings):
            self.send_error(403, reason="Foreign Host header")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}\n")

    def run(self, place: str) -> RunFiles:
        """The run at a place of the list.

        Raises: HTTPError: there is none.
        """
        if int(place) >= len(self.site.runs):
            raise tornado.web.HTTPError(404)
        return self.site.runs[int(place)][1]

    def send_file(self, path: Path, kind: str) -> None:
        """Answer with a file.

        Raises: HTTPError: it is gone.
        """
        try:
            data = path.read_bytes()
        except OSError:
            raise tornado.web.HTTPError(404) from None
        self.set_header("Content-Type", kind)
        self.finish(data)

    def send_json(self, value: Any) -> None:
        """Answer with JSON."""
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(value, allow_nan=False))  # browsers take no NaN


class _Page(_Handler):
    def get(self) -> None:
        self.send_file(_WEB / "index.html", "text/html; charset=utf-8")


class _Static(_Handler):
    def get(self, name: str) -> None:
        if name == "plotly.min.js":
            self.set_header("Cache-Control", "max-age=86400")
            self.send_file(plotly_script(), "text/javascript")
        elif name in _WEB_FILES:
            self.send_file(_WEB / name, f"{_WEB_FILES[name]}; charset=utf-8")
        else:
            raise tornado.web.HTTPError(404)


class _Runs(_Handler):
    """All runs: name, facts, whether they are under way."""

    def get(self) -> None:
        control = self.site.control
        runs = [
            {
                "name": name,
                "running": holder(str(run.base)) is not None,
                "about": read_object(run.view / "run.json") or {},
            }
            for name, run in self.site.runs
        ]
        # Without a listening run nobody would hear Next.
        waiting = control.waiting if control.go_on else None
        self.send_json({"runs": runs, "waiting": waiting})


class _Data(_Handler):
    """The records of a run's files from the byte offsets on that the page has reached."""

    def get(self, place: str) -> None:
        run = self.run(place)
        paths = {
            "metrics": run.metrics,
            "layers": run.view / "layers.jsonl",
            "samples": run.view / "samples.jsonl",
        }
        answer: dict[str, Any] = {}
        for name in _STREAMS:
            offset = self._offset(name)
            # A page that is opened late is not sent all lines of a long run.
            if name == "samples" and offset == 0:
                offset = _near_the_end(paths[name])
            records, after, more = read_records(paths[name], offset)
            answer[name] = {"records": records, "offset": after, "more": more}
        answer["skips"] = read_object(run.view / "skips.json") or []
        answer["saved"] = run.saved()
        answer["best"] = run.best()
        answer["debug"] = run.debug_iterations()
        self.send_json(answer)

    def _offset(self, name: str) -> int:
        text = self.get_query_argument(name, "0")
        if not (text.isascii() and text.isdecimal() and len(text) < 16):
            raise tornado.web.HTTPError(400, reason=f"{name} is not a byte offset")
        return int(text)


def _near_the_end(path: Path) -> int:
    """An offset shortly before the end; the line it cuts is no JSON and is left out."""
    try:
        return max(0, path.stat().st_size - _FIRST_SAMPLES)
    except OSError:
        return 0


class _Debug(_Handler):
    """The line that the pictures of an iteration show."""

    def get(self, place: str, iteration: str) -> None:
        about = read_object(self.run(place).view / "debug" / iteration / "line.json")
        if about is None:
            raise tornado.web.HTTPError(404)
        self.send_json(about)


class _Picture(_Handler):
    def get(self, place: str, name: str) -> None:
        path = self.run(place).picture(name)
        if path is None:
            raise tornado.web.HTTPError(404)
        self.send_file(path, "image/png")


class _Next(_Handler):
    """Lets the training run go on: for one line, or to its end."""

    def post(self) -> None:
        control = self.site.control
        if self.request.headers.get("X-Lstmjax") != "next":  # foreign pages may not send it
            raise tornado.web.HTTPError(403)
        if control.go_on is None or control.waiting is None:
            raise tornado.web.HTTPError(409, reason="Nothing waits")
        # First, so that a second click finds nothing waiting.
        control.waiting = None
        control.go_on("all" if self.get_query_argument("how", "one") == "all" else "one")
        self.send_json({})


class _Nothing(_Handler):
    """Every other address."""

    def prepare(self) -> None:
        raise tornado.web.HTTPError(404)


def make_app(site: Site) -> tornado.web.Application:
    """Route all addresses to their handlers."""
    return tornado.web.Application(
        [
            (r"/", _Page),
            (r"/static/([a-z.]{1,40})", _Static),
            (r"/api/runs", _Runs),
            (r"/api/run/(\d{1,4})", _Data),
            (r"/api/run/(\d{1,4})/debug/(\d{1,12})", _Debug),
            (r"/api/next", _Next),
            # The name is checked by `RunFiles.picture`.
            (r"/run/(\d{1,4})/(.{1,200})", _Picture),
        ],
        default_handler_class=_Nothing,
        site=site,
        log_function=lambda handler: None,
    )


def plotly_script() -> Path:
    """The chart library that the installed plotly package brings along."""
    found = importlib.util.find_spec("plotly")
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise UsageError("the pages need the Python package plotly; pip install plotly")
    return Path(folders[0]) / "package_data" / "plotly.min.js"


class Served(NamedTuple):
    """A server that answers, and the address of its page."""

    url: str
    server: tornado.httpserver.HTTPServer

    async def close(self) -> None:
        """Stop the server."""
        self.server.stop()
        await self.server.close_all_connections()


def listen(site: Site) -> Served:
    """Start the server in the running event loop.

    Raises: UsageError: the port is taken, or the host is not this machine.
    """
    # Fails here if it is missing, not when the page asks for it.
    plotly_script()
    settings = site.settings
    sockets = _bind(settings)
    server = tornado.httpserver.HTTPServer(make_app(site), max_buffer_size=1 << 20)
    server.add_sockets(sockets)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host  # IPv6
    return Served(f"http://{host}:{sockets[0].getsockname()[1]}/", server)


def _bind(settings: ServerSettings) -> list[socket.socket]:
    if not 0 <= settings.port <= _LAST_PORT:
        raise UsageError(f"there is no port {settings.port}; they end at {_LAST_PORT}")
    for port in settings.ports:
        try:
            return [_listening(settings.host, port)]
        except socket.gaierror as err:
            raise UsageError(f"--host {settings.host}: {err.strerror}") from err
        except OSError as err:
            # A port that was asked for is taken or refused; else the next one is tried.
            if err.errno == errno.EADDRINUSE and not settings.port:
                continue
            problem = "is taken by another program" if err.errno == errno.EADDRINUSE else (
                f"cannot be used: {err.strerror}"
            )  # fmt: skip
            raise UsageError(
                f"port {port} at {settings.host} {problem}; choose another, or give none for the "
                "first free one"
            ) from err
    ports = settings.ports
    raise UsageError(
        f"all ports from {ports[0]} to {ports[-1]} are taken; choose another with the port flag"
    )


def _listening(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises: OSError: the address cannot be used.
    """
    family, kind, protocol, _, at = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        # A new server may follow at once: the system holds closed connections for a while.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(at)
        made.listen()
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def warning(settings: ServerSettings) -> str:
    """The warning about a host that others can reach; "" for a local one."""
    if settings.is_local:
        return ""
    return (
        f"Warning: at {settings.host} everyone who can reach this machine sees the pages, texts "
        "and line images included; there is no password"
    )
