"""The tables of a run, its aims, and everything in them as JSON."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.check_ins import AT_ONCE, DEPUTIES, CheckedIn
from bench.cities import FEW, MANY, Overviewed, Replayed
from bench.closes import Closed
from bench.congress import AT_ONCE as VOTES_AT_ONCE
from bench.congresses import Voted
from bench.flatness import Growth
from bench.importing import ROWS, Imported
from bench.likeness import OPINIONS, Found
from bench.measure import Subject, ratio
from bench.planning import Measured
from bench.planning_calls import Waited
from bench.processes import Memory
from bench.storms import PACE, WEATHERS, Stormed
from bench.votes import DELEGATES, Cast


@dataclass
class Report:
    """Prints what it is given, at once, and remembers it."""

    results: dict[str, Any] = field(default_factory=dict)

    def say(self, line: str) -> None:
        print(line, flush=True)

    def aim(self, name: str, value: float, limit: float, unit: str = "", *, least: bool = False) -> None:
        """`limit` is the most that the value may be, or the least."""
        met = value >= limit if least else value <= limit
        bound = "at least" if least else "at most"
        self.say(f"  {name:38}{value:8.2f}{unit}   {bound} {limit:g}{unit}: {'met' if met else 'not met'}")
        self.results.setdefault("aims", {})[name] = {"value": value, "limit": limit, "met": met}

    def starts(self, seconds: Mapping[str, float]) -> None:
        self.say("\nStart of everything, servers embedded, until the gateway answers a call")
        self.results["starts"] = dict(seconds)
        self.say(f"  first {seconds['first']:.1f} s")
        self.aim("second start", seconds["second"], 5, " s")

    def memory(self, when: str, found: Mapping[str, Memory]) -> None:
        self.say(f"\nMemory {when}, in MB{'':10}resident  proportional")
        for name, size in found.items():
            share = f"{size.proportional:10.0f}" if size.proportional is not None else "         -"
            self.say(f"  {name:26}{size.resident:10.0f}    {share}")
        self.results[f"memory {when}"] = {name: asdict(size) for name, size in found.items()}
        self.aim(f"services {when}", found["services"].resident, 250, " MB")

    def idle(self, shares: Mapping[str, float]) -> None:
        self.say("\nCPU when nobody calls, of one core")
        self.say("  " + ", ".join(f"{name} {share:.1%}" for name, share in shares.items()))
        self.results["idle"] = dict(shares)
        self.aim("services and envoy", (shares["services"] + shares["envoy"]) * 100, 2, " %")

    def planning(self, found: Measured) -> None:
        self.say(f"\nThe annual plan of the whole city, {found.meetings} meetings, without input or output")
        self.say(
            f"  {found.planning / found.floor:.0f} times a first working day unasked, {found.unplaced} without a time"
        )
        self.results["planning"] = asdict(found)
        self.aim("planning", found.planning, 10, " s")

    def planning_calls(self, found: Waited) -> None:
        self.say(f"\nThe annual plan of one district through the gateway, {found.meetings} meetings")
        self.say(f"  again, with nothing changed {found.again:.1f} s, 500 accepted {found.accepted:.1f} s")
        self.results["planning_calls"] = asdict(found)
        self.aim("PlanYear", found.first, 5, " s")

    def calls(self, found: Mapping[str, Subject]) -> None:
        self.say(f"\n{'':18}{'calls':>10}   {'CPU a call':>10}  {'of Envoy':>9}  {'p50':>9}  {'p99':>9}")
        for subject in found.values():
            self.say(_row(subject))
        self.results["calls"] = {name: _figures(subject) for name, subject in found.items()}
        self.say("\nRatios, round by round, their median")
        for name, value, floor in (("read", "read", "echo"), ("write", "write", "insert")):
            cpu = ratio(found[value].cpu["services"], found[floor].cpu["services"])
            self.aim(f"{name} CPU / bare {floor} CPU", cpu, 3 if name == "read" else 2)
        for name in ("read", "write"):
            rates = ratio(found[f"{name}_gateway"].rates, found[name].rates)
            self.aim(f"{name} rate, gateway / direct", rates, 0.85, least=True)

    def h2load(self, rates: Mapping[str, list[float]]) -> None:
        self.results["h2load"] = dict(rates)
        self.aim("read rate by h2load, gateway / direct", ratio(rates["gateway"], rates["direct"]), 0.85, least=True)

    def importing(self, found: Imported) -> None:
        self.say(f"\nImport of {ROWS} rows through the gateway, its median")
        for name, seconds in (("new", found.new), ("again", found.again), ("bare inserts", found.bare)):
            middle = statistics.median(seconds)
            self.say(f"  {name:18}{middle:8.2f} s{ROWS / middle:10.0f} rows/s")
        self.results["import"] = asdict(found)
        self.aim("import / bare inserts, by the clock", found.ratio, 20)

    def check_ins(self, found: CheckedIn) -> None:
        self.say(f"\n{DEPUTIES} deputies check in with the hall's code through the gateway, {AT_ONCE} at once; median")
        for name, seconds in (("check-ins", found.service), ("bare rows", found.bare)):
            middle = statistics.median(seconds)
            self.say(f"  {name:18}{middle:8.2f} s{DEPUTIES / middle:10.0f} check-ins/s")
        ordered = sorted(found.each)
        half, most = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
        self.say(f"  one of them       p50 {half:.0f} ms, p99 {most:.0f} ms")
        self.results["check_ins"] = asdict(found)
        self.aim("check-ins / bare rows, by the clock", found.ratio, 10)
        self.aim("the whole congress in its seats", statistics.median(found.service), 5, " s")

    def votes(self, found: Cast) -> None:
        self.say(f"\n{DELEGATES} delegates vote through the gateway, {VOTES_AT_ONCE} at once; median")
        for name, seconds in asdict(found).items():
            middle = statistics.median(seconds)
            self.say(f"  {name.replace('_', ' '):18}{middle:8.2f} s{DELEGATES / middle:10.0f} a second")
        self.results["votes"] = asdict(found)
        self.aim("papers / bare papers, by the clock", found.times("papers", "bare_papers"), 5)
        self.aim("ballots / bare ballots, by the clock", found.times("ballots", "bare_ballots"), 5)
        self.aim("papers / reads, by the clock", found.times("papers", "reads"), 5)
        self.aim("ballots / reads, by the clock", found.times("ballots", "reads"), 2)

    def closes(self, found: Sequence[Closed]) -> None:
        self.say("\nClose of a poll and its sweep, through the gateway, and the check of its board; seconds")
        for one in found:
            parts = ", ".join(f"{name} {seconds:.3f}" for name, seconds in one.parts.items())
            self.say(
                f"  {one.ballots:6} ballots: close {one.close:.2f} (bare rows {one.bare:.2f}), verify {one.verify:.2f}"
            )
            self.say(f"         by itself: {parts}")
        self.results["closes"] = [asdict(one) for one in found]
        self.aim("close of 1,000", next(one.close for one in found if one.ballots == 1_000), 1, " s")
        self.aim("verify of 10,000", next(one.verify for one in found if one.ballots == 10_000), 10, " s")

    def congresses(self, found: Voted) -> None:
        self.say(f"\n{found.congresses} congresses with {found.delegates} delegates vote at the same time; seconds")
        self.say(f"  set up in {found.set_up:.0f} s")
        for stage in found.stages:
            shares = ", ".join(f"{who} {seconds:.1f}" for who, seconds in stage.cpu.items())
            self.say(f"  {stage.name:24}{stage.seconds:7.1f}   CPU: {shares}")
        each = ", ".join(f"{what} {seconds / found.delegates * 1e3:.1f}" for what, seconds in found.devices.items())
        self.say(f"  CPU of one delegate's device, in ms: {each}")
        self.results["congresses"] = asdict(found)
        for stage in found.stages:
            self.aim(stage.name, stage.seconds, 60, " s")

    def storm(self, found: Stormed) -> None:
        told = ", ".join(f"{status}: {count}" for status, count in sorted(found.told.items()))
        rate = sum(found.told.values()) / found.seconds
        self.say(f"\nA storm of {rate:.0f} a second at one district's address, which was told {told};")
        self.say(f"meanwhile {PACE} reads and {PACE} writes a second of another district, through the gateway")
        figures = {}
        for kind in ("reads", "writes"):
            for share in (0.5, 0.99):
                name, times = f"{kind} p{share * 100:.0f}", {each: found.ms(kind, each, share) for each in WEATHERS}
                self.say(f"  {name:12}" + "  ".join(f"{weather} {ms:7.2f} ms" for weather, ms in times.items()))
                figures[name] = times
        for weather, cpu in found.cpu.items():
            self.say(f"  CPU, {weather}: " + ", ".join(f"{who} {seconds:.1f} s" for who, seconds in cpu.items()))
        self.results["intake_storm"] = {"cpu": found.cpu, "told": found.told, "seconds": found.seconds, **figures}
        for kind in ("reads", "writes"):
            self.aim(f"{kind} p50, storm / the same storm elsewhere", found.ratio(kind, 0.5), 1.25)
            self.aim(f"{kind} p99, storm / the same storm elsewhere", found.ratio(kind, 0.99), 2)

    def likeness(self, found: Found) -> None:
        self.say("\nOpinions that are alike: recall and precision from a score on, by what texts are compared by")
        for way, curve in found.measured.items():
            figures = "   ".join(f"{score:.2f}: {recall:.2f} {right:.2f}" for score, (recall, right) in curve.items())
            self.say(f"  {way:12}{figures}")
        search, read = (statistics.median(seconds) * 1e3 for seconds in (found.searches, found.reads))
        self.say(f"  among {OPINIONS} opinions of a district: a search {search:.1f} ms, a read of one {read:.1f} ms")
        self.results["likeness"] = asdict(found)
        self.aim("a search / a read", found.ratio, 10)

    def overview(self, found: Overviewed) -> None:
        self.say(f"\nThe city's overview with {FEW:,} and with {MANY:,} ballots behind it")
        figures = {name: statistics.median(getattr(found, name)) * 1e3 for name in ("once", "few", "many", "reads")}
        self.say("  " + "  ".join(f"{name} {ms:.1f} ms" for name, ms in figures.items()))
        self.results["overview"] = asdict(found)
        self.aim("an overview with many ballots / with few in as many polls", found.ratio, 1.25)

    def replay(self, found: Replayed) -> None:
        self.say(f"\nThe city's sums made anew from {found.events:,} tellings of {found.months:,} months")
        self.say(f"  {found.rebuilt:.1f} s, {found.grown / 1e6:.0f} MB; bare reading of the stream {found.bare:.1f} s")
        self.results["replay"] = asdict(found)
        self.aim("made anew / bare reading", found.ratio, 15)

    def flatness(self, found: Mapping[str, Growth]) -> None:
        self.results["flatness"] = {name: asdict(growth) for name, growth in found.items()}
        for name, growth in found.items():
            self.aim(f"{name} grows a minute", growth.slope(), 0.5, " MB")

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(self.results, indent=2) + "\n")


def _row(subject: Subject) -> str:
    envoy = subject.cpu_us("envoy")
    of_envoy = f"{envoy:6.0f} us" if envoy is not None else f"{'-':>9}"
    times = f"{subject.latency_ms(0.5):6.2f} ms  {subject.latency_ms(0.99):6.2f} ms"
    return f"{subject.name:18}{subject.rate:8.0f}/s   {subject.cpu_us('services'):7.0f} us  {of_envoy}  {times}"


def _figures(subject: Subject) -> dict[str, Any]:
    return {
        "rates": subject.rates,
        "cpu_seconds_a_call": subject.cpu,
        "p50_ms": subject.latency_ms(0.5),
        "p99_ms": subject.latency_ms(0.99),
    }
