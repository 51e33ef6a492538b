"""How well masks agree with reference masks: overlap and distance, per case and per class."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict

from cvrl_napari.config import Spacing
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.predict import UNCERTAINTY
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.matching import match_labels
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.naming import scan_name
from cvrl_napari.volumes.reading import read_labels
from cvrl_napari.volumes.volume import Volume

Mask = npt.NDArray[np.bool_]


class CaseScore(BaseModel):
    """Agreement on one class of one case. Distances are None (not defined) where either mask lacks the class.

    Where both lack it they agree (Dice and Jaccard 1), where one lacks it they do not (0).
    """

    model_config = ConfigDict(frozen=True)

    case: str
    class_id: int
    dice: float
    jaccard: float
    hd95_mm: float | None
    asd_mm: float | None
    predicted_ml: float
    reference_ml: float


class Spread(BaseModel):
    """Mean and standard deviation (n - 1) over `count` cases; None where there are too few."""

    model_config = ConfigDict(frozen=True)

    mean: float | None
    sd: float | None
    count: int

    @classmethod
    def of(cls, values: list[float | None]) -> "Spread":
        """Summarize the values that are defined."""
        defined = [value for value in values if value is not None]
        mean = float(np.mean(defined)) if defined else None
        return cls(mean=mean, sd=float(np.std(defined, ddof=1)) if len(defined) > 1 else None, count=len(defined))


class ClassSummary(BaseModel):
    """Agreement on one class over all cases."""

    model_config = ConfigDict(frozen=True)

    class_id: int
    dice: Spread
    jaccard: Spread
    hd95_mm: Spread
    asd_mm: Spread


class Report(BaseModel):
    """What `evaluate` found; `notes` are sentences on what was left out and why."""

    model_config = ConfigDict(frozen=True)

    cases: tuple[CaseScore, ...]
    classes: tuple[ClassSummary, ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return the report as tables in Markdown."""
        lines = [
            "| case | class | Dice | Jaccard | HD95 mm | ASD mm | predicted ml | reference ml |",
            "|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for one in self.cases:
            numbers = f"{one.dice:.4f} | {one.jaccard:.4f} | {_distance(one.hd95_mm)} | {_distance(one.asd_mm)}"
            lines.append(f"| {one.case} | {one.class_id} | {numbers} | {one.predicted_ml:.2f} | {one.reference_ml:.2f} |")
        lines += ["", "| class | cases | Dice | Jaccard | HD95 mm | ASD mm |", "|--:|--:|--:|--:|--:|--:|"]
        for row in self.classes:
            overlap = f"{_spread(row.dice, 4)} | {_spread(row.jaccard, 4)}"
            distance = f"{_spread(row.hd95_mm, 2)} | {_spread(row.asd_mm, 2)}"
            lines.append(f"| {row.class_id} | {row.dice.count} | {overlap} | {distance} |")
        return "\n".join([*lines, "", *self.notes]).rstrip()


def evaluate(predictions: Path, references: Path) -> Report:
    """Compare masks with reference masks on the same grid.

    Parameters
    ----------
    predictions, references : Path
        Two files, or two folders whose files are matched by name ('scan_01.nii.gz' with 'scan_01_seg.nii.gz').

    Returns
    -------
    Report
        Dice, Jaccard, 95th percentile of the Hausdorff distance (the larger of both directions) and symmetric average
        surface distance, both in mm, by MONAI.

    Raises
    ------
    EngineError
        If nothing matches, or two matched masks lie on different grids.
    VolumeError
        If a file cannot be read.
    """
    pairs, notes = _pairs(predictions, references)
    return compare(pairs, notes)


def compare(pairs: Sequence[tuple[str, Path, Path]], notes: Sequence[str] = ()) -> Report:
    """Compare masks with reference masks, given as (case, prediction, reference); `evaluate` says what comes of it."""
    notes = list(notes)
    scores: dict[str, dict[int, CaseScore]] = {}
    for case, predicted, reference in pairs:
        scores[case] = _score_case(case, read_labels(predicted), read_labels(reference), where=f"{predicted} and {reference}")
    ids = sorted({class_id for found in scores.values() for class_id in found})
    rows = [found.get(class_id) or _both_lack(case, class_id) for case, found in scores.items() for class_id in ids]
    undefined = sum(row.hd95_mm is None for row in rows)
    if undefined:
        notes.append(
            f"Distances are not defined in {undefined} of {len(rows)} rows, where a mask lacks the class: no mean has them."
        )
    summaries = [_summarize(class_id, [row for row in rows if row.class_id == class_id]) for class_id in ids]
    return Report(cases=tuple(rows), classes=tuple(summaries), notes=tuple(notes))


def _pairs(predictions: Path, references: Path) -> tuple[list[tuple[str, Path, Path]], list[str]]:
    """Return (case, prediction, reference) in the order of the references, and sentences on what has no partner."""
    for path in (predictions, references):
        if not path.exists():
            raise EngineError(f"There is nothing at {path}.", "Check the path.")
    if not predictions.is_dir() and not references.is_dir():
        return [(scan_name(references), predictions, references)], []
    ours = [path for path in _files(predictions) if not scan_name(path).endswith(UNCERTAINTY)]
    theirs = _files(references)
    try:
        matches, notice = match_labels(ours, theirs, references)
    except StudyError as error:
        raise EngineError(
            f"The masks in {predictions} and {references} do not match: {error}", "Give both the name of their scan."
        ) from error
    notes = [notice] if notice else []
    alone = [path.name for path in ours if path not in matches]
    if alone:
        notes.append(
            f"{len(alone)} of {len(ours)} predictions have no reference ({', '.join(alone[:3])}{' ...' * (len(alone) > 3)})."
        )
    return sorted((scan_name(prediction), prediction, reference) for prediction, reference in matches.items()), notes


def _files(path: Path) -> list[Path]:
    return find_scans(path) if path.is_dir() else [path]


def _score_case(case: str, predicted: Volume, reference: Volume, where: str) -> dict[int, CaseScore]:
    """Score the classes that at least one of both masks has."""
    if not predicted.same_grid(reference, tolerance_mm=0.01 * min(reference.spacing)):
        raise EngineError(f"{where} do not lie on the same grid.", "Compare masks of the same scan, not resampled.")
    ours, theirs = (np.where(mask.array == BACKGROUND, 0, mask.array) for mask in (predicted, reference))
    ids = (set(np.unique(ours).tolist()) | set(np.unique(theirs).tolist())) - {0}
    return {int(i): _score(case, int(i), ours == i, theirs == i, reference) for i in sorted(ids)}


def _score(case: str, class_id: int, ours: Mask, theirs: Mask, grid: Volume) -> CaseScore:
    a, b, both = int(ours.sum()), int(theirs.sum()), int((ours & theirs).sum())
    hd95_mm, asd_mm = _distances(ours, theirs, grid.spacing) if a and b else (None, None)
    return CaseScore(
        case=case,
        class_id=class_id,
        dice=2 * both / (a + b),
        jaccard=both / (a + b - both),
        hd95_mm=hd95_mm,
        asd_mm=asd_mm,
        predicted_ml=a * grid.voxel_ml,
        reference_ml=b * grid.voxel_ml,
    )


def _both_lack(case: str, class_id: int) -> CaseScore:
    return CaseScore(case=case, class_id=class_id, dice=1, jaccard=1, hd95_mm=None, asd_mm=None, predicted_ml=0, reference_ml=0)


def _distances(ours: Mask, theirs: Mask, spacing: Spacing) -> tuple[float, float]:
    """Return HD95 and the symmetric average surface distance in mm of two masks that are not empty."""
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.surface_distance import compute_average_surface_distance

    # Only the box around both is looked at; a margin of background closes surfaces that touch the border of the scan.
    occupied = ours | theirs
    box = tuple(slice(found.min(), found.max() + 1) for found in np.nonzero(occupied))
    first, second = (torch.from_numpy(np.pad(mask[box], 1))[None, None] for mask in (ours, theirs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MONAI 1.6 warns of an argument that it passes itself
        hd95_mm = compute_hausdorff_distance(first, second, include_background=True, percentile=95, spacing=spacing)
        asd_mm = compute_average_surface_distance(first, second, include_background=True, symmetric=True, spacing=spacing)
    return float(hd95_mm), float(asd_mm)


def _summarize(class_id: int, rows: list[CaseScore]) -> ClassSummary:
    dice, jaccard = Spread.of([row.dice for row in rows]), Spread.of([row.jaccard for row in rows])
    # J = D / (2 - D) is convex, so the means must obey this (Jensen); published tables that do not are wrong.
    assert dice.mean is not None
    assert jaccard.mean is not None
    assert jaccard.mean >= dice.mean / (2 - dice.mean) - 1e-9
    return ClassSummary(
        class_id=class_id,
        dice=dice,
        jaccard=jaccard,
        hd95_mm=Spread.of([row.hd95_mm for row in rows]),
        asd_mm=Spread.of([row.asd_mm for row in rows]),
    )


def _distance(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"


def _spread(one: Spread, digits: int) -> str:
    if one.mean is None:
        return "not defined"
    return f"{one.mean:.{digits}f}" + ("" if one.sd is None else f" ± {one.sd:.{digits}f}")
