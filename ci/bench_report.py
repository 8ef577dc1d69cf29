"""What ci/bench measured: a table (results.md), all figures (results.json) and a picture of the ratios.

    bench_report.py RESULTS_TSV DIRECTORY

A line of the input is "case", its name, its title and those of its two sides; or "slice", its case, its round, A or B, rate,
p50 and p99 in microseconds.
"""
import json
import os
import platform
import statistics
import subprocess
import sys
import time


def read(path):
    cases = {}
    with open(path) as lines:
        for line in lines:
            kind, name, *rest = line.rstrip("\n").split("\t")
            if kind == "case":
                cases[name] = {"title": rest[0], "a": rest[1], "b": rest[2], "slices": {}}
            else:
                figures = dict(zip(("rate", "p50_us", "p99_us"), map(float, rest[2:5])))
                cases[name]["slices"].setdefault(int(rest[0]), {})[rest[1]] = figures
    return cases


def summarise(case):
    """Medians over the rounds that have both sides; the ratio is taken within each round."""
    rounds = [r for r in case["slices"].values() if len(r) == 2]
    if not rounds:
        return None
    ratios = sorted(r["A"]["rate"] / r["B"]["rate"] for r in rounds)
    median = {
        side: {key: statistics.median(r[side][key] for r in rounds) for key in ("rate", "p50_us", "p99_us")}
        for side in "AB"
    }
    quarter = len(ratios) // 4
    return {
        "title": case["title"], "a": case["a"], "b": case["b"], "rounds": len(rounds), "median_a": median["A"],
        "median_b": median["B"], "ratio": statistics.median(ratios), "ratio_low": ratios[quarter],
        "ratio_high": ratios[-1 - quarter],
    }


def machine():
    cpu = platform.processor() or platform.machine()
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    virtual = " (virtual)" if "hypervisor" in open("/proc/cpuinfo").read() else ""
    return f"{os.cpu_count()} x {cpu}{virtual}, Linux {platform.release()}"


def commit():
    def git(*words):
        return subprocess.run(("git",) + words, capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!bench")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def table(report):
    lines = [
        f"Measured by `ci/bench` on {report['machine']}, commit {report['commit']}, {report['date']}.",
        "Rates are medians of slices; each ratio is the median of the ratios within a round, between its quartiles.",
        "", "| what | A | B | A/s | B/s | A/B | p50 A, B (us) | p99 A, B (us) |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for case in report["cases"].values():
        a, b = case["median_a"], case["median_b"]
        lines.append(
            f"| {case['title']} | {case['a']} | {case['b']} | {a['rate']:,.0f} | {b['rate']:,.0f} | "
            f"**{case['ratio']:.2f}** ({case['ratio_low']:.2f} .. {case['ratio_high']:.2f}) | "
            f"{a['p50_us']:.0f}, {b['p50_us']:.0f} | {a['p99_us']:.0f}, {b['p99_us']:.0f} |")
    return "\n".join(lines) + "\n"


def draw(report, out):
    """Horizontal bars around 1, with the quartiles as whiskers."""
    cases = list(report["cases"].items())
    rows = "\n".join(f"{c['ratio']:.4f} {len(cases) - i} {c['ratio_low']:.4f} {c['ratio_high']:.4f}"
                     for i, (_, c) in enumerate(cases))
    tics = ", ".join(f"'{name}' {len(cases) - i}" for i, (name, _) in enumerate(cases))
    script = f"""
$data << E
{rows}
E
set encoding utf8
set title 'A / B, medians and quartiles of the rounds ({report["commit"]})'
set xrange [0:*]
set yrange [0.4:{len(cases) + 0.6}]
set ytics ({tics})
set grid xtics back lc rgb '#d0d0d0'
set border 3 lc rgb '#606060'
set tics nomirror
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb '#d1495b' lw 2 front
set style fill solid 0.8
do for [kind in "svg png"] {{
    if (kind eq "svg") {{ set terminal svg size 800,{120 + 40 * len(cases)} background rgb 'white' font 'sans,12' }}
    if (kind eq "png") {{ set terminal pngcairo size 800,{120 + 40 * len(cases)} background rgb 'white' font 'sans,10' }}
    set output '{out}/ratios.'.kind
    plot $data using ($1/2):2:($1/2):(0.3) with boxxyerror lc rgb '#1b6ca8' notitle, \\
         $data using 1:2:3:4 with xerrorbars lc rgb '#303030' pt 7 ps 0.5 notitle
}}
"""
    try:
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"ci/bench: no picture: {error}", file=sys.stderr)


def main():
    cases = {name: summarise(case) for name, case in read(sys.argv[1]).items()}
    report = {
        "machine": machine(), "commit": commit(), "date": time.strftime("%Y-%m-%d"),
        "cases": {name: case for name, case in cases.items() if case},
    }
    out = sys.argv[2]
    with open(os.path.join(out, "results.json"), "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    text = table(report)
    with open(os.path.join(out, "results.md"), "w") as file:
        file.write(text)
    print(text, end="")
    if report["cases"]:
        draw(report, out)


main()
