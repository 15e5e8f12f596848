"""The files of ``python -m pytest -m quick``: of every room some, all of them together under a minute on two cores.

What takes longer, or needs a process of its own, PyTorch or the network, is left to the whole suite.
"""

from __future__ import annotations

FILES = frozenset(
    f"{room}/test_{name}.py" if room else f"test_{name}.py"
    for room, names in {
        "": "bounds docs errors floors",
        "autodiff": "backward creation effects_assign effects_draws effects_versions indexing joining linalg logic "
        "matrices modes nests shape shape_shaped tensor",
        "backend": "arrays memory",
        "cli": "parser",
        "compiler": "analysis fuse memory regions results step",
        "datasets": "dataset digits mnist segments storage",
        "distributions": "categorical delta paper_bernoulli paper_normal uniform_codes",
        "doubles": "strict_device",
        "files": "atomic idx reading",
        "gradcheck": "check",
        "inference": "diagnostics",
        "misuse": "misuse",
        "models": "registry traps",
        "models/adversarial": "factor_vae",
        "models/aggregate": "info_vae wae_mmd",
        "models/autoregressive": "made",
        "models/bound": "beta_vae disentangled_beta_vae ramp",
        "models/posterior": "categorical_vae iaf_vae vq_vae",
        "models/prior": "ivae",
        "nn": "codebook init masked mlp mlp_linear mlp_module",
        "optim": "adagrad adam adamax optimizer optimizer_flat sgd",
        "plots": "images",
        "regularizers": "mmd",
        "runs": "checkpoint config history meta",
        "training": "minibatches schedules settings",
        "twins": "stored",
    }.items()
    for name in names.split()
)
