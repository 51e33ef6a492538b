"""Every setting once: its name, default, unit, range and one line of help.

The training form, the help of the command line and the documentation are made from the fields of these classes;
nothing else states a default. `TrainRequest` is what a person asks for. `Plan` is what will be done: `engine.plan` turns
the one into the other by looking at the data and the device, and writes a reason beside each choice.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MethodName = Literal["cvrl", "mean_teacher", "supervised"]
PresetName = Literal["auto", "quick", "standard", "paper"]
ContrastDimension = Literal["both", "batch", "features"]
ProjectionMethod = Literal["pca", "umap", "tsne"]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
LabeledCount = Annotated[int, Field(ge=1)] | Literal["all"]
Triple = tuple[int, int, int]
Spacing = tuple[float, float, float]


class Settings(BaseModel):
    """A frozen group of settings; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TrainRequest(Settings):
    """What a person asks for when pressing Train or typing `cvrl train`."""

    method: MethodName = Field("cvrl", description="How unlabeled scans are used; 'supervised' ignores them")
    contrast: ContrastDimension = Field(
        "both",
        description="What CVRL tells apart: voxels ('batch'), the features that describe them ('features'), or both; "
        "'batch' alone shows what the other is for",
    )
    preset: PresetName = Field("auto", description="Size of network and run; 'auto' chooses by device and data")
    device: DeviceName = Field("auto", description="Where to train; 'auto' takes a GPU when there is one")
    steps: int | None = Field(None, ge=1, le=1_000_000, description="Optimizer updates; empty takes the preset's number")
    minutes: float | None = Field(None, gt=0, le=100_000, description="Train this many minutes instead of a number of steps")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Same seed, same run (on the CPU, with a number of steps)")
    labeled_first: int | None = Field(
        None, ge=1, description="Use the labels of the first N labeled cases only; the others count as unlabeled"
    )
    labeled: tuple[str, ...] = Field((), description="Use the labels of these cases only; the others count as unlabeled")
    start_from: Path | None = Field(
        None, description="Model file whose weights to begin with; structures are matched by name. Empty begins anew"
    )
    threads: int = Field(
        0, ge=0, le=256, description="CPU threads; 0 takes all cores when headless, all but one beside the viewer"
    )


class BenchmarkRequest(Settings):
    """What a person asks for when typing `cvrl benchmark`: every method with every count of labels from every seed."""

    methods: tuple[MethodName, ...] = Field(
        ("supervised", "mean_teacher", "cvrl"), min_length=1, description="Methods to compare"
    )
    labeled: tuple[LabeledCount, ...] = Field(
        (), description="Labeled scans to learn from, or 'all'; empty takes the protocol's count, with --study all"
    )
    seeds: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...] = Field((0,), min_length=1, description="A run for each")
    steps: int = Field(2_000, ge=1, le=1_000_000, description="Optimizer updates of every run")
    preset: PresetName = Field("quick", description="Size of the network; the same for every run")
    scale: Literal["full", "half"] = Field("full", description="The scans' own voxel size, or twice that; of a protocol")
    folds: int = Field(5, ge=2, le=100, description="Parts that the complete cases of --study are divided into")
    device: DeviceName = Field("auto", description="Where to compute; 'auto' takes a GPU when there is one")
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0 takes all cores")
    minutes_at_a_time: float | None = Field(
        None, gt=0, le=100_000, description="Save and leave after so many minutes; the same command goes on"
    )


class NetConfig(Settings):
    """The network. Every level halves the resolution of the one before."""

    name: Literal["compact", "vnet"] = Field(
        "compact", description="'vnet' is the paper's V-Net, 'compact' a small one for CPUs"
    )
    in_channels: int = Field(1, ge=1, le=16, description="Image channels")
    classes: int = Field(2, ge=2, le=255, description="Background and structures together")
    width: int = Field(16, ge=4, le=128, description="Channels at full resolution; doubled at each level")
    levels: int = Field(4, ge=2, le=6, description="Resolutions, the full one included")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="Share of channels dropped after the bottleneck and before the classifier"
    )
    recompute: bool = Field(
        False, description="Compute the maps of each block again in the backward pass: less memory, a third more time"
    )


class AugmentConfig(Settings):
    """Random changes of the training patches. Geometry is shared by both views, intensity drawn for each view apart."""

    flip: bool = Field(
        False, description="Mirror along each axis with probability 0.5; off where left and right differ in kind"
    )
    quarter_turns: bool = Field(False, description="Rotate by multiples of 90 degrees in the axial plane")
    rotation: float = Field(15.0, ge=0, le=180, description="Largest rotation about each axis, degrees")
    scaling: float = Field(0.15, ge=0, lt=1, description="Largest relative change of size")
    affine_probability: float = Field(0.7, ge=0, le=1, description="Share of patches that are rotated and scaled")
    noise: float = Field(
        0.1, ge=0, le=2, description="Largest standard deviation of added noise, in standard deviations of the scan"
    )
    blur: float = Field(1.0, ge=0, le=5, description="Largest Gaussian blur, voxels (standard deviation)")
    brightness: float = Field(0.3, ge=0, le=2, description="Largest shift of grey values, in standard deviations of the scan")
    contrast: float = Field(0.3, ge=0, lt=1, description="Largest relative change of contrast")
    gamma: float = Field(0.3, ge=0, lt=1, description="Largest relative change of the gamma exponent")
    intensity_probability: float = Field(0.3, ge=0, le=1, description="Share of patches that get each intensity change")


class ContrastConfig(Settings):
    """Voxel-wise contrast along the batch and along the feature dimension, at a low and a high level."""

    low_voxel_weight: float = Field(
        0.0, ge=0, le=10, description="Weight of the voxel contrast (batch dimension) of the last decoder map"
    )
    high_voxel_weight: float = Field(
        0.1, ge=0, le=10, description="Weight of the voxel contrast (batch dimension) of the bottleneck"
    )
    dimension_weight: float = Field(0.02, ge=0, le=10, description="Weight of the dimension contrast (feature dimension)")
    low_level: bool = Field(True, description="Contrast the last decoder map, what the classifier sees")
    high_level: bool = Field(True, description="Contrast the bottleneck")
    temperature: float = Field(
        0.5, gt=0, le=1, description="Divides the voxels' cosine similarities; smaller looks harder at hard negatives"
    )
    dimension_temperature: float = Field(0.1, gt=0, le=1, description="Divides the features' cosine similarities")
    embedding_size: int = Field(128, ge=8, le=1024, description="Channels after the projector")
    voxels: int = Field(1024, ge=64, le=16_384, description="Voxels drawn from each volume for the contrast")
    low_queue_size: int = Field(
        16_384, ge=0, le=1_000_000, description="Past low-level keys kept as negatives; 0 turns the queue off"
    )
    high_queue_size: int = Field(
        4_096, ge=0, le=1_000_000, description="Past high-level keys kept as negatives; 0 turns the queue off"
    )
    same_class_negatives: bool = Field(
        False,
        description="Also push apart voxels of the same class (the literal instance contrast); off leaves them out of the negatives",
    )


class ConsistencyConfig(Settings):
    """The student agrees with its momentum teacher on unlabeled volumes."""

    weight: float = Field(1.0, ge=0, le=10, description="Weight of the consistency on unlabeled patches")
    sharpen: bool = Field(True, description="Sharpen the teacher's probabilities (squared, renormalised) before comparing")
    paste: bool = Field(True, description="Paste a box of a labeled patch into each unlabeled one, its labels into the target")
    noise: bool = Field(False, description="Add noise clamp(0.1 N(0, 1), -0.2, 0.2) to the teacher's input")


class OptimizerConfig(Settings):
    """The optimizer and its schedule."""

    name: Literal["adamw", "sgd"] = Field("adamw", description="Optimizer")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Largest learning rate")
    weight_decay: float = Field(1e-2, ge=0, le=1, description="Weight decay")
    sgd_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD")
    schedule: Literal["one_cycle", "steps"] = Field(
        "one_cycle", description="Rise and cosine fall, or a tenth after every 2,500 steps"
    )


class Plan(Settings):
    """What a run will do, resolved from a `TrainRequest`, the study and the device; stored as the run's config.json."""

    method: MethodName
    preset: Literal["quick", "standard", "paper"]
    device: Literal["cpu", "cuda", "mps"]
    threads: int = Field(ge=1)
    precision: Literal["float32", "bfloat16", "float16"]
    seed: int
    steps: int = Field(ge=1, description="Planned optimizer updates; an estimate when `minutes` is set")
    minutes: float | None = Field(None, description="When set, the run ends by the clock and the schedules follow the clock")
    spacing: Spacing = Field(description="Voxel size the network works at, mm, (z, y, x)")
    patch_size: Triple = Field(description="Voxels of a training patch, (z, y, x)")
    labeled_batch: int = Field(2, ge=1)
    unlabeled_batch: int = Field(2, ge=0)
    micro_batches: int = Field(1, ge=1, description="Parts a batch is computed in, one after the other: less memory, one step")
    momentum: float = Field(0.99, ge=0, lt=1, description="The teacher keeps this share of itself at each step")
    warm_up: float = Field(0.0, ge=0, lt=1, description="Share of the run that is supervised only, before the ramp-up starts")
    ramp_up: float = Field(
        1.0, gt=0, le=1, description="Share of the run over which the unsupervised terms grow to full weight"
    )
    net: NetConfig
    augment: AugmentConfig
    contrast: ContrastConfig
    consistency: ConsistencyConfig
    optimizer: OptimizerConfig
    window_overlap: float = Field(
        0.25, ge=0, lt=1, description="Overlap of neighbouring windows when a whole scan is predicted"
    )
    checkpoint_seconds: float = Field(60.0, gt=0, description="Seconds between checkpoints")
    preview_seconds: float = Field(10.0, gt=0, description="Seconds between previews of the scan on view, at least")
    validate_seconds: float = Field(60.0, gt=0, description="Seconds between measurements on held-out cases, at least")
    start_from: str | None = Field(None, description="Model file whose weights the run begins with")
    inherited_scans: tuple[str, ...] = Field((), description="Content hashes of the scans which that model had learned from")
    labeled_cases: tuple[str, ...] = Field(description="Cases whose labels are learned from")
    unlabeled_cases: tuple[str, ...] = Field(description="Cases whose scans alone are learned from")
    held_out_cases: tuple[str, ...] = Field((), description="Labeled cases never learned from, measured only")
    reasons: tuple[str, ...] = Field((), description="One line a choice, in words for a clinician")
