"""What the benchmark asks, reads and compares: wrong sums here would flatter or slander a server."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import generator, page, plot, profiling, results, targets
from bench.__main__ import main
from bench.compare import Comparison
from bench.queries import WORKLOADS, Questions, blocked_names
from bench.ratios import COMMITTED, COUNTS, judge, of_maker, read, to_toml
from bench.results import Figure, Results, Run, Session

SAID = """
Statistics:

  Queries sent:         1000
  Queries completed:    990 (99.00%)
  Queries lost:         10 (1.00%)

  Response codes:       NOERROR 980 (98.99%), SERVFAIL 10 (1.01%)
  Average packet size:  request 27, response 43
  Run time (s):         0.500000
  Queries per second:   1980.000000
"""
SESSION = Session("s1", "2026-01-02 03:04 UTC", "abc", "a machine", {"unbound": "1.17"}, 10, 1)


def run(server, rate, *, session="s1", number=1, workload="blocked", lost=0.0, rcodes=None, sampled=9, wrong=()):
    return Run(session, number, workload, server, rate, lost, rcodes or {"NOERROR": 1}, sampled, list(wrong))


def test_summary_of_dnsperf_is_read():
    load = generator.read(SAID)
    assert (load.rate, load.answered, load.lost) == (1980.0, 990, 0.01)
    assert load.rcodes == {"NOERROR": 980, "SERVFAIL": 10}


def test_summary_without_any_answer_is_read():
    said = SAID.replace("completed:    990", "completed:    0").replace("NOERROR 980 (98.99%), SERVFAIL 10 (1.01%)", "")
    load = generator.read(said)
    assert (load.rate, load.lost, load.rcodes) == (0.0, 1.0, {})


def names_in(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines()]


def test_fresh_names_never_come_twice_over_rounds_and_samples(tmp_path):
    questions = Questions(tmp_path, blocked_names(50), 1)
    for workload in ("different", "miss"):
        seen = []
        for _ in range(3):
            seen += names_in(questions.of(WORKLOADS[workload], 500))
            seen.append(questions.sample(WORKLOADS[workload])[0])
        assert len(set(seen)) == len(seen)


def test_mixed_has_thirty_blocked_sixty_five_cached_and_five_fresh_of_a_hundred(tmp_path):
    blocked = blocked_names(2000)
    asked = names_in(Questions(tmp_path, blocked, 1).of(WORKLOADS["mixed"], 20_000))
    fresh = [name for name in asked if name.startswith("m")]
    assert len(set(blocked) & set(asked)) == pytest.approx(1000, abs=20)  # the popular ones, nearly all drawn
    assert len([name for name in asked if name.startswith("name")]) == pytest.approx(6000, rel=0.05)
    assert len(fresh) == len(set(fresh)) == pytest.approx(1000, rel=0.15)


def test_ratio_takes_only_runs_of_the_same_session_and_round():
    found = Comparison(
        Results(
            runs=[
                run("sinkhole", 100), run("unbound", 50),
                run("sinkhole", 300, number=2), run("unbound", 100, number=2),
                run("sinkhole", 900, session="s2"),
                run("unbound", 1, number=3, session="s2"),
            ]
        )
    )  # fmt: skip
    assert found.ratio("blocked", "sinkhole", "unbound") == 2.5
    assert found.ratio("blocked", "sinkhole", "dnsdist") is None
    assert found.rate("blocked", "sinkhole").most == 900


@pytest.mark.parametrize(
    "bad",
    [{"lost": 0.02}, {"rcodes": {"NOERROR": 99, "SERVFAIL": 1}}, {"sampled": 0}, {"wrong": ["a: wanted b, found c"]}],
)
def test_bad_run_is_told_and_neither_counted_nor_ranked(bad):
    measured = Results([SESSION], [run("sinkhole", 100_000), run("unbound", 200_000, **bad)])
    compared = Comparison(measured)
    assert compared.rate("blocked", "unbound") is None
    assert compared.ratio("blocked", "sinkhole", "unbound") is None
    text = page.tables(measured)
    assert "| unbound | not counted * |" in text
    assert "- unbound, blocked, round 1: " in text


def test_targets_are_met_or_not():
    runs = [run(name, rate) for name, rate in (("sinkhole", 130), ("sinkhole-apart", 110), ("unbound", 100))]
    assert "blocked, repeated: at least 1.2 times unbound | 1.30 · 1.10 | yes · no |" in page.tables(Results([], runs))


def test_network_is_sized_by_half_of_what_a_worker_does():
    (_, school), *_, (_, isp) = targets.sizes(rate=50_000, first_mib=140, further_mib=25)
    assert school == ["1,000", "579", "1", "140"]
    assert isp == ["1,000,000", "578,704", "24", "715"]


def test_processor_time_is_compared_by_answers():
    runs = [
        Run("s1", 1, "blocked", "sinkhole", 1, 0, {"NOERROR": 4000}, 9, [], 0.01),
        Run("s1", 1, "blocked", "unbound", 1, 0, {"NOERROR": 1000}, 9, [], 0.005),
        Run("s1", 2, "blocked", "unbound", 1, 0, {"NOERROR": 1000}, 9, [], 0.0),
    ]
    compared = Comparison(Results(runs=runs))
    assert compared.cpu_ratio("blocked", "sinkhole", "unbound") == 2.0
    assert compared.cpu_us("blocked", "sinkhole").median == pytest.approx(2.5)


def test_limits_need_no_samples():
    assert run("reflector-c", 1, sampled=None).is_good


def test_tables_show_median_least_most_and_ratio():
    runs = [run("sinkhole", rate * 1000, number=n) for n, rate in enumerate((40, 60, 50))]
    runs += [run("unbound", 100_000, number=n) for n in range(3)]
    text = page.tables(Results([SESSION], runs))
    assert "| sinkhole | 50 (40-60) |" in text
    assert "| unbound | 0.50 · - |" in text
    assert "unbound 1.17" in text
    assert "latency" not in text


def test_results_survive_being_written_and_are_merged(tmp_path):
    first = Results([SESSION], [run("sinkhole", 1.0)], [Figure("s1", "ready", "5 names", "sinkhole", 0.5, "s")])
    second = Results([Session("s2", "later", "abc", "a machine", {}, 10, 1)])
    first.write(tmp_path / "1.json")
    second.write(tmp_path / "2.json")
    merged = results.read([tmp_path / "1.json", tmp_path / "2.json"])
    assert merged.runs == first.runs
    assert merged.figures == first.figures
    assert len(merged.sessions) == 2
    with pytest.raises(SystemExit, match="given twice"):
        results.read([tmp_path / "1.json", tmp_path / "1.json"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sessions": [{}], "runs": [], "figures": []}', '{"sessions": 1}'])
def test_file_that_is_no_result_is_named(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(SystemExit, match=r"x\.json: no results of"):
        results.read([tmp_path / "x.json"])


def test_profile_counts_the_innermost_functions(tmp_path):
    stacks = tmp_path / "stacks"
    stacks.write_text(
        "run (asyncio/base.py);read (/x/sinkhole/transport/udp.py) 3\nrun (asyncio/base.py) 1\n<gone> 4\n"
        "other (/y/b.py);read (/x/sinkhole/transport/udp.py:7) 2\n"
    )
    assert profiling.most(stacks) == [("transport/udp.py read", 0.5), ("<gone>", 0.4), ("asyncio/base.py run", 0.1)]


def test_plot_is_well_formed_and_tells_its_figures_in_words():
    drawn = ElementTree.fromstring(plot.bars({"blocked <all>": [("sinkhole", 120.0), ("a & b", 0.0)]}))
    space = "{http://www.w3.org/2000/svg}"
    assert drawn.find(f"{space}title").text
    assert drawn.find(f"{space}desc").text == "blocked <all>: sinkhole 120, a & b 0."
    assert "prefers-color-scheme: dark" in drawn.find(f"{space}style").text


def test_page_has_the_places_for_tables_and_plot():
    text = page.PAGE.read_text()
    assert text.count(page.BEGIN) == text.count(page.END) == 1
    assert page.PLOT.name in text
    assert page.PLOT.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--peers", "bind9"],
        ["--json", "/no/such/folder/x"],
        ["--workloads", ","],
        ["--rounds", "0"],
        ["--seconds", "²"],
    ],
)
def test_bad_option_is_refused_in_one_line(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"python -m bench: error: argument {words[0]}: ")


def test_ratio_falls_when_it_is_more_than_a_fifth_lower():
    assert judge({"blocked": 0.81, "miss": 0.79}, {"blocked": 1.0, "miss": 1.0}) == {"miss": 0.79}


def test_committed_ratios_are_there_for_each_workload(tmp_path):
    committed = read(COMMITTED)
    (tmp_path / "again.toml").write_text(to_toml(committed))
    assert read(tmp_path / "again.toml") == committed
    (tmp_path / "bad.toml").write_text("[One]\nblocked = 'much'\n")
    with pytest.raises(SystemExit, match=r"bad\.toml: One: blocked: wanted a number above 0, found 'much'"):
        read(tmp_path / "bad.toml")
    (tmp_path / "bare.toml").write_text("blocked = 1.0\n")
    with pytest.raises(SystemExit, match=r"bare\.toml: blocked: blocked: wanted a number above 0, found None"):
        read(tmp_path / "bare.toml")
    (tmp_path / "empty.toml").write_text("")
    with pytest.raises(SystemExit, match=r"empty\.toml: no ratios"):
        read(tmp_path / "empty.toml")


def test_ratios_of_an_unknown_maker_are_the_least():
    one, other = dict.fromkeys(COUNTS, 1.0), dict.fromkeys(COUNTS, 0.9) | {"miss": 1.1}
    committed = {"One": one, "Other": other}
    assert of_maker(committed, "Other") == other
    assert of_maker(committed, "Third") == other | {"miss": 1.0}
