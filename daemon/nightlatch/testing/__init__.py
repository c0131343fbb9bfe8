"""The contract suite: what every factor must pass, run through the daemon's own loader.

    from nightlatch.testing import FactorContract, FactorKit

    class TestMyFactor(FactorContract):
        @pytest.fixture
        def kit(self) -> FactorKit:
            return FactorKit(plugin="mine", factor="mine", right_answer=…, wrong_answers=…)

It needs pytest, and nothing of nightlatch imports it.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("nightlatch.testing.contract")

from nightlatch.testing.context import KitContext, Repeatable, Sent  # noqa: E402, belongs to the line below
from nightlatch.testing.contract import FactorContract  # noqa: E402, asserts are rewritten at import
from nightlatch.testing.kit import FactorKit, Flow  # noqa: E402, belongs to the line above

__all__ = ["FactorContract", "FactorKit", "Flow", "KitContext", "Repeatable", "Sent"]
