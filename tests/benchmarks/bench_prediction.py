"""What the mask of a whole scan costs, beside MONAI's sliding window and beside the test code of the UA-MT family.

The same network in all of them, on real scans of the left atrium: ours as the program predicts; MONAI's sliding window, overlap
0.5, Gaussian, one and four windows at a time; and windows 2.5 x 11.25 x 11.25 mm (4 x 18 x 18 voxels of the scans) apart, all
counted alike, as `test_single_case` of UA-MT. Windows are the patch that the network learned from. The ways take turns on each
scan, so that whatever else the machine does hits all.

    python tests/benchmarks/bench_prediction.py [--model FILE] [--scans 3] [--without-ua-mt] [--threads 1]

Without a model a V-Net is trained first, for `--minutes` on labels alone, on patches of 48 x 64 x 64 of 1.25 mm; `--scale full`
takes the voxels and the patch of the protocol. Scans that are measured follow the 52 that it learns from, and come before the
20 that the protocols measure. Seconds are medians, on one CPU thread of processor time, else of wall time.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from cvrl_napari.config import DeviceName, OptimizerConfig, Plan, Spacing, TrainRequest, Triple
from cvrl_napari.data.prepare import standardize
from cvrl_napari.data.resample import network_shape, resample_labels
from cvrl_napari.engine.device import pick, set_threads
from cvrl_napari.engine.events import RunDone, RunFailed
from cvrl_napari.engine.memory import keep_freed_memory
from cvrl_napari.engine.model_file import load_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.train import train
from cvrl_napari.engine.windows import evaluating, predict_volume
from cvrl_napari.nets.output import Net
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read, read_labels

DATA = Path(os.environ.get("CVRL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "left_atrium"
LEARNED_FROM = 52
"""The first scans of the list."""
UA_MT_STRIDE = (2.5, 11.25, 11.25)
"""Distance of windows, mm (z, y, x)."""
OVERLAP = Plan.model_fields["window_overlap"].default


@dataclass(frozen=True)
class Scale:
    """Voxel size (mm) and windows (voxels), (z, y, x)."""

    spacing: Spacing
    window: Triple

    @property
    def stride(self) -> Triple:
        """Distance of windows in UA-MT's way, voxels (z, y, x)."""
        z, y, x = (max(1, round(step / mm)) for step, mm in zip(UA_MT_STRIDE, self.spacing, strict=True))
        return z, y, x


SCALES = {
    "full": Scale((0.625, 0.625, 0.625), (80, 112, 112)),
    "half": Scale((1.25, 1.25, 1.25), (48, 64, 64)),
}


def train_vnet(folder: Path, names: list[str], scale: Scale, minutes: float, device: DeviceName, threads: int) -> Path:
    """Train a V-Net for some minutes."""
    (folder / "labels").mkdir()
    for name in names:
        (folder / "labels" / f"{name}.nii.gz").symlink_to((DATA / "labels" / f"{name}.nii.gz").resolve())
    files = [DATA / "scans" / f"{name}.nii.gz" for name in names]
    with Study.create(folder / "study", files, classes=("left atrium",), labels=folder / "labels") as study:
        request = TrainRequest(method="supervised", preset="paper", minutes=minutes, device=device, threads=threads)
        plan = resolve(study, request, pick(device))
        plan = plan.model_copy(update={"spacing": scale.spacing, "patch_size": scale.window, "optimizer": OptimizerConfig()})
        for event in train(study, plan):
            if isinstance(event, RunFailed):
                raise SystemExit(f"{event.message} {event.hint}")
            if isinstance(event, RunDone):
                print(f"V-Net trained: {event.step} steps")
                return Path(event.model)
    raise SystemExit("The training ended without a model.")


def with_monai(net: Net, image: Tensor, scale: Scale, at_once: int = 1) -> Tensor:
    """Return the probabilities (K, z, y, x) of MONAI's sliding window, `at_once` windows at a time."""
    from monai.inferers.utils import sliding_window_inference

    with evaluating(net) as device:
        found = sliding_window_inference(
            image[None].to(device),
            scale.window,
            at_once,
            lambda patch: net(patch).logits.softmax(dim=1),
            overlap=0.5,
            mode="gaussian",
        )
    assert isinstance(found, Tensor)
    return found[0].float().cpu()


def as_ua_mt(net: Net, image: Tensor, scale: Scale) -> Tensor:
    """Return the probabilities (K, z, y, x) of windows `scale.stride` apart, zeros around a scan that is smaller."""
    size = image.shape[1:]
    missing = [max(0, window - length) for window, length in zip(scale.window, size, strict=True)]
    before = [count // 2 for count in missing]
    sides = [side for count, first in zip(missing[::-1], before[::-1], strict=True) for side in (first, count - first)]
    image = torch.nn.functional.pad(image, sides)
    starts = [
        [min(step * number, length - window) for number in range(-(-(length - window) // step) + 1)]
        for length, window, step in zip(image.shape[1:], scale.window, scale.stride, strict=True)
    ]
    sums = counts = torch.zeros(())
    with evaluating(net) as device:
        for corner in product(*starts):
            where = tuple(slice(first, first + side) for first, side in zip(corner, scale.window, strict=True))
            found = net(image[None, :, *where].to(device)).logits.float().softmax(dim=1)[0].cpu()
            if not sums.ndim:
                sums, counts = torch.zeros(len(found), *image.shape[1:]), torch.zeros(image.shape[1:])
            sums[:, *where] += found
            counts[where] += 1
    inside = tuple(slice(first, first + length) for first, length in zip(before, size, strict=True))
    return (sums / counts)[:, *inside]


def as_we_do(net: Net, image: Tensor, scale: Scale) -> Tensor:
    """Return the probabilities (K, z, y, x) as the program computes them."""
    return predict_volume(net, image, patch_size=scale.window, overlap=OVERLAP)


UA_MT = "UA-MT's test code"
WAYS: dict[str, Callable[[Net, Tensor, Scale], Tensor]] = {
    "ours": as_we_do,
    "MONAI, overlap 0.5": with_monai,
    "MONAI, four windows at a time": partial(with_monai, at_once=4),
    UA_MT: as_ua_mt,
}


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the overlap of two masks of booleans."""
    return float(2 * (mask & truth).sum() / max(1, mask.sum() + truth.sum()))


def measure(net: Net, names: list[str], scale: Scale, ways: Sequence[str], *, processor_time: bool) -> None:
    """Let the ways take turns and print the table."""
    clock = time.process_time if processor_time else time.perf_counter
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    scores: dict[str, list[float]] = {way: [] for way in ways}
    agree: dict[str, list[float]] = {way: [] for way in ways}
    as_we_do(net, torch.zeros(1, 16, 16, 16), scale)  # what torch and MONAI load at their first use
    with_monai(net, torch.zeros(1, 16, 16, 16), scale)
    for name in names:
        scan = read(DATA / "scans" / f"{name}.nii.gz")
        shape = network_shape(scan.array.shape, scan.spacing, scale.spacing)
        truth = resample_labels(read_labels(DATA / "labels" / f"{name}.nii.gz").array, shape) > 0
        image = standardize(scan.array, shape)
        ours = np.zeros(0)
        for way in ways:
            started = clock()
            mask = WAYS[way](net, image, scale).argmax(dim=0).numpy() > 0
            seconds[way].append(clock() - started)
            scores[way].append(dice(mask, truth))
            ours = mask if way == "ours" else ours
            agree[way].append(dice(mask, ours))
            print(f"  {name} {shape} {way}: {seconds[way][-1]:.1f} s, Dice {scores[way][-1]:.4f}", flush=True)
    print("\n| way | a scan, s | times ours | mean Dice | Dice with ours |\n|---|--:|--:|--:|--:|")
    for way in seconds:
        ratio = statistics.median(theirs / mine for theirs, mine in zip(seconds[way], seconds["ours"], strict=True))
        print(
            f"| {way} | {statistics.median(seconds[way]):.1f} | {ratio:.1f} | {np.mean(scores[way]):.4f} "
            f"| {np.mean(agree[way]):.4f} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="model.safetensors; without it one is trained")
    parser.add_argument("--scale", choices=tuple(SCALES), default="half", help="of that training")
    parser.add_argument("--minutes", type=float, default=10.0, help="of that training")
    parser.add_argument("--scans", type=int, default=3)
    parser.add_argument("--without-ua-mt", action="store_true", help="leave out what takes longest")
    parser.add_argument("--device", choices=get_args(DeviceName), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    keep_freed_memory()
    set_threads(asked.threads)
    names = (DATA / "train.list").read_text().split()
    with tempfile.TemporaryDirectory() as folder:
        training = (Path(folder), names[:LEARNED_FROM], SCALES[asked.scale], asked.minutes, asked.device, asked.threads)
        file = asked.model or train_vnet(*training)
        model = load_model(file, pick(asked.device).torch_device)
    scale = Scale(model.card.spacing, model.card.patch_size)
    print(f"{model.card.net.name} on {pick(asked.device).name}, {asked.threads} threads, windows {scale.window}\n")
    on_one_core = asked.device == "cpu" and asked.threads == 1
    ways = [way for way in WAYS if not (asked.without_ua_mt and way == UA_MT)]
    measure(model.net, names[LEARNED_FROM : LEARNED_FROM + asked.scans], scale, ways, processor_time=on_one_core)


if __name__ == "__main__":
    main()
