"""The ladder VAE: one level is the VAE; what its levels pay, and when; spectral regularization; what it refuses."""

import numpy as np
import pytest

from minivae import backend, datasets
from minivae.autodiff import backward, tensor
from minivae.errors import InputError
from minivae.inference import log_likelihood
from minivae.models import LadderVAE
from minivae.nn import Linear
from minivae.regularizers import kl_balance
from minivae.training import Settings, Trainer

from ...chance import assert_mean
from ..members import M, Repeated, batch_for, member, shaken

L = 5  # draws


def ladder(**options):
    return shaken(member("ladder-vae", **{"latent_dim": 5, "levels": 3, "samples": L, "dtype": "float64", **options}))


def at(model, batch, weight):
    """The phase with the KL's weight, and its gradients."""
    (phase,) = model.phases_at(batch, Repeated()(), model.scalar(weight))
    return phase, [g.numpy() for g in backward(phase.loss, phase.parameters)]


# ------------------------------------------------------------- one level is the VAE


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_one_level_is_the_vae(likelihood, rng):
    """Same weights, same noise: terms, gradients, draws, densities, codes and samples."""
    options = {"samples": L, "dtype": "float64", "likelihood": likelihood}
    vae = shaken(member("vae", **options))
    model = member("ladder-vae", levels=1, spectral=0.0, **options)
    assert {**model.state_dict()}.keys() == vae.state_dict().keys()
    model.load_state_dict(vae.state_dict())
    batch = batch_for(vae, rng)
    (ours,), (theirs,) = (m.phases(batch, Repeated()()) for m in (model, vae))
    assert "objective" not in ours.terms
    for name, value in theirs.terms.items():
        np.testing.assert_allclose(ours.terms[name].numpy(), value.numpy(), rtol=1e-13)
    assert float(ours.terms["kl_1"]) == pytest.approx(float(ours.terms["kl"]), rel=1e-14)
    for a, b in zip(*(backward(p.loss, p.parameters) for p in (ours, theirs)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-13)
    noise = rng.normal(size=(L, M, 3))
    for found, expected in zip(*(m.posterior(batch.x).sample_with_log_prob(noise) for m in (model, vae)), strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-13)
    for call in (lambda m: m.encode(batch.x), lambda m: m.sample(Repeated()(), 4), lambda m: m.reconstruct(batch.x)):
        np.testing.assert_allclose(call(model).numpy(), call(vae).numpy(), rtol=1e-13)


def test_one_level_begins_as_the_vae_of_that_seed():
    ours, theirs = (member(name, seed=3, **o).state_dict() for name, o in (("ladder-vae", {"levels": 1}), ("vae", {})))
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value)


# ---------------------------------------------------------------------- the levels


@pytest.mark.parametrize(
    ("latent_dim", "levels", "lengths"), [(20, 2, [10, 10]), (5, 3, [1, 2, 2]), (4, 4, [1] * 4), (7, 1, [7])]
)
def test_elements_are_shared_out_evenly(latent_dim, levels, lengths):
    model = LadderVAE(6, latent_dim, (5,), levels=levels)
    assert (model.lengths, model.config["levels"]) == (lengths, levels)
    assert model.prior().shape == (latent_dim,)


def test_the_bound_is_estimator_b_at_every_level(rng):
    """With closed-form KLs in the place of log q - log p; both have one mean."""
    model, (x, _) = ladder(), batch_for(ladder(), rng)
    bound, z = model.bound_and_draws(x, Repeated()(), samples=4_000)
    log_p = model.likelihood(z).log_prob(x).numpy()
    np.testing.assert_allclose(bound.reconstruction.numpy(), log_p.mean(0), rtol=1e-10)
    np.testing.assert_allclose(bound.value.numpy(), log_p.mean(0) - bound.kl.numpy(), rtol=1e-10)
    q, p = model.posterior(x), model.prior()
    drawn, log_q = q.sample_with_log_prob(Repeated()(), 4_000)
    np.testing.assert_allclose(drawn.numpy(), z.numpy(), rtol=1e-10)
    each = sum(k.numpy() for k in q.drawn(q.draw_noise(Repeated()(), (4_000,))).kls())
    np.testing.assert_allclose(bound.kl.numpy(), each.mean(0), rtol=1e-10)
    for column in (log_q.numpy() - p.log_prob(drawn).numpy() - each).T:
        assert_mean(column, 0.0)


def test_a_level_below_knows_those_above_and_none_below_it(rng):
    """By derivatives of log p(z): z_1 alone has its own density; and p(x|z) depends on every element."""
    model = ladder()
    noise = rng.normal(size=(1, 5))
    for level, (start, stop) in enumerate([(0, 1), (1, 3), (3, 5)]):
        moved = noise.copy()
        moved[:, start:stop] += 1.0
        before, after = (model.prior().sample(n).numpy()[0] for n in (noise, moved))
        changed = before != after
        assert not changed[:start].any(), level
        assert changed[start:].all(), level
    z = rng.normal(size=(1, 5))
    for i in range(5):
        moved = z + np.eye(5)[i]
        assert (model.decode(z).numpy() != model.decode(moved).numpy()).all()


def test_log_p_of_x_by_its_draws_lies_above_the_bound_and_near_a_sum_over_a_grid():
    model = ladder(latent_dim=2, levels=2, samples=1)
    for name, p in model.named_parameters():
        p.data[...] *= 0.3 if name.startswith("encoder") else 1.0
    x = np.random.default_rng(1).uniform(size=(M, 6))
    axis = np.linspace(-9, 9, 361)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 1, 2)
    log_joint = model.likelihood(grid).log_prob(x).numpy() + model.prior().log_prob(grid).numpy()
    exact = np.log(np.exp(log_joint).sum(0)) + 2 * np.log(axis[1] - axis[0])
    found = log_likelihood(model, x, backend.generator(0), 4_000)
    assert (np.abs(found.value.numpy() - exact) < 5.5 * found.stderr.numpy()).all()
    assert (model.bound(x, backend.generator(0), samples=4_000).value.numpy() < exact).all()


def test_scales_of_the_prior_are_kept_within_10(rng):
    model = ladder()
    for heads in model.down.heads:
        heads.log_var.bias.data[...] = 1e4
    for given in model.prior().drawn(rng.normal(size=(M, 5))).given[1:]:
        np.testing.assert_allclose(given.log_var.numpy(), 10.0)


# ----------------------------------------------------- what the levels pay in a warm-up


def test_below_a_weight_of_1_levels_are_balanced(rng):
    model, batch = ladder(spectral=0.0), batch_for(ladder(), rng)
    phase, _ = at(model, batch, 0.3)
    kl = np.array([float(phase.terms[f"kl_{i}"]) for i in (1, 2, 3)])
    shares = kl_balance(kl, model.lengths).numpy()
    expected = 0.3 * (shares * kl).sum() - float(phase.terms["reconstruction"])
    assert float(phase.loss) == pytest.approx(expected, rel=1e-12)
    assert shares.std() > 0.1
    assert float(phase.terms["objective"]) == -float(phase.loss)
    assert float(phase.terms["bound"]) == pytest.approx(float(phase.terms["reconstruction"]) - kl.sum(), rel=1e-12)


@pytest.mark.parametrize("balance", [True, False])
def test_at_a_weight_of_1_they_are_not(balance, rng):
    model, batch = ladder(balance=balance), batch_for(ladder(), rng)
    warmed, gradients = at(model, batch, 1.0)
    (plain,) = model.phases(batch, Repeated()())
    assert float(warmed.loss) == pytest.approx(float(plain.loss), rel=1e-13)
    for a, b in zip(gradients, backward(plain.loss, plain.parameters), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-12)


def test_without_balancing_the_weight_is_that_of_every_model(rng):
    """Of the base's ``phases_at``: loss and gradients."""
    model, batch = ladder(balance=False), batch_for(ladder(), rng)
    phase, gradients = at(model, batch, 0.3)
    (expected,) = super(LadderVAE, model).phases_at(batch, Repeated()(), model.scalar(0.3))
    assert float(phase.loss) == pytest.approx(float(expected.loss), rel=1e-13)
    for a, b in zip(gradients, backward(expected.loss, expected.parameters), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-9, atol=1e-12)


def test_the_weights_of_the_levels_are_held(rng):
    """The gradient is that of each KL times its weight as a number."""
    model, batch = ladder(spectral=0.0), batch_for(ladder(), rng)
    phase, gradients = at(model, batch, 0.3)
    shares = kl_balance(np.array([float(phase.terms[f"kl_{i}"]) for i in (1, 2, 3)]), model.lengths).numpy()
    (again,) = model.phases(batch, Repeated()())
    loss = -again.terms["reconstruction"]
    for i, share in enumerate(shares):
        loss = loss + again.terms[f"kl_{i + 1}"] * (0.3 * share)
    for a, b in zip(gradients, backward(loss, again.parameters), strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-9, atol=1e-12)


def test_a_run_warms_up_and_then_pays_in_full():
    """Recorded steps read the weight: the objective differs from the loss of all levels only in the first epoch."""
    data = datasets.load("digits")
    model = member("ladder-vae", data_dim=64, latent_dim=4, spectral=0.0)
    trainer = Trainer(model, data, Settings(batch_size=718, epochs=2, kl_warmup=1.0))
    apart = []
    for _ in range(2 * trainer.steps_per_epoch):
        terms = trainer.train_step()
        apart.append(abs(float(terms["objective"]) - float(terms["bound"])))
    assert min(apart[: trainer.steps_per_epoch]) > 1e-3
    assert max(apart[trainer.steps_per_epoch :]) < 1e-4


# ----------------------------------------------------------- spectral regularization


def test_the_spectral_term_comes_to_the_sum_of_all_singular_values(rng):
    """Unweighted in the terms; its weight is in the loss."""
    model, batch = ladder(spectral=0.7), batch_for(ladder(), rng)
    for _ in range(100):
        for target, value in model.norms(model.weights())[1]:
            target.data[...] = value.numpy()
    (phase,) = model.phases(batch, Repeated()())
    layers = [m for m in model.modules() if isinstance(m, Linear)]
    expected = sum(np.linalg.svd(layer.weight.numpy())[1][0] for layer in layers)
    assert float(phase.terms["spectral"]) == pytest.approx(expected, rel=1e-6)
    assert float(phase.loss) == pytest.approx(0.7 * expected - float(phase.terms["bound"]), rel=1e-6)
    assert len(phase.assignments) == len(layers) == len(model.norms.vectors)


def test_without_it_there_is_no_state_of_it(rng):
    model = ladder(spectral=0.0)
    assert not any(name.startswith("norms") for name in model.state_dict())
    (phase,) = model.phases(batch_for(model, rng), Repeated()())
    assert "spectral" not in phase.terms


def test_it_holds_weights_down():
    data = datasets.load("digits")
    sums = []
    for spectral in (1e-9, 1.0):
        model = member("ladder-vae", data_dim=64, latent_dim=4, spectral=spectral)
        trainer = Trainer(model, data, Settings(batch_size=100, epochs=4, lr=0.03))
        for _ in range(15):
            trainer.train_step()
        sums.append(sum(np.linalg.svd(w.numpy())[1][0] for w in model.weights()))
    assert sums[1] < 0.8 * sums[0]


# --------------------------------------------------------------------- what it refuses


def test_more_levels_than_elements_are_refused():
    with pytest.raises(InputError, match="levels is 4; expected at most latent_dim, 3"):
        LadderVAE(6, 3, levels=4)


def test_free_bits_are_refused_with_the_reason():
    data = datasets.load("digits")
    model = member("ladder-vae", data_dim=64)
    with pytest.raises(InputError, match=r"free_bits is 0.1, but LadderVAE cannot have it: its KL is no sum over dim"):
        Trainer(model, data, Settings(free_bits=0.1))


def test_noise_of_another_length_is_refused(rng):
    model = ladder()
    with pytest.raises(InputError, match=rf"expected \(L, M, latent_dim\), here \(L, {M}, 5\)"):
        model.bound(np.zeros((M, 6)), tensor(rng.normal(size=(1, M, 4))))
