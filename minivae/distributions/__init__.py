"""Distributions over vectors: sample, log_prob, entropy, mean, and KL in closed form."""

from . import kl_pairs  # adds its rules to KL_PAIRS
from .bernoulli import Bernoulli
from .categorical import Categorical
from .composition import Beta, Dirichlet, FisherF, LogNormal
from .counts import NegativeBinomial, Poisson, ZeroInflatedNegativeBinomial
from .delta import Delta
from .distribution import Distribution
from .elementwise import Elementwise, InverseCDF, LocationScale
from .elliptical import Elliptical, MultivariateNormal, MultivariateStudentT
from .flow import Flow
from .gamma import Chi2, Erlang, Gamma, SumOfExponentials
from .inverse_cdf import Cauchy, Exponential, Gompertz, Gumbel, Pareto, Rayleigh, Reciprocal, Weibull
from .kl import KL_PAIRS, kl, register_kl
from .levels import Categories, DiscretizedLogistic
from .location_scale import Laplace, Logistic, StudentT, Triangular, Uniform
from .normal import Normal, StandardNormal
from .uniform_codes import UniformCodes
