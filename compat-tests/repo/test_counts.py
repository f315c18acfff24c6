"""How the counts at the end of compat-tests/run come about."""

import counts

NEXTEST = """\
    Starting 3 tests across 2 binaries
        SLOW [> 60.000s] (---) supervisord-rs core::sim::random
        PASS [   0.038s] (1/3) supervisord-rs::fuzz_seeds seeds_break_nothing
\x1b[31;1m        FAIL\x1b[0m [   1.500s] (2/3) supervisord-rs core::text::tests::bytes
        PASS [  61.250s] (3/3) supervisord-rs core::sim::random
────────────
     Summary [  61.300s] 3 tests run: 2 passed (1 slow), 1 failed, 7 skipped
        FAIL [   1.500s] (2/3) supervisord-rs core::text::tests::bytes
"""
CARGO = """\
running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 370 filtered out; finished in 0.01s

running 1 test
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s
"""
JUNIT = """\
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5">
<testcase classname="web.test_api" name="test_slow" time="12.5"/>
<testcase classname="web.test_api" name="test_fails" time="0.5"><failure message="x"/></testcase>
<testcase classname="web.test_api" name="test_fails_twice" time="0.5"><failure message="x"/><error message="y"/></testcase>
<testcase classname="" name="life.test_broken" time="0"><error message="collection failure"/></testcase>
<testcase classname="life.test_a" name="test_b" time="0"><skipped message="no php"/></testcase>
</testsuite></testsuites>
"""
EMPTY = '<testsuites><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="0"/></testsuites>'


def run(capsys, tmp_path, *words, rust=None, python=None):
    """The exit status and the lines printed."""
    for name, content in (("rust", rust), ("python", python)):
        if content is not None:
            (tmp_path / name).write_text(content, encoding="utf-8")
            words = (*words, f"--{name}", str(tmp_path / name))
    return counts.main(words), capsys.readouterr().out.splitlines()


def test_both_are_counted_and_the_slowest_come_first(capsys, tmp_path):
    status, lines = run(capsys, tmp_path, rust=NEXTEST, python=JUNIT)
    assert status == 1
    assert lines[:5] == ["the slowest 10:", "    61.2 s  rust core::sim::random", "    12.5 s  python web/test_api.py::test_slow",
                         "     1.5 s  rust core::text::tests::bytes", "     0.5 s  python web/test_api.py::test_fails_twice"]
    assert lines[-2:] == ["rust: 2 passed, 1 failed; python: 1 passed, 3 failed", "3 passed, 4 failed"]


def test_what_cargo_test_prints(capsys, tmp_path):
    status, lines = run(capsys, tmp_path, rust=CARGO)
    assert (status, lines[-2:]) == (1, ["rust: 2 passed, 1 failed; python: left out", "2 passed, 1 failed"])


def test_a_keyword_that_nothing_has_is_an_error(capsys, tmp_path):
    status, lines = run(capsys, tmp_path, "--only", "nope", rust=CARGO.replace("2 passed", "0 passed").replace("1 failed", "0 failed"),
                        python=EMPTY)
    assert (status, lines[0], lines[-1]) == (1, "no test has 'nope' in its name", "0 passed, 1 failed")


def test_a_keyword_that_one_side_has_is_none(capsys, tmp_path):
    status, lines = run(capsys, tmp_path, "--only", "seeds", python=EMPTY, rust="Summary [ 0.1s] 1 test run: 1 passed, 370 skipped\n")
    assert (status, lines) == (0, ["rust: 1 passed, 0 failed; python: 0 passed, 0 failed", "1 passed, 0 failed"])


def test_a_run_that_broke_before_its_first_test_is_a_failure(capsys, tmp_path):
    assert run(capsys, tmp_path, "--broke", rust="error: could not compile\n")[0] == 1
    status, lines = run(capsys, tmp_path, "--python", str(tmp_path / "no such report"))
    assert (status, lines[-1]) == (1, "0 passed, 1 failed")
