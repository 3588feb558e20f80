"""The low-price counter on the renewals page: the rival's offer typed in, four arguments out."""

from typing import Any

import pandas as pd
import streamlit as st

from cs_metrics.report import format as say
from cs_metrics.report import renewal_call as words
from cs_metrics.ui.shell import Page
from cs_metrics.ui.words import plain

__all__ = ["draw_offer"]

_OFFER = {
    "price": "Our price per user and month",
    "rival_price": "The other's price",
    "users": "Users",
    "active_users": "Work with it often",
}
_COUNTS = ("users", "active_users")
_CHANGE = {
    "selection": "Selection",
    "learning": "Learning",
    "recustomising": "Tailoring again",
    "migration": "Moving data",
}
_HELP = {
    "rival_price": "Per user and month; until somebody knows it, a share below ours",
    "active_users": "Users with use on enough of the last 28 days",
    "learning": "Hours for each user who uses the product now",
}


def draw_offer(page: Page, asked: dict[str, Any]) -> pd.DataFrame:
    """Draw the inputs and the four arguments, and return the answer of the metric."""
    known = page.metric("low_price", **asked).set_index("item")["value"]
    contract = asked["contract_id"]
    options = {**asked, **_typed(known, contract)}
    found = page.metric("low_price", **options)
    with page.card(
        f"Against a lower price: {words.low_price_title(found, page.currency)}",
        "in the account's own numbers; type over what you know better",
        metric=("low_price", options),
        key="low_price",
        has_scope=False,
    ):
        _inputs(page, known, _OFFER, contract)
        st.caption(plain(f"What a change takes, in {page.currency}"))
        _inputs(page, known, _CHANGE, contract)
        _arguments(page, found)
    return found


def _shown(known: "pd.Series[Any]", item: str) -> Any:
    """Return what a box shows at first: what is known of the account, nothing where nothing is."""
    if not say.is_known(known[item]):
        return None
    return int(known[item]) if item in _COUNTS else round(float(known[item]), 2)


def _typed(known: "pd.Series[Any]", contract: str) -> dict[str, Any]:
    """Return what the reader typed over what is known, as the boxes hold it when the page is drawn."""
    found = {}
    for item in (*_OFFER, *_CHANGE):
        shown = _shown(known, item)
        given = st.session_state.get(f"offer_{item}_{contract}", shown)
        if given is not None and given != shown:
            found[item] = given
    return found


def _inputs(page: Page, known: "pd.Series[Any]", labels: dict[str, str], contract: str) -> None:
    for area, (item, label) in zip(page.columns(*[1] * len(labels)), labels.items(), strict=True):
        is_count = item in _COUNTS
        area.number_input(
            label,
            min_value=0 if is_count else 0.0,
            value=_shown(known, item),
            step=1 if is_count else None,
            placeholder="not recorded",
            help=_HELP.get(item),
            key=f"offer_{item}_{contract}",
        )


def _arguments(page: Page, found: pd.DataFrame) -> None:
    areas = page.columns(1, 1, 1, 1)
    for area, (argument, word) in zip(areas, words.ARGUMENTS.items(), strict=True):
        mark = words.argument_mark(found, argument)
        sign = {
            "good": ":green[● speaks for us]",
            "look": ":orange[▲ weak here]",
            "unknown": ":gray[○ not recorded]",
        }[mark]
        with area, st.container(border=True, height="stretch", gap="xsmall"):
            st.markdown(f"**{word}** :small[{sign}]")
            st.markdown(plain(words.argument_text(found, argument)))
