"""The verbs of the `cvrl` command, one short function each: they open, call the engine and show.

The study, the engine and torch are imported inside the verbs, so that `cvrl --help` answers at once.
"""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated

import typer

from cvrl_napari import __version__
from cvrl_napari.cli.audience import choose_audience, listen
from cvrl_napari.cli.control import Control, read_order, stop_on_signals
from cvrl_napari.cli.options import Asked, options_of, split_names
from cvrl_napari.cli.sentences import one_sentence
from cvrl_napari.config import BenchmarkRequest, DeviceName, ProjectionMethod, TrainRequest
from cvrl_napari.engine.commands import Command
from cvrl_napari.engine.events import RunDone
from cvrl_napari.engine.memory import keep_freed_memory

app = typer.Typer(
    help="Paint a few scans, train on all of them: semi-supervised 3D segmentation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON on standard output, for another program")]
Device = Annotated[DeviceName, typer.Option(help="Where to compute; 'auto' takes a GPU when there is one")]
ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="model.safetensors of a run")]
Output = Annotated[Path, typer.Option(help="Folder for the results")]
Channels = Annotated[
    str, typer.Option(metavar="T1,T2,...", help="Several images a case: what their names end in, the one to paint on first")
]
Part = Annotated[
    str, typer.Option(metavar="N|all", help="Of files with several volumes: which one, from 0, or all of them as channels")
]
Resample = Annotated[bool, typer.Option("--resample", help="Bring uneven or tilted DICOM slices to a regular grid")]
StudyFolder = Annotated[Path, typer.Argument(metavar="STUDY", help="Folder of the study")]


@app.callback(invoke_without_command=True)
def cvrl(version: Annotated[bool, typer.Option("--version", help="Print the version and leave")] = False) -> None:
    """Answer `cvrl --version`."""
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Folder of the study; made when it is not there")] = Path("demo-output"),
    minutes: Annotated[float, typer.Option(min=0.01, help="Training time of a method, minutes")] = 3.0,
    headless: Annotated[bool, typer.Option("--headless", help="No window: train supervised and cvrl, compare Dice")] = False,
    scripted: Annotated[bool, typer.Option("--scripted", help="Press Train without a person, then leave")] = False,
) -> None:
    """Open the phantom study in napari, ready to paint and train."""
    if headless:
        with one_sentence():
            from cvrl_napari.cli.demo import compare_methods

            print(compare_methods(folder, TrainRequest(minutes=minutes)))
        return
    arguments = ["--folder", str(folder), "--minutes", str(minutes), *(["--scripted"] if scripted else [])]
    raise typer.Exit(subprocess.call([sys.executable, "-P", "-m", "cvrl_napari.gui.demo", *arguments]))


@app.command()
def new(
    study: StudyFolder,
    scans: Annotated[Path, typer.Option(help="Folder of scans; they stay where they are and are never written to")],
    labels: Annotated[Path | None, typer.Option(help="Folder of masks; they match the scans by file name")] = None,
    classes: Annotated[
        str, typer.Option(metavar="A,B,...", help="Names of the label values 1, 2, ...; without it as many as the labels hold")
    ] = "",
    scan_list: Annotated[
        Path | None, typer.Option("--list", help="Text file, a scan's name a line: which scans, in which order")
    ] = None,
    held_out: Annotated[
        str, typer.Option(metavar="A,B,...|N", help="Cases to measure on, never learned from: names, or the last N")
    ] = "",
    channels: Channels = "",
    part: Part = "",
    resample: Resample = False,
) -> None:
    """Make a study of a folder of scans."""
    with one_sentence():
        from cvrl_napari.cli.selection import choose_held_out, choose_scans, images_from
        from cvrl_napari.study.case import named_by
        from cvrl_napari.study.study import Study

        chosen = choose_scans(scans, scan_list)
        images = images_from(chosen, channels=channels, part=part, resample=resample)
        measured = choose_held_out([named_by(one) for one in images], held_out)
        with Study.create(study, images, classes=split_names(classes) or None, labels=labels, held_out=measured) as made:
            labeled, unlabeled = len(made.labeled_cases()), len(made.unlabeled_cases())
            print(f"{study}: {labeled} labeled, {unlabeled} unlabeled, {len(measured)} held out")
            if made.notice:
                print(made.notice, file=sys.stderr)


@app.command()
def import_labels(
    study: StudyFolder,
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id of the case")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Masks of its scan, DICOM SEG or RTSTRUCT; later ones over earlier")
    ],
    values: Annotated[
        str,
        typer.Option(metavar="V=CLASS,...", help="What values mean: 17=left atrium, 4=background; others are left out"),
    ] = "",
    resample: Annotated[
        bool, typer.Option("--resample", help="Bring files of another grid to the scan's, by nearest neighbour")
    ] = False,
    complete: Annotated[bool, typer.Option("--complete", help="What is not painted is background")] = False,
) -> None:
    """Bring labels made elsewhere into a case, over what is painted there."""
    with one_sentence():
        from cvrl_napari.cli.importing import import_files
        from cvrl_napari.study.study import Study

        with Study.open(study) as opened:
            print(import_files(opened, case, files, values=values, resample=resample, complete=complete))


@app.command()
@options_of(TrainRequest)
def train(
    study: StudyFolder,
    asked: Asked,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to go on with")] = None,
    as_json: AsJson = False,
    attached: Annotated[
        bool, typer.Option(hidden=True, help="The end of standard input stops the run, unless `keep_going` came before it")
    ] = False,
) -> None:
    """Train on the labeled and the unlabeled scans of a study; prints the run's folder."""
    with one_sentence(as_json=as_json):
        request = TrainRequest(**asked)
        inbox: SimpleQueue[Command] = SimpleQueue()
        stop_on_signals(inbox)
        control = Control(inbox, attached=attached)
        if as_json:
            control.read_standard_input()
        from cvrl_napari.engine.train import train as run
        from cvrl_napari.study.study import Study

        opened = Study.open(study, read_only=True)
        audience = choose_audience(as_json=as_json, attached=attached, names={each.id: each.name for each in opened.classes})
        last = listen(control.attend(run(opened, request, inbox=inbox, resume=resume)), audience)
        if isinstance(last, RunDone) and not as_json:
            print(last.run)


@app.command()
@options_of(TrainRequest)
def plan(study: StudyFolder, asked: Asked, as_json: AsJson = False) -> None:
    """Say what `cvrl train` would do with the same options, how long and with how much memory; nothing is written."""
    with one_sentence(as_json=as_json):
        from cvrl_napari.engine.outlook import foresee
        from cvrl_napari.study.study import Study

        request = TrainRequest(**asked)
        listen(foresee(Study.open(study, read_only=True), request), choose_audience(as_json=as_json))


@app.command(hidden=True)
def wait() -> None:
    """Load the engine, then do what a line of standard input says: a JSON list of the arguments of `cvrl`.

    The viewer keeps such a process ready, so that a run does not wait for torch to load. After a `plan` it waits on.
    """
    from cvrl_napari.engine.outlook import foresee  # noqa: F401 - it is asked for first
    from cvrl_napari.engine.train import preload

    preload()
    while order := read_order():
        if order[0] != "plan":
            app(order, prog_name="cvrl")
        with suppress(SystemExit):  # a plan that was refused; the refusal has been told
            app(order, prog_name="cvrl")


@app.command()
def predict(
    model: ModelFile,
    scans: Annotated[
        list[Path], typer.Argument(metavar="SCAN...", help="Scans: files, folders of a DICOM series; with --study ids of cases")
    ],
    output: Output,
    study: Annotated[Path | None, typer.Option(help="Predict cases of this study, all channels of each")] = None,
    channels: Channels = "",
    part: Part = "",
    resample: Resample = False,
    uncertainty: Annotated[bool, typer.Option("--uncertainty", help="Also write where the model is unsure")] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Write the masks of scans, each in its scan's own geometry."""
    with one_sentence(as_json=as_json):
        from cvrl_napari.cli.selection import cases_of, images_from
        from cvrl_napari.engine.model_card import read_card
        from cvrl_napari.engine.predict import predict as run

        names = {each.id: each.name for each in read_card(model).classes}
        chosen = cases_of(study, scans) if study else images_from(scans, channels=channels, part=part, resample=resample)
        events = run(model, chosen, output, device=device, uncertainty=uncertainty)
        listen(events, choose_audience(as_json=as_json, names=names))


@app.command()
def evaluate(
    predictions: Annotated[Path, typer.Argument(metavar="PREDICTIONS", help="Folder of masks, or one mask")],
    references: Annotated[Path, typer.Argument(metavar="REFERENCES", help="Masks of the same names to compare with, or one")],
    as_json: AsJson = False,
) -> None:
    """Compare masks with references: Dice, Jaccard, HD95 mm, ASD mm, per case and class."""
    with one_sentence():
        from cvrl_napari.engine.evaluate import evaluate as compare

        report = compare(predictions, references)
        print(report.model_dump_json() if as_json else report.markdown())


@app.command()
def embed(
    model: ModelFile,
    scan: Annotated[
        Path | None,
        typer.Argument(metavar="[SCAN]", help="A scan: a file, the folder of a DICOM series; with --study the id of a case"),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the results")] = None,
    study: Annotated[Path | None, typer.Option(help="Embed a case of this study, all its channels")] = None,
    cases: Annotated[
        list[str] | None, typer.Option("--case", metavar="ID", help="A case of --study; give it again for further ones")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option(
            "--cache", help="Keep dense features of the cases in the study, for the viewer; nothing is written elsewhere"
        ),
    ] = False,
    part: Part = "",
    resample: Resample = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Write a scan's embeddings, what the network tells apart; with --cache those of cases of a study into its cache."""
    with one_sentence(as_json=as_json):
        from cvrl_napari.cli.embedding import embedding

        events = embedding(
            model, scan, output, study=study, cases=cases or [], cache=cache, part=part, resample=resample, device=device
        )
        listen(events, choose_audience(as_json=as_json))


@app.command(hidden=True)
def project(
    sample: Annotated[Path, typer.Argument(metavar="SAMPLE", help=".npz with `rows` (N, C) and, if wanted, `like` (N, 2)")],
    output: Annotated[Path, typer.Option(help=".npy file for the points, (N, 2) float32")],
    method: Annotated[ProjectionMethod, typer.Option(help="How")] = "umap",
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same points")] = 0,
    as_json: AsJson = False,
) -> None:
    """Bring features to two dimensions; the viewer has it done in a process of its own."""
    with one_sentence(as_json=as_json):
        from cvrl_napari.engine.project import project as run

        listen(run(sample, output, method=method, seed=seed), choose_audience(as_json=as_json))


@app.command()
@options_of(BenchmarkRequest)
def benchmark(
    asked: Asked,
    output: Annotated[Path, typer.Option(help="Folder for runs, results.jsonl and report.md; the same command goes on there")],
    protocol: Annotated[str, typer.Argument(metavar="[PROTOCOL]", help="left-atrium, hippocampus, or a .json file")] = "",
    data: Annotated[Path | None, typer.Option(help="Folder that has the data folder of the protocol")] = None,
    study: Annotated[Path | None, typer.Option(help="Measure on this study instead: cross-validation, complete cases")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a setting of the plan, for ablations")
    ] = None,
    name: Annotated[str, typer.Option(help="What the runs with --set are called in the tables")] = "",
) -> None:
    """Measure what the unlabeled scans are worth: methods x labeled counts x seeds, with intervals."""
    with one_sentence():
        from cvrl_napari.cli.benchmark import run_benchmark

        request = BenchmarkRequest(**asked)
        told = run_benchmark(request, output, protocol=protocol, data=data, study=study, changes=changes or [], name=name)
        print(told.rstrip())


@app.command()
def doctor() -> None:
    """Say what is installed, which devices there are, and what will run here."""
    from cvrl_napari.cli.doctor import examine

    for finding in examine():
        print(finding)


def main() -> None:
    """Run the command line."""
    keep_freed_memory()  # before torch takes any
    app(prog_name="cvrl")
