"""Codes that depend on those before them: all p(x) sum to one, draws have them; beside a table of conditionals."""

import itertools

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import Autoregressive, Categorical, Entries, kl
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import MADE

from ..chance import assert_mean

VARIABLES, K = 3, 4
EVERY = np.eye(K)[list(itertools.product(range(K), repeat=VARIABLES))].reshape(-1, VARIABLES * K)


def network(rng, hidden=(7,), scale=1.0):
    made = MADE(VARIABLES, hidden, backend.generator(0), outputs=K, width=K, dtype="float64")
    for p in made.parameters():
        p.data[...] = scale * rng.normal(size=p.shape)
    return made


def of(made):
    return Autoregressive(made.together, VARIABLES * K, K, made.first_parameter())


@pytest.mark.parametrize("hidden", [(), (7,), (5, 9)])
def test_the_probabilities_of_all_codes_sum_to_one(hidden, rng):
    p = np.exp(of(network(rng, hidden)).log_prob(EVERY).numpy())
    assert p.shape == (K**VARIABLES,)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert p.max() > 2 * p.min()


def table(rng):
    """The logits of code i given the number of those before it, as a network, and p of all codes by hand."""
    tables = [rng.normal(size=(K**i, K)) for i in range(VARIABLES)]

    def logits(x):
        x = np.asarray(x.numpy()).reshape(-1, VARIABLES, K).argmax(-1)
        before = [(x[:, :i] @ [K ** (i - 1 - j) for j in range(i)]).astype(int) if i else x[:, 0] * 0 for i in range(3)]
        return tensor(np.concatenate([t[b] for t, b in zip(tables, before, strict=True)], axis=-1))

    p = [np.exp(t) / np.exp(t).sum(-1, keepdims=True) for t in tables]
    return logits, np.array([p[0][0, a] * p[1][a, b] * p[2][a * K + b, c] for a, b, c in np.ndindex(K, K, K)])


def test_it_has_the_probabilities_of_a_table_of_conditionals(rng):
    logits, p = table(rng)
    q = Autoregressive(logits, VARIABLES * K, K, tensor(np.zeros(1)))
    np.testing.assert_allclose(np.exp(q.log_prob(EVERY).numpy()), p, rtol=1e-12)
    draws = q.sample(backend.generator(0), 20_000).numpy()
    assert_mean((draws @ EVERY.T == VARIABLES), p)


def test_without_any_dependence_it_is_categorical_draw_by_draw(rng):
    logits = rng.normal(size=VARIABLES * K)
    p, q = Autoregressive(lambda x: tensor(logits) + x * 0.0, VARIABLES * K, K, tensor(logits)), Categorical(logits, K)
    u = q.draw_noise(backend.generator(2), (5, 6))
    np.testing.assert_array_equal(p.draw_noise(backend.generator(2), (5, 6)).numpy(), u.numpy())
    x = p.sample(u)
    np.testing.assert_array_equal(x.numpy(), q.sample(u).numpy())
    np.testing.assert_allclose(p.log_prob(x).numpy(), q.log_prob(x).numpy(), rtol=1e-14)


def test_gradients(rng):
    made = network(rng, scale=0.5)
    check_gradients(lambda *_: of(made).log_prob(EVERY[:5]), made.parameters(), order=2, mode="directions")


def test_what_is_not_there_is_refused(rng):
    p = of(network(rng))
    for what in ("mean", "entropy()"):
        with pytest.raises(InputError, match=f"an? Autoregressive, which has no {what.removesuffix('()')}"):
            eval(f"p.{what}", {"p": p})
    with pytest.raises(InputError, match="not one-hot"):
        p.log_prob(EVERY[:2] * 0.5)
    with pytest.raises(InputError, match="no closed-form KL"):
        kl(p, p)


def test_entries_of_a_list_are_drawn_with_these_probabilities(rng):
    logits, p = table(rng)
    codebook = rng.normal(size=(K, 2))
    which = Autoregressive(logits, VARIABLES * K, K, tensor(np.zeros(1)))
    z = Entries(tensor(codebook), which).sample(backend.generator(0), 20_000).numpy().reshape(-1, VARIABLES, 1, 2)
    chosen = (z == codebook).all(-1)
    assert (chosen.sum(-1) == 1).all()
    assert_mean(chosen.reshape(-1, VARIABLES * K) @ EVERY.T == VARIABLES, p)


def test_the_mean_of_entries_is_that_of_their_probabilities(rng):
    codebook, logits = rng.normal(size=(K, 2)), rng.normal(size=VARIABLES * K)
    p = Entries(tensor(codebook), Categorical(logits, K))
    shares = Categorical(logits, K).mean.numpy().reshape(VARIABLES, K)
    np.testing.assert_allclose(p.mean.numpy(), (shares @ codebook).ravel(), rtol=1e-12)
