"""The pages' server: what it answers, and to whom."""

import json
import os
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from view.conftest import taken

from lstmjax.errors import UsageError
from lstmjax.view.files import RunFiles
from lstmjax.view.server import Control, Site, host_is_ours, named, plotly_script, warning
from lstmjax.view.settings import DEFAULT_PORT, PORTS_TRIED, ServerSettings

LOCAL = ServerSettings()


@pytest.fixture
def run(tmp_path):
    """The files of a run that is under way."""
    (tmp_path / "m.metrics.jsonl").write_text(
        '{"event": "train", "training_iteration": 100, "loss": NaN}\n{"event": "tr'
    )
    (tmp_path / "m.lock").write_text(f"{os.getpid()}\n")
    view = tmp_path / "m.view"
    (view / "debug" / "100").mkdir(parents=True)
    (view / "run.json").write_text('{"net_spec": "<b>"}')
    (view / "debug" / "100" / "line.json").write_text('{"truth": "x", "pictures": []}')
    (view / "debug" / "100" / "00-Output.png").write_bytes(b"png")
    return RunFiles(tmp_path / "m")


@pytest.fixture
def clicks():
    return []


@pytest.fixture
def address(serve, run, clicks):
    return serve(Site(named([run]), LOCAL, Control(None, clicks.append)))


def ask(address, path="", headers=None, method="GET"):
    """Status, headers and content of an answer."""
    request = urllib.request.Request(address + path, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.status, answer.headers, answer.read()


def test_page_and_its_parts_are_there(address):
    status, headers, page = ask(address)
    assert status == 200
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    for part in ("view.js", "charts.js", "view.css", "plotly.min.js"):
        assert f"/static/{part}".encode() in page
        status, _, content = ask(address, f"static/{part}")
        assert (status, len(content) > 1000) == (200, True)
    assert plotly_script().stat().st_size > 1 << 20


def test_runs_say_whether_they_go_on(address):
    answer = json.loads(ask(address, "api/runs")[2])
    about = {"net_spec": "<b>"}
    assert answer == {"runs": [{"name": "m", "running": True, "about": about}], "waiting": None}


def test_only_whole_records_with_numbers_that_json_has(address):
    answer = json.loads(ask(address, "api/run/0")[2])
    record = {"event": "train", "training_iteration": 100, "loss": None}
    assert answer["metrics"]["records"] == [record]
    assert answer["debug"] == [100]
    rest = json.loads(ask(address, f"api/run/0?metrics={answer['metrics']['offset']}")[2])
    assert rest["metrics"]["records"] == []


def test_pictures(address):
    assert ask(address, "run/0/debug/100/00-Output.png")[::2] == (200, b"png")
    assert json.loads(ask(address, "api/run/0/debug/100")[2])["truth"] == "x"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("run/0/../m.metrics.jsonl", 404), ("run/0/%2e%2e/m.metrics.jsonl", 404),
        ("run/0/..%2fm.metrics.jsonl", 404), ("run/0/%2fetc%2fpasswd", 404),
        ("run/1/debug/100/00-Output.png", 404), ("api/run/7", 404), ("api/run/0/debug/5", 404),
        ("static/server.py", 404), ("static/..", 404), ("api/run/0?metrics=-1", 400),
        ("api/run/0?layers=x", 400), ("api/run/0?samples=99999999999999999999", 400),
        ("nothing", 404),
    ],
)  # fmt: skip
def test_nothing_else_is_served(address, path, status):
    found, headers, content = ask(address, path)
    assert found == status
    assert b"event" not in content
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8624", True), ("localhost:8624", True), ("LOCALHOST", True), ("[::1]:80", True),
        ("192.168.1.5:8624", True), ("evil.example", False), ("evil.example:8624", False),
        ("127.0.0.1.evil.example", False), ("", False), ("localhost.evil.example:1", False),
    ],
)  # fmt: skip
def test_foreign_names_are_refused(address, host, ours):
    assert host_is_ours(host, LOCAL) is ours
    if host:
        assert ask(address, "api/runs", {"Host": host})[0] == (200 if ours else 403)


def test_name_given_as_host_is_ours():
    assert host_is_ours("ocr.example:1", ServerSettings("ocr.example"))


def test_next_needs_a_waiting_training_and_our_page(serve, run, clicks):
    control = Control(7, clicks.append)
    address = serve(Site(named([run]), LOCAL, control))
    assert json.loads(ask(address, "api/runs")[2])["waiting"] == 7
    ours = {"X-Lstmjax": "next"}
    assert ask(address, "api/next", method="POST")[0] == 403
    assert ask(address, "api/next", ours)[0] == 405
    assert ask(address, "api/next", ours, "POST")[0] == 200
    assert ask(address, "api/next", ours, "POST")[0] == 409
    control.waiting = 8
    assert ask(address, "api/next?how=all", ours, "POST")[0] == 200
    assert clicks == ["one", "all"]


def test_taken_port_is_passed_over_or_refused(serve, run):
    with taken() as port, pytest.raises(UsageError, match=f"port {port} at .* is taken"):
        serve(Site(named([run]), ServerSettings(port=port)))
    chosen = {urlsplit(serve(Site(named([run]), LOCAL))).port for _ in range(2)}
    assert len(chosen) == 2
    assert chosen <= set(range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ServerSettings("no.such.host.invalid", 0), "--host no.such.host.invalid"),
        (ServerSettings(port=99999), "they end at 65535"),
    ],
    ids=["name", "port"],
)
def test_where_one_cannot_listen(serve, run, settings, message):
    with pytest.raises(UsageError, match=message):
        serve(Site(named([run]), settings))


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_other_hosts_are_warned_about(host, warned):
    assert ("no password" in warning(ServerSettings(host))) is warned


def test_names_of_runs_tell_them_apart(tmp_path):
    one, two, three = (RunFiles(tmp_path / name) for name in ("a/m", "b/m", "b/n"))
    assert [name for name, _ in named([one, two, three, one])] == [
        str(one.base), str(two.base), "n",
    ]  # fmt: skip
