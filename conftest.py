"""Every file in cases/ is a set of gradient tests (see gradcheck_cases in pyproject.toml)."""

pytest_plugins = ["gradcheck.plugin", "pytester"]
