"""Callbacks: when they are called, with what, which are refused, and those that come with the package."""

import signal
import sys
import types

import numpy as np
import pytest

from minivae.errors import InputError
from minivae.runs import History
from minivae.training import Callback, CSVLogger, TensorBoard, fit, run_to_end

from .conftest import STEPS_PER_EPOCH, small_model, small_trainer


class Noted:
    """Remembers what it was called with."""

    def __init__(self):
        self.calls = []

    def on_step(self, trainer, terms):
        self.calls.append(("step", trainer.step, float(terms["bound"])))

    def on_report(self, trainer, row):
        self.calls.append(("report", trainer.step, row))

    def on_end(self, trainer):
        self.calls.append(("end", trainer.step, None))


def test_steps_reports_and_the_end_in_their_order(digits):
    noted = Noted()
    history = fit(small_model(), digits, epochs=2, batch_size=50, progress=False, callbacks=[noted])
    epoch = ["step"] * STEPS_PER_EPOCH + ["report"]
    assert [kind for kind, *_ in noted.calls] == [*epoch, *epoch, "end"]
    assert [row for kind, _, row in noted.calls if kind == "report"] == history.rows
    assert [step for kind, step, _ in noted.calls if kind == "step"] == [*range(1, 2 * STEPS_PER_EPOCH + 1)]


def test_every_method_is_optional_and_all_are_called_in_order(digits):
    called = []
    parts = [types.SimpleNamespace(on_end=lambda trainer, i=i: called.append(i)) for i in range(3)]
    fit(small_model(), digits, epochs=1, batch_size=50, progress=False, callbacks=[Callback(), *parts])
    assert called == [0, 1, 2]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("mine")], ids=str)
def test_the_end_is_told_whatever_it_is(digits, error):
    noted = Noted()

    def on_step(trainer, terms):
        if error is KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
        else:
            raise error

    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else ValueError):
        run_to_end(small_trainer(digits), progress=False, callbacks=[types.SimpleNamespace(on_step=on_step), noted])
    assert noted.calls[-1][0] == "end"


def test_callbacks_change_no_number(digits):
    one = fit(small_model(), digits, epochs=2, batch_size=50, progress=False, callbacks=[Noted()])
    other = fit(small_model(), digits, epochs=2, batch_size=50, progress=False)
    assert [row["test_bound"] for row in one.rows] == [row["test_bound"] for row in other.rows]


def having(**methods):
    return types.SimpleNamespace(**methods)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "callbacks is 3; expected a list of callbacks"),
        (Noted(), r"callbacks is .*; expected a list of callbacks"),
        ([Noted], r"callbacks\[0\] is the class Noted; expected an object, such as Noted\(...\)"),
        ([Noted(), 3], r"callbacks\[1\] is 3; expected an object with on_step, on_report, on_end"),
        ([having(on_steps=print)], r"callbacks\[0\] has a method on_steps; .* did you mean 'on_step'"),
        ([having(on_epoch_end=print)], r"has a method on_epoch_end; .* did you mean 'on_report'"),
        ([having(on_reports=print, on_step=print)], r"on_reports; .* did you mean 'on_report'"),
        ([having(on_end=lambda: None)], r"has a method on_end that does not take \(trainer\)"),
        ([having(on_report=lambda row: None)], r"has a method on_report that does not take \(trainer, row\)"),
        ([having(on_step=lambda a, b, c: None)], r"has a method on_step that does not take \(trainer, terms\)"),
    ],
    ids=range(10),
)
def test_what_is_no_callback_is_refused_before_work_starts(digits, monkeypatch, wrong, message):
    monkeypatch.setitem(fit.__globals__, "Trainer", lambda *_: pytest.fail("work has started"))
    with pytest.raises(InputError, match=message):
        fit(small_model(), digits, progress=False, callbacks=wrong)


@pytest.mark.parametrize(("seconds", "expected"), [(0, [1, 2, 3]), (1e9, [1, 1, 1])])
def test_a_csv_logger_has_every_row_at_the_end(digits, tmp_path, seconds, expected):
    path, lengths = tmp_path / "log.csv", []
    reading = having(on_report=lambda trainer, row: lengths.append(len(History.load(path))))
    called = [CSVLogger(path, seconds), reading]
    history = fit(small_model(), digits, epochs=3, batch_size=50, progress=False, callbacks=called)
    assert lengths == expected
    assert History.load(path).rows == history.rows


class Writer:
    """In the place of tensorboardX's."""

    made: list = []  # noqa: RUF012 (the test looks at it)

    def __init__(self, folder):
        self.folder, self.scalars, self.closed = folder, [], False
        Writer.made.append(self)

    def add_scalar(self, name, value, step):
        self.scalars.append((name, value, step))

    def flush(self):
        pass

    def close(self):
        self.closed = True


def test_tensorboard_gets_every_column_by_samples_seen(digits, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=Writer))
    Writer.made.clear()
    history = fit(
        small_model(), digits, epochs=2, batch_size=50, progress=False, callbacks=[TensorBoard(tmp_path / "events")]
    )
    (writer,) = Writer.made
    assert (writer.folder, writer.closed) == (str(tmp_path / "events"), True)
    rows = history.rows
    assert ("test/bound", rows[0]["test_bound"], 200) in writer.scalars
    assert ("train/kl", rows[1]["train_kl"], 400) in writer.scalars
    assert len(writer.scalars) == sum(len(row) - 1 for row in rows)


def test_without_a_writer_there_is_one_clear_line(monkeypatch, tmp_path):
    for name in ("tensorboardX", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"needs tensorboardX \(.*\): pip install 'minivae\[tensorboard\]'"):
        TensorBoard(tmp_path)


def test_a_real_event_file_is_written(digits, tmp_path):
    pytest.importorskip("tensorboardX")
    fit(small_model(), digits, epochs=1, batch_size=50, progress=False, callbacks=[TensorBoard(tmp_path)])
    (events,) = tmp_path.glob("events*")
    assert np.fromfile(events, np.uint8).size > 100
