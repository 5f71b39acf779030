"""Facts on this machine."""

from __future__ import annotations

from inkmark.machine import this_machine


def test_facts_name_this_machine() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.cpu
    assert machine.python.count(".") == 2
    assert dict(machine.packages)["numpy"]
    assert machine == this_machine()
