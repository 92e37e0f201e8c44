"""Processes: work that falls into pieces is done on all processors at once."""

import math
import mmap
import os
import signal
import struct
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from wijkatlas.errors import WijkatlasError

Item = TypeVar("Item", bound=np.generic)

Work = Callable[[], None]

NUMBER = struct.Struct("H")  # short, so that a pipe holds those of all the work


def do_all(works: Sequence[Work], failure: type[WijkatlasError], processes: int | None = None) -> None:
    """
    Do each piece of work once, in several processes; the longest had better be first.

    The others are forked from this one: they find all that it prepared, and hand nothing back but an error.
    So each piece writes files of its own, or its own part of a `shared_array`, and what it writes does not
    depend on what was done before. A process takes the number of the next piece from a pipe, which locks
    nothing should one of them be killed. It leaves at once when the work is done: what else this process
    has going, such as Prefect's threads, is not its own. Outside the main thread nothing is forked: there
    editions are made side by side already, and one could hold a lock that the other's processes wait for.

    Parameters
    ----------
    works
        The pieces, at most some thousands.
    failure
        The error to raise where the work fails in another process; what it raises in this one passes as it
        is.
    processes
        How many; by default one a processor.
    """
    alone = threading.current_thread() is threading.main_thread()
    count = min(processes or os.cpu_count() or 1, len(works)) if alone else 1
    numbers, filled = os.pipe()
    os.write(filled, b"".join(map(NUMBER.pack, range(len(works)))))
    os.close(filled)
    failures, told = os.pipe()
    others: list[int] = []
    try:
        others.extend(_fork(works, numbers, told) for _ in range(1, count))
        _work_off(works, numbers)
    except BaseException:
        for other in others:
            os.kill(other, signal.SIGKILL)
        raise
    finally:
        codes = [os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) for other in others]
        os.close(told)
        with os.fdopen(failures, encoding="utf-8", errors="replace") as lines:
            problems = lines.read().splitlines()
        os.close(numbers)
    if failed := [code for code in codes if code]:
        unknown = f"another process ended before its work was done (exit code {failed[0]})"
        raise failure(problems[0] if problems else unknown)


def shared_array(shape: tuple[int, ...], dtype: type[Item]) -> NDArray[Item]:
    """Return an array of zeros that the processes of `do_all` write into together."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), dtype, math.prod(shape)).reshape(shape)


def _fork(works: Sequence[Work], numbers: int, told: int) -> int:
    """Let another process join in, and return its number; it never comes back from here."""
    starter = os.getpid()
    if other := os.fork():
        return other
    code = 1
    try:
        _work_off(works, numbers, starter)
        code = 0
    except OSError as error:
        _tell(told, f"{error.filename}: could not be written ({error.strerror})")
    except WijkatlasError as error:
        _tell(told, str(error))
    except BaseException as error:  # noqa: BLE001  nothing may come back to what the starter was doing
        _tell(told, f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _work_off(works: Sequence[Work], numbers: int, starter: int = 0) -> None:
    """Take the next piece of work until there is none, or the process that started this one has gone."""
    while (not starter or os.getppid() == starter) and (number := os.read(numbers, NUMBER.size)):
        works[NUMBER.unpack(number)[0]]()


def _tell(told: int, problem: str) -> None:
    os.write(told, f"{problem}\n".encode())
