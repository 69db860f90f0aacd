"""pyscard's own tests, as its source has them: tells of each how it ended.

Arguments: the unpacked source, and a folder to work in.
"""
import os
import shutil
import subprocess
import sys

from smartcard.Exceptions import NoCardException
from smartcard.System import readers


def atr_in(reader):
    connection = reader.createConnection()
    try:
        connection.connect()
    except NoCardException:
        return []
    atr = connection.getATR()
    connection.disconnect()
    return atr


def local_config():
    """What pyscard's configcheck.py writes; it would ask for two cards, and wait for somebody to read that."""
    names = [str(reader) for reader in readers()]
    atrs = [atr_in(reader) for reader in readers()]
    by_atr = {" ".join(f"{byte:02X}" for byte in atr): name for name, atr in zip(names, atrs)}
    return (
        f"expectedReaders = {names!r}\n"
        f"expectedATRs = {atrs!r}\n"
        f"expectedATRinReader = {dict(zip(names, atrs))!r}\n"
        f"expectedReaderForATR = {by_atr!r}\n"
        "expectedReaderGroups = ['SCard$DefaultReaders']\n"
    )


class Teller:
    """A plug-in of pytest: one line for each test."""

    def __init__(self, suite):
        self.suite = suite

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            name = report.nodeid.split("/")[-1]
            expected = hasattr(report, "wasxfail")
            outcome = "failed as expected" if expected and report.skipped else report.outcome
            print(f"{self.suite}/{name}: {outcome}", flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            print(f"{self.suite}/{report.nodeid}: does not load\n{report.longrepr}", flush=True)


def run(suite, folder):
    """Modules of different suites have the same names: each suite is a process of its own."""
    import pytest

    os.chdir(folder)
    patterns = "python_files=test_*.py testcase_*.py"
    arguments = ["-s", "-p", "no:cacheprovider", "-p", "no:terminal", "-o", patterns, "."]
    return pytest.main(arguments, plugins=[Teller(suite)])


def main(source, work):
    config = local_config()
    for suite, tests in (
        ("unit", "test"),
        ("scard", "src/smartcard/test/scard"),
        ("framework", "src/smartcard/test/framework"),
    ):
        folder = os.path.join(work, suite)
        shutil.copytree(os.path.join(source, tests), folder)
        if suite != "unit":
            shutil.copy(os.path.join(source, "src/smartcard/test/configcheck.py"), work)
            with open(os.path.join(folder, "local_config.py"), "w", encoding="utf-8") as file:
                file.write(config)
        subprocess.run([sys.executable, __file__, "--one", suite, folder], check=False)


if sys.argv[1] == "--one":
    sys.exit(run(*sys.argv[2:]))
main(*sys.argv[1:])
