"""The pytest plugin's door: it costs a project that has no cases nothing but this file.

pytest loads it in every run of its environment, since it is an entry point. The engine, and with
it NumPy and Hypothesis, is imported only where ``gradcheck_cases`` names a folder; PyTorch only
where a case has a twin.
"""

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
