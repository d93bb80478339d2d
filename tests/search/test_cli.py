"""The command line as a user meets it: what it prints, what it writes, what it refuses."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from search.cli import COMMANDS, main
from search.folders import load
from search.ledger import NAME, Ledger
from search.studyfile import shipped
from search.tables import read
from tests.search.running import TEXT, findings, opened

EQUIPOISE = [sys.executable, "-P", "-m", "search"]
COLUMNS = 80


def equipoise(*words):
    """The exit code, and what was printed to either stream."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:  # argparse's
            code = error.code
    return code, out.getvalue(), err.getvalue()


def refused(*words):
    """The lines of a refusal; it has exit code 2."""
    code, _, err = equipoise(*words)
    assert code == 2, err
    assert "Traceback" not in err
    lines = err.splitlines()
    assert 1 <= len(lines) <= 10
    return lines


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder to stand in, in which no store is named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    (tmp_path / "tiny.yaml").write_text(TEXT)
    return tmp_path


@pytest.fixture(scope="module")
def launched(tmp_path_factory, with_store):
    """A study that was launched to its end, and what the launch printed."""
    place = tmp_path_factory.mktemp("launched")
    (place / "tiny.yaml").write_text(TEXT)
    directory = with_store(place / "study")
    code, out, err = equipoise(
        "launch", place / "tiny.yaml", "--engine", "local", "--dir", directory
    )
    assert code == 0, err
    return directory, out


@pytest.fixture(scope="module")
def study(launched):
    return launched[0]


# --- help ---------------------------------------------------------------------------------------


def test_without_a_command_it_prints_help():
    code, out, err = equipoise()
    assert (code, out) == (2, "")
    assert "equipoise launch digits-frontier" in err


def test_version():
    code, out, _ = equipoise("--version")
    assert (code, out.split()[0]) == (0, "equipoise")


def test_help_fits_a_terminal():
    code, out, _ = equipoise("--help")
    assert code == 0
    assert all(command.name in out for command in COMMANDS)
    assert max(map(len, out.splitlines())) <= COLUMNS


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_of_each_command_says_what_it_does_with_an_example(command):
    code, out, _ = equipoise(command.name, "--help")
    assert code == 0
    assert command.does in " ".join(out.split())
    assert f"  equipoise {command.name}" in out.partition("options:")[2]
    assert max(map(len, out.splitlines())) <= COLUMNS


def test_a_command_that_is_none():
    code, _, err = equipoise("lanuch")
    assert code == 2
    assert "invalid choice: 'lanuch'" in err


# --- before a launch -----------------------------------------------------------------------------


def test_studies_are_listed_and_shown():
    _, out, _ = equipoise("studies")
    assert [line.split()[0] for line in out.splitlines()] == list(shipped())
    _, text, _ = equipoise("studies", "--show", "smoke")
    assert "name: smoke\n" in text
    assert refused("studies", "--show", "smok") == [
        "smok: no shipped study has this name (did you mean 'smoke'?)"
    ]


def test_check():
    code, out, _ = equipoise("check", "tiny.yaml", "--set", "seed=3")
    assert code == 0
    assert out.startswith("tiny.yaml: fine: 6 knobs, objectives plasticity (max), stability (max)")


def test_check_tells_every_problem_with_its_place(home):
    (home / "tiny.yaml").write_text(TEXT.replace("every", "evry").replace("tasks: 4", "tasks: x"))
    assert refused("check", "tiny.yaml") == [
        "tiny.yaml:2: scenario.blobs.tasks: a whole number is due, got 'x'",
        "tiny.yaml:11: averagers.0.ema.evry: unknown key (did you mean 'every'?)",
    ]


def test_check_refuses_a_student_that_never_fits():
    code, _, err = equipoise("check", "tiny.yaml", "--set", "fold.memory=1KiB")
    assert code == 2
    assert "tiny.yaml: fold: a student (mlp, finetune) with its 2 averages takes" in err


def test_plan():
    code, out, _ = equipoise("plan", "tiny.yaml")
    assert code == 0
    said = dict(line.split(maxsplit=1) for line in out.partition("\n\n")[0].splitlines())
    assert said["candidates"] == "24 over 6 knobs"
    assert said["students"].startswith("12 to train")
    assert said["memory"].endswith("KiB of tensors in the largest job")
    assert max(map(len, out.splitlines())) <= COLUMNS


# --- a study --------------------------------------------------------------------------------------


def test_a_launch_shows_progress_and_ends_with_the_front_and_every_place(launched):
    directory, out = launched
    assert "24/24 done:" in out
    assert "hypervolume" in out
    for place in ("ledger.jsonl", "mlflow.db", "reports/front.png", "reports/best/knee.yaml"):
        assert (directory / place).is_file()
        assert str(directory / place) in out
    assert (directory / "study.yaml").read_text() == TEXT
    tables = [line for line in out.splitlines() if str(directory) not in line]
    assert max(map(len, tables)) <= COLUMNS


def test_status(study):
    code, out, _ = equipoise("status", study, "--json")
    status = json.loads(out)
    assert code == 0
    assert {"candidates", "complete", "pruned", "failed", "running", "hypervolume"} <= set(status)
    history, file = load(study)
    assert status["candidates"] == 24 == status["complete"] + status["pruned"]
    assert (status["failed"], status["running"]) == (0, 0)
    assert status["hypervolume"] == history.hypervolume(file.goals)
    assert "complete " in equipoise("status", study)[1]


def test_front(study):
    code, out, _ = equipoise("front", study, "--json")
    front = json.loads(out)
    assert code == 0
    assert list(front) == ["objectives", "reference", "hypervolume", "front", "claims"]
    assert front["objectives"] == {"plasticity": "max", "stability": "max"}
    assert front["reference"] == {"plasticity": 0.0, "stability": 0.0}
    history, file = load(study)
    assert sorted(row["candidate"] for row in front["front"]) == history.front(file.goals)
    for row in front["front"]:
        assert set(row) == {"candidate", "values", "config"}
        assert set(row["config"]) == {"recipe", "averager"}
    assert "knee" in equipoise("front", study)[1]


def a_complete(study):
    return load(study)[0].in_state("complete")[-1]


@pytest.mark.parametrize("pick", ["knee", "plasticity", "stability", a_complete])
def test_what_is_exported_trains_to_exactly_what_was_recorded(study, pick):
    pick = pick(study) if callable(pick) else pick
    code, out, _ = equipoise("export", study, "--pick", pick, "--out", "some/best.yaml")
    assert code == 0
    assert out.endswith("train it with: equipoise train some/best.yaml\n")
    code, out, _ = equipoise("train", "some/best.yaml", "--out", "weights")
    assert code == 0
    assert "reproduces the recorded validation metrics exactly" in out
    assert "weights: weights/weights.pt" in out
    assert out.split("\n", 1)[0].split() == ["validation", "test"]
    said = json.loads(Path("weights/metrics.json").read_text())
    candidate = int(
        Path("some/best.yaml").read_text().partition("\n  candidate: ")[2].partition("\n")[0]
    )
    assert said["validation"]["rows"] == [list(row) for row in load(study)[0].rows(candidate)]


def test_train_writes_beside_its_file_by_default(study):
    equipoise("export", study, "--pick", "knee", "--out", "best.yaml")
    assert equipoise("train", "best.yaml")[0] == 0
    assert names_in("best") == ["metrics.json", "weights.pt"]


def test_tabulate(study, tmp_path):
    code, out, _ = equipoise("tabulate", study, "--out", tmp_path / "study.parquet")
    assert code == 0
    assert len(read(tmp_path / "study.parquet")) == len(load(study)[0].outcomes)
    assert "candidates ->" in out


def test_sync_has_nothing_left_to_do(study):
    code, out, _ = equipoise("sync", study)
    assert code == 0
    assert out.startswith("MLflow is up to date: 0 runs created, 0 updated")


def test_ui_answers_on_this_machine_and_ends_with_ctrl_c(study):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with started("ui", str(study), "--port", str(port)) as ui:
        assert f"http://127.0.0.1:{port}" in ui.stdout.readline()
        assert answer(f"http://127.0.0.1:{port}/health") == b"OK"
        os.killpg(ui.pid, signal.SIGINT)
        assert ui.wait(30) == 0


@contextlib.contextmanager
def started(*arguments):
    """The command in a group of its own, which Ctrl-C reaches and which ends with its test.

    A signal that is ignored, as it is where a shell started these tests in the background, would
    be ignored by what they start.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [*EQUIPOISE, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def answer(url, *, tries=300):
    for _ in range(tries):
        with contextlib.suppress(URLError), urlopen(url, timeout=5) as page:
            return page.read()
        Event().wait(0.2)
    raise AssertionError(url)


def test_a_study_of_which_everything_fails(home, with_store):
    with_store(home / "wild")
    (home / "wild.yaml").write_text(TEXT.replace("!log [1.0e-2, 0.5]", "1.0e+30"))
    code, out, err = equipoise("launch", "wild.yaml", "--engine", "local", "--dir", "wild")
    assert code == 1
    assert err.splitlines() == [
        "no candidate trained to the end of the stream: 24 failed",
        "    24 x diverged: not finite after task 0",
    ]
    assert "train it with" not in out
    assert (home / "wild" / "reports" / "candidates.csv").is_file()
    assert equipoise("front", "wild")[:2] == (
        0,
        "The front is empty: no candidate has finished the whole stream.\n",
    )
    assert refused("export", "wild", "--pick", "knee", "--out", "best.yaml") == [
        "pick 'knee': the front is empty: no candidate has finished the whole stream"
    ]
    assert refused("export", "wild", "--pick", "3", "--out", "best.yaml") == [
        "candidate 3 is failed; only complete ones can be picked (front: empty)"
    ]


# --- stopping and going on ------------------------------------------------------------------------


def test_ctrl_c_says_how_to_go_on_and_going_on_ends_as_if_never_stopped(home, study):
    command = ["launch", "tiny.yaml", "--engine", "local", "--dir", "cut"]
    with started(*command, "--set", "budget.candidates=4000") as driver:
        while "done:" not in driver.stdout.readline():
            assert driver.poll() is None
        os.killpg(driver.pid, signal.SIGINT)
        _, err = driver.communicate(timeout=60)
    assert driver.returncode == 130
    assert err.strip() == "stopped, nothing is lost; go on with: equipoise resume cut"
    [line] = refused("launch", "tiny.yaml", "--engine", "local", "--dir", "cut")
    assert f"holds a study already; go on with `equipoise resume {home / 'cut'}`" in line
    history = load(home / "cut")[0]
    assert history.counts()["running"] > 0
    with Ledger.open(home / "cut"):
        assert refused("resume", "cut", "--engine", "local") == [
            f"{home / 'cut'}: another process is running this study"
        ]


def test_resume(home, study, with_store):
    ledger = (study / NAME).read_bytes()
    with_store(home / "cut")
    (home / "cut" / NAME).write_bytes(ledger[: len(ledger) // 2])
    code, out, err = equipoise("resume", "cut", "--engine", "local")
    assert code == 0, err
    assert "ledger   cut/ledger.jsonl" in out
    assert findings(load(home / "cut")[0]) == findings(load(study)[0])


def test_a_finished_study_is_not_resumed(study):
    assert refused("resume", study, "--engine", "local") == [
        f"{study}: this study is finished (24 candidates); see `equipoise front {study}`"
    ]


# --- what cannot be done --------------------------------------------------------------------------


def nothing_written(home):
    return names_in(home) == ["tiny.yaml"]


@pytest.mark.parametrize(
    "words,complaint",
    [
        ("smke", "smke: no shipped study has this name (did you mean 'smoke'?), and there is"),
        ("nope.yaml", "nope.yaml: there is no such file"),
        (".", ".: is a folder; a file is due"),
        ("tiny.yaml --set seed", "--set seed: a path and a value are due, such as a.b=v"),
        ("tiny.yaml --set sede=1", "--set sede=1: sede: unknown key (did you mean 'seed'?)"),
        ("tiny.yaml --dir tiny.yaml", "--dir {home}/tiny.yaml: cannot be made, since"),
        ("tiny.yaml --dir tiny.yaml/a/b", "--dir {home}/tiny.yaml/a/b: cannot be made, since"),
        ("tiny.yaml --set tracking=http://127.0.0.1:1", "tracking http://127.0.0.1:1: cannot be"),
        ("tiny.yaml --set tracking=ftp://there", "tracking ftp://there: not a tracking store"),
        ("tiny.yaml --engine ray --address 127.0.0.1:1", "--address 127.0.0.1:1: no Ray cluster"),
        ("tiny.yaml --engine ray --address nowhere", "--address nowhere: give HOST:PORT, ray://"),
        ("tiny.yaml --engine ray --address h:port", "--address h:port: give HOST:PORT, ray://"),
        ("tiny.yaml --address auto", "--address: the local engine knows no cluster; leave out"),
        ("tiny.yaml --set resources.cpu=4000", "tiny.yaml: resources.cpu: a job wants 4000, here:"),
        ("tiny.yaml --set resources.gpu=900", "tiny.yaml: resources.gpu: a job wants 900, here:"),
    ],
)
def test_a_launch_that_is_refused_leaves_nothing_behind(home, words, complaint):
    [line] = refused("launch", "--engine", "local", *words.split())
    assert line.startswith(complaint.format(home=home))
    assert nothing_written(home)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_an_address_where_another_service_answers_is_no_cluster(home, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = Thread(target=hang_up, args=(server, answer))
        thread.start()
        [line] = refused("launch", "tiny.yaml", "--address", f"127.0.0.1:{port}")
        thread.join()
    assert "no Ray cluster answers there (another service has this port)" in line
    assert nothing_written(home)


def hang_up(server, answer):
    line, _ = server.accept()
    with line:
        line.recv(100)
        line.sendall(answer)


def test_a_device_that_is_not_there_is_refused_at_once(home):
    missing = "mps" if sys.platform == "linux" else "cuda"
    for engine in ("local", "ray"):
        [line] = refused("launch", "tiny.yaml", "--engine", engine, "--set", f"device={missing}")
        assert line.startswith(f"tiny.yaml: device: PyTorch finds no {missing} device here")
    assert nothing_written(home)


@pytest.mark.parametrize(
    "words", ["resume {}", "status {}", "front {}", "export {} --pick knee --out b.yaml", "sync {}",
              "ui {}"],
)  # fmt: skip
def test_a_folder_that_is_no_study(home, words):
    (home / "empty").mkdir()
    for folder, why in (("empty", f"no {NAME} in it"), ("missing", "no such folder")):
        [line] = refused(*words.format(folder).split())
        assert line.endswith(f"{folder}: not a study's folder ({why})")
    assert names_in(".") == ["empty", "tiny.yaml"]


def test_a_ledger_that_is_none(home):
    (home / "odd").mkdir()
    (home / "odd" / NAME).write_text("hello\n")
    [line] = refused("status", "odd")
    assert line.startswith("odd/ledger.jsonl:1: not an event:")


@pytest.mark.parametrize(
    "pick,complaint",
    [
        ("kne", "pick 'kne': not a candidate's number (did you mean 'knee'?)"),
        ("-1", "pick '-1': not a candidate's number (one of knee, plasticity, stability)"),
        ("99", "candidate 99 does not exist; only complete ones can be picked (front: "),
    ],
)
def test_what_cannot_be_picked(home, study, pick, complaint):
    [line] = refused("export", study, f"--pick={pick}", "--out", "best.yaml")
    assert line.startswith(complaint)
    assert nothing_written(home)


def test_a_pruned_candidate_cannot_be_picked(study):
    pruned = load(study)[0].in_state("pruned")[0]
    [line] = refused("export", study, "--pick", pruned, "--out", "best.yaml")
    assert line.startswith(f"candidate {pruned} is pruned; only complete ones can be picked")


def test_a_study_in_which_nothing_is_complete_yet(home):
    with opened(home / "young") as running:
        running.next_job()
    assert json.loads(equipoise("front", "young", "--json")[1])["front"] == []
    assert json.loads(equipoise("status", "young", "--json")[1])["hypervolume"] == 0
    refused("export", "young", "--pick", "knee", "--out", "best.yaml")


@pytest.mark.parametrize("out", ["tiny.yaml/best.yaml", "."])
def test_a_place_that_cannot_be_written(home, study, out):
    [line] = refused("export", study, "--pick", "knee", "--out", out)
    assert line.startswith("--out ")
    assert nothing_written(home)


def test_weights_that_could_not_be_written_are_not_trained(home, study):
    equipoise("export", study, "--pick", "knee", "--out", "best.yaml")
    [line] = refused("train", "best.yaml", "--out", "tiny.yaml/weights")
    assert line.startswith("--out tiny.yaml/weights: cannot be made, since")


@pytest.mark.parametrize(
    "old,new,complaint",
    [
        ("momentum:", "momentun:", "unknown key (did you mean 'momentum'?)"),
        ("seed: 0", "seed: -1", "seed: must be at least 0, got -1"),
        ("device: cpu", "device: tpu", "device: 'auto', 'cpu', 'cuda' or 'mps' is due, got 'tpu'"),
        ("dims: 8", "dims: 1", "scenario.blobs.dims: must be at least 2, got 1"),
        ("kind: mlp", "kind: cnn", "unknown key"),
    ],
)
def test_a_configuration_with_a_fault(home, study, old, new, complaint):
    ema = next(
        c
        for c in load(study)[0].in_state("complete")
        if load(study)[0].candidates[c].config["averager"]["kind"] == "ema"
    )
    equipoise("export", study, "--pick", ema, "--out", "best.yaml")
    text = (home / "best.yaml").read_text()
    assert old in text
    (home / "best.yaml").write_text(text.replace(old, new))
    lines = refused("train", "best.yaml")
    assert any(line.startswith("best.yaml:") and complaint in line for line in lines)
    assert not (home / "best").exists()


def test_a_configuration_whose_model_does_not_fit(home):
    (home / "odd.yaml").write_text(
        "scenario: {kind: blobs}\nrecipe: {model: {kind: cnn}}\naverager: {kind: student}\n"
    )
    [line] = refused("train", "odd.yaml")
    assert line.startswith("odd.yaml: a cnn of 2 blocks takes images")


def test_a_configuration_that_diverges(home):
    (home / "wild.yaml").write_text(
        "scenario: {kind: blobs}\nrecipe: {optimizer: {kind: sgd, lr: 1.0e+30}}\n"
        "averager: {kind: student}\n"
    )
    code, out, _ = equipoise("train", "wild.yaml")
    assert code == 1
    assert "diverged: not finite after task 0" in out
    assert not (home / "wild").exists()


@pytest.mark.parametrize("name", ["tiny.yaml", "missing.yaml", "."])
def test_a_file_that_is_no_configuration(home, name):
    assert refused("train", name)
    assert nothing_written(home)
