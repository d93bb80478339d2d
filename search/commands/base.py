"""A command of ``equipoise``, and the words that several of them take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import argparse

Option: TypeAlias = "Callable[[argparse.ArgumentParser], None]"
"""Adds one word, or some that belong together, to a command's parser."""

NOTHING_TRAINED = 1
"""The exit code where what was asked for was done, and nothing trained to its end."""
INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One command: what it ``does`` in a sentence, ``more`` to know with examples, what runs it.

    ``run`` returns the exit code and raises SpecError for what the user can mend. It imports what it
    needs when it runs: `equipoise --help` should not wait for torch.
    """

    name: str
    does: str
    more: str
    options: tuple[Option, ...]
    run: Callable[[argparse.Namespace], int]


def study(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "study", metavar="STUDY", help="a study file, or the name of a shipped one"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="A.B=VALUE",
        help="change one value of the study; VALUE is YAML, tags such as !log included; may be repeated",
    )


def directory(command: argparse.ArgumentParser) -> None:
    command.add_argument("dir", metavar="DIR", type=Path, help="a study's folder")


def engine(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine",
        choices=("ray", "local"),
        default="ray",
        help="ray: Ray Tune, here or on a cluster (default); local: one job after another, in "
        "this process",
    )
    command.add_argument(
        "--address",
        metavar="ADDR",
        help="an existing Ray cluster: HOST:PORT, ray://HOST:PORT or auto (default: a Ray of its "
        "own, on this machine)",
    )


def as_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON (default: text)")


def file_to_write(ending: str) -> Option:
    """``--out``, a file of that sort."""

    def out(command: argparse.ArgumentParser) -> None:
        told = f"the file to write ({ending})"
        command.add_argument("--out", type=Path, required=True, metavar="FILE", help=told)

    return out
