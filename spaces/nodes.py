"""Nodes: the tree that YAML text stands for, before anything is made of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.nodes import Node, ScalarNode
from yaml.reader import ReaderError

from spaces.domains import BROKEN

_PREFIX = "tag:yaml.org,2002:"
_ALIAS = "tag:equipoise:alias"

CORE: dict[str, Callable[[str], Any]] = {
    f"{_PREFIX}str": str,
    f"{_PREFIX}int": int,
    f"{_PREFIX}float": float,
    f"{_PREFIX}bool": {"true": True, "false": False}.__getitem__,
    f"{_PREFIX}null": lambda _: None,
    _ALIAS: lambda _: BROKEN,
}
"""What a scalar of each tag means."""


class _Composer(yaml.SafeLoader):
    """Composes nodes; collects anchors and aliases, which are refused, in ``refused``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.refused: list[tuple[int, str]] = []

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # untyped in PyYAML's stubs
        if event.anchor is not None:
            sign = "*" if self.check_event(yaml.AliasEvent) else "&"
            refusal = f"anchors and aliases are not read: write out what {sign}{event.anchor} means"
            self.refused.append((event.start_mark.line + 1, refusal))
        if self.check_event(yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]  # likewise
            return ScalarNode(_ALIAS, "", event.start_mark, event.end_mark)
        event.anchor = None
        return super().compose_node(parent, index)


_Composer.yaml_implicit_resolvers = {}  # its own, not those of YAML 1.1
for _kind, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?([0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)",
        list("-+0123456789."),
    ),
):
    _Composer.add_implicit_resolver(_PREFIX + _kind, re.compile(f"^({_pattern})$"), _first)


def compose(text: str) -> tuple[Node | None, list[tuple[int, str]]]:
    """The root of ``text``, None if there is none; and what was refused, each with its line."""
    try:
        composer = _Composer(text)
        return composer.get_single_node(), composer.refused
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [
            (line, f"not YAML: the character #x{error.character:04x} may not be in a text")
        ]
    except yaml.MarkedYAMLError as error:
        return None, [_syntax(error)]
    except RecursionError:
        return None, [(1, "nested too deeply to be read")]


def _syntax(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    problem = error.problem or "it cannot be read"
    if r"'\t'" in problem:
        problem = "a tab: indent with spaces"
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    if "another document" in problem:
        return line, "a second document begins here: one is due"
    began = error.context_mark
    since = f" ({error.context}, from line {began.line + 1})" if error.context and began else ""
    return line, f"not YAML: {problem}{since}"
