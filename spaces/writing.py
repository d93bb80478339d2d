"""Writing: data as the YAML that a person would write, to be shown."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

from spaces.domains import Choice, Range
from spaces.same import Same
from spaces.schedules.constant import Constant

_PLAIN = re.compile(r"[a-zA-Z][a-zA-Z0-9_.]*")
_GUESSED = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Words that some reader of YAML takes for something else."""


def spelled(spec: Any) -> Any:
    """A spec as the data that it is read from, every default spelled out.

    A constant schedule within it is a bare number.
    """
    if dataclasses.is_dataclass(spec):
        values = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
        first = {"kind": values.pop("kind")} if "kind" in values else {}
        return first | {name: _inside(value) for name, value in values.items()}
    if isinstance(spec, dict):
        return {name: _inside(value) for name, value in spec.items()}
    return [_inside(value) for value in spec] if isinstance(spec, tuple | list) else spec


def _inside(value: Any) -> Any:
    return value.value if isinstance(value, Constant) else spelled(value)


def flow(data: Any) -> str:
    """``data`` on one line, holes included: ``{kind: ema, momentum: !near_one [0.9, 0.999]}``."""
    match data:
        case Range() | Choice() | Same():
            return _hole(data)
        case dict():
            return "{" + ", ".join(f"{flow(k)}: {flow(v)}" for k, v in data.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, data)) + "]"
        case str():
            plain = _PLAIN.fullmatch(data) and data.lower() not in _GUESSED
            return data if plain else json.dumps(data, ensure_ascii=False)
        case None | bool():
            return json.dumps(data)
    return repr(data)


def _hole(hole: Range | Choice | Same) -> str:
    if not isinstance(hole, Choice):
        return str(hole)
    plain, options = hole.prior is None, hole.options
    return f"!choice {flow(options if plain else {'options': options, 'prior': hole.prior})}"


def block(data: Any, width: int) -> list[str]:
    """Lines of ``data``: each part on one line that fits ``width``, and otherwise on several."""
    if len(flow(data)) <= width or not data or not isinstance(data, dict | list):
        return [flow(data)]
    pairs = data.items() if isinstance(data, dict) else ((None, item) for item in data)
    return [line for key, value in pairs for line in _entry(key, value, width)]


def _entry(key: Any, value: Any, width: int) -> list[str]:
    head = "- " if key is None else f"{flow(key)}: "
    if len(head) + len(flow(value)) <= width:
        return [head + flow(value)]
    below = block(value, width - 2)
    if key is None:
        return [head + below[0], *("  " + line for line in below[1:])]
    return [head.rstrip(), *("  " + line for line in below)]
