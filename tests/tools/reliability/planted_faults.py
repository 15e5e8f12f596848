"""The faults of ``planted.py``: what a promise forbids, as a change of the text of one file of the package."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """What is wrong, by which change of text in a file of ``minivae/``, and who should notice in how many cases."""

    name: str
    file: str
    old: str
    new: str
    campaign: str
    cases: int


SIGNALS, NAN = (
    "SIGINT or SIGTERM, in every second case again while saving",
    "SIGINT or SIGTERM after a step that has left NaN",
)
INSIDE, KILLED = "training killed inside a write", "training killed at a random moment"
DISK = "opening, writing, flushing or renaming a file fails"
SERVERS = "downloads: servers that cut, stall, lie and break the protocol"
NUMBERS = "numbers: NaN and infinities in parameters, moments, data, gradients, terms and step sizes"
BOMBS, HURT, MISUSE = "files: bombs", "files: made to hurt", "misuse: hostile objects as arguments"
AROUND, TWO = "surroundings of a process", "two processes train in one folder at once"
FAULTS = (
    Fault(
        "an interrupt is not saved",
        "training/fit.py",
        "                keep.now()\n                raise",
        "                raise",
        SIGNALS,
        4,
    ),
    Fault(
        "a second signal is ignored", "training/interrupt.py", "raise KeyboardInterrupt(number)", "return", SIGNALS, 4
    ),
    Fault(
        "SIGTERM is not waited for",
        "signals.py",
        "signal.SIGINT, signal.SIGTERM,",
        "signal.SIGINT,",
        SIGNALS,
        8,
    ),
    Fault(
        "NaN is saved at an interrupt",
        "training/trainer.py",
        "        self._watch.require_state(self.step)  # or it",
        "        # or it",
        NAN,
        4,
    ),
    Fault(
        "a file is written in its place",
        "files/atomic.py",
        "os.replace(temporary, target)",
        "(target.write_bytes(temporary.read_bytes()), os.replace(temporary, target))",
        INSIDE,
        24,
    ),
    Fault(
        "the checkpoint is written before the history",
        "runs/run.py",
        "        trainer.history.save(self.history_path)\n",
        "        save_checkpoint(self.checkpoint_path, arrays, meta)\n"
        "        trainer.history.save(self.history_path)\n",
        INSIDE,
        60,
    ),
    Fault("a temporary file stays after an error", "files/atomic.py", "temporary.unlink()", "pass", DISK, 8),
    Fault(
        "the generator does not go on",
        "training/trainer.py",
        '        self.generator.state = meta["generator"]\n',
        "",
        KILLED,
        6,
    ),
    Fault(
        "the moments do not go on",
        "training/trainer.py",
        'optimizer.load_state_dict(under(f"optimizer/{i}/", arrays))',
        "pass",
        KILLED,
        6,
    ),
    Fault(
        "two may train in one folder",
        "files/locks.py",
        'raise InputError(refusal or "") from None',
        "held = True",
        TWO,
        6,
    ),
    Fault(
        "the sum of a checkpoint is not looked at",
        "runs/checkpoint.py",
        'if str(arrays.pop("sha256")) != digest(arrays):',
        'if not str(arrays.pop("sha256")):',
        "files: checkpoint, another content in a whole archive",
        100,
    ),
    Fault(
        "the sum of a configuration is not looked at",
        "runs/config.py",
        "checksum != _digest(config)",
        "not checksum",
        "files: config.json, damaged",
        400,
    ),
    Fault(
        "a download is not verified", "datasets/download.py", "        verify(part)\n", "        pass\n", SERVERS, 64
    ),
    Fault("a packed IDX file is unlimited", "files/idx.py", "Room(path).take(expected)", "pass", HURT, 60),
    Fault(
        "an archive is unlimited",
        "files/npy.py",
        "    Room(path).take(sum(member.file_size for member in members))\n",
        "",
        HURT,
        60,
    ),
    Fault(
        "a variable may have any number of parts",
        "files/mat.py",
        "islice(_elements(data, order), MOST_PARTS + 1)",
        "_elements(data, order)",
        BOMBS,
        14,
    ),
    Fault("a packed checkpoint is read", "runs/checkpoint.py", ", packed=False)", ")", BOMBS, 31),
    Fault("text of HDF5 is unlimited", "files/hdf5.py", "    room.take(node.nbytes)\n    text", "    text", BOMBS, 31),
    Fault(
        "NaN is not looked for at a report", "training/finite.py", "if self._state_faults():", "if False:", NUMBERS, 40
    ),
    Fault(
        "a bound that is NaN is no fault",
        "training/finite.py",
        "if not all(math.isfinite(value) for value in terms.values()):",
        "if False:",
        NUMBERS,
        40,
    ),
    Fault(
        "closed streams stay closed", "cli/__init__.py", "        streams.complete()\n", "        pass\n", AROUND, 12
    ),
    Fault(
        "links in a circle",
        "models/own.py",
        "Path(os.path.realpath(os.path.expanduser(place)))",
        "Path(place).expanduser().resolve()",
        AROUND,
        6,
    ),
    Fault(
        "a value that cannot be shown",
        "errors.py",
        "    except Exception:",
        "    except ZeroDivisionError:",
        MISUSE,
        400,
    ),
    Fault(
        "an index may be any object",
        "autodiff/indexing.py",
        "np.asarray(index)\n    except Exception:",
        "np.asarray(index)\n    except ZeroDivisionError:",
        MISUSE,
        6000,
    ),
    Fault("an endless shape is read to its end", "checks.py", "islice(value, MOST_AXES + 1)", "value", MISUSE, 3000),
    Fault(
        "what is recorded is of all threads",
        "autodiff/modes.py",
        "class _Mode(threading.local):",
        "class _Mode:",
        "threads: two to four that train and sample at once",
        20,
    ),
)
