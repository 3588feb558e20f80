"""How the product grows with accounts and events: `python -m benchmarks` writes docs/benchmarks.md."""
