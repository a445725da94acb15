"""A character-level language model that learns a list of names and invents new ones, on tinygrad_lite."""

__version__ = "0.1.0"
