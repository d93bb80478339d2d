"""What tests of several folders ask for."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest
import torch

from reports.tracker.mirror import open_client


def pytest_configure(config):
    """Code that tests compile is kept for one run of them, and shared by its processes: these inherit where."""
    if "EQUIPOISE_CACHE" not in os.environ:
        folder = tempfile.TemporaryDirectory()
        os.environ["EQUIPOISE_CACHE"] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.fixture
def threads(request):
    """PyTorch on as many threads as the test is parametrized with; on one, if it is not."""
    before = torch.get_num_threads()
    torch.set_num_threads(getattr(request, "param", 1))
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A database of MLflow's to be copied: it takes seconds to make its tables."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_client(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def with_store(empty_store):
    """Makes a folder of which MLflow's database is there already."""

    def make(directory):
        directory.mkdir()
        shutil.copy(empty_store, directory)
        return directory

    return make
