"""Shape and voxel size of scans: read once while they stay as they are, since reading a scan takes up to a second."""

from cvrl_napari.config import Spacing, Triple
from cvrl_napari.study.study import Study

_KNOWN: dict[tuple[object, ...], tuple[Triple, Spacing]] = {}
MOST_KNOWN = 1_000


def scan_geometry(study: Study, case: str) -> tuple[Triple, Spacing]:
    """Return voxels and voxel size (mm) of the first image of a case, both (z, y, x).

    Raises
    ------
    StudyError, VolumeError
        If it cannot be read.
    """
    image = study.case(case).images[0]
    try:
        key: tuple[object, ...] | None = (image.scan, *image.content())
    except OSError:
        key = None  # reading it says what is wrong
    if key is not None and key in _KNOWN:
        return _KNOWN[key]
    volume = study.read_scan(case)
    shape, spacing = volume.array.shape, volume.spacing
    found: tuple[Triple, Spacing] = ((shape[0], shape[1], shape[2]), (spacing[0], spacing[1], spacing[2]))
    if key is not None and len(_KNOWN) < MOST_KNOWN:
        _KNOWN[key] = found
    return found
