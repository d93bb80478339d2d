"""What is installed, pinned and promised agrees: pyproject.toml, constraints.txt, README.md and the shipped studies."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from search import studyfile
from search.guards import HOME, NAMES

PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
README = (HOME / "README.md").read_text()
STUDIES = sorted(file.stem for file in (HOME / "search" / "studies").glob("*.yaml"))


def requirements(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines]


def pins() -> dict[str, Requirement]:
    lines = (HOME / "constraints.txt").read_text().splitlines()
    return {
        canonicalize_name(pin.name): pin
        for pin in requirements([line for line in lines if line and line[0] != "#"])
    }


def closure(root: str) -> set[str]:
    """Every project that installing ``root`` brings along on this machine."""
    wanted, seen = [Requirement(root)], set()
    while wanted:
        requirement = wanted.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        wanted += [
            needed
            for needed in requirements(importlib.metadata.requires(requirement.name) or [])
            if needed.marker is None
            or any(needed.marker.evaluate({"extra": extra}) for extra in {"", *requirement.extras})
        ]
    return {name for name, _ in seen} - {canonicalize_name(Requirement(root).name)}


def imported(file: Path) -> set[str]:
    """The top-level names that a module imports."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def test_the_installed_version_is_the_one_written_down():
    assert importlib.metadata.version("equipoise") == PROJECT["version"]


@pytest.mark.parametrize("name", NAMES)
def test_type_checkers_may_read_the_package(name):
    assert (HOME / name / "py.typed").exists()


def test_each_pin_is_exact():
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pins().values())


@pytest.mark.parametrize(
    "needed",
    requirements(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]),
    ids=lambda needed: needed.name,
)
def test_each_dependency_is_pinned_to_a_version_it_allows(needed):
    (pin,) = pins()[canonicalize_name(needed.name)].specifier
    assert needed.specifier.contains(pin.version)


def test_what_the_dependencies_bring_along_is_pinned_too():
    assert closure("equipoise[dev]") <= set(pins())


def test_each_foreign_import_is_a_dependency():
    names = set().union(*(imported(file) for name in NAMES for file in (HOME / name).rglob("*.py")))
    owners = importlib.metadata.packages_distributions()
    foreign = names - set(NAMES) - sys.stdlib_module_names
    declared = {canonicalize_name(needed.name) for needed in requirements(PROJECT["dependencies"])}
    undeclared = {
        name
        for name in foreign
        if declared.isdisjoint(canonicalize_name(owner) for owner in owners.get(name, ()))
    }
    assert not undeclared


@pytest.mark.parametrize("name", STUDIES)
def test_each_shipped_study_is_without_a_problem(name):
    assert studyfile.read(name).name == name


def test_the_study_of_the_demo_is_shipped():
    (study,) = re.findall(r"equipoise launch (\S+)", (HOME / "Makefile").read_text())
    assert study in STUDIES


# --- README.md -------------------------------------------------------------------------------------
# A fenced block straight after the comment <!-- run --> is a promise that is kept here: `python` runs from start to
# end; `yaml` is a study without a problem; `console` runs each `$ equipoise ...` line, and what is printed
# must hold the lines shown below it, in their order (`...` stands for any lines).


class Block(NamedTuple):
    line: int
    language: str
    text: str


def blocks() -> list[Block]:
    found = re.finditer(r"^<!-- run -->\n+```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [Block(README.count("\n", 0, m.start()) + 2, m[1], m[2]) for m in found]


def run(*arguments: str, cwd: Path) -> str:
    """What ``python ARGUMENTS`` prints, started from outside of the checkout. It has to succeed."""
    outcome = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout
    return outcome.stdout


COMMANDS = """
import json, sys
from search.__main__ import main
for words in json.loads(sys.argv[1]):
    print("$", *words)
    sys.argv = words
    assert main() == 0
"""


def run_console(text: str, cwd: Path) -> None:
    """Its commands one after the other in one process: most of the time of each is its start."""
    commands = [shlex.split(line[2:]) for line in text.splitlines() if line.startswith("$ ")]
    assert {program for program, *_ in commands} == {"equipoise"}
    said = run("-c", COMMANDS, json.dumps(commands), cwd=cwd)
    shown, printed = (re.split(r"^\$ ", each, flags=re.MULTILINE)[1:] for each in (text, said))
    for asked, told in zip(shown, printed, strict=True):
        lines = iter(told.splitlines())
        for expected in (s for s in asked.splitlines()[1:] if s.strip() not in {"", "..."}):
            assert any(expected.rstrip() == line.rstrip() for line in lines), expected


@pytest.mark.parametrize("block", blocks(), ids=lambda block: f"line-{block.line}")
def test_what_the_readme_promises_runs(block, tmp_path):
    match block.language:
        case "python":
            run("-c", block.text, cwd=tmp_path)
        case "yaml":
            studyfile.read_text(block.text, f"README.md:{block.line}")
        case "console":
            run_console(block.text, tmp_path)
        case _:
            pytest.fail(f"README.md:{block.line}: no way to run {block.language!r}")


@pytest.mark.parametrize("target", re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", README))
def test_what_the_readme_links_to_exists(target):
    assert (HOME / target).exists()


@pytest.mark.parametrize(
    "file, text",
    re.findall(r"<!-- the file (\S+) -->\n```\w+\n(.*?)^```$", README, re.DOTALL | re.MULTILINE),
)
def test_what_the_readme_shows_of_a_file_is_that_file(file, text):
    assert (HOME / file).read_text() == text
