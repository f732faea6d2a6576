"""What XLA compiled is found again, unless it was damaged."""

import os
import subprocess
import sys

import pytest

from lstmjax.cache import problems, programs
from lstmjax.cache.programs import ProgramCache

SUM = """
import jax, jax.numpy as jnp
from lstmjax.cache import programs
programs._MIN_COMPILE_SECONDS = 0
programs.keep_programs()
hits = []
jax.monitoring.register_event_listener(
    lambda event, **_: hits.append(event) if event.endswith("/cache_hits") else None
)
total = jax.jit(lambda x: jnp.sin(x).sum())(jnp.arange(5.0))
print(float(total), len(hits))
"""


def run(code, cache_home, **environ):
    environ = {name: value for name, value in os.environ.items() if "CACHE" not in name} | environ
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ | {"XDG_CACHE_HOME": str(cache_home)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


def test_damaged_programs_are_compiled_again(tmp_path):
    (total, hits), said = run(SUM, tmp_path)
    assert (hits, said) == ("0", "")
    files = list((tmp_path / "lstmjax" / "programs").iterdir())
    assert files
    (again, hits), said = run(SUM, tmp_path)
    assert again == total
    assert int(hits) == len(files)
    assert said == ""
    for path in files:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    (again, hits), said = run(SUM, tmp_path)
    assert (again, hits) == (total, "0")
    assert said.count("\n") == 1
    (again, hits), said = run(SUM, tmp_path)
    assert (again, int(hits), said) == (total, len(files), "")


def test_nothing_is_kept_by_a_jax_that_is_not_as_known(tmp_path):
    code = "from jax._src import compilation_cache\ndel compilation_cache.get_file_cache\n" + SUM
    (_, hits), said = run(code, tmp_path)
    assert hits == "0"
    assert said == (
        "Warning: JAX's cache is not as it is known; networks are compiled in every process.\n"
    )
    assert not list((tmp_path / "lstmjax" / "programs").iterdir())


def test_a_users_own_directory_stays_as_jax_knows_it(tmp_path):
    own = tmp_path / "own"
    run(SUM, tmp_path, JAX_COMPILATION_CACHE_DIR=str(own))
    assert not (tmp_path / "lstmjax" / "programs").exists()


def test_a_program_is_given_for_its_own_key_only(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(problems, "_said", set())
    cache = ProgramCache(tmp_path)
    cache.put("one", b"program")
    assert cache.get("one") == b"program"
    assert cache.get("other") is None
    os.replace(cache._file("one"), cache._file("other"))
    assert cache.get("other") is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("most", "left"), [(1000, 3), (250, 2), (10, 0)])
def test_programs_used_least_recently_go(tmp_path, monkeypatch, most, left):
    monkeypatch.setattr(programs, "_MOST_BYTES", most)
    cache = ProgramCache(tmp_path)
    for number, name in enumerate("abc"):
        cache.put(name, bytes(50))
        if cache._file(name).exists():
            os.utime(cache._file(name), (number, number))
    cache.put("c", bytes(50))
    assert [name for name in "abc" if cache.get(name)] == list("abc")[3 - left :]
