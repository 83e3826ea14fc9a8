"""`junction check`: what an application declares of its environment, and what is wrong with it, as it is deployed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from router.cli.completion import complete_application
from router.cli.loading import load, load_application, refuse
from router.cli.options import flag
from router.cli.output import AsJson
from router.cli.report import Report
from router.environment.requirements import merged
from router.environment.resolution import listed
from router.environment.usage import compare, declared_by, read_calls
from router.errors import ConfigurationError, text_of
from router.resolver import Resolver
from router.routing.route import UNDECLARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from router.contract import Stack
    from router.contract.checking import Finding
    from router.contract.checking.deployed import Deployed, Template
    from router.environment.declared import Declared
    from router.environment.usage import Call

_UNSET = "not set"
_ELSEWHERE = "not in the environment"
_IN_TEMPLATE = "template"


def check(
    application: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="The application, `package.module:resolver`, or a `Stack` of it.",
            show_default=False,
            autocompletion=complete_application,
        ),
    ],
    template: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A template of SAM or CloudFormation to compare.", show_default=False),
    ] = None,
    bundle: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="The package that is uploaded, a folder or a zip file; those of layers after it.",
            show_default=False,
        ),
    ] = None,
    function: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="The functions of the template that run APP; may be repeated.", show_default=False
        ),
    ] = None,
    offline: Annotated[
        bool, flag("--offline", help="Ask no store; what the environment lacks is not a fault, such as in CI.")
    ] = False,
    undeclared: Annotated[bool, flag("--undeclared", help="A route without `requires=` is a fault.")] = False,
    calls: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Calls that tests recorded (`Calls.save`), to compare; may be repeated.",
            show_default=False,
        ),
    ] = None,
    unused: Annotated[
        list[str] | None,
        typer.Option(metavar="OPERATION", help="One that tests need not make; may be repeated.", show_default=False),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPERATION", help="One that is in order, though it is not known here.", show_default=False
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="A rule that does not count; may be repeated.", show_default=False),
    ] = None,
    strict: Annotated[bool, flag("--strict", help="Warnings are faults, too.")] = False,
    as_json: AsJson = False,
    github: Annotated[
        bool, flag("--github", help="Print annotations for GitHub Actions; by default where it runs there.")
    ] = False,
) -> None:
    """Check an application: its routes, what they declare with `requires=`, its template and its package.

    Nothing is set, changed or recorded, and no value of a variable is shown. Variables are looked up as at a start, in
    the environment and the stores of the application; with `--template` there. Each finding names a rule, and the file
    and line where there is one. Exit status: 0 without faults, 1 with faults, 2 for wrong arguments.
    """
    from router.contract.checking.findings import in_order

    name, resolver, stack = _loaded(application)
    declared = declared_by(resolver)
    report = Report(application, declared, _known(ignore or []), strict=strict)
    try:
        made = [call for path in calls or [] for call in read_calls(path)]
        found = [*_declarations(declared, report, undeclared, set(known or []))]
        found += [_of_call(declared, one) for one in (compare(resolver, made, unused=unused or []) if calls else ())]
        found += _routes(resolver, stack)
        if template is None:
            found += _variables(declared, report, offline)
        found += _deployment(name, resolver, stack, report, (template, bundle or [], function or []), made)
    except ConfigurationError as error:
        refuse(error)
    raise typer.Exit(report.show(in_order(found), as_json=as_json, github=github or _is_at_github()))


def _known(rules: list[str]) -> list[str]:
    """Return the names of rules; end the process where one is none."""
    from difflib import get_close_matches

    from router.contract.checking import RULES

    for rule in rules:
        if rule not in RULES:
            near = get_close_matches(rule, RULES)
            refuse(f"--ignore {rule!r} is no rule: " + (f"did you mean {near[0]}?" if near else ", ".join(RULES)))
    return rules


def _is_at_github() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _loaded(application: str) -> tuple[str, Resolver, Stack | None]:
    """Return the name of the application, its resolver, and the stack, where that was named."""
    found = load(application, "APP", "package.module:resolver")
    if isinstance(found, Resolver):
        return application, load_application(application), None
    from router.contract import Stack

    if isinstance(found, Stack):
        return found.application, load_application(found.application), found
    return application, load_application(application), None  # which says what is wrong with it


# ---- what is declared ------------------------------------------------------------------------------------------------


def _declarations(declared: Declared, report: Report, undeclared: bool, known: set[str]) -> Iterator[Finding]:
    """Find operations that AWS does not have, and routes that declare nothing."""
    from router.contract.checking import Finding
    from router.contract.checking.findings import of_route

    report.operations = merged([declared.everywhere, *(declared.of(route) for route in declared.routes)])
    yield from (Finding("operations", text) for text in _unknown(report.operations, known))
    for route in declared.routes if undeclared else ():
        if route.requires is UNDECLARED and not route.group_requires and not route.unpacks:
            yield of_route("undeclared", route, "declares nothing; requires={} says that it needs nothing")


def _unknown(operations: Mapping[str, tuple[str, ...]], known: set[str]) -> list[str]:
    """Return the operations that AWS does not have, as faults."""
    from router.cli.known_actions import why_unknown

    faults: list[str] = []
    for name, named in operations.items():
        for operation in named:
            if operation in known:
                continue
            try:
                why = why_unknown(operation)
            except ImportError:
                typer.echo('operations are not checked: pip install "lambda-junction[aws]"', err=True)
                return faults
            if why:
                faults.append(f"{operation}, declared for {name}, is not an IAM action: {why}")
    return faults


def _variables(declared: Declared, report: Report, offline: bool) -> list[Finding]:
    """Find variables that are not set, and tell the report where the others come from."""
    from router.contract.checking import Finding

    environ, names = os.environ, list(report.wanted_by)
    if offline:
        report.origins = {name: "environment" if environ.get(name) else _ELSEWHERE for name in names}
        return []
    try:
        resolved, looked = declared.environment.find(names, environ)
    except Exception as error:
        report.origins = {name: "environment" if environ.get(name) else "unknown" for name in names}
        return [Finding("variables", f"what the environment lacks cannot be looked up: {text_of(error)}")]
    report.origins = {name: resolved.origins.get(name, _UNSET) for name in names}
    missing = [name for name in names if name not in resolved]
    faults = [f"{name} is not set; wanted by {listed(report.wanted_by[name])}" for name in missing]
    if missing and looked:
        faults[-1] += f" ({'; '.join(looked)})"
    return [Finding("variables", text) for text in faults]


def _of_call(declared: Declared, one: object) -> Finding:
    from router.contract.checking import Finding
    from router.contract.model import place_of

    where = getattr(one, "where", "")
    route = next((route for route in declared.routes if str(route) == where), None)
    return Finding(f"calls-{getattr(one, 'kind', '')}", str(one), None if route is None else place_of(route))


# ---- how it is deployed ----------------------------------------------------------------------------------------------


def _routes(resolver: Resolver, stack: Stack | None) -> Iterator[Finding]:
    from router.contract.checking import WARNING, Finding
    from router.contract.checking.blocking import blocking
    from router.contract.checking.documents import unserved
    from router.contract.checking.routes import alike, misnamed, unreachable
    from router.contract.checking.sessions import sessionless
    from router.env import name_in

    routes = resolver.every_route()
    yield from unreachable(routes)
    yield from alike(routes, {name: name_in(value.strip()) for name, value in os.environ.items()})
    yield from misnamed(routes)
    yield from blocking(routes, resolver.middleware)
    yield from unserved(routes)
    yield from sessionless(resolver)
    if stack is not None:
        from router.contract.sam import template

        try:
            held = stack.infrastructure()
            template(held)
            yield from (Finding("infrastructure", str(note), level=WARNING) for note in held.notes)
        except ConfigurationError as error:
            _, *lines = str(error).splitlines()
            yield from (Finding("infrastructure", line.removeprefix("- ")) for line in lines or [str(error)])


def _deployment(
    application: str,
    resolver: Resolver,
    stack: Stack | None,
    report: Report,
    given: tuple[Path | None, list[Path], list[str]],
    made: Iterable[Call],
) -> list[Finding]:
    """Check the template and the package.

    given: the template, the bundles, and the logical ids of functions.
    """
    file, folders, named = given
    found: list[Finding] = []
    handler, runtime, architecture = ("" if stack is None else stack.handler), "", ""
    if named and file is None:
        refuse("--function names a function of a --template")
    if file is not None:
        from router.contract.checking.deployed import Template
        from router.contract.checking.structure import listed
        from router.contract.checking.template import check_template, functions_of_application
        from router.contract.surroundings import sources_of_others

        template = Template(file)
        elsewhere = sources_of_others(() if stack is None else stack.declared)
        functions = _named(template, named) or functions_of_application(template, application, handler)
        found += check_template(template, functions, resolver, made, elsewhere)
        set_there = {name for one in functions for name in one.variables}
        report.origins = {name: _IN_TEMPLATE if name in set_there else _UNSET for name in report.wanted_by}
        first = functions[0]
        handler = first.handler
        runtime = template.references.text(first.properties.get("Runtime", ""))
        told = listed(first.properties.get("Architectures", "x86_64"))
        architecture = template.references.text(told[0]) if len(told) == 1 else ""  # of two a condition chooses
    if folders:
        from router.contract.checking.bundle import Bundle, check_bundle, summary

        bundles = [Bundle(path) for path in folders]
        report.sizes = summary(bundles)
        found += check_bundle(bundles, handler, runtime, architecture)
    return found


def _named(template: Template, names: list[str]) -> list[Deployed]:
    there = {one.logical: one for one in template.functions}
    for name in names:
        if name not in there:
            refuse(f"--function {name!r}: the template has {', '.join(there) or 'no functions'}")
    return [there[name] for name in names]
