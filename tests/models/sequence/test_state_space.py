"""The model of whole sequences: which beliefs, transitions and steps its parts are made of."""

from itertools import pairwise

import numpy as np

from minivae.autodiff import split

from ..members import batch_for, member, shaken

L, M = 2, 4


def test_the_posterior_walks_back_by_the_beliefs_on_both_sides_and_the_prior_forth(rng):
    model = shaken(member("td-vae", dtype="float64", jumps=2))
    x = batch_for(model, rng, M).x
    z = rng.normal(size=(L, M, model.latent_dim))
    b, steps = model.beliefs(x), model.sequence_length
    states = [state.numpy() for state in split(model._vectors("z", z, "latent_dim"), steps + 1, axis=-1)]
    one = np.array([1.0, 0.0])
    found = model.belief(b[:, steps]).log_prob(states[steps]).numpy()
    for i in range(steps):
        q = model.smoothing(states[i + 1], b[:, i], b[:, i + 1], one)
        found = found + q.log_prob(states[i]).numpy()
    np.testing.assert_allclose(model.posterior(x).log_prob(z).numpy(), found, rtol=1e-11)
    p = model.belief(np.zeros(model.units)).log_prob(states[0]).numpy()
    for before, after in pairwise(states):
        p = p + model.transition(before, one).log_prob(after).numpy()
    np.testing.assert_allclose(model.prior().log_prob(z).numpy(), p, rtol=1e-11)
