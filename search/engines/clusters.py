"""A Ray to run on: one of our own on this machine, or a cluster that is there already."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from search.guards import NAMES
from spaces.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.settings import Resources

QUIET = {
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # jobs stay in the folder that they were started in
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the ledger has it all
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours to handle
    "RAY_AIR_NEW_OUTPUT": "0",  # with verbose=0: no tables
}


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """A connection to Ray, left as it was found, with Tune quiet and out of the way."""
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ |= QUIET
    ours = not ray.is_initialized()
    try:
        if ours:
            _connect(address)
        yield
    finally:
        if ours:
            ray.shutdown()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def slots(resources: Resources) -> int:
    """How many jobs the cluster can hold at once. Raises SpecError if it cannot hold one."""
    have = ray.cluster_resources()
    wants = {"CPU": resources.cpu, "GPU": resources.gpu}
    room = {k: int(have.get(k, 0) / w) for k, w in wants.items() if w > 0}
    if (most := min(room.values(), default=1)) < 1:
        short = next(k for k, n in room.items() if n < 1)
        raise SpecError(
            [f"resources: a job wants {wants[short]:g} {short}, here: {have.get(short, 0):g}"]
        )
    return most


def _connect(address: str | None) -> None:
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        ray.init(address="local", include_dashboard=False, **quiet)
        return
    root = Path(__file__).resolve().parents[2]
    modules = [str(root / package) for package in NAMES]
    try:
        ray.init(address=address, runtime_env={"py_modules": modules}, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise SpecError([f"--address {address}: {first}; {_advice()}"]) from None


def _advice() -> str:
    """Ray asks for a token by default, but does not send one to an address that is spelt out."""
    if os.environ.get("RAY_AUTH_MODE") is None:
        return "if that cluster wants a token, set RAY_AUTH_MODE=token, or use --address auto there"
    return "is the token in ~/.ray/auth_token that cluster's?"
