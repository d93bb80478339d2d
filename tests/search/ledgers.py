"""Ledgers as a study would write them: a strategy for lists of events that tell one story."""

from __future__ import annotations

from hypothesis import strategies as st

from search.events import Asked, Ended, Event, Fault, Measured, Opened, Outcome, Queued, Resumed

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SHARE = st.floats(0, 1)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KNOBS = st.dictionaries(TEXT, JSON, max_size=3)
OPENED = st.builds(
    Opened,
    name=TEXT,
    text=TEXT,
    overrides=st.lists(TEXT, max_size=2).map(tuple),
    source=TEXT,
    versions=st.dictionaries(TEXT, TEXT, max_size=2),
    git=st.none() | TEXT,
    created=TEXT,
    known=st.lists(st.fixed_dictionaries({"knobs": KNOBS, "values": KNOBS}), max_size=2).map(tuple),
    left_out=st.dictionaries(TEXT, st.integers(1, 9), max_size=2),
)


@st.composite
def stories(draw: st.DrawFn, *, most: int = 25) -> list[Event]:
    """A study's events in an order in which they can happen, repeats after a resume included."""
    told: list[Event] = [draw(OPENED)]
    asked, at = 0, 0.0
    for _ in range(draw(st.integers(0, most))):
        at += draw(st.floats(0, 10))
        known = st.integers(0, max(asked - 1, 0))
        kinds = ["ask", "fault", "resume", "end"] + ["job", "measure", "outcome"] * 3 * (asked > 0)
        match draw(st.sampled_from(kinds)):
            case "ask":
                made = Asked(candidate=asked, knobs=draw(KNOBS), config=draw(KNOBS))
                asked += 1
            case "job":
                members = draw(st.lists(st.lists(known, min_size=1, max_size=2).map(tuple)))
                made = Queued(job=draw(st.integers(0, 3)), members=tuple(members), seed=0)
            case "measure":
                task = draw(st.integers(0, 2))
                made = Measured(
                    candidate=draw(known),
                    task=task,
                    step=task + 1,
                    accuracy=tuple(draw(st.lists(SHARE, min_size=task + 1, max_size=task + 1))),
                    seconds=draw(SHARE),
                    at=at,
                    measures=draw(st.dictionaries(TEXT, st.lists(SHARE, max_size=3).map(tuple))),
                )
            case "outcome":
                state = draw(st.sampled_from(["complete", "pruned", "failed"]))
                values = {"plasticity": draw(SHARE), "stability": draw(SHARE)}
                made = Outcome(
                    candidate=draw(known),
                    state=state,
                    values={} if state == "failed" else values,
                    task=2,
                    at=at,
                    reason=draw(TEXT) if state == "failed" else None,
                )
            case "fault":
                made = Fault(job=0, reason=draw(TEXT), at=at)
            case "resume":
                made = Resumed(at=at)
            case _:
                made = Ended(reason="budget", at=at)
        told.append(made)
    return told
