"""What the pytest plugins here share: what a test was seen to do is written down once it has passed."""

import json
import os

import pytest


def hook(rows, *seen):
    """A hook that writes `rows(test)` down, a line each, and empties the lists of what was `seen` for the next test."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item, call):
        report = (yield).get_result()
        if report.when != "call":
            return
        if report.passed:
            with open(os.environ["RECORDED"], "a", encoding="utf-8") as out:
                out.writelines(json.dumps(row) + "\n" for row in rows(item.name))
        for kept in seen:
            kept.clear()

    return pytest_runtest_makereport
