"""From what a person asks for to what a run will do: spacing, patch, network and length, each with its reason."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cvrl_napari.config import (
    AugmentConfig,
    ConsistencyConfig,
    ContrastConfig,
    ContrastDimension,
    NetConfig,
    OptimizerConfig,
    Plan,
    Spacing,
    TrainRequest,
    Triple,
)
from cvrl_napari.engine.device import DeviceInfo
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_card import read_card
from cvrl_napari.engine.scan_geometry import scan_geometry
from cvrl_napari.engine.start_choice import net_like, seen_by, start_in_words
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

PROBED_SCANS = 5
"""Scans whose geometry the plan is made from; reading all of a large study would take minutes."""

WARM_UP, RAMP_UP = 0.25, 0.5
"""Labels alone for a quarter of the run: a step then costs a third, and a teacher that knows nothing has nothing to teach."""

ONE_DIMENSION = {
    "batch": "Voxels are told apart, the features that describe them are not: these may come to say the same.",
    "features": "The features that describe a voxel are told apart, voxels are not.",
}


@dataclass(frozen=True)
class _Size:
    """How much a preset may spend. Voxels are counted after resampling."""

    steps: int
    scan_voxels: float
    patch_voxels: int
    words: str


SIZES = {
    "quick": _Size(2_000, 4e5, 48 * 64 * 64, "a compact network at a coarser voxel size, for a computer without a GPU"),
    "standard": _Size(6_000, 8e6, 80 * 112 * 112, "the full network, planned from your scans, for a GPU"),
    "paper": _Size(6_000, math.inf, 80 * 112 * 112, "the network and the protocol of the publication"),
}


def resolve(study: Study, request: TrainRequest, device: DeviceInfo) -> Plan:
    """Look at the data and the device and decide everything that `request` leaves open.

    Raises
    ------
    EngineError
        If no case that may be learned from has a label, `request.labeled` names a case that has none, the cases differ in
        the number of their images, or the model to start from cannot be read or sees another number of images.
    VolumeError, StudyError
        If none of the scans can be read.
    """
    labeled, unlabeled = _split(study, request)
    reasons: list[str] = []
    preset = request.preset
    if preset == "auto":
        preset = "standard" if device.kind == "cuda" else "quick"
        reasons.append(f"{preset}: {SIZES[preset].words}, since this computer trains on its {device.kind.upper()}.")
    size = SIZES[preset]
    shape, native = median_geometry(study, labeled, unlabeled)
    channels = _channels(study, (*labeled, *unlabeled))
    earlier = read_card(request.start_from) if request.start_from else None
    spacing = earlier.spacing if earlier else coarsen(shape, native, size.scan_voxels)
    held_out = study.held_out_cases()
    if earlier:
        seen = seen_by(earlier, study, held_out)
        held_out = tuple(case for case in held_out if case not in seen)
        reasons += start_in_words(earlier, [one.name for one in study.classes], seen)
    elif spacing == native:
        reasons.append(f"Voxels stay at {_mm(native)} (z, y, x), the scans' own size.")
    else:
        reasons.append(
            f"Voxels are enlarged from {_mm(native)} to {_mm(spacing)} (z, y, x) so that training keeps pace with you."
        )
    if channels > 1:
        reasons.append(f"The network sees {channels} images of each case at once.")
    classes = len(study.classes) + 1
    net = net_like(earlier, channels=channels, classes=classes) if earlier else _net(preset, channels, classes)
    resampled = [math.ceil(n * a / b) for n, a, b in zip(shape, native, spacing, strict=True)]
    patch_size = fit_patch(resampled, size.patch_voxels, multiple=2 ** (net.levels - 1))
    reasons.append(
        f"The network learns from pieces of {' x '.join(map(str, patch_size))} voxels, the most that this preset can afford."
    )
    method = request.method
    if method != "supervised" and not unlabeled:
        reasons.append("There is no unlabeled scan, so nothing is learned from unlabeled ones: add scans to gain from them.")
    if method == "cvrl" and request.contrast != "both":
        reasons.append(ONE_DIMENSION[request.contrast])
    minutes = request.minutes
    steps = request.steps or size.steps
    reasons.append(f"It trains for {minutes:g} minutes." if minutes else f"It trains for {steps:,} steps.")
    return Plan(
        method=method,
        preset=preset,
        device=device.kind,
        threads=request.threads or device.cores,
        precision="bfloat16" if device.kind == "cuda" else "float32",
        seed=request.seed,
        steps=steps,
        minutes=minutes,
        spacing=spacing,
        patch_size=patch_size,
        unlabeled_batch=0 if method == "supervised" else 2,
        warm_up=0.0 if preset == "paper" else WARM_UP,
        ramp_up=1.0 if preset == "paper" else RAMP_UP,
        net=net,
        augment=_augment(preset),
        contrast=_along(_contrast(preset), request.contrast),
        consistency=_consistency(preset),
        optimizer=_optimizer(preset),
        start_from=None if request.start_from is None else str(request.start_from.resolve()),
        inherited_scans=() if earlier is None else earlier.scans,
        labeled_cases=labeled,
        unlabeled_cases=unlabeled,
        held_out_cases=held_out,
        reasons=tuple(reasons),
    )


def _split(study: Study, request: TrainRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which cases are learned from with, and which without their labels."""
    labeled = study.labeled_cases()
    if request.labeled:
        missing = [case for case in request.labeled if case not in labeled]
        if missing:
            raise EngineError(
                f"No labels to learn from in: {', '.join(missing)}.", "Paint these cases first or leave them out of --labeled."
            )
        labeled = tuple(case for case in labeled if case in request.labeled)
    if not labeled:
        raise EngineError(
            "No scan is labeled yet.", "Paint at least one structure on one scan that is not held out, then train."
        )
    if request.labeled_first is not None:
        if request.labeled_first > len(labeled):
            raise EngineError(
                f"The first {request.labeled_first} labeled cases were asked for, but only {len(labeled)} are labeled.",
                "Ask for fewer or label more.",
            )
        labeled = labeled[: request.labeled_first]
    return labeled, tuple(c.id for c in study.cases if c.id not in labeled and not c.held_out)


def median_geometry(study: Study, labeled: Sequence[str], unlabeled: Sequence[str]) -> tuple[Triple, Spacing]:
    """Median shape (z, y, x) and spacing (mm) of the first few scans that can be read."""
    probed: list[tuple[Triple, Spacing]] = []
    for case in (*labeled, *unlabeled):
        try:
            probed.append(scan_geometry(study, case))
        except (VolumeError, StudyError):
            continue  # the run names it and goes on without it
        if len(probed) == PROBED_SCANS:
            break
    if not probed:
        study.read_scan(labeled[0])  # says what is wrong with it
    shape = np.median([shape for shape, _ in probed], axis=0)
    z, y, x = (round(float(s), 4) for s in np.median([spacing for _, spacing in probed], axis=0))
    deep, high, wide = (int(n) for n in shape)
    return (deep, high, wide), (z, y, x)


def coarsen(shape: Iterable[int], spacing: Spacing, voxels: float) -> Spacing:
    """Enlarge the voxels, the finest axes first, until a scan of `shape` has at most `voxels` of them.

    Parameters
    ----------
    shape : three integers (z, y, x)
        At `spacing`, in mm.
    """
    extent = np.array(list(shape)) * np.array(spacing)
    result = np.array(spacing, dtype=float)
    while np.prod(extent / result) > voxels:
        finest = result <= result.min() * 1.001
        result[finest] *= 1.02
    z, y, x = (round(float(s), 3) for s in result)
    return (z, y, x)


def fit_patch(shape: Iterable[int], voxels: int, *, multiple: int) -> Triple:
    """Return the largest patch in the proportions of `shape` (z, y, x): at most `voxels`, sides multiples of `multiple`."""
    patch = [math.ceil(n / multiple) * multiple for n in shape]
    while math.prod(patch) > voxels and max(patch) > multiple:
        patch[patch.index(max(patch))] -= multiple
    z, y, x = patch
    return (z, y, x)


def _channels(study: Study, cases: Sequence[str]) -> int:
    """Return how many images each case has."""
    counts = {case: len(study.case(case).images) for case in (*cases, *study.held_out_cases())}
    usual = counts[cases[0]]
    for case, count in counts.items():
        if count != usual:
            raise EngineError(
                f"The case '{case}' has {count} images, '{cases[0]}' has {usual}.",
                "Give every case the same images in the same order, or take this case out of the study.",
            )
    return usual


def _net(preset: str, channels: int, classes: int) -> NetConfig:
    if preset == "quick":
        return NetConfig(name="compact", in_channels=channels, classes=classes)
    return NetConfig(name="vnet", in_channels=channels, classes=classes, levels=5, dropout=0.5)


def _augment(preset: str) -> AugmentConfig:
    if preset == "paper":
        return AugmentConfig(flip=True, quarter_turns=True, affine_probability=0, intensity_probability=0)
    return AugmentConfig()


def _contrast(preset: str) -> ContrastConfig:
    if preset == "paper":
        return ContrastConfig(
            low_voxel_weight=0.5, high_voxel_weight=0.5, dimension_weight=0.1, voxels=2048, same_class_negatives=True
        )
    if preset == "quick":  # a quarter of the comparisons costs a sixteenth: on a CPU the logits weigh as much as the network
        return ContrastConfig(voxels=256, low_queue_size=4_096, high_queue_size=1_024)
    return ContrastConfig()


def _along(contrast: ContrastConfig, dimension: ContrastDimension) -> ContrastConfig:
    """Contrast along one dimension alone, for comparison; the paper contrasts along both."""
    match dimension:
        case "batch":
            return contrast.model_copy(update={"dimension_weight": 0.0})
        case "features":
            return contrast.model_copy(update={"low_voxel_weight": 0.0, "high_voxel_weight": 0.0})
        case "both":
            return contrast


def _consistency(preset: str) -> ConsistencyConfig:
    if preset == "paper":
        return ConsistencyConfig(weight=0.1, sharpen=False, paste=False, noise=True)
    return ConsistencyConfig()


def _optimizer(preset: str) -> OptimizerConfig:
    if preset == "paper":
        return OptimizerConfig(name="sgd", learning_rate=0.01, weight_decay=1e-4, schedule="steps")
    return OptimizerConfig()


def _mm(spacing: Spacing) -> str:
    return " x ".join(f"{s:.3g}" for s in spacing) + " mm"
