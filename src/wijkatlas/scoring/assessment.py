"""All that the scoring says of each level, in one place for those who publish it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from wijkatlas.areas import Level, LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.scoring.score import Scores, contributions, score
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.scoring.summaries import municipal_summaries
from wijkatlas.scoring.uncertainty import Uncertainty, replicate


@dataclass(frozen=True)
class Ranked:
    """A level whose areas are ranked."""

    table: LevelTable
    scores: Scores
    variant: Scores  # the same score without the housing domain
    uncertainty: Uncertainty

    @property
    def imputed(self) -> pd.DataFrame:
        """Which figures are estimates, by code and indicator id."""
        return self.scores.imputed

    def results(self, catalogue: Catalogue) -> pd.DataFrame:
        """Return the published results of each area, by code; columns named as in the catalogue."""
        scored = [indicator.id for indicator in self.scores.spec.indicators]
        brought = contributions(self.scores)
        by_domain = {
            f"bijdrage_{domain.id}": brought[[i.id for i in domain.indicators]].sum(axis=1, min_count=1)
            for domain in self.scores.spec.domains
        }
        labels = pd.Series({i: catalogue.indicators[i].label for i in scored})
        missing = self.table.values[scored].isna() & ~self.scores.imputed[scored]
        doubt = self.uncertainty.areas.drop(columns="rang_p50")
        return self.scores.overview.join(doubt).assign(
            score_zonder_wonen=self.variant.overview["score"],
            rang_zonder_wonen=self.variant.overview["rang"],
            corporatiebuurt=_corporatiebuurt(self.table, catalogue),
            ontbreekt=named(missing, labels),
            geschat=named(self.scores.imputed[scored], labels),
            **self.scores.domains.add_prefix("d_"),
            **by_domain,
        )


@dataclass(frozen=True)
class Summarised:
    """A level whose areas are not ranked themselves, but summarise the ranks of their buurten."""

    table: LevelTable
    summary: pd.DataFrame  # municipal_summaries, by code

    @property
    def imputed(self) -> pd.DataFrame:
        """No figure of this level is an estimate."""
        return pd.DataFrame(False, index=self.table.values.index, columns=self.table.values.columns)  # noqa: FBT003

    def results(self, catalogue: Catalogue) -> pd.DataFrame:
        """Return the published results of each area, by code; columns named as in the catalogue."""
        summary = self.summary.drop(columns="inwoners").rename(columns={"gebieden": "buurten_gescoord"})
        return summary.assign(corporatiebuurt=_corporatiebuurt(self.table, catalogue))


Assessment = Ranked | Summarised


def assess(
    tables: Mapping[Level, LevelTable], spec: ScoreSpec, variant: ScoreSpec, catalogue: Catalogue
) -> dict[Level, Assessment]:
    """Rank buurten and wijken, and summarise the ranks of the buurten of each gemeente."""
    ranked = {
        level: Ranked(
            table := tables[level],
            score(table, spec, catalogue),
            score(table, variant, catalogue),
            replicate(table, spec, catalogue),
        )
        for level in (Level.BUURT, Level.WIJK)
    }
    buurten = ranked[Level.BUURT]
    summary = municipal_summaries(
        buurten.scores.overview["rang"],
        buurten.scores.overview["score"],
        buurten.table.values["inwoners"],
        buurten.table.areas["gemeente_code"],
    )
    return {**ranked, Level.GEMEENTE: Summarised(tables[Level.GEMEENTE], summary)}


def named(flags: pd.DataFrame, labels: pd.Series) -> pd.Series:
    """Return for each row the labels of the columns that are true, joined by semicolons; None for none."""
    texts = flags.dot((labels + "; ").astype(object)).str.removesuffix("; ")
    return texts.where(texts != "").astype("str")


def _corporatiebuurt(table: LevelTable, catalogue: Catalogue) -> pd.Series:
    share = table.values["corporatiebezit"]
    return (share > catalogue.rules.corporatiebuurt_above).astype("boolean").mask(share.isna())
