"""For people who test gradients: their own operations, and ours.

`gradcheck` and `gradgradcheck` need nothing but NumPy. `tinygrad_lite.testing.strategies` needs Hypothesis, and so is
not imported from here.
"""

from .errors import GradientError, NotDifferentiableError
from .gradcheck import gradcheck, gradgradcheck

__all__ = ["GradientError", "NotDifferentiableError", "gradcheck", "gradgradcheck"]
