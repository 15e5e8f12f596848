"""M2: a CVAE and a classifier where labels are given, a sum over labels where they are missing."""

import numpy as np
import pytest

import minivae as mv
from minivae.autodiff import backward, tensor
from minivae.datasets import Dataset, Split, keep_labels, load
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models import Batch
from minivae.models.semi_supervised.m2 import one_label
from minivae.training import Minibatches, Settings, Trainer, evaluate

from ..members import CLASSES, Repeated, batch_for, losses, member, shaken

ROWS, SAMPLES = 7, 2


@pytest.fixture(params=["A", "B"])
def model(request):
    return shaken(member("m2", alpha=0.7, estimator=request.param, samples=SAMPLES, dtype="float64"))


@pytest.fixture
def x(rng):
    return tensor(rng.uniform(size=(ROWS, 6)))


def one_hot(labels):
    return np.eye(CLASSES)[labels]


def classifier(model, x):
    logits = model.classifier(x).numpy()
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def test_with_all_labels_it_is_the_cvae_and_a_classifier(model, x, rng):
    y, noise = rng.integers(0, CLASSES, ROWS), rng.normal(size=(SAMPLES, ROWS, 3))
    cvae = member("cvae", learned_prior=False, estimator=model.estimator, samples=SAMPLES, dtype="float64")
    own = {name: value for name, value in model.state_dict().items() if name in cvae.state_dict()}
    cvae.load_state_dict(own)
    batch = Batch(x, tensor(one_hot(y)))
    (found,), (expected,) = (m.phases(batch, noise) for m in (model, cvae))
    log_q = classifier(model, x)
    for part in ("bound", "reconstruction", "kl"):
        assert float(found.terms[part]) == pytest.approx(float(expected.terms[part]), rel=1e-12), part
    said = log_q[np.arange(ROWS), y].mean()
    assert float(found.loss) == pytest.approx(float(expected.loss) - 0.7 * said, rel=1e-12)
    assert float(model.of_means(found.means)["error"]) == pytest.approx((log_q.argmax(-1) != y).mean())
    theirs = [g.numpy() for g in backward(expected.loss, cvae.parameters())]
    same = [g.numpy() for g in backward(found.loss, [p for n, p in model.named_parameters() if n in own])]
    for ours, other in zip(same, theirs, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-12)


def test_without_labels_it_is_the_sum_over_all(model, x, rng):
    noise = rng.normal(size=(SAMPLES, ROWS, 3))
    (found,) = model.phases(Batch(x, np.zeros((ROWS, CLASSES))), noise)
    each = np.stack([model.bound(x, noise, one_hot([k] * ROWS)).value.numpy() for k in range(CLASSES)], axis=-1)
    log_q = classifier(model, x)
    expected = (np.exp(log_q) * (each - np.log(CLASSES) - log_q)).sum(-1).mean()
    assert float(found.terms["bound"]) == pytest.approx(expected, rel=1e-12)
    assert float(found.loss) == pytest.approx(-expected, rel=1e-12)
    # No q(y|x) bounds log p(x) more tightly than the one in proportion to exp(B).
    assert expected < (np.log(np.exp(each).mean(-1))).mean() + 1e-12
    assert (float(found.terms["label"]), model.of_means(found.means)) == (0, {})


def test_some_labels_are_an_average_of_both(model, x, rng):
    noise, y = rng.normal(size=(SAMPLES, ROWS, 3)), one_hot(rng.integers(0, CLASSES, ROWS))
    some, none = y * (np.arange(ROWS) < 3)[:, None], 0 * y
    model.begin(ROWS, 3)
    bounds, said = {}, {}
    for name, told in (("some", some), ("all", y), ("none", none)):
        parts = [model.phases(Batch(x[i : i + 1], told[i : i + 1]), noise[:, i : i + 1])[0] for i in range(ROWS)]
        bounds[name] = [float(part.terms["bound"]) for part in parts]
        said[name] = [float(part.terms["label"]) for part in parts]
    assert bounds["some"] == [*bounds["all"][:3], *bounds["none"][3:]]
    (whole,) = model.phases(Batch(x, some), noise)
    assert float(whole.terms["bound"]) == pytest.approx(np.mean(bounds["some"]), rel=1e-12)
    # alpha is on the average over the labelled points: their share cancels.
    expected = -np.mean(bounds["some"]) - 0.7 * np.mean(said["all"][:3])
    assert float(whole.loss) == pytest.approx(expected, rel=1e-12)


def test_gradients_where_labels_are_missing(model, rng):
    batch = batch_for(model, rng)
    told = batch.context.numpy() * [[1.0], [0.0], [0.0], [1.0]]
    for loss, parameters in losses(model, Batch(batch.x, tensor(told))):
        check_gradients(loss, parameters, mode="directions", tolerance=1e-5)


def test_a_missing_label_is_the_likeliest_where_users_ask_for_a_code_and_refused_elsewhere(model, x):
    likeliest = np.eye(CLASSES)[model.classify(x).numpy().argmax(-1)]
    told = np.eye(CLASSES)[np.arange(ROWS) % CLASSES]
    told[1:] = 0.0
    completed = np.concatenate([told[:1], likeliest[1:]])
    np.testing.assert_array_equal(model.completed(x, told).numpy(), completed)
    for call in (model.encode, model.reconstruct):
        np.testing.assert_array_equal(call(x, told).numpy(), call(x, completed).numpy())
    refuse = (lambda y: model.bound(x, Repeated()(), y), lambda y: model.decode(np.zeros((ROWS, 3)), y), model.prior)
    for call in refuse:
        with pytest.raises(InputError, match="context has a row of zeros, a missing label"):
            call(told)


def test_one_label_for_each_row(x):
    found = one_label(tensor(x.numpy(), "float32"), 1, 4)
    assert (found.shape, found.dtype) == ((ROWS, 4), "float32")
    np.testing.assert_array_equal(found.numpy(), np.eye(4)[[1] * ROWS])


def test_it_classifies(model, x):
    found = model.classify(x).numpy()
    assert found.shape == (ROWS, CLASSES)
    np.testing.assert_allclose(np.log(found), classifier(model, x), rtol=1e-9)


# ------------------------------------------------------------------- from data


def digits_with(count):
    return keep_labels(load("digits"), count, seed=1)


def test_so_many_labels_are_kept_of_each_class():
    whole, some = load("digits"), digits_with(30)
    labels = some.train.labels
    known = labels >= 0
    assert np.bincount(labels[known]).tolist() == [3] * 10
    np.testing.assert_array_equal(labels[known], whole.train.labels[known])
    np.testing.assert_array_equal(some.test.labels, whole.test.labels)
    assert (keep_labels(whole, 30, seed=2).train.labels != labels).any()


def test_missing_labels_reach_the_model_as_zeros_and_the_share_is_that_of_the_data():
    data = digits_with(30)
    trainer = Trainer(member("m2", data_dim=64, classes=10), data, Settings(batch_size=50))
    assert float(trainer.model.share) == pytest.approx(30 / 1500)
    contexts = trainer.train.contexts.numpy()
    np.testing.assert_array_equal(contexts.sum(-1), data.train.labels >= 0)
    trainer.train_step()
    assert {"train_label", "test_error", "test_label"} <= trainer.report().keys()


@pytest.mark.parametrize("name", ["m2", "m1-m2"])
def test_the_error_of_a_part_is_that_of_its_points_with_labels(name):
    model, data = member(name, data_dim=64, classes=10), digits_with(30)
    minibatches = Minibatches(data.train, 16.0, classes=10, partly=True)
    known = data.train.labels >= 0
    likeliest = model.classify(data.train.images[known] / 16.0).numpy().argmax(-1)
    expected = (likeliest != data.train.labels[known]).mean()
    # (of m1-m2 evaluations classify a draw of z1, where classify takes its mean)
    assert evaluate(model, minibatches)["error"] == pytest.approx(expected, abs=1e-6 if name == "m2" else 0.25)
    none = Minibatches(Split(data.train.images, np.full(1500, -1)), 16.0, classes=10, partly=True)
    assert "error" not in evaluate(model, none)


def test_a_model_that_must_be_told_refuses_missing_labels():
    with pytest.raises(InputError, match=r"1470 of 1500 labels are missing \(-1\); expected one for each"):
        Trainer(member("cvae", data_dim=64, classes=10), digits_with(30), Settings(batch_size=50))
    with pytest.raises(InputError, match="labels are missing"):
        Minibatches(digits_with(30).train, 16.0, classes=10)
    data = load("digits")
    none = Dataset("none", Split(data.train.images, np.full(1500, -1)), data.test, (8, 8), 16.0, "made")
    with pytest.raises(InputError, match="none has no labels of training points"):
        Trainer(member("m2", data_dim=64, classes=10), none, Settings(batch_size=50))


def test_few_labels_are_enough_to_classify():
    """5 of each class, beside 1,450 digits without."""
    model = mv.models.M2(64, 8, (100,), context_dim=10, alpha=5.0)
    rows = mv.fit(model, digits_with(50), epochs=30, lr=3e-3, report_every=30, progress=False).rows
    assert rows[-1]["test_error"] < 0.2
    data = load("digits")
    found = model.classify(data.test.images / data.scale).numpy().argmax(-1)
    assert (found != data.test.labels).mean() == pytest.approx(rows[-1]["test_error"], rel=1e-5)
