"""Preflight: what keeps a study from running here, told before anything is started or written."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

import torch

from search.jobs import device_of
from search.ledger import NAME
from spaces.problems import SpecError
from trainables.devices import device_called

if TYPE_CHECKING:
    from pathlib import Path

    from search.studyfile import StudyFile

Engine: TypeAlias = Literal["ray", "local"]

PATIENCE = 5.0
"""Seconds until a cluster counts as unreachable. Ray itself would try for two minutes."""


SETTINGS = 4
FRAME_HEAD = 9
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])
"""How an HTTP/2 connection begins (RFC 9113, 3.4): the preface, and a frame of no settings. The
other side's first frame is one of settings too."""


def check_engine(file: StudyFile, engine: Engine, address: str | None) -> None:
    """Raises SpecError, within seconds, if ``engine`` cannot run ``file`` here or at ``address``."""
    if address is not None:
        if engine == "local":
            raise SpecError(["--address: the local engine knows no cluster; leave out one of them"])
        _knock(address)
        return  # what devices there are is the cluster's to say
    _check_device(file)
    if engine == "local":
        _check_resources(file)


def check_new(directory: Path) -> None:
    """Raises SpecError if no study can be begun in ``directory``. Makes nothing."""
    ledger = directory / NAME
    if ledger.is_file() and ledger.stat().st_size:
        told = f"go on with `equipoise resume {directory}`, or give another --dir"
        raise SpecError([f"{directory}: holds a study already; {told}"])
    check_folder("--dir", directory)


def check_folder(option: str, folder: Path) -> None:
    """Raises SpecError if ``folder``, or what is to hold it, is no folder that can be written."""
    at = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not at.is_dir():
        raise SpecError([f"{option} {folder}: cannot be made, since {at} is a file"])
    if not os.access(at, os.W_OK | os.X_OK):
        raise SpecError([f"{option} {folder}: cannot be written, since {at} may not be"])


def _check_device(file: StudyFile) -> None:
    try:
        device_called(device_of(file))
    except ValueError as error:
        raise SpecError([f"{file.source}: device: {error}"]) from None


def _check_resources(file: StudyFile) -> None:
    """Of this process; what a cluster has is Ray's to say."""
    have = {"cpu": os.cpu_count() or 1, "gpu": torch.accelerator.device_count()}
    wants = {"cpu": file.resources.cpu, "gpu": file.resources.gpu}
    problems = [
        f"{file.source}: resources.{name}: a job wants {wants[name]:g}, here: {here}"
        for name, here in have.items()
        if wants[name] > here
    ]
    if problems:
        raise SpecError(problems)


def _knock(address: str) -> None:
    """Whether somebody at ``address`` speaks as Ray does; whether it is Ray, Ray finds out."""
    if address in {"auto", "local"}:
        return
    host, port = _place(address)
    try:
        with socket.create_connection((host, port), PATIENCE) as line:
            why = _greeted(line)
    except OSError as error:
        why = error.strerror or str(error)
    if why:
        raise SpecError(
            [f"--address {address}: no Ray cluster answers there ({why}); is `ray start` running?"]
        )


def _greeted(line: socket.socket) -> str:
    """What is wrong with the answer to a greeting; nothing if it is HTTP/2's, which gRPC speaks."""
    if os.environ.get("RAY_USE_TLS", "0") not in {"", "0"}:
        return ""  # an encrypted server answers no such greeting
    line.settimeout(PATIENCE)
    line.sendall(GREETING)
    answer = b""
    while len(answer) < FRAME_HEAD and (part := line.recv(FRAME_HEAD - len(answer))):
        answer += part
    settings = len(answer) == FRAME_HEAD and answer[3] == SETTINGS
    return "" if settings else "another service has this port"


def _place(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise SpecError([f"--address {address}: give HOST:PORT, ray://HOST:PORT or auto"])
    return host, port
