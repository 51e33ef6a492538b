"""A benchmark from the command line: what is asked for, made ready, run, and put into words."""

import sys
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

from cvrl_napari.cli.audience import choose_audience, listen
from cvrl_napari.cli.control import stop_on_signals
from cvrl_napari.config import BenchmarkRequest, LabeledCount
from cvrl_napari.engine.benchmark import RESULTS, benchmark, left_to_do
from cvrl_napari.engine.benchmark_material import Material, protocol_material, study_material
from cvrl_napari.engine.benchmark_report import report
from cvrl_napari.engine.benchmark_runs import list_runs
from cvrl_napari.engine.commands import Inbox
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.overrides import parse_overrides
from cvrl_napari.engine.protocols import PROTOCOLS, load_protocol, locate
from cvrl_napari.engine.results import Setting, read_results
from cvrl_napari.study.study import Study


def run_benchmark(
    request: BenchmarkRequest,
    output: Path,
    *,
    protocol: str,
    data: Path | None,
    study: Path | None,
    changes: Sequence[str],
    name: str,
) -> str:
    """Run what is not measured yet and return the report in Markdown; says on stderr when runs are left to do.

    Raises
    ------
    EngineError, StudyError, VolumeError
        If what is asked for is not possible.
    JobFailed
        If a run failed.
    """
    overrides = parse_overrides(changes)
    material, setting, counts = _prepared(request, output, protocol, data, study)
    runs = list_runs(material, request, request.labeled or counts, overrides, name)
    inbox: Inbox = SimpleQueue()
    stop_on_signals(inbox)
    names = {each.id: each.name for each in material.study.classes}
    events = benchmark(material, setting, runs, request, output, inbox=inbox)
    listen(events, choose_audience(as_json=False, names=names))
    left = left_to_do(runs, output)
    if left:
        print(f"{left} of {len(runs)} runs are left to do: give the same command again to go on.", file=sys.stderr)
    return report(read_results(output / RESULTS))


def _prepared(
    request: BenchmarkRequest, output: Path, protocol: str, data: Path | None, study: Path | None
) -> tuple[Material, Setting, tuple[LabeledCount, ...]]:
    """Return the material, the setting, and the counts of labeled scans when none are asked for."""
    if bool(protocol) == (study is not None):
        raise EngineError("A benchmark needs either a protocol or --study.", f"Protocols: {', '.join(PROTOCOLS)}.")
    if study is not None:
        opened = Study.open(study, read_only=True)
        setting = Setting(
            source=f"study {opened.folder.name}",
            classes=tuple(each.name for each in opened.classes),
            scale=None,
            folds=request.folds,
            preset=request.preset,
            steps=request.steps,
        )
        return study_material(opened, request.folds, output), setting, ("all",)
    chosen = load_protocol(protocol)
    if data is None:
        raise EngineError(f"The protocol {chosen.name} needs --data.", f"Give the folder that has {chosen.folder}/ in it.")
    setting = Setting(
        source=chosen.name,
        classes=chosen.classes,
        scale=request.scale,
        folds=None,
        preset=request.preset,
        steps=request.steps,
    )
    material = protocol_material(chosen, locate(chosen, data), chosen.scale(request.scale), output)
    return material, setting, chosen.labeled
