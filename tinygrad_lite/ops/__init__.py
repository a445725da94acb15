"""The table's entries, by family."""
