"""Every function of ``minivae.inference`` with every model: a value that is right, or one clear refusal.

``EXPECTED`` says which, by what kind of z a model has; values are held against sums over a grid of z, or
over all z where they can be counted. A new function has no row here and fails; a new model is one whose z
has a density, given the context if it is told one, unless ``KINDS`` says otherwise.
"""

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import special, stats

from minivae import backend, inference
from minivae.autodiff import no_grad, tensor
from minivae.distributions import Bernoulli, LogCosh, Normal
from minivae.errors import InputError
from minivae.inference import (
    Annealing,
    MonteCarloEM,
    active_units,
    density_log_likelihood,
    effective_sample_size,
    hmc,
    log_joint,
    log_likelihood,
    mean_correlation,
    sandwich,
)
from minivae.models import MODELS, FullVB, GaussianWeights
from minivae.models.registry import arguments
from minivae.optim import SGD

from ..chance import CRITICAL_Z, FALSE_ALARM, assert_moments
from ..distributions.families import LOG_COSH
from ..models.members import batch_for, member, shaken
from . import grid

M = 3
VALUE = ""  # a value that is right; anything else is what a refusal says

# What a model's z is.
KINDS = {
    "full-vb": "a density",
    **{n: "a density, given the context" if "context_dim" in arguments(m) else "a density" for n, m in MODELS.items()},
    **dict.fromkeys(("wae-mmd", "swae", "wae-gan", "aae", "labelled-aae"), "a density, and points for codes"),
    "categorical-vae": "discrete",
    "joint-vae": "discrete",
    "hyperspherical-vae": "on a sphere",
    **dict.fromkeys(("vq-vae", "autoregressive-prior"), "discrete, and points for codes"),
    "gan": "a density, and neither codes nor one of x",
    "made": "none",
}
SAMPLER = {
    **dict.fromkeys(("a density", "a density, given the context", "a density, and points for codes"), VALUE),
    **dict.fromkeys(
        ("discrete", "discrete, and points for codes"), "whose z is discrete; expected one whose z has a density"
    ),
    "on a sphere": "whose z lies on a sphere; expected one whose z has a density",
    "a density, and neither codes nor one of x": "whose x is a point where z is known; expected one whose z",
    "none": "which has no latent variable z; expected one whose z has a density",
}
NO_CODES = {"a density, and neither codes nor one of x": "has no encoder", "none": "has no latent variable"}
CODES = {**dict.fromkeys(SAMPLER, VALUE), **NO_CODES}
# By function, then by the kind of z.
EXPECTED = {
    "log_likelihood": {
        **dict.fromkeys(SAMPLER, VALUE),
        "a density, and points for codes": "with log p.x.: its codes are points",
        "a density, and neither codes nor one of x": "with log p.x.: a GAN has no encoder",
        "discrete, and points for codes": "with log p.x.: the codes of a VQ-VAE are points",
    },
    **dict.fromkeys(("Annealing", "sandwich", "density_log_likelihood", "log_joint", "hmc", "MonteCarloEM"), SAMPLER),
    **dict.fromkeys(("effective_sample_size", "active_units", "mean_correlation"), CODES),
    "GaussianWeights": dict.fromkeys(SAMPLER, VALUE),
}
FILES = {"ais", "diagnostics", "each", "importance", "joint", "mcem", "posterior_density"}
RESULTS = {"LogLikelihood", "Sandwich"}  # no functions, but what these return
SMALL = {  # beside a z of two numbers; of ivae's variance the grid is to see something
    "ivae": {"variance": 0.5},
    "categorical-vae": {"variables": 2, "num_categories": 3},
    "vamp-vae": {"components": 5},
    "flow-prior-vae": {"steps": 2, "flow_hidden": (3,)},
    "f-vae": {"steps": 2, "flow_hidden": (3,)},
    "td-vae": {"sequence_length": 1, "state_dim": 1},
    "joint-vae": {"continuous": 1, "discrete": (3,)},
    "m1-m2": {"first_dim": 1, "second_dim": 1},
    "vq-vae": {"num_codes": 2, "entries": 4, "code_dim": 1},
}


def made(name):
    """The model, its data and its contexts, the same at each call."""
    options = {"latent_dim": 2, "dtype": "float64", **SMALL.get(name, {})}
    model = FullVB(6, 2, (5,), dataset_size=10, dtype="float64") if name == "full-vb" else member(name, **options)
    x, context = batch_for(shaken(model), np.random.default_rng(1), M)
    for part, p in model.named_parameters():
        if part.startswith(("encoder", "smoothing", "memory", "down")):  # of scales that vary much no kernel is near
            p.data[...] *= 0.3  # a proposal with narrower tails than the posterior's makes weights of any size
    return SimpleNamespace(name=name, model=model, x=x.numpy(), context=context, generator=backend.generator(0))


AXIS = np.linspace(-8, 8, 401)


def exact(case, x=None):
    """log p(x) of each data point, without sampling; and the mean and variances of each posterior, on a grid."""
    x = case.x if x is None else x
    if not case.model.latent_dim:
        (logits,) = case.model.network(x)
        y = 1 / (1 + np.exp(-logits.numpy()))
        return SimpleNamespace(log_p=(x * np.log(y) + (1 - x) * np.log(1 - y)).sum(-1))
    if case.name == "joint-vae":  # three values beside a number on a grid
        every = np.concatenate([np.repeat(AXIS, 3)[:, None], np.tile(np.eye(3), (len(AXIS), 1))], -1)[:, None]
        log_p = case.model.likelihood(every).log_prob(x).numpy() + case.model.prior().log_prob(every).numpy()
        return SimpleNamespace(log_p=special.logsumexp(log_p, axis=0) + np.log(AXIS[1] - AXIS[0]))
    if case.model.on_sphere:  # a circle
        angle = np.arange(360) * (2 * np.pi / 360)
        every = np.stack([np.cos(angle), np.sin(angle)], -1)[:, None]
        log_p = case.model.likelihood(every).log_prob(x).numpy()
        return SimpleNamespace(log_p=special.logsumexp(log_p, axis=0) - np.log(360))
    if case.model.num_categories:
        every = np.eye(3)[list(itertools.product(range(3), repeat=2))].reshape(9, 1, 6)
        return SimpleNamespace(log_p=np.log(np.exp(case.model.likelihood(every).log_prob(x).numpy()).mean(0)))
    told = [None] * M if case.context is None else case.context.numpy()
    # The priors given a context have standard deviations of up to 2, and posteriors of at least 0.4.
    found = [grid.posterior(case.model, row, y, reach=14.0, step=0.1) for row, y in zip(x, told, strict=True)]
    return SimpleNamespace(
        **dict(zip(("log_p", "mean", "variance"), map(np.array, zip(*found, strict=True)), strict=True))
    )


def assert_near(found, log_p, samples, slack=1.0):
    """Within the standard errors, whose own spread Student's t knows of; exactly, where nothing was sampled."""
    if found.side == "exact":
        np.testing.assert_allclose(found.value.numpy(), log_p, rtol=1e-12)
        return
    assert (found.effective_samples.numpy() > min(samples, 20)).all()  # fewer know nothing of their spread
    critical = stats.t.isf(FALSE_ALARM / 2, samples - 1)
    assert (np.abs(found.value.numpy() - log_p) <= slack * critical * found.stderr.numpy() + 1e-12).all()


def by_importance(case):
    found = log_likelihood(case.model, case.x, case.generator, 4000, context=case.context)
    assert_near(found, exact(case).log_p, 4000)


PATH = {"temperatures": 40, "leapfrog_steps": 4}


def by_annealing(case):
    found = Annealing(case.model, tensor(case.x), case.generator, context=case.context, **PATH).lower(64)
    assert_near(found, exact(case).log_p, 64)


def by_sandwich(case):
    found = sandwich(case.model, case.generator, M, chains=64, context=case.context, **PATH)
    again = backend.generator(0)  # what it has simulated
    x = case.model.likelihood(case.model.sample_prior(again, M, case.context), case.context).sample(again).numpy()
    for side in found:
        assert_near(side, exact(case, x).log_p, 64)


def by_density(case):
    x = tensor(case.x)
    found = density_log_likelihood(case.model, x, case.generator, 200, context=case.context, warmup=200)
    # Its standard errors do not know of the fit: 1.25 times (test_posterior_density).
    assert_near(found, exact(case).log_p, 200, slack=1.25)


def of_log_joint(case):
    z = np.random.default_rng(2).normal(size=(5, M, 2))
    found = log_joint(case.model, case.x, case.context)(tensor(z)).numpy()
    np.testing.assert_allclose(found, log_density(case, z, case.x, case.context), rtol=1e-9)


def log_density(case, z, x, context):
    """log p(x|z) + log p(z) by SciPy."""
    if case.name == "td-vae":
        return log_density_of_two_states(case, z, x)
    with no_grad():
        prior, likelihood = case.model.prior(context), case.model.likelihood(tensor(z), context)
        if case.name == "m1-m2":  # of z2, and of z1 given it
            of_z1 = case.model.m2.likelihood(tensor(z[..., 1:]), context)
            log_p = stats.norm.logpdf(z, *_beside_standard(of_z1)).sum(-1)
            return DENSITIES[type(likelihood)](x, likelihood.mean.numpy(), None).sum(-1) + log_p
        mean = likelihood.mean.numpy()
        if case.name in FLOWS:  # N(0, I) at e, by the Jacobian of the whole
            e, log_det = inverted(prior, z)
            return DENSITIES[type(likelihood)](x, mean, None).sum(-1) + stats.norm.logpdf(e).sum(-1) - log_det
        each = prior.components if case.name == "vamp-vae" else prior
        mu, scale = (0.0, 1.0) if each is prior and context is None else (each.mean.numpy(), each.stddev.numpy())
    z = z[..., None, :] if case.name == "vamp-vae" else z
    log_p = stats.norm.logpdf(z, mu, scale).sum(-1)
    log_p = special.logsumexp(log_p, axis=-1) - np.log(len(mu)) if case.name == "vamp-vae" else log_p
    log_p = of_two_levels(case.model.state_dict(), z) if case.name == "ladder-vae" else log_p
    return DENSITIES[type(likelihood)](x, mean, VARIANCES.get(case.name)).sum(-1) + log_p


def _beside_standard(of_z1):
    """Means and standard deviations of (z1, z2)."""
    pairs = ((of_z1.mean.numpy(), 0.0), (of_z1.stddev.numpy(), 1.0))
    return [np.concatenate([a, np.full_like(a, b)], -1) for a, b in pairs]


FLOWS = ("flow-prior-vae", "f-vae")


def inverted(flow, z):
    """The e that a flow takes to z, by Newton's method, and log |det dz/de|: of the map from e to z alone."""
    h, e = 1e-6, np.zeros(z.shape)
    for _ in range(60):
        at = lambda e: flow.transform(e).numpy()  # noqa: E731
        columns = [(at(e + h * axis) - at(e - h * axis)) / (2 * h) for axis in np.eye(z.shape[-1])]
        matrix = np.stack(columns, -1)
        step = np.linalg.solve(matrix, (at(e) - z)[..., None])[..., 0]
        e = e - np.clip(step, -0.5, 0.5)
    assert np.abs(step).max() < 1e-9
    return e, np.linalg.slogdet(matrix)[1]


def of_two_levels(w, z):
    """log N(z_1; 0, 1) + log N(z_2; mu_p, sigma_p^2), from the weights alone."""
    first, second = z[..., :1], z[..., 1]
    state = np.tanh(first @ w["down.down.0.layers.0.weight"] + w["down.down.0.layers.0.bias"])
    mu, log_var = (
        (state @ w[f"down.heads.0.{head}.weight"] + w[f"down.heads.0.{head}.bias"])[..., 0]
        for head in ("mean", "log_var")
    )
    scale = np.exp(5 * np.tanh(log_var / 10))
    return stats.norm.logpdf(first[..., 0]) + stats.norm.logpdf(second, mu, scale)


def log_density_of_two_states(case, z, x):
    """The first by the belief before any step, the second, which x is of, by the transition."""
    with no_grad():
        model, (before, now) = case.model, np.split(z, 2, axis=-1)
        first, second = model.belief(tensor(np.zeros(model.units))), model.transition(tensor(before), tensor([1.0]))
        y = model.decoder(tensor(now)).mean.numpy()
    log_p = stats.norm.logpdf(before, first.mean.numpy(), first.stddev.numpy())
    log_p = log_p + stats.norm.logpdf(now, second.mean.numpy(), second.stddev.numpy())
    return DENSITIES[Bernoulli](x, y, None).sum(-1) + log_p[..., 0]


VARIANCES = {"ivae": 0.5, "sigma-vae": 1.0}
DENSITIES = {
    Bernoulli: lambda x, mean, _: x * np.log(mean) + (1 - x) * np.log(1 - mean),
    Normal: lambda x, mean, variance: stats.norm.logpdf(x, mean, np.sqrt(variance)),
    LogCosh: lambda x, mean, _: LOG_COSH(10.0, mean).logpdf(x),
}


def by_hmc(case):
    start = tensor(np.zeros((M, 2)))
    density = log_joint(case.model, tensor(case.x), case.context)
    z = hmc.sample(density, start, case.generator, 400, warmup=150, leapfrog_steps=5).z.numpy()
    known = exact(case)
    assert (effective_sample_size(z) > 50).all()
    error = np.sqrt(known.variance / effective_sample_size(z))
    assert (np.abs(z.mean(0) - known.mean) < CRITICAL_Z * error).all()


def by_mcem(case):
    """With weights that hardly move: the chains come to the posterior, and what is reported is log p(x, z) there."""
    copies = 300
    x, context = (
        None if a is None else tensor(np.repeat(np.asarray(a), copies, 0)) for a in (case.x, of(case.context))
    )
    run = MonteCarloEM(case.model, x, SGD(case.model.parameters(), 1e-15), case.generator, context=context)
    for _ in range(40):
        found = run.step()["log_joint"]
    z = run.position.numpy()
    assert float(found) == pytest.approx(log_density(case, z, x.numpy(), context).mean(), rel=1e-9)
    known = exact(case)
    for draws, mean, variance in zip(z.reshape(M, copies, 2), known.mean, known.variance, strict=True):
        assert_moments(draws, mean, variance)


def of(context):
    return None if context is None else context.numpy()


def of_draws(case):
    """Independent draws of the encoder count in full; those that are all the same have no number."""
    n = 2000
    found = effective_sample_size(case.model.posterior(case.x, case.context).sample(case.generator, n))
    if "points" in KINDS[case.name]:
        assert np.isnan(found).all()
    else:
        # Measured for 3000 columns of so many draws: 0.97 n on average, sd 0.065, from 0.65 to 1.14.
        assert ((found > 0.55 * n) & (found < 1.25 * n)).all()


def of_codes(case):
    means = case.model.encode(case.x, case.context).numpy()
    limit = np.median(means.var(0))
    assert active_units(means, limit) == sum(column.var() > limit for column in means.T)


def of_correlations(case):
    codes = case.model.encode(case.x, case.context).numpy()[:, :2]
    sources = np.random.default_rng(2).normal(size=(M, 2))
    r = np.array([[abs(stats.pearsonr(s, z)[0]) if np.ptp(z) else 0.0 for z in codes.T] for s in sources.T])
    assert mean_correlation(sources, codes) == pytest.approx(max(np.trace(r), np.trace(r[::-1])) / 2, rel=1e-9)


def of_weights(case):
    weights = GaussianWeights(case.model, log_var=-1.0)
    m = np.concatenate([p.numpy().ravel() for p in case.model.parameters()])
    assert weights.kl().item() == pytest.approx(0.5 * (m**2 + np.exp(-1) + 1 - 1).sum(), rel=1e-9)


CHECKS = {
    "log_likelihood": by_importance,
    "Annealing": by_annealing,
    "sandwich": by_sandwich,
    "density_log_likelihood": by_density,
    "log_joint": of_log_joint,
    "hmc": by_hmc,
    "MonteCarloEM": by_mcem,
    "effective_sample_size": of_draws,
    "active_units": of_codes,
    "mean_correlation": of_correlations,
    "GaussianWeights": of_weights,
}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("function", EXPECTED)
def test_a_value_that_is_right_or_a_refusal(function, name):
    case, expected = made(name), EXPECTED[function][KINDS[name]]
    if expected is VALUE:
        CHECKS[function](case)
        return
    with pytest.raises(InputError, match=expected) as caught:
        CHECKS[function](case)
    assert re.search(rf"\b{type(case.model).__name__}\b", str(caught.value))  # it says which model


def test_every_function_has_its_row_and_every_row_is_of_a_model():
    assert KINDS.keys() == {*MODELS, "full-vb"}
    public = {name for name in vars(inference) if not name.startswith("_") and name not in FILES}
    assert public | {"GaussianWeights"} == {*EXPECTED, *RESULTS}  # which is of models.learning
    assert EXPECTED.keys() == CHECKS.keys()
    assert all(row.keys() == set(KINDS.values()) for row in EXPECTED.values())


@pytest.mark.parametrize("function", [name for name, row in EXPECTED.items() if row is SAMPLER])
@pytest.mark.parametrize("rows", [1, M - 1])
def test_a_context_for_other_data_is_refused(function, rows):
    """One row for all is refused as well: the prior's draws would be shared between data points."""
    case = made("cvae")
    wrong = SimpleNamespace(**{**vars(case), "context": case.context[:rows]})
    call = {"MonteCarloEM": em, "hmc": of_log_joint}.get(function, CHECKS[function])
    with pytest.raises(InputError, match=f"context has {rows} rows; expected {M}"):
        call(wrong)


def em(case):
    MonteCarloEM(case.model, tensor(case.x), SGD(case.model.parameters()), case.generator, context=case.context)
