"""The settings as a whole: config.toml, read and checked before anything uses it."""

import re
import tomllib
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from cs_metrics.config.account import Account
from cs_metrics.config.base import Share, Strict
from cs_metrics.config.expansion import Expansion
from cs_metrics.config.health import Health
from cs_metrics.config.negotiation import ContractMix, Negotiation, Pay, Results
from cs_metrics.config.onboarding import Activation, Handoff, Onboarding
from cs_metrics.config.renewals import Renewals
from cs_metrics.config.report import Report
from cs_metrics.config.revenue import Forecast, Planning, Revenue
from cs_metrics.errors import ConfigError, hint

__all__ = ["SHIPPED", "Config", "load_config"]

SHIPPED = Path(__file__).resolve().parent.parent.parent / "data" / "config.toml"


class Config(Strict):
    """All settings."""

    currency: str = Field(pattern="^[A-Z]{3}$")
    max_rejected_share: float = Share
    min_accounts: int = Field(ge=1)
    activation: Activation
    onboarding: Onboarding
    handoff: Handoff
    revenue: Revenue
    health: Health
    renewals: Renewals
    negotiation: Negotiation
    results: Results
    pay: Pay
    contract_mix: ContractMix
    forecast: Forecast
    planning: Planning
    expansion: Expansion
    account: Account
    report: Report = Report()


def load_config(data_dir: Path) -> Config:
    """Return the settings of a data folder; `ConfigError` says which entry cannot be used and why."""
    own = data_dir / "config.toml"
    path = own if own.exists() else SHIPPED
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, _changed_at: int) -> Config:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    try:
        return Config.model_validate(given)
    except ValidationError as error:
        first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        where = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = f"unknown entry.{hint(str(first['loc'][-1]), _siblings(first['loc']))}"
        elif first["type"] == "literal_error":
            legal = re.findall(r"'([^']*)'", str(first.get("ctx", {}).get("expected", "")))
            said = f"{first['input']!r} is unknown.{hint(str(first['input']), legal)}"
        raise ConfigError(f"{path}: {where}: {said}") from None


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """Return the entry names that are legal beside an unknown one."""
    model: type[BaseModel] | None = Config
    for part in location[:-1]:
        field = model.model_fields.get(part) if model and isinstance(part, str) else None
        if field is None:  # a place in a list, or a name that the user gave
            continue
        kind = field.annotation
        arguments = getattr(kind, "__args__", ())
        candidates = [kind, *arguments]
        model = next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)
    return list(model.model_fields) if model else []
