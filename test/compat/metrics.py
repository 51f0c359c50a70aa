"""Prints what families two expositions have, as JSON: JupyterHub's own registry, and the text on standard input."""

import json
import sys

from prometheus_client import generate_latest
from prometheus_client.core import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

import jupyterhub.metrics  # noqa: F401  registers its metrics


def families(text):
    found = {}
    for family in text_string_to_metric_families(text):
        if not family.name.startswith("jupyterhub_") or family.name.endswith("_created"):
            continue
        samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
        found[family.name] = {
            "type": family.type,
            "help": family.documentation,
            "labels": sorted({label for sample in samples for label in sample.labels} - {"le"}),
            "bounds": sorted({float(sample.labels["le"]) for sample in samples if "le" in sample.labels}),
            "samples": [[sample.name, sample.labels, sample.value] for sample in samples],
        }
    return found


def declared():
    """Labels and bounds also of families without a series yet."""
    found = families(generate_latest(REGISTRY).decode())
    for metric in vars(jupyterhub.metrics).values():
        name = getattr(metric, "_name", None)
        if name in found:
            found[name]["labels"] = sorted(metric._labelnames)
            if found[name]["type"] == "histogram":
                found[name]["bounds"] = sorted(metric._kwargs.get("buckets") or metric.DEFAULT_BUCKETS)
    return found


json.dump({"theirs": declared(), "ours": families(sys.stdin.read())}, sys.stdout, allow_nan=True, default=str)
