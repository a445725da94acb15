"""What is wrong with a gradient."""


class GradientError(AssertionError):
    """A gradient is not what central differences say."""


class NotDifferentiableError(GradientError):
    """There is nothing to compare with: the function has a kink, a jump or a nan at the given point."""
