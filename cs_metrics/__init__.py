"""Customer-success analytics over a local DuckDB of accounts and events."""

__version__ = "0.2.0"
