import torch

from cvrl_napari.losses.supervised import IGNORE
from cvrl_napari.methods.paste import LARGEST, SMALLEST, paste_boxes


def test_images_and_labels_are_the_labeled_patch_inside_and_untouched_outside():
    torch.manual_seed(0)
    unlabeled, labeled = torch.zeros(12, 2, 10, 20, 30), torch.randn(2, 2, 10, 20, 30)
    labels = torch.randint(3, (2, 10, 20, 30), dtype=torch.uint8)
    labels[:, :, :10] = IGNORE
    pasted = paste_boxes(unlabeled, labeled, labels)
    sources = set()
    for row in range(12):
        inside = pasted.inside[row]
        places = inside.nonzero()
        sides = places.max(dim=0).values - places.min(dim=0).values + 1
        assert sides.prod() == inside.sum()  # a box
        for side, full in zip(sides.tolist(), inside.shape, strict=True):
            assert SMALLEST * full - 1 <= side <= LARGEST * full + 1
        source = next(s for s in range(2) if torch.equal(pasted.images[row][:, inside], labeled[s][:, inside]))
        sources.add(source)
        assert torch.equal(pasted.labels[row][inside], labels[source][inside])
        assert bool((pasted.images[row][:, ~inside] == 0).all())
        assert bool((pasted.labels[row][~inside] == IGNORE).all())
    assert bool((unlabeled == 0).all())  # what was given stays as it was
    assert len(sources) == 2
    assert len({tuple(box.nonzero()[0].tolist()) for box in pasted.inside}) > 6
