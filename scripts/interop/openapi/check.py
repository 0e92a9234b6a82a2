"""Checks local Astra's answers against an OpenAPI spec: `check.py SPEC OPERATIONS`, with the settings of `local env`.

For each operation schemathesis makes requests that fit the spec, the first ones with ids that exist, and requests
that do not fit, always the same ones. Two more have no token, and a wrong one. The same answers with the same
versions: nothing is random. What differs is looked up in `deviations.toml`.
"""

import copy
import fnmatch
import json
import re
import shlex
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from unittest import SkipTest

import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.meta import ParameterLocation
from schemathesis.specs.openapi import checks

from world import LIMIT, URL, Missing, World, token_for

#: Requests that schemathesis makes for an operation, of each of the two kinds.
EXAMPLES = 8
#: How many of one operation's unexpected failures are printed in full.
SHOWN = 3
CHECKS = {
    "no server error": not_a_server_error,
    "status": checks.status_code_conformance,
    "content type": checks.content_type_conformance,
    "headers": checks.response_headers_conformance,
    "schema": checks.response_schema_conformance,
    "refuses what does not fit": checks.negative_data_rejection,
    "takes what fits": checks.positive_data_acceptance,
}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
WRONG_TOKEN = "AstraCS:" + "a" * 24 + ":" + "0" * 64


class Expected:
    """An entry of the list: what differs, and why."""

    def __init__(self, entry):
        self.why = entry["why"]
        self.operations = entry["operations"]
        self.checks = entry.get("checks", [])
        self.statuses = entry.get("statuses")
        says = entry.get("says", "")
        self.says = [says] if isinstance(says, str) else says
        self.met = Counter()

    def concerns(self, operation):
        return any(fnmatch.fnmatchcase(operation, pattern) for pattern in self.operations)

    def fits(self, operation, check, status, what):
        return (
            self.concerns(operation)
            and check in self.checks
            and (self.statuses is None or status in self.statuses)
            and all(any(says in text for says in self.says) for text in what)
        )


def correct(spec, corrections):
    """Puts into the spec what the real servers do; gives the corrections of what is right already."""
    useless = []
    for entry in corrections:
        there = changed = False
        for pointer in entry["at"]:
            *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
            place = spec
            for part in parents:
                place = place.get(part, {}) if isinstance(place, dict) else {}
            if last in place:
                there, changed = True, changed or place[last] != entry["value"]
                place[last] = copy.deepcopy(entry["value"])
        if there and not changed:
            useless.append(entry)
    return useless


def read_spec(path):
    """The spec, without what no client could read and without logins, which this program adds itself."""
    text = Path(path).read_text()
    spec = json.loads(text) if path.endswith(".json") else yaml.safe_load(text)
    spec.pop("security", None)
    spec.get("components", {}).pop("securitySchemes", None)
    unreadable = []
    drop_empty_types(spec, "", unreadable)
    for where, item in spec["paths"].items():
        for method in METHODS & item.keys():
            item[method].pop("security", None)
            parameters = item[method].get("parameters", [])
            parameters[:] = [p for p in parameters if p.get("name", "").lower() != "authorization"]
            for parameter in parameters:
                if "name" in parameter and "in" not in parameter:
                    unreadable.append(f"{method.upper()} {where}: {parameter['name']} is nowhere; taken for a header")
                    parameter["in"] = "header"
            if "responses" not in item[method]:
                unreadable.append(f"{method.upper()} {where}: no responses")
                del item[method]
    for name, schema in spec.get("components", {}).get("schemas", {}).items():
        properties = schema.get("properties", {})
        for bad in [key for key, value in properties.items() if not isinstance(value, dict)]:
            unreadable.append(f"schema {name}: property {bad} is no schema")
            del properties[bad]
    return spec, unreadable


def drop_empty_types(node, where, unreadable):
    """Takes out each `type: null`, which says nothing and which no reader takes."""
    if isinstance(node, dict):
        if "type" in node and node["type"] is None:
            del node["type"]
            unreadable.append(f"{where}: type null")
        for key, value in node.items():
            drop_empty_types(value, f"{where}/{key}", unreadable)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            drop_empty_types(value, f"{where}/{number}", unreadable)


def hide(text):
    """A text without secrets: answers may have new tokens in them."""
    text = re.sub(r"AstraCS:[\w:]+", "AstraCS:...", text)
    text = re.sub(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "eyJ...", text)
    return re.sub(r'("(?:secret|password)"\s*:\s*)"[^"]*"', r'\1"..."', text)


def brief(text):
    """What a failure says, without the schema that the spec has for it."""
    text = text.split("Validated against the response schema")[0]
    return " ".join(text.split())[:400]


def curl(request, token):
    """The request as a command, its token a variable's name."""
    variable = "ASTRA_STREAMING_PULSAR_TOKEN" if "/admin/" in request.path_url else "ASTRA_DB_APPLICATION_TOKEN"
    parts = [f"curl -i -X {request.method}"]
    match token:
        case "good":
            parts.append(f'-H "Authorization: Bearer ${variable}"')
        case "wrong":
            parts.append(f"-H 'Authorization: Bearer {WRONG_TOKEN}'")
    for name, value in request.headers.items():
        if name.lower() == "content-type" or name.lower().startswith("x-datastax-"):
            parts.append("-H " + shlex.quote(f"{name}: {value}"))
    if request.body:
        body = request.body if isinstance(request.body, str) else request.body.decode("utf-8", "replace")
        parts.append("--data-raw " + shlex.quote(body))
    parts.append('"$ASTRA_API_URL"' + shlex.quote(request.path_url))
    return " ".join(parts)


def generate(operation, mode):
    """The requests of one kind that schemathesis makes for an operation; the same ones in each run."""
    cases = []

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode))
    def collect(case):
        cases.append(case)

    collect()
    return cases


class Run:
    """One run over a spec, and what it found."""

    def __init__(self, world, entries):
        self.world = world
        self.deviations = [Expected(entry) for entry in entries["deviation"]]
        self.absent = [Expected(entry) for entry in entries["not_served"]]
        self.operations, self.requests = [], 0
        self.clean, self.not_served, self.left_out = [], [], []
        self.unexpected = {}

    def operation(self, operation):
        label = operation.label
        self.operations.append(label)
        try:
            cases = generate(operation, GenerationMode.POSITIVE)
        except Exception as error:  # Hypothesis and schemathesis have many ways to say that they find no value.
            self.left_out.append(f"{label}: schemathesis makes no request for it: {brief(str(error))}")
            return
        first = self.known(cases[0])
        answer = self.send(first)
        if answer.status_code == 501:
            self.refused(label, answer)
            return
        before = (len(self.unexpected), sum(sum(e.met.values()) for e in self.deviations))
        self.judge(first, answer, "good")
        for number, case in enumerate(cases[1:]):
            self.try_one(self.known(case, body=False) if number % 2 == 0 else case)
        for case in self.negative(operation):
            parts = case.meta.components
            if (body := parts.get(ParameterLocation.BODY)) and body.mode == GenerationMode.NEGATIVE:
                case = self.known(case, body=False)
            self.try_one(case)
        for token in ("none", "wrong"):
            answer = self.send(first, token)
            if answer.status_code != 401:
                self.differs(label, "token", answer, token, [f"{answer.status_code} with token: {token}"])
        if before == (len(self.unexpected), sum(sum(e.met.values()) for e in self.deviations)):
            self.clean.append(label)

    def negative(self, operation):
        try:
            return generate(operation, GenerationMode.NEGATIVE)
        except (SkipTest, Unsatisfiable):
            return []  # Everything fits an operation without parameters and body.

    def known(self, case, body=True):
        """The request with ids that exist, and with a body that has to be taken if there is one."""
        label = case.operation.label
        if case.path_parameters:
            case.path_parameters = self.world.path(label, case.path_parameters)
        if case.headers:
            case.headers = self.world.headers(case.headers)
        if body and (value := self.world.body(label)) is not None:
            case.body, case.media_type = value, "application/json"
        return case

    def send(self, case, token="good"):
        path = case.operation.path
        headers = {"good": f"Bearer {token_for(path)}", "wrong": f"Bearer {WRONG_TOKEN}"}
        headers = {"Authorization": headers[token]} if token in headers else {}
        self.requests += 1
        return case.call(base_url=URL, headers=headers, timeout=LIMIT, allow_redirects=False)

    def try_one(self, case):
        self.judge(case, self.send(case), "good")

    def judge(self, case, answer, token):
        for name, check in CHECKS.items():
            try:
                case.validate_response(answer, checks=[check])
            except FailureGroup as group:
                self.differs(case.operation.label, name, answer, token, [str(e) for e in group.exceptions])
            except Failure as failure:
                self.differs(case.operation.label, name, answer, token, [str(failure)])

    def differs(self, label, check, answer, token, what):
        for entry in self.deviations:
            if entry.fits(label, check, answer.status_code, what):
                entry.met[label] += 1
                return
        found = self.unexpected.setdefault((label, check, answer.status_code), [])
        found.append((what, curl(answer.request, token), answer.text))

    def refused(self, label, answer):
        """An operation that is not served: it has to say so, and to be listed."""
        try:
            body = answer.json()
        except requests.exceptions.JSONDecodeError:
            body = None
        entries = [entry for entry in self.absent if entry.concerns(label)]
        for entry in entries:
            entry.met[label] += 1
        if body and entries:
            self.not_served.append(label)
        else:
            what = "501 without a JSON body" if entries else "501, and not listed as not served"
            self.differs(label, "served", answer, "good", [what])

    def stale(self):
        """Entries of the list that concern an operation of this run, which is served or not, and were not met."""
        served = [label for label in self.operations if label not in self.not_served]
        kinds = [(self.deviations, served), (self.absent, self.operations)]
        return [e for listed, labels in kinds for e in listed if not e.met and any(map(e.concerns, labels))]

    def report(self, seconds):
        for (label, check, status), found in self.unexpected.items():
            print(f"\nUNEXPECTED  {label}: {check}, status {status}, {len(found)} times")
            for what, command, text in found[:SHOWN]:
                print("  " + hide(" ".join(brief(text) for text in what)))
                print(f"  answer: {hide(text)[:300]}")
                print(f"  {command}")
        for what in self.left_out:
            print(f"LEFT OUT  {what}")
        print("\nDeviations met, listed with their reasons:")
        for entry in self.deviations:
            if entry.met:
                print(f"  {sum(entry.met.values())} answers of {len(entry.met)} operations: {entry.why}")
        print("Not served, and said so:")
        for entry in self.absent:
            if entry.met:
                print(f"  {len(entry.met)} operations: {entry.why}")
        for entry in self.stale():
            print(f"NOT MET ANY MORE: {', '.join(entry.operations)}: {entry.why}")
        operations = {label for label, _, _ in self.unexpected}
        rest = len(self.clean) + len(self.not_served) + len(operations) + len(self.left_out)
        print(
            f"\n{len(self.operations)} operations, {self.requests} requests, {seconds:.0f} s:"
            f" {len(self.clean)} as the spec has it, {len(self.operations) - rest} with listed deviations,"
            f" {len(self.not_served)} not served, {len(operations)} with unexpected failures, {len(self.left_out)} left out"
        )


def main(path, pattern):
    began = time.monotonic()
    entries = tomllib.loads((Path(__file__).parent / "deviations.toml").read_text())
    spec, unreadable = read_spec(path)
    name = Path(path).name
    fits = lambda entry: any(fnmatch.fnmatchcase(name, pattern) for pattern in entry.get("specs", ["*"]))
    entries = {kind: [entry for entry in listed if fits(entry)] for kind, listed in entries.items()}
    useless = correct(spec, entries["correction"])
    run = Run(World(), entries)
    for what in unreadable:
        print(f"Broken in the spec, and left out: {what}")
    schema = schemathesis.openapi.from_dict(spec)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation is None:
            run.left_out.append(f"schemathesis cannot read it: {brief(str(found.err()))}")
        elif fnmatch.fnmatchcase(operation.label, pattern):
            run.operation(operation)
            if operation.path.startswith("/admin/"):
                run.world.tidy()
    if not run.operations:
        raise Missing(f"the spec has no operation {pattern}")
    for entry in useless:
        print(f"NOT NEEDED ANY MORE: {', '.join(entry['at'])}: {entry['why']}")
    run.report(time.monotonic() - began)
    if run.unexpected:
        return 1
    return 3 if run.stale() or useless else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (Missing, requests.exceptions.RequestException) as error:
        print(f"check-openapi: {hide(str(error))}", file=sys.stderr)
        sys.exit(4)
