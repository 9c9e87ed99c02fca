"""The pytest plugin's door: it costs a project that has no cases nothing but this file.

pytest loads it in every run of its environment, since it is an entry point. The engine, and with
it NumPy and Hypothesis, is imported only where ``gradcheck_cases`` names a folder; PyTorch only
where a case has a twin.
"""

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("gradcheck_cases", "folders of case files", type="args", default=[])
    parser.addini("gradcheck_reference", "the folder of their twins", default="reference")
    parser.getgroup("gradcheck").addoption(
        "--gradcheck-size",
        action="append",
        default=[],
        metavar="H=512,D=512",
        help="hold sizes of the cells, to check them as they are used, in fewer examples",
    )


@pytest.hookimpl(tryfirst=True)  # before Hypothesis looks for the profile that was asked for
def pytest_configure(config: pytest.Config) -> None:
    if config.getini("gradcheck_cases"):
        from gradcheck import nodes

        config.pluginmanager.register(nodes, nodes.__name__)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under ``-n``, the nodes of a cell go to one worker: they share what is known of it.

    Whatever else is tested goes to whoever is free, as without gradcheck.
    """
    folders = tuple(f"{name.rstrip('/')}/" for name in config.getini("gradcheck_cases"))
    if not folders or config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByCell(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            whole: str = super()._split_scope(nodeid)
            return whole if nodeid.startswith(folders) else nodeid

    return ByCell(config, log)
