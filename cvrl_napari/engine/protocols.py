"""Named benchmarks on public data: which scans are trained on, which are measured, at which voxel size.

The split is a file of `resources/protocols`, so that nobody's random numbers decide what is measured; it is checked for leaks
by name when it is read and by content when its scans are found.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from cvrl_napari.config import LabeledCount, Settings, Spacing, Triple
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.resources import find_resource
from cvrl_napari.study.case import content_hash
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.naming import scan_name

PROTOCOLS = ("left-atrium", "hippocampus")
"""Names of the protocols that come with the program."""
ScaleName = Literal["full", "half"]


class Scale(Settings):
    """A voxel size to work at, and the patch for it."""

    spacing: Spacing = Field(description="mm, (z, y, x)")
    patch_size: Triple = Field(description="Voxels (z, y, x); rounded up to what the network can halve")
    paper_window_stride: Triple | None = Field(None, description="Distance of the windows at the test with the preset 'paper'")


class Protocol(Settings):
    """A split of a public data set."""

    name: str
    folder: str = Field(description="Name of its folder below the data folder; scans/ and labels/ are in it")
    about: str
    classes: tuple[str, ...] = Field(min_length=1)
    labeled: tuple[LabeledCount, ...] = Field(description="Counts of labeled scans when none is asked for")
    scales: dict[ScaleName, Scale]
    training: tuple[str, ...] = Field(min_length=1, description="Scans to learn from; the first N are the labeled ones")
    test: tuple[str, ...] = Field(min_length=1, description="Scans to measure on")

    def scale(self, name: ScaleName) -> Scale:
        """Return the scale of that name.

        Raises
        ------
        EngineError
            If the protocol has none.
        """
        if name not in self.scales:
            raise EngineError(f"The protocol {self.name} has no scale '{name}'.", f"Choose {' or '.join(self.scales)}.")
        return self.scales[name]

    @model_validator(mode="after")
    def _has_no_leak(self) -> Self:
        twice = [name for name, count in Counter((*self.training, *self.test)).items() if count > 1]
        if twice:
            raise ValueError(f"the scan '{twice[0]}' is named twice")
        return self


class Located(NamedTuple):
    """Where the scans of a protocol and their labels lie, in the protocol's order."""

    training: tuple[Path, ...]
    test: tuple[Path, ...]
    labels: Path
    test_labels: tuple[Path, ...]


def load_protocol(name: str) -> Protocol:
    """Read a protocol that comes with the program, or a file of the same form.

    Raises
    ------
    EngineError
        If there is none of that name, or the file is not what it should be.
    """
    if name not in PROTOCOLS and not name.endswith(".json"):
        raise EngineError(f"There is no protocol '{name}'.", f"Choose one of {', '.join(PROTOCOLS)}.")
    path = Path(name) if name.endswith(".json") else find_resource(f"protocols/{name}.json")
    try:
        return Protocol.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EngineError(f"The protocol {path} cannot be read ({error.strerror}).", "Check the path.") from error
    except (ValidationError, json.JSONDecodeError) as error:
        problem = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error), "loc": ()}
        where = ".".join(map(str, problem["loc"]))
        raise EngineError(f"The protocol {path} is not valid: {where} {problem['msg']}.", "Correct the file.") from error


def locate(protocol: Protocol, data: Path) -> Located:
    """Find the scans and labels of a protocol below `data`, the folder that has the protocol's folder.

    Raises
    ------
    EngineError
        If one is missing, or a scan that is measured has the content of one that is learned from.
    """
    folder = data / protocol.folder
    for part in ("scans", "labels"):
        if not (folder / part).is_dir():
            raise EngineError(
                f"The protocol {protocol.name} needs the folder {folder / part}, which is not there.",
                f"Give as --data the folder that has {protocol.folder}/ with scans/ and labels/ in it.",
            )
    training, test = (_files(folder / "scans", names) for names in (protocol.training, protocol.test))
    labels = _files(folder / "labels", (*protocol.training, *protocol.test))
    seen: dict[str, Path] = {}
    for scan in (*training, *test):
        same = seen.setdefault(content_hash(scan), scan)
        if same != scan:
            raise EngineError(f"{scan} and {same} are the same scan under two names.", "Get the data anew; nothing was run.")
    return Located(training, test, folder / "labels", labels[len(training) :])


def _files(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    found = {scan_name(path): path for path in find_scans(folder)}
    missing = [name for name in names if name not in found]
    if missing:
        some = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise EngineError(f"{len(missing)} of {len(names)} files are not in {folder}: {some}.", "Complete the folder.")
    return tuple(found[name] for name in names)
