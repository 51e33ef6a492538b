"""What a benchmark trains on and measures with: a study of its own below the output folder, and how it is divided."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cvrl_napari.config import Triple
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.protocols import Located, Protocol, Scale
from cvrl_napari.study.storage import StudyFile, label_path, write_study_file
from cvrl_napari.study.study import Study

STUDY = "study"


@dataclass(frozen=True)
class Measured:
    """A case to measure on."""

    case: str
    scan: Path
    labels: Path


@dataclass(frozen=True)
class Division:
    """One way to divide the cases.

    Attributes
    ----------
    labeled : tuple of str
        Cases with labels that may be learned from; of a run with N labeled the first N.
    others : tuple of str
        Further cases to learn from, without their labels.
    always_labeled : tuple of str
        Partly painted cases: their strokes are learned from in every run.
    measured : tuple of Measured
        Never learned from in any way.
    """

    labeled: tuple[str, ...]
    others: tuple[str, ...]
    always_labeled: tuple[str, ...]
    measured: tuple[Measured, ...]


@dataclass(frozen=True)
class Material:
    """A study, its divisions (one, or one a fold), and the voxel size when it is given."""

    study: Study
    divisions: tuple[Division, ...]
    scale: Scale | None = None

    def window_stride(self, preset: str) -> Triple | None:
        """Return the distance of the windows at the test where the protocol sets it for the preset."""
        return self.scale.paper_window_stride if self.scale is not None and preset == "paper" else None


def protocol_material(protocol: Protocol, files: Located, scale: Scale, output: Path) -> Material:
    """Make the study of a protocol's training scans, or open it where it was made before. No test scan is in it.

    Raises
    ------
    EngineError
        If the study in `output` is another one.
    StudyError, VolumeError
        If it cannot be made.
    """
    folder = output / STUDY
    if not (folder / "study.json").exists():
        Study.create(folder, files.training, classes=protocol.classes, labels=files.labels).close()
    study = Study.open(folder, read_only=True)
    if [case.scan for case in study.cases] != [path.parent.resolve() / path.name for path in files.training]:
        raise EngineError(f"{folder} is a study of other scans.", "Choose another --output.")
    unlabeled = study.unlabeled_cases()
    if unlabeled:
        raise EngineError(f"The labels of {', '.join(unlabeled[:3])} are empty.", "Complete the labels of the protocol.")
    measured = tuple(
        Measured(name, scan, labels) for name, scan, labels in zip(protocol.test, files.test, files.test_labels, strict=True)
    )
    return Material(study, (Division(study.labeled_cases(), (), (), measured),), scale)


def study_material(source: Study, folds: int, output: Path) -> Material:
    """Copy a person's study (its scans stay where they lie) and divide its complete cases into folds.

    Case i is measured in fold i modulo `folds`. Cases that are held out are left alone: they are never learned from.

    Raises
    ------
    EngineError
        If there are fewer complete cases than folds, or the copy in `output` is of another state of the study.
    """
    complete = [case for case in source.cases if case.state in ("complete", "accepted") and not case.held_out]
    if len(complete) < folds:
        raise EngineError(
            f"The study '{source.folder.name}' has {len(complete)} complete cases, too few for {folds} folds.",
            "Complete more cases, or ask for fewer --folds.",
        )
    folder = output / STUDY
    if not (folder / "study.json").exists():
        _copy(source, folder)
    study = Study.open(folder, read_only=True)
    if (study.cases, study.classes) != (source.cases, source.classes) or _labels(source) != _labels(study):
        raise EngineError(f"The study has changed since the benchmark in {output} began.", "Choose another --output.")
    partial = tuple(case.id for case in study.cases if case.state == "partial" and not case.held_out)
    divisions = []
    for fold in range(folds):
        measured = complete[fold::folds]
        divisions.append(
            Division(
                labeled=tuple(case.id for case in complete if case not in measured),
                others=study.unlabeled_cases(),
                always_labeled=partial,
                measured=tuple(Measured(case.id, case.scan, label_path(study.folder, case.id)) for case in measured),
            )
        )
    return Material(study, tuple(divisions))


def _copy(source: Study, folder: Path) -> None:
    """Copy classes, cases and labels; study.json comes last, so that a copy that was cut short is made again."""
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    for case in source.cases:
        if label_path(source.folder, case.id).exists():
            shutil.copyfile(label_path(source.folder, case.id), label_path(folder, case.id))
    write_study_file(folder, StudyFile(classes=source.classes, cases=source.cases))


def _labels(study: Study) -> Sequence[bytes]:
    paths = [label_path(study.folder, case.id) for case in study.cases]
    return [path.read_bytes() for path in paths if path.exists()]
