"""Rankings: the ranked areas of a level, of the whole edition and of one gemeente."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from wijkatlas.areas import Level
from wijkatlas.publish.cards import Card, gaps_axis, make_cards
from wijkatlas.publish.charts import Axis, histogram
from wijkatlas.publish.contents import Contents, folder_name
from wijkatlas.scoring.assessment import Ranked

LISTED = 5  # areas shown at once of a gemeente without any in the list


class Ranking:
    """The ranked areas of one level of an edition, by rank."""

    def __init__(self, contents: Contents, level: Level) -> None:
        assessment = contents.assessments[level]
        if not isinstance(assessment, Ranked):
            raise TypeError(f"{level} is not ranked")
        labels = [certainty.label for certainty in contents.spec.uncertainty.classes]
        self.assessment, self.frame = assessment, contents.frames[level]
        self.name, self.plural = str(level), level.plural
        self.scored = int(self.frame["rang"].notna().sum())
        self.places = contents.spec.uncertainty.places(self.scored)  # of them belong to the top
        self.classes = count(self.frame["klasse"], labels)
        self.unlisted = labels[-1]
        self.reasons = count(self.frame["reden_niet_gescoord"])
        self.scores = histogram(self.frame["score"])
        self.cards = make_cards(assessment, self.frame, contents.catalogue)
        self.gaps = gaps_axis(self.cards)
        self._cards = {card.code: card for card in self.cards}
        self.by_gemeente: dict[str, list[Card]] = {}
        for card in self.cards:
            self.by_gemeente.setdefault(card.row["gemeente_code"], []).append(card)

    def place(self, code: str) -> tuple[str, str, str]:
        """Return an area's name, its gemeente's name and the folder of that gemeente's page."""
        card = self._cards[code]
        gemeente = card.row["gemeente_naam"]
        return card.name, gemeente, folder_name(card.row["gemeente_code"], gemeente)


@dataclass(frozen=True)
class Listing:
    """The areas of one level in one gemeente, each part by rank."""

    level: Ranking
    listed: list[Card]  # with a fair chance of belonging to the top, or else the highest of the gemeente
    others: list[Card]
    unscored: list[Card]

    @property
    def ranks(self) -> Axis:
        """The axis of the rank intervals of what is listed, and of the limit of the top."""
        widest = max((card.row["rang_p95"] for card in self.listed), default=1)
        return Axis(1, max(widest, 2 * self.level.places))

    @property
    def is_top(self) -> bool:
        """Whether what is listed has a fair chance of belonging to the top."""
        return bool(self.listed) and self.listed[0].row["klasse"] != self.level.unlisted


def listing(level: Ranking, cards: Sequence[Card]) -> Listing:
    """Sort a gemeente's cards, by rank, into what to look at first, the others and the unscored."""
    scored = [card for card in cards if card.row["rang"] is not None]
    listed = [card for card in scored if card.row["klasse"] != level.unlisted] or scored[:LISTED]
    codes = {card.code for card in listed}
    return Listing(
        level,
        listed,
        [card for card in scored if card.code not in codes],
        [card for card in cards if card.row["rang"] is None],
    )


def count(values: pd.Series, labels: Sequence[str] = ()) -> dict[str, int]:
    """Count each value, in the order of `labels` or else of the alphabet."""
    counts = values.value_counts()
    return {label: int(counts.get(label, 0)) for label in labels or sorted(counts.index)}
