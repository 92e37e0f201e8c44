"""What a person sees on the terminal while a fetch goes on."""

from rich.console import Console
from rich.progress import Progress, TaskID, TextColumn

from wijkatlas.sources.http import Tally


class FetchProgress(Progress):
    """One line a table on the terminal: pages, rows, bytes and retries so far."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            TextColumn("{task.fields[told]}"),
            console=Console(stderr=True),
        )
        self.lines: dict[tuple[str, str], TaskID] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}

    @property
    def news(self) -> int:
        """How many pages the store did not have."""
        return sum(tally.news for tally in self.tallies.values())

    def show(self, tally: Tally) -> None:
        """Show the newest state of one table."""
        key = (tally.source, tally.table)
        if key not in self.lines:
            self.lines[key] = self.add_task(" ".join(key), total=None, told="")
        self.tallies[key] = tally
        told = (
            f"{tally.pages} pages, {tally.rows} rows, {tally.received / 1e6:.1f} MB, {tally.retries} retries"
        )
        self.update(self.lines[key], told=told + (", done" if tally.done else ""))
