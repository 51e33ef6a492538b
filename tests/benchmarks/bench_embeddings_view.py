"""How quick the embeddings dock is: panning and zooming, the lasso, the similarity tool; and how long the event loop waits.

A real napari window with the dock below shows a left-atrium scan (the phantom, where a clone has none). The features are those
of the quick preset's network with random weights: what they are changes no time. Times are processor time of the GUI thread,
drawing (in software, under Xvfb) included, in rounds of the event loop: what a person waits for on a free machine.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/bench_embeddings_view.py
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import napari
import numpy as np
import psutil
import pyqtgraph as pg
import torch
from bench_event_loop import make_study, row, wait
from napari.layers import Layer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QWidget
from skimage.measure import points_in_poly

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import save_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.dock import EmbeddingsDock
from cvrl_napari.gui.embeddings.feature_layer import LAYER as COLORS
from cvrl_napari.gui.embeddings.lasso import inside
from cvrl_napari.gui.embeddings.point_plot import PointPlot
from cvrl_napari.gui.embeddings.selection import MARKS
from cvrl_napari.gui.session import Session
from cvrl_napari.nets.build import build_net

POINTS, LASSOED = 100_000, 1_000_000
FRAMES = 60
TIMES = 3
SIZE = (700, 260)


def frames(plot: pg.PlotWidget) -> list[float]:
    """Milliseconds a frame while the view is panned and zoomed."""
    box, taken = plot.getViewBox(), []
    for number in range(FRAMES):
        start = time.thread_time()
        if number % 2:
            box.translateBy(x=0.02 * np.sin(number), y=0.01)
        else:
            box.scaleBy((0.99, 0.99) if number % 4 else (1.01, 1.01))
        plot.viewport().repaint()
        taken.append(1000 * (time.thread_time() - start))
    return taken[5:]


def plots(rng: np.random.Generator) -> tuple[PointPlot, pg.PlotWidget]:
    """Ours, and pyqtgraph's own with a brush a point."""
    places = rng.normal(size=(POINTS, 2)).astype(np.float32)
    colors = rng.integers(0, 1 << 24, POINTS, dtype=np.uint32) | np.uint32(0xFF000000)
    ours, theirs = PointPlot(), pg.PlotWidget()
    ours.set_places(places)
    ours.set_colors(colors, np.arange(POINTS))
    theirs.addItem(pg.ScatterPlotItem(*places.T, size=3, pen=None, brush=[pg.mkColor(int(c) & 0xFFFFFF) for c in colors % 16]))
    for plot in (ours, theirs):
        plot.resize(*SIZE)
        plot.show()
    wait(1000)
    return ours, theirs


def freehand(corners: int) -> np.ndarray:
    """Return a flower, (corners, 2)."""
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * (1 + 0.3 * np.sin(7 * angle))[:, None]


def timed(function: Callable[[], object], times: int = 5) -> list[float]:
    """Milliseconds of each of several calls."""
    taken = []
    for _ in range(times):
        start = time.thread_time()
        function()
        taken.append(1000 * (time.thread_time() - start))
    return taken


class Rounds(NamedTuple):
    """Milliseconds of each round of the event loop: on the clock, and of processor of the GUI thread."""

    clock: list[float]
    processor: list[float]


def rounds(do: Callable[[], object], done: Callable[[], object] = lambda: True) -> Rounds:
    """Do something in the event loop and let that run until something is so and drawn."""
    QTimer.singleShot(0, do)
    taken, ends, after = Rounds([], []), time.monotonic() + 60, 4
    while after:
        start, spent = time.perf_counter(), time.thread_time()
        QApplication.processEvents()
        taken.processor.append(1000 * (time.thread_time() - spent))
        taken.clock.append(1000 * (time.perf_counter() - start))
        time.sleep(0.005)
        after -= bool(done())
        if time.monotonic() > ends:
            raise SystemExit("It did not happen within a minute.")
    return taken


class Table:
    """The longest round of each action on the clock, and in brackets its most processor; a column for each time it was done."""

    def __init__(self) -> None:
        self._longest: dict[str, list[str]] = {}

    def add(self, name: str, *goes: Rounds) -> None:
        clock, processor = max(max(one.clock) for one in goes), max(max(one.processor) for one in goes)
        self._longest.setdefault(name, []).append(f"{clock:.0f} ({processor:.0f})")

    def print(self) -> None:
        print(f"\n| longest round of the event loop, ms (of processor) | {' | '.join(f'{n + 1:>10}' for n in range(TIMES))} |")
        print(f"|----------------------------------------------------|{'-----------:|' * TIMES}")
        for name, longest in self._longest.items():
            print(f"| {name:<50} | {' | '.join(f'{one:>10}' for one in longest)} |")


def exchange(layers: Sequence[Layer]) -> None:
    """Do what another case does, with napari alone."""
    for layer in layers:
        layer.data = layer.data.copy()
        layer.translate = layer.translate


def floor(viewer: napari.Viewer, session: Session, others: tuple[str, str], table: Table) -> None:
    """What napari does by itself, and what another case costs without the dock."""
    one = np.zeros((1, 1, 1), np.float32)
    place = {"scale": viewer.layers[0].scale, "translate": viewer.layers[0].extent.world.mean(axis=0), "units": ("mm",) * 3}
    dims, layers, window = viewer.dims, viewer.layers, viewer.window
    table.add("napari: the next slice", rounds(lambda: dims.set_current_step(0, dims.current_step[0] + 1)))
    table.add("napari: an image of one voxel is added", rounds(lambda: viewer.add_image(one, name="bare", **place)))
    table.add("napari: it is given other contents", rounds(lambda: setattr(layers["bare"], "data", one + 1)))
    table.add("napari: it is hidden", rounds(lambda: setattr(layers["bare"], "visible", False)))
    table.add("napari: it is removed", rounds(lambda: layers.remove("bare")))
    layers.selection.active = session.layers.shown.labels
    table.add("napari: three layers get other data and move", rounds(lambda: exchange(session.layers.shown.layers)))
    empty = QWidget()
    empty.setMinimumHeight(300)
    table.add("napari: an empty dock is added below", rounds(lambda: window.add_dock_widget(empty, name="bare", area="bottom")))
    table.add("napari: it is removed again", rounds(lambda: window.remove_dock_widget(empty)))
    for case in others:
        taken = rounds(partial(session.open_case, case), lambda case=case: session.case == case)
    table.add("another case is opened, the dock closed", taken)


def use(viewer: napari.Viewer, main: CvrlDock, other: str, table: Table, rng: np.random.Generator) -> dict[str, list[float]]:
    """Open the dock, do what a person does in it, and close it; returns times of what is done many times."""
    case, docks, layers = main.session.case, viewer.window.dock_widgets, viewer.layers
    table.add("the dock is opened", rounds(main.open_embeddings, lambda: "CVRL embeddings" in docks))
    dock: EmbeddingsDock = viewer.window.dock_widgets["CVRL embeddings"]
    cloud, tool = dock.cloud, dock.similarity

    def settled() -> bool:
        return not dock.overlays.is_busy

    table.add("its first points", rounds(lambda: None, lambda: cloud.sample is not None))
    more = partial(dock.scatter.count.setCurrentIndex, 3)
    table.add(f"{POINTS:,} points", rounds(more, lambda: len(cloud.sample) > 20_000))
    for which in ("first", "second"):
        limit = float(rng.uniform(-0.1, 0.1))
        fence = np.array([(-1e3, -1e3), (limit, -1e3), (limit, 1e3), (-1e3, 1e3)])
        draw = partial(dock.scatter.plot._on_drawn, fence, False)
        table.add(f"a lasso, makeup and marks, {which}", rounds(draw, lambda: dock.selection._fenced is not None and settled()))
    table.add("the marks are cleared", rounds(dock.selection.clear))
    table.add("their layer is taken away", rounds(lambda: None, lambda: MARKS not in layers))
    table.add("the health panel", rounds(lambda: dock.tabs.setCurrentIndex(2), lambda: dock.health_panel.is_drawn))
    table.add("the tab of the scan", rounds(lambda: dock.tabs.setCurrentIndex(1)))
    table.add("the similarity tool is taken up", rounds(dock.similar.button.click, lambda: tool._embeddings is not None))
    scan = layers[case]
    shape = np.array(scan.data.shape)
    z = int(shape[0] // 2)
    rounds(lambda: viewer.dims.set_point(range(3), scan.data_to_world((z, 0, 0))))
    moves, clicks = [], []
    for number in range(21):
        tool._point(scan.data_to_world((z, *rng.integers(shape[1:] // 4, 3 * shape[1:] // 4))))
        tool._rest.stop()
        taken = rounds(tool._show_plane, lambda: not tool._comparing and settled())
        if number == 0:
            table.add("its first slice", taken)
        else:
            moves.append(taken)
    table.add("the slice while the mouse moves", *moves)
    for _ in range(5):
        tool._point(scan.data_to_world(tuple(rng.integers(shape // 4, 3 * shape // 4))))
        seen: list[int] = []
        tool.changed.connect(lambda seen=seen: seen.append(1))
        start = time.process_time()
        taken = rounds(tool.compare_whole, lambda seen=seen: seen and settled())
        clicks.append((1000 * (time.process_time() - start), taken))
    table.add("the map of the scan after a click", *(taken for _, taken in clicks))
    table.add("the threshold", rounds(lambda: dock.similar.threshold.setValue(0.5)))
    table.add("the map is cleared", rounds(tool.clear))
    table.add(
        "features as colors", rounds(dock.similar.colors.click, lambda: dock.overlays.get(COLORS) is not None and settled())
    )

    def is_there() -> bool:
        return cloud.sample is not None and cloud.sample.cases == (other,) and dock.overlays.get(COLORS) is not None

    table.add("another case is opened, colors shown", rounds(lambda: main.session.open_case(other), is_there))
    close = partial(viewer.window.remove_dock_widget, dock)
    gone: list[int] = []
    dock.destroyed.connect(lambda: gone.append(1))
    table.add("the dock is closed, its layer goes", rounds(close, lambda: gone and COLORS not in layers))
    return {
        "similarity of a slice, drawn, while moving": [sum(one.processor) for one in moves],
        "similarity of the scan, all threads, drawn": [spent for spent, _ in clicks],
    }


def main() -> None:
    rng = np.random.default_rng(0)
    folder = tempfile.TemporaryDirectory()
    study = make_study(Path(folder.name))
    case, other = study.unlabeled_cases()[:2]
    plan = resolve(study, TrainRequest(preset="quick", device="cpu"), pick("cpu"))
    torch.manual_seed(0)
    model = study.runs_folder / "random" / "model.safetensors"
    model.parent.mkdir(parents=True)
    save_model(model, build_net(plan.net).eval(), ModelCard.of(plan, study, metrics={}))
    list(embed_cases(study, model, [case, other], device="cpu", threads=1))
    study.close()

    print(f"load average before: {psutil.getloadavg()[0]:.1f}\n")
    print("| processor time, ms                         |      n |    p50 |    p95 |    p99 |     max |")
    print("|--------------------------------------------|-------:|-------:|-------:|-------:|--------:|")
    viewer = napari.Viewer()
    ours, theirs = plots(rng)
    row(f"a frame of {POINTS:,} points", frames(ours))
    row("the same by pyqtgraph's ScatterPlotItem", frames(theirs))
    for plot in (ours, theirs):
        plot.close()
    points, polygon = rng.normal(size=(LASSOED, 2)).astype(np.float32), freehand(300)
    row(f"lasso, 300 corners, {LASSOED:,} points", timed(lambda: inside(points, polygon)))
    row("the same point by point", timed(lambda: points_in_poly(points.astype(np.float64), polygon), 1))

    main_dock = CvrlDock(viewer)
    viewer.window.add_dock_widget(main_dock, name="CVRL", area="right")
    rounds(lambda: main_dock.open_folders([study.folder]), lambda: main_dock.session.case == case)
    table, many = Table(), {}
    for number in range(TIMES + 1):
        kept = table if number else Table()  # the first time loads what is not loaded yet
        floor(viewer, main_dock.session, (other, case), kept)
        for name, values in use(viewer, main_dock, other, kept, rng).items():
            many.setdefault(name, []).extend(values if number else [])
        rounds(lambda: main_dock.session.open_case(case), lambda: main_dock.session.case == case)
    for name, values in many.items():
        row(name, values)
    table.print()
    main_dock.close()
    viewer.close()
    folder.cleanup()


if __name__ == "__main__":
    main()
