"""The tables that a company may hand over: the single description that loading, marts, demo and docs share.

A `time` column `x_at` gets a companion `x_on`: its day in the reporting time zone, fixed when the row is loaded.
"""

from cs_metrics.contract.schema import SQL_TYPES, Column, Kind, Table, columns, day_column

__all__ = ["HAPPENED", "SQL_TYPES", "STARTED", "TABLES", "Column", "Kind", "Table", "day_column"]


# Days on which something happened: the newest of them is the default as-of day. Plans (ends, due days) do not count.
HAPPENED = {
    "events": "occurred_on",
    "tickets": "opened_on",
    "surveys": "answered_on",
    "messages": "sent_on",
    "milestone_completions": "completed_on",
    "contracts": "decided_on",
    "usage_limits": "measured_on",
    "opportunities": "opened_on",
}
# Where nothing of that was handed over, the days on which something began.
STARTED = {"subscriptions": "starts_on", "accounts": "started_on"}


def _tables(*tables: Table) -> dict[str, Table]:
    return {one.name: one for one in tables}


TABLES: dict[str, Table] = _tables(
    Table(
        name="accounts",
        grain="one customer company",
        key=("account_id",),
        is_required=True,
        feeds="every page",
        columns=columns("""
            account_id* id
            name* text
            started_on* date
            segment text
            industry text
            region text
            country text
            plan text
            employees int min:0
            csm text
            onboarding_manager text
            salesperson text
            team text
            parent_id id to:accounts
            currency text
            time_zone text
            is_flagship bool
            acquisition_cost money min:0
            archetype text in:application|platform
        """),
    ),
    Table(
        name="subscriptions",
        grain="one priced line for one term",
        key=("subscription_id",),
        is_required=True,
        ordered=(("starts_on", "ends_on"),),
        feeds="MRR, ARR, GRR, NRR, churn, forecast, seats",
        columns=columns("""
            subscription_id* id
            account_id* id to:accounts
            starts_on* date
            ends_on date
            mrr* money min:0
            product_id id
            seats int min:0
            billing text in:monthly|quarterly|annual|multi_year
            is_trial bool
        """),
    ),
    Table(
        name="events",
        grain="one use of the product",
        feeds="activation, time to value, health (depth, activity), expansion",
        columns=columns("""
            account_id* id to:accounts
            event* text
            occurred_at* time
            user_id id
            quantity number default:1
            product_id id
        """),
    ),
    Table(
        name="users",
        grain="one end user of one account",
        key=("account_id", "user_id"),
        ordered=(("created_at", "deactivated_at"),),
        feeds="end users by department, seats activated, expansion to other departments",
        columns=columns("""
            user_id* id
            account_id* id to:accounts
            department text
            role text
            created_at time
            deactivated_at time
        """),
    ),
    Table(
        name="products",
        grain="one thing sold",
        key=("product_id",),
        feeds="white space, core-feature depth, expansion",
        columns=columns("""
            product_id* id
            name* text
            kind text in:core|add_on|tier|service
            milestone_id id
            list_price money min:0
            is_core bool
        """),
    ),
    Table(
        name="product_events",
        grain="one event name that counts as using a product",
        key=("product_id", "event"),
        feeds="white space, core-feature depth",
        columns=columns("""
            product_id* id to:products
            event* text
        """),
    ),
    Table(
        name="usage_limits",
        grain="one limit of one account, measured on one day",
        key=("account_id", "resource", "measured_on"),
        feeds="expansion by seats and usage limits",
        columns=columns("""
            account_id* id to:accounts
            resource* text
            measured_on* date
            used* number min:0
            allowed* number min:0
        """),
    ),
    Table(
        name="contracts",
        grain="one renewable commitment",
        key=("contract_id",),
        ordered=(("starts_on", "ends_on"),),
        feeds="renewal pipeline, renewal rates, likelihood, forecast",
        columns=columns("""
            contract_id* id
            account_id* id to:accounts
            starts_on* date
            ends_on* date
            arr* money min:0
            auto_renews bool
            owner text
            outcome text in:renewed|churned
            decided_on date
            renewed_arr money min:0
            renewed_until date
            reason text
            competitor text
            discount_percent number
            forecast text in:commit|best_case|at_risk
        """),
    ),
    Table(
        name="milestones",
        grain="one step of onboarding",
        key=("milestone_id",),
        feeds="milestone funnel, onboarding risk, expansion gate",
        columns=columns("""
            milestone_id* id
            name* text
            position* int
            due_days* int min:0
            segment text
            completes_on_event text
        """),
    ),
    Table(
        name="milestone_completions",
        grain="one step done by one account",
        key=("account_id", "milestone_id"),
        feeds="milestone funnel, onboarding risk, expansion gate",
        columns=columns("""
            account_id* id to:accounts
            milestone_id* id to:milestones
            completed_on* date
        """),
    ),
    Table(
        name="ctas",
        grain="one call to action from another system",
        key=("cta_id",),
        ordered=(("opened_on", "closed_on"), ("flagged_on", "unflagged_on")),
        feeds="onboarding risk",
        columns=columns("""
            cta_id* id
            account_id* id to:accounts
            kind* text in:risk|lifecycle|expansion|objective|activity
            reason* text
            opened_on* date
            due_on date
            owner text
            priority text
            flagged_on date
            unflagged_on date
            team_needed text
            closed_on date
            closed_as text in:success|lost|not_valid
        """),
    ),
    Table(
        name="tickets",
        grain="one support request",
        key=("ticket_id",),
        ordered=(("opened_at", "first_replied_at"), ("opened_at", "closed_at")),
        feeds="health (support), expansion blockers",
        columns=columns("""
            ticket_id* id
            account_id* id to:accounts
            opened_at* time
            first_replied_at time
            closed_at time
            priority text in:low|normal|high|urgent
            kind text in:question|bug|request
            product_id id
            user_id id
        """),
    ),
    Table(
        name="surveys",
        grain="one answer to a survey",
        key=("account_id", "kind", "answered_at", "user_id"),
        feeds="health (sentiment), expansion blockers",
        columns=columns("""
            account_id* id to:accounts
            kind* text in:nps|csat
            score* number
            answered_at* time
            user_id id
            comment text
        """),
    ),
    Table(
        name="meetings",
        grain="one meeting, held or not",
        key=("account_id", "kind", "scheduled_on"),
        feeds="health (relationship), coverage, expansion timing",
        columns=columns("""
            account_id* id to:accounts
            kind* text in:kickoff|training|check_in|qbr|ebr|visit|executive
            scheduled_on* date
            was_held bool
            went_well bool
            host text
        """),
    ),
    Table(
        name="messages",
        grain="one message sent by us",
        key=("account_id", "kind", "sent_at"),
        ordered=(("sent_at", "opened_at"), ("sent_at", "replied_at")),
        feeds="hand-off, avoidance of contact",
        columns=columns("""
            account_id* id to:accounts
            sent_at* time
            kind* text in:welcome|check_in|renewal|value_report
            opened_at time
            replied_at time
        """),
    ),
    Table(
        name="contacts",
        grain="one person with a part in the decision",
        key=("contact_id",),
        ordered=(("since", "left_on"),),
        feeds="health (relationship), sponsor moves",
        columns=columns("""
            contact_id* id
            account_id* id to:accounts
            name text
            role* text in:decision_maker|sponsor|champion|admin
            since date
            left_on date
            moved_to text
        """),
    ),
    Table(
        name="handoffs",
        grain="the passage of one account from sales",
        key=("account_id",),
        feeds="hand-off completeness",
        columns=columns("""
            account_id* id to:accounts
            paid_at* time
            deal_value money min:0
            sales_cycle_days int min:0
            implementation_days int min:0
            has_profile bool
            has_order bool
            has_technical_needs bool
            has_expected_outcomes bool
        """),
    ),
    Table(
        name="outcomes",
        grain="one result of one customer in one month",
        key=("account_id", "metric", "month"),
        feeds="health (outcome), busy but not winning, value in numbers",
        columns=columns("""
            account_id* id to:accounts
            metric* text
            month* date
            value* number
        """),
    ),
    Table(
        name="opportunities",
        grain="one expansion deal",
        key=("opportunity_id",),
        ordered=(("opened_on", "closed_on"),),
        feeds="expansion likelihood",
        columns=columns("""
            opportunity_id* id
            account_id* id to:accounts
            kind* text in:seats|limit|department|product|service|price
            opened_on* date
            closed_on date
            stage* text in:open|won|lost
            arr* money min:0
            product_id id
            owner text
            won_with text
        """),
    ),
    Table(
        name="commitments",
        grain="one promise to a customer",
        key=("account_id", "made_on", "promise"),
        feeds="open promises",
        columns=columns("""
            account_id* id to:accounts
            made_on* date
            promise* text
            due_on date
            kept_on date
        """),
    ),
    Table(
        name="targets",
        grain="one quota of one person and quarter",
        key=("person", "quarter", "kind"),
        feeds="leaderboard",
        columns=columns("""
            person* text
            quarter* text
            kind* text in:renewal|expansion
            amount* money min:0
        """),
    ),
    Table(
        name="rates",
        grain="one currency rate from one day on",
        key=("currency", "valid_from"),
        feeds="conversion to the reporting currency",
        columns=columns("""
            currency* text
            valid_from* date
            rate* number
        """),
    ),
)
