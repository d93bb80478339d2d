"""The ledger: a study's only memory. One JSON object a line, only ever appended."""

from __future__ import annotations

import fcntl
import json
import os
from functools import cache
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic_core import PydanticSerializationError

from search.events import Event, NewerSchemaError, Opened, decode, encode, fields_of
from spaces.problems import SpecError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import NoReturn, Self

NAME = "ledger.jsonl"


class LedgerError(SpecError):
    """A folder is not a study's, its ledger cannot be read, or another driver is writing it."""

    def __init__(self, problem: str) -> None:
        super().__init__([problem])


class Memory(Protocol):
    """What a study writes to. ``directory`` is its folder, which need not have been made."""

    directory: Path

    def append(self, *events: Event) -> None:
        """Takes all of ``events``, or raises."""
        ...


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
        """A new ledger in ``directory``, which is made. Raises LedgerError if one stands there.

        A driver that was killed before its first line was whole has left nothing: it is made anew.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            file = os.open(directory / NAME, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise LedgerError(f"{directory}: cannot write here: {error.strerror}") from None
        ledger = cls(directory, file)
        ledger._lock()
        if _whole((directory / NAME).read_bytes()):
            os.close(file)
            raise LedgerError(
                f"{directory}: holds a study already; go on with `equipoise resume {directory}`, "
                f"or give another --dir"
            )
        os.ftruncate(file, 0)
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
        """Writes all of ``events``, or none: raises LedgerError if the disk does not take them."""
        ends = repeat(_MORE, len(events) - 1)
        data = b"".join(map(_text, events, chain(ends, [_LAST])))
        try:
            taken = os.write(self._file, data)
        except OSError as error:
            raise LedgerError(f"{self.directory / NAME}: {error.strerror}") from None
        if taken != len(data):
            os.ftruncate(self._file, os.fstat(self._file).st_size - taken)
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
        except OSError as error:
            os.close(self._file)
            if isinstance(error, BlockingIOError):
                raise LedgerError(
                    f"{self.directory}: another process is running this study"
                ) from None
            raise LedgerError(f"{self.directory}: cannot lock {NAME}: {error.strerror}") from None


class Reader:
    """Reads a ledger from the start, and on each later call what has been added since.

    Never locks: an append that its writer has not finished is left for the next call.
    """

    def __init__(self, directory: Path) -> None:
        self._path = _path(directory)
        self._offset = 0
        self._line = 0

    def new(self) -> list[Event]:
        """The events since the last call. Raises LedgerError, and again, on a line that is none."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        data = data[: _whole(data)]
        lines = data.split(b"\n")[:-1]
        events = [self._event(line, n) for n, line in enumerate(lines, start=self._line + 1)]
        self._offset += len(data)
        self._line += len(lines)
        return events

    def _event(self, line: bytes, number: int) -> Event:
        try:
            fields = json.loads(line.decode(), parse_constant=_refuse)
            if not isinstance(fields, dict):
                raise ValueError("not a JSON object")  # noqa: TRY004, TRY301 - a fault of the data
            fields.pop("more", None)
            return decode(fields)
        except NewerSchemaError as error:
            raise LedgerError(f"{self._path}: {error}") from None
        except (ValueError, RecursionError) as error:
            raise LedgerError(f"{self._path}:{number}: not an event: {error}") from None


def read(directory: Path) -> list[Event]:
    """Every event of the study in ``directory``."""
    return Reader(directory).new()


_LAST, _MORE = b"}\n", b',"more":true}\n'


def _text(event: Event, end: bytes) -> bytes:
    """One line of JSON. Half of a surrogate pair is no text to anyone: it is written as ``?``."""
    try:
        fields = fields_of(event)  # a quarter of the time, numbers being read back the same
    except PydanticSerializationError:
        return _slowly(event, end)
    # What is no JSON number is written by name; a name may also stand in a text. To look for a
    # letter takes a tenth of what it takes to look for a word.
    if (b"N" in fields and b"NaN" in fields) or (b"I" in fields and b"Infinity" in fields):
        return _slowly(event, end)
    return _head(event.event) + fields[1:-1] + end


@cache
def _head(kind: str) -> bytes:
    """How the line of an event begins, up to its fields."""
    return b'{"event":"%b",' % kind.encode()


def _slowly(event: Event, end: bytes) -> bytes:
    return _JSON.encode(encode(event)).encode(errors="replace")[:-1] + end


_JSON = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _whole(data: bytes) -> int:
    """The length of ``data`` up to the end of its last whole append."""
    end = data.rfind(b"\n") + 1
    while data.endswith(b'"more":true}\n', 0, end):
        end = data.rfind(b"\n", 0, end - 1) + 1
    return end


def _path(directory: Path) -> Path:
    path = directory / NAME
    if not path.is_file():
        missing = "no such folder" if not directory.exists() else f"no {NAME} in it"
        raise LedgerError(f"{directory}: not a study's folder ({missing})")
    return path
