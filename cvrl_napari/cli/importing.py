"""Labels made elsewhere, from the command line."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvrl_napari.cli.options import split_names
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.label_import import LabelFile, merge, suggest_class, survey
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study


def import_files(study: Study, case_id: str, files: Sequence[Path], *, values: str, resample: bool, complete: bool) -> str:
    """Put the labels of some files over those of a case and save; returns what was done in a sentence.

    Parameters
    ----------
    values : str
        '17=left atrium,4=background': what values mean. Empty: what `suggest_class` says.

    Raises
    ------
    StudyError
        If a class is none of the study, nothing in the files means a class, or a file lies on another grid.
    VolumeError
        If a file or the scan cannot be read.
    """
    scan = study.read_scan(case_id)
    surveyed = survey(files, scan)
    table = {value: _class_id(study, name) for value, name in _pairs(values)}
    mapping = {
        (number, value): target
        for number, file in enumerate(surveyed.files)
        for value in file.counts
        if (target := table.get(value, 0) if values else _suggested(study, file, value, alone=len(files) == 1))
    }
    if not mapping:
        found = sorted({value for file in surveyed.files for value in file.counts})
        raise StudyError(
            f"None of the values in {files[0]} ({', '.join(map(str, found[:10])) or 'all 0'}) is a class of the study:"
            f' say what they mean, such as --values "{found[0] if found else 1}={study.classes[0].name}".'
        )
    merged = merge(surveyed, mapping, scan, resample=resample)
    before = study.read_labels(case_id)
    labels = merged.labels if before is None else np.where(merged.labels > 0, merged.labels, before)
    study.write_labels(case_id, labels, state="complete" if complete else None)
    overlaps = f", {merged.overlaps:,} voxels claimed twice" if merged.overlaps else ""
    count = f"{len(files)} file{'s' if len(files) > 1 else ''}"
    return f"{case_id}: {np.count_nonzero(merged.labels):,} voxels imported from {count}{overlaps}"


def _pairs(text: str) -> list[tuple[int, str]]:
    pairs = []
    for part in split_names(text):
        value, equals, name = part.partition("=")
        if not equals or not value.strip().isdecimal():
            raise StudyError(f"--values {part} is no pair of a value and a class: write it such as 17=left atrium.")
        pairs.append((int(value), name.strip()))
    return pairs


def _class_id(study: Study, name: str) -> int:
    known = {one.name.casefold(): one.id for one in study.classes} | {str(one.id): one.id for one in study.classes}
    known["background"] = BACKGROUND
    if name.casefold() not in known:
        raise StudyError(f"The study has no class '{name}': it has {', '.join(one.name for one in study.classes)}.")
    return known[name.casefold()]


def _suggested(study: Study, file: LabelFile, value: int, *, alone: bool) -> int:
    return suggest_class(file.path, value, list(file.counts), file.names, study.classes, alone=alone)
