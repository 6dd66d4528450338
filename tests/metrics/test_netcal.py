"""netcal, in an environment of its own since it needs torch and much besides, as a further source of binned errors."""

from __future__ import annotations

import json
import os
import subprocess

import numpy as np
import pytest

from doxa import metrics

PYTHON = os.environ.get("DOXA_NETCAL_PYTHON", "")
SCRIPT = """
import json, sys
import numpy as np
from netcal.metrics import ECE, MCE
data = [(np.array(p), np.array(y)) for p, y in json.load(sys.stdin)]
json.dump([[float(m(bins=10).measure(p, y)) for m in (ECE, MCE)] for p, y in data], sys.stdout)
"""


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="DOXA_NETCAL_PYTHON does not name a Python that has netcal")
def test_netcal_agrees() -> None:
    # Off the edges, where netcal closes bins on the other side; ties stay.
    data = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p = (rng.integers(0, 40, 500) + 0.5) / 40
        data.append((p, rng.random(500) < p**2))
    sent = json.dumps([(p.tolist(), y.astype(int).tolist()) for p, y in data])
    done = subprocess.run([PYTHON, "-c", SCRIPT], input=sent, capture_output=True, text=True, check=True)
    for (p, y), (ece, mce) in zip(data, json.loads(done.stdout), strict=True):
        assert metrics.ece(confidence=p, correct=y) == pytest.approx(ece, abs=1e-9)
        assert metrics.mce(confidence=p, correct=y) == pytest.approx(mce, abs=1e-9)
