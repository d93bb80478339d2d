"""One HTML page for a study: interactive, self-contained, at home without internet.

Everything it loads is in the file, and it needs scripts alone, so that it also works in MLflow's
sandboxed frame. Plotly's own script is most of its 5 MB.
"""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from reports import fronts, verdicts
from reports.knobs import Knob, knobs_of, sentence, settings
from reports.palette import BLUE, CLOUD, FAINT, INK, LINES
from search.verdicts import findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.fronts import Front
    from search.history import History
    from search.studyfile import StudyFile

MOST_AXES = 12  # of the parallel coordinates; those in play most often
UNUSED = -0.15  # where a knob that is not in play is drawn, below its axis' low end

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
        *(f"<p>{html.escape(line)}</p>" for line in fronts.limits(found)),
        _drawn(_scatter(history, found, knobs), "front"),
        "<h2>Its candidates</h2>",
        _table(found),
        "<h2>What the knobs do</h2>",
        f"<p>{PARALLEL}</p>",
        _drawn(_parallel(history, study, knobs), "knobs"),
        "<h2>Hypervolume as the study went on</h2>",
        _drawn(_volume(history, study), "hypervolume"),
    ]


def _nothing(found: Front) -> list[str]:
    why = found.lacking[:1].upper() + found.lacking[1:]
    return ["<h2>The front is empty</h2>", f"<p>{html.escape(why)}.</p>"]


def _scatter(history: History, found: Front, knobs: Sequence[Knob]) -> go.Figure:
    """The first two objectives; further ones are in the labels."""
    x, y = list(found.objectives)[:2]
    on = [row.candidate for row in found.rows]
    off = sorted(set(history.in_state("complete")) - set(on) - found.infeasible.keys())
    figure = go.Figure([_points(history, found, knobs, chosen) for chosen in (off, on)])
    figure.data[0].update(name="complete, beaten", marker=_dots(CLOUD, 7, 0.6))
    figure.data[1].update(name=f"front of {len(on)}", marker=_dots(BLUE, 10, 1))
    if found.infeasible:
        broken = _points(history, found, knobs, sorted(found.infeasible))
        crosses = _dots(CLOUD, 7, 0.8) | {"symbol": "x-thin-open"}
        figure.add_trace(broken.update(name="infeasible", marker=crosses))
    if len(found.objectives) == 2:
        figure.data[1].update(mode="lines+markers", line={"shape": "hv", "color": BLUE, "width": 2})
    figure.update_xaxes(title_text=f"{x} {fronts.arrow(found.objectives[x])}")
    figure.update_yaxes(title_text=f"{y} {fronts.arrow(found.objectives[y])}")
    return _laid_out(figure, 520)


def _points(
    history: History, found: Front, knobs: Sequence[Knob], candidates: Sequence[int]
) -> go.Scatter:
    names = list(found.objectives)
    values = history.values(candidates, names)
    return go.Scatter(
        x=values[:, 0].tolist(),
        y=values[:, 1].tolist(),
        mode="markers",
        text=[_hover(history, c, names, knobs) for c in candidates],
        hovertemplate="%{text}<extra></extra>",
    )


def _hover(history: History, candidate: int, names: Sequence[str], knobs: Sequence[Knob]) -> str:
    values = history.final(candidate) or history.outcomes[candidate].values
    told = settings(knobs, history.candidates[candidate].knobs)
    lines = [f"<b>candidate {candidate}</b>", *(f"{n} {values[n]:.4f}" for n in names)]
    return "<br>".join([*lines, *(html.escape(f"{k} {v}") for k, v in told.items())])


def _parallel(history: History, study: StudyFile, knobs: Sequence[Knob]) -> go.Figure:
    """Knobs on their own scales, then the objectives; coloured by the first objective."""
    complete = sorted(history.in_state("complete"))
    points = [history.candidates[c].knobs for c in complete]
    values = history.values(complete, study.objectives.names)
    objectives = [
        {"label": name, "values": column.tolist()}
        for name, column in zip(study.objectives.names, values.T, strict=True)
    ]
    axes = [_axis(knob, points) for knob in _most_used(knobs, points)]
    line = {"color": values[:, 0].tolist(), "colorscale": "Viridis", "showscale": True}
    line["colorbar"] = {
        "title": {"text": study.objectives.names[0]},
        "thickness": 12,
        "outlinewidth": 0,
    }
    figure = go.Figure(
        go.Parcoords(
            dimensions=[*axes, *objectives],
            line=line,
            labelangle=-20,
            labelside="top",
            labelfont={"size": 11},
            tickfont={"size": 10},
        )
    )
    return _laid_out(figure, 480).update_layout(margin={"l": 70, "r": 60, "t": 100, "b": 30})


def _axis(knob: Knob, points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    places = [knob.position(point) for point in points]
    unused = any(map(math.isnan, places))
    ticks = [(UNUSED, "-")] * unused + knob.ticks()
    return {
        "label": knob.label,
        "values": [UNUSED if math.isnan(p) else p for p in places],
        "range": [UNUSED if unused else 0, 1],
        "tickvals": [place for place, _ in ticks],
        "ticktext": [text for _, text in ticks],
    }


def _most_used(knobs: Sequence[Knob], points: Sequence[dict[str, Any]]) -> list[Knob]:
    """At most MOST_AXES knobs in the order of the space."""
    used = [sum(not math.isnan(knob.position(point)) for point in points) for knob in knobs]
    order = sorted(range(len(knobs)), key=lambda i: -used[i])
    return [knobs[i] for i in sorted(order[:MOST_AXES]) if used[i]]


def _volume(history: History, study: StudyFile) -> go.Figure:
    steps = fronts.progress(history, study.goals)
    figure = go.Figure(
        go.Scatter(
            x=[at for _, at, _ in steps],
            y=[volume for *_, volume in steps],
            text=[f"candidate {c}" for c, *_ in steps],
            mode="lines+markers",
            line={"shape": "hv", "color": BLUE, "width": 2},
            marker={"size": 5},
            hovertemplate="%{text}<br>%{x:.2f} s<br>%{y:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="seconds since the launch", rangemode="tozero")
    figure.update_yaxes(title_text="hypervolume")
    return _laid_out(figure, 340)


def _table(found: Front) -> str:
    picks = fronts.picks(found)
    names = [f"{n} {fronts.arrow(d)}" for n, d in found.objectives.items()]
    head = _cells("th", ["candidate", *names], "n") + _cells("th", ["pick", "settings"])
    rows = [
        _cells("td", [row.candidate, *(row.told(n) for n in found.objectives)], "n")
        + _cells("td", [picks.get(row.candidate, "")], "pick")
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
    said = " · ".join([counts or "no candidates", volume, *fronts.seeds(found)])
    return f"{said} · launched {history.opened.created}"


def _said(history: History) -> str:
    lines = [f"--set {override}" for override in history.opened.overrides]
    return "\n".join([history.opened.text.rstrip(), *lines])


def _dots(colour: str, size: int, opacity: float) -> dict[str, Any]:
    return {
        "color": colour,
        "size": size,
        "opacity": opacity,
        "line": {"color": "white", "width": 1},
    }


def _laid_out(figure: go.Figure, height: int) -> go.Figure:
    axis = {"gridcolor": FAINT, "zeroline": False, "linecolor": LINES, "ticks": "outside"}
    return figure.update_layout(
        template="none",
        height=height,
        font={"family": "inherit", "size": 13, "color": INK},
        margin={"l": 70, "r": 20, "t": 20, "b": 60},
        hoverlabel={"bgcolor": "white", "bordercolor": CLOUD, "align": "left"},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        xaxis=axis,
        yaxis=axis,
    )


def _drawn(figure: go.Figure, name: str) -> str:
    """The chart as a piece of HTML that expects Plotly's script to be there."""
    config = {"displayModeBar": False, "responsive": True}
    piece = figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=name, config=config, default_height="auto"
    )
    return str(piece)
