"""Names and values as MLflow takes them: a few characters, bounded lengths, text only."""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_NAME = 250
LONGEST_PARAM = 6000
LONGEST_TAG = 8000

_FOREIGN = re.compile(r"[^/\w.\- ]")


def safe(name: str) -> str:
    """``name`` if MLflow takes it; else what it takes of it and a digest, so that no two collide.

    MLflow takes letters, digits, ``_-./ `` and space, up to 250, where the name is also a path in
    its normal form (``mlflow.utils.validation``).
    """
    cleaned = _FOREIGN.sub("_", name)
    if posixpath.normpath(cleaned) != cleaned or cleaned.startswith(("/", "..")) or cleaned == ".":
        cleaned = cleaned.replace("/", "_").strip(".")
    if cleaned == name and 0 < len(name) <= LONGEST_NAME:
        return name
    digest = sha256(name.encode(errors="replace")).hexdigest()[:8]
    return f"{cleaned[: LONGEST_NAME - 9]}-{digest}"


def cut(text: str, longest: int) -> str:
    """``text``, its end left out where it is longer than MLflow takes."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def params(values: Mapping[str, Any]) -> dict[str, str]:
    """Plain values by name, as MLflow's parameters."""
    return {safe(name): cut(text(value), LONGEST_PARAM) for name, value in values.items()}


def flat(prefix: str, value: Any) -> dict[str, Any]:
    """The leaves of nested mappings and specs by dotted name; a list is a leaf."""
    return dict(_leaves(prefix, value))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    value = _plain(value)
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _leaves(f"{name}.{key}" if name else str(key), inner)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return value


def text(value: Any) -> str:
    """As JSON, but that a text is itself."""
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_inner)
    )


def _inner(value: Any) -> Any:
    plain = _plain(value)
    return str(value) if plain is value else plain
