"""What was measured, as text."""

from __future__ import annotations

from typing import Any


def table(found: dict[str, Any]) -> str:
    """Of everything that ``benchmarks/throughput.py`` found."""
    driver = found["driver"]
    parts = {
        "candidates a second of Equipoise on all cores, and how many times the other ways'": [
            _ratio(row) for row in found["ratios"]
        ],
        "accuracies on the validation sets, of the same candidates": [
            _agreement(row) for row in found["agreements"]
        ],
        "peak resident memory, MiB, the largest of all studies": _peaks(found["measurements"]),
        "evaluation's share of a job's processor time, one thread": [
            _share(row) for row in found["evaluation"]
        ],
        "one more average of a student, in times its parameters": [
            "{tensor_ratio:.3f} in tensors, {resident_ratio:.3f} in resident memory".format(
                **found["memory"]
            )
        ],
        f"the driver of {driver['study']}, {driver['candidates']} candidates, ms a candidate": [
            f"asking {driver['asking_ms']:.1f}, the ledger {driver['telling_ms']:.1f}"
        ],
    }
    return "\n".join(line for title, rows in parts.items() for line in ("", f"{title}:", *rows))


def _ratio(row: dict[str, Any]) -> str:
    others = {name[5:]: times for name, times in row.items() if name.startswith("over_")}
    times = ", ".join(f"{way} x {times:.2f}" for way, times in others.items())
    return f"{_name(row)} {row['candidates']:>5} {row['candidates_per_second']:>9.2f}   {times}"


def _share(row: dict[str, Any]) -> str:
    of = f"{row['members']} students, {row['averages']:>4} averages"
    return f"{_name(row)} {of}: {row['share']:.0%}"


def _agreement(row: dict[str, Any]) -> str:
    apart = (
        f"{row['apart']} of {row['accuracies']} differ, "
        f"by {row['mean']:.1e} on average and {row['most']:.4f} at most"
    )
    return f"{_name(row)} {row['way']:<12} | {row['beside']:<10} {row['candidates']:>4} candidates: {apart}"


def _peaks(measurements: list[dict[str, Any]]) -> list[str]:
    most: dict[str, dict[str, float]] = {}
    for measured in measurements:
        way = most.setdefault(measured["way"], {})
        for name, peak in measured["peaks"].items():
            way[name] = max(way.get(name, 0.0), peak)
    return [
        f"{way:<13} " + ", ".join(f"{name} {peak:.0f}" for name, peak in peaks.items())
        for way, peaks in most.items()
    ]


def _name(row: dict[str, Any]) -> str:
    return f"{row['model']:<4} {row['study']:<7}"
