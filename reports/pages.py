"""One HTML page for a study: interactive, self-contained, at home without internet.

Everything it loads is in the file, and it needs scripts alone, so that it also works in MLflow's
sandboxed frame. Plotly's own script is most of its 5 MB.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from plotly.offline import get_plotlyjs

from reports import charts, fronts, picks, remarks, verdicts
from reports.knobs import knobs_of, sentence
from search.verdicts import findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.fronts import Front
    from reports.knobs import Knob
    from search.history import History
    from search.studyfile import StudyFile

PARALLEL = (
    "Each line is a complete candidate. Drag along an axis to keep the lines through it; "
    "a dash at the foot of an axis: the knob was not in play."
)

STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: #1B1F24;
  background: #fff; max-width: 1160px; margin: 2rem auto; padding: 0 1.25rem }
h1 { font-size: 1.6rem; margin: 0 }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .25rem }
p { margin: .25rem 0; color: #667078 }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 13px; width: 100% }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #E4E8EB; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td.pick { color: #B34A00; font-weight: 600 }
td.agrees { color: #1A7F37; font-weight: 600 }
td.disagrees { color: #B42318; font-weight: 600 }
td.undecided { color: #8A6100; font-weight: 600 }
pre { font-size: 12.5px; background: #F6F8F9; padding: 1rem; overflow-x: auto }
summary { cursor: pointer; margin-top: 2.25rem; font-weight: 600 }
"""


def page(history: History, study: StudyFile) -> str:
    """The whole page. The same history gives the same page, byte for byte."""
    found = fronts.of(history, study)
    knobs = knobs_of(study.space.knobs())
    name = html.escape(history.opened.name)
    body = [
        f"<h1>{name}</h1>",
        f"<p>{html.escape(_summary(history, found))}</p>",
        *verdicts.section(findings(history, study)),
        *(_charts(history, study, found, knobs) if found.rows else _nothing(found)),
        "<details><summary>The study file</summary>",
        f"<pre>{html.escape(_said(history))}</pre></details>",
    ]
    head = f"<meta charset='utf-8'><title>{name}</title><style>{STYLE}</style>"
    script = f"<script>{get_plotlyjs()}</script>" if found.rows else ""
    return f"<!doctype html>\n<html lang='en'><head>{head}{script}</head>\n<body>\n" + (
        "\n".join(body) + "\n</body></html>\n"
    )


def _charts(history: History, study: StudyFile, found: Front, knobs: Sequence[Knob]) -> list[str]:
    return [
        "<h2>The front</h2>",
        "<p>Only candidates that finished the stream. Point at one to see what it set.</p>",
        *(f"<p>{html.escape(line)}</p>" for line in remarks.limits(found)),
        charts.scatter(history, found, knobs),
        "<h2>Its candidates</h2>",
        _table(found),
        "<h2>What the knobs do</h2>",
        f"<p>{PARALLEL}</p>",
        charts.parallel(history, study, knobs),
        "<h2>Hypervolume as the study went on</h2>",
        charts.volume(history, study),
    ]


def _nothing(found: Front) -> list[str]:
    why = found.lacking[:1].upper() + found.lacking[1:]
    return ["<h2>The front is empty</h2>", f"<p>{html.escape(why)}.</p>"]


def _table(found: Front) -> str:
    marks = picks.marks(found)
    names = [f"{n} {remarks.arrow(d)}" for n, d in found.objectives.items()]
    head = _cells("th", ["candidate", *names], "n") + _cells("th", ["pick", "settings"])
    rows = [
        _cells("td", [row.candidate, *(row.told(n) for n in found.objectives)], "n")
        + _cells("td", [marks.get(row.candidate, "")], "pick")
        + _cells("td", [sentence(row.settings)])
        for row in found.rows
    ]
    lines = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead>\n<tbody>{lines}</tbody></table></div>"


def _cells(tag: str, texts: Sequence[object], style: str = "") -> str:
    return "".join(f"<{tag} class='{style}'>{html.escape(str(text))}</{tag}>" for text in texts)


def _summary(history: History, found: Front) -> str:
    counts = " · ".join(f"{n} {state}" for state, n in history.counts().items() if n)
    reference = ", ".join(f"{v:g}" for v in found.reference.values())
    volume = f"hypervolume {found.hypervolume:.4f} (reference {reference})"
    said = " · ".join([counts or "no candidates", volume, *remarks.seeds(found)])
    return f"{said} · launched {history.opened.created}"


def _said(history: History) -> str:
    lines = [f"--set {override}" for override in history.opened.overrides]
    return "\n".join([history.opened.text.rstrip(), *lines])
