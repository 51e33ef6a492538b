"""The demonstration without a window: what the unlabeled scans of the phantom are worth, in one table."""

from pathlib import Path

from cvrl_napari.cli.audience import choose_audience, listen
from cvrl_napari.config import MethodName, TrainRequest
from cvrl_napari.engine.evaluate import Report, evaluate
from cvrl_napari.engine.events import RunDone
from cvrl_napari.engine.predict import predict
from cvrl_napari.engine.train import train
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

METHODS: tuple[MethodName, ...] = ("supervised", "cvrl")


def compare_methods(folder: Path, request: TrainRequest, *, size: float = 1.0) -> str:
    """Train each method on the phantom in `folder`, made when it is not there, and measure the masks of the held-out scans.

    Parameters
    ----------
    request : TrainRequest
        How long, where and from which seed; its method is not used.
    size : float
        Of a phantom that has to be made, see `create_phantom`.

    Returns
    -------
    str
        A table in Markdown: mean Dice and 95 % Hausdorff distance in mm of each method, class and method a row.
    """
    with Study.open(folder) if (folder / "study.json").exists() else create_phantom(folder, size=size) as study:
        reports = {method: _measure(study, request.model_copy(update={"method": method})) for method in METHODS}
        names = {each.id: each.name for each in study.classes}
    rows = ["| method | class | Dice | HD95 mm |", "|---|---|--:|--:|"]
    for method, report in reports.items():
        for row in report.classes:
            distance = "-" if row.hd95_mm.mean is None else f"{row.hd95_mm.mean:.2f}"
            rows.append(f"| {method} | {names[row.class_id]} | {row.dice.mean:.4f} | {distance} |")
    return "\n".join(rows)


def _measure(study: Study, request: TrainRequest) -> Report:
    names = {each.id: each.name for each in study.classes}
    done = listen(train(study, request), choose_audience(as_json=False, names=names))
    assert isinstance(done, RunDone)  # anything else has been raised
    output = study.predictions_folder / request.method
    scans = [study.case(case_id).scan for case_id in study.held_out_cases()]
    predicting = predict(Path(done.model), scans, output, device=request.device, threads=request.threads)
    listen(predicting, choose_audience(as_json=False, names=names))
    return evaluate(output, study.folder / "labels")
