"""Objects in processes of their own, which work only while they are asked to.

Thread pools of several libraries in one process disturb each other: OpenBLAS's idle threads
spin for tens of milliseconds, as do OpenMP's. So each contender lives in its own process and
sleeps on a pipe while another one has its turn.
"""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


class WorkerError(RuntimeError):
    """What went wrong in another process: the last line of it; the whole of it as second argument."""


class Remote:
    """An object in a process of its own.

    Args:
        factory: makes the object there; importable, as are its arguments' classes.
        arguments: of the factory.
    """

    def __init__(self, factory: Callable, *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit the parent's memory and threads
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, factory, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def call(self, method: str, *arguments: Any) -> Any:
        """The result of a method of the object.

        Raises:
            WorkerError: the method, or making the object, raised, or the process died.
        """
        try:
            self._connection.send((method, arguments))
            kind, value = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            self._process.join()
            raise WorkerError(f"its process ended with exit code {self._process.exitcode}", "") from error
        if kind == "raised":
            raise WorkerError(*value)
        return value

    def close(self) -> None:
        """End the process."""
        self._connection.close()  # which it reads as the end
        self._process.join(timeout=10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def kill(self) -> None:
        """End the process at once, whatever it does; what waits for it gets a :class:`WorkerError`."""
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve(connection: Connection, factory: Callable, arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which then closes the pipe
    made = None
    while True:
        try:
            method, values = connection.recv()
        except EOFError:
            return
        try:
            made = made or factory(*arguments)
            connection.send(("done", getattr(made, method)(*values)))
        except Exception as error:
            last = str(error).strip().splitlines()
            connection.send(("raised", (f"{type(error).__name__}: {last[0] if last else ''}", traceback.format_exc())))
