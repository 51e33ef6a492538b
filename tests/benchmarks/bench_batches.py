"""How long a batch of 2 + 2 patches of 64 x 64 x 48 takes on one core: python tests/benchmarks/bench_batches.py

Prints the median over 50 batches of the loader, of its geometry alone and of the plain cuts, in milliseconds of CPU time.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import torch

from cvrl_napari.config import AugmentConfig, ConsistencyConfig, ContrastConfig, NetConfig, OptimizerConfig, Plan
from cvrl_napari.data.prepare import prepare
from cvrl_napari.data.streams import TwoStreamLoader
from cvrl_napari.study.study import Study


def median_ms(call: Callable[[], object], times: int = 50) -> float:
    """Time a call."""
    durations = []
    for _ in range(times):
        start = time.process_time()
        call()
        durations.append(1000 * (time.process_time() - start))
    return statistics.median(durations)


def main() -> None:
    """Make a study of six scans in a temporary folder and time its batches."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        scans = []
        for number in range(6):
            array = np.random.default_rng(number).normal(100, 20, (120, 120, 80)).astype(np.float32)
            scans.append(Path(folder) / f"scan_{number}.nii.gz")
            nibabel.save(nibabel.Nifti1Image(array, np.diag([-1.25, -1.25, 1.25, 1.0])), scans[-1])
        with Study.create(Path(folder) / "study", scans, classes=("structure",)) as study:
            labels = np.zeros((80, 120, 120), np.uint8)
            labels[30:50, 40:80, 40:80] = 1
            for case in study.cases[:2]:
                study.write_labels(case.id, labels, state="complete")
            cases = {case.id: prepare(study, case.id, spacing=(1.25, 1.25, 1.25)) for case in study.cases}
            ids = list(cases)
            still = AugmentConfig(affine_probability=0, intensity_probability=0)
            for name, augment in (
                ("cut only", still),
                ("geometry", AugmentConfig(intensity_probability=0)),
                ("geometry and grey values", AugmentConfig()),
            ):
                plan = Plan(
                    method="cvrl",
                    preset="quick",
                    device="cpu",
                    threads=1,
                    precision="float32",
                    seed=0,
                    steps=1,
                    spacing=(1.25, 1.25, 1.25),
                    patch_size=(48, 64, 64),
                    net=NetConfig(),
                    augment=augment,
                    contrast=ContrastConfig(),
                    consistency=ConsistencyConfig(),
                    optimizer=OptimizerConfig(),
                    labeled_cases=(),
                    unlabeled_cases=(),
                )
                print(f"{name}: {median_ms(TwoStreamLoader(ids[:2], ids[2:], cases, plan, seed=0).next):.1f} ms")


if __name__ == "__main__":
    main()
