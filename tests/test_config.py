from pathlib import Path

import pytest

from cs_metrics.config import MEASURED, SHIPPED, load_config
from cs_metrics.errors import ConfigError
from cs_metrics.store import Store


def changed(folder: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (folder / "config.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_the_shipped_settings_are_whole(tmp_path: Path) -> None:
    config = load_config(tmp_path)
    assert config.currency == "USD"
    assert config.health.weights_for("Enterprise", "onboarding").depth == 0.35
    assert config.health.weights_for("Enterprise", "renewal").depth == 0.25


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("depth = 0.25", "depth = 0.35", "add up to 1.1, not to 1"),
        ("red_to = 50", "red_to = 80", "red_to < yellow_to"),
        ("min_accounts = 5", "min_acounts = 5", "Did you mean 'min_accounts'"),
        ("zero = 0,    full = 20", "zero = 20,    full = 20", "no score lies between"),
        (
            'dimension = "outcome"',
            'dimension = "results"',
            "outcome.*relationship|health.measures.outcome_ratio.dimension",
        ),
        ('currency = "USD"', 'currency = "dollar"', "currency"),
        ('logo = ""', 'logo = "../logo.png"', "report.logo: '../logo.png' must lie in the data folder"),
        ('logo = ""', 'logo = "logo.svg"', "is no PNG or JPEG file"),
        ('accent = "#1F5FBF"', 'accent = "#FFFF00"', "too light to be read on white .contrast 1.1, at least 3"),
        ('accent = "#1F5FBF"', 'accent = "blue"', "report.accent"),
        ('stage = "onboarding"', 'stage = ""', "name the same segment and stage"),
        ('stage = "onboarding"', 'stage = "onbording"', "'onbording' is unknown. Did you mean 'onboarding'"),
        ("nps                  = {", "npss = {", "'npss', which is not measured. Did you mean 'nps'"),
        ('dimension = "outcome",', 'dimension = "outcomes",', "'outcomes' is unknown. Did you mean 'outcome'"),
        ("full = 0.8, weight = 0.6, says", "full = 0.8, weight = 0.7, says", "depth weigh 1.1 together, not 1"),
        ("full = 10,  weight = 0.5, says", "full = 10,  wait = 0.5, says", "Did you mean 'weight'"),
        ('"outcome",      zero', '"depth",      zero', "measures of depth weigh 2 together"),
        ("depth = 0.25", "dept = 0.25", "Did you mean 'depth'"),
        ("depth = 0.25", "depth = -0.35", "add up to 1.1, not to 1; divide each by 1.1"),
        ("zero = 0,    full = 10, ", 'scale = "percentile", zero = 0, full = 110, ', "from 0 to 100"),
        ("zero = 0,    full = 10, ", 'among = "segment", zero = 0, full = 10, ', 'needs scale = "percentile"'),
        ('sentiment = "Call', 'sentimental = "Call', "'sentimental' is unknown. Did you mean 'sentiment'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(changed(tmp_path, old, new))


def test_what_can_be_scored_is_what_the_mart_measures(demo_store: Store) -> None:
    columns = {row[0] for row in demo_store.rows("select column_name from (describe account_week)")}
    assert set(MEASURED) <= columns


def test_a_dimension_with_a_weight_needs_a_measure(tmp_path: Path) -> None:
    text = "\n".join(line for line in SHIPPED.read_text().splitlines() if not line.startswith("outcome_ratio"))
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="outcome has a weight, but no measure"):
        load_config(tmp_path)


def test_a_file_that_is_no_toml_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("currency = ", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert load_config(changed(tmp_path, 'currency = "USD"', 'currency = "EUR"')).currency == "EUR"
