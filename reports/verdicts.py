"""Verdicts as a reader wants them: what papers claim, and whether this study shows it."""

from __future__ import annotations

import dataclasses
import html
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from search.claims import Finding

TITLE = "What papers claim, and what this study shows"
NOTE = (
    "Figure: the median of 1,000 bootstrap draws of students with all their averages, and in brackets "
    "95% of them. A claim is undecided where that interval holds 0."
)
STYLES = {"agrees": "green", "disagrees": "red", "undecided": "yellow"}


def sentence(finding: Finding) -> str:
    """``agrees: median of the gain in nll over the student 0.12 [0.08, 0.15]; 24 candidates ...``."""
    return f"{finding.verdict}: {finding.measured} {figures(finding)}; {counts(finding)}"


def figures(finding: Finding) -> str:
    """``0.12 [0.08, 0.15]``, or that too little was measured."""
    if finding.figure is None or finding.low is None or finding.high is None:
        return "not measured: too few students"
    return f"{finding.figure:.3g} [{finding.low:.3g}, {finding.high:.3g}]"


def counts(finding: Finding) -> str:
    return f"{finding.candidates} candidates of {finding.students} students"


def render(findings: Sequence[Finding], console: Console) -> None:
    """Nothing if the study makes no claims."""
    for finding in findings:
        style = STYLES[finding.verdict]
        console.print(f"claim ({finding.source}): {finding.says}", highlight=False, markup=False)
        console.print(f"  {sentence(finding)}", style=style, highlight=False, markup=False)


def to_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(finding) for finding in findings]


def section(findings: Sequence[Finding]) -> list[str]:
    """A part of the page; nothing if the study makes no claims."""
    if not findings:
        return []
    heads = ("the paper", "claims", "measured here", "figure", "of", "verdict")
    head = "".join(f"<th>{name}</th>" for name in heads)
    rows = "\n".join(f"<tr>{_row(finding)}</tr>" for finding in findings)
    table = f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>"
    return [f"<h2>{TITLE}</h2>", f"<p>{NOTE}</p>", f"<div class='wide'>{table}</div>"]


def _row(finding: Finding) -> str:
    told = "".join(_cell(text) for text in (finding.source, finding.says, finding.measured))
    numbers = _cell(figures(finding), "n") + _cell(counts(finding))
    return told + numbers + _cell(finding.verdict, finding.verdict)


def _cell(text: str, style: str = "") -> str:
    return f"<td class='{style}'>{html.escape(text)}</td>"
