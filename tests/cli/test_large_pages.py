"""The restart of a command with large memory pages: once, and only where it is possible."""

import sys

import pytest

from lstmjax.cli.large_pages import NO_RESTART, use_large_pages


@pytest.fixture
def restarts(monkeypatch):
    """The calls of `execve`, on a system with glibc and a fresh environment."""
    calls = []
    monkeypatch.setattr("os.execve", lambda *call: calls.append(call))
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc", "2.36"))
    monkeypatch.delenv(NO_RESTART, raising=False)
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    return calls


def test_the_command_is_started_again_with_the_setting(restarts):
    use_large_pages("-m", "lstmjax", "lstmtraining")
    ((program, arguments, environ),) = restarts
    assert [program, *arguments] == [
        sys.executable,
        sys.executable,
        "-m",
        "lstmjax",
        "lstmtraining",
    ]
    assert environ["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1"
    assert environ[NO_RESTART] == "1"


def test_other_tunables_of_the_user_stay(restarts, monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    use_large_pages()
    assert restarts[0][2]["GLIBC_TUNABLES"] == "glibc.malloc.check=1:glibc.malloc.hugetlb=1"


@pytest.mark.parametrize(
    ("name", "value"), [(NO_RESTART, "1"), ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0")]
)
def test_the_environment_can_forbid_it(restarts, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    use_large_pages()
    assert restarts == []


def test_other_c_libraries_have_no_such_setting(restarts, monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("musl", ""))
    use_large_pages()
    assert restarts == []
