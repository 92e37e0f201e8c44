"""All that the scoring says of each level, in one place for those who publish it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wijkatlas.areas import Level, LevelTable
from wijkatlas.catalog import Catalogue
from wijkatlas.catalog.references import References
from wijkatlas.scoring.coherence import Coherence, coherence
from wijkatlas.scoring.explain import Explanations, explain
from wijkatlas.scoring.rank import exponential
from wijkatlas.scoring.score import Scores, contributions, score
from wijkatlas.scoring.sensitivity import Comparison, choice_sensitivity, compare, leave_one_out
from wijkatlas.scoring.space import SpatialPattern, spatial_pattern
from wijkatlas.scoring.spec import ScoreSpec
from wijkatlas.scoring.summaries import municipal_summaries
from wijkatlas.scoring.uncertainty import Uncertainty, replicate
from wijkatlas.scoring.validate import Validation, validate

STRONGEST = 3  # domains named as the reason of an area


@dataclass(frozen=True)
class Ranked:
    """A level whose areas are ranked."""

    table: LevelTable
    scores: Scores
    variant: Scores  # the same score without the housing domain
    uncertainty: Uncertainty
    explanations: Explanations

    @property
    def imputed(self) -> pd.DataFrame:
        """Which figures are estimates, by code and indicator id."""
        return self.scores.imputed

    def results(self, catalogue: Catalogue) -> pd.DataFrame:
        """Return the published results of each area, by code; columns named as in the catalogue."""
        spec, why = self.scores.spec, self.explanations
        scored = [indicator.id for indicator in spec.indicators]
        brought = contributions(self.scores)
        by_domain = {
            f"bijdrage_{domain.id}": brought[[i.id for i in domain.indicators]].sum(axis=1, min_count=1)
            for domain in spec.domains
        }
        labels = pd.Series({i: catalogue.indicators[i].label for i in scored})
        missing = self.table.values[scored].isna() & ~self.scores.imputed[scored]
        return self.scores.overview.join(self.uncertainty.areas.drop(columns="rang_p50")).assign(
            score_imd=_exponential(self.scores.overview["rang"]),
            score_zonder_wonen=self.variant.overview["score"],
            rang_zonder_wonen=self.variant.overview["rang"],
            corporatiebuurt=_corporatiebuurt(self.table, catalogue),
            reden=_strongest(why.domain_gaps, catalogue),
            lijkt_op=_listed(why.similar),
            ontbreekt=named(missing, labels),
            geschat=named(self.scores.imputed[scored], labels),
            verouderd=named(why.old, labels),
            op_klein_aantal=named(why.small, labels),
            **self.scores.domains.add_prefix("d_"),
            **by_domain,
        )


@dataclass(frozen=True)
class Analysis:
    """What is known of the score itself, for the page on the method."""

    coherence: Coherence
    choices: pd.DataFrame  # which declared choice moves the ranks: see `choice_sensitivity`
    left_out: pd.DataFrame  # what each indicator and domain does: see `leave_one_out`
    without_housing: Comparison
    pattern: SpatialPattern
    validation: Validation


def examine(ranked: Ranked, spec: ScoreSpec, catalogue: Catalogue, references: References) -> Analysis:
    """
    Examine the score of one level: its coherence, its choices, its place on the map and in the world.

    Raises
    ------
    ScoringError
        Too few areas are scored, or all alike.
    """
    scores, table = ranked.scores, ranked.table
    return Analysis(
        coherence=coherence(scores),
        choices=choice_sensitivity(table, spec, catalogue),
        left_out=leave_one_out(scores),
        without_housing=compare(scores, ranked.variant, table.areas["gemeente_code"]),
        pattern=spatial_pattern(
            scores.overview["score"],
            table.areas.geometry,
            permutations=spec.analysis.permutations,
            seed=spec.analysis.seed,
            false_discovery_rate=spec.analysis.false_discovery_rate,
        ),
        validation=validate(scores, table, spec, catalogue, references),
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
        level: rank_level(tables[level], spec, variant, catalogue) for level in (Level.BUURT, Level.WIJK)
    }
    buurten = ranked[Level.BUURT]
    summary = municipal_summaries(
        buurten.scores.overview["rang"],
        buurten.scores.overview["score"],
        buurten.table.values["inwoners"],
        buurten.table.areas["gemeente_code"],
    )
    return {**ranked, Level.GEMEENTE: Summarised(tables[Level.GEMEENTE], summary)}


def rank_level(table: LevelTable, spec: ScoreSpec, variant: ScoreSpec, catalogue: Catalogue) -> Ranked:
    """Score one level, with its variant, its uncertainty and its reasons."""
    scores = score(table, spec, catalogue)
    return Ranked(
        table,
        scores,
        score(table, variant, catalogue),
        replicate(table, spec, catalogue),
        explain(scores, table),
    )


def named(flags: pd.DataFrame, labels: pd.Series) -> pd.Series:
    """Return for each row the labels of the columns that are true, joined by semicolons; None for none."""
    texts = flags.dot((labels + "; ").astype(object)).str.removesuffix("; ")
    return texts.where(texts != "").astype("str")


def _strongest(gaps: pd.DataFrame, catalogue: Catalogue) -> pd.Series:
    """Name the domains that lift each area above the middle one, at most three, strongest first."""
    labels = [catalogue.domains[str(domain)].label for domain in gaps.columns]
    values = gaps.to_numpy()
    strongest = np.argsort(-values, axis=1, kind="stable")[:, :STRONGEST]
    told = [
        "; ".join(labels[domain] for domain in order if gap[domain] > 0)
        for order, gap in zip(strongest, values, strict=True)
    ]
    return pd.Series(told, gaps.index, dtype="str")


def _listed(codes: pd.DataFrame) -> pd.Series:
    """Join each row's codes by semicolons."""
    rows = codes.astype(object).to_numpy()
    return pd.Series(
        ["; ".join(code for code in row if pd.notna(code)) for row in rows], codes.index, dtype="str"
    )


def _exponential(ranks: pd.Series) -> pd.Series:
    ranked = ranks.dropna()
    return pd.Series(exponential(ranked.to_numpy(np.int32)), ranked.index).reindex(ranks.index)


def _corporatiebuurt(table: LevelTable, catalogue: Catalogue) -> pd.Series:
    share = table.values["corporatiebezit"]
    return (share > catalogue.rules.corporatiebuurt_above).astype("boolean").mask(share.isna())
