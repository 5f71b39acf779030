"""What is worked out once for an object."""

from __future__ import annotations

from inkmark.omr import _cache


def test_each_object_is_asked_about_once():
    asked = []

    @_cache.once_for_each
    def length(key):
        asked.append(key)
        return len(key)

    one, twin = [1, 2], [1, 2]
    assert [length(one), length(one), length(twin)] == [2, 2, 2]
    assert len(asked) == 2
    assert asked[0] is one
    assert asked[1] is twin


def test_no_more_than_so_many_objects_are_kept(monkeypatch):
    monkeypatch.setattr(_cache, "_MAX_KEPT", 3)
    asked = []

    @_cache.once_for_each
    def remember(key):
        asked.append(key)
        return key

    keys = [[k] for k in range(4)]
    for key in (*keys, keys[3], keys[0]):
        assert remember(key) is key
    assert len(asked) == 5  # the first was forgotten with the others, the last was not
