"""The table's entries, by family. What NumPy has under a name stands in the __all__ of its family."""
