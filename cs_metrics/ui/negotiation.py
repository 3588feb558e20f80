"""Prepare a call, on the renewals page: the self-check, how to stand, what to give, the low-price counter, a page to print."""

from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.report import format as say
from cs_metrics.report import renewal_call as words
from cs_metrics.report.one_page_html import html_page
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.negotiation_offer import draw_offer
from cs_metrics.ui.shell import Page
from cs_metrics.ui.tables import Col
from cs_metrics.ui.words import plain, slug

__all__ = ["draw"]

_SIGNS = {"good": ":green[●]", "look": ":orange[▲]", "bad": ":red[■]", "not recorded": ":gray[○]"}
_CALLS = {"commit": "commit", "best_case": "best case", "at_risk": "at risk"}
_GIVEN = {
    "concession": Col(label="Give", width=140),
    "much": Col(label="How much equals it", width=130),
    "equal_value": Col(label="Worth to them", kind="money"),
    "equal_cost": Col(label="Costs us", kind="money"),
    "saved": Col(label="We keep", kind="money", help="Against the cash discount, in the first year"),
    "cost_over_years": Col(label="Over years", kind="money", help="A lower price is given again at each renewal"),
    "whole": Col(label="In whole units", width=120),
    "whole_cost": Col(label="then costs us", kind="money"),
    "caution": Col(label="Mind", width=290),
}
_WHO = {
    "activity": Col(label="Activity", width=280, is_pinned=True),
    "csm": Col(label="CSM"),
    "renewal_manager": Col(label="Renewal manager"),
    "team_lead": Col(label="Team lead"),
    "executive": Col(label="Executive"),
}
_LETTERS = {"R": "Does it", "A": "Answers for it", "AR": "Does it, answers for it", "C": "Is asked", "I": "Is told"}


def draw(page: Page) -> None:
    """Draw the preparation of one call; without a choice, of the most urgent renewal."""
    rows = page.metric("renewal_pipeline", days=page.choices["days"])
    if rows.empty:
        page.empty("No undecided contract is due in this window, and none is overdue.", title="Prepare a call")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        chosen = _pick(page, rows)
        files = st.container(horizontal=True, gap="small", vertical_alignment="center")
    asked: dict[str, Any] = {"account_id": str(chosen["account_id"]), "contract_id": str(chosen["contract_id"])}
    found = page.metric("negotiation_stances", account_id=asked["account_id"])
    stance = found[found["contract_id"] == asked["contract_id"]].iloc[0]
    _figures(page, stance, chosen)
    _stance(page, stance)
    check = page.metric("self_check", **asked)
    _check(page, check, asked)
    given = _given(page, asked)
    offer = draw_offer(page, asked)
    people = page.metric("raci", account_id=asked["account_id"])
    with files:
        _downloads(page, stance, check, given, offer, people)
        page.account_link(asked["account_id"])
    draw_raci(page, asked["account_id"])


def _pick(page: Page, rows: pd.DataFrame) -> "pd.Series[Any]":
    options = {
        str(
            row["contract_id"]
        ): f"{row['name']} · {say.money(row['arr'], page.currency)} · ends {say.date(row['ends_on'].date())}"
        for row in rows.to_dict("records")
    }
    contract = page.pick("contract", "Contract", options, width=460)
    return rows[rows["contract_id"] == contract].iloc[0]


def _figures(page: Page, stance: "pd.Series[Any]", chosen: "pd.Series[Any]") -> None:
    asked = ("negotiation_stances", {"account_id": str(stance["account_id"])})
    left = int(stance["days_left"])
    call = _CALLS.get(str(stance["owner_call"]), "")
    may = page.money(stance["concession_arr"]) if stance["concession_to"] else "Nothing"
    shown = [
        Figure(
            label="To renew",
            value=page.money(stance["arr"]),
            note=words.when(left),
            metric=asked,
        ),
        Figure(
            label="Likelihood",
            value=say.percent(stance["likelihood"], 0),
            note=f"the owner calls it {call}" if call else "no call of the owner",
            metric=asked,
        ),
        Figure(label="Health", value=say.health(str(stance["colour"])), note="last complete week", metric=asked),
        Figure(
            label="May be given",
            value=may,
            note=f"only against {stance['only_against']}" if stance["only_against"] else "a year, at most",
            metric=asked,
        ),
        Figure(
            label="Next step",
            value=say.date(chosen["next_step_on"].date()) if say.is_known(chosen["next_step_on"]) else say.UNKNOWN,
            note=str(chosen["next_step"]),
            metric=("renewal_pipeline", {"days": page.choices["days"]}),
        ),
    ]
    page.figures(shown, columns=5)


def _stance(page: Page, stance: "pd.Series[Any]") -> None:
    asked = ("negotiation_stances", {"account_id": str(stance["account_id"])})
    with page.card(
        f"{stance['stance']}: {stance['sentence']}",
        f"because {stance['why']}",
        metric=asked,
        key="stance",
        has_scope=False,
    ):
        st.markdown(f"**Ask for:** {plain(str(stance['ask']))}")


def _check(page: Page, check: pd.DataFrame, asked: dict[str, Any]) -> None:
    areas = page.columns(1, 1, 1)
    for area, question in zip(areas, words.QUESTIONS, strict=True):
        with (
            area,
            page.card(
                words.check_title(check, question),
                metric=("self_check", asked),
                key=f"check_{question}",
                has_scope=False,
            ),
        ):
            lines = check[check["question"] == question].to_dict("records")
            st.markdown("\n\n".join(_line(row) for row in lines))


def _line(row: dict[Any, Any]) -> str:
    sign, said = _SIGNS[str(row["state"])], plain(words.check_answer(row))
    return f"{sign} **{plain(str(row['item']))}**: {said}  \n:small[:gray[{plain(str(row['evidence']))}]]"


def _given(page: Page, asked: dict[str, Any]) -> pd.DataFrame:
    percent = st.number_input(
        "Cash discount to compare with, in percent",
        min_value=0.0,
        max_value=90.0,
        value=100 * page.config.negotiation.discount,
        step=1.0,
        format="%.1f",
        key=f"discount_{asked['contract_id']}",
        width=280,
    )
    options = {**asked, "discount": percent / 100}
    given = page.metric("concessions", **options)
    shown = given.assign(
        much=[words.amount_words(*one) for one in zip(given["equal_amount"], given["unit"], strict=True)],
        whole=[words.amount_words(*one) for one in zip(given["whole_amount"], given["unit"], strict=True)],
    )
    page.table(
        shown,
        _GIVEN,
        title=words.equal_title(given, page.currency),
        caption=f"of equal value to the customer; over {say.plural(page.config.negotiation.repeated_years, 'year')}",
        metric=("concessions", options),
        key="concessions",
        opens=None,
    )
    return given


def draw_raci(page: Page, account_id: str = "") -> None:
    """Draw who does what in a renewal, with the people of an account where they are known."""
    options: dict[str, Any] = {"account_id": account_id}
    found = page.metric("raci", **options)
    wide = found.assign(word=found["letter"].map(_LETTERS).fillna("")).pivot(
        index=["place", "activity"], columns="role", values="word"
    )
    people = found.dropna(subset=["person"]).drop_duplicates("role").set_index("role")["person"]
    columns = {
        name: Col(
            label=f"{col.label}: {people[name]}" if name in people.index else col.label,
            width=col.width,
            is_pinned=col.is_pinned,
        )
        for name, col in _WHO.items()
    }
    page.table(
        wide.reset_index(),
        columns,
        title="Who does what in a renewal",
        caption="agreed in the settings; names are those of this account" if account_id else "agreed in the settings",
        metric=("raci", options),
        key="raci",
        opens=None,
    )


def _downloads(
    page: Page,
    stance: "pd.Series[Any]",
    check: pd.DataFrame,
    given: pd.DataFrame,
    offer: pd.DataFrame,
    people: pd.DataFrame,
) -> None:
    about: dict[str, Any] = {"as_of": page.as_of, "currency": page.currency}
    name = slug(str(stance["name"]))

    def sheet() -> bytes:
        made = words.call_sheet(stance=stance, check=check, given=given, found=offer, people=people, **about)
        return html_page(made).encode()

    def customer() -> bytes:
        return html_page(words.customer_page(offer, name=str(stance["name"]), **about)).encode()

    for label, data, file in (
        ("Call sheet for us (internal)", sheet, f"call-sheet-internal-{name}"),
        ("Page for the customer", customer, f"staying-or-changing-{name}"),
    ):
        st.download_button(
            label,
            data=data,
            file_name=f"{file}-{page.as_of}.html",
            mime="text/html",
            icon=":material/print:",
            key=f"print_{file}",
            help="One A4 page that opens in any browser and prints as it is",
            on_click="ignore",
        )
