"""What tests of several folders ask for."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def threads(request):
    """PyTorch on as many threads as the test is parametrized with; on one, if it is not."""
    before = torch.get_num_threads()
    torch.set_num_threads(getattr(request, "param", 1))
    yield
    torch.set_num_threads(before)
