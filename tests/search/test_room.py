"""How much a job may take, and what fits."""

from __future__ import annotations

import os
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import room as rooms
from search.room import BOUNDLESS, Room, Scales, check_room, measured, room
from search.settings import Resources
from search.sizes import bytes_of, size_of
from search.studyfile import read_text
from spaces.problems import SpecError
from tests.search.running import TEXT
from trainables.footprints import footprint
from trainables.models.mlp import Mlp
from trainables.recipes import Recipe
from trainables.scenarios.blobs import Blobs
from trainables.tables import skeleton


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """One that no container limits."""
    monkeypatch.setattr(rooms, "CGROUPS", (tmp_path / "memory.max",))
    return tmp_path / "memory.max"


def file_of(*overrides):
    return read_text(TEXT, "tiny.yaml", overrides)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1KiB", 1024), ("512MiB", 2**29), ("1.5GiB", 3 * 2**29), ("2 TiB", 2**41)],
)
def test_sizes(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize(
    "text", ["", "1", "1GB", "GiB", "-1GiB", "0MiB", "1e3KiB", "1gib", "1GiBs"]
)
def test_what_is_no_size(text):
    with pytest.raises(ValueError, match=r"a size such as 512MiB or 1\.5GiB, got"):
        bytes_of(text)


@given(st.integers(1024, 2**45))
def test_a_size_that_is_told_can_be_given_within_a_tenth_of_its_unit(size):
    assert bytes_of(size_of(size)) == pytest.approx(size, rel=0.05)


def test_what_the_file_says_is_what_there_is():
    held = room(file_of("fold.memory=3MiB"))
    assert held == Room(3 * 2**20, "fold.memory")
    assert str(held) == "3.0 MiB (fold.memory)"


@pytest.mark.parametrize("said", ["1GB", "lots", "[1]"])
def test_a_memory_that_is_none_is_refused(said):
    with pytest.raises(SpecError, match="fold"):
        file_of(f"fold.memory={said}")


def test_jobs_at_work_at_once_share_half_of_the_machine():
    cores = os.cpu_count()
    alone = measured("cpu", Resources(cpu=cores))
    assert alone.size == pytest.approx(room(file_of()).size * cores, abs=cores)
    assert measured("cpu", Resources(cpu=cores / 2)).why.endswith("among 2 jobs")
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert alone.size == total // 2


def test_a_container_has_what_it_may_use(machine):
    machine.write_text("max\n")
    free = measured("cpu", Resources()).size
    machine.write_text(f"{2**28}\n")
    assert measured("cpu", Resources(cpu=os.cpu_count())).size == 2**27
    assert measured("cpu", Resources()).size < free


def test_of_a_device_that_is_elsewhere_nothing_is_known(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    held = measured("cuda", Resources(gpu=1))
    assert held.size is None
    assert str(held).startswith("not known here: PyTorch finds no cuda device here")


def test_a_room_travels():
    held = measured("cpu", Resources())
    assert pickle.loads(pickle.dumps(held)) == held


def test_weights_are_footprints_whatever_the_knobs_say():
    scales, stream = Scales(Blobs()), Blobs().stream()
    recipe = Recipe(model=Mlp(hidden=(8,)))
    weight = footprint(recipe, stream, members=3, averages=5)
    assert scales.weigh(recipe, 3, 5) == scales.weigh(recipe, 3, 5) == weight


@settings(deadline=None)
@given(size=st.integers(1, 2**20), most=st.integers(1, 9), members=st.integers(1, 9))
def test_what_fits_weighs_no_more_and_is_no_more_than_ran_out(size, most, members):
    recipe = Recipe(model=Mlp(hidden=(8,)))
    weight = SCALES.weigh(recipe, members, 2)
    fits = SCALES.fits(Room(size, "a test"), {skeleton(recipe): most})
    assert fits(recipe, members, 2) == (weight <= size and members <= most)
    assert SCALES.fits(BOUNDLESS, {})(recipe, members, 2)


SCALES = Scales(Blobs())


def test_a_student_that_no_job_has_room_for_is_refused_with_what_would_help():
    with pytest.raises(SpecError) as caught:
        check_room(file_of(), Room(4096, "fold.memory"))
    assert len(caught.value.problems) == 2  # plain, and with a teacher
    assert caught.value.problems[0].startswith(
        "tiny.yaml: fold: a student (mlp, finetune) with its 2 averages takes "
    )
    assert caught.value.problems[0].endswith(
        "where a job may hold 4.0 KiB (fold.memory); lower fold.averages or allow more fold.memory"
    )
    check_room(file_of(), Room(2**20, "fold.memory"))
    check_room(file_of(), BOUNDLESS)
