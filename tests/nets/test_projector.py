import torch

from cvrl_napari.nets.projector import Projector


def test_it_is_norm_and_relu_between_two_matmuls():
    torch.manual_seed(0)
    projector = Projector(4, 8)
    rows = torch.randn(32, 4)
    hidden = rows @ projector.hidden.weight.T
    hidden = (hidden - hidden.mean(dim=0)) / (hidden.var(dim=0, correction=0) + projector.norm.eps).sqrt()
    expected = hidden.clamp(min=0) @ projector.output.weight.T + projector.output.bias
    torch.testing.assert_close(projector(rows), expected)
    assert projector.hidden.weight.shape == (4, 4)
    assert expected.shape == (32, 8)
