import numpy as np

from headgate_serving.server.cache import Cache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_kept_until_its_time_is_over() -> None:
    clock = Clock()
    cache = Cache(ttl=10, entries=5, clock=clock)
    cache.put(b"a", np.array([0.5]))
    clock.now = 9.9
    assert cache.get(b"a") == np.array([0.5])
    assert cache.get(b"b") is None
    clock.now = 10
    assert cache.get(b"a") is None
    assert len(cache) == 0


def test_it_never_holds_more_than_allowed_and_the_oldest_goes_first() -> None:
    clock = Clock()
    cache = Cache(ttl=10, entries=2, clock=clock)
    for number in range(3):
        clock.now = number
        cache.put(bytes([number]), np.array([number]))
    cache.put(b"\x01", np.array([9.0]))
    assert [cache.get(bytes([number])) for number in range(3)] == [None, np.array([9.0]), np.array([2.0])]
    assert len(cache) == 2
