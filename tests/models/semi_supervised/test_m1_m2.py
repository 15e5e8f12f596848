"""M1+M2: M1 is the VAE, M2 is m2 on its codes; the bound of both against quadrature; few labels of digits."""

import numpy as np
import pytest
from scipy import special

import minivae as mv
from minivae.autodiff import backward, tensor
from minivae.datasets import keep_labels, load
from minivae.distributions import kl
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.inference import log_likelihood
from minivae.models import M1M2, M2, Batch
from minivae.training import Settings, Trainer

from ..members import CLASSES, Repeated, batch_for, member, shaken

ROWS, L = 5, 2
FIRST, SECOND = 3, 2  # as in SMALL


@pytest.fixture
def model():
    return shaken(member("m1-m2", alpha=0.7, samples=L, dtype="float64"))


@pytest.fixture
def batch(model, rng):
    x, context = batch_for(model, rng, ROWS)
    return Batch(x, tensor(context.numpy() * [[1.0], [0.0], [1.0], [0.0], [0.0]]))


def noise(rng):
    return rng.normal(size=(L, ROWS, FIRST + SECOND))


def test_m1_is_the_vae_and_m2_is_m2_of_its_codes(model, batch, rng):
    vae = member("vae", latent_dim=FIRST, samples=L, dtype="float64")
    vae.load_state_dict({name: value for name, value in model.state_dict().items() if name in vae.state_dict()})
    m2 = M2(FIRST, SECOND, (4,), context_dim=CLASSES, alpha=0.7, likelihood="gaussian", dtype="float64")
    state = {name.removeprefix("m2."): value for name, value in model.state_dict().items() if name.startswith("m2.")}
    m2.load_state_dict(state)
    draws = noise(rng)
    one, two = model.phases(batch, draws)
    (alone,) = vae.phases(batch, draws[..., :FIRST])
    codes = vae.posterior(batch.x).sample(draws[..., :FIRST]).numpy().reshape(-1, FIRST)
    (other,) = m2.phases(
        Batch(tensor(codes), np.tile(batch.context.numpy(), (L, 1))), draws[..., FIRST:].reshape(1, -1, SECOND)
    )
    assert float(one.loss) == pytest.approx(float(alone.loss) + float(other.loss), rel=1e-12)
    assert float(two.loss) == pytest.approx(float(other.loss), rel=1e-12)
    for phase, expected, networks in ((one, alone, vae), (two, other, m2)):  # neither moves the other's
        found = backward(phase.loss, phase.parameters, retain_graph=True)
        for ours, theirs in zip(found, backward(expected.loss, networks.parameters()), strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-12)
    assert float(one.terms["label"]) == pytest.approx(float(other.terms["label"]))
    error = model.of_means(one.means)["error"].numpy()
    np.testing.assert_allclose(error, m2.of_means(other.means)["error"].numpy())


def test_m2_waits_until_m1_is_under_way(rng):
    model = member("m1-m2", data_dim=64, classes=10, first_steps=0.5)
    trainer = Trainer(model, keep_labels(load("digits"), 50, 0), Settings(epochs=1, batch_size=150))
    assert trainer.total_steps == 10
    states = [model.state_dict()]
    for _ in range(7):
        trainer.train_step()
        states.append(model.state_dict())

    def moved(step, part):
        return any((states[step + 1][n] != v).any() for n, v in states[step].items() if n.startswith(part))

    assert [moved(step, "encoder") for step in range(7)] == [True] * 7
    assert [moved(step, "m2.encoder") for step in range(7)] == [False] * 5 + [True] * 2


def test_the_bound_lies_below_log_p_by_what_the_posteriors_miss(rng):
    """z1 and z2 of one number each: log p(x|y) and log p(x) on a grid, and the bounds of phases and of draws below."""
    model = shaken(member("m1-m2", first_dim=1, second_dim=1, dtype="float64"))
    for name, p in model.named_parameters():
        if name.startswith("decoder"):
            p.data[...] *= 2.0
    x, context = batch_for(model, rng, ROWS)
    grid = np.linspace(-12, 12, 241)
    z = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 1, 2)
    log_x = model.likelihood(z).log_prob(x).numpy()

    def log_p(y):
        told = np.broadcast_to(np.eye(CLASSES)[y], (1, CLASSES))
        prior = model.prior(told).log_prob(z).numpy()
        assert special.logsumexp(prior) + 2 * np.log(grid[1] - grid[0]) == pytest.approx(0, abs=1e-3)
        return special.logsumexp(log_x + prior, axis=0) + 2 * np.log(grid[1] - grid[0])

    each = np.stack([log_p(y) for y in range(CLASSES)], -1)
    whole, told = special.logsumexp(each, axis=-1) - np.log(CLASSES), (each * context.numpy()).sum(-1)
    copies = 200
    many = tensor(np.repeat(x.numpy(), copies, 0))
    for labels, exact in ((np.zeros((ROWS, CLASSES)), whole), (context.numpy(), told)):
        terms = model.phases(Batch(many, tensor(np.repeat(labels, copies, 0))), Repeated()())[0].terms
        bound = float(terms["bound"])
        assert bound < exact.mean()
        assert bound == pytest.approx(float(terms["reconstruction"]) - float(terms["kl"]), rel=1e-12)
    # By draws of both, of the same quantity: the bound is the same, and its weights have the mean p(x|y).
    value = model.bound(many, Repeated(1)(), np.repeat(context.numpy(), copies, 0)).value.numpy()
    assert value.mean() == pytest.approx(bound, abs=6 * value.std() / np.sqrt(value.size))
    found = log_likelihood(model, x, Repeated()(), 4000, context=context)
    assert (np.abs(found.value.numpy() - told) < 6 * found.stderr.numpy() + 1e-9).all()


def test_the_bound_is_an_average_over_draws_and_has_the_gradient_of_its_value(model, rng):
    """log p(x|z1) + E log p(z1|y, z2) - KL + H(q(z1|x)), by hand; by all weights but the classifier's."""
    x, context = batch_for(model, rng, ROWS)
    draws = noise(rng)
    q = model.encoder(x)
    z1 = q.sample(draws[..., :FIRST])
    of_z2 = model.m2.posterior(z1, context)
    z2 = of_z2.sample(draws[..., FIRST:])
    b = model.m2.likelihood(z2, context).log_prob(z1) - kl(of_z2, model.m2.prior(context))
    reconstruction = model.decoder(z1).log_prob(x).numpy().mean(0)
    bound = model.bound(x, draws, context)
    np.testing.assert_allclose(bound.reconstruction.numpy(), reconstruction, rtol=1e-12)
    np.testing.assert_allclose(bound.kl.numpy(), -b.numpy().mean(0) - q.entropy().numpy(), rtol=1e-11)
    assert model.bound(x, Repeated()(), context, samples=7).value.shape == (ROWS,)
    assert model.bound_and_draws(x, Repeated()(), context, 7)[1].shape == (7, ROWS, FIRST + SECOND)
    parts = [p for name, p in model.named_parameters() if "classifier" not in name]
    check_gradients(lambda *_: model.bound(x, draws, context).value, parts, mode="directions")


def test_m2_begins_as_the_one_of_the_next_seed():
    ours = member("m1-m2", seed=3).m2.state_dict()
    theirs = M2(FIRST, SECOND, (4,), context_dim=CLASSES, likelihood="gaussian", seed=4).state_dict()
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, err_msg=name)


def test_samples_go_from_y_to_z1_to_x(model, rng):
    context = np.eye(CLASSES)[rng.integers(0, CLASSES, 6)]
    generator = Repeated()
    z = model.sample_prior(generator(), 6, context)
    drawn = model.prior(context).draw_noise(generator()).numpy()
    p = model.m2.likelihood(drawn[:, FIRST:], context)
    np.testing.assert_allclose(z.numpy()[:, FIRST:], drawn[:, FIRST:], rtol=1e-12)
    np.testing.assert_allclose(z.numpy()[:, :FIRST], (p.mean + p.stddev * drawn[:, :FIRST]).numpy(), rtol=1e-12)
    np.testing.assert_allclose(model.sample(generator(), 6, context).numpy(), model.decoder(z[:, :FIRST]).mean.numpy())


def test_it_classifies_by_the_mean_of_z1_and_a_missing_label_is_the_likeliest(model, batch):
    logits = model.m2.classifier(model.encoder(batch.x).mean).numpy()
    np.testing.assert_allclose(model.classify(batch.x).numpy(), special.softmax(logits, -1), rtol=1e-9)
    zeros, likeliest = np.zeros((ROWS, CLASSES)), np.eye(CLASSES)[logits.argmax(-1)]
    for call in (model.encode, model.reconstruct):
        np.testing.assert_array_equal(call(batch.x, zeros).numpy(), call(batch.x, likeliest).numpy())
    with pytest.raises(InputError, match="context has a row of zeros, a missing label"):
        model.posterior(batch.x, zeros)


def test_few_labels_are_enough_to_classify():
    """5 of each class, beside 1,450 digits without; a p(x|z1) under which z1 keeps what tells digits apart."""
    data = load("digits")
    options = {"likelihood": "gaussian", "variance": 0.03, "alpha": 1.0, "first_dim": 16, "second_dim": 4}
    model = M1M2(64, (50,), context_dim=10, second_hidden=(30,), **options)
    mv.fit(model, keep_labels(data, 50, seed=1), epochs=15, lr=5e-3, report_every=15, progress=False)
    found = model.classify(data.test.images / data.scale).numpy().argmax(-1)
    assert (found != data.test.labels).mean() < 0.3  # chance: 0.9
