from __future__ import annotations

import json
from typing import Any

import pytest
from sample_layouts import everything

from inkmark.layouts import save_layout


@pytest.fixture(scope="session")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("layouts") / "everything.json"
    save_layout(everything(), path)
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
