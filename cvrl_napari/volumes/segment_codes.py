"""The code of a structure in the terms of SNOMED CT, for programs that know structures by codes rather than by names."""

from typing import NamedTuple

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code


class SegmentCode(NamedTuple):
    """What kind of thing a segment is, and which one."""

    category: Code
    kind: Code


def code_of(name: str) -> SegmentCode:
    """Return the code of a structure by its English name; any other name gets the one of tissue in general.

    The names are those of DICOM's lists of anatomical structures (CID 7192) and of abnormal ones (CID 7194): "left atrium",
    "Spleen", "spinal_cord".
    """
    word = _letters(name)
    for kinds, category in (
        (codes.CID7192, codes.CID7150.AnatomicalStructure),
        (codes.CID7194, codes.CID7150.MorphologicallyAbnormalStructure),
    ):
        keyword = next((keyword for keyword in kinds.dir() if _letters(keyword) == word), None)
        if keyword is not None:
            return SegmentCode(category, getattr(kinds, keyword))
    return SegmentCode(codes.CID7150.Tissue, codes.CID7166.Tissue)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
