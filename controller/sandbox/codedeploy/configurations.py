"""The predefined deployment configurations of the ECS compute platform, as the seconds that a shift takes.

CodeDeploy user guide, "Working with deployment configurations in CodeDeploy".
"""

from __future__ import annotations

from controller.sandbox.codedeploy.errors import CodeDeployError

_MINUTES = {
    "CodeDeployDefault.ECSAllAtOnce": 0,
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": 9,
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": 27,
    "CodeDeployDefault.ECSCanary10Percent5Minutes": 5,
    "CodeDeployDefault.ECSCanary10Percent15Minutes": 15,
}


def shift_seconds(name: str) -> float:
    """From the first tenth of the traffic, which moves at once, until the last."""
    if name not in _MINUTES:
        raise CodeDeployError(
            "DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}"
        )
    return _MINUTES[name] * 60.0
