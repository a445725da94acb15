"""What a checkpoint holds, and what is said of one that is refused."""

import numpy as np
import pytest

from makemore import checkpoint
from makemore.errors import MakemoreError


def arrays_of(folder):
    with np.load(folder / checkpoint.NAME, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def refusal(function, *arguments, status=2):
    with pytest.raises(MakemoreError) as caught:
        function(*arguments)
    assert caught.value.status == status
    assert "\n" not in str(caught.value)
    return str(caught.value)
