import torch

from cvrl_napari.methods.anchors import MIXED, cells_of, draw_anchors


def test_a_draw_is_balanced_distinct_and_inside_what_is_eligible():
    torch.manual_seed(0)
    classes = torch.zeros(2, 10, 20, 20, dtype=torch.long)
    classes[:, :2] = 1  # 800 of 4,000
    classes[:, 2, 0, :10] = 2  # ten
    eligible = torch.ones_like(classes, dtype=torch.bool)
    eligible[1, :, 10:] = False
    anchors = draw_anchors(classes, eligible, 300)
    assert anchors.patches.bincount().tolist() == [300, 300]
    assert len({*zip(anchors.patches.tolist(), anchors.cells.tolist(), strict=True)}) == 600
    assert bool(eligible.flatten(1)[anchors.patches, anchors.cells].all())
    assert torch.equal(classes.flatten(1)[anchors.patches, anchors.cells], anchors.classes)
    for row in range(2):
        counts = anchors.classes[anchors.patches == row].bincount()
        assert counts[2] >= 9  # a structure of ten voxels is taken nearly whole
        assert 110 < counts[1] < 190  # a plain draw would take about 60


def test_few_places_are_all_taken_and_none_give_none():
    classes = torch.zeros(2, 2, 2, 2, dtype=torch.long)
    eligible = torch.zeros(2, 2, 2, 2, dtype=torch.bool)
    eligible[1, 0] = True
    anchors = draw_anchors(classes, eligible, 64)
    assert anchors.patches.tolist() == [1] * 4
    assert anchors.cells.tolist() == [0, 1, 2, 3]


def test_the_draw_follows_the_seed():
    classes = torch.randint(3, (1, 8, 8, 8))
    eligible = torch.ones_like(classes, dtype=torch.bool)
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws.append(draw_anchors(classes, eligible, 64).cells)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_gather_reads_the_places_of_any_memory_layout_and_keeps_the_layout_of_the_gradient():
    torch.manual_seed(0)
    features = torch.randn(3, 5, 4, 6, 8)
    anchors = draw_anchors(torch.zeros(3, 4, 6, 8, dtype=torch.long), torch.ones(3, 4, 6, 8, dtype=torch.bool), 20)
    expected = features.flatten(2)[anchors.patches, :, anchors.cells]
    assert torch.equal(anchors.gather(features), expected)
    assert torch.equal(anchors.gather(features.to(memory_format=torch.channels_last_3d)), expected)
    assert torch.equal(anchors.gather(torch.cat([features[:2], features]), 2), expected)
    for layout in (torch.contiguous_format, torch.channels_last_3d):
        leaf = features.to(memory_format=layout).requires_grad_()
        (gradient,) = torch.autograd.grad(anchors.gather(leaf).sum(), leaf)
        assert gradient.is_contiguous(memory_format=layout)
        assert gradient.sum() == 60 * 5


def test_a_cell_has_the_class_of_all_its_voxels_or_none():
    classes = torch.zeros(1, 2, 2, 6, dtype=torch.long)
    classes[..., 2:4] = 2
    classes[0, 0, 0, 4] = 1
    eligible = torch.ones_like(classes, dtype=torch.bool)
    eligible[0, 1, 1, 1] = False
    cells, free = cells_of(classes, eligible, torch.Size((1, 1, 3)))
    assert cells.tolist() == [[[[0, 2, MIXED]]]]
    assert free.tolist() == [[[[False, True, True]]]]
