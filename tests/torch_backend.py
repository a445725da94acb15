"""PyTorch, to check results against: a test dependency only.

No other file imports torch.
"""

import torch

__all__ = ["torch"]
