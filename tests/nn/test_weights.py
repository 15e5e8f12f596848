"""Weights there and back; the same nets of PyTorch, written out, compute the same with them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minivae import backend, nn
from minivae.errors import InputError
from minivae.models import MODELS, VAE
from minivae.nn import from_torch_state_dict, load_safetensors, save_safetensors, to_torch_state_dict
from minivae.training import fit

from ..models.members import EVERY_MEMBER, member


def model(seed=0):
    return VAE(6, 2, (5, 4), likelihood="gaussian", seed=seed)


def assert_same(one, other):
    state, again = one.state_dict(), other.state_dict()
    assert state.keys() == again.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(value, again[name])


# ---------------------------------------------------------------- PyTorch


def twin(torch, made):
    """The VAE's networks out of nn.Linear alone, with attributes of the same names."""

    class Net(torch.nn.Module):
        def __init__(self, inputs, hidden, outputs):
            super().__init__()
            sizes = (inputs, *hidden)
            self.hidden = torch.nn.Module()
            self.hidden.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(sizes))
            self.mean, self.log_var = (torch.nn.Linear(sizes[-1], outputs) for _ in range(2))

        def forward(self, x):
            for layer in self.hidden.layers:
                x = torch.tanh(layer(x))
            return self.mean(x), self.log_var(x)

    both = torch.nn.Module()
    both.encoder = Net(made.data_dim, made.hidden, made.latent_dim)
    both.decoder = Net(made.latent_dim, made.hidden[::-1], made.data_dim)
    return both


def test_a_net_of_pytorch_takes_them_and_computes_the_same(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours = model()
    theirs = twin(torch, ours)
    theirs.load_state_dict(to_torch_state_dict(ours))
    x = rng.normal(size=(7, 6)).astype(np.float32)
    mean, log_var = theirs.encoder(torch.from_numpy(x))
    q = ours.posterior(x)
    np.testing.assert_allclose(q.mean.numpy(), mean.detach().numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(q.log_var.numpy(), log_var.detach().numpy(), rtol=1e-5, atol=1e-6)
    decoded, _ = theirs.decoder(mean)
    np.testing.assert_allclose(ours.reconstruct(x).numpy(), decoded.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_what_pytorch_has_learnt_comes_back(rng):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours = model()
    theirs = twin(torch, ours)
    from_torch_state_dict(ours, theirs.state_dict())
    x = rng.normal(size=(7, 6)).astype(np.float32)
    mean, _ = theirs.encoder(torch.from_numpy(x))
    np.testing.assert_allclose(ours.encode(x).numpy(), mean.detach().numpy(), rtol=1e-5, atol=1e-6)


@EVERY_MEMBER
def test_every_member_goes_there_and_back(name):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    made, other = member(name), member(name, seed=7)
    from_torch_state_dict(other, to_torch_state_dict(made))
    assert_same(made, other)


def test_a_state_dict_is_a_copy():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    made = model()
    state = to_torch_state_dict(made)
    assert all(isinstance(value, torch.Tensor) and value.is_contiguous() for value in state.values())
    for value in state.values():
        value.zero_()
    assert np.abs(made.state_dict()["encoder.mean.weight"]).sum() > 0


def test_without_pytorch_it_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(InputError, match=r"torch cannot be imported .* pip install torch"):
        to_torch_state_dict(model())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("mean.bias"), "missing mean.bias"),
        (lambda state: state.update(more=np.ones(2)), "unexpected more"),
        (lambda state: state.update({"mean.weight": state["mean.weight"].T}), r"mean.weight has shape"),
        (lambda state: state.update({"mean.weight": "x"}), "mean.weight"),
        (lambda state: state.update({"mean.weight": [[1.0], [1.0, 2.0]]}), "mean.weight"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_changed(change, said):
    from minivae.nn.weights import _torch_arrays

    net = nn.mlp.HiddenLayers(3, (5,), {"mean": 2}, backend.generator(0, "numpy"))
    before = net.state_dict()
    state = _torch_arrays(net)
    change(state)
    with pytest.raises(InputError, match=said):
        from_torch_state_dict(net, state)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


# ------------------------------------------------------------- safetensors


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.sampled_from(["float32", "float64"]), st.integers(0, 9))
def test_a_file_of_safetensors_gives_back_every_number(tmp_path_factory, sizes, dtype, seed):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    made, other = (nn.MLP((3, *sizes), backend.generator(s, "numpy"), dtype=dtype) for s in (seed, seed + 1))
    save_safetensors(made, path)
    load_safetensors(other, path)
    assert_same(made, other)


@pytest.mark.parametrize("name", [name for name in MODELS if name in ("vae", "made", "vq-vae", "categorical-vae")])
def test_a_member_goes_to_a_file_and_back(tmp_path, name):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    made, other = member(name), member(name, seed=7)
    save_safetensors(made, tmp_path / "weights.safetensors")
    load_safetensors(other, tmp_path / "weights.safetensors")
    assert_same(made, other)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def fitted_to(x, **options):
    made = VAE(6, 2, (5, 4), likelihood="gaussian", **options)
    fit(made, x, epochs=1, batch_size=20, progress=False)
    return made


@pytest.mark.parametrize("before", ["nothing", "another"])
def test_a_trained_model_sees_from_a_file_what_it_saw_before(tmp_path, rng, before):
    """Its data were prepared: weights alone would be given other values, in silence."""
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    x = rng.normal(size=(30, 6)) * [1e6, 1, 1, 1e-6, 1, 3] + 5
    made, path = fitted_to(x), tmp_path / "weights.safetensors"
    other = model(seed=7) if before == "nothing" else fitted_to(x + 100, seed=7)
    save_safetensors(made, path)
    load_safetensors(other, path)
    assert other.preparation == made.preparation
    np.testing.assert_array_equal(other.encode(x).numpy(), made.encode(x).numpy())
    np.testing.assert_array_equal(other.reconstruct(x).numpy(), made.reconstruct(x).numpy())
    save_safetensors(model(), path)  # whose data are not prepared
    load_safetensors(other, path)
    assert other.preparation is None


@pytest.mark.parametrize(
    "words",
    ["{", "[]", "[" * 9999, "{}", '{"kind": 9, "shift": [0], "scale": [1]}', '{"kind": 1, "shift": [0], "scale": [1]}'],
)
def test_a_preparation_that_is_none_is_refused_and_nothing_changed(tmp_path, words):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    from safetensors.numpy import load_file, save_file

    made, other, path = model(), model(seed=7), tmp_path / "weights.safetensors"
    save_safetensors(made, path)
    save_file(load_file(path), path, metadata={"minivae.preparation": words})
    with pytest.raises(InputError, match=r"does not fit: .*(preparation|expected arrays by name)") as raised:
        load_safetensors(other, path)
    assert "\n" not in str(raised.value)
    assert_same(other, model(seed=7))


def test_pytorch_reads_the_file_as_its_own(tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file, save_file

    made = model()
    save_safetensors(made, tmp_path / "ours.safetensors")
    theirs = twin(torch, made)
    theirs.load_state_dict(load_file(tmp_path / "ours.safetensors"))
    fresh = twin(torch, made)
    save_file(fresh.state_dict(), tmp_path / "theirs.safetensors")
    load_safetensors(made, tmp_path / "theirs.safetensors")
    np.testing.assert_array_equal(
        made.state_dict()["decoder.mean.weight"], fresh.decoder.mean.weight.detach().numpy().T
    )


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), (b"", "is empty"), (b"<html>", "not a whole file")]
)
def test_a_damaged_file_is_refused(tmp_path, content, said):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        load_safetensors(model(), path)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path / "weights.safetensors"
    made = model()
    save_safetensors(made, path)
    whole, before = path.read_bytes(), made.state_dict()
    for length in range(1, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="not a whole file of safetensors"):
            load_safetensors(made, path)
    np.testing.assert_array_equal(made.state_dict()["encoder.mean.weight"], before["encoder.mean.weight"])


def test_without_safetensors_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(InputError, match="pip install safetensors"):
        save_safetensors(model(), tmp_path / "weights.safetensors")
    assert list(tmp_path.iterdir()) == []
