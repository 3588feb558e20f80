"""Learn the likelihood of renewal as of each past quarter-end, score the weeks that follow, and keep how well it went.

As of a quarter-end every candidate learns from the contracts that were decided, and whose end had passed, by then. It
tells the likelihood of the contracts whose landmark (90, 30 or 270 days before their end) lies in the next quarter: those
predictions, all made before the outcome, are the trial of the candidate, and the calibration of its later trainings. The
candidate with the best trial is used when it beats the base rate by more than its interval; else the base rate stays.
"""

import datetime as dt
import hashlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cs_metrics import periods
from cs_metrics.config import Renewals
from cs_metrics.metrics.likelihood import LANDMARKS, base_rates, landmark_of, past_decisions
from cs_metrics.models import likelihood, likelihood_factors
from cs_metrics.models.base_rate import BaseRates
from cs_metrics.models.likelihood import Calibration, Fitted, calibrate, sigmoid
from cs_metrics.models.likelihood_factors import FACTORS, Design, Floats, design, levels_of
from cs_metrics.models.likelihood_trial import CANDIDATES, Trial, gain, log_loss
from cs_metrics.store import Draft, Store
from cs_metrics.training.kept import Kept
from cs_metrics.training.likelihood_tables import LANDMARKS_SQL, TABLES
from cs_metrics.training.shown import shown

__all__ = ["TABLES", "train"]

_MAIN = LANDMARKS[0]
_SAMPLES = 4_000  # rows asked again per factor, for its importance
_MOST_SAMPLES = 10
_MOST_LEARNED = 10_000  # newest decisions: older ones cost time and say little more
_MOST_EXPLAINED = 300  # newest decisions that tell which way a factor pulls
_PARTS_WITHIN_DAYS = {"logistic": 190, "forest": 98, "boosting": 98}  # before the end; those of trees take longer
_NAMES = tuple(one.name for one in FACTORS)


def train(draft: Draft) -> dict[str, pd.DataFrame]:
    """Return the rows of `TABLES`; a training whose inputs are those of the earlier generation is kept as it is."""
    store, settings = draft.store, draft.store.config.renewals
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    if store.has("contracts"):
        marks = store.frame(LANDMARKS_SQL, lags=LANDMARKS)
        marks["renewed"] = (marks["outcome"] == "renewed").astype("float64")
        kept = Kept(draft.earlier, [one for one in TABLES if one != "renewal_shown"])
        trial = Trial(marks)
        for trained_on, until in _rounds(store, marks):
            one = _Round(store, settings, marks, trial, trained_on, until)
            found = kept.rows(trained_on, one.inputs) or one.learn()
            trial.add(found["renewal_trial"])
            for name, rows in found.items():
                if len(rows):
                    tables[name].append(rows)
    if len(before := shown(draft)):
        tables["renewal_shown"].append(before)
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items() if parts}


def _rounds(store: Store, marks: pd.DataFrame) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield each quarter-end of the history with the one after it; the last is on or before the newest week's end."""
    last = store.value("select max(week_end) from account_week")
    if last is None or marks.empty:
        return
    for start in periods.periods_between(marks["week_end"].min().date(), periods.add_days(last, 1), "quarter"):
        yield periods.add_days(start, -1), periods.period_end(start, "quarter")


@dataclass
class _Round:
    """One training: what was known on `trained_on`, and the weeks up to `until` that it is to speak of."""

    store: Store
    settings: Renewals
    marks: pd.DataFrame
    trial: Trial
    trained_on: dt.date
    until: dt.date
    models: dict[tuple[int, str], tuple[Fitted, Calibration]] = field(default_factory=dict)
    segments: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        day, until = pd.Timestamp(self.trained_on), pd.Timestamp(self.until)
        self.known = self.marks[self.marks["known_on"] <= day]
        self.ahead = self.marks[(self.marks["week_end"] > day) & (self.marks["week_end"] <= until)]
        self.weeks = self.store.frame(
            "select * from renewal_week where week_end > $day and week_end <= $until order by week_end, contract_id",
            day=self.trained_on,
            until=self.until,
        )
        settings = self.settings.model_dump_json(include={"prior_decisions", "min_decisions", "min_losses"})
        recipe = [settings, *map(inspect.getsource, (likelihood, likelihood_factors, sys.modules[__name__]))]
        self.fingerprint = _hash(self.known, *recipe)
        unjudged = self.ahead.drop(columns=["outcome", "known_on", "renewed"])
        self.inputs = _hash(unjudged, self.fingerprint, _hash(self.weeks))

    def learn(self) -> dict[str, pd.DataFrame]:
        main = self.known[self.known["landmark_days"] == _MAIN]
        reason = _too_few(self.settings, len(main), int((main["renewed"] == 0).sum()))
        if reason:
            return {"renewal_training": self._training(main, [], "", reason), "renewal_trial": pd.DataFrame()}
        rates = base_rates(self.store, past_decisions(self.store, self.trained_on))
        trials = self._ask_base(rates)
        shuffled = []
        for landmark in LANDMARKS:
            trials += self._ask(landmark)
        for candidate in CANDIDATES:
            shuffled.append(self._shuffled(candidate))
        judged, chosen, reason = self._choose()
        found = {
            "renewal_training": self._training(main, judged, chosen, reason),
            "renewal_trial": pd.concat(trials, ignore_index=True),
            "renewal_shuffled": pd.concat(shuffled, ignore_index=True),
            "renewal_direction": self._directions(main),
        }
        return {**found, **self._score(chosen, len(main))} if chosen else found

    def _ask_base(self, rates: BaseRates) -> list[pd.DataFrame]:
        """Return what the base rate, and the overall rate, said of the contracts ahead."""
        rows = self.ahead[self.ahead["landmark_days"] == _MAIN]
        asked = rows[["segment", "colour"]].assign(segment=rows["segment"].fillna(""), lag=_MAIN)
        chances = {"base": rates.of(asked)["likelihood"].to_numpy(), "overall": np.full(len(rows), rates.overall)}
        return [self._said(rows, name, np.log(one / (1 - one)), one) for name, one in chances.items()]

    def _ask(self, landmark: int) -> list[pd.DataFrame]:
        """Let every candidate learn at one landmark, and return what each says of the contracts ahead."""
        known = self.known[self.known["landmark_days"] == landmark]
        if _too_few(self.settings, len(known), int((known["renewed"] == 0).sum())):
            return []
        self.segments[landmark] = levels_of(known)
        known = known.tail(_MOST_LEARNED)
        learned = design(known, self.segments[landmark])
        ahead = self.ahead[self.ahead["landmark_days"] == landmark]
        asked = design(ahead, self.segments[landmark])
        found = []
        for candidate in CANDIDATES:
            model = likelihood.fit(candidate, learned, known["renewed"].to_numpy())
            past = self.trial.judged(self.trained_on, landmark, candidate)
            line = calibrate(past["log_odds"].to_numpy(), past["renewed"].to_numpy())
            self.models[landmark, candidate] = model, line
            odds = model.log_odds(asked.values)
            found.append(self._said(ahead, candidate, odds, sigmoid(line.of(odds))))
        return found

    def _said(self, rows: pd.DataFrame, candidate: str, log_odds: Floats, chance: Floats) -> pd.DataFrame:
        found = rows[["landmark_days", "contract_id", "account_id", "week_end"]].reset_index(drop=True)
        return found.assign(trained_on=self.trained_on, candidate=candidate, log_odds=log_odds, likelihood=chance)

    def _shuffled(self, candidate: str) -> pd.DataFrame:
        """Return what a candidate would have said with one factor at a time drawn from another contract.

        Per contract ahead and factor: the mean logarithm of the likelihood of being renewed (`_kept`) and lost (`_lost`).
        """
        model, line = self.models[_MAIN, candidate]
        ahead = self.ahead[self.ahead["landmark_days"] == _MAIN]
        known = self.known[self.known["landmark_days"] == _MAIN].tail(_MOST_LEARNED)
        asked, pool = design(ahead, self.segments[_MAIN]), design(known, self.segments[_MAIN])
        rng = np.random.default_rng(self.trained_on.toordinal())
        times = int(np.clip(_SAMPLES // max(len(ahead), 1), 1, _MOST_SAMPLES))
        found = ahead[["contract_id"]].reset_index(drop=True).assign(trained_on=self.trained_on, candidate=candidate)
        columns = {}
        for name in _NAMES:
            of = np.array([one == name for one in asked.factors])
            values = np.tile(asked.values, (times, 1))
            values[:, of] = pool.values[rng.integers(0, len(known), len(values))][:, of]
            odds = line.of(model.log_odds(values)).reshape(times, len(ahead))
            columns[f"{name}_kept"] = np.log(sigmoid(odds)).mean(axis=0)
            columns[f"{name}_lost"] = np.log(sigmoid(-odds)).mean(axis=0)
        return pd.concat([found, pd.DataFrame(columns)], axis=1)

    def _directions(self, main: pd.DataFrame) -> pd.DataFrame:
        """Return which way each factor pulls: the correlation of its first column with what it adds, where both are known."""
        asked = design(main.tail(_MOST_EXPLAINED), self.segments[_MAIN])
        rows = []
        for candidate in CANDIDATES:
            columns, _ = self.models[_MAIN, candidate][0].contributions(asked.values)
            for name in _NAMES:
                of = [at for at, one in enumerate(asked.factors) if one == name]
                if of and name != "segment":
                    rows.append(
                        (
                            self.trained_on,
                            candidate,
                            name,
                            _correlation(asked.values[:, of[0]], columns[:, of].sum(axis=1)),
                        )
                    )
        return pd.DataFrame(rows, columns=["trained_on", "candidate", "factor", "direction"])

    def _choose(self) -> tuple[list[dict[str, object]], str, str]:
        """Return each candidate's trial so far, the one to use (empty: the base rate) and why."""
        judged = []
        base = self.trial.judged(self.trained_on, _MAIN, "base")
        for candidate in CANDIDATES:
            rows = self.trial.judged(self.trained_on, _MAIN, candidate)
            mean, low, high = gain(rows, base)
            judged.append(
                {
                    "candidate": candidate,
                    "judged": len(rows),
                    "judged_losses": int((rows["renewed"] == 0).sum()),
                    "log_loss": log_loss(rows),
                    "gain": mean,
                    "gain_low": low,
                    "gain_high": high,
                }
            )
        losses = int((base["renewed"] == 0).sum())
        judged.append({"candidate": "base", "judged": len(base), "judged_losses": losses, "log_loss": log_loss(base)})
        if not len(base):
            days = self.known["known_on"].nunique()
            one_day = "all outcomes lie on one day, so that no time split exists"
            later = "no later decision is known"
            return judged, "", f"{one_day if days == 1 else later}: what was learned cannot be judged"
        if losses < self.settings.min_losses:
            return (
                judged,
                "",
                f"only {losses} of at least {self.settings.min_losses} losses came after a first training",
            )
        best = max(judged[:-1], key=lambda one: (one["gain"], one["candidate"] == "logistic"))
        if not float(str(best["gain_low"])) > 0:
            return (
                judged,
                "",
                f"no model beats the base rate by more than its interval; the best is the {best['candidate']} model",
            )
        return judged, str(best["candidate"]), "it beats the base rate by more than its interval"

    def _training(self, main: pd.DataFrame, judged: list[dict[str, object]], chosen: str, reason: str) -> pd.DataFrame:
        rows = pd.DataFrame(judged or [{"candidate": "base"}]).reindex(columns=list(TABLES["renewal_training"]))
        for row, candidate in enumerate(rows["candidate"]):
            line = self.models.get((_MAIN, candidate), (None, Calibration()))[1]
            rows.loc[row, ["shift", "slope"]] = line.shift, line.slope
        return rows.assign(
            trained_on=self.trained_on,
            is_chosen=rows["candidate"] == (chosen or "base"),
            reason=reason,
            decisions=len(main),
            losses=int((main["renewed"] == 0).sum()),
            from_day=main["week_end"].min() if len(main) else None,
            to_day=main["week_end"].max() if len(main) else None,
            fingerprint=self.fingerprint,
            inputs=self.inputs,
        )

    def _score(self, chosen: str, decisions: int) -> dict[str, pd.DataFrame]:
        """Return the likelihood of every running contract in every week ahead, and its parts where the end is near."""
        lag = landmark_of(self.weeks["days_left"])
        scores, parts = [], []
        for landmark, segments in self.segments.items():
            rows = self.weeks[lag == landmark]
            model, line = self.models[landmark, chosen]
            asked = design(rows, segments)
            found = rows[["week_end", "contract_id"]].reset_index(drop=True).assign(trained_on=self.trained_on)
            chance = sigmoid(line.of(model.log_odds(asked.values)))
            weight = decisions / (1 + len(FACTORS))
            scores.append(
                found.assign(landmark_days=landmark, candidate=chosen, likelihood=chance, weight=max(weight, 10.0))
            )
            near = (rows["days_left"] <= _PARTS_WITHIN_DAYS[chosen]).to_numpy()
            parts.append(_parts(found[near], model, line, Design(asked.values[near], asked.names, asked.factors)))
        return {"renewal_score": pd.concat(scores), "renewal_part": pd.concat(parts)}


def _parts(found: pd.DataFrame, model: Fitted, line: Calibration, asked: Design) -> pd.DataFrame:
    """Return what each factor adds to the calibrated log-odds of each row, and the base that they start from."""
    columns, base = model.contributions(asked.values)
    index = {name: np.array([one == name for one in asked.factors]) for name in _NAMES}
    by_factor = {f"part_{name}": line.slope * columns[:, of].sum(axis=1) for name, of in index.items()}
    return found.assign(base=line.of(base)).reset_index(drop=True).join(pd.DataFrame(by_factor))


def _correlation(values: Floats, parts: Floats) -> float:
    known = ~np.isnan(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0 or np.ptp(parts[known]) == 0:
        return float("nan")
    return float(np.corrcoef(values[known], parts[known])[0, 1])


def _too_few(settings: Renewals, decisions: int, losses: int) -> str:
    if decisions >= settings.min_decisions and losses >= settings.min_losses:
        return ""
    return (
        f"too few past decisions: {decisions} of at least {settings.min_decisions}, "
        f"with {losses} of at least {settings.min_losses} losses"
    )


def _hash(rows: pd.DataFrame, *more: str) -> str:
    digest = hashlib.sha256("\0".join(more).encode())
    numbers = rows.select_dtypes(["number", "bool", "boolean"]).columns
    rows = rows.astype(dict.fromkeys(numbers, "float64"))  # whole numbers come with or without a place for "unknown"
    digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]
