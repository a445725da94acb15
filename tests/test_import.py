"""To be written by the hostile tester."""
