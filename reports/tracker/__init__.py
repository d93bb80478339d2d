"""MLflow as a mirror of the ledger: whatever it holds of a study can be made again from there."""

from reports.tracker.follow import follow
from reports.tracker.recall import recall
from reports.tracker.stores import check, tracking_uri, without_password
from reports.tracker.sync import Synced, sync
from reports.tracker.ui import serve

__all__ = [
    "Synced",
    "check",
    "follow",
    "recall",
    "serve",
    "sync",
    "tracking_uri",
    "without_password",
]
