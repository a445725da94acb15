"""What torch has for the operations of ops/linalg.py."""

import torch

OPERATIONS = {
    "matmul": torch.matmul,
}

WITHOUT: dict[str, str] = {}
