"""
Measure how fast the replications are, as ratios in one run of `python -m benchmarks.scoring`.

The work is 1,000 replications of 14,500 areas and 20 indicators, every figure treated and normalised
anew where it changes. It is set beside COINr's measured time, beside a loop in pandas that does the
same replications (and must give the same ranks), beside its own time at other sizes, and beside the
time that the memory needs to move the figures once a replication. On a machine that is shared with
other work the clock says little: the processor time is what the replications cost.
"""

import os
import resource
import time

import numpy as np
import pandas as pd

from tests.scoring.synthetic import CATALOGUE, SPEC, synthetic_table
from wijkatlas.scoring.panel import assemble_panel
from wijkatlas.scoring.spec import ScoreSpec, WeightedIndicator
from wijkatlas.scoring.uncertainty import EVERY_SOURCE, Choices, Replicator, SourceOfDoubt, summarise

COINR_SECONDS = 2.99  # one replication of 14,500 areas x 20 indicators, COINr 1.1.14 on two cores
AREAS, REPLICATIONS = 14_500, 1000
SIZES = (91, 1_000, 14_500, 145_000)
METHOD = frozenset({SourceOfDoubt.METHOD})


def twenty_indicators() -> ScoreSpec:
    """Return the deltaplan with its fallback as a twentieth indicator."""
    first, *rest = SPEC.domains
    plain = first.indicators[0].model_copy(update={"fallback": None})
    twentieth = WeightedIndicator(id="huishoudens_laag_inkomen", weight=1.0)
    widened = first.model_copy(update={"indicators": (plain, *first.indicators[1:], twentieth)})
    return SPEC.model_copy(update={"domains": (widened, *rest)})


def replicator_of(areas: int) -> Replicator:
    spec = twenty_indicators()
    return Replicator(assemble_panel(synthetic_table(areas, spec=spec), spec, CATALOGUE), CATALOGUE)


def seconds(areas: int, sources: frozenset[SourceOfDoubt], replications: int) -> tuple[float, float]:
    """Time the replications of a fresh replicator, with their summary, by the clock and by the processors."""
    replicator = replicator_of(areas)
    start, used = time.perf_counter(), sum(os.times()[:4])  # with the processes it starts
    choices = [replicator.choices(number, sources) for number in range(replications)]
    summarise(replicator.ranks(choices), replicator.panel)
    return time.perf_counter() - start, sum(os.times()[:4]) - used


def bandwidth() -> float:
    """Measure the bytes a second of one thread's copy, read and write counted; best of ten."""
    source = np.ones(32_000_000)
    target = np.empty_like(source)
    best = np.inf
    for _ in range(10):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best


def pandas_ranks(frame: pd.DataFrame, replicator: Replicator, choices: Choices) -> pd.Series:
    """Replicate as one would write it in pandas: column by column, one winsorised point at a time."""
    panel = replicator.panel
    points = panel.spec.treatment.points(len(frame), choices.factor)
    normalised = pd.DataFrame(
        {
            name: pandas_normalised(pandas_treated(frame[name], points) * direction, choices)
            for name, direction in zip(frame, panel.directions, strict=True)
        }
    )
    domains = pd.DataFrame(
        {
            number: pandas_mean(normalised.iloc[:, run], choices.weights.indicators[run], "arithmetic")
            for number, run in enumerate(choices.weights.runs)
        }
    )
    scores = pandas_mean(domains, choices.weights.domains, choices.between_domains)
    return scores.rank(ascending=False, method="min").astype(int)


def pandas_treated(values: pd.Series, points: int) -> pd.Series:
    treated = values.copy()
    replaced = 0
    while abs(treated.skew()) >= 2 and treated.kurt() >= 3.5:
        if replaced >= points:
            return np.log(values - values.min() + 0.01 * (values.max() - values.min()))
        extreme = treated == (treated.max() if treated.skew() >= 0 else treated.min())
        rest = treated[~extreme]
        treated[extreme] = rest.max() if treated.skew() >= 0 else rest.min()
        replaced = int((treated != values).sum())
    return treated


def pandas_normalised(values: pd.Series, choices: Choices) -> pd.Series:
    scale = choices.normalisation
    if scale.method == "z_score":
        return scale.mean + scale.sd * (values - values.mean()) / values.std()
    if scale.method == "percentile_rank":
        shares = (values.rank(method="min") - 1) / (values.count() - 1)
    else:
        shares = (values - values.min()) / (values.max() - values.min())
    return scale.lower + (scale.upper - scale.lower) * shares


def pandas_mean(parts: pd.DataFrame, weights: np.ndarray, mean: str) -> pd.Series:
    terms = np.log(parts) if mean == "geometric" else parts
    average = (terms * weights).sum(axis=1) / (parts.notna() * weights).sum(axis=1)
    return np.exp(average) if mean == "geometric" else average


def pandas_seconds(count: int) -> tuple[float, float]:
    """Return the seconds a replication of the pandas loop, and the share of its ranks that are ours."""
    replicator = replicator_of(AREAS)
    frame = pd.DataFrame(replicator.panel.values, columns=[i.id for i in replicator.panel.indicators])
    choices = [replicator.choices(number, METHOD) for number in range(count)]
    start = time.perf_counter()
    theirs = np.array([pandas_ranks(frame, replicator, each) for each in choices])
    elapsed = time.perf_counter() - start
    return elapsed / count, float((theirs == replicator.ranks(choices)).mean())


def main() -> None:
    print(f"{os.cpu_count()} processors, {AREAS:,} areas x 20 indicators, {REPLICATIONS:,} replications")
    speed = bandwidth()
    naive, agreement = pandas_seconds(5)
    print(f"pandas loop: {naive:.2f} s a replication; {agreement:.2%} of its ranks are ours")
    for name, sources in (("method", METHOD), ("method, data and imputation", EVERY_SOURCE)):
        taken, used = min(seconds(AREAS, sources, REPLICATIONS) for _ in range(2))
        each = taken / REPLICATIONS
        # Read every normalised figure once, write every rank once.
        least = (AREAS * 20 * 8 + AREAS * 4) / speed
        ratios = f"{COINR_SECONDS / each:,.0f} times COINr, {naive / each:,.0f} times pandas"
        print(f"{name}: {taken:.2f} s by the clock, {used:.2f} s of processor; {ratios};")
        print(f"  {each / least:.1f} times what moving the figures once takes at {speed / 1e9:.1f} GB/s")
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(f"peak memory so far of the largest process: {max(peaks) / 1e6:.2f} GB")
    for name, sources, count in (("method", METHOD, REPLICATIONS), ("all three", EVERY_SOURCE, 100)):
        times = [seconds(areas, sources, count)[1] for areas in SIZES]
        steps = np.diff(np.log(times)) / np.diff(np.log(SIZES))
        overall = np.log(times[-1] / times[0]) / np.log(SIZES[-1] / SIZES[0])
        listed = ", ".join(f"{areas:,}: {taken:.2f} s" for areas, taken in zip(SIZES, times, strict=True))
        print(f"growth of {count:,} replications, {name}, in processor time: {listed};")
        print(f"  exponent {overall:.2f} from first to last, {steps.max():.2f} in the steepest step")


if __name__ == "__main__":
    main()
