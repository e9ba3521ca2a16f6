# What another account needs: the role that the controller assumes there, and a config store of its own.

data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition

  has_scheduled_jobs     = var.scheduled_jobs
  uses_code_deploy       = var.codedeploy
  deletes_config_objects = var.deletes_configs
  deregisters_revisions  = var.deregisters
}

resource "aws_s3_bucket" "configs" {
  bucket = var.bucket_name
  tags   = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "configs" {
  bucket = aws_s3_bucket.configs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
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

resource "aws_iam_role" "task" {
  name_prefix = "logroute-"
  description = "Assumed by the LogRoute controller"
  tags        = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.controller_role }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}

resource "aws_iam_policy" "controller" {
  name_prefix = "logroute-"
  tags        = var.tags
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

output "role_arn" {
  description = "The `roleArn` of this account in the controller's settings, and one of its `member_roles`."
  value       = aws_iam_role.task.arn
}
