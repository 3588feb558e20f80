"""Customer-success analytics over a local DuckDB of accounts and events."""

__version__ = "0.3.0"
