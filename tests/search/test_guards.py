"""The guards, each tried in a process of its own: what a name leads to is settled at its first import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from search.guards import HOME, NAMES, ForeignName, check_fingerprint, check_names, fingerprint

CHECK = "from search.guards import check_names; check_names()"


def python(*arguments: str, path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs python with ``path`` before everything else on the import path."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(path), str(HOME)])}
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        check=False,
    )


def install(site: Path, project: str, files: dict[str, str]) -> None:
    """Lays out ``files`` in ``site`` as an installer does, with the list that says whose they are."""
    info = site / f"{project.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    record = "".join(f"{name},,{len(text)}\n" for name, text in files.items())
    (info / "RECORD").write_text(record + f"{info.name}/METADATA,,\n")


@pytest.fixture
def whole(tmp_path) -> Path:
    """A folder that our four packages and nothing else are installed in."""
    site = tmp_path / "whole"
    modules = [file for name in NAMES for file in (HOME / name).rglob("*.py")]
    install(site, "equipoise", {str(m.relative_to(HOME)): m.read_text() for m in modules})
    return site


def test_our_own_names_pass():
    check_names()


def test_the_owner_of_a_foreign_name_is_named_with_the_cure(tmp_path):
    install(tmp_path, "reports-of-others", {"reports/__init__.py": ""})
    outcome = python("-c", CHECK, path=tmp_path, cwd=tmp_path)
    assert outcome.returncode == 1
    assert (
        f"the name 'reports' leads to {tmp_path / 'reports'} (reports-of-others)" in outcome.stderr
    )
    assert "pip uninstall reports-of-others" in outcome.stderr


def test_a_stray_folder_has_no_owner(tmp_path):
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "__init__.py").touch()
    outcome = python("-c", CHECK, path=tmp_path, cwd=tmp_path)
    assert f"rename {tmp_path / 'spaces'}, or start elsewhere" in outcome.stderr


def test_a_stray_file_is_foreign_too(tmp_path):
    (tmp_path / "trainables.py").touch()
    outcome = python("-c", CHECK, path=tmp_path, cwd=tmp_path)
    assert f"'trainables' leads to {tmp_path / 'trainables.py'}" in outcome.stderr


def test_every_foreign_name_is_reported_at_once(tmp_path):
    install(tmp_path, "others", {"reports/__init__.py": "", "spaces/__init__.py": ""})
    outcome = python("-c", CHECK, path=tmp_path, cwd=tmp_path)
    assert "'reports'" in outcome.stderr
    assert "'spaces'" in outcome.stderr


def test_the_command_says_so_without_a_traceback(tmp_path):
    install(tmp_path, "spaces", {"spaces/__init__.py": "raise RuntimeError('not ours')"})
    outcome = python("-m", "search", "studies", path=tmp_path, cwd=tmp_path)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("the name 'spaces' leads to")
    assert "Traceback" not in outcome.stderr


def test_an_installed_copy_passes(whole):
    assert python("-c", CHECK, path=whole, cwd=whole).stderr == ""


def test_a_kind_added_to_an_installed_copy_passes(whole):
    (whole / "spaces" / "schedules" / "mine.py").write_text("MINE = 1\n")
    assert python("-c", CHECK, path=whole, cwd=whole).stderr == ""


@pytest.mark.parametrize("file", ["spaces/__init__.py", "spaces/stranger.py"])
def test_another_project_installed_over_ours_is_named(whole, file):
    install(whole, "spaces", {file: "STRANGER = True\n"})
    outcome = python("-c", CHECK, path=whole, cwd=whole)
    assert f"{whole / 'spaces'} holds files of spaces among those of equipoise" in outcome.stderr


def test_a_worker_that_gets_each_package_in_its_own_folder_passes(tmp_path):
    for name in NAMES:
        shutil.copytree(HOME / name, tmp_path / f"shipped_{name}" / name)
    shipped = os.pathsep.join(str(tmp_path / f"shipped_{name}") for name in NAMES)
    check = f"from search.guards import check_fingerprint; check_fingerprint({fingerprint()!r})"
    assert python("-c", check, path=Path(shipped), cwd=tmp_path).stderr == ""


def test_a_worker_with_other_code_is_refused(tmp_path):
    shutil.copytree(HOME / "trainables", tmp_path / "trainables")
    (tmp_path / "trainables" / "__init__.py").write_text("VERSION = 2\n")
    check = f"from search.guards import check_fingerprint; check_fingerprint({fingerprint()!r})"
    outcome = python("-c", check, path=tmp_path, cwd=tmp_path)
    assert f"trainables: {tmp_path / 'trainables'}" in outcome.stderr


def test_a_fingerprint_of_other_code_is_refused_here():
    with pytest.raises(ForeignName, match="other code than the driver"):
        check_fingerprint("0" * 64)


def test_no_top_module_shadows_the_standard_library():
    # Starting a file of a package directly puts that package's folder, and so its modules, on the import path.
    top = {file.stem for name in NAMES for file in (HOME / name).glob("*") if file.name[0] != "_"}
    assert not (top | set(NAMES)) & sys.stdlib_module_names
