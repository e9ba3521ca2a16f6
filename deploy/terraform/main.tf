# The controller as an ECS service on Fargate, with its config store, roles and log group.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.id
  tags      = merge(var.tags, { "logroute.dev/owner" = var.owner })

  has_kms_key            = var.kms_key != ""
  has_source_bucket      = var.source_bucket != ""
  has_git_token          = var.git_token_secret != ""
  has_events             = var.events
  has_member_roles       = length(var.member_roles) > 0
  has_scheduled_jobs     = var.scheduled_jobs
  uses_code_deploy       = var.codedeploy
  deletes_config_objects = var.deletes_configs
  deregisters_revisions  = var.deregisters

  config_store = var.config_store != "" ? var.config_store : "s3://${aws_s3_bucket.configs.id}/${var.config_prefix}"

  environment = merge(
    {
      LOGROUTE_SOURCE       = var.specs
      LOGROUTE_CONFIG_STORE = local.config_store
      LOGROUTE_OWNER        = var.owner
      LOGROUTE_REGION       = local.region
      LOGROUTE_ACCOUNTS     = jsonencode(var.accounts)
      LOGROUTE_GUARDS       = jsonencode({ firstRun = var.first_run })
      LOGROUTE_LIMITS       = jsonencode({ share = var.call_share })
      LOGROUTE_GARBAGE = jsonencode({
        configs   = var.deletes_configs ? "delete" : "dry-run"
        revisions = var.deregisters ? "deregister" : "off"
      })
    },
    local.has_git_token ? { LOGROUTE_GIT_TOKEN_SECRET_ARN = var.git_token_secret } : {},
    var.events ? { LOGROUTE_EVENTS_QUEUE = one(aws_sqs_queue.events[*].url) } : {},
  )
}

# The config store

resource "aws_s3_bucket" "configs" {
  bucket        = var.bucket_name != "" ? var.bucket_name : null
  bucket_prefix = var.bucket_name != "" ? null : "${var.owner}-configs-"
  tags          = local.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "configs" {
  bucket = aws_s3_bucket.configs.id

  rule {
    bucket_key_enabled = var.kms_key != ""

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key != "" ? "aws:kms" : "AES256"
      kms_master_key_id = var.kms_key != "" ? var.kms_key : null
    }
  }
}

resource "aws_s3_bucket_versioning" "configs" {
  bucket = aws_s3_bucket.configs.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_ownership_controls" "configs" {
  bucket = aws_s3_bucket.configs.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "configs" {
  bucket                  = aws_s3_bucket.configs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "configs" {
  bucket     = aws_s3_bucket.configs.id
  depends_on = [aws_s3_bucket_versioning.configs]

  rule {
    id     = "leases-are-written-every-few-seconds"
    status = "Enabled"

    filter {
      prefix = "${var.config_prefix}/_state/leases/"
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "what-was-replaced"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "configs" {
  bucket = aws_s3_bucket.configs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OverTlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.configs.arn, "${aws_s3_bucket.configs.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

# Roles

locals {
  for_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "task" {
  name_prefix        = "${var.owner}-controller-"
  assume_role_policy = local.for_tasks
  tags               = local.tags
}

resource "aws_iam_policy" "controller" {
  name_prefix = "${var.owner}-controller-"
  tags        = local.tags
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, statement in local.controller_statements : statement
      if lookup(local.controller_conditions, sid, true)
    ]
  })
}

resource "aws_iam_role_policy_attachment" "controller" {
  role       = aws_iam_role.task.name
  policy_arn = aws_iam_policy.controller.arn
}

resource "aws_iam_role" "execution" {
  name_prefix        = "${var.owner}-execution-"
  assume_role_policy = local.for_tasks
  tags               = local.tags
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.controller.arn}:*"
      },
      {
        Sid      = "LogInToEcr"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "PullTheImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "arn:${local.partition}:ecr:*:*:repository/${var.image_repository}"
      },
    ]
  })
}

# The service

resource "aws_cloudwatch_log_group" "controller" {
  name              = "/logroute-controller/${var.owner}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_security_group" "controller" {
  name_prefix = "${var.owner}-controller-"
  description = "The LogRoute controller"
  vpc_id      = var.vpc_id
  tags        = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "scrape" {
  for_each          = toset(var.scrape_cidrs)
  security_group_id = aws_security_group.controller.id
  description       = "Prometheus"
  ip_protocol       = "tcp"
  from_port         = 9090
  to_port           = 9090
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "out" {
  for_each          = { https = 443, ssh = 22 }
  security_group_id = aws_security_group.controller.id
  description       = "AWS, and git over ${each.key}"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_ecs_task_definition" "controller" {
  family                   = "${var.owner}-controller"
  cpu                      = var.cpu
  memory                   = var.memory
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  tags                     = local.tags

  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "controller"
    image                  = var.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    stopTimeout            = 30
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp" }]
    portMappings           = [{ containerPort = 9090, protocol = "tcp" }]
    environment            = [for name, value in local.environment : { name = name, value = value }]

    healthCheck = {
      command     = ["CMD", "python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9090/healthz', timeout=4)"]
      interval    = 30
      timeout     = 5
      retries     = 3
      startPeriod = 60
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.controller.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "controller"
        mode                  = "non-blocking"
        max-buffer-size       = "4m"
      }
    }
  }])
}

resource "aws_ecs_service" "controller" {
  name                               = "${var.owner}-controller"
  cluster                            = var.cluster
  task_definition                    = aws_ecs_task_definition.controller.arn
  desired_count                      = var.replicas
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true
  tags                               = local.tags
  depends_on                         = [aws_iam_role_policy_attachment.controller, aws_iam_role_policy.execution]

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnets
    security_groups  = [aws_security_group.controller.id]
    assign_public_ip = var.public_ip
  }
}
