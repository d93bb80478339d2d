"""The local engine: one job after another, in this process. The plainest way to run a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.faults import kind_of
from search.jobs import work

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.jobs import Job
    from search.study import Study


def drive(study: Study, watch: Callable[[], None]) -> None:
    """Runs ``study`` to its end; calls ``watch`` after everything told."""
    while (job := study.next_job()) is not None:
        _do(study, job, watch)


def reason(error: Exception) -> str:
    """What a candidate's outcome says of what it raised."""
    return f"raised {type(error).__name__}: {error}"


def _do(study: Study, job: Job, watch: Callable[[], None]) -> None:
    running, kept = work(job), None
    while True:
        try:
            records = running.send(kept)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001 - a candidate that raises fails alone
            study.fault(job.number, reason(error), kind_of(error))
            return
        kept = study.tell(job.number, records)
        watch()
        if not kept:
            return
