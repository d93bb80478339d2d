from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.commands.base import NOTHING_TRAINED, Command
from spaces.problems import SpecError

if TYPE_CHECKING:
    import argparse


def _run(options: argparse.Namespace) -> int:
    from search.preflight import check_folder
    from trainables import configurations

    configuration = configurations.read(options.configuration)
    out = options.out or options.configuration.with_suffix("")
    check_folder("--out", out)
    try:
        result = configurations.train(configuration, out)
    except ValueError as error:
        raise SpecError([f"{options.configuration}: {error}"]) from None
    print(result.report())
    return NOTHING_TRAINED if result.failed else 0


def _configuration(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "configuration", metavar="FILE", type=Path, help="as `equipoise export` writes it"
    )
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the checkpoint (default: FILE without its ending)",
    )


TRAIN = Command(
    name="train",
    does="Train one configuration to a checkpoint, and test it.",
    more="""\
Prints every metric on the validation and the test sets and says whether it is
what the study recorded. Writes weights.pt and metrics.json.
  equipoise train best.yaml
  equipoise train best.yaml --out models/best
""",
    options=(_configuration,),
    run=_run,
)
