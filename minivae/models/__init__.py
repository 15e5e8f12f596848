"""Models: the paper's (:mod:`~minivae.models.vae`), and a file for each variant, by what it changes.

- ``posterior``: q(z|x), the recognition model; discrete ones too
- ``prior``: p(z), by what the model is told
- ``likelihood``: p(x|z), beyond what every model can choose
- ``bound``: how the lower bound, or the terms of it, is estimated and weighed
- ``hierarchy``: z in levels, each given those above
- ``aggregate``: terms on q(z), the average of q(z|x) over the data
- ``adversarial``: a critic of its own, trained beside the model
- ``autoregressive``: one element after the other, without a latent variable
- ``semi_supervised``: labels that may be missing
- ``learning``: the VAE's model, learnt in another way
"""

from .adversarial.aae import AAE
from .adversarial.factor_vae import FactorVAE
from .adversarial.gan import GAN
from .adversarial.labelled_aae import LabelledAAE
from .adversarial.wae_gan import WAEGAN
from .aggregate.beta_tcvae import BetaTCVAE
from .aggregate.dip_vae import DIPVAE1, DIPVAE2
from .aggregate.hfvae import HFVAE
from .aggregate.info_vae import InfoVAE
from .aggregate.swae import SWAE
from .aggregate.wae_mmd import WAE
from .autoregressive.autoregressive_prior import AutoregressivePrior
from .autoregressive.made import MADE
from .bound.beta_vae import BetaVAE
from .bound.ciwae import CIWAE
from .bound.disentangled_beta_vae import DisentangledBetaVAE
from .bound.iwae import IWAE
from .bound.miwae import MIWAE
from .bound.piwae import PIWAE
from .bound.renyi import Renyi
from .hierarchy.ladder_vae import LadderVAE
from .learning.full_vb import FullVB, GaussianWeights
from .learning.wake_sleep import WakeSleep
from .likelihood.log_cosh_vae import LogCoshVAE
from .likelihood.sigma_vae import SigmaVAE
from .model import Model
from .phase import Batch, Phase
from .posterior.auxiliary_vae import AuxiliaryVAE
from .posterior.bn_vae import BNVAE
from .posterior.categorical_vae import CategoricalVAE
from .posterior.coupling_vae import CouplingVAE
from .posterior.full_covariance_vae import FullCovarianceVAE
from .posterior.householder_vae import HouseholderVAE
from .posterior.hyperspherical_vae import HypersphericalVAE
from .posterior.iaf_vae import IAFVAE
from .posterior.joint_vae import JointVAE
from .posterior.planar_vae import PlanarVAE
from .posterior.radial_vae import RadialVAE
from .posterior.vq_vae import VQVAE
from .prior.cvae import CMMA, CVAE
from .prior.f_vae import FVAE
from .prior.flow_prior_vae import FlowPriorVAE
from .prior.ivae import IVAE
from .prior.vamp_vae import VampVAE
from .registry import MODELS
from .semi_supervised.m1_m2 import M1M2
from .semi_supervised.m2 import M2
from .sequence.td_vae import TDVAE
from .vae import VAE
