"""Other people who write to the same services: CI, Terraform, somebody at a console.

Each acts through the API as a client would, under a role of its own: `registeredBy` and faults tell them
apart, and they draw on the account's throttles like everybody. They do not try again.
"""

from __future__ import annotations

from controller.sandbox.actors.desk import ActorFailed
from controller.sandbox.actors.shapes import Ci, CiCopy, Person, Terraform

__all__ = ["ActorFailed", "Ci", "CiCopy", "Person", "Terraform"]
