"""How quick the embeddings dock is: panning and zooming, the lasso, the similarity tool; and how long the event loop waits.

A real napari window with the dock below shows a left-atrium scan (the phantom, where a clone has none). The features are those
of the quick preset's network with random weights: what they are changes no time. Times are processor time of the GUI thread,
drawing (in software, under Xvfb) included, in rounds of the event loop: what a person waits for on a free machine.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/bench_embeddings_view.py
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
import psutil
import pyqtgraph as pg
import torch
from bench_event_loop import make_study, row, wait
from qtpy.QtWidgets import QApplication
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
from cvrl_napari.nets.build import build_net

POINTS, LASSOED = 100_000, 1_000_000
FRAMES = 60
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


def until(done: Callable[[], object]) -> list[float]:
    """Let the event loop run until something is so and drawn; milliseconds of each round that had something to do."""
    rounds, ends, after = [], time.monotonic() + 60, 3
    while after:
        start = time.thread_time()
        QApplication.processEvents()
        rounds.append(1000 * (time.thread_time() - start))
        time.sleep(0.005)
        after -= bool(done())
        if time.monotonic() > ends:
            raise SystemExit("It did not happen within a minute.")
    return [one for one in rounds if one > 1]


def main() -> None:
    rng = np.random.default_rng(0)
    folder = tempfile.TemporaryDirectory()
    study = make_study(Path(folder.name))
    case = study.unlabeled_cases()[0]
    plan = resolve(study, TrainRequest(preset="quick", device="cpu"), pick("cpu"))
    torch.manual_seed(0)
    model = study.runs_folder / "random" / "model.safetensors"
    model.parent.mkdir(parents=True)
    save_model(model, build_net(plan.net).eval(), ModelCard.of(plan, study, metrics={}))
    other = study.unlabeled_cases()[1]
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
    main_dock.open_folders([study.folder])
    until(lambda: main_dock.session.case == case)
    row("making the dock's widgets", timed(lambda: EmbeddingsDock(viewer, main_dock).close(), 1))
    opened = timed(main_dock.open_embeddings, 1)
    dock: EmbeddingsDock = viewer.window.dock_widgets["CVRL embeddings"]
    row("opening the dock, once", opened)
    row("its layers made by napari, a round", until(lambda: dock.overlays._made and not dock.overlays._step.isActive()))
    row("first 20,000 points", until(lambda: dock.cloud.sample is not None))
    dock.scatter.count.setCurrentIndex(3)
    row("100,000 points", until(lambda: len(dock.cloud.sample) > 20_000))
    for what in ("lasso and its marks, first", "lasso and its marks, again"):
        limit = float(rng.uniform(-0.1, 0.1))
        fence = np.array([(-1e3, -1e3), (limit, -1e3), (limit, 1e3), (-1e3, 1e3)])
        calls = timed(lambda fence=fence: dock.scatter.plot._on_drawn(fence, False), 1)
        row(what, calls + until(lambda: dock.selection._fenced is not None))
    dock.selection.clear()

    looked = timed(lambda: dock.tabs.setCurrentIndex(2), 1)
    row("looking at the health panel, a round", looked + until(lambda: dock.health_panel.map is not None))
    tool = dock.similarity
    row("the tab of the scan", timed(lambda: dock.tabs.setCurrentIndex(1), 1) + until(lambda: True))
    row(
        "taking up the similarity tool, a round",
        timed(dock.similar.button.click, 1) + until(lambda: tool._embeddings is not None),
    )
    cells = " x ".join(map(str, tool._embeddings.features.shape))
    scan = next(layer for layer in viewer.layers if layer.name == case)
    shape = np.array(scan.data.shape)
    z = int(shape[0] // 2)
    viewer.dims.set_point(range(3), scan.data_to_world((z, 0, 0)))
    moves: list[float] = []
    for number in range(41):
        voxel = (z, *rng.integers(shape[1:] // 4, 3 * shape[1:] // 4))
        tool._point(scan.data_to_world(voxel))
        tool._rest.stop()
        taken = timed(tool._show_plane, 1)
        drawn = until(lambda: not tool._comparing)
        if number == 0:
            row("similarity of a slice, first", taken + drawn)
        else:
            moves += [sum(taken + drawn)]
    row("similarity of a slice, drawn, while moving", moves)
    clicks, rounds = [], []
    for _ in range(10):
        voxel = tuple(rng.integers(shape // 4, 3 * shape // 4))
        tool._point(scan.data_to_world(voxel))
        seen: list[int] = []
        tool.changed.connect(lambda seen=seen: seen.append(1))
        start = time.process_time()
        tool.compare_whole()
        rounds += until(lambda seen=seen: seen)
        clicks.append(1000 * (time.process_time() - start))
    row("similarity of the scan, all threads, drawn", clicks)
    row("the GUI thread's part of it, a round", rounds)
    row("clearing the map, a round", timed(tool.clear, 1) + until(lambda: True))
    row(
        "features as colors, a round",
        timed(dock.similar.colors.click, 1) + until(lambda: dock.overlays.get(COLORS) is not None),
    )
    row(
        "another case opened, a round",
        timed(lambda: main_dock.session.open_case(other), 1)
        + until(lambda: dock.cloud.sample is not None and dock.cloud.sample.cases == (other,)),
    )
    row("closing the dock", timed(lambda: viewer.window.remove_dock_widget(dock), 1) + until(lambda: True))
    print(f"\nscan {' x '.join(map(str, shape))}, cells {cells}")
    main_dock.close()
    viewer.close()
    folder.cleanup()


if __name__ == "__main__":
    main()
