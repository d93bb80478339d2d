"""Object files: what one process has compiled another takes, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trainables import objectfiles, products
from trainables.objectfiles import object_file

NAME, BODY = "a" * 64, b"code"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EQUIPOISE_CACHE", str(tmp_path))
    return tmp_path / "objects"


def make():
    return BODY


def never():
    raise AssertionError("it was kept")


def refused(*given, **named):
    raise PermissionError


def test_it_is_made_once(folder):
    assert object_file(NAME, make) == BODY
    assert object_file(NAME, never) == BODY
    assert [file.name for file in folder.iterdir()] == [f"{NAME}.o"]


@pytest.mark.parametrize(
    "harm",
    [lambda b: b[:-1], lambda b: b[:7], lambda b: b"", lambda b: b"x" + b[1:], lambda b: b + b"x"],
)
def test_what_is_not_whole_is_made_anew(folder, harm):
    object_file(NAME, make)
    file = folder / f"{NAME}.o"
    file.write_bytes(harm(file.read_bytes()))
    assert object_file(NAME, make) == BODY
    assert object_file(NAME, never) == BODY


def test_nothing_is_kept_if_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("EQUIPOISE_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert object_file(NAME, make) == BODY
    assert list(tmp_path.iterdir()) == []


def test_it_is_kept_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("EQUIPOISE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    objectfiles._folder.cache_clear()
    object_file(NAME, make)
    objectfiles._folder.cache_clear()
    assert (tmp_path / "equipoise" / "objects" / f"{NAME}.o").exists()


def test_where_others_may_write_nothing_is_taken(folder):
    folder.mkdir()
    folder.chmod(0o777)
    assert object_file(NAME, make) == BODY
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("call", ["mkdir", "read_bytes", "replace"])
def test_a_folder_that_cannot_be_used_costs_time_alone(folder, monkeypatch, call):
    monkeypatch.setattr(objectfiles.Path, call, refused)
    assert object_file(NAME, make) == BODY
    assert object_file(NAME, make) == BODY
    assert not folder.exists() or not list(folder.glob("*.part"))


def test_the_oldest_go_when_there_are_too_many(folder, monkeypatch):
    monkeypatch.setattr(objectfiles, "MOST", 4)
    for number in range(5):
        object_file(str(number), make)
        os.utime(folder / f"{number}.o", (number, number)) if number < 4 else None
    assert {file.name for file in folder.iterdir()} == {"2.o", "3.o", "4.o"}


@pytest.mark.skipif(
    not products.compiles(), reason="nothing is compiled without AVX-512 and llvmlite"
)
def test_the_next_process_compiles_nothing_and_has_the_same_bits(tmp_path):
    first = alone(tmp_path, compiles=True)
    assert len(list((tmp_path / "objects").iterdir())) > 3
    assert alone(tmp_path, compiles=False) == first


def alone(cache, *, compiles):
    """The bits of the slope of a function with a constant and a product, by a fresh process."""
    code = f"""
import torch
from torch.func import grad, vmap
from functools import partial
torch.set_num_threads(1)
from trainables import assembly
from trainables.programs import routine_of
from trainables.tracing import traced
if not {compiles}:
    def refuse(text):
        raise AssertionError(text)
    assembly._object_code = refuse
rng = torch.Generator().manual_seed(0)
rows, x, told = (torch.randn(*s, generator=rng) for s in ((3, 320), (9, 20), (9, 16)))
def of(row, x):
    return ((x @ row.view(16, 20).T).relu() * told).square().mean()
found = routine_of("it", partial(traced, vmap(grad(of), in_dims=(0, None))), (rows, x), 1)
assert found is not None
print(found(rows, x).numpy().tobytes().hex())
"""
    env = os.environ | {"EQUIPOISE_CACHE": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout
