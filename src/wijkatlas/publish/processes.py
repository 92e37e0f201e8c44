"""Processes: what is written for each gemeente is written on all processors at once."""

import os
import struct
import sys
from collections.abc import Callable, Sequence
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING

from wijkatlas.errors import PublishError, WijkatlasError

if TYPE_CHECKING:  # at run time it is no generic
    from multiprocessing.queues import SimpleQueue

Work = Callable[[], None]

FEWEST = 8  # pieces of work that another process is worth starting for
NUMBER = struct.Struct("H")  # short, so that a pipe holds those of all the work


def do_all(works: Sequence[Work]) -> None:
    """
    Do each piece of work once, in as many processes as there are processors; the longest had better be first.

    The others are forked from this one: they find all that it prepared, and hand nothing back but an error.
    So each piece writes files of its own, whose bytes do not depend on what was done before. A process takes
    the number of the next piece from a pipe, which locks nothing should one of them be killed.

    Raises
    ------
    PublishError
        The work failed in another process; what it raises in this one passes as it is.
    """
    count = max(1, min(os.cpu_count() or 1, len(works) // FEWEST))
    fork = get_context("fork")
    failures: SimpleQueue[str] = fork.SimpleQueue()
    numbers, filled = os.pipe()
    os.write(filled, b"".join(map(NUMBER.pack, range(len(works)))))
    os.close(filled)
    others = []
    try:
        for _ in range(1, count):
            other = fork.Process(target=_join_in, args=(works, numbers, failures))
            other.start()
            others.append(other)
        while number := os.read(numbers, NUMBER.size):
            works[NUMBER.unpack(number)[0]]()
    except BaseException:
        for other in others:
            other.terminate()
        raise
    finally:
        os.close(numbers)
        for other in others:
            other.join()
    if failed := [other.exitcode for other in others if other.exitcode]:
        unknown = f"another process ended before its work was done (exit code {failed[0]})"
        raise PublishError(unknown if failures.empty() else failures.get())


def _join_in(works: Sequence[Work], numbers: int, failures: "SimpleQueue[str]") -> None:
    starter = parent_process()
    try:
        while starter and starter.pid == os.getppid() and (number := os.read(numbers, NUMBER.size)):
            works[NUMBER.unpack(number)[0]]()
    except OSError as error:
        failures.put(f"{error.filename}: could not be written ({error.strerror})")
        sys.exit(1)
    except WijkatlasError as error:
        failures.put(str(error))
        sys.exit(1)
