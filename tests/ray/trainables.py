"""Toy trainables that workers can import; ``case`` is (accuracy, latency)."""

from __future__ import annotations

from ray import tune


def steady(config):
    """Nine reports, all the same."""
    accuracy, latency = config["case"]
    for _ in range(9):
        tune.report({"accuracy": accuracy, "latency": latency})


def forgetful(config):
    """Leaves one metric out."""
    tune.report({"accuracy": config["case"][0]})
