"""What was meant by a word that is not known: the same one in other letters, another library's word, or the nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# Ours: what others call it, in lower case and without - and _. Of several words of ours for one of theirs the first
# counts that is asked about. An option with its value stands for both, or for the value where values are asked about.
_OTHERS = {
    # options and arguments
    "lr": "learningrate stepsize eta",
    "latent": "zdim zsize nz latentdim latentdims latentsize latentdimension latentdimensions latents nlatent codesize",
    "latent_dim": "zdim zsize nz latent latentsize latentdims latentdimension nlatent codesize",
    "hidden": "hiddendim hiddendims hiddensize hiddensizes hiddenunits hiddenlayers layers units nhidden hdim",
    "epochs": "numepochs nepochs maxepochs maxepoch iterations niter passes",
    "batch_size": "bs minibatch minibatchsize batches",
    "backend cupy": "gpu cuda usegpu usecuda",
    "backend numpy": "cpu nocuda nogpu",
    "backend": "device accelerator library",
    "kl_warmup": "klannealing klanneal annealing betawarmup betaannealing klannealepochs warmupkl",
    "kl_cycles": "cycles cyclical cyclicalannealing",
    "lr_warmup": "warmup warmupepochs learningratewarmup",
    "init_from": "pretrained warmstart initialweights loadweights weights finetune",
    "validation": "val valid dev validationsplit valsplit validationsize valsize holdout",
    "size": "imagesize imgsize resize resolution",
    "seed": "randomseed randomstate manualseed rng",
    "data": "dataset datasets datapath datadir dataroot input inputfile file",
    "out": "output outputdir outdir savedir savepath logdir checkpointdir folder",
    "resume": "continue restore checkpoint loadcheckpoint ckpt",
    "likelihood": "loss lossfunction reconstructionloss decoderdistribution outputdistribution px",
    "optimizer": "optim solver algorithm",
    "schedule": "scheduler lrscheduler lrschedule lrdecay",
    "patience": "earlystopping earlystop",
    "activation": "activationfunction nonlinearity activationfn",
    "init": "initializer initialization weightinit kernelinitializer",
    "dtype": "precision floatx",
    "compile": "jit tracing",
    "quiet": "silent noprogress noprogressbar",
    "beta": "klweight klcoef klcoefficient kldweight klscale",
    "weight_prior": "weightdecay l2",
    "detect_anomaly": "debug anomaly checknan",
    "samples": "numsamples nsamples mcsamples particles",
    "number": "numsamples nsamples samples count",
    "importance_samples": "samples numsamples nsamples k",
    "binarize": "binarization binary",
    "model": "arch architecture network net variant",
    "split": "testsplit trainsplit validsplit",
    # values
    "gaussian": "normal mse gauss l2 real continuous",
    "bernoulli": "bce binary binarycrossentropy crossentropy",
    "negative-binomial": "nb negbin nbinom",
    "zero-inflated": "zinb zinegativebinomial zip zi zeroinflatednegativebinomial",
    "categorical": "multinomial softmax onehot",
    "discretized-logistic": "dlogistic logisticmixture pixelcnn",
    "standardize": "normalize normalise normalized zscore scale standardscaler whiten",
    "unit": "minmax minmaxscaler rescale 01",
    "contiguous": "sequential ordered chronological timeseries intime",
    "random": "shuffle shuffled randomly",
    "grey": "grayscale greyscale l mono",
    "adam": "adamw amsgrad",
    "float32": "single fp32 f32 float 32",
    "float64": "double fp64 f64 64",
    "glorot": "xavier xavieruniform glorotuniform",
    "he": "kaiming kaiminguniform kaimingnormal henormal",
    "sigmoid": "logistic",
    # models and data
    "vae": "autoencoder vanillavae plainvae aevb basevae kingma",
    "beta-vae": "bvae burgess higgins",
    "cvae": "conditionalvae conditional",
    "iwae": "importanceweighted importanceweightedautoencoder importanceweightedvae",
    "info-vae": "mmdvae",
    "wae-mmd": "wae wassersteinautoencoder",
    "swae": "slicedwae slicedwasserstein slicedwassersteinautoencoder",
    "dip-vae-1": "dip dipvae dipvaei",
    "dip-vae-2": "dipvaeii",
    "beta-tcvae": "btcvae tcvae tcbetavae",
    "hfvae": "hierarchicallyfactorized hierarchicallyfactorizedvae",
    "categorical-vae": "gumbel gumbelsoftmax gumbelvae discretevae",
    "vq-vae": "vectorquantized vectorquantizedvae",
    "iaf-vae": "iaf flow flowvae",
    "planar-vae": "planar planarflow normalizingflow",
    "radial-vae": "radial radialflow",
    "householder-vae": "householder householderflow",
    "coupling-vae": "coupling realnvp nvp affinecoupling couplingflow",
    "auxiliary-vae": "auxiliary adgm",
    "flow-prior-vae": "flowprior learnedprior",
    "f-vae": "fvae",
    "hyperspherical-vae": "hyperspherical svae vmf vonmisesfisher sphere spherical",
    "ladder-vae": "ladder lvae nvae hvae hierarchical hierarchicalvae",
    "full-covariance-vae": "fullcovariance fullrank",
    "digits": "optdigits sklearndigits",
    "frey": "freyface freyfaces freyrawface",
    "binarized-mnist": "binarymnist mnistbinary mnistbinarized staticmnist",
    "moving-digits": "movingmnist movingdigit",
    "linear-gaussian-sequences": "lineargaussian kalman lds",
    # methods of a callback
    "on_report": "onepoch onepochend onepochbegin onvalidation onvalidationend onevaluate onlog",
    "on_step": "onbatch onbatchend ontrainbatchend onminibatch oniteration onupdate",
    "on_end": "ontrainend onfitend onfinish onstop",
    # commands
    "train": "fit learn run resume continue",
    "evaluate": "eval test score",
    "sample": "generate",
    "plot": "draw figures figure picture",
    "encode": "transform embed codes latents",
    "interpolate": "interpolation traverse morph",
    "runs": "list ls experiments",
    "info": "show status describe data datasets",
}


LIKE = 0.7, 0.5  # how like a name a word must be (difflib's ratio): of more than SHORT letters, of no more
SHORT = 3


def nearest(word: str, names: Iterable[str], like: float | None = None) -> str | None:
    """The one of ``names`` that was most likely meant, if one was; with what is to be written after it, if anything.

    Args:
        word: what was said.
        names: what could have been.
        like: how like a name it must be, where it is none in other letters and no word of others; see ``LIKE``.
    """
    by_letters = {_letters(name): name for name in names}
    letters = _letters(word)
    if letters in by_letters:
        return by_letters[letters]
    for ours in (ours for ours, others in _OTHERS.items() if letters in others.split()):
        option, _, value = ours.partition(" ")
        if _letters(option) in by_letters:
            return f"{by_letters[_letters(option)]} {value}".rstrip()
        if value in by_letters:
            return by_letters[value]
    like = LIKE[len(letters) <= SHORT] if like is None else like
    close = get_close_matches(letters, by_letters, n=3, cutoff=like)
    swapped = [name for name in close if sorted(name) == sorted(letters)]  # which difflib holds for far away
    return by_letters[(swapped or close)[0]] if close else None


def did_you_mean(word: str, names: Iterable[str], form: str = "{!r}") -> str:
    """The end of a message that refuses ``word``: the nearest of ``names`` in a form; empty if none is near."""
    meant = nearest(word, names) if isinstance(word, str) else None
    return "" if meant is None else f"; did you mean {form.format(meant)}?"


def _letters(word: str) -> str:
    return re.sub(r"[\W_]", "", word.lower())
