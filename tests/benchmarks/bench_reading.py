"""How long scans take to open, and how much memory: ours against nibabel's own load.

    python tests/benchmarks/bench_reading.py [--folder SCRATCH] [--repetitions 5]

Linux; needs 1.3 GB of disk. Files are in the system's cache: what is measured is the reading, not the disk. Each reading runs
in a process of its own, so that its largest memory is its own. The readers take turns; medians count.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel
import numpy as np

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"

PROGRAM = """if True:
    import re, sys, time
    from pathlib import Path
    import nibabel, numpy
    from cvrl_napari.volumes.reading import read
    def taken():
        return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # not the parent's
    reader, path = sys.argv[1:]
    before, start = taken(), time.perf_counter()
    if reader == "nibabel":
        array = numpy.asanyarray(nibabel.load(path).dataobj)
    else:
        array = read(Path(path)).array
    print(time.perf_counter() - start, taken() - before, array.nbytes / 2**20)
"""


def measure(reader: str, path: Path) -> tuple[float, float, float]:
    """Return seconds, MiB beyond what the libraries take, MiB of the array."""
    program = [sys.executable, "-c", PROGRAM, reader, path]
    seconds, mib, array = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(mib), float(array)


def body(shape: tuple[int, int, int]) -> np.ndarray:
    """Smooth shapes with noise, int16: it zips about as a CT does."""
    random = np.random.default_rng(0)
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    smooth = 400 * np.sin(i / 40) * np.cos(j / 50) + 3 * k
    smooth[np.hypot(i - shape[0] / 2, j - shape[1] / 2)[..., 0] > 0.45 * shape[0]] = -1000
    return (smooth + random.normal(0, 8, shape) * (smooth > -1000)).astype(np.int16)


def make(folder: Path) -> dict[str, Path]:
    zipped, plain = folder / "zipped.nii.gz", folder / "plain.nii"
    nibabel.save(nibabel.Nifti1Image(body((512, 512, 300)), np.diag((0.7, 0.7, 1.0, 1.0))), zipped)
    nibabel.save(nibabel.Nifti1Image(np.tile(body((512, 512, 256)), (1, 1, 8)), np.eye(4)), plain)
    made = {"512 x 512 x 300 int16 .nii.gz": zipped, "1 GB int16 .nii": plain}
    left_atria = sorted((SHARED_DATA / "left_atrium" / "scans").glob("*.nii.gz"))
    return made | ({"left atrium .nii.gz": left_atria[0]} if left_atria else {})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        start = time.perf_counter()
        scans = make(Path(folder))
        print(f"made in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        print("| scan | MB on disk | reader | s | to nibabel | MiB taken | of its array |\n|---|--:|---|--:|--:|--:|--:|")
        for name, path in scans.items():
            rounds = [{reader: measure(reader, path) for reader in ("nibabel", "ours")} for _ in range(given.repetitions)]
            for reader in ("nibabel", "ours"):
                seconds, mib, array = (
                    statistics.median(column) for column in zip(*(one[reader] for one in rounds), strict=True)
                )
                ratio = statistics.median(one[reader][0] / one["nibabel"][0] for one in rounds)
                size = path.stat().st_size / 1e6
                print(f"| {name} | {size:.0f} | {reader} | {seconds:.3f} | {ratio:.2f} | {mib:.0f} | {mib / array:.2f} |")


if __name__ == "__main__":
    main()
