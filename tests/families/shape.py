"""What the tests know of the operations in ops/shape.py."""

REFERENCES = {}

CASES = {}

FOUND = {}
