"""What --help says, and that every option is listed."""

import re
import shutil
import subprocess

import pytest

from minivae import __version__
from minivae.cli.completion import SHELLS
from minivae.cli.options import COMMON, USUAL, of_model, of_models
from minivae.cli.parser import make_parser
from minivae.datasets import names
from minivae.models import MODELS

ON_RUNS = ("evaluate", "encode", "reconstruct", "interpolate", "sample", "plot")
COMMANDS = ("train", *ON_RUNS, "runs", "info", "models")
TRAIN_OPTIONS = (
    *("--data", "--backend", "--dtype", "--seed", "--hidden", "--latent", "--likelihood", "--estimator", "--samples"),
    *("--optimizer", "--lr", "--batch-size", "--epochs", "--binarize", "--out", "--resume", "--json"),
)


def test_version(cli):
    assert cli("--version") == (0, f"minivae {__version__}\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_gets_a_script_that_knows_commands_and_options(cli, shell):
    shown = cli("--print-completion", shell)
    assert (shown.code, shown.err) == (0, "")
    assert all(word in shown.out for word in (*COMMANDS, "beta-vae", "latent"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["ev"], ["evaluate"]),
        (["train", "--lat"], ["--latent"]),
        (["train", "--model", "iw"], ["iwae"]),
        (["evaluate", "ru"], ["runs"]),
    ],
)
def test_bash_completes(cli, tmp_path, words, completed):
    (tmp_path / "runs").mkdir()
    (tmp_path / "rubbish.txt").touch()
    script = cli("--print-completion", "bash").out
    ask = 'COMP_WORDS=(minivae "$@"); COMP_CWORD=$#; _shtab_minivae; printf "%s\\n" "${COMPREPLY[@]}"'
    command = ["bash", "-c", script + ask, "bash", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == completed


def test_help_names_every_command(cli):
    shown = cli("--help")
    assert shown.code == 0
    assert all(command in shown.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_readable(cli, command):
    shown = cli(command, "--help")
    assert (shown.code, shown.err) == (0, "")
    assert f"usage: minivae {command}" in shown.out
    assert "--json" in shown.out
    assert "default: None" not in shown.out
    assert "default: False" not in shown.out


def test_help_of_train_shows_options_and_defaults(cli):
    shown = " ".join(cli("train", "--help").out.split())
    assert all(option in shown for option in TRAIN_OPTIONS)
    for name in ("binarize", "optimizer", "batch_size", "dtype", "seed"):
        assert f"(default: {COMMON[name]})" in shown
    for name in ("estimator", "samples"):
        assert f"(default: {of_model('vae')[name].default})" in shown
    for name in names():
        assert f"{name} --hidden {USUAL[name]['hidden'][0]} --latent {USUAL[name]['latent']}" in shown


@pytest.mark.parametrize("name", MODELS)
def test_help_shows_the_options_of_the_chosen_model_alone(cli, name):
    """Whichever side of --help it is named on; and the names of the others."""
    shown = cli("train", "--help", "--model", name).out
    assert shown == cli("train", "--model", name, "-h").out
    flags = set(re.findall(r"--[a-z][\w-]*", shown.partition("usual for the data")[0]))
    for option in of_models():
        assert (f"--{option.replace('_', '-')}" in flags) == (option in of_model(name) or option in COMMON), option
    assert all(other in shown for other in MODELS)
    assert not re.search(r":[a-z]+:`", shown)  # a reader of the help cannot follow a docstring's reference
    assert max(map(len, shown.splitlines())) <= 100


def test_help_without_a_model_or_with_an_unknown_one_is_that_of_the_vae(cli):
    shown = cli("train", "--help").out
    assert shown == cli("train", "--help", "--model", "vae").out
    assert shown == cli("train", "--help", "--model", "gain").out
    assert shown == cli("train", "--help", "--model").out


def test_every_option_of_train_that_a_run_records_has_no_default_of_its_own():
    """What is not said must be None, or --resume would take it for said."""
    args = vars(make_parser().parse_args(["train"]))
    assert {name for name in COMMON if args[name] is not None} == set()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "COMMAND"),
        (("trian",), "'trian'"),
        (("train", "--letent", "3"), "--letent"),
        (("train", "--estimator", "C"), "'A', 'B'"),
        (("train", "--optimizer", "adm"), "adam"),
        (("train", "--likelihood", "gausian"), "gaussian"),
        (("train", "--binarize", "a\nb"), "dynamic"),
        (("train", "--latent", "two"), "'two'"),
        (("train", "--latent", "1.5"), "'1.5'"),
        (("train", "--hidden"), "--hidden"),
        (("train", "--seed", str(10**20)), "too large"),
        (("train", "surplus\nword"), "surplus word"),
        (("evaluate",), "RUN"),
        (("sample", "run", "-n", "many"), "'many'"),
    ],
)
def test_wrong_usage_is_one_line(cli, words, part):
    refused = cli(*words)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.count("\n") == 1
    assert part in refused.err
    assert "--help" in refused.err
