"""Read files of every format that were damaged on purpose; run in a process of its own, because it must not crash.

    python tests/volumes/fuzz_readers.py FOLDER MUTATIONS SEED

FOLDER is for scratch. Prints one line of JSON per mutation that was answered wrongly, then one with the totals. What is
right: a Volume whose voxels can all be touched, or a VolumeError of one sentence, within 5 s and little more memory than
the undamaged file takes.
"""

import faulthandler
import gzip
import json
import re
import sys
import time
import tracemalloc
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.reading import read

SECONDS = 5
HONEST_TIMES, PLUS_BYTES = 4, 3 << 20
ADDRESS_SPACE = 3 << 29  # beyond what the libraries take
EXTREMES = (-(2**31), -1, 0, 1, 255, 2**15 - 1, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1)
WORDS = (*map(str, EXTREMES), str(2**70), "nan", "inf", "-inf", "1e400", "1e-400", "", "x", "none", "%n%s", "(", "1" * 5000)
NAMES = (
    "/etc/passwd",
    "../voxels.raw",
    "..\\..\\x",
    "C:\\x",
    "LIST",
    "LOCAL",
    "%d 0 99999999 1",
    "slice%d.raw 5 1 0",
    "\0",
    ".",
    "",
)

Files = dict[str, bytes]  # name -> content; the first one is opened
Random = np.random.Generator


def honest_files(folder: Path) -> dict[str, Files]:
    """A small valid scan in every format."""
    array = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
    affine = np.array(((0, 2.0, 0.1, -9), (1.5, 0, 0, 4), (0, -0.1, 3, 7), (0, 0, 0, 1)))
    image = sitk.GetImageFromArray(array)

    def saved(save: Callable[[Path], object], name: str) -> Files:
        path = folder / name
        save(path)
        files = {file.name: file.read_bytes() for file in [path, *sorted(folder.iterdir())]}
        for file in folder.iterdir():
            file.unlink()
        return files

    def by_nibabel(kind: type, name: str, **header: object) -> Files:
        made = kind(array, affine, kind.header_class(**header) if header else None)
        return saved(lambda path: nibabel.save(made, path), name)

    def by_itk(name: str, *, compressed: bool = False) -> Files:
        return saved(lambda path: sitk.WriteImage(image, str(path), useCompression=compressed), name)

    nrrd = by_itk("scan.nrrd")["scan.nrrd"]
    head, _, _ = nrrd.partition(b"\n\n")
    text = head.replace(b"encoding: raw", b"encoding: ascii") + b"\n\n" + b" ".join(b"%d" % value for value in array.ravel())
    slabs = {f"slice{number}.raw": array[number].tobytes() for number in range(6)}
    listed = head + b"\ndata file: LIST 2\n" + "\n".join(slabs).encode()
    mhd = by_itk("scan.mhd")["scan.mhd"]
    return {
        "nii": by_nibabel(nibabel.Nifti1Image, "scan.nii"),
        "nii, big endian": by_nibabel(nibabel.Nifti1Image, "scan.nii", endianness=">"),
        "nii, NIfTI-2": by_nibabel(nibabel.Nifti2Image, "scan.nii"),
        "nii.gz": by_nibabel(nibabel.Nifti1Image, "scan.nii.gz"),
        "hdr and img": by_nibabel(nibabel.Nifti1Pair, "scan.hdr"),
        "analyze": by_nibabel(nibabel.Spm2AnalyzeImage, "scan.hdr"),
        "mgh": by_nibabel(nibabel.MGHImage, "scan.mgh"),
        "mgz": by_nibabel(nibabel.MGHImage, "scan.mgz"),
        "nrrd": {"scan.nrrd": nrrd},
        "nrrd, gzip": by_itk("scan.nrrd", compressed=True),
        "nrrd, text": {"scan.nrrd": text},
        "nhdr": by_itk("scan.nhdr"),
        "nhdr, list": {"scan.nhdr": listed, **slabs},
        "mha": by_itk("scan.mha"),
        "mha, zlib": by_itk("scan.mha", compressed=True),
        "mhd": by_itk("scan.mhd"),
        "mhd, list": {"scan.mhd": mhd.replace(b"= scan.raw", b"= LIST\n" + "\n".join(slabs).encode()), **slabs},
        "dicom, slice": saved(lambda path: write_dicom(path, array[:1]), "scan.dcm"),
        "dicom, multi-frame": saved(lambda path: write_dicom(path, array), "scan.dcm"),
    }


def write_dicom(path: Path, array: np.ndarray) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage if len(array) == 1 else EnhancedCTImageStorage
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = "1.2.3", ExplicitVRLittleEndian
    header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = meta.MediaStorageSOPClassUID, "1.2.3"
    header.SeriesInstanceUID, header.StudyInstanceUID, header.Modality = "1.2.4", "1.2.5", "CT"
    _, header.Rows, header.Columns = array.shape
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation, header.SamplesPerPixel = 15, 1, 1
    header.PhotometricInterpretation = "MONOCHROME2"

    def group(**attributes: object) -> Dataset:
        made = Dataset()
        for name, value in attributes.items():
            setattr(made, name, value)
        return made

    measures: dict[str, object] = {"PixelSpacing": [0.75, 0.5], "SliceThickness": 2.5}
    place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [1, 2, 3]}
    if len(array) == 1:
        for name, value in (measures | place).items():
            setattr(header, name, value)
    else:
        header.NumberOfFrames = len(array)
        orientation = group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
        shared = group(PlaneOrientationSequence=[orientation], PixelMeasuresSequence=[group(**measures)])
        header.SharedFunctionalGroupsSequence = [shared]
        header.PerFrameFunctionalGroupsSequence = [
            group(PlanePositionSequence=[group(ImagePositionPatient=[1, 2, 2.5 * frame])]) for frame in range(len(array))
        ]
    header.PixelData = array.tobytes()
    pydicom.dcmwrite(path, header)


def flipped(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.integers(1, 5)):
        changed[random.integers(min(len(changed), 700))] = random.integers(256)
    return bytes(changed)


def extreme(content: bytes, random: Random) -> bytes:
    """A number of the header, of 2 to 8 bytes in either order, at the end of its range or no number at all."""
    kind = np.dtype(str(random.choice(("<i2", "<i4", "<i8", ">i2", ">i4", ">i8", "<f4", ">f4", "<f8"))))
    if kind.kind == "f":
        number = np.array(random.choice((np.nan, np.inf, -1, 0, 1e30, 2**62)), kind)
    else:
        number = np.array(int(random.choice(EXTREMES))).astype(kind)
    at = int(random.integers(max(1, min(len(content), 560) - 8) // 2)) * 2
    return content[:at] + number.tobytes() + content[at + kind.itemsize :]


def cut(content: bytes, random: Random) -> bytes:
    return content[: random.integers(1, len(content))]


def longer(content: bytes, random: Random) -> bytes:
    return content + random.bytes(int(random.integers(1, 5000)))


def junk(content: bytes, random: Random) -> bytes:
    keep = int(random.integers(0, 12))
    return content[:keep] + random.bytes(len(content) - keep)


def reworded(content: bytes, random: Random) -> bytes:
    """A number or a name in the text of a header replaced."""
    found = list(re.finditer(rb"[^\s:=(),]+", content[:700]))
    word = found[random.integers(len(found))]
    with_what = str(random.choice(NAMES if random.random() < 0.2 else WORDS)).encode()
    return content[: word.start()] + with_what + content[word.end() :]


def relined(content: bytes, random: Random) -> bytes:
    """A line of the header left out, twice, elsewhere, or another one's value in it."""
    lines = content.split(b"\n", 12)
    first, second = random.integers(len(lines), size=2)
    match random.integers(4):
        case 0:
            del lines[first]
        case 1:
            lines.insert(second, lines[first])
        case 2:
            lines[first], lines[second] = lines[second], lines[first]
        case 3:
            lines[first] = re.sub(rb"[:=].*", b": " + lines[second].rpartition(b"=")[2], lines[first])
    return b"\n".join(lines)


def bombs(honest: dict[str, Files]) -> Iterator[tuple[str, Files]]:
    """Small files that unzip to gigabytes, behind the voxels or instead of them."""
    zeros = zlib.compressobj(9, wbits=31)
    member = b"".join(zeros.compress(bytes(1 << 24)) for _ in range(4)) + zeros.flush()  # 64 MiB in 64 KiB
    for kind, name in (("nii.gz", "scan.nii.gz"), ("mgz", "scan.mgz")):
        content = honest[kind][name]
        yield kind, {name: content + 100 * member}
        start = gzip.decompress(content)
        at, dims = (40, np.array((3, 2048, 2048, 512), "<i2")) if kind == "nii.gz" else (4, np.array((2048, 2048, 512), ">i4"))
        yield kind, {name: gzip.compress(start[:at] + dims.tobytes() + start[at + dims.nbytes :] + bytes(10**5)) + member}
        yield kind, {name: member * 20}
    head, _, _ = honest["nrrd, gzip"]["scan.nrrd"].partition(b"\n\n")
    yield "nrrd, gzip", {"scan.nrrd": head + b"\n\n" + 100 * member}
    yield "nrrd, gzip", {"scan.nrrd": head + b"\nbyte skip: 4000000000\n\n" + 100 * member}
    yield "nrrd, gzip", {"scan.nrrd": head.replace(b"sizes: 4 5 6", b"sizes: 2048 2048 512") + b"\n\n" + member}
    head, _, _ = honest["mha, zlib"]["scan.mha"].partition(b"LOCAL\n")
    yield "mha, zlib", {"scan.mha": head + b"LOCAL\n" + 100 * member}
    yield "mha, zlib", {"scan.mha": head.replace(b"DimSize = 4 5 6", b"DimSize = 2048 2048 512") + b"LOCAL\n" + member}


def mutations(honest: dict[str, Files], count: int, seed: int) -> Iterator[tuple[str, str, Files]]:
    """`count` damaged files, as many of every format: (format, what was done, files)."""
    for kind, files in bombs(honest):
        yield kind, "bomb", files
    kinds = list(honest)
    for number in range(count):
        kind, random = kinds[number % len(kinds)], np.random.default_rng((seed, number))
        files = dict(honest[kind])
        name = next(iter(files)) if random.random() < 0.85 else str(random.choice(list(files)))
        is_text = kind[:4] in ("nrrd", "nhdr") or kind[:3] in ("mha", "mhd")
        ways = [flipped, extreme, extreme, cut, longer, junk] + [reworded, relined] * 4 * is_text
        way = ways[random.integers(len(ways))]
        content = files[name]
        if name.endswith("z") and random.random() < 0.7:  # what is zipped, not the zip
            files[name] = gzip.compress(way(gzip.decompress(content), random), 1)
        else:
            files[name] = way(content, random)
        yield kind, way.__name__, files


def answer(path: Path) -> str:
    """Read a file; '' if it was opened, 'refused' or what was wrong with the answer."""
    try:
        try:
            volume = read(path)
        except SeveralVolumesError as several:
            volume = read(path, part=several.count - 1)
        if volume.orientation != "SPL" or not np.isfinite(volume.array.sum(dtype=np.float64)):
            return "a volume that is none"
        return ""
    except VolumeError as error:
        sentence = str(error)
        if "\n" in sentence or not sentence.endswith(".") or str(path.parent) not in sentence or len(sentence) > 800:
            return f"not a sentence: {sentence}"
        return "refused"
    except BaseException as error:
        return repr(error)


def lay_out(folder: Path, files: Files) -> Path:
    """Write files into a folder that holds nothing else; return the one to open."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()  # not overwritten: an older array may still be mapped to it
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / next(iter(files))


def limit_memory() -> None:
    if sys.platform != "linux":  # the others have no such limit, or do not keep it
        return
    import resource

    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ADDRESS_SPACE, resource.RLIM_INFINITY))


def main(folder: Path, count: int, seed: int) -> None:
    warnings.simplefilter("ignore")
    nibabel.imageglobals.logger.setLevel("CRITICAL")
    (folder / "honest").mkdir()
    honest = honest_files(folder / "honest")
    for kind, files in honest.items():  # they open; and what readers import at first use takes no one's memory
        said = answer(lay_out(folder / kind, files))
        if said:
            raise AssertionError(f"{kind}, undamaged: {said}")
    limit_memory()
    tracemalloc.start()
    counts: Counter[str] = Counter()
    slowest, largest = 0.0, 0
    for number, (kind, way, files) in enumerate(mutations(honest, count, seed)):
        path = lay_out(folder / kind, files)
        (folder / "current").write_text(f"{number} {kind} {way}")
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        faulthandler.dump_traceback_later(6 * SECONDS, exit=True)  # a busy machine is no hang
        start = time.process_time()
        said = answer(path)
        seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
        faulthandler.cancel_dump_traceback_later()
        slowest, largest = max(slowest, seconds), max(largest, peak)
        if peak > HONEST_TIMES * sum(map(len, honest[kind].values())) + PLUS_BYTES:
            said = f"{peak:,} bytes of memory"
        if seconds > SECONDS:
            said = f"{seconds:.1f} s"
        counts[f"{kind}: {'opened' if not said else said if said == 'refused' else 'wrong'}"] += 1
        if said not in ("", "refused"):
            print(json.dumps({"number": number, "kind": kind, "way": way, "said": said}), flush=True)
    print(json.dumps({"counts": counts, "slowest": slowest, "largest": largest, "formats": list(honest)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
