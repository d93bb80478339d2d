"""What the laws are tried on is what a study file could say."""

from __future__ import annotations

import pytest
from hypothesis import find
from hypothesis.errors import NoSuchExample

from search.budgets import Gain
from search.samplers.tpe import Tpe
from tests.contracts.cases import specs_of


@pytest.mark.parametrize("kind, name", [(Tpe, "share"), (Gain, "below")])
def test_an_end_that_a_field_excludes_is_never_drawn(kind, name):
    with pytest.raises(NoSuchExample):
        find(specs_of(kind), lambda spec: not 0 < getattr(spec, name) < 1)
