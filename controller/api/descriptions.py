"""What each key of the kinds is for: shown by editors. By the name of its model, then by key."""

from __future__ import annotations

KINDS = {
    "LogRoute": "Sends the logs of ECS services through a FireLens router, and keeps it so.",
    "LogOutput": "One output that routes share by `ref`.",
    "LogRouterClass": "How routers are made: image, container, buffers, health, rollouts.",
}

DESCRIPTIONS: dict[str, dict[str, str]] = {
    "Metadata": {
        "name": "A DNS label, unique in its namespace.",
        "namespace": "The owning team.",
        "labels": "For rollout.order, and for people.",
        "annotations": "logroute.dev/allow accepts lints here, by code, comma-separated.",
    },
    "ClassMetadata": {
        "name": "A DNS label. The class called default is for routes that name none.",
        "labels": "For people.",
        "annotations": "logroute.dev/allow accepts lints here, by code, comma-separated.",
    },
    "RouteSpec": {
        "suspend": "Observe and report, but write nothing.",
        "priority": "Higher first, where several routes meet on one service.",
        "mode": "enforce, or warn: report drift and change nothing.",
        "deletionPolicy": "When the last route leaves a service: restore the originals, or orphan the router.",
        "ignore": "JSON pointers into the owned part that are not repaired: /container/memoryReservation, "
        "/container/environment/FLB_LOG_LEVEL, /containers/app/dependsOn, /volumes/spool.",
        "target": "Which services and task families.",
        "routerClass": "A LogRouterClass.",
        "router": "Overrides of that class.",
        "pipeline": "A Fluent Bit YAML file, flattened, in Fluent Bit's own option names.",
        "secrets": "Environment name to the ARN of a secret or parameter; options use ${NAME}.",
        "logGroups": "CloudWatch log groups that LogRoute makes if missing, and never deletes.",
        "rollout": "Overrides of the class's.",
    },
    "Target": {
        "account": "A name from the settings; the controller's own when absent.",
        "region": "The controller's own when absent.",
        "cluster": "A name or glob.",
        "services": "Names and globs; ! in front excludes.",
        "serviceSelector": "By ECS service tags; with services too, both must hold.",
        "taskFamilies": "Families that no service runs: scheduled and run-task jobs.",
        "sharedFamilies": "Whether a family may be shared by services and jobs.",
        "repointSchedules": "Move rules and schedules that pin a revision to ours.",
        "containers": "Names and globs; every container but the router when absent.",
    },
    "ServiceSelector": {"matchTags": "Tags that the service must all have."},
    "Pipeline": {
        "service": "[SERVICE]; rarely needed, the class sets it.",
        "parsers": "Parsers that filters use by name.",
        "multiline_parsers": "Multiline parsers that filters use by name.",
        "inputs": "Inputs beside FireLens's own.",
        "filters": "Filters, in order. Without match: all records of this route.",
        "outputs": "Where the records go: outputs, or refs to LogOutputs.",
    },
    "RouterOverrides": {
        "cpu": "CPU units of the router container.",
        "memoryReservation": "MiB of the router container.",
        "buffer": "Where records wait.",
        "service": "[SERVICE] of the router.",
        "health": "The router's health check.",
    },
    "LogGroupSpec": {
        "name": "The log group.",
        "retentionDays": "How long events are kept; for ever when absent.",
        "class": "Set when the group is made.",
    },
    "OutputSpec": {
        "name": "The Fluent Bit output plugin; its options stand beside it.",
        "secrets": "Environment name to the ARN of a secret or parameter; options use ${NAME}.",
        "logGroups": "CloudWatch log groups that LogRoute makes if missing, and never deletes.",
        "allowedNamespaces": "Names and globs of the namespaces whose routes may refer to it, beside its own.",
    },
    "ClassSpec": {
        "image": "The router's image; pin a release.",
        "engine": "The Fluent Bit in the image; known for AWS's own tags, else required.",
        "delivery": "How the config reaches the router.",
        "adopt": "Take the place of a FireLens container that someone else put there; it comes back on leaving.",
        "growTask": "Raise the task's size to the next valid one where the router does not fit.",
        "container": "The router container: fields of an ECS container definition.",
        "volumes": "Task volumes to add.",
        "health": "The router's health check.",
        "waitForRouter": "What the routed containers wait for.",
        "ecsMetadata": "Add ECS's metadata to every record.",
        "driverBufferLimit": "log-driver-buffer-limit of the routed containers, in bytes.",
        "buffer": "Where records wait.",
        "service": "[SERVICE] of the router.",
        "rollout": "How changes reach services.",
    },
    "Buffer": {
        "type": "memory, or filesystem.",
        "path": "Where on the filesystem.",
        "maxChunksUp": "Chunks of about 2 MB held in memory at once.",
        "totalLimitSize": "The most that waits for one output.",
    },
    "Health": {
        "mode": "off, uptime (the router answers), or deep (its outputs work too).",
        "port": "The port of the router's HTTP server.",
    },
    "Rollout": {
        "batch": "A share such as 10%, or a number, of the services that one spec revision changes.",
        "maxParallel": "Rollouts that run at once per account and region; 0 for no limit.",
        "order": "Who goes first.",
        "pauseOnFailure": "Stop where a rollout fails.",
        "timeout": "How long a rollout may make no progress; each task of the new revision that runs starts it anew.",
        "whenDeploying": "Somebody else deploys: wait for the end of it, or skip the service until the next pass.",
        "windows": "When to roll out; always when empty.",
    },
    "Order": {
        "services": "These services, in the order of the list.",
        "labels": "Services of routes with these labels.",
    },
    "Window": {
        "cron": "When the window opens, in five fields.",
        "duration": "How long it stays open.",
        "timeZone": "An IANA name, such as Asia/Tokyo.",
    },
}
