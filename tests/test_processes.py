"""Work shared out over processes: all of it is done once, and what fails in another process is told here."""

import multiprocessing
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from wijkatlas.errors import PublishError
from wijkatlas.processes import Work, do_all, shared_array

MANY = 24
MINE = os.getpid()
FORK = multiprocessing.get_context("fork")
PATIENCE = 60  # seconds, in which another process surely starts


@pytest.fixture(autouse=True)
def _three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 3)


def test_each_piece_is_done_once_by_three_processes(tmp_path: Path) -> None:
    together = FORK.Barrier(3)
    joined: list[int] = []  # one list a process

    def work(number: int) -> None:
        if not joined:
            joined.append(together.wait(PATIENCE))
        (tmp_path / f"{number}-{os.getpid()}").touch()

    do_all([partial(work, number) for number in range(MANY)], PublishError)
    done = [path.name.split("-") for path in tmp_path.iterdir()]
    assert sorted(int(number) for number, _ in done) == list(range(MANY))
    assert len({process for _, process in done}) == 3


def test_no_work_is_done_at_once() -> None:
    do_all([], PublishError)


def in_another(act: Work) -> list[Work]:
    """Return work that does `act` in another process; this one waits for that."""
    begun = FORK.Event()

    def work() -> None:
        if os.getpid() == MINE:
            assert begun.wait(PATIENCE)
        else:
            begun.set()
            act()

    return [work] * MANY


def test_a_failure_in_another_process_is_told_here(tmp_path: Path) -> None:
    def refuse() -> None:
        raise PublishError("de kaart klopt niet")

    with pytest.raises(PublishError, match="de kaart klopt niet"):
        do_all(in_another(refuse), PublishError)
    with pytest.raises(PublishError, match="could not be written"):
        do_all(in_another((tmp_path / "absent" / "a.csv").touch), PublishError)
    with pytest.raises(PublishError, match="exit code -9"):
        do_all(in_another(lambda: os.kill(os.getpid(), signal.SIGKILL)), PublishError)


def test_a_failure_here_ends_the_others(tmp_path: Path) -> None:
    begun = FORK.Barrier(3)

    def work() -> None:
        (tmp_path / str(os.getpid())).touch()
        begun.wait(PATIENCE)
        if os.getpid() == MINE:
            raise OSError(28, "No space left on device")
        threading.Event().wait()

    with pytest.raises(OSError, match="No space left"):
        do_all([work] * MANY, PublishError)
    others = {int(path.name) for path in tmp_path.iterdir()} - {MINE}
    assert len(others) == 2
    for other in others:
        with pytest.raises(ProcessLookupError):
            os.kill(other, 0)


def test_the_others_stop_when_this_process_is_killed(tmp_path: Path) -> None:
    starters: list[int] = []

    def work(number: int) -> None:
        (tmp_path / str(number)).touch()
        if os.getpid() == starters[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        while os.getppid() == starters[0]:
            time.sleep(0.01)

    def start() -> None:
        starters.append(os.getpid())
        do_all([partial(work, number) for number in range(MANY)], PublishError)

    receiver, sender = multiprocessing.Pipe(duplex=False)  # closed when the last process has gone
    starter = FORK.Process(target=start)
    starter.start()
    sender.close()
    with pytest.raises(EOFError):
        receiver.recv()
    starter.join()
    assert len(list(tmp_path.iterdir())) <= 3


def test_nothing_is_forked_outside_the_main_thread() -> None:
    doers: set[int] = set()
    thread = threading.Thread(target=do_all, args=([lambda: doers.add(os.getpid())] * MANY, PublishError))
    thread.start()
    thread.join()
    assert doers == {MINE}


def test_processes_fill_a_shared_array_together() -> None:
    shared = shared_array((MANY, 2), np.int32)

    def work(row: int) -> None:
        shared[row] = row, os.getpid() != MINE

    do_all([partial(work, row) for row in range(MANY)], PublishError)
    assert shared[:, 0].tolist() == list(range(MANY))
    assert shared_array((0, 5), np.int64).shape == (0, 5)
