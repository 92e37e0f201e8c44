"""Processes: what is written for each gemeente is written on all processors at once."""

import os
import signal
import struct
import threading
from collections.abc import Callable, Sequence

from wijkatlas.errors import PublishError, WijkatlasError

Work = Callable[[], None]

NUMBER = struct.Struct("H")  # short, so that a pipe holds those of all the work


def do_all(works: Sequence[Work]) -> None:
    """
    Do each piece of work once, in as many processes as there are processors; the longest had better be first.

    The others are forked from this one: they find all that it prepared, and hand nothing back but an error.
    So each piece writes files of its own, whose bytes do not depend on what was done before. A process takes
    the number of the next piece from a pipe, which locks nothing should one of them be killed. It leaves at
    once when the work is done: what else this process has going, such as Prefect's threads, is not its own.
    Outside the main thread nothing is forked: there editions are made side by side already, and one could
    hold a lock that the other's processes wait for.

    Raises
    ------
    PublishError
        The work failed in another process; what it raises in this one passes as it is.
    """
    alone = threading.current_thread() is threading.main_thread()
    count = min(os.cpu_count() or 1, len(works)) if alone else 1
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
        raise PublishError(problems[0] if problems else unknown)


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
