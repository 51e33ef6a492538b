"""The command line as a person or a program meets it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from cvrl_napari import __version__
from cvrl_napari.cli.main import app
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import Pause, Stop
from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.engine.events import CaseEmbedded, Event, Paused, Progress, RunDone, RunFailed, StepDone, parse_event
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

COMMANDS = Path(__file__).parents[2] / "docs" / "commands.md"
VERBS = {name: verb for name, verb in get_command(app).commands.items() if not verb.hidden}  # type: ignore[attr-defined]
QUICK = ["--steps", "2", "--preset", "quick", "--device", "cpu", "--threads", "1"]


def cvrl(*words: object) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def start(*words: object) -> subprocess.Popen[str]:
    """Run the command line in a process of its own, with pipes."""
    command = [sys.executable, "-m", "cvrl_napari", *(str(word) for word in words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder with scans a, b, c and beside it one with masks of a and c."""
    for name in "abc":
        for folder, array in (("scans", np.arange(512, dtype=np.int16)), ("masks", (np.arange(512) < 100).astype(np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            if folder == "scans" or name != "b":
                nib.save(nib.Nifti1Image(array.reshape(8, 8, 8), np.eye(4)), tmp_path / folder / f"{name}.nii.gz")
    return tmp_path / "scans"


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "study"
    create_phantom(folder, size=0.25).close()
    return folder


@pytest.fixture(scope="module")
def run(phantom: Path) -> Path:
    """The folder of a run of two steps."""
    answer = cvrl("train", phantom, *QUICK)
    assert answer.exit_code == 0, answer.output
    return Path(answer.stdout.strip())


def test_the_version_is_told() -> None:
    assert cvrl("--version").stdout.strip() == __version__


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_in_the_documentation(verb: str) -> None:
    (section,) = re.findall(rf"^## cvrl {verb}\n(.*?)(?=^## |\Z)", COMMANDS.read_text(), flags=re.MULTILINE | re.DOTALL)
    options = {name for one in VERBS[verb].params for name in one.opts if name.startswith("--") and not one.hidden}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", section)) >= options - {"--help"}


def test_the_documentation_has_no_other_options() -> None:
    options = {name for verb in VERBS.values() for one in verb.params for name in one.opts} | {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z-]+", COMMANDS.read_text())) <= options


def test_help_of_train_is_that_of_the_settings() -> None:
    told = {one.name: one.help for one in VERBS["train"].params}
    for name, field in TrainRequest.model_fields.items():
        assert told[name] == field.description


def test_new_makes_a_study_in_the_order_of_the_list(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "order.txt").write_text("c\nb\na\n")
    options = ["--labels", tmp_path / "masks", "--classes", "left atrium", "--list", tmp_path / "order.txt", "--held-out", "1"]
    answer = cvrl("new", tmp_path / "study", "--scans", scans, *options)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.strip().endswith("study: 1 labeled, 1 unlabeled, 1 held out")
    with Study.open(tmp_path / "study") as study:
        assert [case.id for case in study.cases] == ["c", "b", "a"]
        assert study.held_out_cases() == ("a",)
        assert [each.name for each in study.classes] == ["left atrium"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("new made --scans nowhere", "nowhere"),
        ("new made --scans scans --labels nowhere", "nowhere"),
        ("new made --scans scans --list nowhere.txt", "nowhere.txt"),
        ("new made --scans scans --held-out 9", "--held-out 9"),
        ("train nowhere", "nowhere"),
        ("train nowhere --minutes 0", "--minutes 0"),
        ("predict nowhere.safetensors scans/a.nii.gz --output out", "nowhere.safetensors"),
        ("evaluate nowhere scans", "nowhere"),
        ("embed nowhere.safetensors scans/a.nii.gz --output out", "nowhere.safetensors"),
        ("embed nowhere.safetensors scans/a.nii.gz", "Give SCAN and --output"),
        ("embed nowhere.safetensors --cache --case a", "Give --study and --case"),
        ("embed nowhere.safetensors --cache --study nowhere --case a", "nowhere"),
        ("project nowhere.npz --output out", "nowhere.npz"),
        ("benchmark --output out", "either a protocol or --study"),
        ("benchmark liver --output out", "liver"),
        ("benchmark hippocampus --output out", "--data"),
        ("benchmark hippocampus --data nowhere --output out", "nowhere"),
        ("benchmark --study nowhere --output out", "nowhere"),
        ("benchmark hippocampus --output out --methods magic", "magic"),
        ("benchmark hippocampus --output out --set momentum", "--set momentum"),
    ],
)
def test_bad_input_gives_one_sentence(words: str, complaint: str, scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scans.parent)
    answer = cvrl(*words.split())
    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert complaint in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (scans.parent / "made").exists()
    assert not (scans.parent / "out").exists()


def test_a_program_is_told_of_bad_input_by_an_event(tmp_path: Path) -> None:
    answer = cvrl("train", tmp_path / "nowhere", "--json")
    assert answer.exit_code == 2
    told = parse_event(answer.stdout)
    assert isinstance(told, RunFailed)
    assert "nowhere" in told.message


def test_train_prints_the_folder_of_the_run(run: Path) -> None:
    assert (run / "model.safetensors").is_file()
    assert (run / "events.jsonl").is_file()


def test_predict_and_evaluate_go_on_from_there(run: Path, phantom: Path, tmp_path: Path) -> None:
    scan = phantom / "scans" / "phantom_01.nii.gz"
    answer = cvrl("predict", run / "model.safetensors", scan, "--output", tmp_path / "out", "--device", "cpu")
    assert answer.exit_code == 0, answer.output
    mask = tmp_path / "out" / "phantom_01.nii.gz"
    assert f"{scan} -> {mask}: chamber " in answer.stderr
    np.testing.assert_array_equal(nib.load(mask).affine, nib.load(scan).affine)
    measured = cvrl("evaluate", mask, phantom / "labels" / "phantom_01.nii.gz", "--json")
    assert measured.exit_code == 0, measured.output
    assert 0 <= json.loads(measured.stdout)["cases"][0]["dice"] <= 1
    assert "| Dice |" in cvrl("evaluate", mask, phantom / "labels" / "phantom_01.nii.gz").stdout


def test_cases_of_a_study_are_predicted_and_embedded_by_their_ids(run: Path, phantom: Path, tmp_path: Path) -> None:
    output = ("--study", phantom, "--output", tmp_path / "out", "--device", "cpu")
    answer = cvrl("predict", run / "model.safetensors", "phantom_02", *output)
    assert answer.exit_code == 0, answer.output
    assert nib.load(tmp_path / "out" / "phantom_02.nii.gz").shape == nib.load(phantom / "scans" / "phantom_02.nii.gz").shape
    assert cvrl("embed", run / "model.safetensors", "phantom_02", *output).exit_code == 0
    assert (tmp_path / "out" / "phantom_02_embeddings.npz").is_file()
    assert "has no case 'phantom_99'" in cvrl("predict", run / "model.safetensors", "phantom_99", *output).stderr


def test_a_study_of_two_channels_and_one_of_several_volumes(tmp_path: Path) -> None:
    for name in ("a_t1", "a_t2"):
        nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4)), tmp_path / f"{name}.nii")
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6, 3), np.int16), np.eye(4)), tmp_path / "times.nii")
    assert cvrl("new", tmp_path / "one", "--scans", tmp_path, "--channels", "t1,t2").exit_code == 0
    (case,) = Study.open(tmp_path / "one", read_only=True).cases
    assert [image.scan.name for image in case.images] == ["a_t1.nii", "a_t2.nii"]
    assert cvrl("new", tmp_path / "two", "--scans", tmp_path, "--part", "all").exit_code == 0
    counts = {one.id: len(one.images) for one in Study.open(tmp_path / "two", read_only=True).cases}
    assert counts == {"a_t1": 1, "a_t2": 1, "times": 3}
    for words, complaint in (
        (("--part", "first"), "--part first is no volume"),
        (("--part", "all", "--channels", "t1"), "both"),
    ):
        assert complaint in cvrl("new", tmp_path / "three", "--scans", tmp_path, *words).stderr


def test_labels_made_elsewhere_are_imported(tmp_path: Path) -> None:
    scan, theirs = tmp_path / "scans" / "a.nii", tmp_path / "theirs.nii"
    scan.parent.mkdir()
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), np.eye(4)), scan)
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[0], labels[1] = 17, 4
    nib.save(nib.Nifti1Image(labels, np.eye(4)), theirs)
    study = tmp_path / "study"
    assert cvrl("new", study, "--scans", scan.parent, "--classes", "left atrium, aorta").exit_code == 0
    assert '--values "4=left atrium"' in cvrl("import-labels", study, "a", theirs).stderr.replace("\n", " ")
    answer = cvrl("import-labels", study, "a", theirs, "--values", "17=aorta,4=background", "--complete")
    assert answer.exit_code == 0, answer.output
    opened = Study.open(study, read_only=True)
    assert opened.case("a").state == "complete"
    assert opened.read_labels("a")[0, 0].tolist() == opened.read_labels("a")[3, 2].tolist()  # x alone tells them apart
    assert sorted(opened.read_labels("a")[0, 0].tolist()) == [0, 0, 2, 255]
    assert "no class 'liver'" in cvrl("import-labels", study, "a", theirs, "--values", "17=liver").stderr


def test_embed_writes_into_the_output_folder(run: Path, phantom: Path, tmp_path: Path) -> None:
    scan = phantom / "scans" / "phantom_01.nii.gz"
    answer = cvrl("embed", run / "model.safetensors", scan, "--output", tmp_path / "out", "--device", "cpu")
    assert answer.exit_code == 0, answer.output
    assert any((tmp_path / "out").iterdir())


def test_cases_are_embedded_into_the_cache_of_their_study(run: Path, phantom: Path) -> None:
    cases = ("--case", "phantom_01", "--case", "phantom_02")
    answer = cvrl("embed", run / "model.safetensors", "--study", phantom, *cases, "--cache", "--device", "cpu", "--json")
    assert answer.exit_code == 0, answer.output
    events = [parse_event(line) for line in answer.stdout.splitlines()]
    assert [event.case for event in events if isinstance(event, CaseEmbedded)] == ["phantom_01", "phantom_02"]
    study = Study.open(phantom, read_only=True)
    assert all(load_embeddings(study, run / "model.safetensors", case) is not None for case in ("phantom_01", "phantom_02"))


def test_features_are_projected(tmp_path: Path) -> None:
    np.savez(tmp_path / "sample.npz", rows=np.random.default_rng(0).normal(size=(50, 4)))
    answer = cvrl("project", tmp_path / "sample.npz", "--output", tmp_path / "xy.npy", "--method", "pca", "--json")
    assert answer.exit_code == 0, answer.output
    assert isinstance(parse_event(answer.stdout.splitlines()[-1]), Progress)
    assert np.load(tmp_path / "xy.npy").shape == (50, 2)


def events_of(process: subprocess.Popen[str]) -> list[Event]:
    """Events up to the end of the process, which must end well."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return [parse_event(line) for line in out.splitlines()]


def wait_for(kind: type, process: subprocess.Popen[str]) -> None:
    """Read events until one of a kind comes."""
    assert process.stdout is not None
    for line in process.stdout:
        if isinstance(parse_event(line), kind):
            return
    raise AssertionError(f"no {kind.__name__}")


@pytest.mark.slow
def test_commands_on_standard_input_steer_a_run(phantom: Path) -> None:
    process = start("train", phantom, *QUICK, "--steps", "100000", "--json")
    assert process.stdin is not None
    wait_for(StepDone, process)
    print(Pause().line(), file=process.stdin, flush=True)
    wait_for(Paused, process)
    print(Stop().line(), file=process.stdin, flush=True)
    last = events_of(process)[-1]
    assert isinstance(last, RunDone)
    assert last.stopped
    assert Path(last.model).is_file()


@pytest.mark.parametrize(("order", "answer"), [('["--version"]\n', f"{__version__}\n"), ("", "")])
def test_a_process_that_waits_does_what_it_is_told_and_leaves_when_nobody_is_there_to_tell(order: str, answer: str) -> None:
    process = start("wait")
    out, err = process.communicate(order, timeout=120)
    assert (process.returncode, out) == (0, answer), err


@pytest.mark.slow
def test_an_order_is_followed_by_commands_for_the_run(phantom: Path) -> None:
    process = start("wait")
    order = ["train", str(phantom), *QUICK, "--steps", "100000", "--json", "--attached"]
    assert process.stdin is not None
    print(json.dumps(order), file=process.stdin, flush=True)
    wait_for(StepDone, process)
    print(Pause().line(), file=process.stdin, flush=True)
    wait_for(Paused, process)
    last = events_of(process)[-1]
    assert isinstance(last, RunDone)
    assert last.stopped


@pytest.mark.slow
def test_a_run_ends_and_saves_when_the_viewer_dies(phantom: Path) -> None:
    process = start("train", phantom, *QUICK, "--steps", "100000", "--json", "--attached")
    wait_for(StepDone, process)
    last = events_of(process)[-1]
    assert isinstance(last, RunDone)
    assert last.stopped


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_a_run_ends_and_saves_when_it_is_terminated(phantom: Path) -> None:
    process = start("train", phantom, *QUICK, "--steps", "100000", "--json")
    wait_for(StepDone, process)
    process.terminate()
    last = events_of(process)[-1]
    assert isinstance(last, RunDone)
    assert last.stopped


def test_the_demo_without_a_window_compares_the_methods(phantom: Path) -> None:
    from cvrl_napari.cli.demo import compare_methods

    table = compare_methods(phantom, TrainRequest(steps=2, preset="quick", device="cpu", threads=1))
    assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == ["supervised", "cvrl"]


def test_a_benchmark_on_a_study_prints_its_report(phantom: Path, tmp_path: Path) -> None:
    words = ["benchmark", "--study", phantom, "--output", tmp_path / "out", "--folds", "2", "--methods", "supervised"]
    answer = cvrl(*words, "--steps", "1", "--device", "cpu", "--threads", "1")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.startswith("## study study, 2 folds")
    assert answer.stdout == (tmp_path / "out" / "report.md").read_text()
    stopped = cvrl(*words, "--steps", "1", "--seeds", "0,1", "--minutes-at-a-time", "0.0000001", "--device", "cpu")
    assert stopped.exit_code == 0, stopped.output
    assert "2 of 4 runs are left to do" in stopped.stderr


def test_the_doctor_names_versions_and_devices() -> None:
    answer = cvrl("doctor")
    assert answer.exit_code == 0, answer.output
    assert f"cvrl-napari {__version__}" in answer.stdout
    assert re.search(r"^Device cpu: ", answer.stdout, flags=re.MULTILINE)
    assert re.search(r"^Training and prediction will run on: (cpu|cuda)", answer.stdout, flags=re.MULTILINE)
    assert re.search(r"^GL version: |^! napari cannot open a window", answer.stdout, flags=re.MULTILINE)
