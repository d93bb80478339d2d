"""The files that tell a study, made from its ledger alone: tables, pictures, a page, what to train."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports import canvas, export, frames, fronts, pages, plots, verdicts
from reports.picks import pick
from search.folders import load
from search.verdicts import findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.history import History
    from search.studyfile import StudyFile


def write(directory: Path, out: Path) -> list[Path]:
    """Reads the ledger in ``directory`` and writes its reports into ``out``. Their paths.

    ``front.csv``, ``front.json``, ``front.png``, ``front.html``, ``hypervolume.png``,
    ``averages.png``, ``candidates.csv``, ``study.yaml``, ``claims.json`` if the study makes claims
    and, once a candidate is complete, ``best/knee.yaml`` and ``best/<objective>.yaml``. The same ledger gives the same files; each is
    replaced as a whole, so that a reader never sees half of one.
    """
    history, study = load(directory)
    written = []
    for name, content in _files(history, study, directory):
        path = out / name
        _replace(path, content)
        written.append(path)
    return written


def _files(history: History, study: StudyFile, directory: Path) -> Iterator[tuple[str, bytes]]:
    front = fronts.of(history, study)
    table = frames.candidates(history, study)
    rows = table.loc[[row.candidate for row in front.rows]]
    yield "candidates.csv", table.to_csv().encode()
    in_play = rows if rows.empty else rows.dropna(axis="columns", how="all")
    yield "front.csv", in_play.to_csv().encode()
    yield "front.json", _json(front.to_json())
    yield "front.png", canvas.png(plots.front(history, study))
    yield "hypervolume.png", canvas.png(plots.hypervolume(history, study))
    yield "averages.png", canvas.png(plots.averages(history, study))
    yield "front.html", pages.page(history, study).encode()
    if study.claims:
        yield "claims.json", _json(verdicts.to_json(findings(history, study)))
    yield "study.yaml", _study_text(history).encode()
    for which in ("knee", *front.objectives) if front.rows else ():
        candidate = pick(front, which)
        yield f"best/{which}.yaml", export.export(history, study, candidate, directory).encode()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


def _study_text(history: History) -> str:
    """The study file as it was read; what the command line changed stands above it."""
    changed = [f"# launched with --set '{override}'\n" for override in history.opened.overrides]
    return "".join(changed) + history.opened.text


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process' number keeps two writers of the same report out of each other's way.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)
