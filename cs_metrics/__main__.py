"""`python -m cs_metrics`: the command line."""

from cs_metrics.cli import main

main()
