from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from courier.monitoring.latency import added, bucket, cumulative, percentile


@given(st.lists(st.floats(0.001, 3000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_never_too_low_and_at_most_a_quarter_too_high(times: list[float], share: float) -> None:
    counts = Counter(bucket(seconds) for seconds in times)
    exact = sorted(times)[max(0, -(-int(share * 100) * len(times) // 100) - 1)] * 1000

    found = percentile(counts, share)

    assert found is not None
    assert exact <= found * (1 + 1e-9)
    assert found <= max(1.0, exact * 1.3) or found > 800_000


def test_buckets_of_several_workers_are_added_and_unknown_ones_ignored() -> None:
    total = added([{"80": 2, "1": 1}, {"80": 1, "banana": 9}])

    assert total == {"80": 3, "1": 1}
    assert percentile(total, 0.5) == 80
    assert percentile({}, 0.5) is None
    assert cumulative(total)[-1][1] == 4
    assert bucket(1e9) == bucket(1e8) == "4000000"
