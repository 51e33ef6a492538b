"""Which label file belongs to which scan, by their names."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.study.case import name_cases
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.naming import scan_name

_LABEL = r"(seg|segmentation|label|labels|labelmap|mask|roi|gt|groundtruth|truth|dseg|manual)"
_LABEL_AFFIX = re.compile(rf"[-_. ]+{_LABEL}$|^{_LABEL}[-_. ]+")
_SCAN_AFFIX = re.compile(r"[-_. ]+(image|img|scan|0000)$")  # nnU-Net numbers the channels of a scan: _0000


def split_labels_from_scans(scans: Sequence[Path], files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Tell scans and labels apart when they lie in one folder and so occur in both lists.

    A file named like another one but for a label's affix (`t1_seg.nii.gz` beside `t1.nii.gz`) is a label.
    """
    names = {_name(scan) for scan in scans}
    stems = names | {_stem(scan, _SCAN_AFFIX) for scan in scans}
    both = set(scans) & set(files)
    labels_among_scans = {path for path in both if (stem := _stem(path, _LABEL_AFFIX)) != _name(path) and stem in stems}
    kept = [scan for scan in scans if scan not in labels_among_scans]
    return kept, [file for file in files if file not in both or file in labels_among_scans]


def match_labels(
    scans: Sequence[Path], files: Sequence[Path], where: Path, *, ids: Sequence[str] = ()
) -> tuple[dict[Path, Path], str]:
    """Find out which label file belongs to which scan.

    A label belongs to the scan (or case) of exactly its name; failing that, to the scan whose name is left when the usual
    affixes are taken away (`_seg`, `-label`, `_mask`, `_seg-manual`, `label_` ...; of scans `_image`, `_0000`). Where
    scans of one name lie in several folders, the folder's name decides.

    Parameters
    ----------
    where : Path
        The folder of the label files, named in errors.
    ids : sequence of str, optional
        Ids of the scans' cases; without them as `name_cases` names the scans.

    Returns
    -------
    matches : dict
        Scan -> label file.
    notice : str
        A sentence on label files left over, empty when there are none.

    Raises
    ------
    StudyError
        If no label belongs to a scan, one scan has several labels, or one label fits several scans.
    """
    exact: dict[str, set[Path]] = defaultdict(set)
    bare: dict[str, set[Path]] = defaultdict(set)
    for scan, case_id in zip(scans, ids or name_cases(scans), strict=True):
        exact[_name(scan)].add(scan)
        exact[case_id.casefold()].add(scan)
        bare[_stem(scan, _SCAN_AFFIX)].add(scan)
    by_name: dict[Path, Path] = {}
    by_affix: dict[Path, Path] = {}
    left_over = []
    for file in files:
        stem = _stem(file, _LABEL_AFFIX)
        if fitting := exact.get(_name(file)):
            _claim(by_name, fitting, file)
        elif fitting := exact.get(stem) or bare.get(stem):
            _claim(by_affix, fitting, file)
        else:
            left_over.append(file)
    matches = by_affix | by_name
    if not matches:
        raise StudyError(
            f"No label in {where} is named like a scan: name each label file after its scan, such as 'scan_01_seg.nii.gz'."
        )
    if not left_over:
        return matches, ""
    some = ", ".join(file.name for file in left_over[:3]) + (", ..." if len(left_over) > 3 else "")
    return (
        matches,
        f"{len(left_over)} of {len(files)} label files belong to no scan ({some}): name each after its scan to use it.",
    )


def _claim(matches: dict[Path, Path], fitting: set[Path], file: Path) -> None:
    """Give the label to its one scan, or raise."""
    if len(fitting) > 1:
        same_folder = {scan for scan in fitting if scan.parent.name == file.parent.name}
        if len(same_folder) != 1:
            names = " and ".join(str(scan) for scan in sorted(fitting)[:2])
            raise StudyError(f"{file} fits several scans ({names}): name each label file after its scan.")
        fitting = same_folder
    (scan,) = fitting
    if scan in matches:
        raise StudyError(
            f"Both {matches[scan]} and {file} are named like the scan {scan.name}: keep one of them in the label folder."
        )
    matches[scan] = file


def _name(path: Path) -> str:
    return scan_name(path).casefold()


def _stem(path: Path, affix: re.Pattern[str]) -> str:
    """Return the name without affixes; an affix alone ('mask.nii.gz') stays."""
    name = _name(path)
    while (shorter := affix.sub("", name)) not in ("", name):
        name = shorter
    return name
