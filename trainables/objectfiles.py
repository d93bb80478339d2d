"""Object files: compiled functions kept on disk, so that a machine compiles one once and not in each process.

They lie in ``equipoise/objects`` of the user's cache folder (``$XDG_CACHE_HOME``, else ``~/.cache``), or in the folder that
``EQUIPOISE_CACHE`` names; where that is set to nothing, none are kept. All of it may be deleted at any time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

MOST = 4096
"""Files kept; half of them go when there are more. A study needs some twenty, of ten kilobytes each."""

_OTHERS_MAY_WRITE = 0o022


def object_file(name: str, make: Callable[[], bytes]) -> bytes:
    """What was kept under ``name``, which says all that it depends on; else what ``make`` makes, kept from now on.

    A file that is not whole is made anew. That a folder cannot be read or written costs the time to make it, and no more.
    """
    folder = _folder(os.environ.get("EQUIPOISE_CACHE"))
    if folder is None:
        return make()
    file = folder / f"{name}.o"
    with suppress(OSError):
        if (body := _whole(file.read_bytes())) is not None:
            return body
    body = make()
    with suppress(OSError):
        _write(file, sha256(body).digest() + body)
    return body


@cache
def _folder(said: str | None) -> Path | None:
    """Where files are kept; None: nowhere, since that was said or others than the user might put code there."""
    if said == "":
        return None
    try:
        base = Path(said) if said else _users() / "equipoise"
        folder = base / "objects"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        told = folder.stat()
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    own = os.name == "posix" and told.st_uid == os.getuid()
    return folder.absolute() if own and not told.st_mode & _OTHERS_MAY_WRITE else None


def _users() -> Path:
    told = os.environ.get("XDG_CACHE_HOME", "")
    return Path(told) if Path(told).is_absolute() else Path.home() / ".cache"


def _whole(kept: bytes) -> bytes | None:
    """The body of a file; None if something of it is missing or was changed."""
    size = sha256().digest_size
    body = kept[size:]
    return body if sha256(body).digest() == kept[:size] else None


def _write(file: Path, kept: bytes) -> None:
    """Whole or not at all, whoever else writes the same."""
    handle, beside = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(kept)
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    _thin(file.parent)


def _thin(folder: Path) -> None:
    """Of too many files the older half goes, and what writers that died have left."""
    files = list(folder.iterdir())
    if len(files) > MOST:
        for file in sorted(files, key=_age)[: len(files) // 2]:
            file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    """When it was written; long ago, if another process has deleted it by now."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
