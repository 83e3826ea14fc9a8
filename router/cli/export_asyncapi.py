"""`junction export asyncapi`: the AsyncAPI document of an application."""

from __future__ import annotations

from router.cli.described import Application, Title, Version, document_text, interface_of
from router.cli.files import DOCUMENTS, check_ending, finish, text_of
from router.cli.loading import load, refuse
from router.cli.options import Check, Diff, Output
from router.errors import ConfigurationError


def asyncapi(
    application: Application,
    output: Output = None,
    title: Title = "",
    version: Version = "",
    diff: Diff = False,
    check: Check = False,
) -> None:
    """Write the AsyncAPI document: channels, messages, and who sends and receives them.

    It is JSON, or YAML where the file's name ends in .yaml. A stack adds what it declares: dead-letter queues, brokers,
    names. Exit status: 0 when it is done or current, 1 when --check finds it is not, 2 when it cannot be made.
    """
    from router.contract.asyncapi import asyncapi as document

    check_ending(output, DOCUMENTS, "the document")
    interface = interface_of(application, title, version)
    declared = getattr(load(application, "APP", "package.module:resolver"), "declared", ())
    before = text_of(output)
    try:
        text = document_text(document(interface, declared), output)
    except ConfigurationError as error:
        refuse(error)
    finish(text, before, output, diff=diff, check=check)
