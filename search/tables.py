"""Tables: what was recorded of a study's candidates, in one small file that outlives its folder.

A table is Parquet, compressed with zstd: a row for each candidate that was trained, and again for each further seed that it
was trained with. Its columns are

    candidate, student      the candidate's number, and that of the first that shares its student
    seed                    the study's seed, that the student's weights and batches came from
    state                   complete, pruned or failed
    knobs.NAME              the knob's value (a choice's is its option's number), null if not in play
    correct.K.I             validation samples of task I that the average gets right once task K was
                            learnt: whole numbers, which compress; null if it was not measured
    seconds.K               the candidate's share of the device-seconds of task K

Of validation task I there are ``validation[I]`` samples, and ``a[K][I] = correct.K.I / validation[I]``
is what the ledger says, to the last bit.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from search.asking import under_recipe
from search.events import Asked, Opened, decode, encode
from search.studyfile import read_text
from spaces.domains import Choice, Range
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.history import History
    from search.studyfile import StudyFile
    from search.worlds import Knobs, Triangles
    from spaces.space import Domain

ABOUT = b"equipoise"
"""The key of the file's metadata under which the study, the machine and the samples are told."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of ``data`` as the module says; all of one study, which ``opened`` tells."""

    data: pa.Table
    opened: Opened
    validation: tuple[int, ...]
    machine: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.data.num_rows)

    @property
    def tasks(self) -> int:
        return len(self.validation)

    @cached_property
    def file(self) -> StudyFile:
        """The study, as it was read when it began."""
        return read_text(self.opened.text, self.opened.source, self.opened.overrides)

    @cached_property
    def knobs(self) -> list[Knobs]:
        """Of each row the knobs in play by name."""
        columns = {n: self._column(f"knobs.{n}") for n in self.file.space.knobs()}
        rows = zip(*columns.values(), strict=True)
        return [{n: v for n, v in zip(columns, row, strict=True) if v is not None} for row in rows]

    @cached_property
    def accuracy(self) -> Triangles:
        """a[k][i] of each row: [n, tasks, tasks], NaN where it was not measured."""
        out = np.full((len(self), self.tasks, self.tasks), np.nan)
        for k, i in zip(*np.tril_indices(self.tasks), strict=True):
            counted = self.data[f"correct.{k}.{i}"].to_numpy()
            out[:, k, i] = counted / self.validation[i]
        return out

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """Device-seconds of each row and task: [n, tasks], NaN where it was not trained."""
        columns = [self.data[f"seconds.{k}"].to_numpy() for k in range(self.tasks)]
        return np.stack(columns, axis=1).astype(np.float64)

    @cached_property
    def students(self) -> NDArray[np.int64]:
        return np.asarray(self.data["student"].to_numpy(), dtype=np.int64)

    @cached_property
    def seeds(self) -> NDArray[np.int64]:
        return np.asarray(self.data["seed"].to_numpy(), dtype=np.int64)

    @cached_property
    def states(self) -> list[str]:
        return self._column("state")

    def of_seed(self, seed: int) -> Table:
        """The rows that were trained with ``seed``."""
        return self._with(self.data.filter(self.seeds == seed))

    def joined(self, *others: Table) -> Table:
        """These rows and those of ``others``, tables of the same study trained with other seeds."""
        return self._with(pa.concat_tables([self.data, *(other.data for other in others)]))

    def write(self, path: Path) -> None:
        """Raises SpecError where it cannot be written."""
        about = {
            "study": encode(self.opened),
            "validation": self.validation,
            "machine": dict(self.machine),
        }
        data = self.data.replace_schema_metadata({ABOUT: json.dumps(about)})
        try:
            pq.write_table(data, path, compression="zstd", compression_level=19)
        except OSError as error:
            raise SpecError([f"{path}: cannot write here: {error.strerror or error}"]) from None

    def _with(self, data: pa.Table) -> Table:
        return Table(data, self.opened, self.validation, self.machine)

    def _column(self, name: str) -> list[Any]:
        return self.data[name].to_pylist()


def read(path: Path) -> Table:
    """The table in the file at ``path``. Its columns are decoded when they are first looked at.

    Raises:
        SpecError: if there is none, or it is of a newer version.
    """
    try:
        data = pq.read_table(path, memory_map=True)
        about = json.loads(data.schema.metadata[ABOUT])
        opened = decode(about["study"])
    except OSError as error:
        raise SpecError([f"{path}: cannot read this: {error.strerror or error}"]) from None
    except (KeyError, TypeError, ValueError) as error:
        told = f"not a table that `equipoise tabulate` wrote: {error}"
        raise SpecError([f"{path}: {told}"]) from None
    assert isinstance(opened, Opened)
    return Table(data, opened, tuple(about["validation"]), about["machine"])


def tabulate(history: History, file: StudyFile, *, machine: str = "") -> Table:
    """What ``history`` recorded of every candidate that ended, in the order of their numbers.

    ``machine`` is a word on where it was trained, beside what can be found out here.

    Raises:
        SpecError: if none has ended.
    """
    ended = sorted(history.outcomes)
    if not ended:
        raise SpecError([f"{file.name}: no candidate has ended yet; a table is of those that have"])
    sizes = tuple(len(split) for split in file.scenario.stream().validation)
    columns = (
        _names(history, ended, file.seed)
        | _knobs(history, ended, file.space.knobs())
        | _correct(history, ended, sizes)
        | _seconds(history, ended, len(sizes))
    )
    here = {"cpu": platform.processor(), "system": platform.platform(), "note": machine}
    return Table(pa.table(columns), history.opened, sizes, here)


def _names(history: History, ended: Sequence[int], seed: int) -> dict[str, pa.Array]:
    first: dict[str, int] = {}
    for number, asked in sorted(history.candidates.items()):
        first.setdefault(_recipe(asked), number)
    numbers = [first[_recipe(history.candidates[c])] for c in ended]
    states = [history.outcomes[c].state for c in ended]
    return {
        "candidate": pa.array(ended, pa.int32()),
        "student": pa.array(numbers, pa.int32()),
        "seed": pa.array([seed] * len(ended), pa.int64()),
        "state": pa.array(states).dictionary_encode(),
    }


def _recipe(asked: Asked) -> str:
    return repr(sorted(under_recipe(asked.knobs).items()))


def _knobs(
    history: History, ended: Sequence[int], knobs: Mapping[str, Domain]
) -> dict[str, pa.Array]:
    def column(name: str, domain: Domain) -> pa.Array:
        whole = isinstance(domain, Choice) or (isinstance(domain, Range) and domain.whole)
        values = [history.candidates[c].knobs.get(name) for c in ended]
        return pa.array(values, pa.int64() if whole else pa.float64())

    return {f"knobs.{name}": column(name, domain) for name, domain in knobs.items()}


def _correct(history: History, ended: Sequence[int], sizes: Sequence[int]) -> dict[str, pa.Array]:
    def counted(candidate: int, k: int, i: int) -> int | None:
        record = history.records[candidate].get(k)
        return None if record is None else round(record.accuracy[i] * sizes[i])

    return {
        f"correct.{k}.{i}": pa.array([counted(c, k, i) for c in ended], pa.int32())
        for k in range(len(sizes))
        for i in range(k + 1)
    }


def _seconds(history: History, ended: Sequence[int], tasks: int) -> dict[str, pa.Array]:
    def spent(candidate: int, k: int) -> float | None:
        record = history.records[candidate].get(k)
        return None if record is None else record.seconds

    return {
        f"seconds.{k}": pa.array([spent(c, k) for c in ended], pa.float32()) for k in range(tasks)
    }
