"""The twin of each member, by the name on the command line."""

from __future__ import annotations

from .beta_vae import BetaVAE
from .categorical_vae import CategoricalVAE
from .cvae import CMMA, CVAE
from .disentangled_beta_vae import DisentangledBetaVAE
from .factor_vae import FactorVAE
from .full_covariance_vae import FullCovarianceVAE
from .iaf_vae import IAFVAE
from .info_vae import InfoVAE
from .ivae import IVAE
from .iwae import IWAE, MIWAE
from .made import MADE
from .twin import Twin
from .vae import VAE
from .vq_vae import VQVAE
from .wae_mmd import WAE
from .wake_sleep import WakeSleep

TWINS: dict[str, Twin] = {
    "vae": VAE(),
    "beta-vae": BetaVAE(),
    "disentangled-beta-vae": DisentangledBetaVAE(),
    "iwae": IWAE(),
    "miwae": MIWAE(),
    "full-covariance-vae": FullCovarianceVAE(),
    "cvae": CVAE(),
    "cmma": CMMA(),
    "ivae": IVAE(),
    "iaf-vae": IAFVAE(),
    "made": MADE(),
    "categorical-vae": CategoricalVAE(),
    "vq-vae": VQVAE(),
    "info-vae": InfoVAE(),
    "wae-mmd": WAE(),
    "factor-vae": FactorVAE(),
    "wake-sleep": WakeSleep(),
}
