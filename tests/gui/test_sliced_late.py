"""Another case in the layers that are there is not sliced for each thing that is changed in them."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Layer

from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.sliced_late import placed_late, sliced_late

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:Contours are not displayed")]


def count(layers: list[Layer]) -> dict[str, int]:
    """Return how often each layer is sliced, by its name; it goes on counting."""
    counts = dict.fromkeys((layer.name.split()[0] for layer in layers), 0)
    for layer in layers:

        def heard(_event: object, name: str = layer.name.split()[0]) -> None:
            counts[name] += 1

        layer.events.set_data.connect(heard)
    return counts


def test_changes_are_seen_together(qapp):
    layer = Image(np.zeros((4, 5, 6)), name="one")
    counts = count([layer])
    data = np.arange(8 * 9 * 10.0).reshape(8, 9, 10)
    with sliced_late([layer]):
        layer.data = data
        layer.scale = (2, 1, 1)
        layer.translate = (100, 0, 0)
        assert counts == {"one": 0}
    assert counts == {"one": 1}
    assert layer.thumbnail.any()
    np.testing.assert_allclose(layer.extent.world[0], (100, 0, 0))
    layer.data = data + 1
    assert counts["one"] > 1, "afterwards it is as before"


def test_the_viewer_sets_its_sliders_once(qapp):
    viewer = ViewerModel()
    layers = [viewer.add_image(np.zeros((4, 5, 6)), scale=(1, 1, 1)) for _ in range(3)]
    ranges = []
    viewer.dims.events.range.connect(lambda event: ranges.append(event.value))
    with placed_late(layers):
        for layer in layers:
            layer.data = np.zeros((8, 9, 10))
            layer.scale = (2, 1, 1)
            layer.translate = (100, 0, 0)
        assert not ranges
    assert [tuple(one[0]) for one in ranges] == [(100, 114, 2)]
    layers[0].translate = (90, 0, 0)
    assert viewer.dims.range[0].start == 90, "afterwards it is as before"


def test_where_napari_cannot_wait_it_slices_each_time(qapp, monkeypatch):
    monkeypatch.delattr(Layer, "_block_refresh")
    layer = Image(np.zeros((4, 5, 6)))
    with sliced_late([layer]):
        layer.data = np.ones((2, 2, 2))
    assert layer.data.shape == (2, 2, 2)


@pytest.mark.parametrize("can_wait", [True, False])
def test_another_case_is_sliced_twice_at_most_and_looks_the_same(qapp, ball_study, monkeypatch, can_wait):
    if not can_wait:
        monkeypatch.delattr(Layer, "_block_refresh")
    viewer = ViewerModel()
    layers = Layers(viewer)
    layers.show_case(ball_study, "a")
    layers.show_case(ball_study, "c")
    viewer.dims.set_current_step(0, 3)
    counts = count(list(viewer.layers))
    layers.show_case(ball_study, "a")
    assert all((times <= 2) == can_wait for times in counts.values())
    scan = layers.shown.image
    np.testing.assert_array_equal(scan._slice.image.raw, scan.data[viewer.dims.current_step[0]])
    layers.close()


def test_who_is_in_the_way_goes_a_round_before_the_next_case_comes(qapp, qtbot):
    viewer = ViewerModel()
    layers = Layers(viewer)
    log = []
    layers.make_room(lambda: log.append("at once"))
    assert log == ["at once"]
    other = viewer.add_image(np.zeros((2, 2, 2)))
    layers.room_wanted.connect(lambda: viewer.layers.remove(other))
    layers.make_room(lambda: log.append("soon"))
    assert log == ["at once"]
    assert not viewer.layers
    qtbot.waitUntil(lambda: log == ["at once", "soon"])
    layers.close()
