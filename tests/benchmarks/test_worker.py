"""An object in another process."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.worker import Remote, WorkerError


class Subject:
    def __init__(self, number):
        if number < 0:
            raise ValueError("number is negative\nthe rest")
        self.number = number

    def add(self, other):
        self.number += other
        return self.number

    def pid(self):
        return os.getpid()

    def die(self):
        os._exit(3)


def test_the_object_keeps_its_state_in_a_process_of_its_own():
    with Remote(Subject, 1) as remote:
        assert remote.call("add", 2) == 3
        assert remote.call("add", 2) == 5
        pid = remote.call("pid")
        assert pid != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_its_maker_or_a_method_raises_comes_back_in_one_line_with_the_traceback_beside():
    with Remote(Subject, -1) as remote, pytest.raises(WorkerError, match="number is negative") as caught:
        remote.call("pid")
    line, traceback = caught.value.args
    assert line == "ValueError: number is negative"
    assert traceback.startswith("Traceback")
    with Remote(Subject, 1) as remote:
        with pytest.raises(WorkerError, match="AttributeError"):
            remote.call("subtract")
        assert remote.call("add", 1) == 2  # it lives on


def test_a_process_that_dies_is_an_error_and_no_hang():
    with Remote(Subject, 1) as remote, pytest.raises(WorkerError, match="exit code 3"):
        remote.call("die")


def test_one_that_is_killed_ends_the_call_that_waits_for_it():
    with Remote(Sleeper) as remote:
        waiting = ThreadPoolExecutor(1).submit(remote.call, "sleep")
        remote.kill()
        with pytest.raises(WorkerError, match="its process ended with exit code"):
            waiting.result(60)


class Sleeper:
    def sleep(self):
        time.sleep(600)
