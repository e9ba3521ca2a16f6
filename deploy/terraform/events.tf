# Events for a queue, which the controller reads instead of polling.

locals {
  # What the controller itself writes all the time.
  noise = ["*_state/leases/*", "*_state/status*", "*_state/history/*", "*_state/events/*"]
  # Not `var.events ? {…} : {}`: both sides of a conditional must have one type, and each pattern has its own.
  rules = { for name, rule in local.patterns : name => rule if var.events }
  patterns = {
    config-objects = {
      description = "Config objects that are deleted or altered, and specs"
      pattern = jsonencode({
        source      = ["aws.s3"]
        detail-type = ["Object Created", "Object Deleted"]
        detail = {
          bucket = { name = compact([aws_s3_bucket.configs.id, var.source_bucket]) }
          object = { key = [{ anything-but = { wildcard = local.noise } }] }
        }
      })
    }
    ecs-changes = {
      description = "How rollouts go"
      pattern = jsonencode({
        source      = ["aws.ecs"]
        detail-type = ["ECS Deployment State Change", "ECS Service Action"]
      })
    }
    other-deploys = {
      description = "Other people's deploys; needs a CloudTrail trail"
      pattern = jsonencode({
        source      = ["aws.ecs"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = {
          eventSource = ["ecs.amazonaws.com"]
          eventName   = ["CreateService", "RegisterTaskDefinition", "UpdateService"]
        }
      })
    }
  }
}

resource "aws_s3_bucket_notification" "configs" {
  bucket      = aws_s3_bucket.configs.id
  eventbridge = true
}

resource "aws_sqs_queue" "dead_events" {
  count                     = var.events ? 1 : 0
  name_prefix               = "${var.owner}-dead-events-"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
  tags                      = local.tags
}

resource "aws_sqs_queue" "events" {
  count                      = var.events ? 1 : 0
  name_prefix                = "${var.owner}-events-"
  sqs_managed_sse_enabled    = true
  message_retention_seconds  = 3600
  visibility_timeout_seconds = 60
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_events[0].arn, maxReceiveCount = 5 })
  tags                       = local.tags
}

resource "aws_cloudwatch_event_rule" "events" {
  for_each      = local.rules
  name_prefix   = "${var.owner}-${each.key}-"
  description   = each.value.description
  event_pattern = each.value.pattern
  tags          = local.tags
}

resource "aws_cloudwatch_event_target" "events" {
  for_each = local.rules
  rule     = aws_cloudwatch_event_rule.events[each.key].name
  arn      = aws_sqs_queue.events[0].arn
}

resource "aws_sqs_queue_policy" "events" {
  count     = var.events ? 1 : 0
  queue_url = aws_sqs_queue.events[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OfTheseRules"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.events[0].arn
        Condition = { ArnEquals = { "aws:SourceArn" = [for rule in aws_cloudwatch_event_rule.events : rule.arn] } }
      },
      {
        Sid       = "OverTlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.events[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sqs_queue_policy" "dead_events" {
  count     = var.events ? 1 : 0
  queue_url = aws_sqs_queue.dead_events[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OverTlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.dead_events[0].arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
