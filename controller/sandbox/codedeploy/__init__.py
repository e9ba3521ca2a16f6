"""A CodeDeploy that deploys ECS services blue/green: as much of it as a deployment tool talks to."""
