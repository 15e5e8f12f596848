"""Distributions over vectors: sample, log_prob, entropy, mean, and KL in closed form."""

from .autoregressive import Autoregressive
from .categorical import Categorical
from .composition import Beta, Dirichlet, FisherF, LogNormal
from .counts import NegativeBinomial, Poisson, ZeroInflatedNegativeBinomial
from .delta import Delta
from .distribution import KL_PAIRS, Distribution, kl, kl_by_dimension, register_kl
from .elementwise import Elementwise, InverseCDF, LocationScale
from .elliptical import Elliptical, MultivariateNormal, MultivariateStudentT
from .exp_concrete import ExpConcrete
from .flow import Flow
from .gamma import Chi2, Erlang, Gamma, SumOfExponentials
from .hierarchy import Hierarchy, Residual, TopDown
from .inverse_cdf import Cauchy, Exponential, Gompertz, Gumbel, Pareto, Rayleigh, Reciprocal, Weibull
from .levels import Categories, DiscretizedLogistic
from .location_scale import Laplace, Logistic, StudentT, Triangular, Uniform
from .log_cosh import LogCosh
from .mixture import Mixture
from .normalizing_flow import (
    Coupling,
    FlowStep,
    Householder,
    HouseholderFlow,
    NormalizingFlow,
    Planar,
    Radial,
)
from .paper import Bernoulli, Normal, StandardNormal
from .product import Product
from .uniform_codes import Entries, UniformCodes
from .von_mises_fisher import UniformOnSphere, VonMisesFisher
