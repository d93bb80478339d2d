"""MLflow's own pages over a study's store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from tempfile import TemporaryFile

from reports.tracker.stores import check, without_password
from spaces.problems import SpecError

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def serve(uri: str, *, port: int) -> int:
    """Shows the store at ``uri`` on 127.0.0.1 until interrupted. The exit code.

    A store that is a server already has its pages: says where. Raises SpecError if it is not
    there, or the port is taken.
    """
    check(uri)
    if uri.startswith(("http://", "https://")):
        sys.stdout.write(f"MLflow is at {without_password(uri)}\n")
        return 0
    _refuse_taken(port)
    sys.stdout.write(f"MLflow: http://127.0.0.1:{port} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    command = [sys.executable, "-P", "-m", "mlflow", "server", "--backend-store-uri", uri]
    return _run([*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"])


def _refuse_taken(port: int) -> None:
    try:
        with socket.create_server(("127.0.0.1", port)):
            pass
    except (OSError, OverflowError) as error:
        code = getattr(error, "errno", None)
        why = os.strerror(code) if code else error
        raise SpecError([f"port {port}: {why}; give another --port"]) from None


def _run(command: list[str]) -> int:
    """Runs a server that is quiet unless it fails, and ends all of it when we are interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603 - our own words
            command, env=_QUIET | os.environ, stdout=log, stderr=log, process_group=0
        ) as server,
    ):
        try:
            code = server.wait()
        except KeyboardInterrupt:
            os.killpg(server.pid, signal.SIGTERM)
            return 0
        log.seek(0)
        sys.stderr.write("".join(log.readlines()[-10:]))
    return code
