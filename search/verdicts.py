"""Verdicts: what a study's history says of its claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.evidence import evidence_of

if TYPE_CHECKING:
    from search.claims import Finding
    from search.history import History
    from search.studyfile import StudyFile


def findings(history: History, file: StudyFile) -> list[Finding]:
    """A finding for each of the study's claims, in their order."""
    evidence = evidence_of(history, file)
    return [claim.judge(evidence) for claim in file.claims]
