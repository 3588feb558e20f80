"""What exactly does this number mean?"""

from cs_metrics.metrics.registry import METRICS
from cs_metrics.report import format as say
from cs_metrics.ui import definitions, shell

page = shell.begin("Definitions", "What exactly does this number mean?")
search = page.search("search", "Search names, words and formulas")
found = [one for one in METRICS.values() if definitions.matches(one, search)]
page.answer(
    f"{say.plural(len(found), 'metric')} of {say.count(len(METRICS))}: each with its sentence, formula, settings and the SQL that runs."
)
if not found:
    page.empty(f"No metric mentions {search!r}.")
definitions.settings(page.config)
for group in dict.fromkeys(one.page for one in found):
    page.section(group or "Everywhere")
    for metric in (one for one in found if one.page == group):
        definitions.entry(page, metric, is_open=len(found) == 1)
