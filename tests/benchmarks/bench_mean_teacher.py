"""A mean-teacher step of ours beside a textbook one, and how much of the machine's arithmetic it reaches.

The textbook's is written below as the public code of the UA-MT family has it: float32, the default layout, parameters averaged
one by one, the teacher under `no_grad`, memory as the C library hands it out. Ours is `methods/mean_teacher.py` as a run drives
it, the consistency set to the textbook's. Same V-Net (16 filters, 5 levels), weights, batch of 2 + 2 patches, SGD. Each has a
process of its own, and they take turns, a step each, so that whatever else the machine does hits both alike.

    python tests/benchmarks/bench_mean_teacher.py [--patch 80 112 112] [--repetitions 3] [--threads 1] [--curve 50] [--profile]
    python tests/benchmarks/bench_mean_teacher.py --device cuda --repetitions 50      # on a GPU; ours then in bfloat16

First the loss curves, `--curve` steps of both on small patches without dropout: on a CPU they differ by rounding alone. Seconds
are medians, on one CPU thread of processor time, else of wall time.
"""

import argparse
import copy
import multiprocessing
import resource
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import torch
import torch.nn.functional as F
from torch import Tensor

from cvrl_napari.config import (
    AugmentConfig,
    ConsistencyConfig,
    ContrastConfig,
    NetConfig,
    OptimizerConfig,
    Plan,
    Triple,
)
from cvrl_napari.data.batch import Batch
from cvrl_napari.engine.memory import keep_freed_memory
from cvrl_napari.losses.ramp_up import ramp_up
from cvrl_napari.losses.supervised import supervised_loss
from cvrl_napari.methods.build import build_method
from cvrl_napari.nets.momentum import teacher_momentum
from cvrl_napari.nets.output import NetOutput
from cvrl_napari.nets.vnet import VNet

CURVE_PATCH = (16, 32, 32)
RATE, SGD_MOMENTUM, DECAY, CLIP = 0.01, 0.9, 1e-4, 12.0
Step = Callable[[Batch, float], float]
"""Makes one step from a batch at a progress in [0, 1]; returns its loss."""


class TextbookVNet(VNet):
    """The same network, computed as it is written."""

    def forward(self, images: Tensor) -> NetOutput:
        features = self.entry(images)
        skips = []
        for down, encoder in zip(self.downs, self.encoders, strict=True):
            skips.append(features)
            features = encoder(down(features))
        high = features
        features = self.dropout(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + skips.pop())
        return NetOutput(self.classifier(self.dropout(features)), low=features, high=high)


def make_plan(patch: Triple, device: str, *, dropout: float) -> Plan:
    """Return the plan of both."""
    return Plan(
        method="mean_teacher",
        preset="paper",
        device=device,
        threads=1,
        precision="bfloat16" if device == "cuda" else "float32",
        seed=0,
        steps=100,
        spacing=(1.0, 1.0, 1.0),
        patch_size=patch,
        net=NetConfig(name="vnet", levels=5, dropout=dropout),
        augment=AugmentConfig(),
        contrast=ContrastConfig(),
        consistency=ConsistencyConfig(weight=0.1, sharpen=False, paste=False, noise=False),
        optimizer=OptimizerConfig(name="sgd", learning_rate=RATE, weight_decay=DECAY),
        labeled_cases=(),
        unlabeled_cases=(),
    )


def textbook(plan: Plan) -> Step:
    """Return the step of the textbook."""
    student = TextbookVNet(plan.net)
    student.load_state_dict(build_method(plan).student.state_dict())
    student = student.to(plan.device).train()
    teacher = copy.deepcopy(student)
    for weights in teacher.parameters():
        weights.requires_grad_(False)
    optimizer = torch.optim.SGD(
        student.parameters(), lr=RATE, momentum=SGD_MOMENTUM, weight_decay=DECAY, foreach=False, fused=False
    )
    steps = 0

    def step(batch: Batch, progress: float) -> float:
        nonlocal steps
        labeled = len(batch.labels)
        logits = student(batch.student_images).logits
        with torch.no_grad():
            target = teacher(batch.teacher_images[labeled:]).logits.softmax(dim=1)
        consistency = F.mse_loss(logits[labeled:].softmax(dim=1), target)
        weight = plan.consistency.weight * ramp_up(progress, warm_up=plan.warm_up, length=plan.ramp_up)
        loss = supervised_loss(logits[:labeled], batch.labels) + weight * consistency
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), CLIP, foreach=False)
        optimizer.step()
        steps += 1
        momentum = teacher_momentum(steps, plan.momentum)
        for mine, theirs in zip(teacher.parameters(), student.parameters(), strict=True):
            mine.data.mul_(momentum).add_(theirs.data, alpha=1 - momentum)
        for mine, theirs in zip(teacher.buffers(), student.buffers(), strict=True):
            if mine.is_floating_point():
                mine.mul_(momentum).add_(theirs, alpha=1 - momentum)
        return loss.item()

    return step


def ours(plan: Plan) -> Step:
    """Return the step of a run."""
    keep_freed_memory()
    method = build_method(plan).to(plan.device).train()
    parameters = [weights for weights in method.parameters() if weights.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=RATE, momentum=SGD_MOMENTUM, weight_decay=DECAY)
    steps = 0

    def step(batch: Batch, progress: float) -> float:
        nonlocal steps
        precision = getattr(torch, plan.precision)
        with torch.autocast(plan.device, dtype=precision, enabled=precision is not torch.float32):
            losses = method.losses(batch, progress)
        optimizer.zero_grad(set_to_none=True)
        losses["total"].backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        steps += 1
        method.after_step(steps)
        return losses["total"].item()

    return step


WAYS = {"textbook": textbook, "ours": ours}


def make_batch(patch: Triple, seed: int, device: str) -> Batch:
    """Return noise with a bright ellipsoid somewhere in each patch."""
    generator = torch.Generator().manual_seed(seed)
    axes = [torch.linspace(-1, 1, side) for side in patch]
    middles = torch.rand(4, 3, generator=generator) - 0.5
    inside = torch.stack(
        [sum((axis - m) ** 2 for axis, m in zip(torch.meshgrid(*axes, indexing="ij"), place, strict=True)) for place in middles]
    )
    inside = inside < 0.15
    first, second = (2 * inside + torch.randn(4, *patch, generator=generator) for _ in range(2))
    return Batch(first.unsqueeze(1), second.unsqueeze(1), inside[:2].to(torch.uint8)).to(device)


def take_turns(way: str, plan: Plan, threads: int, parent: Connection) -> None:
    """In a process of its own: a step each time the parent sends the seed of a batch and a progress."""
    torch.set_num_threads(threads)
    step = WAYS[way](plan)
    clock = time.process_time if (plan.device, threads) == ("cpu", 1) else time.perf_counter
    while (asked := parent.recv()) is not None:
        seed, progress = asked
        batch = make_batch(plan.patch_size, seed, plan.device)
        started = clock()
        loss = step(batch, progress)  # a float: a GPU has done all that leads to it
        if plan.device == "cuda":
            torch.cuda.synchronize()
        parent.send((clock() - started, loss, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20))


def rounds(plan: Plan, threads: int, batches: list[tuple[int, float]]) -> dict[str, list[tuple[float, float, float]]]:
    """Let both make a step of each batch in turn: seconds, loss and largest resident memory (GiB) so far."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for way in WAYS:
        pipes[way], end = context.Pipe()
        processes.append(context.Process(target=take_turns, args=(way, plan, threads, end), daemon=True))
        processes[-1].start()
        end.close()
    made: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
    for batch in batches:
        for way, pipe in pipes.items():
            pipe.send(batch)
            made[way].append(pipe.recv())
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send(None)
        process.join()
    return made


def matmul_rate(dtype: torch.dtype, device: str, size: int) -> float:
    """Return the machine's arithmetic of a large matrix product, GFLOP/s; the best of some."""
    first, second = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for _ in range(5):
        started = time.process_time() if device == "cpu" else time.perf_counter()
        product = first @ second
        float(product[0, 0])
        ended = time.process_time() if device == "cpu" else time.perf_counter()
        best = max(best, 2 * size**3 / (ended - started) / 1e9)
    return best


def step_work(plan: Plan) -> float:
    """Return the multiplications and additions of the convolutions of a step, in GFLOP."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        net = TextbookVNet(plan.net)
        patches = torch.empty(1, 1, *plan.patch_size)
        with FlopCounterMode(display=False) as learning:
            net(patches).logits.sum().backward()
        with FlopCounterMode(display=False) as looking, torch.no_grad():
            net(patches)
    return (4 * learning.get_total_flops() + 2 * looking.get_total_flops()) / 1e9


KINDS = {
    "convolutions": ("convolution", "addmm", "linear", "mm"),
    "batch norm": ("batch_norm",),
    "ReLU": ("threshold", "clamp"),
    "copies between layouts": ("copy_",),
}


def profile(plan: Plan) -> Iterator[str]:
    """Yield what a step of ours goes to, as shares of its processor time."""
    step, batch = ours(plan), make_batch(plan.patch_size, 0, plan.device)
    step(batch, 0.5)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        step(batch, 0.5)
    shares: Counter[str] = Counter()
    for event in profiler.key_averages():
        kind = next((kind for kind, names in KINDS.items() if any(name in event.key for name in names)), "all else")
        shares[kind] += event.self_cpu_time_total
    yield "| of our step | share |\n|---|--:|"
    for kind, microseconds in shares.most_common():
        yield f"| {kind} | {microseconds / shares.total():.0%} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patch", type=int, nargs=3, default=(80, 112, 112), help="voxels (z, y, x)")
    parser.add_argument("--repetitions", type=int, default=3, help="counted steps of each")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--curve", type=int, default=50, help="steps of the loss curves; 0 leaves them out")
    parser.add_argument("--profile", action="store_true", help="also say what a step of ours goes to")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.curve:
        made = rounds(
            make_plan(CURVE_PATCH, asked.device, dropout=0.0),
            asked.threads,
            [(1 + number % 5, number / asked.curve) for number in range(asked.curve)],
        )
        pairs = [(one[1], other[1]) for one, other in zip(made["textbook"], made["ours"], strict=True)]
        shown = range(0, asked.curve, max(1, asked.curve // 5))
        print("losses of textbook and ours: " + ", ".join(f"{pairs[n][0]:.5f} {pairs[n][1]:.5f}" for n in shown))
        print(f"largest difference over {asked.curve} steps: {max(abs(one - other) for one, other in pairs):.1e}\n", flush=True)
    plan = make_plan(tuple(asked.patch), asked.device, dropout=0.5)
    made = rounds(plan, asked.threads, [(0, 0.5)] * (asked.repetitions + 1))
    seconds = {way: [turn[0] for turn in turns[1:]] for way, turns in made.items()}
    ratios = [one / other for one, other in zip(seconds["textbook"], seconds["ours"], strict=True)]
    print(f"| {asked.threads} threads, {plan.precision} | a step, s | fastest | memory, GiB |\n|---|--:|--:|--:|")
    for way, times in seconds.items():
        print(f"| {way} | {statistics.median(times):.2f} | {min(times):.2f} | {made[way][-1][2]:.1f} |")
    print(f"\ntextbook to ours: median {statistics.median(ratios):.2f}, rounds {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    rates = {kind: matmul_rate(kind, asked.device, 2048) for kind in (torch.float32, torch.bfloat16)}
    print("matrix product: " + ", ".join(f"{kind} {rate:,.0f} GFLOP/s" for kind, rate in rates.items()))
    reached = step_work(plan) / min(seconds["ours"])
    print(f"our step: {reached:,.0f} GFLOP/s of convolutions, {reached / rates[getattr(torch, plan.precision)]:.0%} of it")
    if asked.profile:
        print()
        for line in profile(plan):
            print(line)


if __name__ == "__main__":
    main()
