"""Exact EM beside AEVB, on two models whose posterior is known: the same bound, climbed in two ways.

    python examples/em.py            # a minute
    python examples/em.py --quick    # a look at it

Both maximise L(q, theta) = E_q[log p(x, z) - log q(z)] = log p(x) - KL(q || p(z|x)). EM takes turns: the E-step
sets q to the posterior, where the bound touches log p(x); the M-step sets theta to the best one for that q. So

    l(theta^(t-1)) = L(q^t, theta^(t-1)) <= L(q^t, theta^t) <= l(theta^t),

which is looked at in every step. AEVB has a network in the place of q, and climbs by both at once, with gradients of
minibatches: for probabilistic PCA by the paper's estimator, for the mixture of Gaussians, whose z is a number of 1 to
3, by the sum over z. Its networks can be the exact posterior, so that both come to the same optimum. All in nats per
data point. EM: Dempster, Laird & Rubin 1977; PCA: Tipping & Bishop 1999.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minivae as mv
from minivae.autodiff import Parameter, Tensor, exp, expand_dims, log_softmax, tensor
from minivae.distributions import MultivariateNormal
from minivae.errors import MinivaeError
from minivae.files import atomic_path
from minivae.models import VAE, Batch
from minivae.plots.canvas import LABEL_SIZE, PALETTE, SMALL_SIZE, TITLE_SIZE, picture

LOG_2PI = np.log(2 * np.pi)
COLUMNS = ("model", "method", "passes", "bound_after_e", "bound_after_m", "log_likelihood")


class Amortized(NamedTuple):
    """What AEVB trains: parameters, the loss of a minibatch, and what they stand for, (q, theta), of all data."""

    parameters: list[Parameter]
    loss: Callable[[Tensor, Any], Tensor]
    read: Callable[[], tuple]


class PCA:
    """p(z) = N(0, I), p(x|z) = N(W z + b, s I); q is (means, covariances), theta (W, b, s)."""

    title = "probabilistic PCA"

    def __init__(self, rng: np.random.Generator, n: int = 500, dim: int = 6, latent: int = 2) -> None:
        z, self.latent = rng.normal(size=(n, latent)) * [2.0, 1.0], latent
        self.x = z @ rng.normal(size=(latent, dim)) + 0.7 * rng.normal(size=(n, dim))
        self.start = (0.1 * rng.normal(size=(dim, latent)), self.x.mean(0), 2.0)

    def e_step(self, theta: tuple) -> tuple:
        """p(z|x) = N(C W^T (x - b) / s, C), C = (I + W^T W / s)^-1."""
        w, b, s = theta
        c = np.linalg.inv(np.eye(self.latent) + w.T @ w / s)
        return (self.x - b) @ w @ c / s, np.broadcast_to(c, (len(self.x), *c.shape))

    def m_step(self, q: tuple) -> tuple:
        """Least squares with the moments of z; b is the mean of x from the start, which is its best value."""
        (mean, covariance), b = q, self.x.mean(0)
        w = np.linalg.solve(covariance.sum(0) + mean.T @ mean, mean.T @ (self.x - b)).T
        return w, b, self._squares(q, w, b).mean() / self.x.shape[1]

    def bound(self, q: tuple, theta: tuple) -> float:
        """L(q, theta), term by term."""
        (mean, covariance), (w, b, s) = q, theta
        log_likelihood = -0.5 * (self._squares(q, w, b) / s + self.x.shape[1] * (LOG_2PI + np.log(s)))
        log_prior = -0.5 * ((mean**2).sum(-1) + np.trace(covariance, axis1=1, axis2=2) + self.latent * LOG_2PI)
        entropy = 0.5 * (np.linalg.slogdet(covariance)[1] + self.latent * (1 + LOG_2PI))
        return float((log_likelihood + log_prior + entropy).mean())

    def log_likelihood(self, theta: tuple) -> float:
        """l(theta): x is a Gaussian."""
        w, b, s = theta
        return float(log_normal(self.x - b, w @ w.T + s * np.eye(len(w))).mean())

    def _squares(self, q: tuple, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        """E_q |x - b - W z|^2."""
        mean, covariance = q
        return ((self.x - b - mean @ w.T) ** 2).sum(-1) + np.einsum("nij,ji->n", covariance, w.T @ w)

    def amortized(self) -> Amortized:
        """The VAE with linear networks and one variance for all, from the same theta."""
        (w, b, s), dim = self.start, self.x.shape[1]
        vae = VAE(dim, self.latent, (), likelihood="gaussian", variance_of="all", dtype="float64")
        start = {"mean.weight": w.T, "mean.bias": b, "log_var": np.log([s])}
        vae.load_state_dict({**vae.state_dict(), **{f"decoder.{name}": value for name, value in start.items()}})

        def read() -> tuple:
            q, p = vae.posterior(self.x), vae.likelihood(np.zeros((1, self.latent)))
            q = q.mean.numpy(), np.exp(q.log_var.numpy())[:, None] * np.eye(self.latent)
            state = vae.decoder.state_dict()
            return q, (state["mean.weight"].T, state["mean.bias"], float(np.exp(p.log_var.numpy()).item()))

        return Amortized(vae.parameters(), lambda x, noise: vae.phases(Batch(x), noise)[0].loss, read)


class Mixture:
    """p(z = k) = pi_k, p(x|z) = N(m_k, S_k); q is the shares of each x, ``(N, K)``, theta (pi, m, S)."""

    title = "mixture of Gaussians"

    def __init__(self, rng: np.random.Generator, n: int = 500) -> None:
        centres, axes = np.array([[-2.0, 0.0], [1.5, 1.5], [1.5, -1.5]]), rng.normal(0, 0.7, (3, 2, 2))
        z = rng.choice(3, n, p=[0.5, 0.3, 0.2])
        self.x = centres[z] + np.einsum("nij,nj->ni", axes[z], rng.normal(size=(n, 2))) + 0.3 * rng.normal(size=(n, 2))
        self.start = (np.full(3, 1 / 3), 0.3 * rng.normal(size=(3, 2)), np.tile(4 * np.eye(2), (3, 1, 1)))

    def _joint(self, theta: tuple) -> np.ndarray:
        """log p(x, z = k), ``(N, K)``."""
        return np.stack([np.log(p) + log_normal(self.x - m, s) for p, m, s in zip(*theta, strict=True)], axis=1)

    def e_step(self, theta: tuple) -> np.ndarray:
        """p(z = k|x)."""
        joint = self._joint(theta)
        return np.exp(joint - np.logaddexp.reduce(joint, axis=1, keepdims=True))

    def m_step(self, q: np.ndarray) -> tuple:
        """Means and covariances with weights."""
        means = q.T @ self.x / q.sum(0)[:, None]
        away = self.x[:, None] - means
        return q.mean(0), means, np.einsum("nk,nki,nkj->kij", q, away, away) / q.sum(0)[:, None, None]

    def bound(self, q: np.ndarray, theta: tuple) -> float:
        """L(q, theta)."""
        return float((q * (self._joint(theta) - np.log(np.maximum(q, 1e-300)))).sum(-1).mean())

    def log_likelihood(self, theta: tuple) -> float:
        """l(theta): the sum over z."""
        return float(np.logaddexp.reduce(self._joint(theta), axis=1).mean())

    def amortized(self) -> Amortized:
        """Logits of q that are linear in x and its products, as those of the posterior are."""
        pi, means, covariances = self.start
        factors = np.linalg.cholesky(covariances)
        diagonal = np.einsum("kii->ki", factors)
        factors = np.tril(factors, -1) + np.log(diagonal)[..., None] * np.eye(2)
        log_pi, loc, factor = (Parameter(mv.backend.asarray(a)) for a in (np.log(pi), means, factors))
        encoder = mv.nn.Linear(5, 3, mv.backend.generator(0), dtype="float64")

        def log_q(x: Tensor) -> Tensor:
            products = [x[:, :1] * x, x[:, 1:] * x[:, 1:]]
            return log_softmax(encoder(mv.concatenate([x, *products], axis=-1) * 0.3))

        def loss(x: Tensor, noise: Any) -> Tensor:
            of_q = log_q(x)
            joint = MultivariateNormal(loc, factor).log_prob(expand_dims(x, 1)) + log_softmax(log_pi)
            return -mv.mean(mv.sum(exp(of_q) * (joint - of_q), axis=-1))

        def read() -> tuple:
            f, share = factor.numpy(), np.exp(log_pi.numpy())
            root = np.tril(f, -1) + np.exp(np.einsum("kii->ki", f))[..., None] * np.eye(2)
            return np.exp(log_q(tensor(self.x)).numpy()), (share / share.sum(), loc.numpy(), root @ root.mT)

        return Amortized([log_pi, loc, factor, *encoder.parameters()], loss, read)


def log_normal(x: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """log N(x; 0, covariance), ``(N,)``."""
    squares = (x * np.linalg.solve(covariance, x.T).T).sum(-1)
    return -0.5 * (squares + np.linalg.slogdet(covariance)[1] + x.shape[1] * LOG_2PI)


def em(model: PCA | Mixture, steps: int) -> list[dict]:
    """A row for each step of EM, whose chain of inequalities is looked at."""
    theta, rows = model.start, []
    before = model.log_likelihood(theta)
    rows.append({"passes": 0, "log_likelihood": before})
    for step in range(1, steps + 1):
        q = model.e_step(theta)
        after_e = model.bound(q, theta)
        theta = model.m_step(q)
        after_m, after = model.bound(q, theta), model.log_likelihood(theta)
        # (by more than rounding: these are sums over some hundred data points)
        if abs(before - after_e) > 1e-9 or after_m < after_e - 1e-9 or after < after_m - 1e-9:
            raise MinivaeError(f"{model.title}, step {step}: {before}, {after_e}, {after_m}, {after} are out of order")
        rows.append({"passes": step, "bound_after_e": after_e, "bound_after_m": after_m, "log_likelihood": after})
        before = after
    return [{"model": model.title, "method": "EM", **row} for row in rows]


def aevb(model: PCA | Mixture, epochs: int, lr: float = 0.02, size: int = 50) -> list[dict]:
    """A row for each pass over the data: the bound, and log p(x), both exact."""
    made, noise, rng = model.amortized(), mv.backend.generator(0), np.random.default_rng(0)
    optimizer = mv.optim.Adam(made.parameters, lr)

    @mv.compile
    def step(x: Tensor) -> None:
        optimizer.apply(mv.backward(made.loss(x, noise), made.parameters))

    rows = []
    for epoch in range(epochs + 1):
        q, theta = made.read()
        row = {"passes": epoch, "bound_after_m": model.bound(q, theta), "log_likelihood": model.log_likelihood(theta)}
        rows.append({"model": model.title, "method": "AEVB", **row})
        for rows_of in np.split(rng.permutation(len(model.x)), len(model.x) // size):
            optimizer.advance(0.5 * (1 + np.cos(np.pi * min(epoch / epochs, 1.0))))
            step(tensor(model.x[rows_of]))
    return rows


# ----------------------------------------------------------------- picture


def draw(rows: list[dict], path: Path, shown: int) -> None:
    """For each model the first steps of EM, and EM beside AEVB."""
    titles = list(dict.fromkeys(row["model"] for row in rows))
    with picture(path, figsize=(8.5, 3.1 * len(titles)), layout="constrained") as figure:
        for pair, title in zip(figure.subplots(len(titles), 2), titles, strict=True):
            by = {name: [r for r in rows if (r["model"], r["method"]) == (title, name)] for name in ("EM", "AEVB")}
            _draw_chain(pair[0], by["EM"][: shown + 1])
            pair[0].set_title(f"{title}: EM, step by step", fontsize=TITLE_SIZE)
            _draw_both(pair[1], by)
            pair[1].set_title(f"{title}: EM and AEVB", fontsize=TITLE_SIZE)
            for axes in pair:
                axes.tick_params(labelsize=SMALL_SIZE)
                axes.spines[["top", "right"]].set_visible(False)
                axes.legend(fontsize=SMALL_SIZE, frameon=False, loc="lower right")


def _draw_chain(axes: Any, rows: list[dict]) -> None:
    """Along an M-step the bound rises; at its end an E-step closes what it is below log p(x)."""
    labels = {"M-step: the bound rises": PALETTE[0], "E-step: the bound comes to log p(x)": PALETTE[1]}
    for row, before in zip(rows[1:], rows, strict=False):
        t = row["passes"]
        axes.plot([t - 1, t], [row["bound_after_e"], row["bound_after_m"]], color=PALETTE[0])
        axes.plot([t, t], [row["bound_after_m"], row["log_likelihood"]], color=PALETTE[1], linewidth=2.5)
        assert abs(before["log_likelihood"] - row["bound_after_e"]) < 1e-9
    for label, color in labels.items():
        axes.plot([], [], color=color, label=label)
    of = [[row[key] for row in rows] for key in ("passes", "log_likelihood")]
    axes.plot(*of, "o", color=PALETTE[9], markersize=4, label="log p(x)")
    axes.set_xlabel("step t", fontsize=LABEL_SIZE)
    axes.set_ylabel("nats per data point", fontsize=LABEL_SIZE)


def _draw_both(axes: Any, by: dict[str, list[dict]]) -> None:
    for (name, rows), color in zip(by.items(), PALETTE[1:], strict=False):
        passes = [row["passes"] + 1 for row in rows]
        axes.plot(passes, [row["log_likelihood"] for row in rows], color=color, label=f"log p(x), {name}")
    axes.plot(passes, [row["bound_after_m"] for row in rows], "--", color=color, label=f"the bound, {name}")
    axes.axhline(by["EM"][-1]["log_likelihood"], color=PALETTE[9], linewidth=0.6)
    lowest = min(rows[0]["log_likelihood"] for rows in by.values())
    highest = by["EM"][-1]["log_likelihood"]
    axes.set_ylim(lowest - 0.3 * (highest - lowest), highest + 0.08 * (highest - lowest))
    axes.set_xscale("log")
    axes.set_xlabel("1 + passes over the data", fontsize=LABEL_SIZE)


def main(args: argparse.Namespace) -> None:
    mv.backend.use(mv.backend.get_backend(args.backend).name)
    out, rows = Path(args.out or "runs/examples/em" + "-quick" * args.quick), []
    out.mkdir(parents=True, exist_ok=True)
    steps, epochs = (30, 30) if args.quick else (200, 400)
    for kind in (PCA, Mixture):
        model = kind(np.random.default_rng(args.seed))
        made = {"EM": em(model, steps), "AEVB": aevb(model, epochs)}
        for name, its in made.items():
            print(f"{model.title}, {name}: log p(x) {its[-1]['log_likelihood']:.4f} nats per data point", flush=True)
            rows += its
    print("every step of EM kept  l(old) = L(q, old) <= L(q, new) <= l(new)")
    with atomic_path(out / "em.csv") as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: round(v, 9) if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    draw(rows, out / "em.png", 12)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="of the data and of where both begin")
    parser.add_argument("--backend", choices=mv.backend.names(), help="numpy (default) or cupy")
    parser.add_argument("--out", help="folder of table and picture (default: runs/examples/em, em-quick)")
    parser.add_argument("--quick", action="store_true", help="30 steps and 30 epochs")
    try:
        main(parser.parse_args())
    except MinivaeError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
