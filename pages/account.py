"""What must I know and say in the next meeting with this account?"""

from functools import partial

import streamlit as st

from cs_metrics.ui import account as top
from cs_metrics.ui import account_health, account_timeline, brief, shell
from cs_metrics.ui import account_tabs as tabs

page = shell.begin("Account", "What must I know and say in the next meeting?", has_scope=False)
account = top.chosen(page)
if not account:
    top.choose(page)
    st.stop()

with page.guard():
    top.facts(page, account)
brief.buttons(page, account)
top.talk(page, account)
shown = {
    "Timeline": account_timeline.draw,
    "Health": account_health.draw_health,
    "People": tabs.people,
    "Use": tabs.use,
    "Value": tabs.value,
    "Renewal & expansion": tabs.growth,
    "Notes & calls": tabs.notes,
}
page.tabs({name: partial(draw, page, account) for name, draw in shown.items()})
