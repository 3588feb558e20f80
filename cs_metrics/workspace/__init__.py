"""What people write beside the data: an append-only log with author, time and the day from which it counts."""
