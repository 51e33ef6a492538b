"""Studies made from what somebody chose, for a background thread. No Qt."""

from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.study.case import Image, Scan
from cvrl_napari.study.channels import group_channels
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.finding import find_scans


def make_study(folder: Path, scans: Sequence[Path | Image], classes: Sequence[str], channels: Sequence[str] = ()) -> Path:
    """Make a study of scans (files, images, or folders that are searched); returns its folder.

    Parameters
    ----------
    channels : sequence of str
        What the names of the images of a case end in, see `group_channels`; empty for one image a case.

    Raises
    ------
    StudyError, VolumeError
        If it cannot be made.
    """
    found: list[Scan] = []
    for scan in scans:
        found += find_scans(scan) if isinstance(scan, Path) and scan.is_dir() else [scan]
    if channels:
        paths = [scan for scan in found if isinstance(scan, Path)]
        found = [tuple(Image(scan=path) for path in group) for group in group_channels(paths, channels)]
    with Study.create(folder, found, classes=classes) as study:
        return study.folder


def make_sample(folder: Path) -> Path:
    """Make the phantom study; one that is there already is left as it is. Returns its folder."""
    if not (folder / "study.json").is_file():
        create_phantom(folder).close()
    return folder
