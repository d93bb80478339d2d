"""The tracker: MLflow ends as the ledger says, whatever happened to the tracker in between."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import _validate_metric_name, _validate_param_name
from sqlalchemy import event
from sqlalchemy.engine import Engine

from reports.tracker import check, serve, stores, sync, tracking_uri, without_password
from reports.tracker.curves import Curve
from reports.tracker.follow import GONE, Driver
from reports.tracker.mirror import Mirror, open_client
from reports.tracker.names import LONGEST_PARAM, safe
from reports.tracker.rows import identity
from reports.tracker.sync import LOCK, alone
from search.events import Asked, Ended, Outcome, Queued, Resumed
from search.folders import study_of
from search.history import History
from search.ledger import Ledger, read
from spaces.problems import SpecError
from tests.reports.studies import asked, ended, opened
from tests.reports.studies import study_of as study_file

CREATED = 1_935_817_689_000  # studies.opened().created in milliseconds


@cache
def story():
    """Candidates 0, 1, 2 make the front, 3 is beaten, 4 pruned, 5 diverged, 6 raised at once."""
    first = opened()
    study, rng = study_file(History.of([first])), np.random.default_rng(0)
    return (
        first,
        *(asked(c, study, rng) for c in range(7)),
        Queued(job=0, members=((0, 1), (2,), (3,)), seed=11),
        Queued(job=1, members=((4,), (5,), (6,)), seed=12),
        *ended(3, (0.7, 0.5), at=1.0),  # on the front until candidate 1 comes
        *ended(0, (0.9, 0.3), at=1.5),
        *ended(1, (0.8, 0.6), at=2.0),
        *ended(4, (0.99, 0.99), at=2.5, state="pruned", tasks=2),
        *ended(5, (0.5, 0.5), at=2.75, state="failed", tasks=1),
        Outcome(candidate=6, state="failed", values={}, task=0, at=2.8, reason="raised Oops: no"),
        *ended(2, (0.4, 0.7), at=3.0),
        Ended(reason="budget", at=3.5),
    )


@pytest.fixture
def fresh(empty_store, tmp_path):
    """A new study folder of these events, with an empty store of its own."""

    def make(events, name="study"):
        directory = tmp_path / name
        with Ledger.create(directory, events[0]) as ledger:
            ledger.append(*events[1:])
        shutil.copy(empty_store, directory / "mlflow.db")
        return directory

    return make


def store(directory):
    return f"sqlite:///{directory / 'mlflow.db'}"


def mirrored(directory, events=None):
    """Runs alone, without the pictures."""
    history = History.of(events or read(directory))
    mirror = Mirror.connect(store(directory), directory, study_of(history), history)
    mirror.write(history)
    mirror.settle("FINISHED" if history.ended else "RUNNING", history)
    return mirror


def snapshot(directory):
    """All that a store says of its runs, by name; ids are the store's own."""
    client = open_client(store(directory))
    experiments = [e.experiment_id for e in client.search_experiments()]
    runs = client.search_runs(experiments, max_results=1000)
    parents = {r.info.run_id for r in runs if "equipoise.study" in r.data.tags}
    told = {}
    for run in runs:
        history = [
            sorted(
                (m.key, m.value, m.step, m.timestamp)
                for m in client.get_metric_history(run.info.run_id, key)
            )
            for key in sorted(run.data.metrics)
        ]
        tags = dict(run.data.tags)
        tags.pop("equipoise.directory", None)
        if "mlflow.parentRunId" in tags:
            tags["mlflow.parentRunId"] = str(tags["mlflow.parentRunId"] in parents)
        row = (
            run.info.status,
            run.info.start_time,
            run.info.end_time,
            tags,
            run.data.params,
            history,
        )
        told.setdefault(run.info.run_name, []).append(row)
    return told


@pytest.fixture(scope="module")
def reference(empty_store, tmp_path_factory):
    """The snapshot of the whole story told at once."""
    directory = tmp_path_factory.mktemp("reference")
    shutil.copy(empty_store, directory / "mlflow.db")
    mirrored(directory, story())
    return snapshot(directory)


# --- what is written ----------------------------------------------------------------------------


def test_who_breaks_a_constraint_is_tagged_and_never_on_the_front(fresh):
    bounded = opened(overrides=("constraints={forgetting: '<= 0.35'}",))
    directory = fresh((bounded, *story()[1:]))
    synced = sync(directory, store(directory))
    client = open_client(store(directory))
    parent = client.get_run(synced.parent)
    assert parent.data.params["constraints.forgetting"] == "<= 0.35"
    runs = client.search_runs([synced.experiment], "tags.feasible = 'false'")
    assert [r.data.tags["equipoise.candidate"] for r in runs] == ["0"]
    on = client.search_runs([synced.experiment], "tags.pareto = 'true' and tags.feasible = 'true'")
    assert {r.data.tags["equipoise.candidate"] for r in on} == {"1", "2"}
    assert len(client.search_runs([synced.experiment], "tags.pareto = 'true'")) == 2
    assert parent.data.metrics["hypervolume"] == pytest.approx(0.8 * 0.6 + 0.4 * 0.1)


def test_further_seeds_decide_who_keeps_a_constraint_as_they_decide_the_front(fresh):
    """Told at once, in parts and again; a repeat itself is judged by its own."""
    bounded = opened(overrides=("constraints={forgetting: '<= 0.35'}",))
    begun, further = (bounded, *story()[1:-1]), (*again(0, 7, (0.7, 0.7)), *again(1, 8, (0.9, 0.2)))
    events = (*begun, *further, *again(2, 9, (0.5, 0.5), state="failed"))
    whole, parts = fresh(events, "whole"), fresh(events, "parts")
    mirrored(whole)
    for cut in (len(begun), len(begun) + 6, len(begun) + len(further)):
        mirrored(parts, events[:cut])
    assert feasible(parts)[:3] == ["true", "false", "true"]
    last = mirrored(parts)
    assert (last.created, last.updated) == (
        1,
        2,
    )  # 2 is on no front any more, and neither kept nor broke it
    assert feasible(parts) == feasible(whole)
    assert feasible(whole) == [
        "true",
        "false",
        "unknown",
        "true",
        *[None] * 3,
        "true",
        "false",
        None,
    ]
    on_front = {
        n for n, ((*_, tags, _, _),) in snapshot(whole).items() if tags.get("pareto") == "true"
    }
    assert on_front == {"candidate-0000"}
    assert snapshot(parts) == snapshot(whole)
    assert mirrored(parts).updated == 0


def again(first, number, values, state="complete"):
    """Another training of candidate ``first``."""
    config = next(e.config for e in story() if isinstance(e, Asked) and e.candidate == first)
    return (
        Asked(candidate=number, knobs={}, config=config, repeats=first),
        Queued(job=number, members=((number,),), seed=number),
        *ended(number, values, at=5.0, state=state),
    )


def feasible(directory):
    """What the store says of each candidate."""
    told = sorted(snapshot(directory).items())
    return [tags.get("feasible") for name, ((*_, tags, _, _),) in told if "candidate" in name]


def test_the_store_says_what_the_ledger_says(fresh):
    directory = fresh(story())
    synced = sync(directory, store(directory))
    assert (synced.runs_created, synced.runs_updated) == (7, 0)
    client = open_client(store(directory))
    parent = client.get_run(synced.parent)
    assert client.get_experiment(synced.experiment).name == "hand-made"
    assert (parent.info.run_name, parent.info.status) == ("hand-made", "FINISHED")
    assert (parent.info.start_time, parent.info.end_time) == (CREATED, CREATED + 3500)
    assert parent.data.params["seed"] == "3"
    assert parent.data.params["scenario.kind"] == "blobs"
    assert parent.data.params["objectives.names"] == '["plasticity", "stability"]'
    assert parent.data.params["space.recipe.optimizer.lr"] == "!log [0.001, 1.0]"
    assert parent.data.tags["equipoise.directory"] == str(directory)
    assert parent.data.tags["equipoise.version.torch"] == "2.13.0"
    counts = {s: parent.data.tags[f"equipoise.{s}"] for s in ("candidates", "pruned", "running")}
    assert counts == {"candidates": "7", "pruned": "1", "running": "0"}
    volumes = client.get_metric_history(synced.parent, "hypervolume")
    assert [v.step for v in volumes] == [1, 2, 3, 4]
    assert volumes[0].value == pytest.approx(0.7 * 0.5)
    history = History.of(story())
    goals = study_of(history).goals
    assert volumes[-1].value == pytest.approx(history.hypervolume(goals))
    assert parent.data.metrics["complete"] == 4
    assert parent.data.metrics["device_seconds"] == pytest.approx(history.device_seconds())
    artifacts = {a.path for a in client.list_artifacts(synced.parent)}
    assert {"front.csv", "front.json", "front.png", "front.html", "study.yaml", "best"} <= artifacts
    assert (directory / "reports" / "front.html").exists()
    html = client.download_artifacts(synced.parent, "front.html")
    assert "hand-made" in Path(html).read_text()


def test_a_complete_candidate(reference):
    ((status, start, end, tags, params, metrics),) = reference["candidate-0001"]
    assert (status, start, end) == ("FINISHED", CREATED + 1750, CREATED + 2000)
    assert (tags["pareto"], tags["fidelity"], tags["equipoise.candidate"]) == ("true", "full", "1")
    assert (tags["equipoise.job"], tags["mlflow.parentRunId"]) == ("0", "True")
    wanted = next(e for e in story() if isinstance(e, Asked) and e.candidate == 1)
    assert params["seed"] == "11"
    assert float(params["recipe.optimizer.lr"]) == wanted.config["recipe"]["optimizer"]["lr"]
    assert params["averager.kind"] == wanted.config["averager"]["kind"]
    assert set(map(str, wanted.knobs)) <= set(params)
    points = {(key, step): (value, at) for series in metrics for key, value, step, at in series}
    assert points["accuracy/task_2", 2] == (0.8, CREATED + 2000)
    assert points["accuracy/task_0", 2] == (0.6, CREATED + 2000)
    assert points["seconds", 2] == (0.75, CREATED + 2000)
    assert points["plasticity", 2] == (0.8, CREATED + 2000)
    final = next(e for e in story() if isinstance(e, Outcome) and e.candidate == 1).values
    assert len(points) == 6 + 3 + len(final)


def test_candidates_that_did_not_finish(reference):
    ((status, *_, tags, _, metrics),) = reference["candidate-0004"]
    assert (status, tags["fidelity"], tags["pareto"]) == ("KILLED", "2/3", "false")
    names = {series[0][0] for series in metrics}
    assert {"partial/plasticity", "partial/stability"} <= names
    assert not {"plasticity", "stability"} & names
    ((status, *_, tags, _, _),) = reference["candidate-0005"]
    assert (status, tags["fidelity"]) == ("FAILED", "1/3")
    assert tags["equipoise.reason"] == "diverged: the average is not finite"
    ((status, start, end, tags, _, metrics),) = reference["candidate-0006"]
    assert (status, start, end, metrics) == ("FAILED", CREATED + 2800, CREATED + 2800, [])
    assert (tags["fidelity"], tags["equipoise.reason"]) == ("0/3", "raised Oops: no")


def test_the_front_is_told_apart_and_nothing_is_left_running(reference):
    on_front = {n for n, ((*_, tags, _, _),) in reference.items() if tags.get("pareto") == "true"}
    assert on_front == {"candidate-0000", "candidate-0001", "candidate-0002"}
    assert "RUNNING" not in {status for ((status, *_),) in reference.values()}
    assert len(reference) == 8


def test_what_mlflow_takes_at_once_is_respected(fresh):
    first = opened()
    study, rng = study_file(History.of([first])), np.random.default_rng(0)
    drawn = asked(0, study, rng)
    knobs = {f"recipe.strange {i} <é:ü>": "x" * 7000 if i == 0 else i / 7 for i in range(150)}
    knobs |= {"../up": True, "a//b": None, "n" * 300: [1, 2]}
    values = {"plasticity": 0.5, "stability": 0.5, "odd[metric]": 1.0}
    tasks = 45
    stream = ended(0, (0.5, 0.5), at=1.0, tasks=tasks)
    reason = "o" * 9000
    told = [first, replace(drawn, knobs=drawn.knobs | knobs), *stream[:-1]]
    told.append(replace(stream[-1], values=values, reason=reason))
    directory = fresh(told)
    mirrored(directory)
    ((_, _, _, tags, params, metrics),) = snapshot(directory)["candidate-0000"]
    assert len([n for n in params if n.startswith("recipe.strange ")]) == 150
    assert max(map(len, params.values())) == LONGEST_PARAM
    assert {"True", "true"} & set(params.values())
    assert len(tags["equipoise.reason"]) == 8000
    assert sum(len(series) for series in metrics) == tasks * (tasks + 1) // 2 + tasks + 3
    assert any(series[0][0].startswith("odd_metric_-") for series in metrics)


# --- again, in parts, after death ------------------------------------------------------------------


def test_told_twice_is_told_once(fresh, reference):
    directory = fresh(story())
    mirrored(directory)
    again = mirrored(directory)
    assert (again.created, again.updated) == (0, 0)
    assert snapshot(directory) == reference


@pytest.mark.parametrize("cuts", [(1,), (9, 10), (12, 17, 22), range(1, 30, 2)])
def test_told_in_parts_is_told_at_once(fresh, reference, cuts):
    """Each part by a tracker that knows nothing of the one before."""
    directory = fresh(story())
    for cut in cuts:
        mirrored(directory, story()[:cut])
    mirrored(directory)
    assert snapshot(directory) == reference


class CrashError(Exception):
    """Stands in for whatever a database does when it goes away."""


@contextmanager
def failing_after(commits):
    """Every commit of a database after so many of them fails."""
    left = iter(range(commits))

    def on_commit(_connection):
        if next(left, None) is None:
            raise CrashError

    event.listen(Engine, "commit", on_commit)
    try:
        yield
    finally:
        event.remove(Engine, "commit", on_commit)


@pytest.mark.parametrize("commits", [0, 1, 2, 3, 5, 7, 9, 11, 14, 20, 31])
def test_a_store_that_fails_at_any_commit_ends_the_same(fresh, reference, commits):
    directory = fresh(story())
    with failing_after(commits), pytest.raises((CrashError, MlflowException)):
        mirrored(directory)
    mirrored(directory)
    assert snapshot(directory) == reference


KILLED = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from reports.tracker.__main__ import main
left = iter(range(int(os.environ["COMMITS"])))
@event.listens_for(Engine, "commit")
def die(connection):
    if next(left, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main())
"""


def test_after_kill_9_the_next_pass_ends_the_same_and_says_one_line(fresh, reference):
    directory = fresh(story())
    arguments = [str(directory), "--uri", store(directory)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], env={**os.environ, "COMMITS": "23"}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert snapshot(directory) != reference
    done = subprocess.run(
        [sys.executable, "-m", "reports.tracker", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("MLflow is up to date: ")
    assert done.stdout.count("\n") == 1
    assert snapshot(directory) == reference


def test_twins_of_a_request_that_was_obeyed_twice_are_removed(fresh, reference):
    directory = fresh(story())
    first = mirrored(directory)
    client = open_client(store(directory))
    for run in (first.parent, *(r.info.run_id for r in client.search_runs([first.experiment]))):
        twin = client.get_run(run)
        client.create_run(
            first.experiment, twin.info.start_time + 1, twin.data.tags, twin.info.run_name
        )
    mirrored(directory)
    assert snapshot(directory) == reference


def test_runs_that_a_user_nested_are_left_alone(fresh, reference):
    directory = fresh(story())
    first = mirrored(directory)
    client = open_client(store(directory))
    own = client.create_run(first.experiment, 1, {"mlflow.parentRunId": first.parent}, "my-notes")
    mirrored(directory)
    assert client.get_run(own.info.run_id).info.lifecycle_stage == "active"
    assert {n: r for n, r in snapshot(directory).items() if n != "my-notes"} == reference


def test_a_study_that_goes_on_runs_again(fresh):
    directory = fresh(story())
    mirrored(directory)
    mirrored(directory, [*story(), Resumed(at=9.0)])
    assert snapshot(directory)["hand-made"][0][0] == "RUNNING"


def test_two_studies_of_one_name_share_a_store_and_nothing_else(fresh):
    directory = fresh(story())
    mirrored(directory)
    other = (replace(story()[0], created="2031-05-06T07:08:10+00:00"), *story()[1:])
    mirrored(directory, other)
    assert {name: len(rows) for name, rows in snapshot(directory).items()} == {
        "hand-made": 2,
        **{f"candidate-{c:04d}": 2 for c in range(7)},
    }
    assert identity(other[0]) != identity(story()[0])


def test_only_one_process_writes_a_studys_runs(fresh):
    directory = fresh(story())
    with alone(directory, fcntl.LOCK_EX), pytest.raises(SpecError, match="by another process"):
        sync(directory, store(directory))
    assert (directory / LOCK).exists()


# --- following -----------------------------------------------------------------------------------


def follower(directory, parent, uri=None, **environment):
    command = [sys.executable, "-m", "reports.tracker", str(directory), "--follow"]
    return subprocess.Popen(
        [*command, "--uri", uri or store(directory), "--parent", str(parent)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def test_following_ends_with_the_study(fresh, reference):
    directory = fresh(story()[:12])
    with follower(directory, os.getpid()) as process, Ledger.open(directory) as ledger:
        for event in story()[12:-1]:
            ledger.append(event)
        ledger.append(story()[-1])
        _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert snapshot(directory) == reference


def test_following_ends_with_the_driver_and_says_so(fresh):
    directory = fresh(story()[:20])
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as driver:
        process = follower(directory, driver.pid)
        driver.kill()
    with process:
        _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    ((status, _, _, tags, _, _),) = snapshot(directory)["hand-made"]
    assert (status, tags["equipoise.reason"]) == ("KILLED", GONE)
    mirrored(directory, story())
    ((status, _, _, tags, _, _),) = snapshot(directory)["hand-made"]
    assert (status, tags["equipoise.reason"]) == ("FINISHED", "")


def test_sigterm_ends_following_and_ctrl_c_is_the_drivers():
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        driver = Driver(os.getpid())
        os.kill(os.getpid(), signal.SIGINT)
        assert not driver.gone()
        os.kill(os.getpid(), signal.SIGTERM)
        driver.wait(60)
        assert driver.gone()
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)


def test_a_store_that_stays_away_costs_the_study_nothing_but_a_line(fresh):
    directory = fresh(story())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with follower(
        directory, os.getpid(), f"http://127.0.0.1:{port}", MLFLOW_HTTP_REQUEST_MAX_RETRIES="0"
    ) as process:
        _, errors = process.communicate(timeout=120)
    first, last = errors.splitlines()
    assert process.returncode == 1
    assert "the study goes on, trying again" in first
    assert "`equipoise sync" in last
    assert read(directory) == list(story())


# --- stores --------------------------------------------------------------------------------------


def test_the_study_file_decides_where_then_the_environment_then_the_folder(tmp_path, monkeypatch):
    study = study_file(History.of([opened()]))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert tracking_uri(study, Path("here")) == f"sqlite:///{tmp_path}/here/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://team:5000")
    assert tracking_uri(study, tmp_path) == "http://team:5000"
    assert tracking_uri(replace(study, tracking="http://mine"), tmp_path) == "http://mine"


def test_a_folder_that_is_still_to_be_made_will_do(tmp_path):
    check(f"sqlite:///{tmp_path}/runs/new/mlflow.db")


@pytest.mark.parametrize(
    "uri, says",
    [
        ("mlruns", "not a tracking store that MLflow knows; give sqlite:"),
        ("file:///tmp/mlruns", "not a tracking store"),
        ("ftp://example.org", "not a tracking store"),
        ("", "not a tracking store"),
        ("sqlite:///mlflow.db", "give an absolute path"),
        ("sqlite://", "give an absolute path"),
        ("sqlite:////{tmp}/text/mlflow.db", "text cannot be written"),
        ("sqlite:////{tmp}/text", "not an SQLite database"),
        ("sqlite:////{tmp}", "not an SQLite database"),
        ("http://", "not an address|no host|cannot be reached"),
        ("http://127.0.0.1:{closed}", "cannot be reached: .*refused"),
        ("postgresql://me:secret@127.0.0.1:{closed}/db", r"me:\*\*\*@127.*: cannot be reached"),
        ("http://nowhere.invalid:5000", "cannot be reached|no answer"),
    ],
)
def test_a_store_that_is_not_there_is_one_clear_line(tmp_path, uri, says):
    (tmp_path / "text").write_text("hello, this is no database")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    with pytest.raises(SpecError, match=says) as caught:
        check(uri.format(tmp=str(tmp_path).lstrip("/"), closed=closed))
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@contextmanager
def answering(status, body):
    """A web server that has one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "status, body, says",
    [
        (200, b"<html>Welcome", "not an MLflow server"),
        (404, b"Not Found", r"not an MLflow server \(HTTP 404\)"),
        (503, b"{}", r"not an MLflow server \(HTTP 503\)"),
        (403, b"Invalid Host header - possible DNS rebinding attack", "--allowed-hosts 127.0.0.1"),
    ],
)
def test_a_server_of_another_kind_is_told_apart(status, body, says):
    with answering(status, body) as uri, pytest.raises(SpecError, match=says):
        check(uri)


@pytest.mark.parametrize(
    "status, body",
    [(200, b'{"experiment": {}}'), (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'), (401, b"")],
)
def test_a_server_is_there_whatever_it_thinks_of_us(status, body):
    with answering(status, body) as uri:
        check(uri)


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(stores, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SpecError, match=r"no answer within|timed out"):
            check(uri)


def test_the_pages_of_a_server_are_its_own(capsys):
    with answering(200, b'{"experiment": {}}') as uri:
        assert serve(uri, port=5000) == 0
        assert capsys.readouterr().out == f"MLflow is at {uri}\n"


def test_a_port_that_is_taken_says_so(fresh):
    uri = store(fresh(story()[:1]))
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SpecError, match="Address already in use; give another --port"),
    ):
        serve(uri, port=taken.getsockname()[1])


def test_an_experiment_in_the_trash_says_how_to_get_it_out(fresh):
    directory = fresh(story())
    mirror = mirrored(directory)
    open_client(store(directory)).delete_experiment(mirror.experiment)
    with pytest.raises(
        SpecError, match=r"'hand-made' is in the trash: `mlflow experiments restore"
    ):
        sync(directory, store(directory))


# --- pure parts ----------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), unique=True, max_size=5))
@example(["", ".", "..", "a/", "/a", "a//b", "./a", "../a", "a/../b", "a:b", "a b", "a" * 251])
def test_every_name_is_one_that_mlflow_takes_and_no_two_become_one(names):
    made = [safe(name) for name in names]
    for name in made:
        _validate_metric_name(name)
        _validate_param_name(name)
        assert 0 < len(name) <= 250
    assert len(set(made)) == len(names)


@given(st.integers(1, len(story())), st.integers(1, len(story())))
@settings(deadline=None)
def test_the_curve_in_parts_is_the_curve_at_once(a, b):
    study = study_of(History.of(story()))
    parts = Curve(study.goals)
    told = [parts.points(History.of(story()[:cut])) for cut in (*sorted((a, b)), None)]
    assert [*chain(*told)] == Curve(study.goals).points(History.of(story()))


@pytest.mark.parametrize(
    "uri, shown",
    [
        ("sqlite:////data/mlflow.db", "sqlite:////data/mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql://me:secret@host:5432/runs", "postgresql://me:***@host:5432/runs"),
    ],
)
def test_a_password_is_never_shown(uri, shown):
    assert without_password(uri) == shown
