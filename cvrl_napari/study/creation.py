"""Making a study from scans and, if there are any, label files somebody made before."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvrl_napari.study.case import Case, Image, Scan, content_hash, images_of, name_cases, named_by
from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import BACKGROUND, Labels, check_values, read_label_file, values
from cvrl_napari.study.matching import match_labels, split_labels_from_scans
from cvrl_napari.study.storage import FILE_NAME, StudyFile, absolute_scan, label_path, reason, save_volume, write_study_file
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.reading import read

DEFAULT_CLASS = "structure"


@dataclass(frozen=True)
class _Import:
    """Label files chosen for scans, and what their values mean."""

    files: dict[Path, Path]
    class_names: Sequence[str]
    binary: bool  # masks of 0 and 255 only: there 255 is the structure


def create_study_folder(
    folder: Path, scans: Sequence[Scan], *, classes: Sequence[str] | None, labels: Path | None, held_out: Collection[str]
) -> str:
    """Make a study folder; `Study.create` says what the arguments mean.

    study.json is written last: until then there is no study, and after a failure no label copy is left behind.

    Returns
    -------
    notice : str
        Sentences on what was left out, empty if nothing was.
    """
    check_free(folder)
    by_path = {images[0].scan: images for images in map(images_of, scans)}
    paths = list(by_path)
    paths, files = split_labels_from_scans(paths, paths if labels is None else _label_files(labels))
    cases = _hold_out(make_cases([by_path[path] for path in paths]), held_out)
    notices = []
    if labels is not None:
        matches, notice = match_labels([case.scan for case in cases], files, labels, ids=[case.id for case in cases])
        notices += [notice] if notice else []
        chosen = _survey(matches, classes, labels)
    else:
        chosen = _Import({}, classes or [DEFAULT_CLASS], binary=False)
        if files:
            some = _some([file.name for file in files])
            notices.append(
                f"{len(files)} files are named like labels of other scans and were left out ({some}): "
                "choose their folder as labels."
            )
    if chosen.binary:
        notices.append("The label files hold 0 and 255 only: 255 was taken for the structure.")
    declared = make_classes(chosen.class_names)
    with _undone_on_failure(folder) as written:
        cases = [_import_labels(case, folder, chosen, written) for case in cases]
        write_study_file(folder, StudyFile(classes=declared, cases=tuple(cases)))
    empty = [case.id for case in cases if case.scan in chosen.files and not case.is_labeled]
    if empty:
        notices.append(f"The label files of some cases are empty ({_some(empty)}): these count as unlabeled.")
    return " ".join(notices)


def make_cases(scans: Sequence[Sequence[Image]], taken: Collection[str] = ()) -> list[Case]:
    """Make a case of the images of each scan, its id unlike all others and those `taken`.

    Raises
    ------
    StudyError
        If there is no scan, or one is missing or cannot be read.
    """
    if not scans:
        raise StudyError("No scan was found: choose a folder with 3D scans (.nii.gz, .nrrd, .mha or DICOM series).")
    cases = []
    for images, case_id in zip(scans, name_cases([named_by(images) for images in scans], taken), strict=True):
        first, *others = with_hashes(images)
        cases.append(Case(id=case_id, channels=tuple(others), **dict(first)))
    return cases


def with_hashes(images: Sequence[Image]) -> list[Image]:
    """Return the images with the fingerprints of their files; StudyError if one cannot be read."""
    found: dict[Path, str] = {}
    for image in images:
        try:
            found[image.scan] = found.get(image.scan) or content_hash(image.scan)
        except OSError as error:
            raise StudyError(
                f"The scan {image.scan} cannot be read ({error.strerror}): check that it is there and may be read."
            ) from error
    return [image.model_copy(update={"hash": found[image.scan]}) for image in images]


def _label_files(folder: Path) -> list[Path]:
    files = [absolute_scan(path) for path in find_scans(folder)] if folder.is_dir() else []
    if not files:
        raise StudyError(f"No label file was found in {folder}: choose the folder that holds them (.nii.gz, .nrrd, .mha).")
    return files


def check_free(folder: Path) -> None:
    """Refuse a folder in which something would be overwritten."""
    if (folder / FILE_NAME).exists():
        raise StudyError(f"{folder} already holds a study: open it, or choose another folder for the new one.")
    for name in ("labels", "predictions", "runs"):
        inside = folder / name
        try:
            if inside.exists() and (not inside.is_dir() or any(inside.iterdir())):
                raise StudyError(f"{inside} exists and a study would write into it: choose an empty folder for the study.")
        except OSError as error:
            raise StudyError(f"The study cannot be made in {folder}, {reason(error)}.") from error


@contextmanager
def _undone_on_failure(folder: Path) -> Iterator[list[Path]]:
    """Give a list for the files written; if the block raises, they and the folders made for them go again."""
    made = [path for path in (folder / "labels", folder) if not path.exists()]
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        for path in made:
            with suppress(OSError):  # not made after all, or someone else put something there
                path.rmdir()
        raise


def _hold_out(cases: list[Case], held_out: Collection[str]) -> list[Case]:
    unknown = sorted(set(held_out) - {case.id for case in cases})
    if unknown:
        raise StudyError(
            f"There is no case '{unknown[0]}' to hold out: cases are named like their scans, such as '{cases[0].id}'."
        )
    return [case.model_copy(update={"held_out": case.id in set(held_out)}) for case in cases]


def _survey(matches: dict[Path, Path], classes: Sequence[str] | None, where: Path) -> _Import:
    """Look through all label files for what their values mean before anything is written."""
    found: set[int] = set()
    for file in matches.values():
        found.update(values(read(file).array, str(file)))
    binary = found - {0} == {BACKGROUND}
    if binary and classes is not None and len(classes) > 1:
        raise StudyError(
            f"The labels in {where} hold 0 and 255 only but {len(classes)} classes are declared: number them 1, 2, 3 ..."
        )
    if classes is None:
        largest = 1 if binary else max(found - {BACKGROUND}, default=0)
        if not 1 <= largest < BACKGROUND:
            raise StudyError(
                f"The largest label value in {where} is {largest}, so the classes cannot be told from it: "
                "number the structures 1, 2, 3 ..."
            )
        classes = [f"structure {value}" for value in range(1, largest + 1)]
    return _Import(matches, classes, binary)


def _import_labels(case: Case, folder: Path, chosen: _Import, written: list[Path]) -> Case:
    """Copy the labels of one case into the study and return the case with the state they give it."""
    file = chosen.files.get(case.scan)
    if file is None:
        return case
    scan = case.read()
    labels: Labels = check_values(read_label_file(file, scan), len(chosen.class_names), str(file))
    if chosen.binary:
        labels = (labels == BACKGROUND).astype(np.uint8)
    if not labels.any():
        return case
    path = label_path(folder, case.id)
    save_volume(path, scan.with_array(labels))
    written.append(path)
    return case.model_copy(update={"state": "complete"})


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
