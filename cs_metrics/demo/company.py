"""Writes the invented company: contract files of every table, and the truth beside them."""

from collections.abc import Callable
from pathlib import Path

from cs_metrics.contract.tables import TABLES
from cs_metrics.demo import books, contact, people, results, support
from cs_metrics.demo.adoption import draw_adoption
from cs_metrics.demo.care import ctas_table
from cs_metrics.demo.clock import Clock
from cs_metrics.demo.files import write_batches, write_table
from cs_metrics.demo.ledger import Ledger
from cs_metrics.demo.onboarding import completions_table, draw_onboarding, handoffs_table, milestones_table
from cs_metrics.demo.traits import accounts_table, draw_traits
from cs_metrics.demo.truth import Truth, tell_truth, write_contract_truth
from cs_metrics.demo.uptake import draw_uptake
from cs_metrics.demo.usage import Usage

__all__ = ["Progress", "write"]

Progress = Callable[[str, int, int], None]
"""Called with what is being written, how many steps are done, and how many there are."""


def write(
    folder: Path,
    *,
    accounts: int = 400,
    months: int = 36,
    events: int = 2_000_000,
    seed: int = 7,
    progress: Progress | None = None,
) -> Truth:
    """Invent a company and write it into `folder`; return what is true about it.

    Every table of the contract becomes `<table>.parquet`, the events one file per month, `events/2024-01.parquet`;
    `truth.json` and `truth_contracts.parquet` lie beside them. The history is the `months` months up to 2026-10-31.
    About `events` events are written (never fewer than the weekly key actions need). More events mean more of them per
    visit; below about 1 700 per account and 36 months visits are left out, and users look less active than they are.
    The same arguments give the same bytes; another number of events leaves every table but the events as it is.

    `ValueError` when there are fewer than 10 accounts, 3 months or 0 events, or more than 120 months.
    """
    if accounts < 10 or not 3 <= months <= 120 or events < 0:
        raise ValueError("the demo needs at least 10 accounts, 3 to 120 months and no negative number of events")
    say = progress or (lambda _what, _done, _total: None)
    steps = months + 3
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock(months)
    say("contracts", 0, steps)
    traits = draw_traits(seed, accounts, clock)
    onboarding = draw_onboarding(seed, traits)
    adoption = draw_adoption(seed, traits, onboarding, clock)
    ledger = Ledger(seed, traits, onboarding, adoption, clock)
    ledger.play()
    contracts = sorted(ledger.contracts, key=lambda one: (one.start, one.account))
    say("people", 1, steps)
    users = people.draw_users(seed, traits, adoption, ledger, clock)
    uptake = draw_uptake(seed, traits, onboarding, adoption, ledger, clock)
    paid_at = contact.paid_times(seed, traits)
    tickets, ticket_account = support.tickets_table(seed, traits, adoption, ledger, users)
    tables: dict[str, dict[str, object]] = {
        "accounts": accounts_table(seed, traits, ledger.first_arr),
        "subscriptions": books.subscriptions_table(traits, ledger),
        "users": people.users_table(seed, users, traits),
        "products": books.products_table(),
        "product_events": books.product_events_table(),
        "usage_limits": results.usage_limits_table(seed, traits, ledger, users, clock),
        "contracts": books.contracts_table(traits, contracts),
        "milestones": milestones_table(),
        "milestone_completions": completions_table(traits, onboarding, ledger.gone),
        "ctas": ctas_table(seed, traits, onboarding, adoption, ledger),
        "tickets": tickets,
        "surveys": support.surveys_table(seed, traits, adoption, ledger, users, tickets, ticket_account),
        "meetings": contact.meetings_table(seed, traits, onboarding, adoption, ledger),
        "messages": contact.messages_table(seed, traits, adoption, ledger, paid_at),
        "contacts": people.contacts_table(seed, traits, adoption, ledger),
        "handoffs": handoffs_table(seed, traits, paid_at, ledger.first_arr),
        "outcomes": results.outcomes_table(seed, traits, adoption, ledger, clock),
        "opportunities": books.opportunities_table(traits, ledger),
        "commitments": contact.commitments_table(seed, traits, ledger),
        "targets": books.targets_table(seed, traits, ledger, clock),
        "rates": books.rates_table(clock),
    }
    say("tables", 2, steps)
    rows = {name: write_table(folder, name, columns) for name, columns in tables.items()}
    usage = Usage(seed, traits, adoption, ledger, users, uptake, clock, events)
    rows["events"] = 0
    (folder / "events").mkdir(exist_ok=True)
    for month in range(months):
        name = clock.month_name(month)
        say(f"events of {name}", 3 + month, steps)
        rows["events"] += write_batches(folder / "events" / f"{name}.parquet", usage.month(month))
    write_contract_truth(folder, traits, contracts)
    truth = tell_truth(
        seed=seed,
        clock=clock,
        traits=traits,
        onboarding=onboarding,
        adoption=adoption,
        ledger=ledger,
        rows={name: rows[name] for name in TABLES},
    )
    truth.write(folder)
    say("", steps, steps)
    return truth
