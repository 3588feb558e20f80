"""The few rules of style that the theme cannot say: the filter row, the cards, the sidebar, print."""

import streamlit as st

__all__ = ["draw"]

_CSS = """
<style>
[data-testid="stMainBlockContainer"] { max-width: 1320px; padding: 1.9rem 2.5rem 4rem; }
[data-testid="stHeader"] { background: transparent; height: 2.6rem; }
.st-key-links [data-testid="stCaptionContainer"] { margin: .9rem 0 -.6rem .5rem; opacity: 1; }
.st-key-links [data-testid="stCaptionContainer"] p { font-weight: 600; }
.st-key-links [data-testid="stElementContainer"]:has([data-testid="stPageLink"]) { margin: -1px 0; }
.st-key-links [data-testid="stPageLink-NavLink"] { min-height: 27px; }
.st-key-about { padding-left: .5rem; }
[data-testid="stMarkdownContainer"] code { font-size: .9em; }
.st-key-filters { position: relative; }
.st-key-show_filters { display: none; }
[class*="st-key-card_"] { position: relative; }
[class*="st-key-card_"] [class*="st-key-explain_"] { position: absolute; top: .55rem; right: .6rem; width: auto; z-index: 2; }
[class*="st-key-figure_"] { position: relative; }
[class*="st-key-figure_"] [class*="st-key-explain_"] { position: absolute; top: .45rem; right: .35rem; width: auto; z-index: 2; }
[class*="st-key-explain_"] button { min-height: 1.6rem; padding: 0 .25rem; }
[class*="st-key-explain_"] button [data-testid="stIconMaterial"] { font-size: 1.05rem; opacity: .55; }
[class*="st-key-explain_"] button:hover [data-testid="stIconMaterial"] { opacity: 1; }
[data-testid="stPopoverBody"] { width: min(640px, 92vw); max-width: 92vw; }
[class*="st-key-figure_"] [data-testid="stMetricLabel"] { padding-right: 1.4rem; }
[class*="st-key-card_"] h3 { padding: .15rem 2rem .4rem 0; }
[class*="st-key-explain_"] button div[aria-hidden="true"] { display: none; }
[class*="st-key-explain_"] button [data-testid="stMarkdownContainer"] { position: absolute; right: 0; opacity: 0; pointer-events: none; }
@media (max-width: 640px) {
  .heatmap-label { display: none; }
  [class*="st-key-figure_"] [data-testid="stMetric"] .stMarkdownEllipsis p { white-space: normal; }
  [class*="st-key-figure_"] [data-testid="stMetric"] div:has(> [data-testid="stMetricDelta"]) { flex-wrap: wrap; }
  [data-testid="stMainBlockContainer"] { padding: 2.8rem 1rem 3rem; }
  .st-key-show_filters { display: flex; }
  .st-key-filter_row > div { flex: 1 1 44%; }
  .st-key-filter_row > div:has([data-testid="stButtonGroup"]) { flex-basis: 100%; }
  .st-key-filters:not(:has(.st-key-show_filters input:checked)) .st-key-filter_row { display: none; }
}
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], .st-key-filters, [class*="st-key-explain_"] { display: none !important; }
}
</style>
"""


def draw() -> None:
    """Add the rules to the page."""
    st.html(_CSS)
