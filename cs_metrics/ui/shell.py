"""What every page stands on: `page = shell.begin("Renewals")`, then answers, figures, charts and tables from top to bottom.

A page computes nothing and asks nothing of the database: `page.metric(name)` answers, `page.chart` and `page.table`
draw. Every card has its definition, SQL and rows one click away.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import pandas as pd
import streamlit as st

from cs_metrics.config import Config
from cs_metrics.errors import CsMetricsError, MissingTable, NothingPublished
from cs_metrics.metrics.scope import Scope
from cs_metrics.report import format as say
from cs_metrics.report import plotly_cells, plotly_figure
from cs_metrics.report.chart import Chart
from cs_metrics.report.palette import Mode
from cs_metrics.store import Store
from cs_metrics.ui import explain, figures, find, link, navigation, results, tables, walk, watch, words
from cs_metrics.ui.figures import Figure
from cs_metrics.ui.filters import Choice, Filters, Pick, bar, choose
from cs_metrics.ui.filters import carried as carried_filters
from cs_metrics.ui.tables import Col
from cs_metrics.ui.words import Asked

__all__ = ["Choice", "Col", "Figure", "Page", "Pick", "begin"]


def begin(title: str, question: str = "", *, filters: Sequence[Choice | Pick] = (), has_scope: bool = True) -> "Page":
    """Begin a page: title, filter bar, and the checks; stops with the two commands to run where nothing is published.

    `question` is the reader's question, told beside the title. `filters` are the page's own controls after the
    common ones; `has_scope=False` leaves the columns of accounts out (pages that are not about accounts).
    """
    head = st.empty()
    head.title(title, anchor=False, help=question or None)
    try:
        store = results.current()
        store.oldest_day  # noqa: B018  a broken generation shows itself here
    except NothingPublished:
        navigation.draw({})
        words.nothing_published()
        st.stop()
    except CsMetricsError as error:
        navigation.draw({})
        st.error(str(error))
        st.stop()
    found = bar(store, filters, page=title, has_scope=has_scope)
    carried = carried_filters()
    top = navigation.draw(
        carried, f"Data to {say.date(store.newest_day)}  \n{store.config.currency}, days in {store.time_zone}"
    )
    watch.newer(store.number)
    page = Page(title=title, store=store, config=store.config, filters=found, carried=carried, _head=head)
    with top:
        find.draw(page)
    return page


@dataclass
class Page:
    """An open page: the data it is about (`store`, `as_of`, `scope`, `choices`) and everything that can be put on it."""

    title: str
    store: Store
    config: Config
    filters: Filters
    carried: dict[str, Any]
    _head: Any = None
    _cards: int = field(default=0)

    @property
    def as_of(self) -> dt.date:
        """The day of knowledge."""
        return self.filters.as_of

    @property
    def scope(self) -> Scope:
        """The accounts that the page is about."""
        return self.filters.scope

    @property
    def choices(self) -> dict[str, str]:
        """What was chosen in the page's own controls, by key."""
        return self.filters.choices

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.config.currency

    @property
    def mode(self) -> Mode:
        """The colours of the reader's screen: light or dark."""
        return "dark" if st.context.theme.type == "dark" else "light"

    # Numbers

    def metric(
        self, name: str, *, as_of: dt.date | None = None, scope: Scope | None = None, **options: Any
    ) -> pd.DataFrame:
        """Answer a metric for the page's day and accounts; a question asked before is not computed again."""
        return self.asked(name, as_of=as_of, scope=scope, **options).frame

    def asked(
        self, name: str, *, as_of: dt.date | None = None, scope: Scope | None = None, **options: Any
    ) -> results.Answer:
        """Answer a metric together with the queries that ran for it."""
        return results.answer(
            self.store, self.config, name, as_of or self.as_of, self.scope if scope is None else scope, options
        )

    def course(self, name: str, column: str, **options: Any) -> list[float | None]:
        """Return one column of a metric for a sparkline; nothing where the metric cannot be answered."""
        try:
            return [None if one != one else float(one) for one in self.metric(name, **options)[column]]
        except CsMetricsError:
            return []

    def money(self, amount: float | None) -> str:
        """Return an amount in the reporting currency."""
        return say.money(amount, self.currency)

    # Text

    def named(self, name: str) -> None:
        """Set the name of the one thing that the page is about in the place of its title."""
        if self._head is not None:
            self._head.title(words.plain(name), anchor=False)

    def answer(self, sentence: str) -> None:
        """Say the message of the page in one sentence, with the accounts and the day that it is about."""
        st.markdown(words.plain(sentence))
        st.caption(words.plain(self._about()))

    def note(self, sentence: str) -> None:
        """Say something quietly."""
        st.caption(words.plain(sentence))

    def section(self, title: str, caption: str = "") -> None:
        """Begin a section that is not a card."""
        st.subheader(words.plain(title), anchor=False)
        if caption:
            st.caption(words.plain(caption))

    def empty(self, sentence: str, title: str = "") -> None:
        """Say that there is nothing to show, and why."""
        with st.container(border=True):
            if title:
                st.subheader(words.plain(title), anchor=False)
            st.caption(f":material/info: {words.plain(sentence)}")

    def missing(self, error: MissingTable) -> None:
        """Say which table is missing, what it switches off and where to read how to load it."""
        words.missing(error)

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Show the empty state of a section, and go on, when its table is missing or its question cannot be asked."""
        try:
            yield
        except MissingTable as error:
            self.missing(error)
        except CsMetricsError as error:
            self.empty(str(error))

    # Layout

    def columns(self, *weights: float) -> Sequence[Any]:
        """Return areas side by side (below each other on a phone)."""
        return st.columns(list(weights), gap="small")

    def tabs(self, drawn: Mapping[str, Callable[[], None]], *, key: str = "tab") -> None:
        """Draw tabs, each by its function; only the open one runs, each in its own guard. The open tab is in the URL."""
        for area, draw in zip(link.tabs(key, list(drawn)), drawn.values(), strict=True):
            if area.open:
                with area, self.guard():
                    draw()

    def choose(
        self,
        key: str,
        label: str,
        options: Mapping[str, str],
        default: str = "",
        *,
        is_list: bool = False,
        width: int = 168,
    ) -> str:
        """Draw a control with a closed list beside a chart and return the chosen value; it is bound to the URL."""
        choice = Choice(key=key, label=label, options=options, default=default, is_list=is_list)
        return choose(choice, width=width)

    def param(self, key: str) -> str:
        """Return what the URL says for a key, empty when it says nothing; never trust it to exist in the data."""
        return str(st.query_params.get(key) or "")

    def pick(self, key: str, label: str, options: Mapping[str, str], *, width: int = 320) -> str:
        """Draw a drop-down with search over many values (accounts) and return the chosen one; it is bound to the URL."""
        return self.choose(key, label, options, is_list=True, width=width)

    def search(self, key: str, label: str) -> str:
        """Draw a search box bound to the URL and return what was typed."""
        return link.search(key, label)

    # Cards

    def figure(self, label: str, now: float | None, unit: str, **more: Any) -> Figure:
        """Return the card of a number: `unit` money, percent, count, days or number; see `figures.made` for the rest.

        `before` and `since` give the change, `good` its welcome direction, `part`, `whole` and `noun` the denominator,
        `reason` why the number is unknown. A share over fewer accounts than configured shows the counts.
        """
        return figures.made(label, now, unit, currency=self.currency, minimum=self.config.min_accounts, **more)

    def figures(self, shown: Sequence[Figure], *, columns: int = 4) -> None:
        """Draw the row of bordered figures."""
        with st.grid(min(columns, len(shown)), min_column_width=150, gap=12, key=f"figures_{self._next()}"):
            for figure in shown:
                with st.container(key=f"figure_{self._next()}", gap=None, height="stretch"):
                    figures.draw(figure)
                    self._explain(figure.metric, figure.help)

    def chart(
        self,
        chart: Chart,
        *,
        title: str,
        caption: str = "",
        metric: Asked | Sequence[Asked] = "",
        key: str = "",
        note: str = "",
        on_click: Callable[[int, int], None] | None = None,
    ) -> None:
        """Draw a chart in a card: its message, one line of unit, accounts and day, the picture, and what is behind it.

        With `on_click` the cells of a heat-map and the points of lines can be clicked: it is called with row and column
        before the page runs again, so that what it sets in `st.session_state` or the URL holds in that run.
        """
        name = key or f"chart_{words.slug(title)}_{self._cards}"
        with self.card(title, caption, metric=metric, key=name):
            figure = plotly_figure.figure(
                chart, mode=self.mode, currency=self.currency, has_targets=on_click is not None
            )
            plot = f"plot_{name}"
            st.plotly_chart(
                plotly_figure.Plain(figure),
                theme=None,
                key=plot,
                config=plotly_figure.CONFIG,
                alt=plotly_figure.describe(chart, title),
                width="stretch",
                on_select="ignore" if on_click is None else lambda: _report_click(plot, on_click),
                selection_mode="points",
            )
            if note:
                self.note(note)

    @contextmanager
    def card(
        self,
        title: str,
        caption: str = "",
        *,
        metric: Asked | Sequence[Asked] = "",
        key: str = "",
        has_scope: bool = True,
    ) -> Iterator[None]:
        """Open a bordered card with a title, a caption and its definition; draw anything inside the `with`.

        `has_scope=False` leaves out whose accounts it is about, where that is said already.
        """
        self._cards += 1
        with st.container(border=True, key=f"card_{key or self._cards}", gap="xsmall", height="stretch"):
            st.subheader(words.plain(title), anchor=False)
            st.caption(words.plain(self._about(caption) if has_scope else caption))
            self._explain(metric)
            yield

    def table(
        self,
        frame: pd.DataFrame,
        columns: Mapping[str, Col],
        *,
        title: str,
        caption: str = "",
        metric: Asked | Sequence[Asked] = "",
        key: str = "",
        rows: int = 12,
        opens: str | None = "account_id",
        picks: str = "",
        empty: str = "No rows for these filters.",
    ) -> str | None:
        """Draw a table in a card: it sorts, searches, downloads, and a click on a row opens the account in `opens`.

        `columns` names and orders the shown columns; the frame may hold more (as the account's id). With `picks` a
        click returns the value of that column in the clicked row; only one on the first column opens the account then,
        and none where `opens` is None.
        """
        name = key or f"table_{words.slug(title)}"
        with self.card(title, caption, metric=metric, key=name):
            if frame.empty:
                st.caption(f":material/info: {words.plain(empty)}")
                return None
            can_open = bool(opens) and opens in frame.columns
            # what was clicked is kept as a place in the list: another order of the rows must be another list
            clicks = picks or (opens if opens and can_open else "")
            order = f"_{crc32('|'.join(frame[clicks].astype(str)).encode())}" if clicks else ""
            clicked = tables.draw(
                frame,
                columns,
                currency=self.currency,
                key=f"rows_{name}{order}",
                opens=bool(clicks),
                rows=rows,
                alt=title,
            )
            with st.container(horizontal=True, gap="small", key=f"foot_{name}", vertical_alignment="center"):
                hint = {
                    (True, True): " · click a name to open the account, anything else to work on it",
                    (True, False): " · click a row to open the account",
                    (False, True): " · click a row to work on it",
                }.get((can_open, bool(picks)), "")
                st.caption(f"{say.plural(len(frame), 'row')}{hint}")
                tables.downloads(frame, columns, name=f"{words.slug(title)}-{self.as_of}", key=name)
        if clicked is None:
            return None
        if opens and (not picks or tables.clicked_column(f"rows_{name}{order}") == next(iter(columns))):
            came_from = walk.came_from(self, metric, frame, opens)
            navigation.open_account(str(frame[opens].iloc[clicked]), self.carried, came_from)
        return str(frame[picks].iloc[clicked]) if picks else None

    def account_link(self, account_id: str, came_from: str = "") -> None:
        """Draw the link to the page of an account; `came_from` as of `walk.shown`."""
        navigation.account_link(account_id, self.carried, came_from=came_from)

    def _explain(self, metric: Asked | Sequence[Asked], lead: str = "") -> None:
        asked = [
            (self.store, self.config, name, self.as_of, self.scope, options) for name, options in words.each(metric)
        ]
        if asked:
            with st.container(key=f"explain_{self._next()}"):
                explain.button(asked, f"{words.slug(self.title)}_{self._cards}", words.plain(lead))

    def _about(self, first: str = "") -> str:
        return " · ".join(one for one in (first, self.filters.words(), f"as of {say.date(self.as_of)}") if one)

    def _next(self) -> int:
        self._cards += 1
        return self._cards


def _report_click(plot: str, on_click: Callable[[int, int], None]) -> None:
    """Read the clicked cell of a chart; a click beside all cells takes the choice back and reports nothing."""
    cell = plotly_cells.clicked(st.session_state[plot].selection.points)
    if cell is not None:
        link.touch()
        on_click(*cell)
