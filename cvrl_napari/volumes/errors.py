"""What goes wrong with a scan or a mask on disk."""

from pathlib import Path


class VolumeError(ValueError):
    """A file cannot be read or written; the message is one sentence: what, where, what to do."""


class SeveralVolumesError(VolumeError):
    """A file holds several volumes and none was chosen; `count` of them in `path`, numbered from 0."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(f"{path} holds {count} volumes (time points or channels): choose one of them.")
        self.path = path
        self.count = count


class UnevenSlicesError(VolumeError):
    """The slices of a DICOM series form no regular grid, and nobody agreed to have them resampled to one."""
