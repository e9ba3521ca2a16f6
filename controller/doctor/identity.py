"""Who we are in a place, and whether AWS's clock is ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from controller.aws.ports import AccessDenied
from controller.aws.probe import Probe, Tried
from controller.doctor.model import Finding, Sheet

SKEW_NOTED, SKEW_TOO_LARGE = 60.0, 240.0
"""Seconds. Signatures are refused at 300 (IAM user guide, "AWS Signature Version 4"), and clocks drift on."""
CREDENTIALS = "Give AWS credentials that are valid now: a task role, a profile, or renewed environment variables"


@dataclass(frozen=True, slots=True)
class Identity:
    account: str
    arn: str


def ask(probe: Probe) -> Tried:
    return probe.call("sts", "GetCallerIdentity", f"account {probe.place}")


def identity_of(tried: Tried) -> Identity | None:
    found = tried.answer
    return Identity(str(found["Account"]), str(found.get("Arn", ""))) if found.get("Account") else None


def credentials(sheet: Sheet, tried: Tried, role: str | None) -> Finding:
    """`role`: the one that leads into the account, as the settings name it."""
    who = identity_of(tried)
    if who is None:
        return _nobody(sheet, tried, role)
    if role and role.split(":")[4] != who.account:
        message = f"{role} leads into account {who.account}"
        return sheet.fail("credentials", message, "Put the role of the right account into accounts: roleArn")
    return sheet.ok("credentials", f"account {who.account} as {who.arn}")


def _nobody(sheet: Sheet, tried: Tried, role: str | None) -> Finding:
    error = tried.error
    if error is None:
        message = "sts:GetCallerIdentity: the answer is not AWS's"
        return sheet.fail("credentials", message, "Check AWS_ENDPOINT_URL, and what stands between here and AWS")
    if error.operation == "sts:AssumeRole" and isinstance(error, AccessDenied):
        hint = (
            "Allow sts:AssumeRole on it to the controller, and name the controller's role and the externalId in its "
            "trust policy: logroute iam controller --trust prints it"
        )
        return sheet.fail("credentials", f"{role} cannot be assumed: {error.code}: {error.detail.rstrip('.')}", hint)
    hint = CREDENTIALS if isinstance(error, AccessDenied) else error.hint or "Check the network and AWS_ENDPOINT_URL"
    where = f"{error.operation}: {error.code}: {error.detail.rstrip('.')}"
    return sheet.fail("credentials", where, hint.replace("; it is tried again", ""))


def clock(sheet: Sheet, tried: Tried, now: float) -> Iterator[Finding]:
    """From the Date header, which a refusal carries too. Nothing where there was no answer."""
    try:
        theirs = parsedate_to_datetime(tried.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return
    skew = now - theirs
    message = f"this clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS's"
    hint = "Set the clock by NTP (chrony); AWS refuses signatures that are 5 minutes off"
    if abs(skew) > SKEW_TOO_LARGE:
        yield sheet.fail("clock", message, hint)
    elif abs(skew) > SKEW_NOTED:
        yield sheet.warn("clock", message, hint)
    else:
        yield sheet.ok("clock", "within a minute of AWS's")
