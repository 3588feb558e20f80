"""What is scored or trained when a generation is built; the pages only read it."""
