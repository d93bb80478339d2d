"""A Ray of our own, started once for all tests in this folder that ask for it."""

from __future__ import annotations

import pytest
import ray


@pytest.fixture(scope="session")
def local_ray():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
