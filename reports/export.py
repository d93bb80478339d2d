"""A candidate as a file that trains it again: ``equipoise train best.yaml``."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from search.history import History
    from search.studyfile import StudyFile

HEAD = """\
# Candidate {candidate} of the study {name}. Train it, and test it on the test set, with
#   equipoise train best.yaml
# On the machine that ran the study this repeats the accuracies under provenance exactly.
"""


class _Dumper(yaml.SafeDumper):
    """Floats by their repr, which reads back bit for bit; words in quotes where another reader guesses."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        """Every value is written out, though several places may share it."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the signature is PyYAML's
        """Lists stand indented under their key."""
        super().increase_indent(flow, indentless=False)


def _word(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """In double quotes unless it is a plain word to every reader of YAML."""
    node = dumper.represent_str(text)
    if text.replace("_", "").replace("-", "").isalpha() and text.isascii():
        return node
    return dumper.represent_scalar(node.tag, text, style='"')


def _numbers(dumper: yaml.SafeDumper, items: list[Any] | tuple[Any, ...]) -> yaml.SequenceNode:
    """Rows of numbers on one line."""
    flat = not any(isinstance(item, dict | list | tuple) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(str, _word)
_Dumper.add_representer(list, _numbers)
_Dumper.add_representer(tuple, _numbers)


def export(
    history: History, study: StudyFile, candidate: int, directory: Path, *, exported: str = ""
) -> str:
    """The text of a ``trainables.configurations.Configuration`` for a complete ``candidate``.

    ``directory`` is the study's folder and ``exported`` the time of day, both for the record.
    """
    said = configuration(
        study,
        history.candidates[candidate].config,
        seed=history.jobs[history.job_of[candidate]].seed,
        provenance=provenance(history, candidate, directory, exported=exported),
    )
    head = HEAD.format(candidate=candidate, name=history.opened.name)
    return head + dump(said)


def configuration(
    study: StudyFile, config: dict[str, Any], *, seed: int, provenance: dict[str, Any]
) -> dict[str, Any]:
    """What a configuration's file says of the recipe and averager in ``config``."""
    looks = {} if study.evaluate is None else {"evaluate": {"every": study.evaluate.every}}
    return {
        "scenario": _fields(study.scenario),
        "recipe": config["recipe"],
        "averager": config["averager"],
        **looks,
        "seed": seed,
        "device": _device(study),
        "threads": max(1, int(study.resources.cpu)),
        "provenance": provenance,
    }


def provenance(
    history: History, candidate: int, directory: Path, *, exported: str = ""
) -> dict[str, Any]:
    """Where a candidate comes from and what it scored: rows[k] is tasks 0..k after task k."""
    opened, outcome = history.opened, history.outcomes[candidate]
    told = {
        "study": opened.name,
        "ledger": f"{opened.name} {opened.created}",
        "folder": str(directory),
        "candidate": candidate,
        "values": outcome.values,
        **_seeds(history, candidate),
        "validation": [list(row) for row in history.rows(candidate)],
        "versions": opened.versions,
        "git": opened.git,
    }
    return {**told, "exported": exported} if exported else told


def _seeds(history: History, candidate: int) -> dict[str, Any]:
    """What each seed of a repeated candidate scored, and the means that its front is of."""
    names = tuple(history.outcomes[candidate].values)
    if not (errors := history.errors(candidate, names)):
        return {}
    ended = [t for t in history.trainings(candidate) if t in history.outcomes]
    each = [
        {
            "candidate": t,
            "seed": history.candidates[t].config["recipe"].get("seed", 0),
            "values": history.outcomes[t].values,
        }
        for t in ended
    ]
    return {"means": history.final(candidate), "standard_errors": errors, "seeds": each}


def _device(study: StudyFile) -> str:
    """What ``auto`` came to where jobs are given no GPU; with one, auto again finds it."""
    given = study.resources.gpu > 0
    return "cpu" if study.device == "auto" and not given else study.device


def _fields(spec: Any) -> dict[str, Any]:
    """The kind and every field of a spec, defaults included: they may change from version to version."""
    fields = dataclasses.asdict(spec)
    return {"kind": fields.pop("kind"), **fields}


def dump(data: Any) -> str:
    """``data`` as YAML that ``spaces.yamls.parse`` reads back as the very same values."""
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=False,
    )
    return text
