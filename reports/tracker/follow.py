"""Following a study while it runs: a process of its own, so that it can neither slow nor stop it."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING

from reports.tracker.mirror import Mirror
from reports.tracker.stores import tracking_uri
from reports.tracker.sync import alone, attach_pictures, complaint
from search.folders import study_of
from search.history import History
from search.ledger import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from search.studyfile import StudyFile

POLL = 0.5
"""Seconds between looks at the ledger."""

LONGEST_PAUSE = 30.0
LAST_TRIES = 3
"""How often a store that fails is tried again once the study is over."""

GONE = "the process that ran the study is gone; go on with `equipoise resume`"


class Driver:
    """Whether somebody may still add to the ledger. ``parent`` is that process; None: for ever.

    SIGTERM tells that nobody will, too. Ctrl-C reaches the driver and us alike: it decides.
    """

    def __init__(self, parent: int | None) -> None:
        self._parent = parent
        self._ours = os.getppid() == parent
        self._over = Event()
        signal.signal(signal.SIGTERM, lambda *_: self._over.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def gone(self) -> bool:
        if self._over.is_set() or self._parent is None:
            return self._over.is_set()
        return os.getppid() != self._parent if self._ours else not _alive(self._parent)

    def wait(self, seconds: float) -> None:
        """Returns early on SIGTERM."""
        self._over.wait(seconds)


class Follower:
    """The state of following: what was read, and the mirror while the store is well."""

    def __init__(self, directory: Path, uri: str | None) -> None:
        self._directory, self._reader = directory, Reader(directory)
        self._said = uri
        self._history: History | None = None
        self._mirror: Mirror | None = None
        self._behind = False
        self.ended = False

    def read(self) -> None:
        """Takes in what the ledger has gained. Raises SpecError if it is no study's."""
        events = self._reader.new()
        self._behind |= bool(events)
        if self._history is None and events:
            self._history = History.of(events)
            self._study: StudyFile = study_of(self._history)
            self.uri = self._said or tracking_uri(self._study, self._directory)
        elif self._history is not None:
            for event in events:
                self._history.add(event)
        self.ended = self._history is not None and self._history.ended is not None

    def write(self, *, last: bool) -> None:
        """Brings the store to where the ledger was read to. Raises whatever MLflow raises."""
        if self._history is None or not (self._behind or last):
            return
        mirror, self._mirror = self._mirror, None  # a mirror that failed is not trusted again
        mirror = mirror or Mirror.connect(self.uri, self._directory, self._study, self._history)
        mirror.write(self._history)
        if last:
            attach_pictures(mirror, self._directory)
        if self.ended:
            mirror.settle("FINISHED", self._history)
        else:
            mirror.settle("KILLED" if last else "RUNNING", self._history, why=GONE if last else "")
        self._mirror, self._behind = mirror, False


def follow(directory: Path, *, uri: str | None = None, parent: int | None = None) -> int:
    """Writes to MLflow what the ledger gains, until it ends or its driver is gone. The exit code.

    A store that fails is tried again, ever less often; if it still fails when the study is over,
    the code is 1. Raises SpecError if the folder is not a study's.
    """
    driver = Driver(parent)
    directory = directory.absolute()
    with alone(directory, fcntl.LOCK_EX):
        return _follow(Follower(directory, uri), driver)


def _follow(follower: Follower, driver: Driver) -> int:
    failures, last_tries = 0, 0
    while True:
        gone = driver.gone()  # asked before reading: whatever it wrote last is then read
        follower.read()
        last = gone or follower.ended
        try:
            follower.write(last=last)
        except Exception as error:  # noqa: BLE001 - MLflow raises anything, and the study goes on
            failures, last_tries = failures + 1, last_tries + last
            if failures == 1:
                _say(f"{complaint(follower.uri, error)}; the study goes on, trying again")
        else:
            if last:
                return 0
            failures = 0
        if last_tries > LAST_TRIES:
            _say("MLflow has not got everything; `equipoise sync DIR` catches up")
            return 1
        driver.wait(min(POLL * 2**failures, LONGEST_PAUSE) if not last else POLL)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
