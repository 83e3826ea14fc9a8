"""The infrastructure as a template of CloudFormation, with SAM's transform for the functions' packages.

Only functions are resources of SAM. Their triggers, roles and logs are plain resources: SAM's events attach managed
policies that allow any queue and any stream, and an event of a bucket goes round in a circle with its function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract.limits import check_policy
from router.contract.sam.alarms import add_alarms
from router.contract.sam.apis import add_apis
from router.contract.sam.checking import check_environment
from router.contract.sam.document import Document
from router.contract.sam.functions import add_functions
from router.contract.sam.resources import add_resources
from router.contract.sam.tasks import add_tasks
from router.contract.sam.triggers import add_triggers

if TYPE_CHECKING:
    from typing import Any

    from router.contract.model import Infrastructure

_ADD = (add_functions, add_resources, add_triggers, add_apis, add_tasks, add_alarms)


def template(infrastructure: Infrastructure) -> dict[str, Any]:
    """Return the template, as data that JSON can hold. It is the same from run to run.

    Raises:
        ConfigurationError: two resources would have one logical id, or it has more than CloudFormation or IAM takes.
    """
    from router.contract.policies import policy

    document = Document(infrastructure)
    for add in _ADD:
        add(document)
    for part in infrastructure.parts:
        check_environment(part)
        check_policy(part.name, policy(infrastructure, part), infrastructure.name)
    return document.finished()
