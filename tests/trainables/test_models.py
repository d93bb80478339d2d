"""What each model promises beyond the laws that all of them keep."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn
from torch.nn.functional import cross_entropy

from trainables.models import Model
from trainables.models.base import draw_
from trainables.models.cnn import Cnn
from trainables.models.mlp import Mlp
from trainables.scenarios.rotated_digits import RotatedDigits


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def shapes(net):
    return [tuple(p.shape) for p in net.parameters()]


def test_default_mlp_is_64_128_128_10():
    net = Mlp().build((1, 8, 8), 10, rng())
    assert shapes(net) == [(128, 64), (128,), (128, 128), (128,), (10, 128), (10,)]


def test_mlp_without_hidden_layers_is_linear():
    net = Mlp(hidden=()).build((3,), 2, rng())
    x, y = torch.randn(2, 5, 3, generator=rng(1))
    torch.testing.assert_close(net(x) - net(y), net(x - y) - net(torch.zeros(5, 3)))


@pytest.mark.parametrize("inputs", [(1, 8, 8), (3, 32, 32), (2, 9, 4)])
def test_cnn_takes_images_of_any_size(inputs):
    net = Cnn().build(inputs, 7, rng())
    assert net(torch.randn(3, *inputs, generator=rng(1))).shape == (3, 7)


@pytest.mark.parametrize("inputs", [(8,), (1, 3, 8), (1, 8, 3), (2, 1, 8, 8)])
def test_cnn_refuses_what_is_no_image_or_too_small(inputs):
    with pytest.raises(ValueError, match=r"cnn of 2 blocks takes images .* at least 4 x 4, got"):
        Cnn().build(inputs, 10, rng())


@pytest.mark.parametrize(
    "spec, said",
    [
        ({"kind": "mlp", "hidden": [0]}, "greater than or equal to 1"),
        ({"kind": "cnn", "channels": []}, "at least 1"),
    ],
)
def test_impossible_fields_are_refused(spec, said):
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(Model).validate_python(spec)


@pytest.mark.parametrize("layer", [nn.Linear(300, 200), nn.Conv2d(12, 200, 5)])
def test_weights_are_drawn_by_the_law_of_torchs_layers(layer):
    """The same bound and the same spread; torch's own draw stands in ``layer`` as it is made."""
    bound = 1 / math.sqrt(300)
    own = [p.detach().clone() for p in layer.parameters()]
    draw_(layer, rng())
    for ours, theirs in zip(layer.parameters(), own, strict=True):
        assert not torch.equal(ours, theirs)
        for weights in (ours.detach(), theirs):
            assert 0.97 * bound < weights.abs().max() <= bound
            assert abs(weights.std() / (bound / math.sqrt(3)) - 1) < 0.15


def test_layers_without_a_law_are_refused():
    with pytest.raises(TypeError, match="no law for the weights of Embedding"):
        draw_(nn.Sequential(nn.Embedding(3, 2)), rng())


@pytest.mark.parametrize("model", [Mlp(), Cnn()], ids=lambda m: m.kind)
def test_model_learns_digits(model):
    stream = RotatedDigits(tasks=1).stream()
    net = model.build(stream.inputs, stream.classes, rng())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    (split,), (held_out,) = stream.train, stream.validation
    for index in stream.batch_indices(seed=0, size=32)[0]:
        optimizer.zero_grad()
        cross_entropy(net(split.x[index]), split.y[index]).backward()
        optimizer.step()
    assert (net(held_out.x).argmax(1) == held_out.y).float().mean() > 0.85
