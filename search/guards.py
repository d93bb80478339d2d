"""Guards: the four names we import lead to our own code, on the driver and on every worker.

``spaces``, ``trainables``, ``search`` and ``reports`` are everyday words, and other projects are published
as ``spaces`` and ``reports``. Nothing of ours is imported here: the guard must speak when that fails.
"""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

NAMES = ("spaces", "trainables", "search", "reports")
TRAINING = ("spaces", "trainables", "search")
HOME = Path(__file__).resolve().parents[1]
PROJECT = "equipoise"


class ForeignName(ImportError):  # noqa: N818 - it is the name that is foreign
    """A name of ours leads to code that is not ours; ``problems`` has one line for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def check_names() -> None:
    """Refuses to start when a name leads out of the tree this file lies in, or is shared with another project.

    Takes milliseconds; who owns a foreign name is looked up only once there is one.
    Raises ``ForeignName``.
    """
    problems = [_stray(name) for name in NAMES if _place(name) != HOME / name]
    problems = problems or [_shared(name) for name in _disturbed() if _owners(name)]
    if problems:
        raise ForeignName(problems)


def fingerprint() -> str:
    """sha256 [64 hex digits] of all modules that train: equal code, equal value, wherever it lies."""
    modules = {
        f"{name}/{file.relative_to(folder).as_posix()}": file.read_bytes()
        for name in TRAINING
        if (folder := _place(name)) is not None
        for file in folder.rglob("*.py")
    }
    digest = hashlib.sha256()
    for module, text in sorted(modules.items()):
        digest.update(f"{module}\0{len(text)}\0".encode() + text)
    return digest.hexdigest()


def check_fingerprint(expected: str) -> None:
    """Refuses to train on a worker whose code is not the driver's, be it another project's or another version.

    Workers get each package in a folder of its own, so ``check_names`` cannot judge there.
    Raises ``ForeignName``.
    """
    if fingerprint() != expected:
        places = "; ".join(f"{name}: {_place(name) or 'nowhere'}" for name in NAMES)
        problem = (
            f"this worker imports other code than the driver ({places}): remove what is installed"
            f" there under these names, or install the driver's version of {PROJECT} on every node"
        )
        raise ForeignName([problem])


def _place(name: str) -> Path | None:
    """The folder or file that ``import name`` leads to."""
    spec = find_spec(name)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0] if folders else spec.origin or "").resolve()


def _owners(name: str) -> list[str]:
    """The other projects installed where ``name`` leads to. Slow: reads every installed file list."""
    place = _place(name)
    return sorted(
        owner
        for owner in set(packages_distributions().get(name, ()))
        if owner != PROJECT
        and place is not None
        and Path(str(distribution(owner).locate_file(""))).resolve() == place.parent
    )


def _stray(name: str) -> str:
    place = _place(name)
    if place is None:
        return f"{HOME / name} cannot be imported as {name!r}: install {PROJECT} again (make demo)"
    owners = _owners(name)
    what = " and ".join(owners) or "no installed project's: a folder or file on the import path"
    cure = f"pip uninstall {' '.join(owners)}" if owners else f"rename {place}, or start elsewhere"
    return (
        f"the name {name!r} leads to {place} ({what}), but {PROJECT} needs its own {HOME / name}:"
        f" {cure}, or use a fresh environment (make demo makes one)"
    )


def _shared(name: str) -> str:
    owners = " ".join(_owners(name))
    return (
        f"{HOME / name} holds files of {owners} among those of {PROJECT}: pip uninstall {owners}, then"
        f" pip install --force-reinstall --no-deps {PROJECT}, or use a fresh environment"
    )


def _disturbed() -> list[str]:
    """The names whose files differ from those that the installer wrote; a checkout has no such list."""
    try:
        ours = distribution(PROJECT)
    except PackageNotFoundError:
        return []
    written = {file.as_posix(): file.size for file in ours.files or () if file.suffix == ".py"}
    if Path(str(ours.locate_file(""))).resolve() != HOME or not written:
        return []
    found = {
        file.relative_to(HOME).as_posix(): file.stat().st_size
        for name in NAMES
        for file in (HOME / name).rglob("*.py")
    }
    return sorted({path.split("/")[0] for path, _ in written.items() ^ found.items()})
