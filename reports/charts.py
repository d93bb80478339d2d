"""Interactive charts of a study, each a piece of HTML that expects Plotly's script to be there."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from reports import fronts, remarks
from reports.knobs import settings
from reports.palette import BLUE, CLOUD, FAINT, INK, LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.fronts import Front
    from reports.knobs import Knob
    from search.history import History
    from search.studyfile import StudyFile

MOST_AXES = 12  # of the parallel coordinates; those in play most often
UNUSED = -0.15  # where a knob that is not in play is drawn, below its axis' low end


def scatter(history: History, found: Front, knobs: Sequence[Knob]) -> str:
    """The front and what it beats: the first two objectives; further ones are in the labels."""
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
    figure.update_xaxes(title_text=f"{x} {remarks.arrow(found.objectives[x])}")
    figure.update_yaxes(title_text=f"{y} {remarks.arrow(found.objectives[y])}")
    return _drawn(_laid_out(figure, 520), "front")


def parallel(history: History, study: StudyFile, knobs: Sequence[Knob]) -> str:
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
    wide = {"l": 70, "r": 60, "t": 100, "b": 30}
    return _drawn(_laid_out(figure, 480).update_layout(margin=wide), "knobs")


def volume(history: History, study: StudyFile) -> str:
    """The hypervolume as the study went on."""
    steps = fronts.progress(history, study.goals)
    figure = go.Figure(
        go.Scatter(
            x=[at for _, at, _ in steps],
            y=[reached for *_, reached in steps],
            text=[f"candidate {c}" for c, *_ in steps],
            mode="lines+markers",
            line={"shape": "hv", "color": BLUE, "width": 2},
            marker={"size": 5},
            hovertemplate="%{text}<br>%{x:.2f} s<br>%{y:.4f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="seconds since the launch", rangemode="tozero")
    figure.update_yaxes(title_text="hypervolume")
    return _drawn(_laid_out(figure, 340), "hypervolume")


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
