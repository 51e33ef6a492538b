"""Which slices of a folder belong together."""

from collections.abc import Iterable
from pathlib import Path

from cvrl_napari.volumes.dicom_header import is_dicom
from cvrl_napari.volumes.dicom_slice import Slice
from cvrl_napari.volumes.dicom_slice_reading import read_slices
from cvrl_napari.volumes.errors import VolumeError

__all__ = ["dicom_files", "group_slices", "is_dicom"]


def dicom_files(folder: Path) -> list[Path]:
    """Return the DICOM files of a folder, sorted by name; hidden ones are left out."""
    return [path for path in sorted(folder.iterdir()) if path.name[0] != "." and path.is_file() and is_dicom(path)]


def group_slices(files: Iterable[Path]) -> list[list[Slice]]:
    """Sort DICOM files into stacks of slices that belong together; whatever is no scan is left out.

    Returns
    -------
    list of lists
        In the order of their first files; copies of a file are dropped.
    """
    stacks: list[list[Slice]] = []
    seen: set[tuple[str, int, bytes]] = set()
    for path in files:
        try:
            slices = read_slices(path)
        except VolumeError:
            continue  # contours, reports, a DICOMDIR: they lie beside scans in every export
        for one in slices:
            # The position too: careless anonymization gives all slices of a series the same identifier.
            key = (one.instance, one.frame, one.position.tobytes())
            if key in seen:
                continue
            seen.add(key)
            stack = next((stack for stack in stacks if stack[0].fits(one)), None)
            if stack is None:
                stacks.append([one])
            else:
                stack.append(one)
    return stacks
