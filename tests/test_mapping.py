"""mapping.toml: other people's names and values, and what it may not do."""

import re
from pathlib import Path
from typing import Any

import pytest

from cs_metrics.contract.expressions import checked_expression, checked_query
from cs_metrics.contract.mapping import read_mapping
from cs_metrics.contract.tables import TABLES
from cs_metrics.errors import LoadError, MappingError
from cs_metrics.store import scratch
from tests.load_support import company, counts, day, folder, load, rejected, rows, without_marts

pytestmark = pytest.mark.usefixtures("quick")
quick = without_marts
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"

CUSTOMERS = """
Customer No,Company,Since,Size,Tier
7,Alpha,31.01.2024,Large,gold
8,Beta,01.02.2024,small,
"""
PLANS = """
line,customer,from,till,price,cycle,kind
L1,7,01.02.2024,,1200,Y,paid
L2,8,01.02.2024,01.03.2024,30,M,paid
L3,8,01.02.2024,,0,M,gift
"""
MAPPING = """
date_format = "%d.%m.%Y"

[tables.accounts]
source = "customers"
columns = { account_id = "Customer No", name = "Company", started_on = "Since", segment = "Size", tier = "Tier" }
attributes = { tier = "text" }
values = { segment = { large = "Enterprise", "*" = "SMB" } }

[tables.subscriptions]
source = "plans"
where = "kind <> 'gift'"
columns = { subscription_id = "line", account_id = "customer", starts_on = "from", ends_on = "till", billing = "cycle" }
constants = { is_trial = false }
expressions = { mrr = "case when cycle = 'Y' then cast(price as decimal(18, 2)) / 12 else cast(price as decimal(18, 2)) end" }
values = { billing = { Y = "annual", M = "monthly" } }
"""


def test_names_values_constants_expressions_and_filters(tmp_path: Path) -> None:
    source = folder(tmp_path / "in", mapping=MAPPING, customers=CUSTOMERS, plans=PLANS)
    record = load(source, tmp_path / "data")
    assert rows(tmp_path / "data", "accounts", "account_id", "name", "started_on", "segment", "tier") == [
        ("7", "Alpha", day("2024-01-31"), "Enterprise", "gold"),
        ("8", "Beta", day("2024-02-01"), "SMB", None),
    ]
    columns = ("subscription_id", "account_id", "ends_on", "mrr_cents", "billing", "is_trial")
    assert rows(tmp_path / "data", "subscriptions", *columns) == [
        ("L1", "7", None, 10000, "annual", False),
        ("L2", "8", day("2024-03-01"), 3000, "monthly", False),
    ]
    assert counts(record, "subscriptions") == (2, 2, 0, 0)
    assert record.tables["subscriptions"].left_out == 1
    assert record.ignored_columns == {}


def test_a_mapping_may_lie_elsewhere(tmp_path: Path) -> None:
    source = folder(tmp_path / "in", customers=CUSTOMERS, plans=PLANS)
    path = tmp_path / "theirs.toml"
    path.write_text(MAPPING)
    assert load(source, tmp_path / "data", mapping=path).status == "published"


def test_the_same_rows_in_another_day_format_are_the_same_facts(tmp_path: Path) -> None:
    iso = company(tmp_path / "iso")
    german = folder(
        tmp_path / "german",
        mapping='date_format = "%d.%m.%Y"',
        accounts="account_id,name,started_on\nA2,Beta,01.02.2024\nA1,Alpha,01.01.2024\n",
        subscriptions="subscription_id,account_id,starts_on,ends_on,mrr\nS1,A1,01.01.2024,,100.5\nS2,A2,01.02.2024,01.02.2025,20\n",
    )
    first, second = load(iso, tmp_path / "one"), load(german, tmp_path / "two")
    assert first.fingerprint == second.fingerprint
    assert load(german, tmp_path / "one").status == "unchanged"


def test_a_lookup_adds_columns_and_must_not_multiply_rows(tmp_path: Path) -> None:
    mapping = """
[tables.events]
source = "log"
join = { kinds = { theirs = "id", ours = "kind" } }
columns = { account_id = "who", occurred_at = "at", event = "kinds.name" }
expressions = { quantity = "cast(kinds.weight as integer) * 2" }
"""
    log = "who,kind,at\nA1,1,2024-03-01\nA1,3,2024-03-01\n"
    kinds = "id,name,weight\n1,login,5\n2,logout,7\n"
    source = company(tmp_path / "in", tolerant=True, mapping=mapping, log=log, kinds=kinds)
    record = load(source, tmp_path / "data")
    assert rows(tmp_path / "data", "events", "event", "quantity") == [("login", 10.0)]
    said = ("events", "log.csv", 3, "event", None, "is empty, and every row needs it")
    assert rejected(tmp_path / "data", record) == [said]
    (source / "kinds.csv").write_text(kinds + "1,again,5\n")
    with pytest.raises(MappingError, match="'1' occurs twice in id of kinds"):
        load(source, tmp_path / "data")


def test_a_query_reads_the_tables_of_the_source(tmp_path: Path) -> None:
    mapping = """
[tables.contracts]
query = '''
with terms as (
    select line, customer, "from" as starts, till, lead(line) over (partition by customer order by "from") as next_line
    from plans
    where till <> ''
)
select line as contract_id, customer as account_id, starts as starts_on, till as ends_on, 100 as arr,
    case when next_line is not null then 'renewed' end as outcome
from terms
'''
[tables.contracts.values.outcome]
renewed = "churned"
"""
    plans = "line,customer,from,till\nL1,A1,2024-01-01,2024-06-01\nL2,A1,2024-06-01,2024-12-01\nL3,A9,2024-06-01,2024-12-01\nL4,A2,x,\n"
    record = load(company(tmp_path / "in", tolerant=True, mapping=mapping, plans=plans), tmp_path / "data")
    assert rows(tmp_path / "data", "contracts", "contract_id", "arr_cents", "outcome") == [
        ("L1", 10000, "churned"),
        ("L2", 10000, None),
    ]
    assert rejected(tmp_path / "data", record) == [
        ("contracts", "query over plans.csv", None, "account_id", "A9", "is not known in accounts")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "colour: unknown entry"),
        ("max_rejected_share = 2", "max_rejected_share: Input should be less than or equal to 1"),
        ("date_format = 'DD.MM.YYYY'", "'DD.MM.YYYY' is no day format"),
        ("[tables.account]", "tables.account is no table of the contract. Did you mean 'accounts'"),
        ("[tables.accounts]\nsauce = 'x'", "tables.accounts.sauce: unknown entry. Did you mean 'source'"),
        ("[tables.accounts.columns]\nnam = 'x'", "unknown column 'nam'. Did you mean 'name'"),
        ("[tables.accounts]\ncolumns = {name = 'x'}\nconstants = {name = 'y'}", "'name' is given twice"),
        ("[tables.accounts]\nquery = 'select 1'\nwhere = 'x'", "a query stands alone"),
        ("[tables.users]\nattributes = {x = 'text'}", "only accounts may have attributes"),
        ("[tables.accounts]\nattributes = {Tier = 'text'}", "an attribute needs a name of its own"),
        ("[tables.accounts]\nattributes = {name = 'text'}", "an attribute needs a name of its own"),
        ("[tables.accounts]\nattributes = {tier = 'money'}", "tables.accounts.attributes.tier"),
        ("[tables.accounts", "cannot be read"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(MappingError) as refused:
        read_mapping(path)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("source = 'plan'", "holds nothing called 'plan'. Did you mean 'plans'"),
        ("source = '../in/plans'", "lies outside"),
        ("source = '../../etc/passwd'", "lies outside"),
        ("source = 'plans'\ncolumns = {mrr = 'prise'}", "plans.csv has no column 'prise'. Did you mean 'price'"),
        (
            "source = 'plans'\nexpressions = {mrr = 'prise * 2'}",
            "plans.csv has no column 'prise'. Did you mean 'price'",
        ),
        ("source = 'plans'\nexpressions = {mrr = 'x.price'}", "unknown table 'x'"),
        ("source = 'plans'\nexpressions = {mrr = 'price +'}", "cannot be read as SQL"),
        ("source = 'plans'\njoin = {customer = 'line'}", "holds nothing called 'customer'"),
        ("query = 'select price * 2 as mrr from plans'", "columns of CSV files are text"),
        ("query = 'select 1 as colour'", "unknown column 'colour'"),
        ("query = 'select nothing as mrr from plans'", 'Referenced column "nothing" not found'),
        ("query = 'select price as mrr from plans'", "has no column 'subscription_id'"),
    ],
)
def test_names_that_the_source_does_not_hold_are_refused(tmp_path: Path, entry: str, said: str) -> None:
    source = company(tmp_path / "in", mapping=f"[tables.subscriptions]\n{entry}\n", plans=PLANS)
    with pytest.raises(LoadError) as refused:
        load(source, tmp_path / "data")
    assert said in str(refused.value)


def test_an_expression_that_fails_on_a_value_says_so(tmp_path: Path) -> None:
    source = folder(tmp_path / "in", mapping=MAPPING, customers=CUSTOMERS, plans=PLANS.replace("1200", "1.200.00"))
    with pytest.raises(LoadError, match=r"tables\.subscriptions: an expression of the mapping fails on a value"):
        load(source, tmp_path / "data")


@pytest.mark.parametrize(
    "text",
    [
        "read_text('/etc/passwd')",
        "getenv('HOME')",
        "(select max(price) from plans)",
        "price in (select 1)",
        "exists (select 1)",
        "row_number() over ()",
        "sum(price)",
        "price; drop table x",
        "current_date",
        "now()",
        "random()",
        "query('select 1')",
        "unnest([1])",
        "(x -> x + 1)",
        "$1",
    ],
)
def test_an_expression_is_one_harmless_value(text: str) -> None:
    with pytest.raises(MappingError):
        checked_expression(text, "here", lambda _table, column: f'"{column}"')


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cast(n as integer) * 2 + 1", 15),
        ("case when n in ('7', '8') and not n is null then 'yes' else 'no' end", "yes"),
        ("coalesce(nullif(word, 'Ada-Lovelace'), upper(word))", "ADA-LOVELACE"),
        ("split_part(word, '-', 2)", "Lovelace"),
        ("left(word, 3) || right(word, 2) || substring(word, 5, 2)", "AdaceLo"),
        ("replace(regexp_replace(word, 'a$', 'x'), '-', '')", "AdaLovelace"),
        ("regexp_extract(word, '(\\w+)-', 1)", "Ada"),
        ("lpad(trim(n), 3, '0')", "007"),
        ("contains(word, 'Love') and starts_with(word, 'Ada') and word like 'A%'", True),
        ("round(greatest(1.26, least(2, 3)), 1)", 2),
        ("strftime(strptime(at, '%d.%m.%Y %H:%M'), '%Y')", "2024"),
        (
            "cast(cast(strptime(at, '%d.%m.%Y %H:%M') at time zone 'Europe/Berlin' as timestamp) as varchar)",
            "2024-07-01 22:30:00",
        ),
        ("try_strptime(word, ['%Y', '%d'])", None),
        ("date_diff('day', date '2024-01-01', make_date(2024, 2, 1))", 31),
        ("cast(date_trunc('month', date '2024-02-29' + interval 1 month) as date)", day("2024-03-01")),
        ("cast(date '2024-03-31' - to_months(cast(n as integer)) as date)", day("2023-08-31")),
        ("try_cast(word as integer)", None),
    ],
)
def test_an_expression_computes_what_sql_says(text: str, value: Any) -> None:
    sql = checked_expression(text, "here", lambda _table, column: f'"{column}"')
    with scratch() as connection:
        found = connection.execute(
            f"select {sql} from (select '7' as n, 'Ada-Lovelace' as word, '02.07.2024 00:30' as at)"
        ).fetchall()
    assert found == [(value,)]


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from other",
        "select * from information_schema.tables",
        "select * from source.main.plans",
        "select * from duckdb_settings()",
        "select * from range(5)",
        "select read_text('/etc/passwd') as x from plans",
        "copy plans to 'x'",
        "attach 'x' as y",
        "insert into plans select 1",
        "create table x as select 1",
        "pragma version",
        "set threads = 1",
        "select 1; select 2",
        "from plans, lateral (select getenv('HOME'))",
        "with plans as (select * from glob('*')) select * from plans",
    ],
)
def test_a_query_reads_nothing_but_the_source(text: str) -> None:
    with pytest.raises(MappingError):
        checked_query(text, "here", {"plans": "view_of_plans"})


def test_a_checked_query_names_the_views_and_keeps_the_callers_names() -> None:
    found = checked_query("select plans.line from plans join Plans p on p.line = plans.line", "here", {"plans": "v_0"})
    assert found == 'SELECT plans.line FROM "v_0" AS "plans" JOIN "v_0" AS p ON p.line = plans.line'


@pytest.mark.skipif(not SHARED.exists(), reason="the public data sets do not lie beside the project")
def test_both_spellings_of_ravenstack_are_the_same_facts(tmp_path: Path) -> None:
    mapping = EXAMPLES / "ravenstack" / "mapping.toml"
    iso = load(SHARED / "ravenstack", tmp_path / "one", mapping=mapping)
    other = load(SHARED / "ravenstack" / "variant_ddmmyyyy", tmp_path / "two", mapping=mapping)
    assert iso.fingerprint == other.fingerprint
    assert {name: one.accepted for name, one in iso.tables.items()} == {
        "accounts": 500,
        "subscriptions": 5000,
        "events": 25000,
        "products": 3,
        "contracts": 2344,
        "tickets": 2000,
        "surveys": 1175,
    }
    assert sum(one.rejected + one.duplicate for one in iso.tables.values()) == 0


@pytest.mark.skipif(not SHARED.exists(), reason="the public data sets do not lie beside the project")
def test_the_telco_snapshot_loads(tmp_path: Path) -> None:
    record = load(SHARED / "telco_ibm", tmp_path / "data", mapping=EXAMPLES / "telco_ibm" / "mapping.toml")
    assert counts(record, "accounts") == (7043, 7043, 0, 0)
    lines = rows(tmp_path / "data", "subscriptions", "mrr_cents", "ends_on")
    assert sum(cents for cents, _ in lines) == 45611660
    assert sum(cents for cents, ends_on in lines if ends_on) == 13913085
    assert record.newest_day == day("2018-09-30")


def test_the_mapping_of_the_handbook_can_be_read(tmp_path: Path) -> None:
    text = (EXAMPLES.parent / "loading.md").read_text()
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        assert read_mapping(path).tables


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_the_handbook_names_every_column_key_and_choice(table: Any) -> None:
    text = (EXAMPLES.parent / "loading.md").read_text()
    row = re.search(rf"^\| `{table.name}` .*$", text, re.MULTILINE)
    assert row is not None
    cells = [cell.strip() for cell in row.group().split("|")]
    assert cells[3] == (", ".join(table.key) or "none")
    named = re.findall(r"(?:^|· )(\w+)(\*?)", cells[4])
    assert named == [(column.name, "*" if column.required else "") for column in table]
    for column in table:
        assert not column.choices or f"({', '.join(column.choices)}" in cells[4]
