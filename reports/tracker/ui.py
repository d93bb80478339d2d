"""MLflow's own pages over a study's store."""

from __future__ import annotations

import os
import subprocess
import sys

from reports.tracker.stores import check


def serve(uri: str, *, port: int) -> int:
    """Shows the store at ``uri`` on 127.0.0.1 until interrupted. The exit code.

    A store that is a server already has its pages: says where. Raises SpecError if it is not there.
    """
    check(uri)
    if uri.startswith(("http://", "https://")):
        sys.stdout.write(f"MLflow is at {uri}\n")
        return 0
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    sys.stdout.write(f"MLflow: http://127.0.0.1:{port} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}
    try:
        done = subprocess.run(command, env=quiet | os.environ, check=False)  # noqa: S603 - our own words
    except KeyboardInterrupt:
        return 0
    return done.returncode
