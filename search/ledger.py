"""The ledger: a study's only memory. One JSON object a line, only ever appended."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from search.events import SCHEMA, Event, Opened, decode, encode
from spaces.specs import SpecError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

NAME = "ledger.jsonl"


class LedgerError(SpecError):
    """A folder is not a study's, its ledger cannot be read, or another driver is writing it."""

    def __init__(self, problem: str) -> None:
        super().__init__([problem])


class Ledger:
    """The one writer of a study. ``append`` makes its events visible together or not at all.

    An append is a single ``write``, and every line of it but the last says ``"more": true``:
    killed at any moment, a ledger ends in whole appends and at most one torn one, which ``open``
    cuts off and readers do not see. The lock dies with the process.
    """

    def __init__(self, directory: Path, file: int) -> None:
        self.directory = directory
        self._file = file

    @classmethod
    def create(cls, directory: Path, opened: Opened) -> Self:
        """A new ledger in ``directory``, which is made. Raises LedgerError if one stands there."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            file = os.open(directory / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            raise LedgerError(
                f"{directory}: holds a study already; go on with `equipoise resume {directory}`, "
                f"or give another --dir"
            ) from None
        except OSError as error:
            raise LedgerError(f"{directory}: cannot write here: {error.strerror}") from None
        ledger = cls(directory, file)
        ledger._lock()
        ledger.append(opened)
        return ledger

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The ledger of an existing study, its torn last append cut off."""
        path = _path(directory)
        try:
            file = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise LedgerError(f"{path}: cannot write here: {error.strerror}") from None
        ledger = cls(directory, file)
        ledger._lock()
        os.ftruncate(file, _whole(path.read_bytes()))
        return ledger

    def append(self, *events: Event) -> None:
        """Writes all of ``events`` in one go."""
        lines = [encode(e) for e in events]
        for line in lines[:-1]:
            line["more"] = True
        data = b"".join(
            json.dumps(line, allow_nan=False, separators=(",", ":")).encode() + b"\n"
            for line in lines
        )
        if os.write(self._file, data) != len(data):
            raise LedgerError(f"{self.directory / NAME}: the disk took only part of a write")

    def close(self) -> None:
        """Forces everything to the disk and gives the lock back."""
        os.fsync(self._file)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise LedgerError(f"{self.directory}: another process is running this study") from None


class Reader:
    """Reads a ledger from the start, and on each later call what has been added since.

    Never locks: an append that its writer has not finished is left for the next call.
    """

    def __init__(self, directory: Path) -> None:
        self._path = _path(directory)
        self._offset = 0
        self._line = 0

    def new(self) -> list[Event]:
        """The events since the last call. Raises LedgerError on a line that is not an event."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        data = data[: _whole(data)]
        self._offset += len(data)
        return [self._event(line) for line in data.splitlines()]

    def _event(self, line: bytes) -> Event:
        self._line += 1
        try:
            fields = json.loads(line)
            fields.pop("more", None)
            event = decode(fields)
        except (ValueError, AttributeError) as error:
            raise LedgerError(f"{self._path}:{self._line}: not an event: {error}") from None
        if isinstance(event, Opened) and event.schema > SCHEMA:
            raise LedgerError(
                f"{self._path}: written by a newer Equipoise (schema {event.schema}, "
                f"this one reads up to {SCHEMA}); upgrade to read it"
            )
        return event


def read(directory: Path) -> list[Event]:
    """Every event of the study in ``directory``."""
    return Reader(directory).new()


def _whole(data: bytes) -> int:
    """The length of ``data`` up to the end of its last whole append."""
    end = data.rfind(b"\n") + 1
    while end and b'"more":true}' in (line := data[data.rfind(b"\n", 0, end - 1) + 1 : end]):
        end -= len(line)
    return end


def _path(directory: Path) -> Path:
    path = directory / NAME
    if not path.is_file():
        missing = "no such folder" if not directory.exists() else f"no {NAME} in it"
        raise LedgerError(f"{directory}: not a study's folder ({missing})")
    return path
