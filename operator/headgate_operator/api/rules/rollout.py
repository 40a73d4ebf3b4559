"""Rules about the way a new version takes over."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from headgate_operator.api.rules.rule import Rule, above_zero, names_differ

MAX_HOLDBACK: Final = 50
"""Percent: above it the replaced version would go on serving most of the traffic."""


def _rising(steps: Sequence[Mapping[str, Any]]) -> bool:
    weights = [step["weight"] for step in steps if step.get("weight") is not None]
    return all(lower < higher for lower, higher in pairwise(weights))


def _strategy(spec: Mapping[str, Any]) -> str:
    return str(spec.get("rollout", {}).get("strategy") or "Canary")


def _way_back_is_kept(spec: Mapping[str, Any]) -> bool:
    holdback = spec.get("rollout", {}).get("watch", {}).get("holdback")
    return spec.get("serving", {}).get("mode") != "Knative" or holdback is None or bool(holdback > 0)


RULES: tuple[Rule, ...] = (
    Rule(
        at="spec.rollout.steps",
        sentence="weights of the steps must rise from step to step, such as 5, 25, 50",
        cel="self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && "
        "self.all(s, !has(s.weight) || self.exists_one(t, has(t.weight) && t.weight == s.weight))",
        holds=_rising,
    ),
    Rule(
        at="spec.rollout.steps",
        sentence="steps need at least one with a weight; to freeze a rollout before its first step, write paused: true in the spec",
        cel="self.exists(s, has(s.weight))",
        holds=lambda steps: any(step.get("weight") is not None for step in steps),
    ),
    Rule(
        at="spec.rollout.steps[]",
        shown_at="weight",
        sentence="weight must be below 100: with all of the traffic on the candidate there is nothing left to compare it with, and "
        "promotion after the last step gives it the rest",
        cel="!has(self.weight) || self.weight < 100",
        holds=lambda step: (step.get("weight") or 0) < 100,
    ),
    Rule(
        at="spec.rollout.steps[]",
        sentence="a step has either a weight or pause: true",
        cel="has(self.weight) != (has(self.pause) && self.pause)",
        holds=lambda step: (step.get("weight") is not None) != bool(step.get("pause")),
    ),
    Rule(
        at="spec.rollout.watch",
        shown_at="holdback",
        sentence=f"holdback must be at most {MAX_HOLDBACK}: it is what the replaced version keeps",
        cel=f"!has(self.holdback) || self.holdback <= {MAX_HOLDBACK}",
        holds=lambda watch: watch.get("holdback") is None or watch["holdback"] <= MAX_HOLDBACK,
    ),
    Rule(
        at="spec",
        shown_at="rollout.strategy",
        sentence="strategies BlueGreen and Shadow need serving.mode Standard: Knative cannot mirror requests; write Canary",
        cel="self.serving.mode != 'Knative' || self.rollout.strategy == 'Canary'",
        holds=lambda spec: spec.get("serving", {}).get("mode") != "Knative" or _strategy(spec) == "Canary",
    ),
    Rule(
        at="spec",
        shown_at="rollout.watch.holdback",
        sentence="in Knative mode holdback must be at least 1: Knative takes the replicas of a version without traffic, and there would be "
        "no way back at once",
        cel="self.serving.mode != 'Knative' || !has(self.rollout.watch.holdback) || self.rollout.watch.holdback > 0",
        holds=_way_back_is_kept,
    ),
    names_differ("spec.rollout.hooks"),
    above_zero("spec.rollout.hooks[].timeout"),
    above_zero("spec.rollout.progressDeadline"),
    above_zero("spec.rollout.holdTimeout"),
    above_zero("spec.rollout.maxDuration"),
)
