"""Forecasts: quartiles over seeds, of each number of workers."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from reports import forecasts as reports
from search import studyfile
from search.engines.virtual import Fleet
from search.forecasts import forecast
from search.simulation import simulate
from search.worlds import Arc
from tests.search.running import TEXT

FILE = studyfile.read_text(TEXT, "tiny.yaml", ["sampler={kind: random}", "seed=7"])
WORLD = Arc(knobs=FILE.space.knobs(), trade="recipe.optimizer.lr", tasks=4)
FLEETS = [Fleet(workers=w, stragglers=0.3, failures=20.0) for w in (1, 5)]


def test_quartiles_are_of_searches_with_their_own_seeds(capsys):
    found = list(forecast(FILE, WORLD, FLEETS, 3))
    assert [f.workers for f in found] == [1, 5]
    alone = [
        simulate(
            replace(FILE, seed=s), WORLD, Fleet(workers=5, stragglers=0.3, failures=20.0, seed=s)
        )
        for s in (7, 8, 9)
    ]
    walls = [a.usage.wall for a in alone]
    assert found[1].figures["wall"] == pytest.approx(np.percentile(walls, [25, 50, 75]))
    volumes = [a.history.hypervolume(FILE.goals) for a in alone]
    assert found[1].figures["hypervolume"][1] == pytest.approx(np.median(volumes))
    assert found[0].figures["wall"][1] > found[1].figures["wall"][1]
    assert found[0].figures["utilisation"] == pytest.approx((1, 1, 1))
    reports.render(found, Console(width=200))
    said = capsys.readouterr().out
    assert f"{np.median(walls):.1f}" in said and "medians of 3 searches" in said
    assert [row["workers"] for row in reports.to_json(found)] == [1, 5]
