"""A case: one scan of a study, what is known of it, and the name it goes by."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cvrl_napari.volumes.naming import scan_name
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.volume import Volume

State = Literal["unlabeled", "partial", "complete", "accepted"]

MIB = 2**20
_SEPARATED = re.compile(r"[^-_. ]+|[-_. ]+")
_RESERVED_BY_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class Image(BaseModel):
    """One image: a file, and how it is to be read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scan: Path = Field(description="Where it lies; absolute in memory, see `storage` for its form on disk")
    hash: str = Field("", description="See `content_hash`")
    part: int | None = Field(None, ge=0, description="Which volume of a file that holds several, from 0")
    resample: bool = Field(False, description="Somebody agreed to have uneven or tilted slices brought to a regular grid")

    def read(self) -> Volume:
        """Read it; raises VolumeError as `volumes.reading.read`."""
        return read(self.scan, part=self.part, resample=self.resample)

    def content(self) -> tuple[object, ...]:
        """Name what reading it gives; the file's time and size catch a scan changed behind the study's back.

        Raises
        ------
        OSError
            If the file is gone.
        """
        status = self.scan.stat()
        return self.hash, status.st_mtime_ns, status.st_size, self.part, self.resample


class Case(Image):
    """One scan of a study, with the further images of the same body that are its channels.

    `scan`, `hash`, `part` and `resample` are those of its first image, on whose grid the labels are. `accepted_at` is the UTC
    time (ISO 8601) at which a predicted mask was accepted.
    """

    id: str = Field(min_length=1, max_length=120, pattern=r"^[^/\\\x00]+$")
    channels: tuple[Image, ...] = Field((), description="Further images, each on a grid of its own")
    state: State = "unlabeled"
    held_out: bool = Field(False, description="Measured only, never learned from")
    accepted_at: str | None = None
    needs_look: bool = Field(False, description="Somebody wants it looked at again")
    note: str = Field("", max_length=2_000, description="What somebody wrote about it")

    @property
    def images(self) -> tuple[Image, ...]:
        """All images, the first one on whose grid the labels are."""
        return (self, *self.channels)

    @property
    def is_labeled(self) -> bool:
        """Whether something is painted that counts."""
        return self.state != "unlabeled"


Scan = str | Path | Image | Sequence[Image]
"""A path, an image, a case, or several images that are the channels of one case, the one to paint on first."""


def images_of(scan: Scan) -> tuple[Image, ...]:
    """Return the images of a scan, their paths absolute with links in their folders resolved, not in their own names."""
    if isinstance(scan, (str, Path)):
        images: Sequence[Image] = (Image(scan=Path(scan)),)
    else:
        images = scan.images if isinstance(scan, Case) else (scan,) if isinstance(scan, Image) else scan
    return tuple(one.model_copy(update={"scan": one.scan.parent.resolve() / one.scan.name}) for one in images)


def named_by(images: Sequence[Image]) -> Path:
    """Return the path that names a case: its scan, or for several images what their names have in common.

    'sub-01_t1.nii.gz' and 'sub-01_t2.nii.gz' are 'sub-01'; 't1.nii.gz' and 't2.nii.gz' go by the name of their folder.
    """
    scan = images[0].scan
    names = {scan_name(image.scan) for image in images}
    if len(names) == 1:
        return scan
    parts = [_SEPARATED.findall(name) for name in names]
    shared = [one[0] for one in zip(*parts, strict=False) if len(set(one)) == 1]
    shared = shared if all(one[: len(shared)] == shared for one in parts) else []
    name = "".join(shared).strip("-_. ")
    return scan.with_name(name) if name else scan.parent


def name_cases(scans: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """Give each scan an id: its file name without suffixes, safe as a file name everywhere, unlike all others.

    Scans of the same name in different folders are told apart by their folder (`sub-01_T1`, `sub-02_T1`); what is still
    the same gets a number. Upper and lower case do not make a difference, as they do not on many file systems.
    """
    names = [_safe(scan_name(scan)) for scan in scans]
    count = Counter(name.casefold() for name in names)
    used = {one.casefold() for one in taken}
    ids = []
    for scan, name in zip(scans, names, strict=True):
        if count[name.casefold()] > 1:
            name = _safe(f"{scan.parent.name}_{scan_name(scan)}")
        unique, number = name, 1
        while unique.casefold() in used:
            number += 1
            unique = f"{name}-{number}"
        used.add(unique.casefold())
        ids.append(unique)
    return ids


def content_hash(scan: Path) -> str:
    """Return a fingerprint of a scan by which it is found again after it was moved or renamed.

    SHA-256 of the size and of the first, middle and last MiB: a thousand scans are fingerprinted in seconds, and two
    scans that differ in no byte of those are the same for all purposes here. A series folder: of its first, middle and
    last file and of the number of files.

    Raises
    ------
    OSError
        If the scan cannot be read.
    """
    digest = hashlib.sha256()
    if scan.is_dir():
        files = sorted(path for path in scan.iterdir() if path.is_file() and not path.name.startswith("."))
        digest.update(str(len(files)).encode())
        parts = [files[index] for index in sorted({0, len(files) // 2, len(files) - 1}) if files]
    else:
        parts = [scan]
    for path in parts:
        size = path.stat().st_size
        digest.update(str(size).encode())
        with path.open("rb") as stream:
            for start in (0, (size - MIB) // 2, size - MIB) if size > 3 * MIB else range(0, size, MIB):
                stream.seek(start)
                digest.update(stream.read(MIB))
    return digest.hexdigest()


def _safe(name: str) -> str:
    name = re.sub(r"[^\w.\-]+", "_", unicodedata.normalize("NFC", name)).strip("._ ")[:100] or "scan"
    return f"scan_{name}" if _RESERVED_BY_WINDOWS.match(name) else name
